/** Which revocation list is about which certificate (RFC 5280 §6.3.3 (b) to (e)). */

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

/** What of a certificate decides which lists are about it. */
export interface CertificateScope {
  readonly issuer: Name;
  /** A string that is equal for equal issuers. */
  readonly issuerNameKey: string;
  readonly version: number;
  readonly isCa: boolean;
}

/** What a list says about which certificates it is for. */
export interface ListScope {
  readonly issuer: Name;
  /** A string that is equal for equal issuers. */
  readonly issuerNameKey: string;
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

/** Why a list is not about a certificate by this point, as the end of a sentence about the list; undefined where it is. */
export function outOfScope(
  certificate: CertificateScope,
  point: DistributionPoint,
  list: ListScope,
): string | undefined {
  const scope = list.issuingDistributionPoint;
  // (b)(1): the list is by the issuer that the point, or else the certificate, names.
  if (point.cRLIssuer === undefined) {
    if (list.issuerNameKey !== certificate.issuerNameKey) return "is by another issuer than the certificate asks for";
  } else {
    if (!namesOf(point.cRLIssuer).some((name) => nameKey(name) === list.issuerNameKey))
      return "is by another issuer than the certificate asks for";
    if (scope?.indirectCRL !== true) return "is only about certificates of its own issuer";
  }
  if (scope === undefined) return undefined;
  // (b)(2)(i): one of the list's names for its point is one of the certificate's (GHSA-pwjx-qhcg-rvj4).
  if (scope.distributionPoint !== undefined) {
    const names = fullNames(scope.distributionPoint, list.issuer);
    const wanted =
      point.distributionPoint === undefined
        ? (point.cRLIssuer ?? [])
        : fullNames(point.distributionPoint, namesOf(point.cRLIssuer ?? [])[0] ?? certificate.issuer);
    if (!names.some((name) => wanted.some((other) => sameGeneralName(name, other)))) {
      return "is for another distribution point";
    }
  }
  // (b)(2)(ii) to (iv): the list is for certificates of this kind. One of version 1 cannot say of which kind it is.
  const isLimited = scope.onlyContainsUserCerts || scope.onlyContainsCACerts;
  if (isLimited && certificate.version === 1)
    return "is for one kind of certificates, and a certificate of version 1 does not say of which kind it is";
  if (scope.onlyContainsUserCerts && certificate.isCa) return "is for end entities only";
  if (scope.onlyContainsCACerts && !certificate.isCa) return "is for certificate authorities only";
  if (scope.onlyContainsAttributeCerts) return "is for attribute certificates only";
  return undefined;
}

/** (d): the reasons for revocation that a list is about, by a point. */
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

/** The directory names among names. */
export function namesOf(names: readonly GeneralName[]): Name[] {
  return names.filter((name) => name.type === "directoryName").map(({ value }) => value);
}

/** A point's names; a relative one continues `base`. */
function fullNames(point: DistributionPointName, base: Name): readonly GeneralName[] {
  if (point.type === "fullName") return point.names;
  return [{ type: "directoryName", value: { rdns: [...base.rdns, point.rdn], encoding: new Uint8Array() } }];
}

/** Whether two names match (RFC 5280 §7.1); also for a name that was put together and has no encoding. */
function sameName(a: Name, b: Name): boolean {
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
