/**
 * GHASH as in `ghash.ts`, by WebAssembly: it has integers of 64 bits, so that a product takes a third of the steps, and a block a
 * third of the time.
 *
 * The same holds as there: no table and no branch on data. Factors are taken apart into every fourth bit, so that carries run
 * into bits that are masked out.
 */

import type { Ghash, GhashKey } from "./ghash.ts";
import { reversed, wordAt } from "./ghash.ts";
import {
  and,
  call,
  type Code,
  constant,
  forEachBlock,
  get,
  load,
  loadAt,
  moduleOf,
  multiply,
  or,
  set,
  shiftLeft,
  shiftRight,
  store,
  type WasmFunction,
  xor,
} from "./wasm-code.ts";

/** Where things are in the memory: the key's six numbers, the result, the blocks. */
const keyAt = 0;
const resultAt = 48;
const blocksAt = 64;
const blockOctets = 16;
/** Octets that one call may be given: a page less what stands before. */
const mostOctets = 65_536 - blocksAt - 3 * blockOctets;

const masks = [0x1111_1111_1111_1111n, 0x2222_2222_2222_2222n, 0x4444_4444_4444_4444n, 0x8888_8888_8888_8888n];

/** Functions by their place in the module. */
const lowProduct = 0;
const swapped = 1;
const mirrored = 2;

/** The lower 64 bits of a carry-less product. */
const lowProductFunction: WasmFunction = {
  parameters: "two",
  locals: 8,
  code: [
    ...masks.flatMap((mask, index) => set(2 + index, and(get(0), constant(mask)))),
    ...masks.flatMap((mask, index) => set(6 + index, and(get(1), constant(mask)))),
    ...masks
      .map((mask, place) =>
        and(xor(product(0, place), product(1, place), product(2, place), product(3, place)), constant(mask)),
      )
      .reduce(or),
  ],
};

/** The products of those bits of the left factor and those of the right that add up to a place. */
function product(left: number, place: number): Code {
  return multiply(get(2 + left), get(6 + ((place - left) & 3)));
}

/** Exchanges neighbours of `width` bits in local 0. */
function exchange(mask: bigint, width: bigint): Code {
  const upper = shiftLeft(and(get(0), constant(mask)), constant(width));
  return set(0, or(upper, and(shiftRight(get(0), constant(width)), constant(mask))));
}

const swapOctets: Code = [
  ...exchange(0x00ff_00ff_00ff_00ffn, 8n),
  ...exchange(0x0000_ffff_0000_ffffn, 16n),
  ...or(shiftLeft(get(0), constant(32n)), shiftRight(get(0), constant(32n))),
];
/** The octets in the opposite order. */
const swappedFunction: WasmFunction = { parameters: "one", locals: 0, code: swapOctets };
/** The bits in the opposite order. */
const mirroredFunction: WasmFunction = {
  parameters: "one",
  locals: 0,
  code: [
    ...exchange(0x5555_5555_5555_5555n, 1n),
    ...exchange(0x3333_3333_3333_3333n, 2n),
    ...exchange(0x0f0f_0f0f_0f0f_0f0fn, 4n),
    ...swapOctets,
  ],
};

/** Locals of `run` behind its two addresses: the state, the products, the words of the whole product, the lowest first. */
const [state0, state1, mirror0, mirror1, low0, low1, lowBoth, high0, high1, highBoth, word0, word1, word2, word3] = [
  2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15,
] as const;

/** A number of the key: H's halves and their sum, then the same mirrored. */
function key(index: number): Code {
  return load(keyAt + 8 * index);
}

/** GHASH of the blocks between two addresses: each is added to the state, which is multiplied by H in GF(2^128). */
const runFunction: WasmFunction = {
  parameters: "addresses",
  locals: 14,
  code: [
    ...forEachBlock(0, 1, blockOctets, [
      ...set(state1, xor(get(state1), call(swapped, loadAt(0, 0)))),
      ...set(state0, xor(get(state0), call(swapped, loadAt(0, 8)))),
      ...set(mirror0, call(mirrored, get(state0))),
      ...set(mirror1, call(mirrored, get(state1))),
      ...set(low0, call(lowProduct, get(state0), key(0))),
      ...set(low1, call(lowProduct, get(state1), key(1))),
      ...set(lowBoth, xor(call(lowProduct, xor(get(state0), get(state1)), key(2)), get(low0), get(low1))),
      // The upper half of a product is the lower half of the mirrored factors' product, mirrored.
      ...set(high0, call(lowProduct, get(mirror0), key(3))),
      ...set(high1, call(lowProduct, get(mirror1), key(4))),
      ...set(highBoth, xor(call(lowProduct, xor(get(mirror0), get(mirror1)), key(5)), get(high0), get(high1))),
      ...[high0, high1, highBoth].flatMap((half) => set(half, shiftRight(call(mirrored, get(half)), constant(1n)))),
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
    ]),
    ...store(resultAt, call(swapped, get(state1))),
    ...store(resultAt + 8, call(swapped, get(state0))),
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

/** GHASH by WebAssembly; undefined where Node.js runs without it. */
export function wasmGhash(): Ghash | undefined {
  if (typeof WebAssembly === "undefined") return undefined;
  const code = moduleOf([lowProductFunction, swappedFunction, mirroredFunction, runFunction]);
  const { memory, run } = new WebAssembly.Instance(new WebAssembly.Module(code)).exports;
  if (!(memory instanceof WebAssembly.Memory) || typeof run !== "function") return undefined;
  const octets = new Uint8Array(memory.buffer);
  const words = new Int32Array(memory.buffer);
  let loaded: GhashKey | undefined;

  /** Copies octets and fills their last block with zeros; where the next block begins. */
  const place = (at: number, data: Uint8Array, start: number, end: number): number => {
    for (let index = start; index < end; index++) octets[at + index - start] = data[index] ?? 0;
    let next = at + end - start;
    while (next % blockOctets !== 0) octets[next++] = 0;
    return next;
  };

  return {
    mostOctets,
    makeKey: (h) => {
      const lower = [wordAt(h, 12), wordAt(h, 8)] as const;
      const upper = [wordAt(h, 4), wordAt(h, 0)] as const;
      const both = [lower[0] ^ upper[0], lower[1] ^ upper[1]] as const;
      const halves = [lower, upper, both];
      return Int32Array.from([...halves.flat(), ...halves.flatMap(([low, high]) => [reversed(high), reversed(low)])]);
    },
    digest: (hashKey, additionalData, buffer, start, end, output) => {
      if (loaded !== hashKey) words.set(hashKey, keyAt >> 2);
      loaded = hashKey;
      const data = place(blocksAt, additionalData, 0, additionalData.length);
      const lengths = place(data, buffer, start, end);
      octets.fill(0, lengths, lengths + blockOctets);
      // In bits: fewer than 2^20.
      for (const [at, count] of [
        [lengths + 7, additionalData.length],
        [lengths + 15, end - start],
      ] as const) {
        octets[at] = count << 3;
        octets[at - 1] = count >>> 5;
        octets[at - 2] = count >>> 13;
      }
      run(blocksAt, lengths + blockOctets);
      for (let index = 0; index < blockOctets; index++) output[index] = octets[resultAt + index] ?? 0;
      words.fill(0, resultAt >> 2, (resultAt >> 2) + 4);
    },
  };
}
