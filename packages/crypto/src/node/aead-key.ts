/** One AEAD key of node:crypto. */

import {
  createCipheriv,
  createDecipheriv,
  createSecretKey,
  type CipherGCM,
  type DecipherGCM,
  type KeyObject,
} from "node:crypto";
import { aeadTagLength, checkAeadNonce, checkSealRange } from "../arguments.ts";
import type { AeadAlgorithm, AeadKey } from "../provider.ts";
import { octets } from "./octets.ts";

/** Keeps a KeyObject: with bare octets each message costs about four times as much. */
export class NodeAeadKey implements AeadKey {
  readonly algorithm: AeadAlgorithm;
  readonly #handle: KeyObject;

  /** Copies the key, whose length is the algorithm's. */
  constructor(algorithm: AeadAlgorithm, key: Uint8Array) {
    this.algorithm = algorithm;
    this.#handle = createSecretKey(key);
  }

  sealInPlace(nonce: Uint8Array, additionalData: Uint8Array, buffer: Uint8Array, start: number, end: number): void {
    checkAeadNonce(nonce);
    checkSealRange(buffer, start, end);
    const cipher = aeadCipher(this.algorithm, this.#handle, nonce);
    cipher.setAAD(additionalData, withoutLength);
    const sealed = cipher.update(buffer.subarray(start, end));
    buffer.set(sealed, start);
    release(sealed);
    cipher.final();
    buffer.set(cipher.getAuthTag(), end);
  }

  open(nonce: Uint8Array, additionalData: Uint8Array, ciphertext: Uint8Array): Uint8Array | undefined {
    checkAeadNonce(nonce);
    const length = ciphertext.length - aeadTagLength;
    if (length < 0) return undefined;
    const decipher = aeadDecipher(this.algorithm, this.#handle, nonce);
    decipher.setAAD(additionalData, withoutLength);
    decipher.setAuthTag(ciphertext.subarray(length));
    const plaintext = decipher.update(ciphertext.subarray(0, length));
    try {
      decipher.final();
    } catch {
      // It was decrypted before the tag was checked.
      plaintext.fill(0);
      return undefined;
    }
    return octets(plaintext);
  }
}

/**
 * Gives memory back that node:crypto allocated for one result. The garbage collector does not see how large it is until a full
 * collection is due, and memory that is used again at once is still in the processor's cache.
 */
function release({ buffer, length }: Buffer): void {
  if (length >= releasedOctets && buffer instanceof ArrayBuffer && buffer.byteLength === length) buffer.transfer(0);
}

/** Below this, the call costs more than it spares. */
const releasedOctets = 2048;

/** The length of the plaintext matters to CCM only. */
const withoutLength = { plaintextLength: 0 };

const tag = { authTagLength: aeadTagLength };

/** A cipher object for one message. */
function aeadCipher(algorithm: AeadAlgorithm, key: KeyObject, nonce: Uint8Array): CipherGCM {
  switch (algorithm) {
    case "AES-128-GCM":
      return createCipheriv("aes-128-gcm", key, nonce, tag);
    case "AES-256-GCM":
      return createCipheriv("aes-256-gcm", key, nonce, tag);
    default:
      return createCipheriv("chacha20-poly1305", key, nonce, tag);
  }
}

/** As `aeadCipher`, to open. */
function aeadDecipher(algorithm: AeadAlgorithm, key: KeyObject, nonce: Uint8Array): DecipherGCM {
  switch (algorithm) {
    case "AES-128-GCM":
      return createDecipheriv("aes-128-gcm", key, nonce, tag);
    case "AES-256-GCM":
      return createDecipheriv("aes-256-gcm", key, nonce, tag);
    default:
      return createDecipheriv("chacha20-poly1305", key, nonce, tag);
  }
}
