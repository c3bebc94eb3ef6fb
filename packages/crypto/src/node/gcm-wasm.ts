/**
 * The work of `short-gcm.ts` by WebAssembly: it has integers of 64 bits, so that a product takes a third of the steps.
 *
 * The same holds as for `ghash.ts`: no table and no branch on data. Factors are taken apart into every fourth bit, so that
 * carries run into bits that are masked out. Two blocks are multiplied at a time, by H squared and by H: what comes behind the
 * products is linear, and done once for both.
 */

import { aeadTagLength } from "../arguments.ts";
import { blockOctets, type GhashKey } from "./ghash.ts";
import type { Mask, ShortGcm } from "./short-gcm.ts";
import {
  advance,
  and,
  type Code,
  constant,
  get,
  load,
  loadAt,
  moduleOf,
  multiply,
  or,
  repeat,
  set,
  shiftLeft,
  shiftRight,
  store,
  storeAt,
  type WasmFunction,
  xor,
} from "./wasm-code.ts";

const mostOctets = 1024;
/** Where things are in the memory. The key: H, then H squared, as octets. */
const keyAt = 0;
/** The key's numbers, each taken apart into four. */
const partsAt = 2 * blockOctets;
/** For H and for its square: two halves and their sum, then the same mirrored. */
const numbers = 6;
const resultAt = partsAt + 2 * numbers * 4 * 8;
/** GHASH of the additional data that came last: the records of a stream often have the same. */
const startAt = resultAt + blockOctets;
/** A block of zeros: the state to begin with, and a block that does not change it, so that the number of blocks is even. */
const zerosAt = startAt + blockOctets;
const additionalAt = zerosAt + blockOctets;
const dataAt = additionalAt + blockOctets;
/** Behind the data come its tag or zeros, and the block of the lengths. */
const masksAt = dataAt + mostOctets + 2 * blockOctets;

const everyFourth = [0x1111_1111_1111_1111n, 0x2222_2222_2222_2222n, 0x4444_4444_4444_4444n, 0x8888_8888_8888_8888n];

/** Exchanges neighbours of `width` bits in a local. */
function exchange(local: number, mask: bigint, width: bigint): Code {
  const upper = shiftLeft(and(get(local), constant(mask)), constant(width));
  return set(local, or(upper, and(shiftRight(get(local), constant(width)), constant(mask))));
}

/** Puts the octets of a local in the opposite order. */
function swap(local: number): Code {
  return [
    ...exchange(local, 0x00ff_00ff_00ff_00ffn, 8n),
    ...exchange(local, 0x0000_ffff_0000_ffffn, 16n),
    ...set(local, or(shiftLeft(get(local), constant(32n)), shiftRight(get(local), constant(32n)))),
  ];
}

/** Puts the bits of a local in the opposite order. */
function mirror(local: number): Code {
  return [
    ...exchange(local, 0x5555_5555_5555_5555n, 1n),
    ...exchange(local, 0x3333_3333_3333_3333n, 2n),
    ...exchange(local, 0x0f0f_0f0f_0f0f_0f0fn, 4n),
    ...swap(local),
  ];
}

/** A number of the key. */
type KeyNumber = 0 | 1 | 2 | 3 | 4 | 5;

function partAt(isSquare: boolean, number: KeyNumber, part: number): number {
  return partsAt + 8 * (4 * ((isSquare ? numbers : 0) + number) + part);
}

/** Locals behind the three addresses. */
const [state0, state1, next0, next1, low0, low1, lowBoth, high0, high1, highBoth, word0, word1, word2, word3] = [
  3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16,
] as const;
/** The four parts of a factor. */
const statePart = 17;
const nextPart = 21;
const locals = 25 - 3;

function takeApart(firstPart: number, factor: Code): Code {
  return everyFourth.flatMap((bits, part) => set(firstPart + part, and(factor, constant(bits))));
}

/**
 * The lower 64 bits of two carry-less products, added: one factor by a number of the square, the other by the same number of H. The
 * bits that integer multiplication carries are in places that the last step masks out: at most sixteen products of bits add up in one
 * place, sixteen only in the highest, whose carry is lost.
 */
function twoProducts(factor: Code, next: Code, number: KeyNumber): Code {
  const sums = everyFourth.map((bits, place) => {
    const terms = everyFourth.flatMap((_, left) => {
      const right = (place - left) & 3;
      return [
        multiply(get(statePart + left), load(partAt(true, number, right))),
        multiply(get(nextPart + left), load(partAt(false, number, right))),
      ];
    });
    const [first = [], ...others] = terms;
    return and(xor(first, ...others), constant(bits));
  });
  return [...takeApart(statePart, factor), ...takeApart(nextPart, next), ...sums.reduce(or)];
}

/** The key's numbers out of its octets. */
const prepareFunction: WasmFunction = {
  name: "prepare",
  locals,
  code: [false, true].flatMap((isSquare) => {
    const at = keyAt + (isSquare ? blockOctets : 0);
    const storeParts = (number: KeyNumber, value: Code): Code =>
      everyFourth.flatMap((bits, part) => store(partAt(isSquare, number, part), and(value, constant(bits))));
    return [
      ...set(state1, load(at)),
      ...swap(state1),
      ...set(state0, load(at + 8)),
      ...swap(state0),
      ...storeParts(0, get(state0)),
      ...storeParts(1, get(state1)),
      ...storeParts(2, xor(get(state0), get(state1))),
      ...mirror(state0),
      ...mirror(state1),
      ...storeParts(3, get(state0)),
      ...storeParts(4, get(state1)),
      ...storeParts(5, xor(get(state0), get(state1))),
    ];
  }),
};

/**
 * GHASH of the blocks between two addresses, an even number of them, from the state at a third one on: each is added to the state,
 * which is multiplied by H.
 */
const hashFunction: WasmFunction = {
  name: "hash",
  locals,
  code: [
    ...set(state1, loadAt(2, 0)),
    ...swap(state1),
    ...set(state0, loadAt(2, 8)),
    ...swap(state0),
    ...repeat(0, 1, [
      ...set(next1, loadAt(0, 0)),
      ...swap(next1),
      ...set(state1, xor(get(state1), get(next1))),
      ...set(next0, loadAt(0, 8)),
      ...swap(next0),
      ...set(state0, xor(get(state0), get(next0))),
      ...set(next1, loadAt(0, 16)),
      ...swap(next1),
      ...set(next0, loadAt(0, 24)),
      ...swap(next0),
      ...set(low0, twoProducts(get(state0), get(next0), 0)),
      ...set(low1, twoProducts(get(state1), get(next1), 1)),
      ...set(lowBoth, twoProducts(xor(get(state0), get(state1)), xor(get(next0), get(next1)), 2)),
      ...set(lowBoth, xor(get(lowBoth), get(low0), get(low1))),
      // The upper half of a product is the lower half of the mirrored factors' product, mirrored.
      ...[state0, state1, next0, next1].flatMap(mirror),
      ...set(high0, twoProducts(get(state0), get(next0), 3)),
      ...set(high1, twoProducts(get(state1), get(next1), 4)),
      ...set(highBoth, twoProducts(xor(get(state0), get(state1)), xor(get(next0), get(next1)), 5)),
      ...set(highBoth, xor(get(highBoth), get(high0), get(high1))),
      ...[high0, high1, highBoth].flatMap((half) => [
        ...mirror(half),
        ...set(half, shiftRight(get(half), constant(1n))),
      ]),
      ...set(word0, get(low0)),
      ...set(word1, xor(get(high0), get(lowBoth))),
      ...set(word2, xor(get(low1), get(highBoth))),
      ...set(word3, get(high1)),
      // GCM writes the coefficient of x^0 into the first bit, so the product of 255 bits is one place short.
      ...set(word3, shifted(word3, word2)),
      ...set(word2, shifted(word2, word1)),
      ...set(word1, shifted(word1, word0)),
      ...set(word0, shiftLeft(get(word0), constant(1n))),
      // Modulo x^128 + x^7 + x^2 + x + 1; the lower words hold the higher powers.
      ...set(word2, xor(get(word2), folded(word0))),
      ...set(word1, xor(get(word1), carried(word0))),
      ...set(state1, xor(get(word3), folded(word1))),
      ...set(state0, xor(get(word2), carried(word1))),
      ...advance(0, 2 * blockOctets),
    ]),
    ...swap(state1),
    ...store(resultAt, get(state1)),
    ...swap(state0),
    ...store(resultAt + 8, get(state0)),
  ],
};

function shifted(word: number, below: number): Code {
  return or(shiftLeft(get(word), constant(1n)), shiftRight(get(below), constant(63n)));
}

function folded(word: number): Code {
  return xor(get(word), ...[1n, 2n, 7n].map((places) => shiftRight(get(word), constant(places))));
}

function carried(word: number): Code {
  const [first, ...others] = [63n, 62n, 57n].map((places) => shiftLeft(get(word), constant(places)));
  return xor(first ?? [], ...others);
}

/** The blocks between two addresses by exclusive or with those from a third one on, which are erased. */
const mixFunction: WasmFunction = {
  name: "mix",
  locals: 0,
  code: repeat(0, 1, [
    ...[0, 8].flatMap((offset) => [
      ...storeAt(0, offset, xor(loadAt(0, offset), loadAt(2, offset))),
      ...storeAt(2, offset, constant(0n)),
    ]),
    ...advance(0, blockOctets),
    ...advance(2, blockOctets),
  ]),
};

type Routine = (from: number, end: number, other: number) => void;

interface Routines {
  readonly buffer: ArrayBuffer;
  readonly prepare: Routine;
  readonly hash: Routine;
  readonly mix: Routine;
}

/** By WebAssembly; undefined where Node.js runs without it. */
export function wasmGcm(): ShortGcm | undefined {
  if (typeof WebAssembly === "undefined") return undefined;
  const code = moduleOf([prepareFunction, hashFunction, mixFunction]);
  const { memory, prepare, hash, mix } = new WebAssembly.Instance(new WebAssembly.Module(code)).exports;
  if (!(memory instanceof WebAssembly.Memory)) return undefined;
  if (typeof prepare !== "function" || typeof hash !== "function" || typeof mix !== "function") return undefined;
  return new WasmGcm({ buffer: memory.buffer, prepare, hash, mix });
}

/** One memory serves all keys: the calls are synchronous. What belongs to the key and to its messages is copied where it changes. */
class WasmGcm implements ShortGcm {
  readonly mostOctets = mostOctets;
  readonly #prepare: Routine;
  readonly #hash: Routine;
  readonly #mix: Routine;
  readonly #octets: Uint8Array;
  readonly #words: Int32Array;
  readonly #view: DataView;
  readonly #buffer: ArrayBuffer;
  /** The data by its length, as views: a view costs as much as a copy of few octets. */
  readonly #data: (Uint8Array | undefined)[];
  #loadedKey: GhashKey | undefined;
  /** Octets of additional data in its block, and whether its GHASH is known under the key. */
  #additionalOctets = 0;
  #isStartKnown = false;
  #loadedMasks: Uint8Array | undefined;

  constructor({ buffer, prepare, hash, mix }: Routines) {
    this.#prepare = prepare;
    this.#hash = hash;
    this.#mix = mix;
    this.#buffer = buffer;
    this.#octets = new Uint8Array(buffer);
    this.#words = new Int32Array(buffer);
    this.#view = new DataView(buffer);
    this.#data = Array.from({ length: mostOctets + aeadTagLength + 1 }, () => undefined);
  }

  makeKey(h: Uint8Array): GhashKey {
    this.#octets.fill(0, keyAt, keyAt + 2 * blockOctets);
    this.#octets.set(h, keyAt);
    this.#prepare(0, 0, 0);
    this.#octets.set(h, additionalAt);
    this.#hash(zerosAt, dataAt, zerosAt);
    const key = new Int32Array(8);
    key.set(this.#words.subarray(keyAt >> 2, (keyAt + blockOctets) >> 2));
    key.set(this.#words.subarray(resultAt >> 2, (resultAt + blockOctets) >> 2), 4);
    this.#zero(additionalAt);
    this.#additionalOctets = 0;
    this.#loadedKey = undefined;
    return key;
  }

  seal(key: GhashKey, mask: Mask, additionalData: Uint8Array, buffer: Uint8Array, start: number, end: number): void {
    const view = this.#view;
    const length = end - start;
    const maskAt = this.#load(key, mask);
    this.#octets.set(buffer.subarray(start, end), dataAt);
    if (length > 0) this.#mix(dataAt, dataAt + length, maskAt + blockOctets);
    const tagAt = dataAt + length;
    this.#tag(additionalData, length);
    for (let at = 0; at < aeadTagLength; at += 4) {
      view.setUint32(tagAt + at, view.getUint32(resultAt + at) ^ view.getUint32(maskAt + at));
    }
    buffer.set(this.#dataOf(length + aeadTagLength), start);
    this.#erase(maskAt, mask, length);
  }

  open(key: GhashKey, mask: Mask, additionalData: Uint8Array, ciphertext: Uint8Array, plaintext: Uint8Array): boolean {
    const view = this.#view;
    const length = ciphertext.length - aeadTagLength;
    const maskAt = this.#load(key, mask);
    this.#octets.set(ciphertext, dataAt);
    const tagAt = dataAt + length;
    const [tag0, tag1] = [view.getUint32(tagAt), view.getUint32(tagAt + 4)];
    const [tag2, tag3] = [view.getUint32(tagAt + 8), view.getUint32(tagAt + 12)];
    this.#tag(additionalData, length);
    const difference =
      (tag0 ^ view.getUint32(resultAt) ^ view.getUint32(maskAt)) |
      (tag1 ^ view.getUint32(resultAt + 4) ^ view.getUint32(maskAt + 4)) |
      (tag2 ^ view.getUint32(resultAt + 8) ^ view.getUint32(maskAt + 8)) |
      (tag3 ^ view.getUint32(resultAt + 12) ^ view.getUint32(maskAt + 12));
    if (difference !== 0) {
      // With what was to be the tag, a caller could forge this message.
      this.#zero(resultAt);
      return false;
    }
    if (length > 0) this.#mix(dataAt, tagAt, maskAt + blockOctets);
    plaintext.set(this.#dataOf(length));
    this.#erase(maskAt, mask, length);
    return true;
  }

  #dataOf(length: number): Uint8Array {
    return (this.#data[length] ??= new Uint8Array(this.#buffer, dataAt, length));
  }

  /** Copies the key and the masks, where they are not there already; where in the memory the mask is. */
  #load(key: GhashKey, { octets, at }: Mask): number {
    if (this.#loadedKey !== key) {
      this.#words.set(key, keyAt >> 2);
      this.#prepare(0, 0, 0);
      this.#loadedKey = key;
      this.#isStartKnown = false;
    }
    if (this.#loadedMasks !== octets) {
      this.#octets.set(octets, masksAt);
      this.#loadedMasks = octets;
    }
    return masksAt + at;
  }

  /** GHASH of additional data and of the data, as the result. Overwrites what is behind the data. */
  #tag(additionalData: Uint8Array, length: number): void {
    const view = this.#view;
    this.#setAdditionalData(additionalData);
    this.#zero(dataAt + length);
    const lengthsAt = dataAt + ((length + blockOctets - 1) & -blockOctets);
    view.setUint32(lengthsAt, 0);
    // In bits.
    view.setUint32(lengthsAt + 4, 8 * additionalData.length);
    view.setUint32(lengthsAt + 8, 0);
    view.setUint32(lengthsAt + 12, 8 * length);
    const end = lengthsAt + blockOctets;
    if ((end - additionalAt) % (2 * blockOctets) === 0) {
      this.#hash(additionalAt, end, zerosAt);
      return;
    }
    if (!this.#isStartKnown) {
      this.#hash(zerosAt, dataAt, zerosAt);
      for (let offset = 0; offset < blockOctets; offset += 4) {
        view.setUint32(startAt + offset, view.getUint32(resultAt + offset));
      }
      this.#isStartKnown = true;
    }
    this.#hash(dataAt, end, startAt);
  }

  #setAdditionalData(additionalData: Uint8Array): void {
    const view = this.#view;
    const { length } = additionalData;
    let isSame = length === this.#additionalOctets;
    for (let index = 0; isSame && index < length; index++) {
      isSame = view.getUint8(additionalAt + index) === additionalData[index];
    }
    if (isSame) return;
    this.#zero(additionalAt);
    for (let index = 0; index < length; index++) view.setUint8(additionalAt + index, additionalData[index] ?? 0);
    this.#additionalOctets = length;
    this.#isStartKnown = false;
  }

  #zero(at: number): void {
    const view = this.#view;
    for (let offset = 0; offset < blockOctets; offset += 4) view.setUint32(at + offset, 0);
  }

  /** `mix` has erased its part of the copy. */
  #erase(maskAt: number, { octets, at }: Mask, length: number): void {
    this.#zero(resultAt);
    this.#zero(maskAt);
    octets.fill(0, at, at + blockOctets + length);
  }
}
