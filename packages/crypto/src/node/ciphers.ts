/** AEAD and AES-CBC by node:crypto. */

import {
  createCipheriv,
  createDecipheriv,
  createSecretKey,
  type CipherGCM,
  type CipherKey,
  type DecipherGCM,
  type KeyObject,
} from "node:crypto";
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
import { GcmSequence } from "./gcm-sequence.ts";
import { octets } from "./octets.ts";

/** Ciphers of the node provider. */
export const ciphers: CipherProvider = {
  createAeadKey(algorithm, key) {
    checkAeadKey(algorithm, key);
    return new NodeAeadKey(algorithm, createSecretKey(key));
  },

  createAeadSequence(algorithm, key, iv) {
    checkAeadKey(algorithm, key);
    const handle = createSecretKey(key);
    const aead = new NodeAeadKey(algorithm, handle);
    return algorithm === "ChaCha20-Poly1305" ? new CountedAead(aead, iv) : new GcmSequence(handle, aead, iv);
  },

  seal(algorithm, key, nonce, plaintext, additionalData) {
    checkAead(algorithm, key, nonce);
    const cipher = aeadCipher(algorithm, key, nonce);
    cipher.setAAD(additionalData, { plaintextLength: plaintext.length });
    const output = new Uint8Array(plaintext.length + aeadTagLength);
    output.set(cipher.update(plaintext));
    cipher.final();
    output.set(cipher.getAuthTag(), plaintext.length);
    return output;
  },

  open(algorithm, key, nonce, ciphertext, additionalData) {
    checkAead(algorithm, key, nonce);
    const length = ciphertext.length - aeadTagLength;
    if (length < 0) throw authenticationFailed();
    const decipher = aeadDecipher(algorithm, key, nonce);
    decipher.setAAD(additionalData, { plaintextLength: length });
    decipher.setAuthTag(ciphertext.subarray(length));
    const plaintext = decipher.update(ciphertext.subarray(0, length));
    try {
      decipher.final();
    } catch {
      plaintext.fill(0);
      throw authenticationFailed();
    }
    return octets(plaintext);
  },

  encryptAesCbc(key, iv, plaintext) {
    checkAesCbc(key, iv);
    const cipher = createCipheriv(`aes-${key.length * 8}-cbc`, key, iv);
    return Uint8Array.from(Buffer.concat([cipher.update(plaintext), cipher.final()]));
  },

  decryptAesCbc(key, iv, ciphertext) {
    checkAesCbc(key, iv);
    checkCbcCiphertext(ciphertext);
    const decipher = createDecipheriv(`aes-${key.length * 8}-cbc`, key, iv);
    const start = decipher.update(ciphertext);
    try {
      return Uint8Array.from(Buffer.concat([start, decipher.final()]));
    } catch {
      throw cbcPaddingWrong();
    }
  },
};

/** Keeps a KeyObject: with bare octets each message costs about four times as much. */
class NodeAeadKey implements AeadKey {
  readonly algorithm: AeadAlgorithm;
  readonly #handle: KeyObject;

  constructor(algorithm: AeadAlgorithm, handle: KeyObject) {
    this.algorithm = algorithm;
    this.#handle = handle;
  }

  sealInPlace(nonce: Uint8Array, additionalData: Uint8Array, buffer: Uint8Array, start: number, end: number): void {
    checkAeadNonce(nonce);
    checkSealRange(buffer, start, end);
    const cipher = aeadCipher(this.algorithm, this.#handle, nonce);
    cipher.setAAD(additionalData, withoutLength);
    buffer.set(cipher.update(buffer.subarray(start, end)), start);
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

/** The length of the plaintext matters to CCM only. */
const withoutLength = { plaintextLength: 0 };

const tag = { authTagLength: aeadTagLength };

function aeadCipher(algorithm: AeadAlgorithm, key: CipherKey, nonce: Uint8Array): CipherGCM {
  switch (algorithm) {
    case "AES-128-GCM":
      return createCipheriv("aes-128-gcm", key, nonce, tag);
    case "AES-256-GCM":
      return createCipheriv("aes-256-gcm", key, nonce, tag);
    default:
      return createCipheriv("chacha20-poly1305", key, nonce, tag);
  }
}

function aeadDecipher(algorithm: AeadAlgorithm, key: CipherKey, nonce: Uint8Array): DecipherGCM {
  switch (algorithm) {
    case "AES-128-GCM":
      return createDecipheriv("aes-128-gcm", key, nonce, tag);
    case "AES-256-GCM":
      return createDecipheriv("aes-256-gcm", key, nonce, tag);
    default:
      return createDecipheriv("chacha20-poly1305", key, nonce, tag);
  }
}
