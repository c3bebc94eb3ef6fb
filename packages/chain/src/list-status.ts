/**
 * What revocation lists say about a certificate: RFC 5280 §6.3.3, with complete, delta and indirect lists.
 *
 * Every list that is about the certificate counts, the newest first, until all reasons are covered or one says "revoked".
 * A list that cannot be used says nothing, and why is kept: the status is then unknown unless another list knows it. A
 * list that is properly signed and names the certificate revokes it even where it is too old to say that it is good.
 */

import { equalBytes } from "@latchkey/asn1";
import {
  type DistributionPoint,
  findExtension,
  type GeneralName,
  issuingDistributionPoint,
  type IssuingDistributionPoint,
  nameKey,
  type ReasonFlag,
  reasonFlags,
  type RevokedCertificate,
  tolerances,
  X509Error,
} from "@latchkey/x509";
import { nameWeight, price } from "./budget.ts";
import { dateText } from "./date-text.ts";
import { issuersOwnPoint, namesOf, outOfScope, reasonsCovered } from "./distribution-point.ts";
import { compareNumbers, type KnownList, reasonOf } from "./known-list.ts";
import type { RevocationStatus, RevocationSubject } from "./revocation-checker.ts";
import { type RevocationReason, revocationReason } from "./revocation-reason.ts";

/** What the lists are asked with. */
export interface ListInputs {
  readonly subject: Pick<
    RevocationSubject,
    | "certificate"
    | "issuerNameKey"
    | "isCa"
    | "distributionPoints"
    | "time"
    | "needsListNumber"
    | "tolerances"
    | "spend"
  >;
  readonly lists: readonly KnownList[];
  /** Oldest age that is taken; a list without nextUpdate is taken only if this is given. */
  readonly maximumAgeSeconds: number | undefined;
  /**
   * Whether a list names a certificate as revoked even where another of its entries has a critical extension that is not
   * understood. RFC 5280 §5.3 forbids to use such a list at all, which refuses the certificate where an unknown status does;
   * where that is only a warning, a certificate that its issuer revoked would pass.
   */
  readonly isWarningOnly: boolean;
  /** Why a list's signature does not count: it does not hold, or was made by a key that may not. */
  readonly signatureFault: (list: KnownList) => RevocationReason | undefined;
}

interface Findings {
  readonly reasons: RevocationReason[];
  /** Slips of lists that were used, for warnings. */
  readonly slips: RevocationReason[];
  readonly covered: Set<ReasonFlag>;
  coversAll: boolean;
  validUntil: number;
}

/** The status of a certificate by the lists given. */
export function statusByLists(inputs: ListInputs): RevocationStatus {
  const { lists, subject } = inputs;
  const { certificate, distributionPoints: points, spend } = subject;
  const findings: Findings = {
    reasons: [],
    slips: [],
    covered: new Set(),
    coversAll: false,
    validUntil: Number.POSITIVE_INFINITY,
  };
  // The last paragraph of §6.3.3 takes lists by the certificate's issuer that no point names. Not where the certificate says
  // that another issuer has its status: then the issuer's own list need not have it (as BoringSSL).
  const namesOther = points.some(({ cRLIssuer }) => cRLIssuer !== undefined);
  const all = namesOther ? points : [...points, issuersOwnPoint(certificate.issuer)];
  for (const point of all) {
    if (!spend(lists.length * priceOfPoint(point))) break;
    const revoked = statusByPoint(point, inputs, findings);
    if (revoked !== undefined) return revoked;
    if (findings.coversAll || findings.covered.size === reasonFlags.length) {
      return { status: "good", validUntil: findings.validUntil, reasons: findings.slips };
    }
  }
  const { covered, reasons } = findings;
  if (covered.size > 0) {
    const missing = reasonFlags.filter((reason) => !covered.has(reason));
    reasons.push(revocationReason("ERR_REVOCATION_REASONS_NOT_COVERED", { missing }));
  }
  return { status: "unknown", reasons };
}

/** What it costs to compare a point with one list: each name of the point, and each octet of a directory name. */
function priceOfPoint({ distributionPoint, cRLIssuer = [] }: DistributionPoint): number {
  const names = distributionPoint?.type === "fullName" ? distributionPoint.names : [];
  const octets = directoryOctets(names) + directoryOctets(cRLIssuer);
  return (2 + names.length + cRLIssuer.length) * price.statement + octets * price.nameOctet;
}

/** What it costs to compare each name of a point with each name that a list has for its own. */
function priceOfScope(
  { distributionPoint, cRLIssuer = [] }: DistributionPoint,
  scope: IssuingDistributionPoint | undefined,
): number {
  if (scope?.distributionPoint?.type !== "fullName") return 0;
  const { names } = scope.distributionPoint;
  const wanted = distributionPoint?.type === "fullName" ? distributionPoint.names : cRLIssuer;
  // Each comparison of directory names prepares both.
  const octets = directoryOctets(names) * wanted.length + directoryOctets(wanted) * names.length;
  return names.length * wanted.length * price.namePair + octets * price.nameOctet;
}

function directoryOctets(names: readonly GeneralName[]): number {
  let octets = 0;
  for (const name of names) if (name.type === "directoryName") octets += nameWeight(name.value.encoding);
  return octets;
}

/** One distribution point; the revocation if there is one. */
function statusByPoint(point: DistributionPoint, inputs: ListInputs, findings: Findings): RevocationStatus | undefined {
  const { certificate, isCa, issuerNameKey } = inputs.subject;
  const scope = { issuer: certificate.issuer, issuerNameKey, version: certificate.version, isCa };
  // Only a point that names another issuer can lead to another issuer's list.
  const complete = inputs.lists.filter(
    (known) => !known.isDelta && (point.cRLIssuer !== undefined || known.issuerNameKey === issuerNameKey),
  );
  if (complete.length > 1) complete.sort((a, b) => b.list.thisUpdate - a.list.thisUpdate);
  for (const known of complete) {
    const { issuingDistributionPoint: listScope, list } = known;
    const covers = reasonsCovered(point, listScope);
    // (e): the list says nothing new about reasons.
    if (findings.coversAll || covers.every((reason) => findings.covered.has(reason))) continue;
    if (!inputs.subject.spend(priceOfScope(point, listScope) + inputs.lists.length * price.step)) return undefined;
    const outside = outOfScope(scope, point, {
      issuer: list.issuer,
      issuerNameKey: known.issuerNameKey,
      issuingDistributionPoint: listScope,
    });
    const unusable =
      (outside === undefined
        ? undefined
        : revocationReason("ERR_REVOCATION_LIST_SCOPE", { list: known.text, scope: outside })) ??
      futureFault(known, inputs) ??
      inputs.signatureFault(known);
    if (unusable !== undefined) {
      findings.reasons.push(unusable);
      continue;
    }
    const delta = newestDelta(known, inputs);
    const entry = entryOf(known, delta, inputs) ?? staleDeltaEntry(known, inputs);
    const unknownEntry = entry === undefined || inputs.isWarningOnly ? undefined : unknownCriticalEntry(known, delta);
    if (unknownEntry !== undefined) {
      findings.reasons.push(unknownEntry);
      continue;
    }
    if (entry === "unreadable") return { status: "revoked", source: "crl", reason: undefined, revokedAt: undefined };
    if (entry !== undefined) {
      return { status: "revoked", source: "crl", reason: reasonOf(entry), revokedAt: entry.revocationDate };
    }
    // That it does not name the certificate counts only where it is current, and all of it is understood.
    const fault = freshnessFault(known, inputs) ?? numberFault(known, inputs) ?? known.entryFault ?? delta?.entryFault;
    if (fault !== undefined) {
      findings.reasons.push(fault);
      continue;
    }
    for (const each of slipsOf(known, inputs)) findings.slips.push(each);
    if (covers === reasonFlags) findings.coversAll = true;
    else for (const reason of covers) findings.covered.add(reason);
    findings.validUntil = Math.min(findings.validUntil, validUntil(known, inputs));
    if (delta !== undefined) findings.validUntil = Math.min(findings.validUntil, validUntil(delta, inputs));
  }
  return undefined;
}

/** Slips of a list that are tolerated with a warning. */
function slipsOf({ list, text }: KnownList, { subject }: ListInputs): RevocationReason[] {
  return list.deviations.flatMap(({ tolerance, offset, count }) => {
    const row =
      subject.tolerances[tolerance] === "warn" ? tolerances.find(({ code }) => code === tolerance) : undefined;
    if (row === undefined) return [];
    const { what, rule } = row;
    return [revocationReason("ERR_REVOCATION_LIST_TOLERATED", { list: text, tolerance, what, rule, offset, count })];
  });
}

/** RFC 5280 §5.3: an entry with a critical extension that is not understood. */
function unknownCriticalEntry(known: KnownList, delta: KnownList | undefined): RevocationReason | undefined {
  return [known.entryFault, delta?.entryFault].find(
    (fault) => fault?.code === "ERR_REVOCATION_LIST_CRITICAL_EXTENSION",
  );
}

function futureFault({ list, text }: KnownList, { subject: { time } }: ListInputs): RevocationReason | undefined {
  const { thisUpdate } = list;
  if (thisUpdate <= time) return undefined;
  return revocationReason("ERR_REVOCATION_LIST_NOT_YET_VALID", {
    list: text,
    thisUpdate,
    thisUpdateDate: dateText(thisUpdate),
    atDate: dateText(time),
  });
}

/** Why a list is not current. */
function freshnessFault(known: KnownList, inputs: ListInputs): RevocationReason | undefined {
  const { subject, maximumAgeSeconds } = inputs;
  const { time } = subject;
  const { thisUpdate, nextUpdate } = known.list;
  if (nextUpdate !== undefined && nextUpdate < time) {
    return revocationReason("ERR_REVOCATION_LIST_STALE", {
      list: known.text,
      nextUpdate,
      nextUpdateDate: dateText(nextUpdate),
      atDate: dateText(time),
    });
  }
  if (maximumAgeSeconds !== undefined && thisUpdate < time - maximumAgeSeconds) {
    return revocationReason("ERR_REVOCATION_LIST_TOO_OLD", {
      list: known.text,
      thisUpdate,
      thisUpdateDate: dateText(thisUpdate),
      maximumAgeSeconds,
    });
  }
  if (nextUpdate === undefined && maximumAgeSeconds === undefined) {
    return revocationReason("ERR_REVOCATION_LIST_WITHOUT_NEXT_UPDATE", { list: known.text });
  }
  return undefined;
}

/** RFC 5280 §5.2.3: a list has a number, and the number is not critical. */
function numberFault(
  { number, isNumberCritical, text }: KnownList,
  { subject: { needsListNumber } }: ListInputs,
): RevocationReason | undefined {
  if (!needsListNumber || (number !== undefined && !isNumberCritical)) return undefined;
  const problem = number === undefined ? "missing" : "critical";
  return revocationReason("ERR_REVOCATION_LIST_NUMBER", { list: text, problem });
}

function validUntil({ list }: KnownList, { maximumAgeSeconds }: ListInputs): number {
  return Math.min(
    list.nextUpdate ?? Number.POSITIVE_INFINITY,
    maximumAgeSeconds === undefined ? Number.POSITIVE_INFINITY : list.thisUpdate + maximumAgeSeconds,
  );
}

/** (c), (h): the newest delta list that goes with a complete one and can be used. */
function newestDelta(complete: KnownList, inputs: ListInputs): KnownList | undefined {
  let newest: KnownList | undefined;
  for (const delta of inputs.lists) {
    if (!isDeltaOf(delta, complete)) continue;
    if (futureFault(delta, inputs) !== undefined || freshnessFault(delta, inputs) !== undefined) continue;
    if (newest?.number !== undefined && delta.number !== undefined && compareNumbers(delta.number, newest.number) < 0) {
      continue;
    }
    if (numberFault(delta, inputs) === undefined && inputs.signatureFault(delta) === undefined) newest = delta;
  }
  return newest;
}

/** An entry that revokes on a delta list that is too old to take anything away, and newer than the complete list. */
function staleDeltaEntry(complete: KnownList, inputs: ListInputs): RevokedCertificate | "unreadable" | undefined {
  for (const delta of inputs.lists) {
    if (!isDeltaOf(delta, complete) || freshnessFault(delta, inputs) === undefined) continue;
    const entry = entryIn(delta, inputs);
    const isRevoked = entry === "unreadable" || (entry !== undefined && reasonOf(entry) !== "removeFromCRL");
    if (isRevoked && futureFault(delta, inputs) === undefined && inputs.signatureFault(delta) === undefined) {
      return entry;
    }
  }
  return undefined;
}

/** §5.2.4: same issuer, scope and key; the complete list is not older than the base, and older than the delta. */
function isDeltaOf(delta: KnownList, complete: KnownList): boolean {
  if (delta.baseNumber === undefined || delta.number === undefined || complete.number === undefined) return false;
  return (
    delta.issuerNameKey === complete.issuerNameKey &&
    sameScope(delta, complete) &&
    sameKeyIdentifier(delta, complete) &&
    compareNumbers(complete.number, delta.baseNumber) >= 0 &&
    compareNumbers(complete.number, delta.number) < 0
  );
}

function sameScope(a: KnownList, b: KnownList): boolean {
  const left = findExtension(a.list, issuingDistributionPoint.oid);
  const right = findExtension(b.list, issuingDistributionPoint.oid);
  if (left === undefined || right === undefined) return left === right;
  return equalBytes(left.value, right.value);
}

function sameKeyIdentifier(a: KnownList, b: KnownList): boolean {
  const left = a.authorityKeyIdentifier?.keyIdentifier;
  const right = b.authorityKeyIdentifier?.keyIdentifier;
  if (left === undefined || right === undefined) return left === right;
  return equalBytes(left, right);
}

/**
 * (i), (j), (k): the entry that revokes, by the delta list first; removeFromCRL takes a certificate off again. An entry with
 * the serial number that cannot be read revokes, too.
 */
function entryOf(
  complete: KnownList,
  delta: KnownList | undefined,
  inputs: ListInputs,
): RevokedCertificate | "unreadable" | undefined {
  const changed = delta === undefined ? undefined : entryIn(delta, inputs);
  if (changed === undefined) return entryIn(complete, inputs);
  return changed !== "unreadable" && reasonOf(changed) === "removeFromCRL" ? undefined : changed;
}

/**
 * The entry of a certificate; on an indirect list it must name the certificate's issuer (§5.3.3). A list can have many
 * entries of one serial number: each is charged before it is read.
 */
function entryIn(
  { list, issuerNameKey }: KnownList,
  { subject }: ListInputs,
): RevokedCertificate | "unreadable" | undefined {
  const { serialNumber } = subject.certificate;
  let names: readonly GeneralName[] | undefined;
  let isIssuer = issuerNameKey === subject.issuerNameKey;
  try {
    for (const entry of list.revokedCertificates.findEach(serialNumber)) {
      if (!subject.spend(price.listEntry)) return undefined;
      const { certificateIssuer } = entry;
      if (certificateIssuer !== undefined && certificateIssuer !== names) {
        names = certificateIssuer;
        if (!subject.spend(directoryOctets(names) * price.nameOctet)) return undefined;
        isIssuer = namesOf(names).some((name) => nameKey(name) === subject.issuerNameKey);
      }
      if (isIssuer) return entry;
    }
    return undefined;
  } catch (error) {
    if (!(error instanceof X509Error)) throw error;
    // Without an entry of this serial number the fault is another entry's: `entryFault` then keeps the list from "good".
    return list.revokedCertificates.has(serialNumber) ? "unreadable" : undefined;
  }
}
