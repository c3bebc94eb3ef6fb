/**
 * The catalogue of what can be wrong with a chain: a stable code, the clause that it breaks, the evidence.
 *
 * Codes are grouped by whose fault it is. `ChainFailure` is a union over the codes, so `switch (failure.code)` narrows
 * the evidence.
 */

import type { KeyUsage } from "@latchkey/x509";
import type { LimitName } from "./chain-limits.ts";

/** The code says it all. */
interface NoEvidence {
  readonly [name: string]: never;
}

/** What is known about a failure, by its code. Times are seconds since 1970, names are RFC 4514-like text for people. */
export interface FailureEvidence {
  // Not readable.
  /** `reason` is the code of the X509Error; `offset` counts from the start of the certificate. */
  readonly ERR_CHAIN_CERTIFICATE_MALFORMED: {
    readonly reason: string;
    readonly message: string;
    readonly offset: number | undefined;
  };

  // Not vouched for.
  /** Nothing by this name leads to a trust anchor. */
  readonly ERR_CHAIN_NO_ISSUER: { readonly issuer: string; readonly hasCandidates: boolean };
  readonly ERR_CHAIN_SIGNATURE: { readonly issuer: string };
  /** `reason` is the code of the CryptoError: the algorithm is weak, unknown, or not one that the key can make. */
  readonly ERR_CHAIN_SIGNATURE_ALGORITHM: { readonly reason: string; readonly algorithm: string };
  /** The key in this certificate cannot be used to check signatures; `reason` is the code of the CryptoError. */
  readonly ERR_CHAIN_ISSUER_KEY: { readonly reason: string };
  readonly ERR_CHAIN_NOT_A_CA: { readonly version: number; readonly hasBasicConstraints: boolean };
  /** `maximum` intermediate certificates may follow, by the constraint of a certificate above or by the caller. */
  readonly ERR_CHAIN_PATH_LENGTH: { readonly constrainedBy: number | undefined };
  /** One of `required` was needed. */
  readonly ERR_CHAIN_KEY_USAGE: { readonly required: readonly KeyUsage[]; readonly present: readonly KeyUsage[] };
  /** Purposes as dotted object identifiers. */
  readonly ERR_CHAIN_EXTENDED_KEY_USAGE: { readonly required: string; readonly present: readonly string[] };
  readonly ERR_CHAIN_UNKNOWN_CRITICAL_EXTENSION: { readonly oid: string };

  // Not now.
  readonly ERR_CHAIN_NOT_YET_VALID: { readonly notBefore: number; readonly at: number };
  readonly ERR_CHAIN_EXPIRED: { readonly notAfter: number; readonly at: number };
  readonly ERR_CHAIN_REVOKED: {
    readonly source: "crl" | "ocsp" | "hook";
    readonly reason: string | undefined;
    readonly revokedAt: number | undefined;
  };
  /** Why each source that was looked at did not tell; empty where there was none. */
  readonly ERR_CHAIN_REVOCATION_UNKNOWN: { readonly reasons: readonly string[] };

  // Not for this name or policy.
  /** `constrainedBy` is the index of the certificate with the constraint. */
  readonly ERR_CHAIN_NAME_NOT_PERMITTED: {
    readonly form: string;
    readonly name: string;
    readonly constrainedBy: number;
  };
  readonly ERR_CHAIN_NAME_EXCLUDED: {
    readonly form: string;
    readonly name: string;
    readonly subtree: string;
    readonly constrainedBy: number;
  };
  /** A constraint on a form of name that is not supported, and a name of that form. */
  readonly ERR_CHAIN_NAME_CONSTRAINT_UNSUPPORTED: { readonly form: string; readonly constrainedBy: number };
  /** An explicit policy is required, and no policy is valid for the whole path. Dotted object identifiers. */
  readonly ERR_CHAIN_POLICY: { readonly acceptable: readonly string[] };
  /** anyPolicy in a policy mapping. */
  readonly ERR_CHAIN_POLICY_MAPPING: NoEvidence;
  readonly ERR_CHAIN_REFERENCE_NAME: { readonly reference: readonly string[]; readonly presented: readonly string[] };

  // Over a limit.
  readonly ERR_CHAIN_LIMIT: { readonly limit: LimitName; readonly maximum: number };

  // Against the profile: each is a check that can be set to a warning.
  readonly ERR_CHAIN_ANCHOR_EXPIRED: { readonly notBefore: number; readonly notAfter: number; readonly at: number };
  readonly ERR_CHAIN_VERSION: { readonly version: number };
  readonly ERR_CHAIN_SERIAL_NUMBER: { readonly problem: "zero" | "negative" | "long" };
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
  readonly ERR_CHAIN_COMMON_NAME: { readonly commonName: string };
  readonly ERR_CHAIN_SUBJECT_ALT_NAME_CRITICAL: NoEvidence;
  readonly ERR_CHAIN_SUBJECT_KEY: { readonly algorithm: string; readonly bits: number | undefined };
  readonly ERR_CHAIN_PUBLIC_SUFFIX: { readonly name: string };
}

export type KeyIdentifierProblem = "missing" | "no keyIdentifier" | "names issuer and serial number" | "not its own";

/** The stable codes of failures. */
export type ChainFailureCode = keyof FailureEvidence;

interface FailureOf<Code extends ChainFailureCode> {
  readonly code: Code;
  /**
   * 0 for the certificate that was asked about, rising towards the trust anchor, whose index is the path's length.
   * Undefined where the failure belongs to none in particular.
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
