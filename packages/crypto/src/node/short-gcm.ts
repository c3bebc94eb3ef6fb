/** AES-GCM (NIST SP 800-38D §7) behind AES: what is left of it once the counter blocks of a short message are encrypted. */

import { aeadTagLength } from "../arguments.ts";
import { blockOctets, type GhashKey, ghash, ghashKey } from "./ghash.ts";

/** The longest additional data: one block. */
export const shortDataOctets = 16;

/** The encrypted counter blocks of one message: the first masks the tag, the others the message. They are erased once used. */
export interface Mask {
  /** Belongs to the messages of one key; others are counter blocks of other messages. */
  readonly octets: Uint8Array;
  /** Where the message's own begin. */
  at: number;
}

/** One way to do it. A key is for the way that made it. */
export interface ShortGcm {
  /** The longest message: beyond it, a cipher object of node:crypto is faster. */
  readonly mostOctets: number;
  /** Makes the key of GHASH ready. `h` is the block of zeros, encrypted. */
  readonly makeKey: (h: Uint8Array) => GhashKey;
  /** Encrypts `buffer[start, end)`, and writes the tag behind it. */
  readonly seal: (
    key: GhashKey,
    mask: Mask,
    additionalData: Uint8Array,
    buffer: Uint8Array,
    start: number,
    end: number,
  ) => void;
  /**
   * Decrypts `ciphertext`, which ends with its tag, into `plaintext`. False where the tag does not fit, which is
   * found in constant time: nothing is decrypted then, and the mask is kept.
   */
  readonly open: (
    key: GhashKey,
    mask: Mask,
    additionalData: Uint8Array,
    ciphertext: Uint8Array,
    plaintext: Uint8Array,
  ) => boolean;
}

/** By integers of 32 bits, as JavaScript has them: for a Node.js without WebAssembly. */
export const plainGcm: ShortGcm = {
  mostOctets: 256,
  makeKey: ghashKey,
  seal(key, mask, additionalData, buffer, start, end) {
    applyMask(mask, buffer, start, end - start, buffer, start);
    makeTag(key, mask, additionalData, buffer, start, end);
    buffer.set(sharedTag, end);
    erase(mask, end - start);
  },
  open(key, mask, additionalData, ciphertext, plaintext) {
    const length = ciphertext.length - aeadTagLength;
    makeTag(key, mask, additionalData, ciphertext, 0, length);
    if (!isSharedTag(ciphertext, length)) return false;
    applyMask(mask, ciphertext, 0, length, plaintext, 0);
    erase(mask, length);
    return true;
  },
};

/** The tag that was made last: the calls are synchronous, so one serves all. */
const sharedTag = /* @__PURE__ */ new Uint8Array(aeadTagLength);

/** The tag of a ciphertext into `sharedTag`. */
function makeTag(
  key: GhashKey,
  { octets, at }: Mask,
  additionalData: Uint8Array,
  ciphertext: Uint8Array,
  start: number,
  end: number,
): void {
  ghash(key, additionalData, ciphertext, start, end, sharedTag);
  for (let index = 0; index < aeadTagLength; index++) {
    sharedTag[index] = (sharedTag[index] ?? 0) ^ (octets[at + index] ?? 0);
  }
}

/** Whether the tag at `at` is the one in `sharedTag`, in constant time; that one is erased. */
function isSharedTag(octets: Uint8Array, at: number): boolean {
  let difference = 0;
  for (let index = 0; index < aeadTagLength; index++) {
    difference |= (sharedTag[index] ?? 0) ^ (octets[at + index] ?? 0);
    // With the right tag, a caller could forge this message.
    sharedTag[index] = 0;
  }
  return difference === 0;
}

function erase({ octets, at }: Mask, length: number): void {
  octets.fill(0, at, at + blockOctets + length);
}

/** `length` octets of `from` by exclusive or with the mask, into `to`. */
function applyMask(
  { octets, at }: Mask,
  from: Uint8Array,
  start: number,
  length: number,
  to: Uint8Array,
  offset: number,
): void {
  for (let index = 0; index < length; index++) {
    to[offset + index] = (from[start + index] ?? 0) ^ (octets[at + blockOctets + index] ?? 0);
  }
}
