import { describe, expect, it } from "vitest";
import { defaultSignatureAlgorithm, type SignatureAlgorithm } from "../src/index.ts";
import { createNobleProvider, nobleProvider } from "../src/noble.ts";
import { createNodeProvider, nodeProvider } from "../src/node.ts";
import { conformance } from "./conformance.ts";
import { codeOf } from "./error-code.ts";
import { message, pemFixture, toHex } from "./fixtures.ts";

describe("the node provider", () => conformance(nodeProvider, nobleProvider));

describe("what only the node provider does", () => {
  it.each(["p256", "p384", "p521", "ed25519", "rsa2048", "rsa-pss", "rsa-pss-sha256"])(
    "%s signs, off the thread too, and the noble provider checks it",
    async (name) => {
      const privateKey = nodeProvider.importPkcs8(pemFixture(`${name}.pkcs8`));
      const publicKey = nobleProvider.importSpki(privateKey.publicKey.spki);
      const algorithm = defaultSignatureAlgorithm(privateKey.algorithm);
      const signature = nodeProvider.sign(privateKey, algorithm, message);
      expect(signature.constructor).toBe(Uint8Array);
      expect(nobleProvider.verify(publicKey, algorithm, message, signature)).toBe(true);
      const later = await nodeProvider.signAsync(privateKey, algorithm, message);
      expect(nobleProvider.verify(publicKey, algorithm, message, later)).toBe(true);
    },
  );

  it("RSA signs with all its hashes, both paddings, and salts of any length that fits", () => {
    const privateKey = nodeProvider.importPkcs8(pemFixture("rsa2048.pkcs8"));
    const publicKey = nobleProvider.importSpki(privateKey.publicKey.spki);
    for (const hash of ["SHA-256", "SHA-384", "SHA-512"] as const) {
      const algorithms: SignatureAlgorithm[] = [{ name: "rsa-pkcs1", hash }];
      for (const saltLength of [0, 20, 64, 100]) algorithms.push({ name: "rsa-pss", hash, saltLength });
      for (const algorithm of algorithms) {
        const signature = nodeProvider.sign(privateKey, algorithm, message);
        expect(nobleProvider.verify(publicKey, algorithm, message, signature)).toBe(true);
      }
    }
  });

  it("makes RSA keys of 2048 bits, and none of sizes that it would not import", async () => {
    const { publicKey } = await nodeProvider.generateKeyPairAsync({ name: "rsa", modulusBits: 2048 });
    expect(nobleProvider.importSpki(publicKey.spki).algorithm).toEqual({ name: "rsa", modulusBits: 2048 });
    for (const modulusBits of [1024, 2047.5, 8193]) {
      expect(codeOf(() => nodeProvider.generateKeyPair({ name: "rsa", modulusBits }))).toBe(
        "ERR_CRYPTO_RSA_MODULUS_SIZE",
      );
      await expect(nodeProvider.generateKeyPairAsync({ name: "rsa", modulusBits })).rejects.toMatchObject({
        code: "ERR_CRYPTO_RSA_MODULUS_SIZE",
      });
    }
  });
});

describe("a lower limit for RSA", () => {
  it.each([createNodeProvider, createNobleProvider])("%o: has to be asked for, down to 1024 bits", (create) => {
    const provider = create({ minimumRsaModulusBits: 1024 });
    const spki = pemFixture("refused-rsa1024.spki");
    expect(toHex(provider.importSpki(spki).spki)).toBe(toHex(spki));
    expect(provider.importPkcs8(pemFixture("refused-rsa1024.pkcs8")).algorithm).toEqual({
      name: "rsa",
      modulusBits: 1024,
    });
    for (const minimumRsaModulusBits of [1023, 0, 8193, 2048.5, Number.NaN]) {
      expect(codeOf(() => create({ minimumRsaModulusBits }))).toBe("ERR_CRYPTO_ARGUMENT");
    }
  });
});
