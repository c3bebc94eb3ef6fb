/** Results and failures in words, for people. Programs use the codes and the evidence; these texts may change. */

import { type Certificate, hexText, nameText, subjectKeyIdentifier } from "@latchkey/x509";
import type { ChainFailure, ChainFailureCode, FailureEvidence } from "./failures.ts";
import type { ChainCheck, ChainResult, FailedPath, PassedCheck } from "./result.ts";
import type { RevocationReason, RevocationReasonCode, RevocationReasonEvidence } from "./revocation-reason.ts";
import { shorten, shortened } from "./shorten.ts";
import type { TrustAnchor } from "./trust-anchor.ts";

/** What a failure says of its certificate, as the end of a sentence, and what mends it, as a sentence. */
type Texts = {
  readonly [Code in ChainFailureCode]: readonly [
    says: (evidence: FailureEvidence[Code]) => string,
    mends: (evidence: FailureEvidence[Code]) => string,
  ];
};

const sources = {
  certificate: "the certificate in question",
  intermediates: "one of the intermediates given",
  verifier: "one of the verifier's own intermediates",
  trustAnchor: "the trust anchor",
};
const revocationSources = { crl: "a revocation list", ocsp: "an OCSP response", hook: "the caller's own check" };
const issueAgain = "Issue the certificate again";

const texts: Texts = {
  ERR_CHAIN_CERTIFICATE_MALFORMED: [
    ({ message, source, position }) =>
      source === "certificate"
        ? `cannot be read: ${message}`
        : `cannot be read (${sources[source]}${position === undefined ? "" : `, number ${position + 1}`}): ${message}`,
    ({ source, position }) => {
      const which = `${sources[source]}${position === undefined ? "" : `, number ${position + 1},`}`;
      const whole = `Give ${which} whole and in DER (certificatesFromPem of @latchkey/x509 reads PEM)`;
      return source === "certificate"
        ? `${whole}, or have it issued again.`
        : `${whole}, have it issued again, or leave it out where another one leads to the anchor.`;
    },
  ],
  ERR_CHAIN_NO_ISSUER: [
    ({ issuer, keyIdentifier, isSelfIssued, hasCandidates, trustAnchors, trustAnchorCount }) => {
      const by = `"${issuer}"${keyIdentifier === undefined ? "" : ` (key identifier ${keyIdentifier})`}`;
      const what = isSelfIssued
        ? "is its own issuer and no trust anchor"
        : `was issued by ${by}, which is no trust anchor; ${hasCandidates ? "its certificates among the intermediates lead to no trust anchor" : "no certificate of it is among the intermediates"}`;
      return `${what}; ${anchorsText(trustAnchors, trustAnchorCount)}`;
    },
    ({ issuer, isSelfIssued }) =>
      isSelfIssued
        ? `Make "${issuer}" a trust anchor if you trust it, or use a certificate that leads to one of the trust anchors.`
        : `Send the certificate of "${issuer}" as an intermediate, or make it a trust anchor if you trust it by itself.`,
  ],
  ERR_CHAIN_SIGNATURE: [
    ({ issuer, wantedKeyIdentifier: wanted, triedKeyIdentifier: tried }) =>
      wanted !== undefined && tried !== undefined && wanted !== tried
        ? `was signed by the key ${wanted} of "${issuer}"; the certificate of that name which is at hand has the key ${tried}`
        : `carries a signature that was not made by the key of "${issuer}"${tried === undefined ? "" : ` (key identifier ${tried})`}`,
    ({ issuer, wantedKeyIdentifier: wanted, triedKeyIdentifier: tried }) =>
      wanted !== undefined && tried !== undefined && wanted !== tried
        ? `Use the certificate of "${issuer}" with the key identifier ${wanted}, or issue this certificate again by the key that is there.`
        : `${issueAgain} by "${issuer}": its octets were changed after signing, or another key signed them.`,
  ],
  ERR_CHAIN_SIGNATURE_ALGORITHM: [
    ({ message, algorithm }) => `is signed by the algorithm ${algorithm}: ${message}`,
    () =>
      `${issueAgain} with ECDSA, Ed25519 or RSA, a hash of SHA-256 or stronger, and an algorithm that fits the issuer's key.`,
  ],
  ERR_CHAIN_ISSUER_KEY: [
    ({ reason, message }) => `has a key that no signature can be checked with: ${message} (${reason})`,
    () =>
      `Give the issuer a key of P-256, P-384, P-521, Ed25519 or RSA of 2048 to 8192 bits, and issue again below it.`,
  ],
  ERR_CHAIN_NOT_A_CA: [
    ({ version, hasBasicConstraints }) => {
      if (version !== 3) return `is of version ${version}; only version 3 can say that it is a certificate authority`;
      return hasBasicConstraints
        ? "is no certificate authority: its basicConstraints do not say cA TRUE"
        : "is no certificate authority: it has no basicConstraints";
    },
    () => `${issueAgain} with basicConstraints cA TRUE, or have the one below it issued by a certificate authority.`,
  ],
  ERR_CHAIN_PATH_LENGTH: [
    ({ constrainedByName, maximum, found }) =>
      `makes ${found} intermediate certificates below ${constrainedByName === undefined ? "the trust anchor" : `"${constrainedByName}"`}, where ${constrainedByName === undefined ? "the caller's maximumPathLength" : "its pathLenConstraint"} allows ${maximum}`,
    ({ constrainedByName, found }) =>
      constrainedByName === undefined
        ? `Set maximumPathLength to ${found} or more, or issue from higher up.`
        : `Issue "${constrainedByName}" again with a pathLenConstraint of ${found} or more or without one, or issue from higher up.`,
  ],
  ERR_CHAIN_KEY_USAGE: [
    ({ required, present }) => `has a key for ${list(present)}; ${required.join(" or ")} is needed`,
    ({ required }) => `${issueAgain} with ${required.join(" or ")} in its keyUsage.`,
  ],
  ERR_CHAIN_EXTENDED_KEY_USAGE: [
    ({ required, present }) => `is for the purposes ${list(present)}; ${required} is needed`,
    ({ required }) => `${issueAgain} with ${required} in its extendedKeyUsage, or ask for a purpose that it has.`,
  ],
  ERR_CHAIN_UNKNOWN_CRITICAL_EXTENSION: [
    ({ oid, name, part }) =>
      part === undefined
        ? `has the critical extension ${name === undefined ? oid : `${name} (${oid})`}, which is not understood`
        : `has the critical extension ${name ?? oid} with ${part}, which is not understood`,
    ({ name, oid, part }) => `${issueAgain} without ${part ?? name ?? oid}, or with the extension not critical.`,
  ],
  ERR_CHAIN_NOT_YET_VALID: [
    ({ notBeforeDate, atDate }) => `is valid from ${notBeforeDate} on; the time asked about is ${atDate}`,
    ({ notBeforeDate }) => `Wait until ${notBeforeDate}, or check the clock that the time came from.`,
  ],
  ERR_CHAIN_EXPIRED: [
    ({ notAfterDate, atDate }) => `expired after ${notAfterDate}; the time asked about is ${atDate}`,
    () => "Renew the certificate, or check the clock that the time came from.",
  ],
  ERR_CHAIN_REVOKED: [
    ({ source, reason, revokedAtDate }) => {
      const since = revokedAtDate === undefined ? "" : ` since ${revokedAtDate}`;
      return `is revoked${since} by ${revocationSources[source]}${reason === undefined ? "" : ` (reason: ${reason})`}`;
    },
    ({ reason }) =>
      reason === "certificateHold"
        ? "The certificate is on hold: ask its issuer to release it and give a newer list, or issue a new certificate."
        : "Issue a new certificate for a new key. A revoked certificate is never accepted again.",
  ],
  ERR_CHAIN_REVOCATION_UNKNOWN: [
    ({ reasons }) => `may be revoked: ${reasons.map(describeRevocationReason).join("; ")}`,
    ({ reasons }) =>
      `${reasons.every(({ code }) => code === "ERR_REVOCATION_HOOK_UNKNOWN") ? "Let your own check know the certificate, or give" : "Give"} a current revocation list or OCSP response for it${reasons.length > 1 ? ", or mend what is wrong with those that were given" : ""}, or use the mode "soft" to be warned only.`,
  ],
  ERR_CHAIN_NAME_NOT_PERMITTED: [
    ({ form, name, permitted, constrainedByName }) =>
      `has the ${form} "${name}"; the name constraints of "${constrainedByName}" permit ${permitted.length === 0 ? "none of this form" : quoted(permitted)}`,
    ({ name, constrainedByName }) =>
      `${issueAgain} with names within what is permitted, or add "${name}" to the permitted subtrees of "${constrainedByName}".`,
  ],
  ERR_CHAIN_NAME_EXCLUDED: [
    ({ form, name, subtree, constrainedByName }) =>
      `has the ${form} "${name}"; the name constraints of "${constrainedByName}" exclude "${subtree}"`,
    ({ subtree, constrainedByName }) =>
      `${issueAgain} with names outside of "${subtree}", or below another certificate authority than "${constrainedByName}".`,
  ],
  ERR_CHAIN_NAME_CONSTRAINT_UNSUPPORTED: [
    ({ form, constrainedByName }) =>
      `has a name of form ${form}; "${constrainedByName}" constrains this form, and such constraints are not supported`,
    ({ form }) => `${issueAgain} without a name of form ${form}, or below an authority that does not constrain it.`,
  ],
  ERR_CHAIN_POLICY: [
    ({ acceptable, present }) =>
      `has ${present.length === 0 ? "no certificate policies" : `the policies ${list(present)}`}; ${acceptable.length === 0 ? "a policy that is valid for the whole path is required" : `one of ${list(acceptable)} has to be valid for the whole path`}`,
    ({ acceptable }) =>
      `Issue every certificate of the path with ${acceptable[0] === undefined ? "one common policy" : `the policy ${acceptable[0]}`}, or do not require an explicit policy.`,
  ],
  ERR_CHAIN_POLICY_MAPPING: [
    () => "maps anyPolicy, which no certificate may",
    () => `${issueAgain} without anyPolicy (2.5.29.32.0) in its policyMappings.`,
  ],
  ERR_CHAIN_REFERENCE_NAME: [
    ({ reference, presented }) =>
      `is for ${presented.length === 0 ? "no name (it has no subjectAltName)" : quoted(presented)}; ${reference.map(quote).join(" or ")} is asked for`,
    ({ reference, presented }) =>
      presented.length === 0
        ? `${issueAgain} with ${quote(reference[0] ?? "the name")} in its subjectAltName; the common name does not count.`
        : `Ask for a name that it has, or issue it again with ${quote(reference[0] ?? "the name")} in its subjectAltName.`,
  ],
  ERR_CHAIN_LIMIT: [
    ({ limit, maximum, used }) => `the limit ${limit} is ${maximum}, and at least ${used} would be needed`,
    ({ limit, used }) =>
      `Send only the certificates that lead to the anchor; if all are needed, set limits.${limit} to ${used} or more.`,
  ],
  ERR_CHAIN_TOLERATED: [
    ({ tolerance, what, offset, count }) =>
      `has ${what} (at offset ${offset}${count > 1 ? `, ${count} times in all` : ""}), which is tolerated as ${tolerance}`,
    ({ tolerance, rule }) => `${issueAgain} as ${rule} says, or set the tolerance ${tolerance} to "allow".`,
  ],
  ERR_CHAIN_ANCHOR_EXPIRED: [
    ({ notBeforeDate, notAfterDate, atDate }) =>
      `is valid from ${notBeforeDate} to ${notAfterDate}; the time asked about is ${atDate}`,
    () => "Use the renewed certificate as the trust anchor, or set anchor.checkValidity to false.",
  ],
  ERR_CHAIN_VERSION: [({ version }) => `has version ${version}; 3 is needed`, () => `${issueAgain} as version 3.`],
  ERR_CHAIN_SERIAL_NUMBER: [
    ({ problem, octets }) =>
      problem === "long"
        ? `has a serial number of ${octets} octets; at most 20 are allowed`
        : `has a serial number that is ${problem}; it has to be positive`,
    () => `${issueAgain} with a positive serial number of at most 20 octets.`,
  ],
  ERR_CHAIN_EMPTY_SUBJECT: [
    () => "is a certificate authority with an empty subject",
    () => `${issueAgain} with a subject.`,
  ],
  ERR_CHAIN_EXTENSION_CRITICAL: [
    ({ extension }) => `marks ${extension} as critical, which it must not`,
    ({ extension }) => `${issueAgain} with ${extension} not critical.`,
  ],
  ERR_CHAIN_EXTENSION_NOT_CRITICAL: [
    ({ extension }) => `does not mark ${extension} as critical, which it must`,
    ({ extension }) => `${issueAgain} with ${extension} critical.`,
  ],
  ERR_CHAIN_NAME_CONSTRAINTS_NOT_CRITICAL: [
    () => "does not mark its nameConstraints as critical, which it must",
    () => `${issueAgain} with nameConstraints critical.`,
  ],
  ERR_CHAIN_AUTHORITY_KEY_IDENTIFIER: [
    ({ problem }) => `does not say which key signed it (authorityKeyIdentifier: ${problem})`,
    () => `${issueAgain} with an authorityKeyIdentifier that holds the keyIdentifier of its issuer.`,
  ],
  ERR_CHAIN_SUBJECT_KEY_IDENTIFIER: [
    () => "is a certificate authority without a subjectKeyIdentifier",
    () => `${issueAgain} with a subjectKeyIdentifier.`,
  ],
  ERR_CHAIN_ROOT_AUTHORITY_KEY_IDENTIFIER: [
    ({ problem }) => `is a root with a wrong authorityKeyIdentifier: ${problem}`,
    () => "Issue the root again with its own keyIdentifier alone in its authorityKeyIdentifier, or without one.",
  ],
  ERR_CHAIN_CERT_SIGN_WITHOUT_CA: [
    () => "has keyCertSign in its keyUsage and is no certificate authority",
    () => `${issueAgain} without keyCertSign, or with basicConstraints cA TRUE.`,
  ],
  ERR_CHAIN_NAME_CONSTRAINTS_IN_END_ENTITY: [
    () => "has nameConstraints and is no certificate authority",
    () => `${issueAgain} without nameConstraints.`,
  ],
  ERR_CHAIN_NAME_CONSTRAINT_SYNTAX: [
    ({ form, subtree }) => `has a malformed ${form} in its nameConstraints: "${subtree}"`,
    () =>
      `${issueAgain} with a DNS constraint such as "example.com" (no "*", no leading period), a mailbox or host for mail, and a host for URIs.`,
  ],
  ERR_CHAIN_ALTERNATIVE_NAME_SYNTAX: [
    ({ form, name }) => `has a malformed ${form} in its subjectAltName: "${name}"`,
    () =>
      `${issueAgain} with DNS names of letters, digits and hyphens (A-labels), mailboxes as local@host, and absolute URIs.`,
  ],
  ERR_CHAIN_END_ENTITY_IS_CA: [
    () => "is a certificate authority, which the certificate of an end entity must not be",
    () => `${issueAgain} without basicConstraints cA TRUE, or set the check endEntityIsCa to "off".`,
  ],
  ERR_CHAIN_EXTENDED_KEY_USAGE_FORM: [
    ({ problem }) =>
      problem === "missing"
        ? "has no extendedKeyUsage, which the Web PKI demands"
        : `has an extendedKeyUsage that the Web PKI does not allow: ${problem}`,
    ({ problem }) =>
      problem === "in a root"
        ? "Use a root without extendedKeyUsage."
        : `${issueAgain} with an extendedKeyUsage that is not critical and lists serverAuth or clientAuth.`,
  ],
  ERR_CHAIN_COMMON_NAME: [
    ({ commonName, alternativeNames }) =>
      `has the common name "${commonName}"; it has to repeat one of its alternative names, ${alternativeNames.length === 0 ? "and there are none" : quoted(alternativeNames)}`,
    ({ commonName }) => `${issueAgain} without the common name, or with "${commonName}" in its subjectAltName.`,
  ],
  ERR_CHAIN_SUBJECT_ALT_NAME_CRITICAL: [
    () => "marks its subjectAltName as critical although it has a subject",
    () => `${issueAgain} with subjectAltName not critical.`,
  ],
  ERR_CHAIN_SUBJECT_KEY: [
    ({ algorithm, bits, accepted }) =>
      `has a key of ${algorithm}${bits === undefined ? "" : ` with ${bits} bits`}; accepted are ${accepted}`,
    ({ accepted }) => `Make a new key, one of ${accepted}, and issue a certificate for it.`,
  ],
  ERR_CHAIN_PUBLIC_SUFFIX: [
    ({ name, suffix }) =>
      `has the wildcard "${name}"; "${suffix}" is a public suffix, so it would cover strangers' names`,
    () => `${issueAgain} with a wildcard below a domain of your own, or with the names themselves.`,
  ],
};

type ReasonTexts = { readonly [Code in RevocationReasonCode]: (evidence: RevocationReasonEvidence[Code]) => string };

const reasonTexts: ReasonTexts = {
  ERR_REVOCATION_NO_SOURCE: ({ issuer }) => `no revocation list and no OCSP response of "${issuer}" was given`,
  ERR_REVOCATION_HOOK_UNKNOWN: () => "the caller's own check does not know",
  ERR_REVOCATION_LIST_MALFORMED: ({ position, message }) => `list number ${position + 1} cannot be read: ${message}`,
  ERR_REVOCATION_LIST_SCOPE: (evidence) => `the list of "${evidence.list}" ${evidence.scope}`,
  ERR_REVOCATION_LIST_NOT_YET_VALID: (evidence) =>
    `the list of "${evidence.list}" is of ${evidence.thisUpdateDate}; the time asked about is ${evidence.atDate}`,
  ERR_REVOCATION_LIST_STALE: (evidence) =>
    `the list of "${evidence.list}" was to be replaced by ${evidence.nextUpdateDate}; the time asked about is ${evidence.atDate}`,
  ERR_REVOCATION_LIST_TOO_OLD: (evidence) =>
    `the list of "${evidence.list}" is of ${evidence.thisUpdateDate}, older than the ${evidence.maximumAgeSeconds} seconds allowed`,
  ERR_REVOCATION_LIST_WITHOUT_NEXT_UPDATE: (evidence) =>
    `the list of "${evidence.list}" has no nextUpdate; it counts only with maximumAgeSeconds`,
  ERR_REVOCATION_LIST_NUMBER: (evidence) =>
    evidence.problem === "missing"
      ? `the list of "${evidence.list}" has no cRLNumber`
      : `the list of "${evidence.list}" marks its cRLNumber as critical`,
  ERR_REVOCATION_LIST_CRITICAL_EXTENSION: (evidence) =>
    `the list of "${evidence.list}" has the critical extension ${evidence.oid}, which is not understood`,
  ERR_REVOCATION_LIST_TOLERATED: (evidence) =>
    `the list of "${evidence.list}" has ${evidence.what}, which is tolerated as ${evidence.tolerance}`,
  ERR_REVOCATION_LIST_SIGNER_UNKNOWN: (evidence) =>
    `no certificate of "${evidence.list}" is at hand that may have signed its list`,
  ERR_REVOCATION_LIST_SIGNER_KEY_USAGE: (evidence) =>
    `the key of "${evidence.list}" is not for signing lists (its keyUsage has no cRLSign)`,
  ERR_REVOCATION_LIST_SIGNATURE: (evidence) =>
    `the list of "${evidence.list}" carries a signature that was not made by its key`,
  ERR_REVOCATION_LIST_SIGNER_UNTRUSTED: (evidence) =>
    `the signer of the list of "${evidence.list}" has no path to the same trust anchor`,
  ERR_REVOCATION_REASONS_NOT_COVERED: ({ missing }) => `the lists say nothing about the reasons ${missing.join(", ")}`,
  ERR_REVOCATION_OCSP_MALFORMED: ({ position }) => `OCSP response number ${position + 1} cannot be read`,
  ERR_REVOCATION_OCSP_STATUS: ({ position, status }) =>
    `OCSP response number ${position + 1} holds no status: the responder answered ${status}`,
  ERR_REVOCATION_OCSP_CRITICAL_EXTENSION: ({ position, oid }) =>
    `OCSP response number ${position + 1} has the critical extension ${oid}, which is not understood`,
  ERR_REVOCATION_OCSP_OTHER_CERTIFICATE: ({ position }) =>
    `OCSP response number ${position + 1} is about other certificates`,
  ERR_REVOCATION_OCSP_PRODUCED_AT: ({ position, producedAtDate }) =>
    `OCSP response number ${position + 1} was made at ${producedAtDate}, outside of the certificate's validity or after the time asked about`,
  ERR_REVOCATION_OCSP_NOT_YET_VALID: ({ position, thisUpdateDate, atDate }) =>
    `OCSP response number ${position + 1} is of ${thisUpdateDate}; the time asked about is ${atDate}`,
  ERR_REVOCATION_OCSP_STALE: ({ position, nextUpdateDate, atDate }) =>
    `OCSP response number ${position + 1} was to be replaced by ${nextUpdateDate}; the time asked about is ${atDate}`,
  ERR_REVOCATION_OCSP_TOO_OLD: ({ position, thisUpdateDate, maximumAgeSeconds }) =>
    `OCSP response number ${position + 1} is of ${thisUpdateDate}, older than the ${maximumAgeSeconds} seconds allowed`,
  ERR_REVOCATION_OCSP_WITHOUT_NEXT_UPDATE: ({ position }) =>
    `OCSP response number ${position + 1} has no nextUpdate; it counts only with maximumAgeSeconds`,
  ERR_REVOCATION_OCSP_UNKNOWN: ({ position }) =>
    `the responder of OCSP response number ${position + 1} does not know the certificate`,
  ERR_REVOCATION_OCSP_SIGNER: ({ position }) =>
    `OCSP response number ${position + 1} is signed neither by the issuer nor by a responder that the issuer authorized`,
  ERR_REVOCATION_OCSP_SIGNATURE: ({ position }) =>
    `OCSP response number ${position + 1} carries a signature that does not hold`,
};

/** What each check found where it passed, as the end of a sentence that starts with the certificate. */
const passedTexts: Readonly<Record<ChainCheck, string>> = {
  signature: "is signed by the certificate above it",
  validity: "is within its validity",
  revocation: "is not revoked",
  nameConstraints: "keeps to the name constraints above it",
  certificatePolicies: "has the policies that are asked for, along its whole path",
  basicConstraints: "is a certificate authority",
  pathLength: "keeps to the path lengths above it",
  keyUsage: "may sign certificates",
  extendedKeyUsage: "may be used for the purpose",
  criticalExtensions: "has no critical extension that is unknown",
  referenceName: "presents the name that was asked for",
  anchorValidity: "is within its validity",
  version: "has version 3",
  serialNumber: "has a positive serial number of at most 20 octets",
  authoritySubject: "has a subject",
  nonCriticalExtensions: "marks nothing as critical that must not be",
  mandatoryCriticalExtensions: "marks as critical what must be",
  nameConstraintsCritical: "marks its name constraints as critical",
  authorityKeyIdentifier: "says which key signed it",
  subjectKeyIdentifier: "says which key it has",
  rootAuthorityKeyIdentifier: "is a root that names no other key than its own",
  certSignWithoutCa: "does not have keyCertSign without being a certificate authority",
  nameConstraintsInEndEntity: "does not have name constraints without being a certificate authority",
  nameConstraintSyntax: "has well-formed name constraints",
  alternativeNameSyntax: "has well-formed alternative names",
  endEntityKeyUsage: "has a key that TLS may use for this",
  endEntityIsCa: "is no certificate authority",
  extendedKeyUsageForm: "lists its purposes as the Web PKI demands",
  commonName: "has no common name besides its alternative names",
  subjectAltNameCritical: "does not mark its alternative names as critical",
  subjectKey: "has a key of an accepted kind and size",
  publicSuffix: "has no wildcard right below a public suffix",
  revocationListNumber: "is covered by a list with a number",
};

/** How a result is explained. */
export interface ExplainOptions {
  /** Whether the checks that hold are listed, too. Default: with an accepted chain, and not with a refused one. */
  readonly holding?: boolean;
}

/**
 * A result as lines for people: the path, what fails and what is warned of (each with code and clause), what else was
 * tried, and as the last line of a refusal what mends it.
 */
export function explainChain(result: ChainResult, { holding = result.ok }: ExplainOptions = {}): string[] {
  const names = namesOf(result.path, result.trustAnchor);
  const path = names.map((name, index) => placed(name, index, result)).join(" <- ");
  const lines = [
    result.ok
      ? `accepted for ${result.purpose}: ${names.join(" <- ")}`
      : `refused for ${result.purpose}: ${path || "no certificate was looked into"}`,
  ];
  if (!result.ok) lines.push(...result.failures.map((found) => failureLine("fails", found, result)));
  lines.push(...result.warnings.map((found) => failureLine("warns", found, result)));
  if (holding) lines.push(...result.checks.map((passed) => passedLine(passed, result)));
  if (result.ok) return lines;
  lines.push(...result.tried.map(triedLine));
  const [first] = result.failures;
  if (first !== undefined) lines.push(`  mend   ${mendFailure(first)}`);
  return lines;
}

/** What a failure says of its certificate, as the end of a sentence: `expired after ...`. */
export function describeFailure(failure: ChainFailure): string {
  return textOf(failure, 0);
}

/** What to do about a failure, as a sentence. */
export function mendFailure(failure: ChainFailure): string {
  return textOf(failure, 1);
}

/** Why a source of revocation could not say the status, as a clause without a full stop. */
export function describeRevocationReason(reason: RevocationReason): string {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- code and evidence belong together by their type
  const describe = reasonTexts[reason.code] as (evidence: RevocationReason["evidence"]) => string;
  return describe(shortened(reason.evidence));
}

function textOf(failure: ChainFailure, which: 0 | 1): string {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- code and evidence belong together by their type
  const describe = texts[failure.code][which] as (evidence: ChainFailure["evidence"]) => string;
  return describe(shortened(failure.evidence));
}

type Path = Pick<FailedPath, "path" | "trustAnchor">;

/** The subjects of a path; certificates of one name are told apart by their key identifiers. */
function namesOf(path: readonly Certificate[], trustAnchor: TrustAnchor | undefined): string[] {
  const all: readonly { readonly name: string; readonly certificate: Certificate | undefined }[] = [
    ...path.map((certificate) => ({ name: shorten(nameText(certificate.subject)), certificate })),
    ...(trustAnchor === undefined
      ? []
      : [{ name: shorten(nameText(trustAnchor.name)), certificate: trustAnchor.certificate }]),
  ];
  return all.map(({ name, certificate }) => {
    const isAlone = all.filter((other) => other.name === name).length === 1;
    const identifier = isAlone || certificate === undefined ? undefined : keyIdentifierText(certificate);
    return `${name || "(no subject)"}${identifier === undefined ? "" : ` [key ${identifier}]`}`;
  });
}

function keyIdentifierText({ extensions }: Certificate): string | undefined {
  const found = extensions.find(({ oid }) => hexText(oid) === hexText(subjectKeyIdentifier.oid));
  // An OCTET STRING: its header has two octets, for key identifiers are shorter than 128.
  return found === undefined ? undefined : shorten(hexText(found.value.subarray(2)));
}

function placed(name: string, index: number, { path, trustAnchor }: Path): string {
  return index === path.length && trustAnchor !== undefined ? `${name} (trust anchor)` : name;
}

function failureLine(verb: string, found: ChainFailure, path: Path): string {
  return `  ${verb}  ${who(found.certificateIndex, path)}${describeFailure(found)} (${found.code}, ${found.clause})`;
}

function passedLine({ check, certificateIndex }: PassedCheck, path: Path): string {
  return `  holds  ${who(certificateIndex, path)}${passedTexts[check]} (${check})`;
}

function triedLine(tried: FailedPath): string {
  const [first] = tried.failures;
  const why =
    first === undefined ? "" : `: ${who(first.certificateIndex, tried)}${describeFailure(first)} (${first.code})`;
  return `  tried  ${namesOf(tried.path, tried.trustAnchor).join(" <- ")}${why}`;
}

/** `"CN=button" (the certificate in question) `, or nothing where a failure belongs to no certificate. */
function who(index: number | undefined, path: Path): string {
  if (index === undefined) return "";
  const name = namesOf(path.path, path.trustAnchor)[index];
  const place =
    index === 0
      ? "the certificate in question"
      : index < path.path.length
        ? `intermediate ${index}`
        : path.trustAnchor === undefined
          ? `an issuer of "${namesOf(path.path, undefined).at(-1) ?? ""}"`
          : "the trust anchor";
  return name === undefined ? `${place} ` : `"${name}" (${place}) `;
}

function anchorsText(names: readonly string[], count: number): string {
  if (count === 0) return "there are no trust anchors";
  const more = count > names.length ? ` and ${count - names.length} more` : "";
  return `the trust anchors are ${quoted(names)}${more}`;
}

function quoted(names: readonly string[]): string {
  return names.map(quote).join(", ");
}

function quote(name: string): string {
  return `"${name}"`;
}

function list(words: readonly string[]): string {
  return words.length === 0 ? "nothing" : words.join(", ");
}
