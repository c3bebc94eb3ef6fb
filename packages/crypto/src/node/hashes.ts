/** Hashes, HMAC, HKDF and PBKDF2 by node:crypto. */

import { createHash, createHmac, createSecretKey, hash, pbkdf2Sync, type Hash } from "node:crypto";
import { checkPbkdf2 } from "../arguments.ts";
import { expand, extract } from "../hkdf.ts";
import type { HashAlgorithm, HashProvider, RunningHash } from "../provider.ts";
import { octets } from "./octets.ts";

const names: Readonly<Record<HashAlgorithm, string>> = {
  "SHA-1": "sha1",
  "SHA-256": "sha256",
  "SHA-384": "sha384",
  "SHA-512": "sha512",
};

/** Above this it costs more to copy and keep the data than the objects of Node.js do. */
const shortDataOctets = 4096;

/**
 * HMAC, for short data as the two hashes that RFC 2104 §2 defines it by: a call with a bare key costs five times as much
 * in Node.js.
 */
function hmac(algorithm: HashAlgorithm, key: Uint8Array, data: Uint8Array): Uint8Array {
  const blockOctets = algorithm === "SHA-384" || algorithm === "SHA-512" ? 128 : 64;
  if (key.length > blockOctets || data.length > shortDataOctets) {
    return octets(createHmac(names[algorithm], createSecretKey(key)).update(data).digest());
  }
  // The calls are synchronous and hand nothing out, so one buffer serves all of them.
  const buffer = hmacBuffer;
  buffer.fill(innerPad, 0, blockOctets);
  for (let index = 0; index < key.length; index++) buffer[index] = (key[index] ?? 0) ^ innerPad;
  buffer.set(data, blockOctets);
  const digest = hash(names[algorithm], buffer.subarray(0, blockOctets + data.length), "binary");
  for (let index = 0; index < blockOctets; index++) buffer[index] = (buffer[index] ?? 0) ^ innerPad ^ outerPad;
  for (let index = 0; index < digest.length; index++) buffer[blockOctets + index] = digest.charCodeAt(index);
  const tag = hashOctets(algorithm, buffer.subarray(0, blockOctets + digest.length));
  // The buffer held the key and the data.
  buffer.fill(0, 0, blockOctets + Math.max(data.length, digest.length));
  return tag;
}

const innerPad = 0x36;
const outerPad = 0x5c;
const hmacBuffer = /* @__PURE__ */ new Uint8Array(128 + shortDataOctets);

function hashOctets(algorithm: HashAlgorithm, data: Uint8Array): Uint8Array {
  // A string costs Node.js less than a Buffer: this takes half the time for short input.
  const text = hash(names[algorithm], data, "binary");
  const digest = new Uint8Array(text.length);
  for (let index = 0; index < text.length; index++) digest[index] = text.charCodeAt(index);
  return digest;
}

/**
 * Keeps short data and hashes it as a whole for each digest: a Hash of Node.js is a stream, which costs more to make and to
 * copy than a few thousand octets cost to hash.
 */
class NodeRunningHash implements RunningHash {
  readonly #algorithm: HashAlgorithm;
  /** All data so far, while it is short. */
  #kept: Uint8Array = Buffer.allocUnsafe(1024);
  #keptOctets = 0;
  /** Holds all data so far, once there is more than is kept. */
  #hash: Hash | undefined;

  constructor(algorithm: HashAlgorithm) {
    this.#algorithm = algorithm;
  }

  update(data: Uint8Array): void {
    if (this.#hash !== undefined) {
      this.#hash.update(data);
      return;
    }
    const needed = this.#keptOctets + data.length;
    if (needed > shortDataOctets) {
      this.#hash = createHash(names[this.#algorithm]).update(this.#kept.subarray(0, this.#keptOctets)).update(data);
      this.#kept = new Uint8Array(0);
      return;
    }
    if (needed > this.#kept.length) {
      const grown = Buffer.allocUnsafe(shortDataOctets);
      grown.set(this.#kept.subarray(0, this.#keptOctets));
      this.#kept = grown;
    }
    this.#kept.set(data, this.#keptOctets);
    this.#keptOctets = needed;
  }

  digest(): Uint8Array {
    if (this.#hash !== undefined) return octets(this.#hash.copy().digest());
    return hashOctets(this.#algorithm, this.#kept.subarray(0, this.#keptOctets));
  }
}

/** Hashes of the node provider. */
export const hashes: HashProvider = {
  hash: hashOctets,
  createHash: (algorithm) => new NodeRunningHash(algorithm),
  hmac,
  hkdfExtract: (algorithm, salt, keyMaterial) => extract(hmac, algorithm, salt, keyMaterial),
  hkdfExpand: (algorithm, pseudoRandomKey, info, length) => expand(hmac, algorithm, pseudoRandomKey, info, length),
  pbkdf2: (algorithm, password, salt, iterations, length) => {
    checkPbkdf2(iterations, length);
    return octets(pbkdf2Sync(password, salt, iterations, length, names[algorithm]));
  },
};
