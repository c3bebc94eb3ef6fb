/** AEAD and AES-CBC by node:crypto. */

import { createCipheriv, createDecipheriv } from "node:crypto";
import { CountedAead } from "../aead-sequence.ts";
import { aeadTagLength, checkAead, checkAeadKey, checkAesCbc, checkCbcCiphertext } from "../arguments.ts";
import { authenticationFailed, cbcPaddingWrong } from "../errors.ts";
import type { CipherProvider } from "../provider.ts";
import { NodeAeadKey } from "./aead-key.ts";
import { GcmSequence } from "./gcm-sequence.ts";

/** Ciphers of the node provider. */
export const ciphers: CipherProvider = {
  createAeadKey(algorithm, key) {
    checkAeadKey(algorithm, key);
    return new NodeAeadKey(algorithm, key);
  },

  createAeadSequence(algorithm, key, iv) {
    checkAeadKey(algorithm, key);
    if (algorithm === "ChaCha20-Poly1305") return new CountedAead(new NodeAeadKey(algorithm, key), iv);
    return new GcmSequence(algorithm, key, iv);
  },

  seal(algorithm, key, nonce, plaintext, additionalData) {
    checkAead(algorithm, key, nonce);
    const output = new Uint8Array(plaintext.length + aeadTagLength);
    output.set(plaintext);
    new NodeAeadKey(algorithm, key).sealInPlace(nonce, additionalData, output, 0, plaintext.length);
    return output;
  },

  open(algorithm, key, nonce, ciphertext, additionalData) {
    checkAead(algorithm, key, nonce);
    const plaintext = new NodeAeadKey(algorithm, key).open(nonce, additionalData, ciphertext);
    if (plaintext === undefined) throw authenticationFailed();
    return plaintext;
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
