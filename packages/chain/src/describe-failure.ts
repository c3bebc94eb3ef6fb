/** Failures in words. */

import { generalizedTimeText } from "@latchkey/asn1";
import type { ChainFailure, ChainFailureCode, FailureEvidence } from "./failures.ts";

type Describe = { readonly [Code in ChainFailureCode]: (evidence: FailureEvidence[Code]) => string };

const revocationSources = { crl: "a revocation list", ocsp: "an OCSP response", hook: "the caller's own check" };

/** What each failure says of its certificate, as the end of a sentence. */
const texts: Describe = {
  ERR_CHAIN_CERTIFICATE_MALFORMED: ({ message }) => `cannot be read: ${message}`,
  ERR_CHAIN_NO_ISSUER: ({ issuer, hasCandidates }) =>
    hasCandidates
      ? `leads to "${issuer}", which is no trust anchor`
      : `was issued by "${issuer}", which is no trust anchor and not among the intermediates`,
  ERR_CHAIN_SIGNATURE: ({ issuer }) => `carries a signature that "${issuer}" did not make`,
  ERR_CHAIN_SIGNATURE_ALGORITHM: ({ reason, algorithm }) => `is signed by algorithm ${algorithm}: ${reason}`,
  ERR_CHAIN_ISSUER_KEY: ({ reason }) => `has a key that cannot be used: ${reason}`,
  ERR_CHAIN_NOT_A_CA: ({ version, hasBasicConstraints }) => {
    if (version !== 3) return `is of version ${version}, which cannot say that it is an authority`;
    return `is no authority: ${hasBasicConstraints ? "its basicConstraints say so" : "it has no basicConstraints"}`;
  },
  ERR_CHAIN_PATH_LENGTH: ({ constrainedBy }) =>
    `is one intermediate more than ${constrainedBy === undefined ? "the caller allows" : `certificate ${constrainedBy} allows`}`,
  ERR_CHAIN_KEY_USAGE: ({ required, present }) =>
    `has a key for ${present.join(", ")}, where ${required.join(" or ")} is needed`,
  ERR_CHAIN_EXTENDED_KEY_USAGE: ({ required, present }) =>
    `is for the purposes ${present.join(", ")} and not for ${required}`,
  ERR_CHAIN_UNKNOWN_CRITICAL_EXTENSION: ({ oid }) => `has the critical extension ${oid}, which is unknown`,
  ERR_CHAIN_NOT_YET_VALID: ({ notBefore, at }) => `is not valid before ${time(notBefore)}; it is ${time(at)}`,
  ERR_CHAIN_EXPIRED: ({ notAfter, at }) => `expired after ${time(notAfter)}; it is ${time(at)}`,
  ERR_CHAIN_REVOKED: ({ source, reason, revokedAt }) => {
    const since = revokedAt === undefined ? "" : ` since ${time(revokedAt)}`;
    return `is revoked${since} by ${revocationSources[source]}${reason === undefined ? "" : `: ${reason}`}`;
  },
  ERR_CHAIN_REVOCATION_UNKNOWN: ({ reasons }) =>
    `may be revoked: ${reasons.length === 0 ? "there is nothing to tell" : reasons.join("; ")}`,
  ERR_CHAIN_NAME_NOT_PERMITTED: ({ form, name, constrainedBy }) =>
    `has the ${form} "${name}", which certificate ${constrainedBy} does not permit`,
  ERR_CHAIN_NAME_EXCLUDED: ({ form, name, subtree, constrainedBy }) =>
    `has the ${form} "${name}", which certificate ${constrainedBy} excludes by "${subtree}"`,
  ERR_CHAIN_NAME_CONSTRAINT_UNSUPPORTED: ({ form, constrainedBy }) =>
    `has a name of form ${form}, on which certificate ${constrainedBy} sets constraints that cannot be judged`,
  ERR_CHAIN_POLICY: ({ acceptable }) =>
    acceptable.length === 0
      ? "no policy is valid for the whole path, and one is required"
      : `none of the policies ${acceptable.join(", ")} is valid for the whole path, and one is required`,
  ERR_CHAIN_POLICY_MAPPING: () => "maps anyPolicy, which is not allowed",
  ERR_CHAIN_REFERENCE_NAME: ({ reference, presented }) =>
    `is for ${presented.length === 0 ? "no name at all" : presented.join(", ")} and not for ${reference.join(" or ")}`,
  ERR_CHAIN_LIMIT: ({ limit, maximum }) => `the limit on ${limit} was reached: ${maximum}`,
  ERR_CHAIN_ANCHOR_EXPIRED: ({ notBefore, notAfter, at }) =>
    `is valid from ${time(notBefore)} to ${time(notAfter)}; it is ${time(at)}`,
  ERR_CHAIN_VERSION: ({ version }) => `has version ${version}, not 3`,
  ERR_CHAIN_SERIAL_NUMBER: ({ problem }) =>
    `has a serial number that is ${problem === "long" ? "longer than 20 octets" : problem}`,
  ERR_CHAIN_EMPTY_SUBJECT: () => "is an authority without a subject",
  ERR_CHAIN_EXTENSION_CRITICAL: ({ extension }) => `marks ${extension} critical`,
  ERR_CHAIN_EXTENSION_NOT_CRITICAL: ({ extension }) => `does not mark ${extension} critical`,
  ERR_CHAIN_NAME_CONSTRAINTS_NOT_CRITICAL: () => "does not mark its name constraints critical",
  ERR_CHAIN_AUTHORITY_KEY_IDENTIFIER: ({ problem }) => `does not name the key that signed it: ${problem}`,
  ERR_CHAIN_SUBJECT_KEY_IDENTIFIER: () => "is an authority that does not name its own key",
  ERR_CHAIN_ROOT_AUTHORITY_KEY_IDENTIFIER: ({ problem }) => `is a root with a wrong authorityKeyIdentifier: ${problem}`,
  ERR_CHAIN_CERT_SIGN_WITHOUT_CA: () => "claims to sign certificates and is no authority",
  ERR_CHAIN_NAME_CONSTRAINTS_IN_END_ENTITY: () => "sets name constraints and is no authority",
  ERR_CHAIN_NAME_CONSTRAINT_SYNTAX: ({ form, subtree }) => `has a malformed ${form} constraint: "${subtree}"`,
  ERR_CHAIN_ALTERNATIVE_NAME_SYNTAX: ({ form, name }) => `has a malformed ${form}: "${name}"`,
  ERR_CHAIN_END_ENTITY_IS_CA: () => "is an authority, which an end entity must not be",
  ERR_CHAIN_EXTENDED_KEY_USAGE_FORM: ({ problem }) => `has an extendedKeyUsage that the Web PKI refuses: ${problem}`,
  ERR_CHAIN_COMMON_NAME: ({ commonName }) => `has the common name "${commonName}", which is none of its names`,
  ERR_CHAIN_SUBJECT_ALT_NAME_CRITICAL: () => "marks its alternative names critical beside a subject",
  ERR_CHAIN_SUBJECT_KEY: ({ algorithm, bits }) =>
    `has a key that is too weak or unusual: ${algorithm}${bits === undefined ? "" : ` of ${bits} bits`}`,
  ERR_CHAIN_PUBLIC_SUFFIX: ({ name }) => `has the wildcard "${name}" right under a public suffix`,
};

/** What a failure says of its certificate, as the end of a sentence. */
export function describeFailure(failure: ChainFailure): string {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- code and evidence belong together by their type
  const describe = texts[failure.code] as (evidence: ChainFailure["evidence"]) => string;
  return describe(failure.evidence);
}

/** `2026-11-23T12:00:00Z`; the bare number where it is outside the years 0 to 9999. */
function time(seconds: number): string {
  const text = generalizedTimeText(seconds);
  return text.length === 15
    ? text.replace(/^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/, "$1-$2-$3T$4:$5:$6Z")
    : String(seconds);
}
