/** A sequence of messages under one AEAD key, each with the next nonce (RFC 8446 §5.3). */

import { checkAeadNonce } from "./arguments.ts";
import type { AeadAlgorithm, AeadKey, AeadSequence } from "./provider.ts";

/** The IV, which a message's number is added to by exclusive or, padded to the left. */
export class CountedNonce {
  readonly #iv: Uint8Array;

  /** Copies the IV. Throws `ERR_CRYPTO_ARGUMENT` if it does not have 12 octets. */
  constructor(iv: Uint8Array) {
    checkAeadNonce(iv);
    this.#iv = Uint8Array.from(iv);
  }

  /** The nonce of a message, in an array that all nonces share: valid until the next call. */
  of(message: number): Uint8Array {
    this.writeTo(sharedNonce, 0, message);
    return sharedNonce;
  }

  /** Writes the nonce of a message: 12 octets. */
  writeTo(target: Uint8Array, offset: number, message: number): void {
    target.set(this.#iv, offset);
    let rest = message;
    for (let index = offset + 11; rest > 0; index--) {
      target[index] = (target[index] ?? 0) ^ (rest & 0xff);
      rest = Math.floor(rest / 256);
    }
  }
}

/** The nonce that was asked for last. An AEAD does not keep it, so one serves all connections, and each is smaller. */
const sharedNonce = /* @__PURE__ */ new Uint8Array(12);

/** A sequence that seals and opens by an AEAD key: for providers without a faster way. */
export class CountedAead implements AeadSequence {
  readonly #key: AeadKey;
  readonly #nonce: CountedNonce;
  messages = 0;

  constructor(key: AeadKey, iv: Uint8Array) {
    this.#key = key;
    this.#nonce = new CountedNonce(iv);
  }

  get algorithm(): AeadAlgorithm {
    return this.#key.algorithm;
  }

  sealInPlace(additionalData: Uint8Array, buffer: Uint8Array, start: number, end: number): void {
    this.#key.sealInPlace(this.#nonce.of(this.messages), additionalData, buffer, start, end);
    this.messages++;
  }

  open(additionalData: Uint8Array, ciphertext: Uint8Array): Uint8Array | undefined {
    const plaintext = this.#key.open(this.#nonce.of(this.messages), additionalData, ciphertext);
    if (plaintext !== undefined) this.messages++;
    return plaintext;
  }
}
