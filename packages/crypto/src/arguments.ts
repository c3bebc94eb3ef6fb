/** Checks of lengths and counts that both providers make before they compute anything. */

import { CryptoError } from "./errors.ts";
import type { AeadAlgorithm } from "./provider.ts";

/** Octets of tag behind an AEAD ciphertext (RFC 5116 §5.1, RFC 8439 §2.8). */
export const aeadTagLength = 16;

const aeadKeyLengths: Readonly<Record<AeadAlgorithm, number>> = {
  "AES-128-GCM": 16,
  "AES-256-GCM": 32,
  "ChaCha20-Poly1305": 32,
};
const aeadNonceLength = 12;

/** About a minute of one core, and far more than files ask for: OpenSSL writes 2048, OWASP advises 600,000. */
const maximumPbkdf2Iterations = 10_000_000;

/** Largest request to `crypto.getRandomValues`. */
const maximumRandomLength = 65_536;

/** Refuses a key or nonce of another length than the AEAD has. */
export function checkAead(algorithm: AeadAlgorithm, key: Uint8Array, nonce: Uint8Array): void {
  checkAeadKey(algorithm, key);
  checkAeadNonce(nonce);
}

/** Refuses a key of another length than the AEAD has. */
export function checkAeadKey(algorithm: AeadAlgorithm, key: Uint8Array): void {
  expectLength("key", key.length, aeadKeyLengths[algorithm]);
}

/** Refuses a nonce that does not have 12 octets. */
export function checkAeadNonce(nonce: Uint8Array): void {
  expectLength("nonce", nonce.length, aeadNonceLength);
}

/** Refuses a plaintext of `sealInPlace` that is not in its buffer, or has no room for the tag behind it. */
export function checkSealRange(buffer: Uint8Array, start: number, end: number): void {
  if (Number.isInteger(start) && Number.isInteger(end) && 0 <= start && start <= end) {
    if (end + aeadTagLength <= buffer.length) return;
  }
  const allowed = `at least ${end + aeadTagLength}`;
  const reason = `The octets ${start} to ${end} and a tag need a buffer of $ octets`;
  throw argument(reason, allowed, buffer.length);
}

/** Refuses a key or initialization vector of another length than AES has. */
export function checkAesCbc(key: Uint8Array, iv: Uint8Array): void {
  if (key.length !== 16 && key.length !== 24 && key.length !== 32) {
    throw argument("An AES key has $ octets", "16, 24 or 32", key.length);
  }
  expectLength("initialization vector", iv.length, 16);
}

/** Refuses a padded ciphertext that is empty or ends within a block. */
export function checkCbcCiphertext(ciphertext: Uint8Array): void {
  if (ciphertext.length === 0 || ciphertext.length % 16 !== 0) {
    throw new CryptoError("ERR_CRYPTO_CBC_PADDING", `${ciphertext.length} octets are no whole blocks of 16`, {
      clause: "RFC 5652 §6.3",
    });
  }
}

/** Refuses counts of iterations and octets outside the limits. */
export function checkPbkdf2(iterations: number, length: number): void {
  if (!Number.isInteger(iterations) || iterations < 1 || iterations > maximumPbkdf2Iterations) {
    throw argument("PBKDF2 takes $ iterations", `1 to ${maximumPbkdf2Iterations}`, iterations);
  }
  if (!Number.isInteger(length) || length < 1 || length > 1024) {
    throw argument("PBKDF2 makes $ octets here", "1 to 1024", length);
  }
}

/** Refuses a length that the generator does not give at once. */
export function checkRandomLength(length: number): void {
  if (!Number.isInteger(length) || length < 0 || length > maximumRandomLength) {
    throw argument("A call gives $ random octets", `0 to ${maximumRandomLength}`, length);
  }
}

function expectLength(what: string, actual: number, expected: number): void {
  if (actual !== expected) throw argument(`The ${what} has $ octets`, String(expected), actual);
}

/** `$` in the reason is replaced by the allowed values. */
function argument(reason: string, allowed: string, found: number): CryptoError {
  return new CryptoError("ERR_CRYPTO_ARGUMENT", `${reason.replace("$", allowed)}, not ${found}`, { found, allowed });
}
