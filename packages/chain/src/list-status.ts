/**
 * What revocation lists say of a certificate: RFC 5280 §6.3.3, with complete, delta and indirect lists.
 *
 * Every list that is in scope counts, the newest first, until all reasons are covered or one says "revoked". A list
 * that cannot be used tells nothing, and why is kept: the status is then unknown unless another list tells.
 */

import { equalBytes } from "@latchkey/asn1";
import {
  cRLDistributionPoints,
  cRLReason,
  type DistributionPoint,
  extensionValue,
  type Name,
  type ReasonFlag,
  type RevokedCertificate,
  reasonFlags,
} from "@latchkey/x509";
import type { ChainCertificate } from "./chain-certificate.ts";
import { issuersOwnPoint, outOfScope, reasonsCovered, sameName } from "./distribution-point.ts";
import { compareNumbers, type KnownList } from "./known-list.ts";

/** What sources of revocation say of a certificate. */
export type CertificateStatus =
  | { readonly status: "good"; readonly validUntil: number }
  | { readonly status: "revoked"; readonly reason: string | undefined; readonly revokedAt: number | undefined }
  | { readonly status: "unknown"; readonly reasons: readonly string[] };

export interface ListInputs {
  readonly time: number;
  readonly lists: readonly KnownList[];
  /** Oldest thisUpdate that is taken; a list without nextUpdate is taken only if this is given. */
  readonly maximumAgeSeconds: number | undefined;
  /** Why the profile does not take a list. */
  readonly profileFault: (list: KnownList) => string | undefined;
  /** Why a list's signature does not count: by nobody who may sign it, or unknown extensions. */
  readonly signatureFault: (list: KnownList) => string | undefined;
}

interface Findings {
  readonly reasons: string[];
  readonly covered: Set<ReasonFlag>;
  coversAll: boolean;
  validUntil: number;
}

/** The status of a certificate by the lists given. */
export function statusByLists(candidate: ChainCertificate, inputs: ListInputs): CertificateStatus {
  const { certificate } = candidate;
  const findings: Findings = {
    reasons: [],
    covered: new Set(),
    coversAll: false,
    validUntil: Number.POSITIVE_INFINITY,
  };
  const points = extensionValue(certificate, cRLDistributionPoints) ?? [];
  // The last paragraph of §6.3.3 takes lists by the certificate's issuer that no point names; not where the
  // certificate says that another issuer tells its status, for then the issuer's own list need not (as BoringSSL).
  const namesOther = points.some(({ cRLIssuer }) => cRLIssuer !== undefined);
  const all = namesOther ? points : [...points, issuersOwnPoint(certificate.issuer)];
  for (const point of all) {
    const revoked = statusByPoint(candidate, point, inputs, findings);
    if (revoked !== undefined) return revoked;
    if (findings.coversAll || findings.covered.size === reasonFlags.length)
      return { status: "good", validUntil: findings.validUntil };
  }
  if (findings.covered.size > 0) findings.reasons.push("the lists do not cover all reasons");
  return { status: "unknown", reasons: [...new Set(findings.reasons)] };
}

/** One distribution point; the revocation if there is one. */
function statusByPoint(
  candidate: ChainCertificate,
  point: DistributionPoint,
  inputs: ListInputs,
  findings: Findings,
): CertificateStatus | undefined {
  const { certificate, isCa } = candidate;
  const { issuerKey } = candidate;
  const scope = { issuer: certificate.issuer, issuerKey, version: certificate.version, isCa };
  // Only a point that names another issuer can lead to another's list.
  const complete = inputs.lists.filter(
    (known) => !known.isDelta && (point.cRLIssuer !== undefined || known.issuerKey === issuerKey),
  );
  if (complete.length > 1) complete.sort((a, b) => b.list.thisUpdate - a.list.thisUpdate);
  for (const known of complete) {
    const { issuingDistributionPoint } = known;
    const covers = reasonsCovered(point, issuingDistributionPoint);
    // (e): nothing new.
    if (findings.coversAll || covers.every((reason) => findings.covered.has(reason))) continue;
    const fault =
      outOfScope(scope, point, { issuer: known.list.issuer, issuerKey: known.issuerKey, issuingDistributionPoint }) ??
      freshnessFault(known, inputs) ??
      inputs.profileFault(known) ??
      inputs.signatureFault(known);
    if (fault !== undefined) {
      findings.reasons.push(`a list by its issuer cannot be used: ${fault}`);
      continue;
    }
    const delta = newestDelta(known, inputs);
    const entry = entryOf(candidate, known, delta);
    if (entry !== undefined) {
      return { status: "revoked", reason: extensionValue(entry, cRLReason), revokedAt: entry.revocationDate };
    }
    if (covers === reasonFlags) findings.coversAll = true;
    else for (const reason of covers) findings.covered.add(reason);
    findings.validUntil = Math.min(
      findings.validUntil,
      validUntil(known, inputs),
      ...(delta ? [validUntil(delta, inputs)] : []),
    );
  }
  return undefined;
}

/** Why a list is not current. */
function freshnessFault({ list }: KnownList, { time, maximumAgeSeconds }: ListInputs): string | undefined {
  if (list.thisUpdate > time) return "it is of the future";
  if (list.nextUpdate !== undefined && list.nextUpdate < time) return "a newer one is due";
  if (maximumAgeSeconds !== undefined && list.thisUpdate < time - maximumAgeSeconds) return "it is too old";
  if (list.nextUpdate === undefined && maximumAgeSeconds === undefined) return "it does not say when the next is due";
  return undefined;
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
    if (!isDeltaOf(delta, complete) || freshnessFault(delta, inputs) !== undefined) continue;
    if (newest?.number !== undefined && delta.number !== undefined && compareNumbers(delta.number, newest.number) < 0) {
      continue;
    }
    if (inputs.profileFault(delta) === undefined && inputs.signatureFault(delta) === undefined) newest = delta;
  }
  return newest;
}

/** §5.2.4: same issuer, scope and key; the complete list is not older than the base, and older than the delta. */
function isDeltaOf(delta: KnownList, complete: KnownList): boolean {
  if (delta.baseNumber === undefined || delta.number === undefined || complete.number === undefined) return false;
  return (
    delta.issuerKey === complete.issuerKey &&
    sameScope(delta, complete) &&
    sameKeyIdentifier(delta, complete) &&
    compareNumbers(complete.number, delta.baseNumber) >= 0 &&
    compareNumbers(complete.number, delta.number) < 0
  );
}

function sameScope(a: KnownList, b: KnownList): boolean {
  const [left, right] = [a, b].map(({ list }) =>
    list.extensions.find(({ oid }) => oid.length === 3 && oid[0] === 0x55 && oid[2] === 28),
  );
  if (left === undefined || right === undefined) return left === right;
  return equalBytes(left.value, right.value);
}

function sameKeyIdentifier(a: KnownList, b: KnownList): boolean {
  const left = a.authorityKeyIdentifier?.keyIdentifier;
  const right = b.authorityKeyIdentifier?.keyIdentifier;
  if (left === undefined || right === undefined) return left === right;
  return equalBytes(left, right);
}

/** (i), (j), (k): the entry that revokes, by the delta list first; removeFromCRL takes a certificate off again. */
function entryOf(
  { certificate }: ChainCertificate,
  complete: KnownList,
  delta: KnownList | undefined,
): RevokedCertificate | undefined {
  const { serialNumber, issuer } = certificate;
  const changed = delta === undefined ? undefined : entryIn(delta, serialNumber, issuer);
  if (changed === undefined) return entryIn(complete, serialNumber, issuer);
  return extensionValue(changed, cRLReason) === "removeFromCRL" ? undefined : changed;
}

/** The entry of a certificate; on an indirect list it must name the certificate's issuer (§5.3.3). */
function entryIn({ list }: KnownList, serialNumber: Uint8Array, issuer: Name): RevokedCertificate | undefined {
  return list.revokedCertificates.findAll(serialNumber).find(({ certificateIssuer }) => {
    const names = certificateIssuer?.filter((name) => name.type === "directoryName").map(({ value }) => value);
    return (names ?? [list.issuer]).some((name) => sameName(name, issuer));
  });
}
