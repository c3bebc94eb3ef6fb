/** What one side proves its identity with: a chain, and a key that signs here, elsewhere, or later. */

import type { CryptoProvider, PrivateKey } from "@latchkey/crypto";
import { argument } from "./errors.ts";
import { type SignatureScheme, schemeAlgorithm, schemesOfKey } from "./signature-scheme.ts";

/** A chain and who signs for it. The key itself may be in another process or in hardware. */
export interface Credential {
  /** DER certificates, the end entity first, as they are sent. */
  readonly chain: readonly Uint8Array[];
  /** The schemes that its key can make, the preferred first. */
  readonly schemes: readonly SignatureScheme[];
  /**
   * Signs `data` (which the scheme hashes) at once. Without it the engine asks by a `need` event, which may be answered
   * later: that is the way to an HSM or a key service.
   */
  readonly sign?: ((scheme: SignatureScheme, data: Uint8Array) => Uint8Array) | undefined;
}

/** What `keyCredential` takes. */
export interface KeyCredentialInput {
  readonly provider: CryptoProvider;
  readonly privateKey: PrivateKey;
  readonly chain: readonly Uint8Array[];
}

/** A credential whose key the provider has. Throws `ERR_TLS_ARGUMENT` for an empty chain, or a key that signs nothing. */
export function keyCredential({ provider, privateKey, chain }: KeyCredentialInput): Credential {
  const schemes = schemesOfKey(privateKey.algorithm);
  if (chain.length === 0) throw argument("A credential needs a certificate");
  if (schemes.length === 0) throw argument(`A key of kind ${privateKey.algorithm.name} signs no handshake`);
  return { chain, schemes, sign: (scheme, data) => provider.sign(privateKey, schemeAlgorithm(scheme), data) };
}
