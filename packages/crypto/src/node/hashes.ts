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

/** Above this one copy of the data costs more than a KeyObject does. */
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
  const inner = new Uint8Array(blockOctets + data.length);
  for (let index = 0; index < blockOctets; index++) inner[index] = (key[index] ?? 0) ^ 0x36;
  inner.set(data, blockOctets);
  const digest = hash(names[algorithm], inner, "binary");
  const outer = new Uint8Array(blockOctets + digest.length);
  // 0x36 and 0x5c are the two pads.
  for (let index = 0; index < blockOctets; index++) outer[index] = (inner[index] ?? 0) ^ 0x36 ^ 0x5c;
  for (let index = 0; index < digest.length; index++) outer[blockOctets + index] = digest.charCodeAt(index);
  const tag = hashOctets(algorithm, outer);
  // Both held the key.
  inner.fill(0, 0, blockOctets);
  outer.fill(0);
  return tag;
}

function hashOctets(algorithm: HashAlgorithm, data: Uint8Array): Uint8Array {
  // A string costs Node.js less than a Buffer: this takes half the time for short input.
  const text = hash(names[algorithm], data, "binary");
  const digest = new Uint8Array(text.length);
  for (let index = 0; index < text.length; index++) digest[index] = text.charCodeAt(index);
  return digest;
}

class NodeRunningHash implements RunningHash {
  readonly #hash: Hash;

  constructor(algorithm: HashAlgorithm) {
    this.#hash = createHash(names[algorithm]);
  }

  update(data: Uint8Array): void {
    this.#hash.update(data);
  }

  digest(): Uint8Array {
    return octets(this.#hash.copy().digest());
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
