/**
 * AES-GCM for a sequence of messages, each with the next nonce, made for many short messages.
 *
 * node:crypto wants a new cipher object for each message, which costs ten times as much as a short message itself. Here one
 * object of AES lives as long as the key: it encrypts the counter blocks (NIST SP 800-38D §7.1) of the next messages at once,
 * and GHASH makes the tags. Long messages and the first few of a key use a cipher object each.
 */

import { createCipheriv, createSecretKey, type Cipheriv } from "node:crypto";
import { markAsUntransferable } from "node:worker_threads";
import { ivOctets, nonceOf } from "../aead-sequence.ts";
import { aeadTagLength, checkAeadNonce, checkSealRange } from "../arguments.ts";
import type { AeadAlgorithm, AeadSequence } from "../provider.ts";
import { NodeAeadKey } from "./aead-key.ts";
import { wasmGcm } from "./gcm-wasm.ts";
import { blockOctets, type GhashKey, wordAt } from "./ghash.ts";
import { type Mask, plainGcm, shortDataOctets } from "./short-gcm.ts";
import { octets as plainOctets } from "./octets.ts";

/** The keys of a handshake protect no more than this: they are not worth an object of AES. */
const firstMessages = 4;
/** Messages whose blocks are encrypted at once, and the most octets of these: a connection keeps them. */
const mostMessages = 16;
const keptOctets = 4096;

const gcm = /* @__PURE__ */ wasmGcm() ?? plainGcm;

/** What exists once a key has protected its first few messages. It is the mask of the next message. */
interface Keystream extends Mask {
  readonly aes: Cipheriv;
  readonly hashKey: GhashKey;
  /** The encrypted counter blocks of the messages from `first` to before `end`, `blocks` of them for each. */
  octets: Uint8Array;
  /** The most blocks that one of these messages has needed. */
  needed: number;
  first: number;
  end: number;
  blocks: number;
}

type GcmAlgorithm = Exclude<AeadAlgorithm, "ChaCha20-Poly1305">;

/** One direction's messages under one key. */
export class GcmSequence implements AeadSequence {
  readonly algorithm: GcmAlgorithm;
  /** The key, and behind it the IV: a connection has two of these as long as it lives, so it is one short array, and no KeyObject. */
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
    this.#secret = secrets.cut(key.length + ivOctets);
    this.#secret.set(key);
    this.#secret.set(iv, key.length);
  }

  sealInPlace(additionalData: Uint8Array, buffer: Uint8Array, start: number, end: number): void {
    checkSealRange(buffer, start, end);
    const keystream = this.#keystreamFor(end - start, additionalData);
    if (keystream === undefined) {
      this.#nativeKey().sealInPlace(this.#nonce(), additionalData, buffer, start, end);
    } else {
      gcm.seal(keystream.hashKey, keystream, additionalData, buffer, start, end);
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
    const plaintext = messages.cut(length);
    if (!gcm.open(keystream.hashKey, keystream, additionalData, ciphertext, plaintext)) return undefined;
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

  /** The keystream with the blocks of the next message in it; undefined where the native way is better. */
  #keystreamFor(length: number, additionalData: Uint8Array): Keystream | undefined {
    if (length > gcm.mostOctets || this.messages < firstMessages) return undefined;
    if (additionalData.length > shortDataOctets) return undefined;
    const keystream = (this.#keystream ??= this.#begin());
    // One block for the tag, the others for the message.
    const blocks = 1 + Math.ceil(length / blockOctets);
    if (blocks > keystream.needed) keystream.needed = blocks;
    if (this.messages >= keystream.end || blocks > keystream.blocks) this.#refill(keystream, blocks);
    keystream.at = (this.messages - keystream.first) * keystream.blocks * blockOctets;
    return keystream;
  }

  #begin(): Keystream {
    const key = createSecretKey(this.#secret.subarray(0, this.#keyOctets));
    const aes = createCipheriv(`aes-${8 * this.#keyOctets}-ecb`, key, null).setAutoPadding(false);
    const h = aes.update(new Uint8Array(blockOctets));
    const hashKey = gcm.makeKey(h);
    h.fill(0);
    return { aes, hashKey, octets: new Uint8Array(0), at: 0, needed: 0, first: 0, end: 0, blocks: 0 };
  }

  #refill(keystream: Keystream, blocks: number): void {
    // The next messages are thought to be like the last ones.
    const each = keystream.needed;
    const messages = Math.min(mostMessages, Math.floor(keptOctets / (each * blockOctets)));
    this.#writeCounters(messages, each);
    keystream.octets.fill(0);
    keystream.octets = plainOctets(keystream.aes.update(counterBlocks.subarray(0, messages * each * blockOctets)));
    keystream.first = this.messages;
    keystream.end = this.messages + messages;
    keystream.blocks = each;
    keystream.needed = blocks;
  }

  /** The counter blocks of the next messages: each message's nonce, and 32 bits that count from 1, which is the tag's. */
  #writeCounters(messages: number, blocks: number): void {
    const view = counterView;
    let at = 0;
    for (let message = this.messages; message < this.messages + messages; message++) {
      const nonce = nonceOf(this.#secret, this.#keyOctets, message);
      const [word0, word1, word2] = [wordAt(nonce, 0), wordAt(nonce, 4), wordAt(nonce, 8)];
      for (let block = 1; block <= blocks; block++, at += blockOctets) {
        view.setUint32(at, word0);
        view.setUint32(at + 4, word1);
        view.setUint32(at + 8, word2);
        view.setUint32(at + 12, block);
      }
    }
  }
}

/** Counter blocks that wait to be encrypted: nonces, so nothing secret. */
const counterBlocks = /* @__PURE__ */ new Uint8Array(keptOctets);
const counterView = /* @__PURE__ */ new DataView(counterBlocks.buffer);

/** Cuts short arrays from a larger buffer, since to make a buffer for each takes more time and room than what is in it. */
class Pieces {
  readonly #bufferOctets: number;
  #buffer: Uint8Array<ArrayBuffer> = new Uint8Array(0);
  #used = 0;

  constructor(bufferOctets: number) {
    this.#bufferOctets = bufferOctets;
  }

  /** Zeros that belong to the caller. `length`: not more than a buffer has. */
  cut(length: number): Uint8Array {
    if (this.#buffer.length - this.#used < length) {
      this.#buffer = new Uint8Array(this.#bufferOctets);
      this.#used = 0;
      // To transfer one piece to another thread would transfer the buffer, and with it all other pieces.
      markAsUntransferable(this.#buffer.buffer);
    }
    const piece = new Uint8Array(this.#buffer.buffer, this.#used, length);
    this.#used += length;
    return piece;
  }
}

const messages = /* @__PURE__ */ new Pieces(8192);
/** A buffer lives as long as one of its keys: so it is for few. */
const secrets = /* @__PURE__ */ new Pieces(1024);
