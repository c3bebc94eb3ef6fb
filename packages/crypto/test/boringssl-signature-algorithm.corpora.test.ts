import { hasVectors, readVectors } from "@latchkey/tooling-vitest/vectors";
import { describe, expect, it } from "vitest";
import { parseSignatureAlgorithm, type CryptoErrorCode, type SignatureAlgorithm } from "../src/index.ts";
import { codeOf } from "./error-code.ts";
import { fromBase64 } from "./fixtures.ts";

interface AlgorithmCase {
  readonly id: string;
  readonly der: string;
  /** BoringSSL's name of the algorithm, or null where it refuses. */
  readonly expected: string | null;
}

describe.skipIf(!hasVectors("boringssl-signature-algorithm.json"))("BoringSSL's signature-algorithm cases", () => {
  const cases = hasVectors("boringssl-signature-algorithm.json")
    ? (readVectors("boringssl-signature-algorithm.json") as { cases: AlgorithmCase[] }).cases
    : [];
  /** BoringSSL knows SHA-1 by name and leaves it to its caller's policy; RFC 9155 leaves no use for it. */
  const exceptions: Readonly<Record<string, CryptoErrorCode>> = {
    kRsaPkcs1Sha1: "ERR_CRYPTO_SHA1_SIGNATURE",
    kEcdsaSha1: "ERR_CRYPTO_SHA1_SIGNATURE",
  };

  it.each(cases)("$id", ({ der, expected }) => {
    const octets = fromBase64(der);
    const exception = exceptions[expected ?? ""];
    if (expected === null) codeOf(() => parseSignatureAlgorithm(octets));
    else if (exception !== undefined) expect(codeOf(() => parseSignatureAlgorithm(octets))).toBe(exception);
    else expect(boringSslName(parseSignatureAlgorithm(octets))).toBe(expected);
  });

  it("are 50, and each exception is about one of them", () => {
    expect(cases).toHaveLength(50);
    const names = new Set(cases.map(({ expected }) => expected));
    expect(Object.keys(exceptions).filter((name) => !names.has(name))).toEqual([]);
  });
});

function boringSslName(algorithm: SignatureAlgorithm): string {
  const kinds = { ecdsa: "kEcdsa", ed25519: "kEd25519", "rsa-pkcs1": "kRsaPkcs1", "rsa-pss": "kRsaPss" };
  return kinds[algorithm.name] + (algorithm.name === "ed25519" ? "" : algorithm.hash.replace("SHA-", "Sha"));
}
