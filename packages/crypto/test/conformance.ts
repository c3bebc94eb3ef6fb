/** What every provider has to do; `node.test.ts` and `noble.test.ts` run it. */

import { encodeDer } from "@latchkey/asn1";
import { describe, expect, it } from "vitest";
import {
  CryptoError,
  defaultSignatureAlgorithm,
  encodeSignatureAlgorithm,
  hkdf,
  rawPublicKey,
  spkiFromRawPublicKey,
  verifySignedData,
  type CryptoProvider,
  type KeyGenerationAlgorithm,
  type SignatureAlgorithm,
} from "../src/index.ts";
import { codeOf } from "./error-code.ts";
import { ciphers } from "./cipher-conformance.ts";
import { fromHex, message, octetsFixture, pemFixture, toHex, utf8, keyFixtures } from "./fixtures.ts";
import { refusedKeys } from "./refused-key-conformance.ts";

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

  it("HKDF-Expand of one block and of more, as RFC 5869 §2.3 defines it", () => {
    for (const [algorithm, step] of [
      ["SHA-256", 32],
      ["SHA-384", 48],
    ] as const) {
      for (const keyLength of [0, step, 64, 129]) {
        for (const infoLength of [0, 1, 54, 4095, 4096]) {
          const key = Uint8Array.from({ length: keyLength }, (_, index) => index * 5 + 3);
          const info = new Uint8Array(infoLength).fill(infoLength & 0xff);
          const first = provider.hmac(algorithm, key, Uint8Array.from([...info, 1]));
          const second = provider.hmac(algorithm, key, Uint8Array.from([...first, ...info, 2]));
          const whole = toHex(first) + toHex(second);
          for (const length of [0, 1, 12, step - 1, step, step + 1, 2 * step]) {
            expect(toHex(provider.hkdfExpand(algorithm, key, info, length))).toBe(whole.slice(0, 2 * length));
          }
        }
      }
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

/** Keys, signatures of `message` by them, and by which algorithm. */
export const signatureFixtures: readonly (readonly [string, string, SignatureAlgorithm])[] = [
  ["p256.spki", "p256.sig", { name: "ecdsa", hash: "SHA-256" }],
  ["p384.spki", "p384.sig", { name: "ecdsa", hash: "SHA-384" }],
  ["p521.spki", "p521.sig", { name: "ecdsa", hash: "SHA-512" }],
  ["ed25519.spki", "ed25519.sig", { name: "ed25519" }],
  ["rsa2048.spki", "rsa2048-pkcs1-sha256.sig", { name: "rsa-pkcs1", hash: "SHA-256" }],
  ["rsa2048.spki", "rsa2048-pss-sha384.sig", { name: "rsa-pss", hash: "SHA-384", saltLength: 48 }],
  ["rsa-pss-sha256.spki", "rsa-pss-sha256.sig", { name: "rsa-pss", hash: "SHA-256", saltLength: 32 }],
];

function signatures(provider: CryptoProvider): void {
  it.each(signatureFixtures)(
    "%s: OpenSSL's %s holds, and not with an octet changed",
    async (keyName, name, algorithm) => {
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
      // `changed-signatures.corpora.test.ts` changes every octet.
      for (let index = 0; index < signature.length; index += 23) {
        const changed = signature.map((octet, at) => (at === index ? octet ^ 0x10 : octet));
        expect(provider.verify(key, algorithm, message, changed)).toBe(false);
      }
      for (const wrong of [signature.subarray(1), signature.subarray(0, -1), new Uint8Array(0), message]) {
        expect(provider.verify(key, algorithm, message, wrong)).toBe(false);
      }
      expect(provider.verify(key, algorithm, message.subarray(1), signature)).toBe(false);
      await expect(provider.verifyAsync(key, algorithm, message.subarray(1), signature)).resolves.toBe(false);
    },
  );

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
