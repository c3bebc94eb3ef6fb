/**
 * AES-GCM for a sequence of messages, each with the next nonce, made for many short messages.
 *
 * node:crypto wants a new cipher object for each message, which costs ten times as much as a short message itself. Here one
 * object of AES lives as long as the key: it encrypts the counter blocks (NIST SP 800-38D §7.1) of the next messages at once,
 * and GHASH makes the tags. Long messages and the first few of a key use a cipher object each.
 */

import { createCipheriv, createSecretKey, type Cipheriv } from "node:crypto";
import { markAsUntransferable } from "node:worker_threads";
import { ivOctets, nonceOf, writeNonce } from "../aead-sequence.ts";
import { aeadTagLength, checkAeadNonce, checkSealRange } from "../arguments.ts";
import type { AeadAlgorithm, AeadSequence } from "../provider.ts";
import { NodeAeadKey } from "./aead-key.ts";
import { type GhashKey, plainGhash } from "./ghash.ts";
import { wasmGhash } from "./ghash-wasm.ts";

/** Beyond this the native way is faster. */
const shortOctets = 256;
/** The keys of a handshake protect no more than this: they are not worth an object of AES. */
const firstMessages = 4;
/** Messages whose blocks are encrypted at once. */
const messagesAtOnce = 8;
const blockOctets = 16;
/** One block for the tag, the others for the message. */
const mostBlocks = 1 + shortOctets / blockOctets;

const ghash = /* @__PURE__ */ wasmGhash() ?? plainGhash;

/** What exists once a key has protected its first few messages. */
interface Keystream {
  readonly aes: Cipheriv;
  readonly hashKey: GhashKey;
  /** The encrypted counter blocks of the messages from `first` to before `end`, `blocks` of them for each. */
  octets: Uint8Array;
  first: number;
  end: number;
  blocks: number;
}

type GcmAlgorithm = Exclude<AeadAlgorithm, "ChaCha20-Poly1305">;

/** One direction's messages under one key. */
export class GcmSequence implements AeadSequence {
  readonly algorithm: GcmAlgorithm;
  /** The key, and behind it the IV: a connection has two of these as long as it lives, so it is one array, and no KeyObject. */
  readonly #secret: Uint8Array;
  readonly #keyOctets: number;
  /** Once the key has protected its first few messages. */
  #key: NodeAeadKey | undefined;
  #keystream: Keystream | undefined;
  messages = 0;

  /** Copies both. Throws `ERR_CRYPTO_ARGUMENT` for an IV that does not have 12 octets. The key's length was checked. */
  constructor(algorithm: GcmAlgorithm, key: Uint8Array, iv: Uint8Array) {
    checkAeadNonce(iv);
    this.algorithm = algorithm;
    this.#keyOctets = key.length;
    this.#secret = new Uint8Array(key.length + ivOctets);
    this.#secret.set(key);
    this.#secret.set(iv, key.length);
  }

  sealInPlace(additionalData: Uint8Array, buffer: Uint8Array, start: number, end: number): void {
    checkSealRange(buffer, start, end);
    const keystream = this.#keystreamFor(end - start, additionalData);
    if (keystream === undefined) {
      this.#nativeKey().sealInPlace(this.#nonce(), additionalData, buffer, start, end);
    } else {
      const { octets } = keystream;
      const at = this.#offsetIn(keystream);
      applyKeystream(octets, at + blockOctets, buffer, start, end, buffer, start);
      makeTag(keystream, at, additionalData, buffer, start, end);
      buffer.set(sharedTag, end);
      octets.fill(0, at, at + blockOctets + end - start);
    }
    this.messages++;
  }

  open(additionalData: Uint8Array, ciphertext: Uint8Array): Uint8Array | undefined {
    const length = ciphertext.length - aeadTagLength;
    if (length < 0) return undefined;
    const keystream = this.#keystreamFor(length, additionalData);
    if (keystream === undefined) {
      const plaintext = this.#nativeKey().open(this.#nonce(), additionalData, ciphertext);
      if (plaintext !== undefined) this.messages++;
      return plaintext;
    }
    const { octets } = keystream;
    const at = this.#offsetIn(keystream);
    makeTag(keystream, at, additionalData, ciphertext, 0, length);
    if (!isSharedTag(ciphertext, length)) return undefined;
    const plaintext = shortArray(length);
    applyKeystream(octets, at + blockOctets, ciphertext, 0, length, plaintext, 0);
    octets.fill(0, at, at + blockOctets + length);
    this.messages++;
    return plaintext;
  }

  #nonce(): Uint8Array {
    return nonceOf(this.#secret, this.#keyOctets, this.messages);
  }

  /** The key for messages that node:crypto protects. To make it costs a fifth of protecting one. */
  #nativeKey(): NodeAeadKey {
    if (this.#key !== undefined) return this.#key;
    const key = new NodeAeadKey(this.algorithm, this.#secret.subarray(0, this.#keyOctets));
    if (this.messages >= firstMessages) this.#key = key;
    return key;
  }

  #offsetIn({ first, blocks }: Keystream): number {
    return (this.messages - first) * blocks * blockOctets;
  }

  /** The keystream with the blocks of the next message in it; undefined where the native way is better. */
  #keystreamFor(length: number, additionalData: Uint8Array): Keystream | undefined {
    if (length > shortOctets || this.messages < firstMessages) return undefined;
    if (additionalData.length + length > ghash.mostOctets) return undefined;
    const keystream = (this.#keystream ??= this.#begin());
    const blocks = 1 + Math.ceil(length / blockOctets);
    if (this.messages >= keystream.end || blocks > keystream.blocks) this.#refill(keystream, blocks);
    return keystream;
  }

  #begin(): Keystream {
    const key = createSecretKey(this.#secret.subarray(0, this.#keyOctets));
    const aes = createCipheriv(`aes-${8 * this.#keyOctets}-ecb`, key, null).setAutoPadding(false);
    const h = aes.update(new Uint8Array(blockOctets));
    const hashKey = ghash.makeKey(h);
    h.fill(0);
    return { aes, hashKey, octets: new Uint8Array(0), first: 0, end: 0, blocks: 0 };
  }

  #refill(keystream: Keystream, blocks: number): void {
    const atLeast = Math.max(blocks, keystream.blocks);
    const octets = atLeast * blockOctets;
    for (let message = 0; message < messagesAtOnce; message++) {
      for (let block = 0; block < atLeast; block++) {
        const at = message * octets + block * blockOctets;
        writeNonce(counterBlocks, at, this.#secret, this.#keyOctets, this.messages + message);
        // 32 bits that count from 1, which is the tag's; at most `mostBlocks` of them.
        counterBlocks[at + 15] = block + 1;
      }
    }
    keystream.octets.fill(0);
    keystream.octets = keystream.aes.update(counterBlocks.subarray(0, messagesAtOnce * octets));
    keystream.first = this.messages;
    keystream.end = this.messages + messagesAtOnce;
    keystream.blocks = atLeast;
  }
}

/** Counter blocks that wait to be encrypted: nonces, so nothing secret. Octets 12 to 14 of each stay zero. */
const counterBlocks = /* @__PURE__ */ new Uint8Array(messagesAtOnce * mostBlocks * blockOctets);
/** The tag that was made last: the calls are synchronous, so one serves all. */
const sharedTag = /* @__PURE__ */ new Uint8Array(aeadTagLength);

/** The tag of a ciphertext into `sharedTag`. */
function makeTag(
  { hashKey, octets }: Keystream,
  at: number,
  additionalData: Uint8Array,
  ciphertext: Uint8Array,
  start: number,
  end: number,
): void {
  ghash.digest(hashKey, additionalData, ciphertext, start, end, sharedTag);
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

/** Short arrays are cut from a larger buffer: to make a buffer costs more than to decrypt a short message. */
function shortArray(length: number): Uint8Array {
  if (pieces.length - piecesUsed < length) {
    pieces = newPieces();
    piecesUsed = 0;
  }
  const array = new Uint8Array(pieces.buffer, piecesUsed, length);
  piecesUsed += length;
  return array;
}

function newPieces(): Uint8Array<ArrayBuffer> {
  const octets = new Uint8Array(8192);
  // To transfer one piece to another thread would transfer the buffer, and with it all other pieces.
  markAsUntransferable(octets.buffer);
  return octets;
}

let pieces: Uint8Array<ArrayBuffer> = new Uint8Array(0);
let piecesUsed = 0;

/** `from[start, end)` by exclusive or with the keystream from `at` on, into `to` from `offset` on. */
function applyKeystream(
  keystream: Uint8Array,
  at: number,
  from: Uint8Array,
  start: number,
  end: number,
  to: Uint8Array,
  offset: number,
): void {
  for (let index = 0; index < end - start; index++) {
    to[offset + index] = (from[start + index] ?? 0) ^ (keystream[at + index] ?? 0);
  }
}
