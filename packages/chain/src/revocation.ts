/**
 * Revocation along a path (RFC 5280 §6.1.3 (a)(3)): by the caller's own check, OCSP responses and revocation lists.
 *
 * Nothing is fetched. Every source given is asked, and one that says "revoked" decides. Where none says "good" the
 * status is unknown: a failure with `hard`, a warning with `soft`.
 */

import type { CryptoProvider } from "@latchkey/crypto";
import type { Certificate, CertificateRevocationList } from "@latchkey/x509";
import type { CandidatePool } from "./candidate-pool.ts";
import type { ChainCertificate } from "./chain-certificate.ts";
import { failure } from "./failures.ts";
import type { IssuerKey } from "./issuer-key.ts";
import { KnownList, type KnownLists } from "./known-list.ts";
import type { Budget } from "./limits.ts";
import { type CertificateStatus, statusByLists } from "./list-status.ts";
import { ocspStatus } from "./ocsp-status.ts";
import type { PreparedAnchor } from "./prepared-anchor.ts";
import type { Report } from "./report.ts";

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

/** What revocation is judged with, besides the path. */
export interface RevocationContext {
  readonly inputs: RevocationInputs;
  readonly provider: CryptoProvider;
  readonly time: number;
  readonly budget: Budget;
  /** By subject. */
  readonly anchors: ReadonlyMap<string, readonly PreparedAnchor[]>;
  readonly pool: CandidatePool;
  readonly knownLists: KnownLists;
  /** Why the profile does not take a list. */
  readonly profileFault: (list: KnownList) => string | undefined;
  /** Whether a certificate that signed a list has a path to this anchor of its own (§6.3.3 (f)). */
  readonly isIssuerValid: ((issuer: ChainCertificate, anchor: PreparedAnchor) => boolean) | undefined;
}

/** One who may have signed statements about certificates. */
export interface Authority {
  readonly key: IssuerKey;
  /** Undefined for an anchor that is not a certificate. */
  readonly chainCertificate: ChainCertificate | undefined;
}

/** Judges every certificate of a path; gives the last second for which the answers stay true. */
export function checkRevocation(
  path: readonly ChainCertificate[],
  anchor: PreparedAnchor,
  context: RevocationContext,
  report: Report,
): number {
  const read = (context.inputs.revocationLists ?? []).map((input) => context.knownLists.read(input));
  const lists = read.filter((each) => each instanceof KnownList);
  const malformed = read.length - lists.length;
  let validUntil = Number.POSITIVE_INFINITY;
  const last = context.inputs.scope === "endEntity" ? 0 : path.length - 1;
  for (let index = last; index >= 0; index--) {
    const candidate = path[index];
    if (candidate === undefined) continue;
    const issuer = authorityAt(path, anchor, index + 1);
    const found = judge(candidate, index, { path, anchor, issuer, lists, malformed }, context, report);
    validUntil = Math.min(validUntil, found);
  }
  return validUntil;
}

interface Surroundings {
  readonly path: readonly ChainCertificate[];
  readonly anchor: PreparedAnchor;
  readonly issuer: Authority;
  readonly lists: readonly KnownList[];
  readonly malformed: number;
}

function authorityAt(path: readonly ChainCertificate[], anchor: PreparedAnchor, index: number): Authority {
  const chainCertificate = path[index];
  if (chainCertificate !== undefined) return { key: chainCertificate.key, chainCertificate };
  return { key: anchor.key, chainCertificate: anchor.chainCertificate };
}

function judge(
  candidate: ChainCertificate,
  index: number,
  around: Surroundings,
  context: RevocationContext,
  report: Report,
): number {
  const { inputs, budget } = context;
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
  const status = statusByLists(candidate, {
    time,
    lists,
    maximumAgeSeconds: inputs.maximumAgeSeconds,
    profileFault: context.profileFault,
    signatureFault: (list) => listSignatureFault(list, index, around, context),
  });
  const isIncomplete = status.status === "unknown" && malformed > 0;
  const told = isIncomplete ? { ...status, reasons: [...status.reasons, "a list could not be read"] } : status;
  yield { source: "crl", status: told };
}

function hookStatus(answer: RevocationAnswer): CertificateStatus {
  if (answer === "good") return { status: "good", validUntil: Number.POSITIVE_INFINITY };
  if (answer === "revoked") return { status: "revoked", reason: undefined, revokedAt: undefined };
  return { status: "unknown", reasons: ["the caller's own check does not know"] };
}

/** (f), (g): signed by one who may sign lists, and who is vouched for by the same anchor. */
function listSignatureFault(
  known: KnownList,
  index: number,
  { path, anchor }: Surroundings,
  context: RevocationContext,
): string | undefined {
  if (known.unknownCritical !== undefined) return `it has the critical extension ${known.unknownCritical}`;
  let fault = "nobody is known who may have signed it";
  for (const { authority, isVouchedFor } of listAuthorities(known, index, path, anchor, context)) {
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
  index: number,
  path: readonly ChainCertificate[],
  anchor: PreparedAnchor,
  { pool, isIssuerValid, anchors }: RevocationContext,
): Generator<ListAuthority> {
  for (const chainCertificate of path.slice(index + 1)) {
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
  if (isIssuerValid === undefined) return;
  for (const chainCertificate of pool.withSubject(known.issuerKey)) {
    yield {
      authority: { key: chainCertificate.key, chainCertificate },
      isVouchedFor: () => isIssuerValid(chainCertificate, anchor),
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
