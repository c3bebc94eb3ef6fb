/** BoringSSL's signed-data cases: SubjectPublicKeyInfo, AlgorithmIdentifier, data and BIT STRING, together. */

import { Asn1Error, DerReader } from "@latchkey/asn1";
import { hasVectors, readVectors } from "@latchkey/tooling-vitest/vectors";
import { describe, expect, it } from "vitest";
import { verifySignedData, type CryptoErrorCode, type CryptoProvider } from "../src/index.ts";
import { createNobleProvider, nobleProvider } from "../src/noble.ts";
import { createNodeProvider, nodeProvider } from "../src/node.ts";
import { fromBase64 } from "./fixtures.ts";

interface SignedDataCase {
  readonly id: string;
  readonly spki: string;
  readonly algorithm: string;
  readonly data: string;
  readonly signature: string;
  readonly expected: boolean;
}

interface Exception {
  readonly expected: boolean;
  readonly actual: "accepted" | CryptoErrorCode;
  readonly reason: string;
}

const postQuantum: Exception = {
  expected: true,
  actual: "ERR_CRYPTO_UNSUPPORTED_KEY",
  reason: "ML-DSA is not supported",
};

const exceptions: Readonly<Record<string, Exception>> = {
  "rsa-pkcs1-sha1": {
    expected: true,
    actual: "ERR_CRYPTO_SHA1_SIGNATURE",
    reason: "RFC 9155: SHA-1 signatures are not to be used; BoringSSL leaves that to its caller's policy",
  },
  "rsa-pss-sha256-using-pss-key-with-params": {
    expected: false,
    actual: "accepted",
    reason: "RFC 4055 §1.2 has such keys; BoringSSL does not support them",
  },
  "mldsa-44": postQuantum,
  "mldsa-65": postQuantum,
  "mldsa-87": postQuantum,
};

/** With the usual limits, where RSA has 2048 bits at least. */
const exceptionsByDefault: Readonly<Record<string, Exception>> = {
  ...exceptions,
  "rsa-pkcs1-sha1": { expected: true, actual: "ERR_CRYPTO_RSA_MODULUS_SIZE", reason: "the key has 1024 bits" },
  "rsa-pkcs1-sha256": { expected: true, actual: "ERR_CRYPTO_RSA_MODULUS_SIZE", reason: "the key has 1024 bits" },
};

const cases = hasVectors("boringssl-signed-data.json")
  ? (readVectors("boringssl-signed-data.json") as { cases: SignedDataCase[] }).cases
  : [];

describe.skipIf(!hasVectors("boringssl-signed-data.json")).each([
  ["node", createNodeProvider({ minimumRsaModulusBits: 1024 }), exceptions],
  ["noble", createNobleProvider({ minimumRsaModulusBits: 1024 }), exceptions],
  ["node, usual limits", nodeProvider, exceptionsByDefault],
  ["noble, usual limits", nobleProvider, exceptionsByDefault],
])("%s", (_name, provider, known) => {
  it.each(cases)("$id", (signed) => {
    const outcome = outcomeOf(provider, signed);
    const exception = known[signed.id];
    if (exception === undefined) expect(outcome === "accepted").toBe(signed.expected);
    else expect([signed.expected, outcome]).toEqual([exception.expected, exception.actual]);
  });

  it("has 32 cases, and each exception is about one of them", () => {
    expect(cases).toHaveLength(32);
    expect(Object.keys(known).filter((id) => !cases.some((signed) => signed.id === id))).toEqual([]);
  });
});

function outcomeOf(provider: CryptoProvider, signed: SignedDataCase): string {
  const signature = signatureOctets(fromBase64(signed.signature));
  if (signature === undefined) return "not a BIT STRING of octets";
  const result = verifySignedData(provider, {
    publicKey: fromBase64(signed.spki),
    algorithm: fromBase64(signed.algorithm),
    data: fromBase64(signed.data),
    signature,
  });
  return result.ok ? "accepted" : result.error.code;
}

function signatureOctets(bitString: Uint8Array): Uint8Array | undefined {
  try {
    const reader = new DerReader(bitString);
    const signature = reader.octetAlignedBitString();
    reader.end();
    return signature;
  } catch (error) {
    if (error instanceof Asn1Error) return undefined;
    throw error;
  }
}
