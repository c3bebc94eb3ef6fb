/** A certificate where nobody has shown it: for plain MQTT, and for wills of clients that were connected to an earlier process. */

import { isRegistryError, type Registry, type Scope } from "@latchkey/registry";
import { certificatesFromPem } from "@latchkey/x509";

/** A registered certificate as a client would send it; undefined where there is none. Throws what the storage throws. */
export function registeredChain(
  registry: Registry,
  scope: Scope,
  certificateId: string,
): readonly Uint8Array[] | undefined {
  try {
    const { certificatePem } = registry.certificates.describe(scope, certificateId);
    return certificatesFromPem(certificatePem).map(({ encoding }) => encoding);
  } catch (error) {
    if (isRegistryError(error) && error.code === "ERR_REGISTRY_NOT_FOUND") return undefined;
    throw error;
  }
}
