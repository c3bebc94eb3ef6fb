/** Which revocation list speaks for which certificate (RFC 5280 §6.3.3 (b) to (e)). */

import { equalBytes } from "@latchkey/asn1";
import {
  type DistributionPoint,
  type DistributionPointName,
  type GeneralName,
  type IssuingDistributionPoint,
  type Name,
  nameKey,
  type ReasonFlag,
  reasonFlags,
} from "@latchkey/x509";

/** What a certificate says of where its status is, as far as scope goes. */
export interface CertificateScope {
  readonly issuer: Name;
  /** The key of `issuer`. */
  readonly issuerKey: string;
  readonly version: number;
  readonly isCa: boolean;
}

/** What a list says of itself. */
export interface ListScope {
  readonly issuer: Name;
  /** The key of `issuer`. */
  readonly issuerKey: string;
  readonly issuingDistributionPoint: IssuingDistributionPoint | undefined;
}

/**
 * The point that stands for lists by the certificate's own issuer that no point names (§6.3.3, last paragraph): named
 * as the issuer, for all reasons.
 */
export function issuersOwnPoint(issuer: Name): DistributionPoint {
  return {
    distributionPoint: { type: "fullName", names: [{ type: "directoryName", value: issuer }] },
    reasons: undefined,
    cRLIssuer: undefined,
  };
}

/** Why a list does not speak for a certificate by this point; undefined where it does. */
export function outOfScope(
  certificate: CertificateScope,
  point: DistributionPoint,
  list: ListScope,
): string | undefined {
  const scope = list.issuingDistributionPoint;
  // (b)(1).
  if (point.cRLIssuer === undefined) {
    if (list.issuerKey !== certificate.issuerKey) return "it is by another issuer";
  } else {
    if (!namesOf(point.cRLIssuer).some((name) => nameKey(name) === list.issuerKey)) return "it is by another issuer";
    if (scope?.indirectCRL !== true) return "it does not speak for other issuers' certificates";
  }
  if (scope === undefined) return undefined;
  // (b)(2)(i): any of the one's names with any of the other's (GHSA-pwjx-qhcg-rvj4).
  if (scope.distributionPoint !== undefined) {
    const names = fullNames(scope.distributionPoint, list.issuer);
    const wanted =
      point.distributionPoint === undefined
        ? (point.cRLIssuer ?? [])
        : fullNames(point.distributionPoint, namesOf(point.cRLIssuer ?? [])[0] ?? certificate.issuer);
    if (!names.some((name) => wanted.some((other) => sameGeneralName(name, other)))) {
      return "it is for another distribution point";
    }
  }
  // (b)(2)(ii) to (iv). Version 1 certificates cannot say which kind they are of.
  const isLimited = scope.onlyContainsUserCerts || scope.onlyContainsCACerts;
  if (isLimited && certificate.version === 1) return "it is limited to a kind that version 1 cannot tell";
  if (scope.onlyContainsUserCerts && certificate.isCa) return "it is for end entities only";
  if (scope.onlyContainsCACerts && !certificate.isCa) return "it is for authorities only";
  if (scope.onlyContainsAttributeCerts) return "it is for attribute certificates only";
  return undefined;
}

/** (d): the reasons that a list speaks of by a point. */
export function reasonsCovered(
  point: DistributionPoint,
  scope: IssuingDistributionPoint | undefined,
): readonly ReasonFlag[] {
  if (point.reasons === undefined && scope?.onlySomeReasons === undefined) return reasonFlags;
  return reasonFlags.filter(
    (reason) =>
      (point.reasons === undefined || point.reasons.includes(reason)) &&
      (scope?.onlySomeReasons === undefined || scope.onlySomeReasons.includes(reason)),
  );
}

function namesOf(names: readonly GeneralName[]): Name[] {
  return names.filter((name) => name.type === "directoryName").map(({ value }) => value);
}

/** A point's names; a relative one continues `base`. */
function fullNames(point: DistributionPointName, base: Name): readonly GeneralName[] {
  if (point.type === "fullName") return point.names;
  return [{ type: "directoryName", value: { rdns: [...base.rdns, point.rdn], encoding: new Uint8Array() } }];
}

export function sameName(a: Name, b: Name): boolean {
  return (a.encoding.length > 0 && equalBytes(a.encoding, b.encoding)) || nameKey(a) === nameKey(b);
}

function sameGeneralName(a: GeneralName, b: GeneralName): boolean {
  switch (a.type) {
    case "directoryName":
      return b.type === a.type && sameName(a.value, b.value);
    case "otherName":
      return b.type === a.type && equalBytes(a.typeId, b.typeId) && equalBytes(a.value, b.value);
    case "dNSName":
    case "rfc822Name":
    case "uniformResourceIdentifier":
      return b.type === a.type && a.value === b.value;
    default:
      return b.type === a.type && equalBytes(a.value, b.value);
  }
}
