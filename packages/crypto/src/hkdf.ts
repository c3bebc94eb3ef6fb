/** HKDF (RFC 5869) over any provider's HMAC. */

import { CryptoError } from "./errors.ts";
import { hashLength } from "./hash-length.ts";
import type { HashAlgorithm, HashProvider } from "./provider.ts";

/** What `hkdf` derives from, and how much. */
export interface HkdfInput {
  readonly keyMaterial: Uint8Array;
  /** Empty counts as hash-length zeros. */
  readonly salt: Uint8Array;
  readonly info: Uint8Array;
  /** Octets wanted, at most 255 times the hash's. */
  readonly length: number;
}

/**
 * Extract, then expand (RFC 5869 §2).
 *
 * Throws `ERR_CRYPTO_ARGUMENT` for a length that is out of range.
 */
export function hkdf(provider: HashProvider, algorithm: HashAlgorithm, input: HkdfInput): Uint8Array {
  const pseudoRandomKey = provider.hkdfExtract(algorithm, input.salt, input.keyMaterial);
  return provider.hkdfExpand(algorithm, pseudoRandomKey, input.info, input.length);
}

type Hmac = HashProvider["hmac"];

/**
 * HKDF-Extract by `hmac`: what providers implement `hkdfExtract` with. HMAC fills its key up with zeros, so an empty salt
 * counts as hash-length zeros.
 */
export function extract(hmac: Hmac, algorithm: HashAlgorithm, salt: Uint8Array, keyMaterial: Uint8Array): Uint8Array {
  return hmac(algorithm, salt, keyMaterial);
}

/** HKDF-Expand by `hmac`: what providers implement `hkdfExpand` with. */
export function expand(
  hmac: Hmac,
  algorithm: HashAlgorithm,
  pseudoRandomKey: Uint8Array,
  info: Uint8Array,
  length: number,
): Uint8Array {
  const step = hashLength(algorithm);
  if (!Number.isInteger(length) || length < 0 || length > 255 * step) {
    const allowed = `0 to ${255 * step}`;
    throw new CryptoError("ERR_CRYPTO_ARGUMENT", `HKDF makes ${allowed} octets, not ${length}`, {
      found: length,
      allowed,
      clause: "RFC 5869 §2.3",
    });
  }
  if (length <= step) {
    // Most of what a TLS handshake derives is one block or less.
    const block = new Uint8Array(info.length + 1);
    block.set(info);
    block[info.length] = 1;
    return hmac(algorithm, pseudoRandomKey, block).subarray(0, length);
  }
  const output = new Uint8Array(length);
  let previous = new Uint8Array(0);
  for (let offset = 0, counter = 1; offset < length; offset += step, counter++) {
    const block = new Uint8Array(previous.length + info.length + 1);
    block.set(previous);
    block.set(info, previous.length);
    block[block.length - 1] = counter;
    previous = new Uint8Array(hmac(algorithm, pseudoRandomKey, block));
    output.set(previous.subarray(0, length - offset), offset);
  }
  return output;
}
