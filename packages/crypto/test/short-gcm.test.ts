/** Both ways of AES-GCM for short messages, beside node:crypto. */

import { createCipheriv, randomBytes } from "node:crypto";
import { describe, expect, it } from "vitest";
import { createNodeProvider } from "../src/node.ts";
import { wasmGcm } from "../src/node/gcm-wasm.ts";
import { plainGcm, type ShortGcm } from "../src/node/short-gcm.ts";
import { toHex } from "./fixtures.ts";

const encrypt = (key: Buffer, blocks: Uint8Array): Buffer =>
  createCipheriv("aes-128-ecb", key, null).setAutoPadding(false).update(blocks);

/** The encrypted counter blocks of a message, behind 16 octets that belong to another one. */
function maskOf(key: Buffer, iv: Buffer, length: number): { readonly octets: Uint8Array; at: number } {
  const blocks = 1 + Math.ceil(length / 16);
  const counters = Array.from({ length: blocks }, (_, index) =>
    Buffer.from([...iv, 0, 0, (index + 1) >> 8, index + 1]),
  );
  return { octets: Uint8Array.from([...new Uint8Array(16).fill(5), ...encrypt(key, Buffer.concat(counters))]), at: 16 };
}

/** Ciphertext and tag of node:crypto. */
function reference(key: Buffer, iv: Buffer, additionalData: Uint8Array, plaintext: Uint8Array): Uint8Array {
  const cipher = createCipheriv("aes-128-gcm", key, iv).setAAD(additionalData);
  return Uint8Array.from([...cipher.update(plaintext), ...cipher.final(), ...cipher.getAuthTag()]);
}

const ways: readonly (readonly [string, ShortGcm])[] = [
  ["by 32-bit integers", plainGcm],
  ["by WebAssembly", wasmGcm()!],
];

describe.each(ways)("%s", (_name, gcm) => {
  it("every length of data, and of additional data, each under another key", () => {
    for (let length = 0; length <= gcm.mostOctets; length++) {
      const [key, iv] = [randomBytes(16), randomBytes(12)];
      const additionalData = randomBytes(length % 17);
      const plaintext = randomBytes(length);
      const expected = reference(key, iv, additionalData, plaintext);
      const hashKey = gcm.makeKey(encrypt(key, new Uint8Array(16)));
      const buffer = Uint8Array.from([9, 9, 9, ...plaintext, ...new Uint8Array(16), 9]);
      const mask = maskOf(key, iv, length);
      gcm.seal(hashKey, mask, additionalData, buffer, 3, 3 + length);
      expect(toHex(buffer)).toBe(`090909${toHex(expected)}09`);
      const opened = new Uint8Array(length + 1);
      expect(gcm.open(hashKey, maskOf(key, iv, length), additionalData, expected, opened)).toBe(true);
      expect(toHex(opened)).toBe(`${toHex(plaintext)}00`);
    }
  });

  it("every bit of tag, data and additional data counts, and nothing is decrypted where one is wrong", () => {
    const [key, iv, additionalData] = [randomBytes(16), randomBytes(12), randomBytes(13)];
    const sealed = reference(key, iv, additionalData, randomBytes(21));
    const hashKey = gcm.makeKey(encrypt(key, new Uint8Array(16)));
    const mask = maskOf(key, iv, 21);
    const plaintext = new Uint8Array(21);
    const all = Uint8Array.from([...additionalData, ...sealed]);
    for (let bit = 0; bit < 8 * all.length; bit++) {
      const changed = all.slice();
      changed[bit >> 3]! ^= 1 << (bit & 7);
      expect(gcm.open(hashKey, mask, changed.subarray(0, 13), changed.subarray(13), plaintext)).toBe(false);
    }
    expect(plaintext).toEqual(new Uint8Array(21));
    // The mask was kept for the right one.
    expect(gcm.open(hashKey, mask, additionalData, sealed, plaintext)).toBe(true);
  });

  it("the mask is erased once it was used, and those of other messages stay", () => {
    const [key, iv] = [randomBytes(16), randomBytes(12)];
    const hashKey = gcm.makeKey(encrypt(key, new Uint8Array(16)));
    const erased = [...new Uint8Array(16).fill(5), ...new Uint8Array(16 + 20)];
    const sealing = maskOf(key, iv, 20);
    const buffer = new Uint8Array(36);
    gcm.seal(hashKey, sealing, new Uint8Array(0), buffer, 0, 20);
    expect([...sealing.octets.subarray(0, 16 + 16 + 20)]).toEqual(erased);
    const opening = maskOf(key, iv, 20);
    gcm.open(hashKey, opening, new Uint8Array(0), buffer, new Uint8Array(20));
    expect([...opening.octets.subarray(0, 16 + 16 + 20)]).toEqual(erased);
  });

  it("additional data that comes again, under the same key and another one", () => {
    const iv = randomBytes(12);
    const keys = [randomBytes(16), randomBytes(16)].map((key) => {
      return { key, hashKey: gcm.makeKey(encrypt(key, new Uint8Array(16))) };
    });
    const some = [[1, 2, 3], [1, 2, 3], [1, 2, 4], [1, 2, 3, 0], [], [0], [1, 2, 3]];
    for (let round = 0; round < 120; round++) {
      const { key, hashKey } = keys[(round >> 2) % 2]!;
      const additionalData = Uint8Array.from(some[round % some.length]!);
      // Even and odd numbers of blocks.
      const plaintext = randomBytes(round % 50);
      const buffer = Uint8Array.from([...plaintext, ...new Uint8Array(16)]);
      gcm.seal(hashKey, maskOf(key, iv, plaintext.length), additionalData, buffer, 0, plaintext.length);
      expect(toHex(buffer)).toBe(toHex(reference(key, iv, additionalData, plaintext)));
    }
  });

  it("keys take turns, and factors of all ones and of one bit", () => {
    const one = Uint8Array.of(0x80, ...new Uint8Array(15));
    const keys = [new Uint8Array(16).fill(0xff), one, Uint8Array.of(...new Uint8Array(15), 1)];
    const made = keys.map((h) => [gcm.makeKey(h), plainGcm.makeKey(h)] as const);
    // Without a mask, the tag is GHASH.
    const tagOf = (way: ShortGcm, key: Int32Array, data: Uint8Array): string => {
      const buffer = Uint8Array.from([...data, ...new Uint8Array(16)]);
      way.seal(key, { octets: new Uint8Array(64), at: 0 }, data.subarray(0, 16), buffer, 0, data.length);
      return toHex(buffer.subarray(data.length));
    };
    for (let round = 0; round < 12; round++) {
      const [own, plain] = made[round % 3]!;
      const data = new Uint8Array(40).fill(round % 2 === 0 ? 0xff : round);
      expect(tagOf(gcm, own, data)).toBe(tagOf(plainGcm, plain, data));
    }
    // One is the neutral element: GHASH is the sum of the blocks and of the block of the lengths, in bits.
    const block = new Uint8Array(randomBytes(16));
    const lengths = new Uint8Array(16);
    lengths[7] = lengths[15] = 128;
    expect(tagOf(gcm, made[1]![0], block)).toBe(toHex(lengths));
  });
});

it("a sequence with much additional data goes the native way", () => {
  const provider = createNodeProvider();
  const make = () => provider.createAeadSequence("AES-128-GCM", new Uint8Array(16).fill(1), new Uint8Array(12));
  const [sealing, opening] = [make(), make()];
  const additionalData = new Uint8Array(70_000).fill(3);
  for (let message = 0; message < 8; message++) {
    const buffer = new Uint8Array(4 + 16).fill(message);
    sealing.sealInPlace(additionalData, buffer, 0, 4);
    expect(opening.open(additionalData, buffer)).toEqual(new Uint8Array(4).fill(message));
  }
});
