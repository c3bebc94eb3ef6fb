/**
 * GHASH, the authenticator of AES-GCM (NIST SP 800-38D §6.4), for messages that are too short to be worth a cipher object of
 * their own.
 *
 * There is no table and no branch on data: a carry-less product is made of integer products of every fourth bit, so that
 * carries run into bits that are masked out. How long it takes tells lengths only.
 */

/** Octets of a block. */
export const blockOctets = 16;

/** A hash key, made ready: the words of H, their sums for Karatsuba's method, and all of these with their bits reversed. */
export type GhashKey = Int32Array;

/** Makes a key ready. `h` is the block of zeros, encrypted. */
export function ghashKey(h: Uint8Array): GhashKey {
  const key = new Int32Array(18);
  // The least significant word first.
  const word0 = wordAt(h, 12);
  const word1 = wordAt(h, 8);
  const word2 = wordAt(h, 4);
  const word3 = wordAt(h, 0);
  const even = word0 ^ word2;
  const odd = word1 ^ word3;
  key.set([word0, word1, word0 ^ word1, word2, word3, word2 ^ word3, even, odd, even ^ odd]);
  for (let index = 0; index < 9; index++) key[9 + index] = reversed(at(key, index));
  return key;
}

/**
 * GHASH of additional data and of the ciphertext `buffer[start, end)`, each padded to whole blocks, and of their lengths; 16
 * octets into `output`.
 */
export function ghash(
  key: GhashKey,
  additionalData: Uint8Array,
  buffer: Uint8Array,
  start: number,
  end: number,
  output: Uint8Array,
): void {
  const state = sharedState;
  state.fill(0);
  absorb(state, key, additionalData, 0, additionalData.length);
  absorb(state, key, buffer, start, end);
  addLength(state, 2, additionalData.length);
  addLength(state, 0, end - start);
  multiply(state, key);
  for (let word = 0; word < 4; word++) {
    const value = state[3 - word] ?? 0;
    const at = word * 4;
    output[at] = value >>> 24;
    output[at + 1] = value >>> 16;
    output[at + 2] = value >>> 8;
    output[at + 3] = value;
  }
}

/** A length in bits, as the 64 bits whose lower word is `state[word]`. */
function addLength(state: Int32Array, word: number, octets: number): void {
  state[word] = (state[word] ?? 0) ^ (octets << 3);
  state[word + 1] = (state[word + 1] ?? 0) ^ (octets >>> 29);
}

function absorb(state: Int32Array, key: GhashKey, data: Uint8Array, start: number, end: number): void {
  let at = start;
  for (; at + blockOctets <= end; at += blockOctets) addBlock(state, key, data, at);
  if (at === end) return;
  const last = sharedBlock.fill(0);
  for (let index = 0; at + index < end; index++) last[index] = data[at + index] ?? 0;
  addBlock(state, key, last, 0);
}

function addBlock(state: Int32Array, key: GhashKey, data: Uint8Array, at: number): void {
  state[3] = (state[3] ?? 0) ^ wordAt(data, at);
  state[2] = (state[2] ?? 0) ^ wordAt(data, at + 4);
  state[1] = (state[1] ?? 0) ^ wordAt(data, at + 8);
  state[0] = (state[0] ?? 0) ^ wordAt(data, at + 12);
  multiply(state, key);
}

/** Four octets as a word, the first one the most significant. */
export function wordAt(data: Uint8Array, at: number): number {
  return ((data[at] ?? 0) << 24) | ((data[at + 1] ?? 0) << 16) | ((data[at + 2] ?? 0) << 8) | (data[at + 3] ?? 0);
}

// The calls are synchronous and hand nothing out, so one of each serves all.
const sharedState = /* @__PURE__ */ new Int32Array(4);
const sharedBlock = /* @__PURE__ */ new Uint8Array(blockOctets);
const product = /* @__PURE__ */ new Int32Array(8);

/** Multiplies the state by the key in GF(2^128). */
function multiply(state: Int32Array, key: GhashKey): void {
  const state0 = at(state, 0);
  const state1 = at(state, 1);
  const state2 = at(state, 2);
  const state3 = at(state, 3);
  const even = state0 ^ state2;
  const odd = state1 ^ state3;
  const low0 = lowProduct(state0, at(key, 0));
  const low1 = lowProduct(state1, at(key, 1));
  const low2 = lowProduct(state0 ^ state1, at(key, 2)) ^ low0 ^ low1;
  const low3 = lowProduct(state2, at(key, 3));
  const low4 = lowProduct(state3, at(key, 4));
  const low5 = lowProduct(state2 ^ state3, at(key, 5)) ^ low3 ^ low4;
  const low6 = lowProduct(even, at(key, 6));
  const low7 = lowProduct(odd, at(key, 7));
  const low8 = lowProduct(even ^ odd, at(key, 8)) ^ low6 ^ low7;
  // The upper half of a product is the lower half of the product of the reversed factors, reversed.
  const reversed0 = reversed(state0);
  const reversed1 = reversed(state1);
  const reversed2 = reversed(state2);
  const reversed3 = reversed(state3);
  const reversedEven = reversed0 ^ reversed2;
  const reversedOdd = reversed1 ^ reversed3;
  const high0 = lowProduct(reversed0, at(key, 9));
  const high1 = lowProduct(reversed1, at(key, 10));
  const high2 = upper(lowProduct(reversed0 ^ reversed1, at(key, 11)) ^ high0 ^ high1);
  const high3 = lowProduct(reversed2, at(key, 12));
  const high4 = lowProduct(reversed3, at(key, 13));
  const high5 = upper(lowProduct(reversed2 ^ reversed3, at(key, 14)) ^ high3 ^ high4);
  const high6 = lowProduct(reversedEven, at(key, 15));
  const high7 = lowProduct(reversedOdd, at(key, 16));
  const high8 = upper(lowProduct(reversedEven ^ reversedOdd, at(key, 17)) ^ high6 ^ high7);
  const word0 = low0;
  const word1 = upper(high0) ^ low2;
  const word2 = low1 ^ high2;
  const word3 = upper(high1);
  const word4 = low3;
  const word5 = upper(high3) ^ low5;
  const word6 = low4 ^ high5;
  const word7 = upper(high4);
  product[0] = word0;
  product[1] = word1;
  product[2] = word2 ^ low6 ^ word0 ^ word4;
  product[3] = word3 ^ upper(high6) ^ low8 ^ word1 ^ word5;
  product[4] = word4 ^ low7 ^ high8 ^ word2 ^ word6;
  product[5] = word5 ^ upper(high7) ^ word3 ^ word7;
  product[6] = word6;
  product[7] = word7;
  reduce(state);
}

/** The upper half of a product, from the lower half of the product of the reversed factors. */
function upper(lower: number): number {
  return reversed(lower) >>> 1;
}

/**
 * The product modulo x^128 + x^7 + x^2 + x + 1, into the state. GCM writes the coefficient of x^0 into the first bit, so
 * the product of 255 bits is one place short, and its lower words hold the higher powers.
 */
function reduce(state: Int32Array): void {
  for (let word = 7; word > 0; word--) product[word] = (at(product, word) << 1) | (at(product, word - 1) >>> 31);
  product[0] = at(product, 0) << 1;
  for (let word = 0; word < 4; word++) {
    const value = at(product, word);
    product[word + 4] = at(product, word + 4) ^ value ^ (value >>> 1) ^ (value >>> 2) ^ (value >>> 7);
    product[word + 3] = at(product, word + 3) ^ (value << 31) ^ (value << 30) ^ (value << 25);
  }
  for (let word = 0; word < 4; word++) state[word] = at(product, word + 4);
}

function at(words: Int32Array, index: number): number {
  return words[index] ?? 0;
}

/**
 * The lower 32 bits of the carry-less product. Each factor is taken apart into four with three empty bits between the
 * others: at most eight of their products meet in a place, so no carry reaches the next place that counts.
 */
function lowProduct(left: number, right: number): number {
  const left0 = left & mask0;
  const left1 = left & mask1;
  const left2 = left & mask2;
  const left3 = left & mask3;
  const right0 = right & mask0;
  const right1 = right & mask1;
  const right2 = right & mask2;
  const right3 = right & mask3;
  const { imul } = Math;
  const sum0 = imul(left0, right0) ^ imul(left1, right3) ^ imul(left2, right2) ^ imul(left3, right1);
  const sum1 = imul(left0, right1) ^ imul(left1, right0) ^ imul(left2, right3) ^ imul(left3, right2);
  const sum2 = imul(left0, right2) ^ imul(left1, right1) ^ imul(left2, right0) ^ imul(left3, right3);
  const sum3 = imul(left0, right3) ^ imul(left1, right2) ^ imul(left2, right1) ^ imul(left3, right0);
  return (sum0 & mask0) | (sum1 & mask1) | (sum2 & mask2) | (sum3 & mask3);
}

const mask0 = 0x11111111;
const mask1 = 0x22222222;
const mask2 = 0x44444444;
const mask3 = 0x88888888 | 0;

/** A word with its bits in the opposite order. */
function reversed(word: number): number {
  let bits = ((word & 0x55555555) << 1) | ((word >>> 1) & 0x55555555);
  bits = ((bits & 0x33333333) << 2) | ((bits >>> 2) & 0x33333333);
  bits = ((bits & 0x0f0f0f0f) << 4) | ((bits >>> 4) & 0x0f0f0f0f);
  bits = ((bits & 0x00ff00ff) << 8) | ((bits >>> 8) & 0x00ff00ff);
  return (bits << 16) | (bits >>> 16);
}
