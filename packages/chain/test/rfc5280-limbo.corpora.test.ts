/**
 * x509-limbo (C2SP): every case with the profile that it asks for. Accepting what is valid and refusing what is not are
 * counted apart, and each refusal must be for the reason that the case's description names.
 */

import { nodeProvider } from "@latchkey/crypto/node";
import { limboCaseCount, readLimboCases } from "@latchkey/tooling-vitest/limbo";
import { hasVectors } from "@latchkey/tooling-vitest/vectors";
import { describe, expect, test } from "vitest";
import { createChainVerifier, type ChainResult, type ReferenceName } from "../src/index.ts";
import { checkRevocation } from "../src/revocation.ts";
import { type CorpusException, pemBytes } from "./corpus.ts";
import { limboReasons } from "./limbo-reasons.ts";

interface PeerName {
  readonly kind: "DNS" | "IP" | "RFC822";
  readonly value: string;
}

interface LimboCase {
  readonly id: string;
  readonly validation_kind: "SERVER" | "CLIENT";
  readonly trusted_certs: readonly string[];
  readonly untrusted_intermediates: readonly string[];
  readonly peer_certificate: string;
  readonly validation_time: string | null;
  readonly expected_result: "SUCCESS" | "FAILURE";
  readonly expected_peer_name: PeerName | null;
  readonly expected_peer_names: readonly PeerName[];
  readonly max_chain_depth: number | null;
  readonly crls: readonly string[];
}

const testcases = hasVectors("limbo.json") ? (readLimboCases() as readonly LimboCase[]) : [];

/** Cases whose verdict differs, and why. */
const exceptions: readonly CorpusException[] = [
  {
    id: "rfc5280::aki::cross-signed-root-missing-aki",
    expected: "FAILURE",
    actual: "SUCCESS",
    reason:
      "RFC 5280 §4.2.1.1 asks for the identifier to help path building, and nothing is built above an anchor. " +
      "cve::cve-2024-0567 wants such an anchor accepted.",
  },
];

/** Refusals whose reason is not the one described, because the case holds another defect than it says. */
const otherReasons: readonly CorpusException[] = [
  {
    id: "rfc5280::intermediate-ca-missing-basic-constraints",
    expected: "ERR_CHAIN_NOT_A_CA",
    actual: "ERR_CHAIN_NO_ISSUER",
    reason: "The case holds no intermediate at all.",
  },
  {
    id: "rfc5280::ica-ku-keycertsign",
    expected: "ERR_CHAIN_KEY_USAGE",
    actual: "ERR_CHAIN_NO_ISSUER",
    reason: "The case holds no intermediate at all.",
  },
  {
    id: "rfc5280::root-inconsistent-ca-extensions",
    expected: "ERR_CHAIN_KEY_USAGE",
    actual: "ERR_CHAIN_CERTIFICATE_MALFORMED",
    reason: "keyUsage is the empty bit string, which RFC 5280 §4.2.1.3 does not allow.",
  },
  {
    id: "pathological::nc-dos-3",
    expected: "ERR_CHAIN_LIMIT",
    actual: "ERR_CHAIN_REFERENCE_NAME",
    reason:
      "The constraints are on DNS names and the certificate has none, so there is nothing to compare; nor does it present " +
      "the name asked for.",
  },
];

/** The suffixes of the public suffix list that the cases are about. */
const publicSuffixes = new Set(["com", "co.uk", "uk", "s3.amazonaws.com"]);
const referenceTypes = { DNS: "dns", IP: "ip", RFC822: "email" } as const;

function verdict(each: LimboCase): ChainResult {
  const verifier = createChainVerifier({
    provider: nodeProvider,
    trustAnchors: each.trusted_certs.map(pemBytes),
    profile: each.id.startsWith("webpki::") ? "webpki" : "rfc5280",
    isPublicSuffix: (domain) => publicSuffixes.has(domain),
  });
  const peers = each.expected_peer_name === null ? each.expected_peer_names : [each.expected_peer_name];
  const referenceNames = peers.map(({ kind, value }): ReferenceName => ({ type: referenceTypes[kind], value }));
  return verifier.verify({
    certificate: pemBytes(each.peer_certificate),
    intermediates: each.untrusted_intermediates.map(pemBytes),
    purpose: each.validation_kind === "SERVER" ? "serverAuth" : "clientAuth",
    // Cases without a time mean now; the corpus is of 2026, and what it asks for then is valid for years.
    time: Date.parse(each.validation_time ?? "2026-11-23T00:00:00Z") / 1000,
    referenceNames,
    ...(each.max_chain_depth === null ? {} : { maximumPathLength: each.max_chain_depth }),
    ...(each.crls.length === 0
      ? {}
      : { revocation: checkRevocation({ mode: "hard", revocationLists: each.crls.map(pemBytes) }) }),
  });
}

function expectedCode(id: string): string | undefined {
  return Object.entries(limboReasons).find(([, ids]) => ids.includes(id))?.[0];
}

describe.skipIf(!hasVectors("limbo.json"))("limbo", () => {
  test("has every case that is asked for", () => expect(testcases).toHaveLength(limboCaseCount));

  test.each(testcases)("$id: $expected_result", (each) => {
    const result = verdict(each);
    const exception = exceptions.find(({ id }) => id === each.id);
    if (exception !== undefined) expect(exception.expected).toBe(each.expected_result);
    const found = codesOf(result);
    expect(outcomeOf(result), found.join(" ")).toBe(exception?.actual ?? each.expected_result);
    if (!result.ok) expect(found).toContain(expectedCode(each.id));
  });

  test("all that is valid is accepted, and at least 95 of 100 invalid cases are refused", () => {
    const right = { SUCCESS: 0, FAILURE: 0 };
    const all = { SUCCESS: 0, FAILURE: 0 };
    for (const each of testcases) {
      all[each.expected_result]++;
      if (outcomeOf(verdict(each)) === each.expected_result) right[each.expected_result]++;
    }
    console.log(
      `limbo: valid accepted ${right.SUCCESS}/${all.SUCCESS}, invalid refused ${right.FAILURE}/${all.FAILURE}`,
    );
    expect(right.SUCCESS).toBe(all.SUCCESS);
    expect(right.FAILURE / all.FAILURE).toBeGreaterThanOrEqual(0.95);
  });

  test.each(otherReasons)("$id is refused for another reason: $reason", ({ id, expected, actual }) => {
    const each = testcases.find((candidate) => candidate.id === id);
    if (each === undefined) throw new Error(`no case ${id}`);
    const found = codesOf(verdict(each));
    expect(found).toContain(actual);
    expect(found).not.toContain(expected);
  });
});

function outcomeOf({ ok }: ChainResult): "SUCCESS" | "FAILURE" {
  return ok ? "SUCCESS" : "FAILURE";
}

function codesOf(result: ChainResult): string[] {
  return result.ok ? [] : result.failures.map(({ code }) => code);
}
