/** What every provider has to do; `node.test.ts` and `noble.test.ts` run it. */

import { encodeDer, type DerWriter } from "@latchkey/asn1";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  CryptoError,
  defaultSignatureAlgorithm,
  encodeSignatureAlgorithm,
  hkdf,
  rawPublicKey,
  spkiFromRawPublicKey,
  verifySignedData,
  type AeadAlgorithm,
  type CryptoErrorCode,
  type CryptoProvider,
  type KeyGenerationAlgorithm,
  type SignatureAlgorithm,
} from "../src/index.ts";
import { fromHex, message, octetsFixture, pemFixture, toHex, utf8 } from "./fixtures.ts";

/** Runs everything against `provider`; `other` makes what `provider` is to understand. */
export function conformance(provider: CryptoProvider, other: CryptoProvider): void {
  describe("hashes", () => hashes(provider));
  describe("ciphers", () => ciphers(provider, other));
  describe("keys from OpenSSL", () => importedKeys(provider));
  describe("keys that are refused", () => refusedKeys(provider));
  describe("new keys", () => newKeys(provider, other));
  describe("signatures", () => signatures(provider));
  describe("key agreement", () => keyAgreement(provider, other));
}

/** Runs `act`, which must throw a CryptoError, and returns its code. */
export function codeOf(act: () => unknown): CryptoErrorCode {
  try {
    act();
  } catch (error) {
    if (error instanceof CryptoError) return error.code;
    throw error;
  }
  throw new Error("nothing was thrown");
}

function hashes(provider: CryptoProvider): void {
  // FIPS 180-4's own example, "abc".
  it.each([
    ["SHA-1", "a9993e364706816aba3e25717850c26c9cd0d89d"],
    ["SHA-256", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"],
    ["SHA-384", "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed8086072ba1e7cc2358baeca134c825a7"],
    [
      "SHA-512",
      "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
    ],
  ] as const)("%s of abc", (algorithm, digest) => {
    expect(toHex(provider.hash(algorithm, utf8("abc")))).toBe(digest);
  });

  it.each(["SHA-1", "SHA-256", "SHA-384", "SHA-512"] as const)(
    "%s piece by piece, looked at on the way",
    (algorithm) => {
      const running = provider.createHash(algorithm);
      const other = provider.createHash(algorithm);
      let whole = new Uint8Array(0);
      expect(toHex(running.digest())).toBe(toHex(provider.hash(algorithm, whole)));
      for (const piece of [0, 2, 0, 200, 1, 900, 2993, 0, 1, 300, 5000].map((length) =>
        new Uint8Array(length).fill(97),
      )) {
        running.update(piece);
        whole = Uint8Array.from([...whole, ...piece]);
        expect(toHex(running.digest())).toBe(toHex(provider.hash(algorithm, whole)));
        expect(toHex(running.digest())).toBe(toHex(provider.hash(algorithm, whole)));
      }
      expect(toHex(other.digest())).toBe(toHex(provider.hash(algorithm, new Uint8Array(0))));
    },
  );

  it("HMAC of short and long keys and data, as its definition in RFC 2104 has it", () => {
    for (const [algorithm, block] of [
      ["SHA-256", 64],
      ["SHA-384", 128],
    ] as const) {
      for (const keyLength of [0, 1, 32, block - 1, block, block + 1]) {
        for (const length of [0, 1, 4096, 4097]) {
          const key = Uint8Array.from({ length: keyLength }, (_, index) => index * 7 + 1);
          const data = new Uint8Array(length).fill(length & 0xff);
          const short = keyLength > block ? provider.hash(algorithm, key) : key;
          const pad = (value: number): number[] =>
            Array.from({ length: block }, (_, index) => (short[index] ?? 0) ^ value);
          const inner = provider.hash(algorithm, Uint8Array.from([...pad(0x36), ...data]));
          const tag = provider.hash(algorithm, Uint8Array.from([...pad(0x5c), ...inner]));
          expect(toHex(provider.hmac(algorithm, key, data))).toBe(toHex(tag));
        }
      }
    }
  });

  it("HMAC-SHA-256 as in RFC 4231 §4.3", () => {
    expect(toHex(provider.hmac("SHA-256", utf8("Jefe"), utf8("what do ya want for nothing?")))).toBe(
      "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
    );
  });

  it("HKDF as in RFC 5869 §A.1, and not beyond its length", () => {
    const input = {
      keyMaterial: fromHex("0b".repeat(22)),
      salt: fromHex("000102030405060708090a0b0c"),
      info: fromHex("f0f1f2f3f4f5f6f7f8f9"),
    };
    expect(toHex(hkdf(provider, "SHA-256", { ...input, length: 42 }))).toBe(
      "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865",
    );
    expect(hkdf(provider, "SHA-256", { ...input, length: 255 * 32 })).toHaveLength(8160);
    for (const length of [255 * 32 + 1, -1, 1.5]) {
      expect(codeOf(() => hkdf(provider, "SHA-256", { ...input, length }))).toBe("ERR_CRYPTO_ARGUMENT");
    }
  });

  it("PBKDF2 as in RFC 7914 §11 and RFC 6070, within its limits", () => {
    expect(toHex(provider.pbkdf2("SHA-256", utf8("passwd"), utf8("salt"), 1, 64))).toBe(
      "55ac046e56e3089fec1691c22544b605f94185216dde0465e68b9d57c20dacbc49ca9cccf179b645991664b39d77ef317c71b845b1e30bd509112041d3a19783",
    );
    expect(toHex(provider.pbkdf2("SHA-1", utf8("password"), utf8("salt"), 2, 20))).toBe(
      "ea6c014dc72d6f8ccd1ed92ace1d41f0d8de8957",
    );
    for (const [iterations, length] of [
      [0, 32],
      [10_000_001, 32],
      [1.5, 32],
      [1, 0],
      [1, 1025],
    ] as const) {
      expect(codeOf(() => provider.pbkdf2("SHA-256", utf8("p"), utf8("s"), iterations, length))).toBe(
        "ERR_CRYPTO_ARGUMENT",
      );
    }
  });

  it("random octets, in bounds", () => {
    expect(provider.randomBytes(0)).toHaveLength(0);
    expect(provider.randomBytes(65_536)).toHaveLength(65_536);
    expect(toHex(provider.randomBytes(16))).not.toBe(toHex(provider.randomBytes(16)));
    for (const length of [-1, 0.5, 65_537]) {
      expect(codeOf(() => provider.randomBytes(length))).toBe("ERR_CRYPTO_ARGUMENT");
    }
  });
}

function octetsOf(length: number): fc.Arbitrary<Uint8Array> {
  return fc.uint8Array({ minLength: length, maxLength: length });
}

function ciphers(provider: CryptoProvider, other: CryptoProvider): void {
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
      const length = fc.oneof(fc.nat({ max: 40 }), fc.nat({ max: 300 }), fc.constant(5000));
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

const keyFixtures = ["p256", "p384", "p521", "ed25519", "x25519", "rsa2048", "rsa-pss", "rsa-pss-sha256"];

function importedKeys(provider: CryptoProvider): void {
  it.each(keyFixtures)("%s: SPKI and PKCS #8 are read, and written again byte for byte", (name) => {
    const spki = pemFixture(`${name}.spki`);
    const pkcs8 = pemFixture(`${name}.pkcs8`);
    const publicKey = provider.importSpki(spki);
    const privateKey = provider.importPkcs8(pkcs8);
    expect(toHex(publicKey.spki)).toBe(toHex(spki));
    expect(toHex(privateKey.publicKey.spki)).toBe(toHex(spki));
    expect(privateKey.algorithm).toEqual(publicKey.algorithm);
    expect(toHex(provider.exportPkcs8(privateKey))).toBe(toHex(pkcs8));
  });

  it("keys say what they are", () => {
    expect(provider.importSpki(pemFixture("p384.spki")).algorithm).toEqual({ name: "ec", curve: "P-384" });
    expect(provider.importSpki(pemFixture("rsa2048.spki")).algorithm).toEqual({ name: "rsa", modulusBits: 2048 });
    expect(provider.importSpki(pemFixture("rsa-pss.spki")).algorithm).toEqual({
      name: "rsa-pss",
      modulusBits: 2048,
      parameters: undefined,
    });
    expect(provider.importSpki(pemFixture("rsa-pss-sha256.spki")).algorithm).toEqual({
      name: "rsa-pss",
      modulusBits: 2048,
      parameters: { hash: "SHA-256", saltLength: 32 },
    });
  });

  it.each(["p256", "p384", "p521"])("%s: SEC1 is the same key", (name) => {
    const privateKey = provider.importSec1(pemFixture(`${name}.sec1`));
    expect(toHex(provider.exportPkcs8(privateKey))).toBe(toHex(pemFixture(`${name}.pkcs8`)));
  });

  it("PKCS #1 is the same key", () => {
    const privateKey = provider.importPkcs1PrivateKey(pemFixture("rsa2048.pkcs1"));
    expect(toHex(provider.exportPkcs8(privateKey))).toBe(toHex(pemFixture("rsa2048.pkcs8")));
    const publicKey = provider.importPkcs1PublicKey(pemFixture("rsa2048.pkcs1-public"));
    expect(toHex(publicKey.spki)).toBe(toHex(pemFixture("rsa2048.spki")));
  });

  it("a key keeps nothing of the caller's buffer", () => {
    const spki = pemFixture("p256.spki");
    const pkcs8 = pemFixture("p256.pkcs8");
    const publicKey = provider.importSpki(spki);
    const privateKey = provider.importPkcs8(pkcs8);
    spki.fill(0);
    pkcs8.fill(0);
    expect(toHex(publicKey.spki)).toBe(toHex(pemFixture("p256.spki")));
    const algorithm = defaultSignatureAlgorithm(privateKey.algorithm);
    expect(provider.verify(publicKey, algorithm, message, provider.sign(privateKey, algorithm, message))).toBe(true);
  });

  it("bare public keys travel as SPKI", () => {
    for (const [name, kind] of [
      ["p256", "P-256"],
      ["p521", "P-521"],
      ["ed25519", "Ed25519"],
      ["x25519", "X25519"],
    ] as const) {
      const publicKey = provider.importSpki(pemFixture(`${name}.spki`));
      expect(toHex(spkiFromRawPublicKey(kind, rawPublicKey(publicKey)))).toBe(toHex(publicKey.spki));
    }
  });

  it("a private key goes with its own public key only", () => {
    const other = rawPublicKey(provider.generateKeyPair({ name: "ec", curve: "P-256" }).publicKey);
    const pkcs8 = pemFixture("p256.pkcs8");
    pkcs8.set(other, pkcs8.length - other.length);
    expect(codeOf(() => provider.importPkcs8(pkcs8))).toBe("ERR_CRYPTO_KEY_PAIR_MISMATCH");

    const sec1 = pemFixture("p256.sec1");
    sec1.set(other, sec1.length - other.length);
    expect(codeOf(() => provider.importSec1(sec1))).toBe("ERR_CRYPTO_KEY_PAIR_MISMATCH");

    // RFC 8410 §10.3: version 2, with the public key behind.
    const seed = pemFixture("ed25519.pkcs8").subarray(-32);
    const point = rawPublicKey(provider.importSpki(pemFixture("ed25519.spki")));
    expect(toHex(provider.importPkcs8(ed25519Version2(seed, point)).publicKey.spki)).toBe(
      toHex(pemFixture("ed25519.spki")),
    );
    expect(
      codeOf(() =>
        provider.importPkcs8(
          ed25519Version2(
            seed,
            point.map((octet) => octet ^ 1),
          ),
        ),
      ),
    ).toBe("ERR_CRYPTO_KEY_PAIR_MISMATCH");
  });

  it("another provider's key is not taken", () => {
    const stranger = { ...provider.importSpki(pemFixture("p256.spki")), type: "public" as const };
    expect(codeOf(() => provider.verify(stranger, { name: "ecdsa", hash: "SHA-256" }, message, message))).toBe(
      "ERR_CRYPTO_FOREIGN_KEY",
    );
  });
}

function ed25519Version2(seed: Uint8Array, point: Uint8Array): Uint8Array {
  return encodeDer((writer) => {
    writer.sequence((body) => {
      body.integer(1);
      body.sequence((algorithm) => algorithm.oid("1.3.101.112"));
      body.octetString(encodeDer((inner) => inner.octetString(seed)));
      body.bitString(point, 0, 0x81);
    });
  });
}

function refusedKeys(provider: CryptoProvider): void {
  it.each([
    ["refused-rsa1024.spki", "ERR_CRYPTO_RSA_MODULUS_SIZE"],
    ["refused-explicit-curve.spki", "ERR_CRYPTO_EXPLICIT_EC_PARAMETERS"],
    ["refused-secp256k1.spki", "ERR_CRYPTO_UNSUPPORTED_CURVE"],
    ["refused-compressed.spki", "ERR_CRYPTO_PUBLIC_POINT"],
    ["refused-ed448.spki", "ERR_CRYPTO_UNSUPPORTED_KEY"],
    ["refused-dsa.spki", "ERR_CRYPTO_UNSUPPORTED_KEY"],
    ["refused-rsa-pss-sha1.spki", "ERR_CRYPTO_SHA1_SIGNATURE"],
  ])("%s is %s", (name, code) => {
    expect(codeOf(() => provider.importSpki(pemFixture(name)))).toBe(code);
  });

  it("private keys are held to the same", () => {
    expect(codeOf(() => provider.importPkcs8(pemFixture("refused-rsa1024.pkcs8")))).toBe("ERR_CRYPTO_RSA_MODULUS_SIZE");
    expect(codeOf(() => provider.importPkcs8(pemFixture("refused-rsa-three-primes.pkcs8")))).toBe(
      "ERR_CRYPTO_UNSUPPORTED_KEY",
    );
    expect(codeOf(() => provider.importSec1(pemFixture("refused-explicit-curve.sec1")))).toBe(
      "ERR_CRYPTO_EXPLICIT_EC_PARAMETERS",
    );
  });

  it.each([
    ["even", 65_536n],
    ["one", 1n],
    ["zero", 0n],
    ["of 65 bits", 2n ** 64n + 1n],
  ])("an RSA exponent that is %s", (_name, exponent) => {
    expect(codeOf(() => provider.importPkcs1PublicKey(rsaPublicKey(2n ** 2047n + 1n, exponent)))).toBe(
      "ERR_CRYPTO_RSA_EXPONENT",
    );
  });

  it("RSA exponents from 3 to 64 bits, moduli from 2048 to 8192", () => {
    for (const exponent of [3n, 65_537n, 2n ** 64n - 1n]) {
      expect(provider.importPkcs1PublicKey(rsaPublicKey(2n ** 2047n + 1n, exponent)).algorithm.name).toBe("rsa");
    }
    expect(provider.importPkcs1PublicKey(rsaPublicKey(2n ** 8191n + 1n, 3n)).algorithm).toEqual({
      name: "rsa",
      modulusBits: 8192,
    });
    for (const modulus of [2n ** 2047n - 1n, 2n ** 8192n + 1n, 0n]) {
      expect(codeOf(() => provider.importPkcs1PublicKey(rsaPublicKey(modulus, 3n)))).toBe(
        "ERR_CRYPTO_RSA_MODULUS_SIZE",
      );
    }
    expect(codeOf(() => provider.importPkcs1PublicKey(rsaPublicKey(2n ** 2047n, 3n)))).toBe("ERR_CRYPTO_MALFORMED_KEY");
  });

  it.each(strangeKeys())("$what is $code", ({ spki, code }) => {
    expect(codeOf(() => provider.importSpki(spki))).toBe(code);
  });

  it("a point that is not on its curve", () => {
    for (const name of ["p256", "p384", "p521"]) {
      const spki = pemFixture(`${name}.spki`);
      spki[spki.length - 1]! ^= 1;
      expect(codeOf(() => provider.importSpki(spki))).toBe("ERR_CRYPTO_PUBLIC_POINT");
    }
    const infinity = spkiFromRawPublicKey("P-256", Uint8Array.of(0));
    expect(codeOf(() => provider.importSpki(infinity))).toBe("ERR_CRYPTO_PUBLIC_POINT");
  });

  it("a scalar of zero, of the group's order, or of another width", () => {
    const order = fromHex("ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551");
    for (const scalar of [new Uint8Array(32), order, new Uint8Array(32).fill(0xff), new Uint8Array(31).fill(1)]) {
      expect(codeOf(() => provider.importSec1(sec1(scalar)))).toBe("ERR_CRYPTO_MALFORMED_KEY");
    }
    order[31]! -= 1;
    expect(provider.importSec1(sec1(order)).algorithm).toEqual({ name: "ec", curve: "P-256" });
  });

  it("RSA numbers that do not fit together", () => {
    const pkcs1 = pemFixture("rsa2048.pkcs1");
    let refused = 0;
    // The last octet of each secret number.
    for (const offset of integerEnds(pkcs1).slice(3)) {
      const changed = Uint8Array.from(pkcs1);
      changed[offset]! ^= 2;
      expect(codeOf(() => provider.importPkcs1PrivateKey(changed))).toBe("ERR_CRYPTO_MALFORMED_KEY");
      refused++;
    }
    expect(refused).toBe(6);
  });

  it("every prefix of every key, and every key with an octet behind", () => {
    for (const name of [...keyFixtures.map((key) => `${key}.spki`), ...keyFixtures.map((key) => `${key}.pkcs8`)]) {
      const der = pemFixture(name);
      const read = (octets: Uint8Array): unknown =>
        name.endsWith("spki") ? provider.importSpki(octets) : provider.importPkcs8(octets);
      for (let length = 0; length < der.length; length++) {
        expect(codeOf(() => read(der.subarray(0, length)))).toBe("ERR_CRYPTO_MALFORMED_KEY");
      }
      expect(codeOf(() => read(Uint8Array.from([...der, 0])))).toBe("ERR_CRYPTO_MALFORMED_KEY");
    }
  });
}

interface StrangeKey {
  readonly what: string;
  readonly spki: Uint8Array;
  readonly code: CryptoErrorCode;
}

/** SubjectPublicKeyInfos that are DER, around sound keys, but not what the standards say. */
function strangeKeys(): StrangeKey[] {
  const p256 = pemFixture("p256.spki").subarray(-65);
  const rsa = pemFixture("rsa2048.pkcs1-public");
  const ed25519 = pemFixture("ed25519.spki").subarray(-32);
  const strange = (
    what: string,
    code: CryptoErrorCode,
    key: Uint8Array,
    oid: string,
    parameters: (body: DerWriter) => void,
    unusedBits: number = 0,
  ): StrangeKey => {
    const spki = encodeDer((writer) => {
      writer.sequence((outer) => {
        outer.sequence((algorithm) => {
          algorithm.oid(oid);
          parameters(algorithm);
        });
        outer.bitString(key, unusedBits);
      });
    });
    return { what, spki, code };
  };
  const none = (): void => undefined;
  const asNull = (body: DerWriter): void => body.null();
  const namedP256 = (body: DerWriter): void => body.oid("1.2.840.10045.3.1.7");
  const pss = "1.2.840.113549.1.1.10";
  const malformed = "ERR_CRYPTO_MALFORMED_KEY";
  return [
    strange("RSA without its NULL", malformed, rsa, "1.2.840.113549.1.1.1", none),
    strange("RSA with other parameters", malformed, rsa, "1.2.840.113549.1.1.1", (body) => body.integer(0)),
    strange("RSA under id-ea-rsa", "ERR_CRYPTO_UNSUPPORTED_KEY", rsa, "2.5.8.1.1", asNull),
    strange("RSA with octets behind", malformed, Uint8Array.from([...rsa, 0]), "1.2.840.113549.1.1.1", asNull),
    strange("PSS with NULL", malformed, rsa, pss, asNull),
    strange("PSS with all defaults", "ERR_CRYPTO_SHA1_SIGNATURE", rsa, pss, (body) => body.sequence(none)),
    strange("PSS with the default salt spelled out", malformed, rsa, pss, pssParameters(20)),
    strange("PSS with a salt of 1025", malformed, rsa, pss, pssParameters(1025)),
    strange("EC without a curve", malformed, p256, "1.2.840.10045.2.1", none),
    strange("EC with NULL", malformed, p256, "1.2.840.10045.2.1", asNull),
    strange("EC under id-ecDH", "ERR_CRYPTO_UNSUPPORTED_KEY", p256, "1.3.132.1.12", namedP256),
    strange("EC of another curve", "ERR_CRYPTO_PUBLIC_POINT", p256, "1.2.840.10045.2.1", (body) =>
      body.oid("1.3.132.0.34"),
    ),
    strange("EC with unused bits", malformed, Uint8Array.from([...p256, 0]), "1.2.840.10045.2.1", namedP256, 7),
    strange("Ed25519 with NULL", malformed, ed25519, "1.3.101.112", asNull),
    strange("Ed25519 of 31 octets", malformed, ed25519.subarray(1), "1.3.101.112", none),
  ];
}

/** SHA-256 for both uses. */
function pssParameters(saltLength: number): (body: DerWriter) => void {
  const sha256 = (field: DerWriter): void => field.sequence((hash) => hash.oid("2.16.840.1.101.3.4.2.1"));
  return (body) => {
    body.sequence((parameters) => {
      parameters.explicit(0, sha256);
      parameters.explicit(1, (field) => {
        field.sequence((mask) => {
          mask.oid("1.2.840.113549.1.1.8");
          sha256(mask);
        });
      });
      parameters.explicit(2, (field) => field.integer(saltLength));
    });
  };
}

function magnitude(value: bigint): Uint8Array {
  const text = value.toString(16);
  return fromHex(text.padStart(text.length + (text.length % 2), "0"));
}

function rsaPublicKey(modulus: bigint, exponent: bigint): Uint8Array {
  return encodeDer((writer) => {
    writer.sequence((body) => {
      body.unsignedInteger(magnitude(modulus));
      body.unsignedInteger(magnitude(exponent));
    });
  });
}

function sec1(scalar: Uint8Array): Uint8Array {
  return encodeDer((writer) => {
    writer.sequence((body) => {
      body.integer(1);
      body.octetString(scalar);
      body.explicit(0, (field) => field.oid("1.2.840.10045.3.1.7"));
    });
  });
}

/** Where each INTEGER of a SEQUENCE has its last octet. */
function integerEnds(der: Uint8Array): number[] {
  const ends: number[] = [];
  let position = 4;
  while (position < der.length) {
    const first = der[position + 1]!;
    const [header, length] =
      first < 0x80
        ? [2, first]
        : first === 0x81
          ? [3, der[position + 2]!]
          : [4, der[position + 2]! * 256 + der[position + 3]!];
    position += header + length;
    ends.push(position - 1);
  }
  return ends;
}

function newKeys(provider: CryptoProvider, other: CryptoProvider): void {
  it.each([
    { name: "ec", curve: "P-256" },
    { name: "ec", curve: "P-384" },
    { name: "ec", curve: "P-521" },
    { name: "ed25519" },
    { name: "x25519" },
  ] satisfies KeyGenerationAlgorithm[])("%o: other code reads it, and the next one differs", async (algorithm) => {
    const first = provider.generateKeyPair(algorithm);
    const second = await provider.generateKeyPairAsync(algorithm);
    expect(first.publicKey.algorithm).toEqual(algorithm);
    expect(first.privateKey.publicKey).toBe(first.publicKey);
    expect(toHex(first.publicKey.spki)).not.toBe(toHex(second.publicKey.spki));
    const read = other.importPkcs8(provider.exportPkcs8(second.privateKey));
    expect(toHex(read.publicKey.spki)).toBe(toHex(second.publicKey.spki));
  });
}

const signatureFixtures: readonly (readonly [string, string, SignatureAlgorithm])[] = [
  ["p256.spki", "p256.sig", { name: "ecdsa", hash: "SHA-256" }],
  ["p384.spki", "p384.sig", { name: "ecdsa", hash: "SHA-384" }],
  ["p521.spki", "p521.sig", { name: "ecdsa", hash: "SHA-512" }],
  ["ed25519.spki", "ed25519.sig", { name: "ed25519" }],
  ["rsa2048.spki", "rsa2048-pkcs1-sha256.sig", { name: "rsa-pkcs1", hash: "SHA-256" }],
  ["rsa2048.spki", "rsa2048-pss-sha384.sig", { name: "rsa-pss", hash: "SHA-384", saltLength: 48 }],
  ["rsa-pss-sha256.spki", "rsa-pss-sha256.sig", { name: "rsa-pss", hash: "SHA-256", saltLength: 32 }],
];

function signatures(provider: CryptoProvider): void {
  it.each(signatureFixtures)("%s: OpenSSL's %s holds, and no changed octet of it", async (keyName, name, algorithm) => {
    const key = provider.importSpki(pemFixture(keyName));
    const signature = octetsFixture(name);
    expect(provider.verify(key, algorithm, message, signature)).toBe(true);
    await expect(provider.verifyAsync(key, algorithm, message, signature)).resolves.toBe(true);
    expect(
      verifySignedData(provider, {
        publicKey: pemFixture(keyName),
        algorithm: encodeSignatureAlgorithm(algorithm),
        data: message,
        signature,
      }),
    ).toEqual({ ok: true });
    for (let index = 0; index < signature.length; index += 5) {
      const changed = signature.map((octet, at) => (at === index ? octet ^ 0x10 : octet));
      expect(provider.verify(key, algorithm, message, changed)).toBe(false);
    }
    for (const wrong of [signature.subarray(1), signature.subarray(0, -1), new Uint8Array(0), message]) {
      expect(provider.verify(key, algorithm, message, wrong)).toBe(false);
    }
    expect(provider.verify(key, algorithm, message.subarray(1), signature)).toBe(false);
    await expect(provider.verifyAsync(key, algorithm, message.subarray(1), signature)).resolves.toBe(false);
  });

  it.each(signatureFixtures)("%s makes no signatures of other kinds than %s", async (keyName, _name, own) => {
    const key = provider.importSpki(pemFixture(keyName));
    const signable: readonly SignatureAlgorithm[] = [
      { name: "ecdsa", hash: "SHA-256" },
      { name: "ed25519" },
      { name: "rsa-pkcs1", hash: "SHA-256" },
    ];
    for (const algorithm of signable) {
      if (algorithm.name === own.name || (key.algorithm.name === "rsa" && algorithm.name === "rsa-pkcs1")) continue;
      expect(codeOf(() => provider.verify(key, algorithm, message, message))).toBe("ERR_CRYPTO_KEY_ALGORITHM_MISMATCH");
      await expect(provider.verifyAsync(key, algorithm, message, message)).rejects.toMatchObject({
        code: "ERR_CRYPTO_KEY_ALGORITHM_MISMATCH",
      });
    }
  });

  it("a PSS key that is restricted takes its own hash and no shorter salt", () => {
    const key = provider.importSpki(pemFixture("rsa-pss-sha256.spki"));
    for (const algorithm of [
      { name: "rsa-pss", hash: "SHA-384", saltLength: 48 },
      { name: "rsa-pss", hash: "SHA-256", saltLength: 31 },
      { name: "rsa-pss", hash: "SHA-256", saltLength: 223 },
      { name: "rsa-pss", hash: "SHA-256", saltLength: -1 },
    ] as const) {
      expect(codeOf(() => provider.verify(key, algorithm, message, message))).toBe("ERR_CRYPTO_KEY_ALGORITHM_MISMATCH");
    }
    const longest = { name: "rsa-pss", hash: "SHA-256", saltLength: 222 } as const;
    expect(provider.verify(key, longest, message, octetsFixture("rsa-pss-sha256.sig"))).toBe(false);
  });

  it("X25519 keys sign nothing, and say so", async () => {
    const { privateKey, publicKey } = provider.generateKeyPair({ name: "x25519" });
    expect(codeOf(() => defaultSignatureAlgorithm(publicKey.algorithm))).toBe("ERR_CRYPTO_KEY_ALGORITHM_MISMATCH");
    expect(codeOf(() => provider.sign(privateKey, { name: "ed25519" }, message))).toBe(
      "ERR_CRYPTO_KEY_ALGORITHM_MISMATCH",
    );
    await expect(provider.signAsync(privateKey, { name: "ed25519" }, message)).rejects.toBeInstanceOf(CryptoError);
  });

  it("signed data that does not hold says what is wrong", () => {
    const signed = {
      publicKey: pemFixture("p256.spki"),
      algorithm: encodeSignatureAlgorithm({ name: "ecdsa", hash: "SHA-256" }),
      data: message,
      signature: octetsFixture("p256.sig"),
    };
    const outcome = (changes: Partial<typeof signed>): unknown => {
      const result = verifySignedData(provider, { ...signed, ...changes });
      return result.ok ? "ok" : result.error.code;
    };
    expect(outcome({})).toBe("ok");
    expect(outcome({ signature: octetsFixture("p384.sig") })).toBe("ERR_CRYPTO_SIGNATURE_INVALID");
    expect(outcome({ publicKey: pemFixture("rsa2048.spki") })).toBe("ERR_CRYPTO_KEY_ALGORITHM_MISMATCH");
    expect(outcome({ publicKey: pemFixture("refused-rsa1024.spki") })).toBe("ERR_CRYPTO_RSA_MODULUS_SIZE");
    expect(outcome({ algorithm: fromHex("300d06092a864886f70d0101050500") })).toBe("ERR_CRYPTO_SHA1_SIGNATURE");
    expect(outcome({ algorithm: fromHex("300d06092a864886f70d0101040500") })).toBe("ERR_CRYPTO_MD5_SIGNATURE");
  });
}

function keyAgreement(provider: CryptoProvider, other: CryptoProvider): void {
  it.each([
    { name: "ec", curve: "P-256" },
    { name: "ec", curve: "P-384" },
    { name: "ec", curve: "P-521" },
    { name: "x25519" },
  ] satisfies KeyGenerationAlgorithm[])("%o: both sides get one secret", (algorithm) => {
    const ours = provider.generateKeyPair(algorithm);
    const theirs = other.generateKeyPair(algorithm);
    const secret = provider.deriveSharedSecret(ours.privateKey, provider.importSpki(theirs.publicKey.spki));
    const same = other.deriveSharedSecret(theirs.privateKey, other.importSpki(ours.publicKey.spki));
    expect(toHex(secret)).toBe(toHex(same));
  });

  it("keys of two curves, or for signatures, agree on nothing", () => {
    const keys = ["p256", "p384", "ed25519", "x25519", "rsa2048"].map((name) =>
      provider.importPkcs8(pemFixture(`${name}.pkcs8`)),
    );
    for (const [own, privateKey] of keys.entries()) {
      for (const [theirs, { publicKey }] of keys.entries()) {
        if (own === theirs && ["ec", "x25519"].includes(publicKey.algorithm.name)) continue;
        expect(codeOf(() => provider.deriveSharedSecret(privateKey, publicKey))).toBe(
          "ERR_CRYPTO_KEY_ALGORITHM_MISMATCH",
        );
      }
    }
  });

  it("an X25519 value of small order is refused", () => {
    const { privateKey } = provider.generateKeyPair({ name: "x25519" });
    for (const value of [new Uint8Array(32), Uint8Array.from([1, ...new Uint8Array(31)])]) {
      const publicKey = provider.importSpki(spkiFromRawPublicKey("X25519", value));
      expect(codeOf(() => provider.deriveSharedSecret(privateKey, publicKey))).toBe("ERR_CRYPTO_SMALL_ORDER_POINT");
    }
  });
}
