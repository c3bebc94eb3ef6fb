/** Why a source of revocation could not say the status of a certificate: a code, and evidence as fields. */

import type { ToleranceCode } from "@latchkey/x509";

/** What is known, by code. Times are seconds since 1970; beside each stands the same as a date. Names are for people. */
export interface RevocationReasonEvidence {
  /** No list and no response was given for certificates of this issuer. */
  readonly ERR_REVOCATION_NO_SOURCE: { readonly issuer: string };
  /** The caller's own check answered "unknown". */
  readonly ERR_REVOCATION_HOOK_UNKNOWN: { readonly [name: string]: never };

  // Revocation lists. `list` is the name of the list's issuer.
  /** `position` counts the lists given, from 0; `reason` is the code of the X509Error. */
  readonly ERR_REVOCATION_LIST_MALFORMED: {
    readonly position: number;
    readonly reason: string;
    readonly message: string;
    readonly offset: number | undefined;
  };
  /** The list is for other certificates: `scope` says for which. */
  readonly ERR_REVOCATION_LIST_SCOPE: { readonly list: string; readonly scope: string };
  readonly ERR_REVOCATION_LIST_NOT_YET_VALID: {
    readonly list: string;
    readonly thisUpdate: number;
    readonly thisUpdateDate: string;
    readonly atDate: string;
  };
  readonly ERR_REVOCATION_LIST_STALE: {
    readonly list: string;
    readonly nextUpdate: number;
    readonly nextUpdateDate: string;
    readonly atDate: string;
  };
  readonly ERR_REVOCATION_LIST_TOO_OLD: {
    readonly list: string;
    readonly thisUpdate: number;
    readonly thisUpdateDate: string;
    readonly maximumAgeSeconds: number;
  };
  readonly ERR_REVOCATION_LIST_WITHOUT_NEXT_UPDATE: { readonly list: string };
  /** RFC 5280 §5.2.3: a list has a number, and the number is not critical. */
  readonly ERR_REVOCATION_LIST_NUMBER: { readonly list: string; readonly problem: "missing" | "critical" };
  readonly ERR_REVOCATION_LIST_CRITICAL_EXTENSION: { readonly list: string; readonly oid: string };
  /** Not a reason against it: the list has a slip of its maker that is tolerated with a warning. */
  readonly ERR_REVOCATION_LIST_TOLERATED: {
    readonly list: string;
    readonly tolerance: ToleranceCode;
    readonly what: string;
    readonly rule: string;
    readonly offset: number;
    readonly count: number;
  };
  /** No certificate is at hand that may have signed the list. */
  readonly ERR_REVOCATION_LIST_SIGNER_UNKNOWN: { readonly list: string };
  readonly ERR_REVOCATION_LIST_SIGNER_KEY_USAGE: { readonly list: string };
  readonly ERR_REVOCATION_LIST_SIGNATURE: { readonly list: string };
  /** The signer of the list has no path of its own to the same trust anchor. */
  readonly ERR_REVOCATION_LIST_SIGNER_UNTRUSTED: { readonly list: string };
  /** The lists together do not say something about each reason for revocation. */
  readonly ERR_REVOCATION_REASONS_NOT_COVERED: { readonly missing: readonly string[] };

  // OCSP responses. `position` counts the responses given, from 0.
  readonly ERR_REVOCATION_OCSP_MALFORMED: { readonly position: number };
  /** The responder answered without a status: `status` is its answer, `tryLater` for instance. */
  readonly ERR_REVOCATION_OCSP_STATUS: { readonly position: number; readonly status: string };
  readonly ERR_REVOCATION_OCSP_CRITICAL_EXTENSION: { readonly position: number; readonly oid: string };
  /** The response is about other certificates only. */
  readonly ERR_REVOCATION_OCSP_OTHER_CERTIFICATE: { readonly position: number };
  /** The response was made outside of the certificate's validity. */
  readonly ERR_REVOCATION_OCSP_PRODUCED_AT: { readonly position: number; readonly producedAtDate: string };
  readonly ERR_REVOCATION_OCSP_NOT_YET_VALID: {
    readonly position: number;
    readonly thisUpdate: number;
    readonly thisUpdateDate: string;
    readonly atDate: string;
  };
  readonly ERR_REVOCATION_OCSP_STALE: {
    readonly position: number;
    readonly nextUpdate: number;
    readonly nextUpdateDate: string;
    readonly atDate: string;
  };
  readonly ERR_REVOCATION_OCSP_TOO_OLD: {
    readonly position: number;
    readonly thisUpdate: number;
    readonly thisUpdateDate: string;
    readonly maximumAgeSeconds: number;
  };
  readonly ERR_REVOCATION_OCSP_WITHOUT_NEXT_UPDATE: { readonly position: number };
  /** The responder does not know the certificate. */
  readonly ERR_REVOCATION_OCSP_UNKNOWN: { readonly position: number };
  /** The response is signed neither by the issuer nor by a responder that the issuer authorized. */
  readonly ERR_REVOCATION_OCSP_SIGNER: { readonly position: number };
  readonly ERR_REVOCATION_OCSP_SIGNATURE: { readonly position: number };
}

/** The stable codes of reasons. */
export type RevocationReasonCode = keyof RevocationReasonEvidence;

/** One reason; `switch (reason.code)` narrows `evidence`. */
export type RevocationReason = {
  [Code in RevocationReasonCode]: { readonly code: Code; readonly evidence: RevocationReasonEvidence[Code] };
}[RevocationReasonCode];

/** Makes a reason. */
export function revocationReason<Code extends RevocationReasonCode>(
  code: Code,
  evidence: RevocationReasonEvidence[Code],
): RevocationReason {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a member of the union that the mapped type spans
  return { code, evidence } as unknown as RevocationReason;
}
