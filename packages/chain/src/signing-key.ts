/** A public key that may have signed certificates, lists or responses: imported when it is first needed, and kept. */

import { CryptoError, type CryptoProvider, type PublicKey, type Tolerate, verifySignedData } from "@latchkey/crypto";
import { type Budget, price } from "./budget.ts";
import { type KeyKind, keyKindOf } from "./key-kind.ts";

/** Something signed, in the form that certificates, revocation lists and OCSP responses share. */
export interface Signed {
  readonly data: Uint8Array;
  /** The whole AlgorithmIdentifier. */
  readonly algorithm: Uint8Array;
  readonly signature: Uint8Array;
  /** Whether the result is kept, so that hashing the data is not charged to one answer. Default false. */
  readonly isCheckedOnce?: boolean;
}

/** What is wrong with a signature: the key, the algorithm (or the two together), or the signature itself. */
export interface SignatureFault {
  readonly at: "key" | "algorithm" | "signature";
  readonly error: CryptoError;
}

/** A key and what was found out about it. */
export class SigningKey {
  /** DER SubjectPublicKeyInfo, a view. */
  readonly spki: Uint8Array;
  #kind: KeyKind | undefined;
  #imported: PublicKey | CryptoError | undefined;

  constructor(spki: Uint8Array) {
    this.spki = spki;
  }

  get kind(): KeyKind {
    this.#kind ??= keyKindOf(this.spki);
    return this.#kind;
  }

  /** The fault in a signature that should be by this key; undefined where it holds; `limit` where it was not checked. */
  check(
    provider: CryptoProvider,
    signed: Signed,
    budget: Budget,
    tolerate: Tolerate,
  ): SignatureFault | "limit" | undefined {
    if (this.#imported === undefined && !budget.spend(price.key)) return "limit";
    const publicKey = this.#import(provider);
    if (publicKey instanceof Error) return { at: "key", error: publicKey };
    const octets = signed.isCheckedOnce === true ? 0 : signed.data.length;
    if (!budget.spendSignature(publicKey.verificationWeight, octets)) return "limit";
    const { algorithm, data, signature } = signed;
    const result = verifySignedData(provider, { publicKey, algorithm, data, signature }, { tolerate });
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
