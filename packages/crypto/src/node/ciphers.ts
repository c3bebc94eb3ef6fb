/** AEAD and AES-CBC by node:crypto. */

import { createCipheriv, createDecipheriv } from "node:crypto";
import { CountedAead } from "../aead-sequence.ts";
import { aeadTagLength, checkAead, checkAeadKey, checkAesCbc, checkCbcCiphertext } from "../arguments.ts";
import { authenticationFailed, cbcPaddingWrong } from "../errors.ts";
import type { CipherProvider } from "../provider.ts";
import { aeadCipher, aeadDecipher, NodeAeadKey } from "./aead-key.ts";
import { GcmSequence } from "./gcm-sequence.ts";
import { octets } from "./octets.ts";

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
