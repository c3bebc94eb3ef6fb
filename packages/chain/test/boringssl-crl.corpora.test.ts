/** BoringSSL's revocation lists: the status of a certificate by each. */

import { createNodeProvider } from "@latchkey/crypto/node";
import { hasVectors, readVectors } from "@latchkey/tooling-vitest/vectors";
import { describe, expect, test } from "vitest";
import { createChainVerifier, everyCheck } from "../src/index.ts";
import { checkRevocation } from "../src/revocation.ts";
import { base64Bytes, type CorpusException } from "./corpus.ts";

interface Corpus {
  readonly time: string;
  readonly maxAgeSeconds: number;
  readonly cases: readonly {
    readonly id: string;
    readonly cert: string;
    readonly issuer: string;
    readonly issuer2: string | null;
    readonly crl: string;
    readonly expected: "good" | "revoked" | "unknown";
  }[];
}

const none: Corpus = { time: "", maxAgeSeconds: 0, cases: [] };
const { cases, time, maxAgeSeconds } = hasVectors("boringssl-crl.json")
  ? (readVectors("boringssl-crl.json") as Corpus)
  : none;

const exceptions: readonly CorpusException[] = [
  {
    id: "bad_idp_indirectcrl",
    expected: "unknown",
    actual: "good",
    reason:
      "RFC 5280 §6.3.3 (b)(1): without a cRLIssuer in the distribution point, a list by the certificate's issuer counts, " +
      "and may be indirect. BoringSSL supports no indirect lists.",
  },
  ...[
    "invalid_v1_with_crlentryextension",
    "invalid_garbage_revoked_serial_number",
    "invalid_garbage_revocationdate",
    "invalid_garbage_after_revocationdate",
    "invalid_garbage_after_crlentryextensions",
    "invalid_garbage_crlentry",
  ].map((id) => ({
    id,
    expected: "unknown",
    actual: "revoked",
    reason:
      "The list names the certificate and has a fault in an entry. BoringSSL drops the whole list; here an entry is judged " +
      "by itself, so that such a list refuses in soft mode, too.",
  })),
];

/** The corpus is of 1024-bit keys. */
const provider = createNodeProvider({ minimumRsaModulusBits: 1024 });

/** The status as the verifier tells it with `hard`: a path that holds is good. Both keys of the issuer are trusted. */
function statusOf(certificate: Uint8Array, issuers: readonly Uint8Array[], crl: Uint8Array): string {
  const verifier = createChainVerifier({
    provider,
    trustAnchors: issuers,
    checks: everyCheck("off"),
    anchor: { enforceConstraints: false },
  });
  const result = verifier.verify({
    certificate,
    purpose: "any",
    time: Date.parse(time) / 1000,
    revocation: checkRevocation({
      mode: "hard",
      scope: "endEntity",
      revocationLists: [crl],
      maximumAgeSeconds: maxAgeSeconds,
    }),
  });
  if (result.ok) return "good";
  const codes = result.failures.map(({ code }) => code);
  if (codes.includes("ERR_CHAIN_REVOKED")) return "revoked";
  return codes.every((code) => code === "ERR_CHAIN_REVOCATION_UNKNOWN") ? "unknown" : codes.join(" ");
}

describe.skipIf(!hasVectors("boringssl-crl.json"))("BoringSSL crl_unittest", () => {
  test("has its 66 cases", () => expect(cases).toHaveLength(66));

  test.each(cases)("$id is $expected", ({ id, cert, issuer, issuer2, crl, expected }) => {
    const issuers = [issuer, issuer2].filter((each) => each !== null).map(base64Bytes);
    const exception = exceptions.find((each) => each.id === id);
    if (exception !== undefined) expect(exception.expected).toBe(expected);
    expect(statusOf(base64Bytes(cert), issuers, base64Bytes(crl))).toBe(exception?.actual ?? expected);
  });
});
