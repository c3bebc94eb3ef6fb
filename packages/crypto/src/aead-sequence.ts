/** A sequence of messages under one AEAD key, each with the next nonce (RFC 8446 §5.3). */

import { checkAeadNonce } from "./arguments.ts";
import type { AeadAlgorithm, AeadKey, AeadSequence } from "./provider.ts";

/** Octets of an IV, and of a nonce. */
export const ivOctets = 12;

/**
 * The nonce of a message: the IV, which stands in `octets` from `at` on, with the message's number added by exclusive or, padded to
 * the left. The array is one that all share: valid until the next call.
 */
export function nonceOf(octets: Uint8Array, at: number, message: number): Uint8Array {
  for (let index = 0; index < ivOctets; index++) sharedNonce[index] = octets[at + index] ?? 0;
  let rest = message;
  for (let index = ivOctets - 1; rest > 0; index--) {
    sharedNonce[index] = (sharedNonce[index] ?? 0) ^ (rest & 0xff);
    rest = Math.floor(rest / 256);
  }
  return sharedNonce;
}

/** The nonce that was asked for last. An AEAD does not keep it, so one serves all connections, and each is smaller. */
const sharedNonce = /* @__PURE__ */ new Uint8Array(ivOctets);

/** A sequence that seals and opens by an AEAD key: for providers without a faster way. */
export class CountedAead implements AeadSequence {
  readonly #key: AeadKey;
  readonly #iv: Uint8Array;
  messages = 0;

  /** Copies the IV. Throws `ERR_CRYPTO_ARGUMENT` if it does not have 12 octets. */
  constructor(key: AeadKey, iv: Uint8Array) {
    checkAeadNonce(iv);
    this.#key = key;
    this.#iv = Uint8Array.from(iv);
  }

  get algorithm(): AeadAlgorithm {
    return this.#key.algorithm;
  }

  sealInPlace(additionalData: Uint8Array, buffer: Uint8Array, start: number, end: number): void {
    this.#key.sealInPlace(nonceOf(this.#iv, 0, this.messages), additionalData, buffer, start, end);
    this.messages++;
  }

  open(additionalData: Uint8Array, ciphertext: Uint8Array): Uint8Array | undefined {
    const plaintext = this.#key.open(nonceOf(this.#iv, 0, this.messages), additionalData, ciphertext);
    if (plaintext !== undefined) this.messages++;
    return plaintext;
  }
}
