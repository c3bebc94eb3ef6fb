import { describe, expect, it } from "vitest";
import {
  CryptoError,
  encodeSignatureAlgorithm,
  parseSignatureAlgorithm,
  type SignatureAlgorithm,
  type SignatureHash,
} from "../src/index.ts";
import { codeOf } from "./error-code.ts";
import { fromHex, toHex } from "./fixtures.ts";

const hashes: readonly SignatureHash[] = ["SHA-256", "SHA-384", "SHA-512"];
const algorithms: readonly SignatureAlgorithm[] = [
  { name: "ed25519" },
  ...hashes.map((hash) => ({ name: "ecdsa", hash }) as const),
  ...hashes.map((hash) => ({ name: "rsa-pkcs1", hash }) as const),
  { name: "rsa-pss", hash: "SHA-256", saltLength: 32 },
  { name: "rsa-pss", hash: "SHA-384", saltLength: 48 },
  { name: "rsa-pss", hash: "SHA-512", saltLength: 64 },
];

describe("AlgorithmIdentifiers", () => {
  it.each(algorithms)("%o: written and read", (algorithm) => {
    expect(parseSignatureAlgorithm(encodeSignatureAlgorithm(algorithm))).toEqual(algorithm);
  });

  it.each(algorithms)("%o: no prefix of it and nothing behind it", (algorithm) => {
    const der = encodeSignatureAlgorithm(algorithm);
    for (let length = 0; length < der.length; length++) {
      expect(codeOf(() => parseSignatureAlgorithm(der.subarray(0, length)))).toBe("ERR_CRYPTO_MALFORMED_ALGORITHM");
    }
    expect(codeOf(() => parseSignatureAlgorithm(Uint8Array.from([...der, 0])))).toBe("ERR_CRYPTO_MALFORMED_ALGORITHM");
  });

  it.each(algorithms)("%o: a changed bit is refused, or another algorithm's encoding", (algorithm) => {
    const der = encodeSignatureAlgorithm(algorithm);
    for (let bit = 0; bit < der.length * 8; bit++) {
      const changed = der.map((octet, index) => (index === bit >> 3 ? octet ^ (1 << (bit & 7)) : octet));
      let read: SignatureAlgorithm;
      try {
        read = parseSignatureAlgorithm(changed);
      } catch (error) {
        expect(error).toBeInstanceOf(CryptoError);
        continue;
      }
      expect(toHex(encodeSignatureAlgorithm(read))).toBe(toHex(changed));
    }
  });

  // The encodings as other software writes them, spelled out here so that reader and writer cannot err together.
  it.each([
    ["300a06082a8648ce3d040302", { name: "ecdsa", hash: "SHA-256" }],
    ["300506032b6570", { name: "ed25519" }],
    ["300d06092a864886f70d01010b0500", { name: "rsa-pkcs1", hash: "SHA-256" }],
    [
      "304106092a864886f70d01010a3034a00f300d06096086480165030402010500a11c301a06092a864886f70d010108300d06096086480165030402010500a203020120",
      { name: "rsa-pss", hash: "SHA-256", saltLength: 32 },
    ],
  ] as const)("%s", (text, algorithm) => {
    expect(parseSignatureAlgorithm(fromHex(text))).toEqual(algorithm);
    expect(toHex(encodeSignatureAlgorithm(algorithm))).toBe(text);
  });

  it("RSA's NULL may be absent, another's may not be there", () => {
    expect(parseSignatureAlgorithm(fromHex("300b06092a864886f70d01010b"))).toEqual({
      name: "rsa-pkcs1",
      hash: "SHA-256",
    });
    for (const text of ["300c06082a8648ce3d0403020500", "300706032b65700500", "300f06092a864886f70d01010b050105"]) {
      expect(codeOf(() => parseSignatureAlgorithm(fromHex(text)))).toBe("ERR_CRYPTO_MALFORMED_ALGORITHM");
    }
  });

  it.each([
    ["RSA with SHA-1", "300d06092a864886f70d0101050500", "ERR_CRYPTO_SHA1_SIGNATURE"],
    ["ECDSA with SHA-1", "300906072a8648ce3d0401", "ERR_CRYPTO_SHA1_SIGNATURE"],
    ["PSS with all defaults", "300d06092a864886f70d01010a3000", "ERR_CRYPTO_SHA1_SIGNATURE"],
    ["RSA with MD5", "300d06092a864886f70d0101040500", "ERR_CRYPTO_MD5_SIGNATURE"],
    ["RSA with MD2", "300d06092a864886f70d0101020500", "ERR_CRYPTO_MD5_SIGNATURE"],
    ["Ed448", "300506032b6571", "ERR_CRYPTO_UNSUPPORTED_SIGNATURE_ALGORITHM"],
    [
      "PSS with a salt of 10",
      "304106092a864886f70d01010a3034a00f300d06096086480165030402010500a11c301a06092a864886f70d010108300d06096086480165030402010500a20302010a",
      "ERR_CRYPTO_UNSUPPORTED_SIGNATURE_ALGORITHM",
    ],
  ])("%s has a named error", (_name, text, code) => {
    expect(codeOf(() => parseSignatureAlgorithm(fromHex(text)))).toBe(code);
  });
});
