import { afterAll, describe, expect, it } from "vitest";
import {
  decryptPrivateKeyInfo,
  encryptPrivateKeyInfo,
  parsePrivateKeyInfo,
  privateKeyFromPem,
  privateKeyToPem,
  publicKeyFromPem,
  publicKeyToPem,
  X509Error,
} from "../src/index.ts";
import { provider } from "./authority.ts";
import { Bench, openssl, withOpenssl } from "./openssl.ts";

const bench = new Bench();
afterAll(() => bench.delete());
const { privateKey, publicKey } = provider.generateKeyPair({ name: "ec", curve: "P-256" });
const pkcs8 = provider.exportPkcs8(privateKey);
const password = "correct horse ßattery";

function codeOf(run: () => unknown): string {
  try {
    run();
    return "accepted";
  } catch (error) {
    if (error instanceof X509Error) return error.code;
    throw error;
  }
}

describe("PKCS #8", () => {
  it("is read without knowing the algorithm", () => {
    const info = parsePrivateKeyInfo(pkcs8);
    expect(info.version).toBe(1);
    expect(info.encoding).toEqual(pkcs8);
    expect(codeOf(() => parsePrivateKeyInfo(Uint8Array.of(...pkcs8, 0)))).toBe("ERR_X509_MALFORMED");
  });

  it("encrypted comes back with the right password and with no other", () => {
    const encrypted = encryptPrivateKeyInfo(pkcs8, { provider, password, iterations: 1000 });
    expect(decryptPrivateKeyInfo(encrypted, { provider, password })).toEqual(pkcs8);
    expect(decryptPrivateKeyInfo(encrypted, { provider, password: new TextEncoder().encode(password) })).toEqual(pkcs8);
    for (let attempt = 0; attempt < 300; attempt++) {
      const wrong = { provider, password: `wrong ${attempt}` };
      expect(codeOf(() => decryptPrivateKeyInfo(encrypted, wrong))).toBe("ERR_X509_DECRYPTION");
    }
  });

  it("never tells why a decryption failed, nor anything of the key", () => {
    const encrypted = encryptPrivateKeyInfo(pkcs8, { provider, password, iterations: 1 });
    try {
      decryptPrivateKeyInfo(encrypted, { provider, password: "x" });
      expect.unreachable();
    } catch (error) {
      expect(error).toMatchObject({ code: "ERR_X509_DECRYPTION" });
      expect((error as Error).cause).toBeUndefined();
    }
  });

  it("that asks for too much work is refused before it is done", () => {
    const encrypted = encryptPrivateKeyInfo(pkcs8, { provider, password, iterations: 2000 });
    expect(codeOf(() => decryptPrivateKeyInfo(encrypted, { provider, password, maximumIterations: 1999 }))).toBe(
      "ERR_X509_LIMIT",
    );
    // The limit itself is allowed.
    expect(decryptPrivateKeyInfo(encrypted, { provider, password, maximumIterations: 2000 })).toEqual(pkcs8);
  });

  it("that asks for more than five million rounds is refused by default, with both numbers", () => {
    // The number of rounds is what is changed: 600,000 is 0x0927c0, five million and one 0x4c4b41.
    const encrypted = encryptPrivateKeyInfo(pkcs8, { provider, password, iterations: 600_000 });
    const at = encrypted.findIndex(
      (_, index) => Buffer.from(encrypted.subarray(index, index + 3)).toString("hex") === "0927c0",
    );
    encrypted.set([0x4c, 0x4b, 0x41], at);
    expect(() => decryptPrivateKeyInfo(encrypted, { provider, password })).toThrow(
      expect.objectContaining({ code: "ERR_X509_LIMIT", found: 5_000_001, limit: 5_000_000 }),
    );
  });

  it("in PEM comes and goes through every form", () => {
    const pem = privateKeyToPem(privateKey, { provider });
    expect(privateKeyFromPem(`junk\n${pem}`, { provider }).publicKey.spki).toEqual(publicKey.spki);
    expect(codeOf(() => privateKeyFromPem(pem + pem, { provider }))).toBe("ERR_X509_PEM_LABEL");
    const locked = privateKeyToPem(privateKey, { provider, password, iterations: 1000 });
    expect(locked).toContain("BEGIN ENCRYPTED PRIVATE KEY");
    expect(privateKeyFromPem(locked, { provider, password }).publicKey.spki).toEqual(publicKey.spki);
    expect(codeOf(() => privateKeyFromPem(locked, { provider }))).toBe("ERR_X509_DECRYPTION");
    expect(publicKeyFromPem(publicKeyToPem(publicKey), provider).spki).toEqual(publicKey.spki);
  });
});

describe.skipIf(openssl.path === undefined)(withOpenssl("private keys and openssl"), () => {
  it("openssl reads what we encrypt", () => {
    bench.write("ours.pem", privateKeyToPem(privateKey, { provider, password: "secret", iterations: 1000 }));
    bench.run("pkey -in ours.pem -passin pass:secret -out plain.pem");
    expect(privateKeyFromPem(bench.text("plain.pem"), { provider }).publicKey.spki).toEqual(publicKey.spki);
    expect(() => bench.run("pkey -in ours.pem -passin pass:wrong")).toThrow();
  });

  it.each(["aes-128-cbc", "aes-192-cbc", "aes-256-cbc"])(
    "we read what openssl encrypts with %s and every PRF",
    (cipher) => {
      bench.write("plain.pem", privateKeyToPem(privateKey, { provider }));
      for (const prf of ["hmacWithSHA1", "hmacWithSHA256", "hmacWithSHA384", "hmacWithSHA512"]) {
        const words = `pkcs8 -topk8 -in plain.pem -v2 ${cipher} -v2prf ${prf} -iter 100 -passout pass:secret`;
        const pem = bench.run(words);
        expect([prf, codeOf(() => privateKeyFromPem(pem, { provider, password: "secret" }))]).toEqual([
          prf,
          "accepted",
        ]);
      }
    },
  );

  it("refuses old and other encryptions by name", () => {
    bench.write("plain.pem", privateKeyToPem(privateKey, { provider }));
    for (const [scheme, name] of [
      ["-v2 des3", "3DES (1.2.840.113549.3.7)"],
      ["-scrypt -scrypt_N 16", "scrypt (1.3.6.1.4.1.11591.4.11)"],
      ["-v1 PBE-SHA1-3DES", "PKCS #12 with SHA-1 and 3DES (1.2.840.113549.1.12.1.3)"],
    ] as const) {
      const pem = bench.run(`pkcs8 -topk8 -in plain.pem ${scheme} -passout pass:secret`);
      expect(() => privateKeyFromPem(pem, { provider, password: "secret" })).toThrow(
        expect.objectContaining({
          code: "ERR_X509_UNSUPPORTED_ENCRYPTION",
          message: expect.stringContaining(`is encrypted by ${name}; `),
        }),
      );
    }
  });

  it("reads SEC 1, PKCS #1 and SubjectPublicKeyInfo", () => {
    bench.write("plain.pem", privateKeyToPem(privateKey, { provider }));
    expect(privateKeyFromPem(bench.run("ec -in plain.pem"), { provider }).publicKey.spki).toEqual(publicKey.spki);
    expect(publicKeyFromPem(bench.run("pkey -in plain.pem -pubout"), provider).spki).toEqual(publicKey.spki);
    bench.run("genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out rsa.pem");
    const rsa = privateKeyFromPem(bench.text("rsa.pem"), { provider });
    expect(privateKeyFromPem(bench.run("rsa -in rsa.pem -traditional"), { provider }).publicKey.spki).toEqual(
      rsa.publicKey.spki,
    );
    expect(publicKeyFromPem(bench.run("rsa -in rsa.pem -RSAPublicKey_out"), provider).spki).toEqual(rsa.publicKey.spki);
  });
});
