/** Both ways of GHASH beside the GMAC of node:crypto, which is GHASH under an encrypted counter block. */

import { createCipheriv, randomBytes } from "node:crypto";
import { describe, expect, it } from "vitest";
import { createNodeProvider } from "../src/node.ts";
import { type Ghash, plainGhash } from "../src/node/ghash.ts";
import { wasmGhash } from "../src/node/ghash-wasm.ts";
import { toHex } from "./fixtures.ts";

const encrypt = (key: Buffer, block: Uint8Array): Buffer => createCipheriv("aes-128-ecb", key, null).update(block);

/** The tag of node:crypto without its mask, and the ciphertext. */
function reference(
  key: Buffer,
  additionalData: Uint8Array,
  plaintext: Uint8Array,
): { tag: Uint8Array; data: Uint8Array } {
  const iv = Buffer.alloc(12, 7);
  const cipher = createCipheriv("aes-128-gcm", key, iv).setAAD(additionalData);
  const data = Buffer.concat([cipher.update(plaintext), cipher.final()]);
  const mask = encrypt(key, Buffer.concat([iv, Buffer.from([0, 0, 0, 1])]));
  const tag = cipher.getAuthTag();
  return { tag: Uint8Array.from(tag, (octet, index) => octet ^ mask[index]!), data: new Uint8Array(data) };
}

const ways: readonly (readonly [string, Ghash])[] = [
  ["by 32-bit integers", plainGhash],
  ["by WebAssembly", wasmGhash()!],
];

describe.each(ways)("%s", (_name, ghash) => {
  it("every length of data and of additional data, each under another key", () => {
    const output = new Uint8Array(16);
    for (let length = 0; length <= 300; length++) {
      const key = randomBytes(16);
      const additionalData = randomBytes(length % 45);
      const { tag, data } = reference(key, additionalData, randomBytes(length));
      const hashKey = ghash.makeKey(encrypt(key, new Uint8Array(16)));
      const buffer = new Uint8Array([9, 9, 9, ...data, 9]);
      ghash.digest(hashKey, additionalData, buffer, 3, 3 + length, output);
      expect(toHex(output)).toBe(toHex(tag));
    }
  });

  it("keys take turns, and factors of all ones and of one bit", () => {
    const keys = [
      new Uint8Array(16).fill(0xff),
      Uint8Array.of(0x80, ...new Uint8Array(15)),
      Uint8Array.of(...new Uint8Array(15), 1),
    ];
    const made = keys.map((h) => [ghash.makeKey(h), plainGhash.makeKey(h)] as const);
    const [output, expected] = [new Uint8Array(16), new Uint8Array(16)];
    for (let round = 0; round < 12; round++) {
      const [one, other] = made[round % 3]!;
      const data = new Uint8Array(40).fill(round % 2 === 0 ? 0xff : round);
      ghash.digest(one, data, data, 0, 40, output);
      plainGhash.digest(other, data, data, 0, 40, expected);
      expect(toHex(output)).toBe(toHex(expected));
    }
    // One is the neutral element: GHASH of one block is the block, then the lengths are added.
    const block = new Uint8Array(randomBytes(16));
    ghash.digest(made[1]![0], new Uint8Array(0), block, 0, 16, output);
    block[15]! ^= 128;
    expect(toHex(output)).toBe(toHex(block));
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
