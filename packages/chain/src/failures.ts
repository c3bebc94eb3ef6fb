/**
 * The catalogue of what can be wrong with a chain: a stable code, the clause that is broken, the evidence as fields.
 * `explain.ts` has the sentences.
 *
 * Codes are grouped by what is wrong. `ChainFailure` is a union over the codes, so `switch (failure.code)` narrows the
 * evidence.
 */

import type { KeyUsage, ToleranceCode } from "@latchkey/x509";
import type { LimitName } from "./limits.ts";
import type { RevocationReason } from "./revocation-reason.ts";

/** The code says everything. */
interface NoEvidence {
  readonly [name: string]: never;
}

/** Where a certificate came from. */
export type CertificateSource =
  /** It is the certificate in question. */
  | "certificate"
  /** It is one of the intermediates given with the question. */
  | "intermediates"
  /** It is one of the verifier's own intermediates. */
  | "verifier"
  | "trustAnchor";

/** Which certificate set a rule. */
interface RuleOf {
  /** The index of the certificate that sets the constraint; the path's length stands for the trust anchor. */
  readonly constrainedBy: number;
  /** Its subject. */
  readonly constrainedByName: string;
}

/**
 * What is known about a failure, by its code.
 *
 * Times are seconds since 1970, and beside each stands the same as a date (ISO 8601, UTC). Names are text for people (RFC
 * 4514). Key identifiers are in hexadecimal. Lists are cut at 20 elements.
 */
export interface FailureEvidence {
  // A certificate that cannot be read.
  /**
   * `reason` is the code of the X509Error and `message` its text; `offset` counts from the start of the certificate.
   * `position` says which of the given intermediates it is, counted from 0.
   */
  readonly ERR_CHAIN_CERTIFICATE_MALFORMED: {
    readonly reason: string;
    readonly message: string;
    readonly offset: number | undefined;
    readonly source: CertificateSource;
    readonly position: number | undefined;
  };

  // No way to a trust anchor.
  /**
   * No certificate of this name leads to a trust anchor. `keyIdentifier` is the one that the issuer should have, where
   * the certificate says it. `trustAnchors` are the names of the anchors that there are, of `trustAnchorCount` in all.
   */
  readonly ERR_CHAIN_NO_ISSUER: {
    readonly issuer: string;
    readonly keyIdentifier: string | undefined;
    /** Whether the certificate is its own issuer: a root that is not trusted. */
    readonly isSelfIssued: boolean;
    /** Whether the intermediates hold certificates of the issuer, all of which are on the path already. */
    readonly hasCandidates: boolean;
    readonly trustAnchors: readonly string[];
    readonly trustAnchorCount: number;
  };
  /**
   * The key of the certificate that is named as the issuer did not make the signature. Where both key identifiers are
   * there and differ, the certificate is from another key of an issuer of the same name.
   */
  readonly ERR_CHAIN_SIGNATURE: {
    readonly issuer: string;
    /** The key identifier that the signed certificate names. */
    readonly wantedKeyIdentifier: string | undefined;
    /** The key identifier of the certificate that was tried as its issuer. */
    readonly triedKeyIdentifier: string | undefined;
  };
  /** `reason` is the code of the CryptoError: the algorithm is weak, unknown, or not one that the key can make. */
  readonly ERR_CHAIN_SIGNATURE_ALGORITHM: {
    readonly reason: string;
    readonly message: string;
    readonly algorithm: string;
  };
  /** The key in this certificate cannot be used to check signatures; `reason` is the code of the CryptoError. */
  readonly ERR_CHAIN_ISSUER_KEY: { readonly reason: string; readonly message: string };
  readonly ERR_CHAIN_NOT_A_CA: { readonly version: number; readonly hasBasicConstraints: boolean };
  /** At most `maximum` intermediates that are not self-issued may be below the certificate that says so; undefined for the caller. */
  readonly ERR_CHAIN_PATH_LENGTH: {
    readonly constrainedBy: number | undefined;
    readonly constrainedByName: string | undefined;
    readonly maximum: number;
    /** How many there are. */
    readonly found: number;
  };
  /** One of `required` was needed. */
  readonly ERR_CHAIN_KEY_USAGE: { readonly required: readonly KeyUsage[]; readonly present: readonly KeyUsage[] };
  /** Purposes by name, `serverAuth` for instance; those without a name as dotted object identifiers. */
  readonly ERR_CHAIN_EXTENDED_KEY_USAGE: { readonly required: string; readonly present: readonly string[] };
  /**
   * A critical extension that is unknown, or of which a part is: `name` where the extension has one, `part` what of it is
   * not understood.
   */
  readonly ERR_CHAIN_UNKNOWN_CRITICAL_EXTENSION: {
    readonly oid: string;
    readonly name: string | undefined;
    readonly part: string | undefined;
  };

  // Not at this time.
  readonly ERR_CHAIN_NOT_YET_VALID: {
    readonly notBefore: number;
    readonly notBeforeDate: string;
    readonly at: number;
    readonly atDate: string;
  };
  readonly ERR_CHAIN_EXPIRED: {
    readonly notAfter: number;
    readonly notAfterDate: string;
    readonly at: number;
    readonly atDate: string;
  };
  readonly ERR_CHAIN_REVOKED: {
    readonly source: "crl" | "ocsp" | "hook";
    readonly reason: string | undefined;
    readonly revokedAt: number | undefined;
    readonly revokedAtDate: string | undefined;
  };
  /** Why no source could say the status; at least one reason. */
  readonly ERR_CHAIN_REVOCATION_UNKNOWN: { readonly reasons: readonly RevocationReason[] };

  // Not for this name or policy.
  /** `permitted` are the subtrees of the name's form that the constraint permits. */
  readonly ERR_CHAIN_NAME_NOT_PERMITTED: RuleOf & {
    readonly form: string;
    readonly name: string;
    readonly permitted: readonly string[];
  };
  readonly ERR_CHAIN_NAME_EXCLUDED: RuleOf & {
    readonly form: string;
    readonly name: string;
    readonly subtree: string;
  };
  /** A constraint on a form of name that is not supported, and a name of that form. */
  readonly ERR_CHAIN_NAME_CONSTRAINT_UNSUPPORTED: RuleOf & { readonly form: string };
  /** A policy is required, and none is valid for the whole path. Dotted object identifiers. */
  readonly ERR_CHAIN_POLICY: {
    /** Policies of which one would do; none where any would. */
    readonly acceptable: readonly string[];
    /** Policies that the certificate in question has. */
    readonly present: readonly string[];
  };
  /** anyPolicy in a policy mapping. */
  readonly ERR_CHAIN_POLICY_MAPPING: NoEvidence;
  readonly ERR_CHAIN_REFERENCE_NAME: { readonly reference: readonly string[]; readonly presented: readonly string[] };

  // Over a limit.
  /** `used` is what was counted when the limit was reached: the least that would have been needed. */
  readonly ERR_CHAIN_LIMIT: { readonly limit: LimitName; readonly maximum: number; readonly used: number };

  // Read on over, where the tolerances of x509 say so.
  /**
   * A slip of the certificate's maker that can be read in one way only: `tolerance` is its name in x509's table, `rule` what
   * it breaks. Only ever a warning: where the slip is not tolerated, the certificate is malformed.
   */
  readonly ERR_CHAIN_TOLERATED: {
    readonly tolerance: ToleranceCode;
    readonly what: string;
    readonly rule: string;
    readonly offset: number;
    readonly count: number;
  };

  // Against the profile: each is a check that can be set to a warning.
  readonly ERR_CHAIN_ANCHOR_EXPIRED: {
    readonly notBefore: number;
    readonly notBeforeDate: string;
    readonly notAfter: number;
    readonly notAfterDate: string;
    readonly at: number;
    readonly atDate: string;
  };
  readonly ERR_CHAIN_VERSION: { readonly version: number };
  readonly ERR_CHAIN_SERIAL_NUMBER: { readonly problem: "zero" | "negative" | "long"; readonly octets: number };
  readonly ERR_CHAIN_EMPTY_SUBJECT: NoEvidence;
  readonly ERR_CHAIN_EXTENSION_CRITICAL: { readonly extension: string };
  readonly ERR_CHAIN_EXTENSION_NOT_CRITICAL: { readonly extension: string };
  readonly ERR_CHAIN_NAME_CONSTRAINTS_NOT_CRITICAL: NoEvidence;
  readonly ERR_CHAIN_AUTHORITY_KEY_IDENTIFIER: { readonly problem: KeyIdentifierProblem };
  readonly ERR_CHAIN_SUBJECT_KEY_IDENTIFIER: { readonly problem: "missing" };
  readonly ERR_CHAIN_ROOT_AUTHORITY_KEY_IDENTIFIER: { readonly problem: KeyIdentifierProblem };
  readonly ERR_CHAIN_CERT_SIGN_WITHOUT_CA: NoEvidence;
  readonly ERR_CHAIN_NAME_CONSTRAINTS_IN_END_ENTITY: NoEvidence;
  readonly ERR_CHAIN_NAME_CONSTRAINT_SYNTAX: { readonly form: string; readonly subtree: string };
  readonly ERR_CHAIN_ALTERNATIVE_NAME_SYNTAX: { readonly form: string; readonly name: string };
  readonly ERR_CHAIN_END_ENTITY_IS_CA: NoEvidence;
  readonly ERR_CHAIN_EXTENDED_KEY_USAGE_FORM: {
    readonly problem: "missing" | "anyExtendedKeyUsage" | "critical" | "in a root";
  };
  readonly ERR_CHAIN_COMMON_NAME: { readonly commonName: string; readonly alternativeNames: readonly string[] };
  readonly ERR_CHAIN_SUBJECT_ALT_NAME_CRITICAL: NoEvidence;
  /** `algorithm` by name or as a dotted object identifier; `accepted` says which keys are. */
  readonly ERR_CHAIN_SUBJECT_KEY: {
    readonly algorithm: string;
    readonly bits: number | undefined;
    readonly accepted: string;
  };
  readonly ERR_CHAIN_PUBLIC_SUFFIX: { readonly name: string; readonly suffix: string };
}

/** How many elements a list of evidence shows. */
export const maximumShown = 20;

/** What can be wrong with an authorityKeyIdentifier. */
export type KeyIdentifierProblem = "missing" | "no keyIdentifier" | "names issuer and serial number" | "not its own";

/** The stable codes of failures. */
export type ChainFailureCode = keyof FailureEvidence;

interface FailureOf<Code extends ChainFailureCode> {
  readonly code: Code;
  /**
   * 0 for the certificate in question, rising towards the trust anchor, whose index is the path's length. Undefined where
   * the failure belongs to no certificate in particular.
   */
  readonly certificateIndex: number | undefined;
  /** The clause that was broken, such as `RFC 5280 §4.2.1.9`. */
  readonly clause: string;
  readonly evidence: FailureEvidence[Code];
}

/** One thing that is wrong; `switch (failure.code)` narrows `evidence`. */
export type ChainFailure = { [Code in ChainFailureCode]: FailureOf<Code> }[ChainFailureCode];

const brForum = "CA/Browser Forum BR";

/** The clause behind each code; `CA/Browser Forum BR` is the Baseline Requirements for TLS server certificates. */
const clauses: Readonly<Record<ChainFailureCode, string>> = {
  ERR_CHAIN_CERTIFICATE_MALFORMED: "RFC 5280 §4.1",
  ERR_CHAIN_NO_ISSUER: "RFC 5280 §6.1.3 (a)(4)",
  ERR_CHAIN_SIGNATURE: "RFC 5280 §6.1.3 (a)(1)",
  ERR_CHAIN_SIGNATURE_ALGORITHM: "RFC 5280 §4.1.1.2",
  ERR_CHAIN_ISSUER_KEY: "RFC 5280 §6.1.4 (d)",
  ERR_CHAIN_NOT_A_CA: "RFC 5280 §6.1.4 (k)",
  ERR_CHAIN_PATH_LENGTH: "RFC 5280 §6.1.4 (l)",
  ERR_CHAIN_KEY_USAGE: "RFC 5280 §6.1.4 (n)",
  ERR_CHAIN_EXTENDED_KEY_USAGE: "RFC 5280 §4.2.1.12",
  ERR_CHAIN_UNKNOWN_CRITICAL_EXTENSION: "RFC 5280 §4.2",
  ERR_CHAIN_NOT_YET_VALID: "RFC 5280 §6.1.3 (a)(2)",
  ERR_CHAIN_EXPIRED: "RFC 5280 §6.1.3 (a)(2)",
  ERR_CHAIN_REVOKED: "RFC 5280 §6.1.3 (a)(3)",
  ERR_CHAIN_REVOCATION_UNKNOWN: "RFC 5280 §6.3.3",
  ERR_CHAIN_NAME_NOT_PERMITTED: "RFC 5280 §6.1.3 (b)",
  ERR_CHAIN_NAME_EXCLUDED: "RFC 5280 §6.1.3 (c)",
  ERR_CHAIN_NAME_CONSTRAINT_UNSUPPORTED: "RFC 5280 §4.2.1.10",
  ERR_CHAIN_POLICY: "RFC 9618 §5.4",
  ERR_CHAIN_POLICY_MAPPING: "RFC 5280 §6.1.4 (a)",
  ERR_CHAIN_REFERENCE_NAME: "RFC 9525 §6",
  ERR_CHAIN_LIMIT: "limit",
  ERR_CHAIN_TOLERATED: "RFC 5280 §4.1",
  ERR_CHAIN_ANCHOR_EXPIRED: "RFC 5280 §6.2",
  ERR_CHAIN_VERSION: `${brForum} §7.1.1`,
  ERR_CHAIN_SERIAL_NUMBER: "RFC 5280 §4.1.2.2",
  ERR_CHAIN_EMPTY_SUBJECT: "RFC 5280 §4.1.2.6",
  ERR_CHAIN_EXTENSION_CRITICAL: "RFC 5280 §4.2",
  ERR_CHAIN_EXTENSION_NOT_CRITICAL: "RFC 5280 §4.2",
  ERR_CHAIN_NAME_CONSTRAINTS_NOT_CRITICAL: "RFC 5280 §4.2.1.10",
  ERR_CHAIN_AUTHORITY_KEY_IDENTIFIER: "RFC 5280 §4.2.1.1",
  ERR_CHAIN_SUBJECT_KEY_IDENTIFIER: "RFC 5280 §4.2.1.2",
  ERR_CHAIN_ROOT_AUTHORITY_KEY_IDENTIFIER: `${brForum} §7.1.2.1.3`,
  ERR_CHAIN_CERT_SIGN_WITHOUT_CA: "RFC 5280 §4.2.1.9",
  ERR_CHAIN_NAME_CONSTRAINTS_IN_END_ENTITY: "RFC 5280 §4.2.1.10",
  ERR_CHAIN_NAME_CONSTRAINT_SYNTAX: "RFC 5280 §4.2.1.10",
  ERR_CHAIN_ALTERNATIVE_NAME_SYNTAX: "RFC 5280 §4.2.1.6",
  ERR_CHAIN_END_ENTITY_IS_CA: `${brForum} §7.1.2.7.8`,
  ERR_CHAIN_EXTENDED_KEY_USAGE_FORM: `${brForum} §7.1.2.7.10`,
  ERR_CHAIN_COMMON_NAME: `${brForum} §7.1.4.3`,
  ERR_CHAIN_SUBJECT_ALT_NAME_CRITICAL: `${brForum} §7.1.2.7.12`,
  ERR_CHAIN_SUBJECT_KEY: `${brForum} §6.1.5`,
  ERR_CHAIN_PUBLIC_SUFFIX: `${brForum} §3.2.2.6`,
};

/** Makes a failure, with its clause from the catalogue. */
export function failure<Code extends ChainFailureCode>(
  code: Code,
  certificateIndex: number | undefined,
  evidence: FailureEvidence[Code],
  clause: string = clauses[code],
): ChainFailure {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a member of the union that the mapped type spans
  return { code, certificateIndex, clause, evidence } as unknown as ChainFailure;
}
