/** The sentences of each failure and reason: both forms of every sentence that has two. */

import { nodeProvider } from "@latchkey/crypto/node";
import { describe, expect, test } from "vitest";
import {
  type ChainFailureCode,
  createChainVerifier,
  describeFailure,
  describeRevocationReason,
  explainChain,
  type FailureEvidence,
  mendFailure,
} from "../src/index.ts";
import { failure } from "../src/failures.ts";
import { revocationReason } from "../src/revocation-reason.ts";
import { authority, endEntity, entity, family, issue, now } from "./issuing.ts";

function row<Code extends ChainFailureCode>(
  code: Code,
  evidence: FailureEvidence[Code],
  says: string,
  mends: string,
): readonly [string, string, string, string, string] {
  const found = failure(code, 0, evidence);
  return [code, describeFailure(found), mendFailure(found), says, mends];
}

const issueAgain = "Issue the certificate again";
const malformed = { reason: "ERR_X509_MALFORMED", message: "no", offset: 0 };
const noIssuer = { issuer: "CN=I", isSelfIssued: false, trustAnchors: [], trustAnchorCount: 0 };
const lead = "its certificates among the intermediates lead to no trust anchor";
const absent = "no certificate of it is among the intermediates";
const extensionOf = { oid: "2.5.29.99", name: undefined, part: undefined };
const hook = revocationReason("ERR_REVOCATION_HOOK_UNKNOWN", {});
const silent = revocationReason("ERR_REVOCATION_NO_SOURCE", { issuer: "CN=I" });
const permitted = { constrainedBy: 1, constrainedByName: "CN=I", form: "dNSName", name: "a.example" };
const slip = { tolerance: "nullParameters", what: "parameters", rule: "RFC 5758 §3.2", offset: 7 } as const;

test.each([
  row(
    "ERR_CHAIN_CERTIFICATE_MALFORMED",
    { ...malformed, source: "certificate", position: undefined },
    "cannot be read: no",
    "Give the certificate in question whole and in DER (certificatesFromPem of @latchkey/x509 reads PEM), or have it issued again.",
  ),
  row(
    "ERR_CHAIN_CERTIFICATE_MALFORMED",
    { ...malformed, source: "verifier", position: 2 },
    "cannot be read (one of the verifier's own intermediates, number 3): no",
    "Give one of the verifier's own intermediates, number 3, whole and in DER (certificatesFromPem of @latchkey/x509 reads PEM), have it issued again, or leave it out where another one leads to the anchor.",
  ),
  row(
    "ERR_CHAIN_CERTIFICATE_MALFORMED",
    { ...malformed, source: "trustAnchor", position: undefined },
    "cannot be read (the trust anchor): no",
    "Give the trust anchor whole and in DER (certificatesFromPem of @latchkey/x509 reads PEM), have it issued again, or leave it out where another one leads to the anchor.",
  ),
  row(
    "ERR_CHAIN_NO_ISSUER",
    { ...noIssuer, keyIdentifier: "ab", hasCandidates: true },
    `was issued by "CN=I" (key identifier ab), which is no trust anchor; ${lead}; there are no trust anchors`,
    'Send the certificate of "CN=I" as an intermediate, or make it a trust anchor if you trust it by itself.',
  ),
  row(
    "ERR_CHAIN_NO_ISSUER",
    { ...noIssuer, keyIdentifier: undefined, hasCandidates: false, trustAnchors: ["CN=R"], trustAnchorCount: 1 },
    `was issued by "CN=I", which is no trust anchor; ${absent}; the trust anchors are "CN=R"`,
    'Send the certificate of "CN=I" as an intermediate, or make it a trust anchor if you trust it by itself.',
  ),
  row(
    "ERR_CHAIN_NO_ISSUER",
    {
      ...noIssuer,
      isSelfIssued: true,
      keyIdentifier: undefined,
      hasCandidates: false,
      trustAnchors: ["CN=R"],
      trustAnchorCount: 3,
    },
    'is its own issuer and no trust anchor; the trust anchors are "CN=R" and 2 more',
    'Make "CN=I" a trust anchor if you trust it, or use a certificate that leads to one of the trust anchors.',
  ),
  row(
    "ERR_CHAIN_SIGNATURE",
    { issuer: "CN=I", wantedKeyIdentifier: "aa", triedKeyIdentifier: "bb" },
    'was signed by the key aa of "CN=I"; the certificate of that name which is at hand has the key bb',
    'Use the certificate of "CN=I" with the key identifier aa, or issue this certificate again by the key that is there.',
  ),
  row(
    "ERR_CHAIN_SIGNATURE",
    { issuer: "CN=I", wantedKeyIdentifier: "aa", triedKeyIdentifier: "aa" },
    'carries a signature that was not made by the key of "CN=I" (key identifier aa)',
    `${issueAgain} by "CN=I": its octets were changed after signing, or another key signed them.`,
  ),
  row(
    "ERR_CHAIN_SIGNATURE",
    { issuer: "CN=I", wantedKeyIdentifier: "aa", triedKeyIdentifier: undefined },
    'carries a signature that was not made by the key of "CN=I"',
    `${issueAgain} by "CN=I": its octets were changed after signing, or another key signed them.`,
  ),
  row(
    "ERR_CHAIN_SIGNATURE",
    { issuer: "CN=I", wantedKeyIdentifier: undefined, triedKeyIdentifier: "bb" },
    'carries a signature that was not made by the key of "CN=I" (key identifier bb)',
    `${issueAgain} by "CN=I": its octets were changed after signing, or another key signed them.`,
  ),
  row(
    "ERR_CHAIN_NOT_A_CA",
    { version: 1, hasBasicConstraints: false },
    "is of version 1; only version 3 can say that it is a certificate authority",
    `${issueAgain} with basicConstraints cA TRUE, or have the one below it issued by a certificate authority.`,
  ),
  row(
    "ERR_CHAIN_NOT_A_CA",
    { version: 3, hasBasicConstraints: true },
    "is no certificate authority: its basicConstraints do not say cA TRUE",
    `${issueAgain} with basicConstraints cA TRUE, or have the one below it issued by a certificate authority.`,
  ),
  row(
    "ERR_CHAIN_NOT_A_CA",
    { version: 3, hasBasicConstraints: false },
    "is no certificate authority: it has no basicConstraints",
    `${issueAgain} with basicConstraints cA TRUE, or have the one below it issued by a certificate authority.`,
  ),
  row(
    "ERR_CHAIN_PATH_LENGTH",
    { constrainedBy: undefined, constrainedByName: undefined, maximum: 1, found: 2 },
    "makes 2 intermediate certificates below the trust anchor, where the caller's maximumPathLength allows 1",
    "Set maximumPathLength to 2 or more, or issue from higher up.",
  ),
  row(
    "ERR_CHAIN_PATH_LENGTH",
    { constrainedBy: 3, constrainedByName: "CN=I", maximum: 1, found: 2 },
    'makes 2 intermediate certificates below "CN=I", where its pathLenConstraint allows 1',
    'Issue "CN=I" again with a pathLenConstraint of 2 or more or without one, or issue from higher up.',
  ),
  row(
    "ERR_CHAIN_KEY_USAGE",
    { required: ["keyCertSign"], present: [] },
    "has a key for nothing; keyCertSign is needed",
    `${issueAgain} with keyCertSign in its keyUsage.`,
  ),
  row(
    "ERR_CHAIN_KEY_USAGE",
    { required: ["digitalSignature", "keyAgreement"], present: ["cRLSign", "keyCertSign"] },
    "has a key for cRLSign, keyCertSign; digitalSignature or keyAgreement is needed",
    `${issueAgain} with digitalSignature or keyAgreement in its keyUsage.`,
  ),
  row(
    "ERR_CHAIN_UNKNOWN_CRITICAL_EXTENSION",
    extensionOf,
    "has the critical extension 2.5.29.99, which is not understood",
    `${issueAgain} without 2.5.29.99, or with the extension not critical.`,
  ),
  row(
    "ERR_CHAIN_UNKNOWN_CRITICAL_EXTENSION",
    { ...extensionOf, name: "odd" },
    "has the critical extension odd (2.5.29.99), which is not understood",
    `${issueAgain} without odd, or with the extension not critical.`,
  ),
  row(
    "ERR_CHAIN_UNKNOWN_CRITICAL_EXTENSION",
    { ...extensionOf, name: "odd", part: "a part" },
    "has the critical extension odd with a part, which is not understood",
    `${issueAgain} without a part, or with the extension not critical.`,
  ),
  row(
    "ERR_CHAIN_UNKNOWN_CRITICAL_EXTENSION",
    { ...extensionOf, part: "a part" },
    "has the critical extension 2.5.29.99 with a part, which is not understood",
    `${issueAgain} without a part, or with the extension not critical.`,
  ),
  row(
    "ERR_CHAIN_REVOKED",
    { source: "crl", reason: "certificateHold", revokedAt: 0, revokedAtDate: "1970-01-01T00:00:00Z" },
    "is revoked since 1970-01-01T00:00:00Z by a revocation list (reason: certificateHold)",
    "The certificate is on hold: ask its issuer to release it and give a newer list, or issue a new certificate.",
  ),
  row(
    "ERR_CHAIN_REVOKED",
    { source: "hook", reason: undefined, revokedAt: undefined, revokedAtDate: undefined },
    "is revoked by the caller's own check",
    "Issue a new certificate for a new key. A revoked certificate is never accepted again.",
  ),
  row(
    "ERR_CHAIN_REVOCATION_UNKNOWN",
    { reasons: [hook] },
    "may be revoked: the caller's own check does not know",
    'Let your own check know the certificate, or give a current revocation list or OCSP response for it, or use the mode "soft" to be warned only.',
  ),
  row(
    "ERR_CHAIN_REVOCATION_UNKNOWN",
    { reasons: [silent, hook] },
    'may be revoked: no revocation list and no OCSP response of "CN=I" was given; the caller\'s own check does not know',
    'Give a current revocation list or OCSP response for it, or mend what is wrong with those that were given, or use the mode "soft" to be warned only.',
  ),
  row(
    "ERR_CHAIN_NAME_NOT_PERMITTED",
    { ...permitted, permitted: [] },
    'has the dNSName "a.example"; the name constraints of "CN=I" permit none of this form',
    `${issueAgain} with names within what is permitted, or add "a.example" to the permitted subtrees of "CN=I".`,
  ),
  row(
    "ERR_CHAIN_NAME_NOT_PERMITTED",
    { ...permitted, permitted: ["b.example", "c.example"] },
    'has the dNSName "a.example"; the name constraints of "CN=I" permit "b.example", "c.example"',
    `${issueAgain} with names within what is permitted, or add "a.example" to the permitted subtrees of "CN=I".`,
  ),
  row(
    "ERR_CHAIN_POLICY",
    { acceptable: [], present: [] },
    "has no certificate policies; a policy that is valid for the whole path is required",
    "Issue every certificate of the path with one common policy, or do not require an explicit policy.",
  ),
  row(
    "ERR_CHAIN_POLICY",
    { acceptable: ["1.2.3"], present: ["1.2.4"] },
    "has the policies 1.2.4; one of 1.2.3 has to be valid for the whole path",
    "Issue every certificate of the path with the policy 1.2.3, or do not require an explicit policy.",
  ),
  row(
    "ERR_CHAIN_REFERENCE_NAME",
    { reference: ["a.example"], presented: [] },
    'is for no name (it has no subjectAltName); "a.example" is asked for',
    `${issueAgain} with "a.example" in its subjectAltName; the common name does not count.`,
  ),
  row(
    "ERR_CHAIN_REFERENCE_NAME",
    { reference: ["a.example", "b.example"], presented: ["c.example"] },
    'is for "c.example"; "a.example" or "b.example" is asked for',
    'Ask for a name that it has, or issue it again with "a.example" in its subjectAltName.',
  ),
  row(
    "ERR_CHAIN_TOLERATED",
    { ...slip, count: 1 },
    "has parameters (at offset 7), which is tolerated as nullParameters",
    `${issueAgain} as RFC 5758 §3.2 says, or set the tolerance nullParameters to "allow".`,
  ),
  row(
    "ERR_CHAIN_TOLERATED",
    { ...slip, count: 2 },
    "has parameters (at offset 7, 2 times in all), which is tolerated as nullParameters",
    `${issueAgain} as RFC 5758 §3.2 says, or set the tolerance nullParameters to "allow".`,
  ),
  row(
    "ERR_CHAIN_SERIAL_NUMBER",
    { problem: "long", octets: 21 },
    "has a serial number of 21 octets; at most 20 are allowed",
    `${issueAgain} with a positive serial number of at most 20 octets.`,
  ),
  row(
    "ERR_CHAIN_SERIAL_NUMBER",
    { problem: "negative", octets: 1 },
    "has a serial number that is negative; it has to be positive",
    `${issueAgain} with a positive serial number of at most 20 octets.`,
  ),
  row(
    "ERR_CHAIN_EXTENDED_KEY_USAGE_FORM",
    { problem: "missing" },
    "has no extendedKeyUsage, which the Web PKI demands",
    `${issueAgain} with an extendedKeyUsage that is not critical and lists serverAuth or clientAuth.`,
  ),
  row(
    "ERR_CHAIN_EXTENDED_KEY_USAGE_FORM",
    { problem: "in a root" },
    "has an extendedKeyUsage that the Web PKI does not allow: in a root",
    "Use a root without extendedKeyUsage.",
  ),
  row(
    "ERR_CHAIN_COMMON_NAME",
    { commonName: "a", alternativeNames: [] },
    'has the common name "a"; it has to repeat one of its alternative names, and there are none',
    `${issueAgain} without the common name, or with "a" in its subjectAltName.`,
  ),
  row(
    "ERR_CHAIN_COMMON_NAME",
    { commonName: "a", alternativeNames: ["b"] },
    'has the common name "a"; it has to repeat one of its alternative names, "b"',
    `${issueAgain} without the common name, or with "a" in its subjectAltName.`,
  ),
  row(
    "ERR_CHAIN_SUBJECT_KEY",
    { algorithm: "rsa", bits: 1024, accepted: "RSA of 2048 bits" },
    "has a key of rsa with 1024 bits; accepted are RSA of 2048 bits",
    "Make a new key, one of RSA of 2048 bits, and issue a certificate for it.",
  ),
  row(
    "ERR_CHAIN_SUBJECT_KEY",
    { algorithm: "1.2.3", bits: undefined, accepted: "RSA of 2048 bits" },
    "has a key of 1.2.3; accepted are RSA of 2048 bits",
    "Make a new key, one of RSA of 2048 bits, and issue a certificate for it.",
  ),
])("%s: %s %s", (_code, said, mending, says, mends) => {
  expect(said).toBe(says);
  expect(mending).toBe(mends);
});

test("positions are counted from 1 for people", () => {
  const list = revocationReason("ERR_REVOCATION_LIST_MALFORMED", { position: 0, reason: "r", message: "m", offset: 0 });
  expect(describeRevocationReason(list)).toBe("list number 1 cannot be read: m");
  const says = (
    [
      "ERR_REVOCATION_OCSP_MALFORMED",
      "ERR_REVOCATION_OCSP_OTHER_CERTIFICATE",
      "ERR_REVOCATION_OCSP_WITHOUT_NEXT_UPDATE",
      "ERR_REVOCATION_OCSP_UNKNOWN",
      "ERR_REVOCATION_OCSP_SIGNER",
      "ERR_REVOCATION_OCSP_SIGNATURE",
    ] as const
  ).map((code) => describeRevocationReason(revocationReason(code, { position: 1 })));
  for (const text of says) expect(text).toContain("OCSP response number 2 ");
  const dates = {
    position: 1,
    thisUpdate: 0,
    thisUpdateDate: "then",
    nextUpdate: 0,
    nextUpdateDate: "then",
    atDate: "now",
  };
  const dated = [
    revocationReason("ERR_REVOCATION_OCSP_NOT_YET_VALID", dates),
    revocationReason("ERR_REVOCATION_OCSP_STALE", dates),
    revocationReason("ERR_REVOCATION_OCSP_TOO_OLD", { ...dates, maximumAgeSeconds: 60 }),
    revocationReason("ERR_REVOCATION_OCSP_PRODUCED_AT", { position: 1, producedAtDate: "then" }),
    revocationReason("ERR_REVOCATION_OCSP_CRITICAL_EXTENSION", { position: 1, oid: "1.2.3" }),
    revocationReason("ERR_REVOCATION_OCSP_STATUS", { position: 1, status: "tryLater" }),
  ];
  for (const reason of dated) expect(describeRevocationReason(reason)).toContain("OCSP response number 2 ");
});

test("a list without a number, and one that marks it as critical, are told apart", () => {
  const says = (["missing", "critical"] as const).map((problem) =>
    describeRevocationReason(revocationReason("ERR_REVOCATION_LIST_NUMBER", { list: "CN=I", problem })),
  );
  expect(says).toEqual(['the list of "CN=I" has no cRLNumber', 'the list of "CN=I" marks its cRLNumber as critical']);
});

describe("the lines of a result", () => {
  const { root, intermediate, device, rootCertificate, intermediateCertificate } = family();
  const lines = (
    certificate: Uint8Array,
    intermediates: readonly Uint8Array[],
    anchors = [rootCertificate],
  ): readonly string[] =>
    explainChain(
      createChainVerifier({ provider: nodeProvider, trustAnchors: anchors }).verify({
        certificate,
        intermediates,
        purpose: "clientAuth",
        time: now,
      }),
    );

  test("say which certificate of the path each is about", () => {
    const server = issue({ subject: device, issuer: intermediate, extensions: endEntity("serverAuth") });
    expect(lines(server, [intermediateCertificate])[1]).toMatch(
      /^ {2}fails {2}"CN=button-1" \(the certificate in question\) /,
    );
    const unfit = issue({ subject: intermediate, issuer: root, extensions: endEntity("clientAuth") });
    const good = issue({ subject: device, issuer: intermediate, extensions: endEntity("clientAuth") });
    expect(lines(good, [unfit]).join("\n")).toContain('"CN=Pizza Intermediate" (intermediate 1) ');
    const old = issue({ subject: root, issuer: root, extensions: authority(), notAfter: now - 1 });
    const expired = lines(good, [intermediateCertificate], [old]);
    expect(expired[0]).toBe(
      "refused for clientAuth: CN=button-1 <- CN=Pizza Intermediate <- CN=Pizza Root (trust anchor)",
    );
    expect(expired[1]).toContain('"CN=Pizza Root" (the trust anchor) ');
    const unreadable = lines(good, [Uint8Array.of(0x30, 0x00)]);
    expect(unreadable[0]).toBe("refused for clientAuth: CN=button-1");
    expect(unreadable[1]).toMatch(/^ {2}fails {2}an issuer of "CN=button-1" cannot be read/);
  });

  test("show warnings, also beside a refusal", () => {
    const certificate = issue({
      subject: device,
      issuer: intermediate,
      extensions: endEntity("serverAuth"),
      serialNumber: 0,
    });
    for (const purpose of ["serverAuth", "clientAuth"] as const) {
      const result = createChainVerifier({
        provider: nodeProvider,
        trustAnchors: [rootCertificate],
        checks: { serialNumber: "warning" },
      }).verify({ certificate, intermediates: [intermediateCertificate], purpose, time: now });
      expect(result.ok).toBe(purpose === "serverAuth");
      const warnings = explainChain(result).filter((line) => line.startsWith("  warns  "));
      expect(warnings).toEqual([expect.stringContaining('"CN=button-1" (the certificate in question) has a serial')]);
    }
  });

  test("list the other paths that were tried, each with its first fault", () => {
    const good = issue({ subject: device, issuer: intermediate, extensions: endEntity("clientAuth") });
    const late = { subject: intermediate, issuer: root, extensions: authority(), notAfter: now - 1 };
    const tried = lines(good, [issue(late), issue(late)]).filter((line) => line.startsWith("  tried  "));
    expect(tried).toHaveLength(1);
    expect(tried[0]).toMatch(
      /^ {2}tried {2}CN=button-1 <- CN=Pizza Intermediate <- CN=Pizza Root: "CN=Pizza Intermediate" \(intermediate 1\) expired .*\(ERR_CHAIN_EXPIRED\)$/,
    );
  });

  test("name a certificate without a subject as that", () => {
    const nobody = { name: { rdns: [], encoding: Uint8Array.of(0x30, 0x00) }, keys: entity("x").keys };
    const certificate = issue({ subject: nobody, issuer: intermediate, extensions: endEntity("serverAuth") });
    expect(lines(certificate, [intermediateCertificate])[0]).toContain("(no subject) <- CN=Pizza Intermediate");
  });
});
