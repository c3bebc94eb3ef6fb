/**
 * What revocation lists say about a certificate: RFC 5280 §6.3.3, with complete, delta and indirect lists.
 *
 * Every list that is about the certificate counts, the newest first, until all reasons are covered or one says "revoked".
 * A list that cannot be used says nothing, and why is kept: the status is then unknown unless another list knows it. A
 * list that is properly signed and names the certificate revokes it even where it is too old to say that it is good.
 */

import {
  type DistributionPoint,
  type DistributionPointName,
  type GeneralName,
  type Name,
  nameKey,
  type ReasonFlag,
  reasonFlags,
  type RevokedCertificate,
  tolerances,
  X509Error,
} from "@latchkey/x509";
import { nameWeight, price } from "./budget.ts";
import { dateText } from "./date-text.ts";
import {
  directoryNames,
  issuersOwnPoint,
  outOfScope,
  type PreparedPoint,
  preparePoint,
  reasonsCovered,
} from "./distribution-point.ts";
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
  /** Delta lists by their `seriesKey`. */
  readonly deltas: ReadonlyMap<string, readonly KnownList[]>;
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
    deltas: groupDeltas(inputs),
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
    if (!spend((1 + lists.length) * price.statement + priceOfPoint(point, certificate.issuer))) break;
    const revoked = statusByPoint(preparePoint(point, certificate.issuer), inputs, findings);
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

/** What it costs to prepare a point of a certificate by this issuer. */
function priceOfPoint({ distributionPoint, cRLIssuer = [] }: DistributionPoint, issuer: Name): number {
  return priceOfNames(cRLIssuer) + priceOfPointName(distributionPoint, directoryNames(cRLIssuer)[0] ?? issuer);
}

/** What it costs to prepare the name of a point; a relative one continues `base`. */
function priceOfPointName(point: DistributionPointName | undefined, base: Name): number {
  if (point === undefined) return 0;
  if (point.type === "fullName") return priceOfNames(point.names);
  return price.pointName + (nameWeight(base.encoding) + nameWeight(point.encoding)) * price.nameOctet;
}

function priceOfNames(names: readonly GeneralName[]): number {
  let octets = 0;
  for (const name of names) {
    octets += name.type === "directoryName" ? nameWeight(name.value.encoding) : name.value.length;
  }
  return names.length * price.pointName + octets * price.nameOctet;
}

function directoryOctets(names: readonly GeneralName[]): number {
  let octets = 0;
  for (const name of names) if (name.type === "directoryName") octets += nameWeight(name.value.encoding);
  return octets;
}

/** One distribution point; the revocation if there is one. */
function statusByPoint(point: PreparedPoint, inputs: ListInputs, findings: Findings): RevocationStatus | undefined {
  const { certificate, isCa, issuerNameKey, spend } = inputs.subject;
  const scope = { issuerNameKey, version: certificate.version, isCa };
  // Only a point that names another issuer can lead to another issuer's list.
  const complete = inputs.lists.filter(
    (known) => !known.isDelta && (point.issuerNameKeys !== undefined || known.issuerNameKey === issuerNameKey),
  );
  if (complete.length > 1) complete.sort((a, b) => b.list.thisUpdate - a.list.thisUpdate);
  for (const known of complete) {
    const { issuingDistributionPoint: listScope, list } = known;
    const covers = reasonsCovered(point, listScope);
    // (e): the list says nothing new about reasons.
    if (findings.coversAll || covers.every((reason) => findings.covered.has(reason))) continue;
    const namesPrice = priceOfPointName(listScope?.distributionPoint, list.issuer);
    if (!spend(namesPrice + inputs.lists.length * price.step)) return undefined;
    const outside = outOfScope(scope, point, known);
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
    const deltas = deltasOf(known, inputs, findings);
    const delta = newestOf(deltas, inputs);
    const entry = entryOf(known, delta, inputs) ?? staleDeltaEntry(deltas, inputs);
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

/** Whether a list is current; `freshnessFault` says why it is not. */
function isCurrent(
  { list: { thisUpdate, nextUpdate } }: KnownList,
  { subject, maximumAgeSeconds }: ListInputs,
): boolean {
  const { time } = subject;
  if (nextUpdate === undefined && maximumAgeSeconds === undefined) return false;
  return (nextUpdate ?? time) >= time && (maximumAgeSeconds === undefined || thisUpdate >= time - maximumAgeSeconds);
}

/** Why a list is not current. */
function freshnessFault(known: KnownList, inputs: ListInputs): RevocationReason | undefined {
  const { subject, maximumAgeSeconds } = inputs;
  if (isCurrent(known, inputs)) return undefined;
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
  return revocationReason("ERR_REVOCATION_LIST_WITHOUT_NEXT_UPDATE", { list: known.text });
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

/** Delta lists by what they have in common with their complete lists; nothing where the budget ends. */
function groupDeltas({ lists, subject: { spend } }: ListInputs): ReadonlyMap<string, readonly KnownList[]> {
  const deltas = lists.filter(({ isDelta }) => isDelta);
  const octets = deltas.reduce((sum, { seriesOctets }) => sum + seriesOctets, 0);
  return spend(octets * price.seriesOctet) ? Map.groupBy(deltas, ({ seriesKey }) => seriesKey) : new Map();
}

/**
 * §5.2.4: the delta lists to a complete one. They have its issuer, scope and key; it is not older than their base, and older than they
 * are. None from the future is among them.
 */
function deltasOf(complete: KnownList, inputs: ListInputs, { deltas }: Findings): readonly KnownList[] {
  const { spend, time } = inputs.subject;
  const { number } = complete;
  if (deltas.size === 0 || number === undefined) return [];
  if (!spend(complete.seriesOctets * price.seriesOctet)) return [];
  return (deltas.get(complete.seriesKey) ?? []).filter(
    (delta) =>
      delta.baseNumber !== undefined &&
      delta.number !== undefined &&
      delta.list.thisUpdate <= time &&
      spend(price.step + 2 * number.length * price.comparedOctet) &&
      compareNumbers(number, delta.baseNumber) >= 0 &&
      compareNumbers(number, delta.number) < 0,
  );
}

/** (c), (h): the newest delta list that can be used. */
function newestOf(deltas: readonly KnownList[], inputs: ListInputs): KnownList | undefined {
  let newest: KnownList | undefined;
  for (const delta of deltas) {
    if (!isCurrent(delta, inputs)) continue;
    if (newest?.number !== undefined && delta.number !== undefined && compareNumbers(delta.number, newest.number) < 0) {
      continue;
    }
    if (numberFault(delta, inputs) === undefined && inputs.signatureFault(delta) === undefined) newest = delta;
  }
  return newest;
}

/** An entry that revokes on a delta list that is too old to take anything away, and newer than the complete list. */
function staleDeltaEntry(
  deltas: readonly KnownList[],
  inputs: ListInputs,
): RevokedCertificate | "unreadable" | undefined {
  for (const delta of deltas) {
    if (isCurrent(delta, inputs)) continue;
    const entry = entryIn(delta, inputs);
    const isRevoked = entry === "unreadable" || (entry !== undefined && reasonOf(entry) !== "removeFromCRL");
    if (isRevoked && inputs.signatureFault(delta) === undefined) return entry;
  }
  return undefined;
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
        isIssuer = directoryNames(names).some((name) => nameKey(name) === subject.issuerNameKey);
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
