/** Ciphers of every provider; `conformance.ts` runs it. */

import * as fc from "fast-check";
import { expect, it } from "vitest";
import { type AeadAlgorithm, type CryptoProvider } from "../src/index.ts";
import { codeOf } from "./error-code.ts";
import { fromHex, toHex, utf8 } from "./fixtures.ts";

function octetsOf(length: number): fc.Arbitrary<Uint8Array> {
  return fc.uint8Array({ minLength: length, maxLength: length });
}

/** AEAD, its sequences, and AES-CBC. */
export function ciphers(provider: CryptoProvider, other: CryptoProvider): void {
  const keyLengths: Readonly<Record<AeadAlgorithm, number>> = {
    "AES-128-GCM": 16,
    "AES-256-GCM": 32,
    "ChaCha20-Poly1305": 32,
  };

  it.each(Object.entries(keyLengths) as [AeadAlgorithm, number][])(
    "%s: what one seals the other opens, and no single bit of it may change",
    (algorithm, keyLength) => {
      fc.assert(
        fc.property(
          octetsOf(keyLength),
          octetsOf(12),
          fc.uint8Array({ maxLength: 100 }),
          fc.uint8Array({ maxLength: 40 }),
          fc.nat(),
          (key, nonce, plaintext, additionalData, bit) => {
            const sealed = provider.seal(algorithm, key, nonce, plaintext, additionalData);
            expect(sealed).toHaveLength(plaintext.length + 16);
            const kept = provider.createAeadKey(algorithm, key);
            const buffer = Uint8Array.from([1, 2, 3, ...plaintext, ...new Uint8Array(17).fill(9)]);
            kept.sealInPlace(nonce, additionalData, buffer, 3, 3 + plaintext.length);
            expect(toHex(buffer)).toBe(`010203${toHex(sealed)}09`);
            expect(toHex(kept.open(nonce, additionalData, sealed) ?? utf8("nothing"))).toBe(toHex(plaintext));
            expect(toHex(other.open(algorithm, key, nonce, sealed, additionalData))).toBe(toHex(plaintext));
            const at = bit % (sealed.length * 8);
            sealed[at >> 3]! ^= 1 << (at & 7);
            expect(codeOf(() => provider.open(algorithm, key, nonce, sealed, additionalData))).toBe(
              "ERR_CRYPTO_AUTHENTICATION_FAILED",
            );
            expect(kept.open(nonce, additionalData, sealed)).toBeUndefined();
            expect(kept.open(nonce, additionalData, sealed.subarray(0, 15))).toBeUndefined();
          },
        ),
        { numRuns: 30 },
      );
    },
  );

  it.each(Object.entries(keyLengths) as [AeadAlgorithm, number][])("%s: lengths are checked", (algorithm, length) => {
    const none = new Uint8Array(0);
    const [key, nonce] = [new Uint8Array(length), new Uint8Array(12)];
    const kept = provider.createAeadKey(algorithm, key);
    expect(codeOf(() => provider.createAeadKey(algorithm, key.subarray(1)))).toBe("ERR_CRYPTO_ARGUMENT");
    expect(codeOf(() => kept.open(nonce.subarray(1), none, new Uint8Array(16)))).toBe("ERR_CRYPTO_ARGUMENT");
    for (const [start, end, room] of [
      [0, 1, 16],
      [2, 1, 32],
      [-1, 1, 32],
      [0.5, 1, 32],
    ] as const) {
      const seal = (): void => kept.sealInPlace(nonce, none, new Uint8Array(room), start, end);
      expect(codeOf(seal)).toBe("ERR_CRYPTO_ARGUMENT");
    }
    for (const wrongKey of [length - 1, length + 1, 24, 0]) {
      expect(codeOf(() => provider.seal(algorithm, new Uint8Array(wrongKey), nonce, none, none))).toBe(
        "ERR_CRYPTO_ARGUMENT",
      );
    }
    for (const wrongNonce of [0, 8, 11, 13, 16]) {
      expect(codeOf(() => provider.open(algorithm, key, new Uint8Array(wrongNonce), new Uint8Array(16), none))).toBe(
        "ERR_CRYPTO_ARGUMENT",
      );
    }
    expect(codeOf(() => provider.open(algorithm, key, nonce, new Uint8Array(15), none))).toBe(
      "ERR_CRYPTO_AUTHENTICATION_FAILED",
    );
  });

  it.each(Object.entries(keyLengths) as [AeadAlgorithm, number][])(
    "%s: a sequence is the AEAD under the IV and the message's number, whatever the lengths",
    (algorithm, keyLength) => {
      const length = fc.oneof(fc.nat({ max: 40 }), fc.nat({ max: 1100 }), fc.constant(5000));
      fc.assert(
        fc.property(octetsOf(keyLength), octetsOf(12), fc.array(length, { maxLength: 40 }), (key, iv, lengths) => {
          const kept = other.createAeadKey(algorithm, key);
          const [sealing, opening] = [1, 2].map(() => provider.createAeadSequence(algorithm, key, iv));
          const opened: string[] = [];
          for (const [number, octets] of lengths.entries()) {
            const plaintext = new Uint8Array(octets).fill(number);
            const additionalData = new Uint8Array(number).fill(octets);
            const nonce = iv.slice();
            nonce[11]! ^= number;
            const expected = new Uint8Array(octets + 16);
            expected.set(plaintext);
            kept.sealInPlace(nonce, additionalData, expected, 0, octets);
            const buffer = Uint8Array.from([1, ...plaintext, ...new Uint8Array(16), 2]);
            sealing!.sealInPlace(additionalData, buffer, 1, 1 + octets);
            expect(toHex(buffer)).toBe(`01${toHex(expected)}02`);
            // What is not authentic is not counted, so the right one still opens.
            const changed = expected.slice();
            changed[(number * 7) % changed.length]! ^= 0x10;
            expect(opening!.open(additionalData, changed)).toBeUndefined();
            expect(opening!.open(additionalData, expected.subarray(0, 15))).toBeUndefined();
            const plain = opening!.open(additionalData, expected);
            expect(plain?.every((octet) => octet === number)).toBe(true);
            opened.push(`${plain?.length}`);
          }
          expect(opened).toEqual(lengths.map(String));
          expect([sealing!.messages, opening!.messages]).toEqual([lengths.length, lengths.length]);
        }),
        { numRuns: 12 },
      );
    },
  );

  it("a sequence goes on behind 2^32 messages as its nonce says", () => {
    // The number is added to eight octets of the IV, so a sequence far on is one that begins with another IV.
    const key = new Uint8Array(16).fill(7);
    const iv = fromHex("000000000000000000000000").fill(9, 0, 4);
    const far = iv.slice();
    far.set([0, 0, 0, 1, 0, 0, 0, 0], 4);
    const kept = other.createAeadKey("AES-128-GCM", key);
    const sequence = provider.createAeadSequence("AES-128-GCM", key, far);
    for (let message = 0; message < 20; message++) {
      const nonce = far.slice();
      nonce[11] = message;
      const [expected, found] = [new Uint8Array(48), new Uint8Array(48)];
      kept.sealInPlace(nonce, iv, expected, 0, 32);
      sequence.sealInPlace(iv, found, 0, 32);
      expect(toHex(found)).toBe(toHex(expected));
    }
  });

  it("a sequence checks its lengths, and counts no message that it did not seal", () => {
    const none = new Uint8Array(0);
    expect(codeOf(() => provider.createAeadSequence("AES-128-GCM", new Uint8Array(15), new Uint8Array(12)))).toBe(
      "ERR_CRYPTO_ARGUMENT",
    );
    expect(codeOf(() => provider.createAeadSequence("AES-128-GCM", new Uint8Array(16), new Uint8Array(11)))).toBe(
      "ERR_CRYPTO_ARGUMENT",
    );
    const sequence = provider.createAeadSequence("AES-128-GCM", new Uint8Array(16), new Uint8Array(12));
    for (let message = 0; message < 10; message++) {
      expect(codeOf(() => sequence.sealInPlace(none, new Uint8Array(16), 0, 1))).toBe("ERR_CRYPTO_ARGUMENT");
      expect(sequence.messages).toBe(message);
      sequence.sealInPlace(none, new Uint8Array(17), 0, 1);
    }
  });

  it("AES-CBC as in NIST SP 800-38A §F.2.1, one block of it with its padding", () => {
    const key = fromHex("2b7e151628aed2a6abf7158809cf4f3c");
    const iv = fromHex("000102030405060708090a0b0c0d0e0f");
    const plaintext = fromHex("6bc1bee22e409f96e93d7e117393172a");
    const ciphertext = provider.encryptAesCbc(key, iv, plaintext);
    expect(ciphertext).toHaveLength(32);
    expect(toHex(ciphertext.subarray(0, 16))).toBe("7649abac8119b246cee98e9b12e9197d");
    expect(toHex(other.decryptAesCbc(key, iv, ciphertext))).toBe(toHex(plaintext));
  });

  it("AES-CBC refuses wrong keys, wrong lengths and wrong padding", () => {
    const iv = new Uint8Array(16);
    for (const length of [16, 24, 32]) {
      const ciphertext = provider.encryptAesCbc(new Uint8Array(length), iv, utf8("secret"));
      expect(toHex(provider.decryptAesCbc(new Uint8Array(length), iv, ciphertext))).toBe(toHex(utf8("secret")));
      expect(codeOf(() => provider.decryptAesCbc(new Uint8Array(length).fill(9), iv, ciphertext))).toBe(
        "ERR_CRYPTO_CBC_PADDING",
      );
    }
    for (const length of [0, 1, 15, 17]) {
      expect(codeOf(() => provider.decryptAesCbc(new Uint8Array(16), iv, new Uint8Array(length)))).toBe(
        "ERR_CRYPTO_CBC_PADDING",
      );
    }
    expect(codeOf(() => provider.encryptAesCbc(new Uint8Array(15), iv, iv))).toBe("ERR_CRYPTO_ARGUMENT");
    expect(codeOf(() => provider.decryptAesCbc(iv, new Uint8Array(12), iv))).toBe("ERR_CRYPTO_ARGUMENT");
  });
}
