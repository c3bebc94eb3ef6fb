/** A registry in memory with one registered device that a policy is attached to. */

import { nodeProvider } from "@latchkey/crypto/node";
import {
  createMemoryStorage,
  createRegistry,
  defaultScope,
  type Principal,
  type Registry,
  type Storage,
} from "@latchkey/registry";
import {
  certificateAuthority,
  certificatesFromPem,
  issueSelfSignedCertificate,
  makeName,
  validityFrom,
} from "@latchkey/x509";

/** What the tests ask of it. The caller ends the registry. */
export interface RegisteredDevice {
  readonly storage: Storage;
  readonly registry: Registry;
  readonly principal: Principal;
}

/** Makes them: `policyDocument` is the only policy of the device, whose certificate is ACTIVE. */
export async function registeredDevice(options: {
  readonly nowSeconds: () => number;
  readonly policyDocument: string;
  readonly notAfterSeconds?: number;
}): Promise<RegisteredDevice> {
  const { nowSeconds, policyDocument, ...validity } = options;
  const { privateKey } = nodeProvider.generateKeyPair({ name: "ec", curve: "P-256" });
  const certificate = issueSelfSignedCertificate({
    provider: nodeProvider,
    privateKey,
    template: certificateAuthority({
      subject: makeName([{ type: "CN", value: "Device CA" }]),
      validity: validityFrom(nowSeconds() - 600, 10),
    }),
  });
  const storage = createMemoryStorage();
  const registry = createRegistry({
    storage,
    provider: nodeProvider,
    nowSeconds,
    issuer: { certificate, privateKey },
  });
  await registry.createAccount(defaultScope);
  await registry.authorities.registerLocal(defaultScope, certificate);
  const { record } = await registry.certificates.createKeysAndCertificate(defaultScope, {
    setAsActive: true,
    keyAlgorithm: "p-256",
    ...validity,
  });
  await registry.policies.create(defaultScope, "device", policyDocument);
  await registry.policies.attach(defaultScope, "device", { kind: "cert", certificateId: record.certificateId });
  const chain = certificatesFromPem(record.certificatePem).map(({ encoding }) => encoding);
  const result = await registry.resolvePrincipal(chain, "localhost");
  if (!result.ok) throw new Error(result.reason);
  return { storage, registry, principal: result.principal };
}
