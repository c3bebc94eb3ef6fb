/**
 * BoringSSL's OCSP responses: the status of a certificate by each.
 *
 * Most are signed with SHA-1, which is refused by name. So the corpus runs twice: as it is, where no SHA-1 response may
 * tell anything, and with SHA-1 let through in this test alone, so that everything else about the responses is judged.
 */

import { verify as nodeVerify } from "node:crypto";
import { createNodeProvider } from "@latchkey/crypto/node";
import { hasVectors, readVectors } from "@latchkey/tooling-vitest/vectors";
import { parseCertificate, X509Error } from "@latchkey/x509";
import { afterAll, afterEach, describe, expect, test, vi } from "vitest";
import { createChainVerifier, everyCheck } from "../src/index.ts";
import { checkOcspResponse, checkRevocation } from "../src/revocation.ts";
import { base64Bytes, type CorpusException } from "./corpus.ts";

const sha1 = vi.hoisted(() => {
  // All files share one process: what they have loaded already is not the module below, and what is loaded here is not for them.
  vi.resetModules();
  return { isAllowed: false, wasSeen: false };
});
afterAll(() => {
  vi.doUnmock("@latchkey/crypto");
  vi.resetModules();
});

vi.mock(import("@latchkey/crypto"), async (importOriginal) => {
  const original = await importOriginal();
  return {
    ...original,
    verifySignedData: (provider, signed) => {
      const result = original.verifySignedData(provider, signed);
      if (result.ok || result.error.code !== "ERR_CRYPTO_SHA1_SIGNATURE") return result;
      sha1.wasSeen = true;
      if (!sha1.isAllowed || signed.publicKey instanceof Uint8Array) return result;
      const key = { key: Buffer.from(signed.publicKey.spki), format: "der" as const, type: "spki" as const };
      return nodeVerify("sha1", signed.data, key, signed.signature) ? { ok: true } : result;
    },
  };
});

afterEach(() => {
  sha1.isAllowed = false;
  sha1.wasSeen = false;
});

interface OcspCase {
  readonly id: string;
  readonly response: string;
  readonly issuer: string;
  readonly cert: string;
  readonly expectedStatus: "GOOD" | "REVOKED" | "UNKNOWN";
}

interface Corpus {
  readonly time: string;
  readonly maxAgeSeconds: number;
  readonly cases: readonly OcspCase[];
}

const provider = createNodeProvider({ minimumRsaModulusBits: 1024 });

const exceptions: readonly CorpusException[] = [
  {
    id: "good_response_invalid_serial",
    expected: "GOOD",
    actual: "ERR_X509_MALFORMED",
    reason: "X.690 §8.3.2: the certificate's serial number is not minimal; it is refused before it has a status.",
  },
];

const none: Corpus = { time: "", maxAgeSeconds: 0, cases: [] };
const { cases, time, maxAgeSeconds } = hasVectors("boringssl-ocsp.json")
  ? (readVectors("boringssl-ocsp.json") as Corpus)
  : none;
const seconds = Date.parse(time) / 1000;

/** By the response alone. */
function statusOf({ response, issuer, cert }: OcspCase): string {
  try {
    const { status } = checkOcspResponse({
      response: base64Bytes(response),
      certificate: parseCertificate(base64Bytes(cert)),
      issuer: parseCertificate(base64Bytes(issuer)),
      time: seconds,
      maximumAgeSeconds: maxAgeSeconds,
      provider,
    });
    return status.toUpperCase();
  } catch (error) {
    if (error instanceof X509Error) return error.code;
    throw error;
  }
}

/** Along a path to the issuer, where only "good" holds. */
function statusAlongPath({ response, issuer, cert }: OcspCase): string {
  const verifier = createChainVerifier({
    provider,
    trustAnchors: [base64Bytes(issuer)],
    checks: everyCheck("off"),
    anchor: { enforceConstraints: false },
  });
  const result = verifier.verify({
    certificate: base64Bytes(cert),
    purpose: "any",
    time: seconds,
    revocation: checkRevocation({
      mode: "hard",
      scope: "endEntity",
      ocspResponses: [base64Bytes(response)],
      maximumAgeSeconds: maxAgeSeconds,
    }),
  });
  if (result.ok) return "GOOD";
  const [failure] = result.failures;
  if (failure?.code === "ERR_CHAIN_CERTIFICATE_MALFORMED") return failure.evidence.reason;
  return failure?.code === "ERR_CHAIN_REVOKED" ? "REVOKED" : (failure?.code ?? "");
}

/** What `hard` makes of a status. */
function failing(status: string): string {
  return status === "UNKNOWN" ? "ERR_CHAIN_REVOCATION_UNKNOWN" : status;
}

describe.skipIf(!hasVectors("boringssl-ocsp.json"))("BoringSSL ocsp_unittest", () => {
  test("has its 36 cases", () => expect(cases).toHaveLength(36));

  test.each(cases)("$id is $expectedStatus", (each) => {
    const exception = exceptions.find(({ id }) => id === each.id);
    sha1.isAllowed = true;
    expect(statusOf(each)).toBe(exception?.actual ?? each.expectedStatus);
    expect(statusAlongPath(each)).toBe(failing(exception?.actual ?? each.expectedStatus));
  });

  test("no response that is signed with SHA-1 tells anything", () => {
    const refused = cases.filter((each) => {
      sha1.wasSeen = false;
      const status = statusOf(each);
      if (sha1.wasSeen) expect(status, each.id).toBe("UNKNOWN");
      return sha1.wasSeen;
    });
    expect(refused.length).toBeGreaterThan(10);
  });
});
