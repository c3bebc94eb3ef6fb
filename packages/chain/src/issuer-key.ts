/** A key that may have signed certificates, imported when it is first needed and kept. */

import { CryptoError, type CryptoProvider, type PublicKey, verifySignedData } from "@latchkey/crypto";

/** Something signed, in the form that certificates, revocation lists and OCSP responses share. */
export interface Signed {
  readonly data: Uint8Array;
  /** The whole AlgorithmIdentifier. */
  readonly algorithm: Uint8Array;
  readonly signature: Uint8Array;
}

/** What is wrong with a signature: the key, the algorithm (or the two together), or the signature itself. */
export interface SignatureFault {
  readonly at: "key" | "algorithm" | "signature";
  readonly error: CryptoError;
}

export class IssuerKey {
  /** DER SubjectPublicKeyInfo, a view into the certificate. */
  readonly spki: Uint8Array;
  #imported: PublicKey | CryptoError | undefined;

  constructor(spki: Uint8Array) {
    this.spki = spki;
  }

  /** The fault in a signature that should be by this key, or undefined. */
  check(provider: CryptoProvider, { data, algorithm, signature }: Signed): SignatureFault | undefined {
    const publicKey = this.#import(provider);
    if (publicKey instanceof Error) return { at: "key", error: publicKey };
    const result = verifySignedData(provider, { publicKey, algorithm, data, signature });
    if (result.ok) return undefined;
    const { error } = result;
    return { at: error.code === "ERR_CRYPTO_SIGNATURE_INVALID" ? "signature" : "algorithm", error };
  }

  #import(provider: CryptoProvider): PublicKey | CryptoError {
    if (this.#imported === undefined) {
      try {
        this.#imported = provider.importSpki(this.spki);
      } catch (error) {
        if (!(error instanceof CryptoError)) throw error;
        this.#imported = error;
      }
    }
    return this.#imported;
  }
}
