/**
 * Revocation (RFC 5280 §6.1.3 (a)(3)): by the caller's own check, OCSP responses and revocation lists.
 *
 * Nothing is fetched. Every source that was given is asked, and one that says "revoked" decides. Where none says "good" the
 * status is unknown, with the reasons of each source.
 */

import { type Certificate, type CertificateRevocationList, nameText } from "@latchkey/x509";
import { KnownList, malformedList, readList } from "./known-list.ts";
import { statusByLists } from "./list-status.ts";
import { ocspStatus } from "./ocsp-status.ts";
import type { RevocationChecker, RevocationStatus, RevocationSubject } from "./revocation-checker.ts";
import { type RevocationReason, revocationReason } from "./revocation-reason.ts";

/** What the caller's own check says about one certificate. */
export type RevocationAnswer = "good" | "revoked" | "unknown";

/** The sources of revocation, and how an unknown status counts. */
export interface RevocationInputs {
  /** What an unknown status is: `hard` refuses, `soft` warns. */
  readonly mode: "hard" | "soft";
  /** All certificates of the path (the default), or only the certificate in question. Anchors never. */
  readonly scope?: "path" | "endEntity";
  /**
   * Revocation lists of any issuers, complete and delta. A parsed list is checked once as long as it is kept; DER is read
   * for each answer, and counts towards the limit `statementOctets`.
   */
  readonly revocationLists?: readonly (CertificateRevocationList | Uint8Array)[];
  /** DER OCSPResponses (RFC 6960). */
  readonly ocspResponses?: readonly Uint8Array[];
  /** How old lists and responses may be, whatever they say themselves. */
  readonly maximumAgeSeconds?: number;
  /** The caller's own knowledge; `issuer` is undefined where the issuer is an anchor without a certificate. */
  readonly check?: (certificate: Certificate, issuer: Certificate | undefined) => RevocationAnswer;
}

/**
 * Revocation for `verify`. The object is cheap to make for each answer; what was found about a parsed list is kept by the
 * verifier for as long as the caller keeps the list.
 */
export function checkRevocation(inputs: RevocationInputs): RevocationChecker {
  const { mode, scope = "path", revocationLists = [], ocspResponses = [] } = inputs;
  let statementOctets = 0;
  for (const list of revocationLists) if (list instanceof Uint8Array) statementOctets += list.length;
  for (const response of ocspResponses) statementOctets += response.length;
  return {
    mode,
    scope,
    statements: revocationLists.length + ocspResponses.length,
    statementOctets,
    check: (subject) => statusOf(subject, inputs),
  };
}

/** Asks the sources, those that cost little first. */
function statusOf(subject: RevocationSubject, inputs: RevocationInputs): RevocationStatus {
  const reasons: RevocationReason[] = [];
  let validUntil: number | undefined;
  for (const status of statuses(subject, inputs)) {
    if (status.status === "revoked") return status;
    if (status.status === "good") validUntil = Math.min(validUntil ?? Number.POSITIVE_INFINITY, status.validUntil);
    for (const reason of status.reasons) reasons.push(reason);
  }
  if (validUntil !== undefined) return { status: "good", validUntil, reasons };
  if (reasons.length === 0) {
    const issuer = nameText(subject.certificate.issuer);
    reasons.push(revocationReason("ERR_REVOCATION_NO_SOURCE", { issuer }));
  }
  return { status: "unknown", reasons };
}

function* statuses(subject: RevocationSubject, inputs: RevocationInputs): Generator<RevocationStatus> {
  const { check, ocspResponses = [], revocationLists, maximumAgeSeconds } = inputs;
  if (check !== undefined) yield hookStatus(check(subject.certificate, subject.issuer.certificate));
  for (const [position, response] of ocspResponses.entries()) {
    yield ocspStatus({
      ...subject,
      response,
      position,
      issuer: subject.issuer.subjectPublicKeyInfo,
      issuerName: subject.certificate.issuer,
      maximumAgeSeconds,
    });
  }
  if (revocationLists !== undefined) yield listStatus(subject, revocationLists, inputs);
}

function hookStatus(answer: RevocationAnswer): RevocationStatus {
  if (answer === "good") return { status: "good", validUntil: Number.POSITIVE_INFINITY, reasons: [] };
  if (answer === "revoked") return { status: "revoked", source: "hook", reason: undefined, revokedAt: undefined };
  return { status: "unknown", reasons: [revocationReason("ERR_REVOCATION_HOOK_UNKNOWN", {})] };
}

function listStatus(
  subject: RevocationSubject,
  revocationLists: readonly (CertificateRevocationList | Uint8Array)[],
  { maximumAgeSeconds, mode }: RevocationInputs,
): RevocationStatus {
  const lists: KnownList[] = [];
  const malformed: RevocationReason[] = [];
  for (const [position, input] of revocationLists.entries()) {
    const read = readList(input, position, subject);
    if (read instanceof KnownList) lists.push(read);
    else if (read !== undefined) malformed.push(malformedList(position, read));
  }
  const ask = (itself: boolean): RevocationStatus =>
    statusByLists({
      subject,
      lists,
      maximumAgeSeconds,
      isWarningOnly: mode === "soft",
      signatureFault: (list) => listSignatureFault(list, itself, subject),
    });
  const byOthers = ask(false);
  // A certificate that an authority made the signer of its lists may be on those lists itself: they count where nobody else
  // says its status, and where they are about it by what the authority says in the certificate (PKITS 4.14.30).
  const status = subject.isListSigner && byOthers.status === "unknown" ? ask(true) : byOthers;
  if (status.status !== "unknown") return status;
  return { status: "unknown", reasons: [...status.reasons, ...malformed] };
}

/**
 * (f), (g): the list is signed by a key that may sign lists, and its signer has a path to the same anchor.
 */
function listSignatureFault(
  known: KnownList,
  itself: boolean,
  subject: RevocationSubject,
): RevocationReason | undefined {
  const list = known.text;
  if (known.unknownCritical !== undefined) {
    return revocationReason("ERR_REVOCATION_LIST_CRITICAL_EXTENSION", { list, oid: known.unknownCritical });
  }
  let fault = revocationReason("ERR_REVOCATION_LIST_SIGNER_UNKNOWN", { list });
  for (const signer of subject.signersNamed(known.issuerNameKey, itself)) {
    if (signer.keyUsage?.includes("cRLSign") === false) {
      fault = revocationReason("ERR_REVOCATION_LIST_SIGNER_KEY_USAGE", { list });
    } else if (!isListSignedBy(known, signer.subjectPublicKeyInfo, subject)) {
      fault = revocationReason("ERR_REVOCATION_LIST_SIGNATURE", { list });
    } else if (signer.isTrusted()) return undefined;
    else fault = revocationReason("ERR_REVOCATION_LIST_SIGNER_UNTRUSTED", { list });
  }
  return fault;
}

function isListSignedBy(known: KnownList, spki: Uint8Array, subject: RevocationSubject): boolean {
  if (known.wasSignedBy(spki)) return true;
  if (known.wasNotSignedBy(spki)) return false;
  const { tbsCertList, signatureAlgorithm, signatureValue } = known.list;
  const signed = {
    data: tbsCertList,
    algorithm: signatureAlgorithm.encoding,
    signature: signatureValue,
    isCheckedOnce: known.isKept,
  };
  const holds = subject.isSignedBy({ subjectPublicKeyInfo: spki }, signed);
  // A check that a limit ended says nothing about the list.
  if (holds || subject.spend(0)) known.rememberCheck(spki, holds);
  return holds;
}
