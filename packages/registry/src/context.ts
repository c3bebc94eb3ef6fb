/** What the parts of a registry share. */

import type { CryptoProvider } from "@latchkey/crypto";
import type { CertificateIssuer } from "@latchkey/x509";
import type { Storage } from "./storage.ts";

/** Storage, cryptography, the time, and the authority that signs what the registry issues. */
export interface RegistryContext {
  readonly storage: Storage;
  readonly provider: CryptoProvider;
  /** Seconds since 1970-01-01T00:00:00Z. */
  readonly nowSeconds: () => number;
  /** The key of the local authority; undefined in a program that issues nothing. */
  readonly issuer?: CertificateIssuer | undefined;
}
