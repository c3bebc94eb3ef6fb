/** AEAD and AES-CBC by @noble/ciphers. */

import { cbc, gcm } from "@noble/ciphers/aes.js";
import { chacha20poly1305 } from "@noble/ciphers/chacha.js";
import { CountedAead } from "../aead-sequence.ts";
import {
  aeadTagLength,
  checkAead,
  checkAeadKey,
  checkAeadNonce,
  checkAesCbc,
  checkCbcCiphertext,
  checkSealRange,
} from "../arguments.ts";
import { authenticationFailed, cbcPaddingWrong } from "../errors.ts";
import type { AeadAlgorithm, AeadKey, CipherProvider } from "../provider.ts";

/** Ciphers of the noble provider. */
export const ciphers: CipherProvider = {
  createAeadKey(algorithm, key) {
    checkAeadKey(algorithm, key);
    return new NobleAeadKey(algorithm, Uint8Array.from(key));
  },

  createAeadSequence(algorithm, key, iv) {
    return new CountedAead(ciphers.createAeadKey(algorithm, key), iv);
  },

  seal(algorithm, key, nonce, plaintext, additionalData) {
    checkAead(algorithm, key, nonce);
    return aead(algorithm)(key, nonce, additionalData).encrypt(plaintext);
  },

  open(algorithm, key, nonce, ciphertext, additionalData) {
    checkAead(algorithm, key, nonce);
    if (ciphertext.length < aeadTagLength) throw authenticationFailed();
    try {
      return aead(algorithm)(key, nonce, additionalData).decrypt(ciphertext);
    } catch {
      throw authenticationFailed();
    }
  },

  encryptAesCbc(key, iv, plaintext) {
    checkAesCbc(key, iv);
    return cbc(key, iv).encrypt(plaintext);
  },

  decryptAesCbc(key, iv, ciphertext) {
    checkAesCbc(key, iv);
    checkCbcCiphertext(ciphertext);
    try {
      return cbc(key, iv).decrypt(ciphertext);
    } catch {
      throw cbcPaddingWrong();
    }
  },
};

class NobleAeadKey implements AeadKey {
  readonly algorithm: AeadAlgorithm;
  readonly #key: Uint8Array;

  constructor(algorithm: AeadAlgorithm, key: Uint8Array) {
    this.algorithm = algorithm;
    this.#key = key;
  }

  sealInPlace(nonce: Uint8Array, additionalData: Uint8Array, buffer: Uint8Array, start: number, end: number): void {
    checkAeadNonce(nonce);
    checkSealRange(buffer, start, end);
    buffer.set(aead(this.algorithm)(this.#key, nonce, additionalData).encrypt(buffer.subarray(start, end)), start);
  }

  open(nonce: Uint8Array, additionalData: Uint8Array, ciphertext: Uint8Array): Uint8Array | undefined {
    checkAeadNonce(nonce);
    if (ciphertext.length < aeadTagLength) return undefined;
    try {
      return aead(this.algorithm)(this.#key, nonce, additionalData).decrypt(ciphertext);
    } catch {
      return undefined;
    }
  }
}

function aead(algorithm: AeadAlgorithm): typeof gcm | typeof chacha20poly1305 {
  return algorithm === "ChaCha20-Poly1305" ? chacha20poly1305 : gcm;
}
