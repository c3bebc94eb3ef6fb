/**
 * Revocation along a path (RFC 5280 §6.1.3 (a)(3)): by the caller's own check, OCSP responses and revocation lists.
 *
 * Nothing is fetched. Every source given is asked, and one that says "revoked" decides. Where none says "good" the
 * status is unknown: a failure with `hard`, a warning with `soft`.
 */

import type { Certificate, CertificateRevocationList } from "@latchkey/x509";
import type { ChainCertificate } from "./chain-certificate.ts";
import { failure } from "./failures.ts";
import type { IssuerKey } from "./issuer-key.ts";
import { KnownList, readList } from "./known-list.ts";
import { type CertificateStatus, statusByLists } from "./list-status.ts";
import { ocspStatus } from "./ocsp-status.ts";
import type { PreparedAnchor } from "./prepared-anchor.ts";
import type { RevocationChecker, RevocationQuestion } from "./revocation-checker.ts";

export type RevocationAnswer = "good" | "revoked" | "unknown";

export interface RevocationInputs {
  /** What an unknown status is: `hard` refuses, `soft` warns. */
  readonly mode: "hard" | "soft";
  /** All certificates of the path (the default), or only the one that was asked about. Anchors never. */
  readonly scope?: "path" | "endEntity";
  /**
   * Revocation lists of any issuers, complete and delta. A parsed list is checked once as long as it is kept; DER is
   * read each time.
   */
  readonly revocationLists?: readonly (CertificateRevocationList | Uint8Array)[];
  /** DER OCSPResponses (RFC 6960). */
  readonly ocspResponses?: readonly Uint8Array[];
  /** How old lists and responses may be, whatever they say themselves. */
  readonly maximumAgeSeconds?: number;
  /** The caller's own knowledge; `issuer` is undefined where the issuer is an anchor without a certificate. */
  readonly check?: (certificate: Certificate, issuer: Certificate | undefined) => RevocationAnswer;
}

/** One who may have signed statements about certificates. */
interface Authority {
  readonly key: IssuerKey;
  /** Undefined for an anchor that is not a certificate. */
  readonly chainCertificate: ChainCertificate | undefined;
}

/**
 * Revocation for `verify`. The object is cheap to make for each answer; what was found of a parsed list is kept by the
 * verifier for as long as the caller keeps the list.
 */
export function checkRevocation(inputs: RevocationInputs): RevocationChecker {
  const { revocationLists = [], ocspResponses = [] } = inputs;
  return {
    statements: revocationLists.length + ocspResponses.length,
    check: (question) => checkPath({ ...question, inputs }),
  };
}

interface RevocationContext extends RevocationQuestion {
  readonly inputs: RevocationInputs;
}

function checkPath(context: RevocationContext): number {
  const { inputs, path, anchor, memory, isListIssuerValid } = context;
  const read = (inputs.revocationLists ?? []).map((input) => readList(input, memory));
  const lists = read.filter((each) => each instanceof KnownList);
  const malformed = read.length - lists.length;
  const isEndEntityOnly = inputs.scope === "endEntity" && isListIssuerValid !== undefined;
  let validUntil = Number.POSITIVE_INFINITY;
  for (let index = isEndEntityOnly ? 0 : path.length - 1; index >= 0; index--) {
    const candidate = path[index];
    if (candidate === undefined) continue;
    const issuer = authorityAt(path, anchor, index + 1);
    validUntil = Math.min(validUntil, judge(candidate, index, { issuer, lists, malformed }, context));
  }
  return validUntil;
}

interface Surroundings {
  readonly issuer: Authority;
  readonly lists: readonly KnownList[];
  readonly malformed: number;
}

function authorityAt(path: readonly ChainCertificate[], anchor: PreparedAnchor, index: number): Authority {
  const chainCertificate = path[index];
  if (chainCertificate !== undefined) return { key: chainCertificate.key, chainCertificate };
  return { key: anchor.key, chainCertificate: anchor.chainCertificate };
}

function judge(candidate: ChainCertificate, index: number, around: Surroundings, context: RevocationContext): number {
  const { inputs, budget, report } = context;
  const reasons: string[] = [];
  let validUntil: number | undefined;
  for (const { source, status } of statuses(candidate, index, around, context)) {
    if (status.status === "revoked") {
      const { reason, revokedAt } = status;
      report.fail("ERR_CHAIN_REVOKED", index, { source, reason, revokedAt });
      return Number.POSITIVE_INFINITY;
    }
    if (status.status === "good") validUntil = Math.min(validUntil ?? Number.POSITIVE_INFINITY, status.validUntil);
    else reasons.push(...status.reasons);
  }
  if (validUntil !== undefined) {
    report.pass("revocation", index);
    return validUntil;
  }
  const unknown = budget.exceeded ?? failure("ERR_CHAIN_REVOCATION_UNKNOWN", index, { reasons });
  if (inputs.mode === "hard" || budget.exceeded !== undefined) report.add(unknown);
  else report.warn(unknown);
  return Number.POSITIVE_INFINITY;
}

interface SourcedStatus {
  readonly source: "crl" | "ocsp" | "hook";
  readonly status: CertificateStatus;
}

/** What each source says, in the order of the asking: the cheap ones first. */
function* statuses(
  candidate: ChainCertificate,
  index: number,
  around: Surroundings,
  context: RevocationContext,
): Generator<SourcedStatus> {
  const { inputs, time, budget, provider } = context;
  if (inputs.check !== undefined) {
    const answer = inputs.check(candidate.certificate, around.issuer.chainCertificate?.certificate);
    yield { source: "hook", status: hookStatus(answer) };
  }
  for (const response of inputs.ocspResponses ?? []) {
    const status = ocspStatus({
      response,
      certificate: candidate.certificate,
      issuer: around.issuer,
      issuerName: candidate.certificate.issuer,
      time,
      maximumAgeSeconds: inputs.maximumAgeSeconds,
      provider,
      takeSignature: () => budget.takeSignature(),
    });
    if (status !== undefined) yield { source: "ocsp", status };
  }
  if (inputs.revocationLists === undefined) return;
  const { lists, malformed } = around;
  const ask = (from: number): CertificateStatus =>
    statusByLists(candidate, {
      time,
      lists,
      maximumAgeSeconds: inputs.maximumAgeSeconds,
      profileFault: context.needsListNumber ? numberFault : () => undefined,
      signatureFault: (list) => listSignatureFault(list, from, context),
    });
  const byOthers = ask(index + 1);
  // One whom an authority made the signer of its lists may be on those lists itself: where nobody else tells its
  // status, and the lists are in scope by what the authority says in its certificate, they do (PKITS 4.14.30).
  const isListIssuer = index === 0 && context.isListIssuerValid === undefined;
  const status = isListIssuer && byOthers.status === "unknown" ? ask(0) : byOthers;
  const isIncomplete = status.status === "unknown" && malformed > 0;
  const told = isIncomplete ? { ...status, reasons: [...status.reasons, "a list could not be read"] } : status;
  yield { source: "crl", status: told };
}

/** RFC 5280 §5.2.3: a list has a number, and the number is not critical. */
function numberFault({ number, isNumberCritical }: KnownList): string | undefined {
  if (number === undefined) return "it has no number";
  return isNumberCritical ? "its number is marked critical" : undefined;
}

function hookStatus(answer: RevocationAnswer): CertificateStatus {
  if (answer === "good") return { status: "good", validUntil: Number.POSITIVE_INFINITY };
  if (answer === "revoked") return { status: "revoked", reason: undefined, revokedAt: undefined };
  return { status: "unknown", reasons: ["the caller's own check does not know"] };
}

/**
 * (f), (g): signed by one who may sign lists, and who is vouched for by the same anchor. `from` is where on the path those
 * begin who may have signed.
 */
function listSignatureFault(known: KnownList, from: number, context: RevocationContext): string | undefined {
  if (known.unknownCritical !== undefined) return `it has the critical extension ${known.unknownCritical}`;
  let fault = "nobody is known who may have signed it";
  for (const { authority, isVouchedFor } of listAuthorities(known, from, context)) {
    const { keyUsage } = authority.chainCertificate?.values ?? {};
    if (keyUsage !== undefined && !keyUsage.includes("cRLSign")) {
      fault = "its issuer's key is not for signing lists";
      continue;
    }
    if (!isListSignedBy(known, authority.key, context)) {
      fault = "its signature does not hold";
      continue;
    }
    if (isVouchedFor()) return undefined;
    fault = "its issuer is not vouched for by the same anchor";
  }
  return fault;
}

const isAboveCertificate = (): boolean => true;

interface ListAuthority {
  readonly authority: Authority;
  readonly isVouchedFor: () => boolean;
}

/** Who bears the name of a list's issuer: those above the certificate, whose path holds, then others. */
function* listAuthorities(
  known: KnownList,
  from: number,
  { path, anchor, pool, isListIssuerValid, anchors }: RevocationContext,
): Generator<ListAuthority> {
  for (const chainCertificate of path.slice(from)) {
    if (chainCertificate.subjectKey === known.issuerKey) {
      yield { authority: { key: chainCertificate.key, chainCertificate }, isVouchedFor: isAboveCertificate };
    }
  }
  if (anchor.subjectKey === known.issuerKey) {
    // §6.3.3 (f) asks for the same anchor. Anchors of one name are one authority with several keys, all trusted.
    for (const { key, chainCertificate } of anchors.get(known.issuerKey) ?? []) {
      yield { authority: { key, chainCertificate }, isVouchedFor: isAboveCertificate };
    }
  }
  if (isListIssuerValid === undefined) return;
  for (const chainCertificate of pool.withSubject(known.issuerKey)) {
    yield {
      authority: { key: chainCertificate.key, chainCertificate },
      isVouchedFor: () => isListIssuerValid(chainCertificate, anchor),
    };
  }
}

function isListSignedBy(known: KnownList, key: IssuerKey, { provider, budget }: RevocationContext): boolean {
  if (known.wasSignedBy(key.spki)) return true;
  if (!budget.takeSignature()) return false;
  const { tbsCertList, signatureAlgorithm, signatureValue } = known.list;
  const signed = { data: tbsCertList, algorithm: signatureAlgorithm.encoding, signature: signatureValue };
  if (key.check(provider, signed) !== undefined) return false;
  known.rememberSigner(key.spki);
  return true;
}
