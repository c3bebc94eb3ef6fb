/** Hashes, HMAC, HKDF and PBKDF2 by node:crypto. */

import { createHash, createHmac, createSecretKey, hash, pbkdf2Sync, type Hash } from "node:crypto";
import { checkPbkdf2 } from "../arguments.ts";
import { hashLength } from "../hash-length.ts";
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
 * HMAC of `data`, and of the octet `counter` behind it where there is one; its first `length` octets. For short data it is
 * made by the two hashes that RFC 2104 §2 defines it by: a call with a bare key costs five times as much in Node.js.
 */
function hmacStart(
  algorithm: HashAlgorithm,
  key: Uint8Array,
  data: Uint8Array,
  length: number,
  counter?: number,
): Uint8Array {
  const blockOctets = algorithm === "SHA-384" || algorithm === "SHA-512" ? 128 : 64;
  if (key.length > blockOctets || data.length >= shortDataOctets) {
    const hmacOfAll = createHmac(names[algorithm], createSecretKey(key)).update(data);
    if (counter !== undefined) hmacOfAll.update(Uint8Array.of(counter));
    return octets(hmacOfAll.digest()).slice(0, length);
  }
  // The calls are synchronous and hand nothing out, so one buffer serves all of them.
  const buffer = hmacBuffer;
  buffer.fill(0, key.length, blockOctets);
  buffer.set(key);
  changePad(blockOctets, innerPad);
  buffer.set(data, blockOctets);
  let end = blockOctets + data.length;
  if (counter !== undefined) buffer[end++] = counter;
  const inner = hash(names[algorithm], hmacInput(end), "binary");
  changePad(blockOctets, innerPad ^ outerPad);
  for (let index = 0; index < inner.length; index++) buffer[blockOctets + index] = inner.charCodeAt(index);
  const tag = hash(names[algorithm], hmacInput(blockOctets + inner.length), "binary");
  // The buffer held the key and the data.
  buffer.fill(0, 0, Math.max(end, blockOctets + inner.length));
  return octetsOf(tag, length);
}

/** The same octet in each of four. */
const innerPad = 0x36363636;
const outerPad = 0x5c5c5c5c;
const hmacBuffer = /* @__PURE__ */ new Uint8Array(128 + shortDataOctets);
const hmacWords = /* @__PURE__ */ new Int32Array(hmacBuffer.buffer, 0, 32);

/** Exclusive or with a pad, over the block of the key. */
function changePad(blockOctets: number, pad: number): void {
  for (let index = 0; index < blockOctets / 4; index++) hmacWords[index] = (hmacWords[index] ?? 0) ^ pad;
}

/** The start of the buffer; short ones are kept, since to make a view costs as much as to hash its octets. */
function hmacInput(length: number): Uint8Array {
  if (length >= hmacInputs.length) return hmacBuffer.subarray(0, length);
  return (hmacInputs[length] ??= hmacBuffer.subarray(0, length));
}

const hmacInputs: (Uint8Array | undefined)[] = /* @__PURE__ */ Array.from({ length: 256 });

function hashOctets(algorithm: HashAlgorithm, data: Uint8Array): Uint8Array {
  // A string costs Node.js less than a Buffer: this takes half the time for short input.
  const text = hash(names[algorithm], data, "binary");
  return octetsOf(text, text.length);
}

function octetsOf(text: string, length: number): Uint8Array {
  const octets = new Uint8Array(length);
  for (let index = 0; index < length; index++) octets[index] = text.charCodeAt(index);
  return octets;
}

function hmac(algorithm: HashAlgorithm, key: Uint8Array, data: Uint8Array): Uint8Array {
  return hmacStart(algorithm, key, data, hashLength(algorithm));
}

function hkdfExpand(algorithm: HashAlgorithm, key: Uint8Array, info: Uint8Array, length: number): Uint8Array {
  // Most of what a TLS handshake derives is one block or less.
  const isOneBlock = Number.isInteger(length) && length > 0 && length <= hashLength(algorithm);
  return isOneBlock ? hmacStart(algorithm, key, info, length, 1) : expand(hmac, algorithm, key, info, length);
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
  hkdfExpand,
  pbkdf2: (algorithm, password, salt, iterations, length) => {
    checkPbkdf2(iterations, length);
    return octets(pbkdf2Sync(password, salt, iterations, length, names[algorithm]));
  },
};
