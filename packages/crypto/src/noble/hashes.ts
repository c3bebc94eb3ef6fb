/** Hashes, HMAC, HKDF and PBKDF2 by @noble/hashes. */

import { hmac as nobleHmac } from "@noble/hashes/hmac.js";
import { sha1 } from "@noble/hashes/legacy.js";
import { pbkdf2 } from "@noble/hashes/pbkdf2.js";
import { sha256, sha384, sha512 } from "@noble/hashes/sha2.js";
import { checkPbkdf2 } from "../arguments.ts";
import { expand, extract } from "../hkdf.ts";
import type { HashAlgorithm, HashProvider, RunningHash } from "../provider.ts";

type NobleHash = typeof sha1 | typeof sha256 | typeof sha512;

const functions: Readonly<Record<HashAlgorithm, NobleHash>> = {
  "SHA-1": sha1,
  "SHA-256": sha256,
  "SHA-384": sha384,
  "SHA-512": sha512,
};

/** The hash of `data`. */
export function hashOctets(algorithm: HashAlgorithm, data: Uint8Array): Uint8Array {
  return functions[algorithm](data);
}

function hmac(algorithm: HashAlgorithm, key: Uint8Array, data: Uint8Array): Uint8Array {
  return nobleHmac(functions[algorithm], key, data);
}

/** Noble ends a hash when it gives its digest. So the digest is taken from a clone, and the hash can go on. */
function createHash(algorithm: HashAlgorithm): RunningHash {
  const running = functions[algorithm].create();
  return {
    update: (data) => {
      running.update(data);
    },
    digest: () => running.clone().digest(),
  };
}

/** Hashes of the noble provider. */
export const hashes: HashProvider = {
  hash: hashOctets,
  createHash,
  hmac,
  hkdfExtract: (algorithm, salt, keyMaterial) => extract(hmac, algorithm, salt, keyMaterial),
  hkdfExpand: (algorithm, pseudoRandomKey, info, length) => expand(hmac, algorithm, pseudoRandomKey, info, length),
  pbkdf2: (algorithm, password, salt, iterations, length) => {
    checkPbkdf2(iterations, length);
    return pbkdf2(functions[algorithm], password, salt, { c: iterations, dkLen: length });
  },
};
