/** Which revocation list is about which certificate (RFC 5280 §6.3.3 (b) to (e)). */

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
import { octetKey } from "./octet-key.ts";

/** What of a certificate decides which lists are about it. */
export interface CertificateScope {
  /** A string that is equal for equal issuers. */
  readonly issuerNameKey: string;
  readonly version: number;
  readonly isCa: boolean;
}

/** What a list says about which certificates it is for. */
export interface ListScope {
  /** A string that is equal for equal issuers. */
  readonly issuerNameKey: string;
  readonly issuingDistributionPoint: IssuingDistributionPoint | undefined;
  /** The list's names for its point as `pointNameKeys` makes them; undefined where it is for every point. */
  readonly pointNameKeys: ReadonlySet<string> | undefined;
}

/**
 * A distribution point of a certificate, its names as keys that are equal exactly for equal names. Comparing each of its names with each
 * of a list's was rejected: a peer can make both long, and their product is what it would send.
 */
export interface PreparedPoint {
  /** Who issues the lists; undefined for the certificate's own issuer. */
  readonly issuerNameKeys: ReadonlySet<string> | undefined;
  /** What a list that has a point of its own must name one of. */
  readonly nameKeys: ReadonlySet<string>;
  readonly reasons: readonly ReasonFlag[] | undefined;
}

/** Prepares a point of a certificate by this issuer. The work is linear in the octets of all three names. */
export function preparePoint(
  { distributionPoint, reasons, cRLIssuer }: DistributionPoint,
  issuer: Name,
): PreparedPoint {
  const issuers = cRLIssuer && directoryNames(cRLIssuer);
  return {
    issuerNameKeys: issuers && new Set(issuers.map((name) => nameKey(name))),
    // Without a name of its own, a point is named as the issuer of its lists.
    nameKeys:
      distributionPoint === undefined
        ? new Set((cRLIssuer ?? []).map(generalNameKey))
        : pointNameKeys(distributionPoint, issuers?.[0] ?? issuer),
    reasons,
  };
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
  { issuerNameKeys, nameKeys }: PreparedPoint,
  list: ListScope,
): string | undefined {
  const { issuingDistributionPoint: scope, pointNameKeys: ownNameKeys } = list;
  // (b)(1): the list is by the issuer that the point, or else the certificate, names.
  if (issuerNameKeys === undefined) {
    if (list.issuerNameKey !== certificate.issuerNameKey) return "is by another issuer than the certificate asks for";
  } else {
    if (!issuerNameKeys.has(list.issuerNameKey)) return "is by another issuer than the certificate asks for";
    if (scope?.indirectCRL !== true) return "is only about certificates of its own issuer";
  }
  if (scope === undefined) return undefined;
  // (b)(2)(i): one of the list's names for its point is one of the certificate's (GHSA-pwjx-qhcg-rvj4).
  if (ownNameKeys !== undefined && !hasCommon(ownNameKeys, nameKeys)) return "is for another distribution point";
  // (b)(2)(ii) to (iv): the list is for certificates of this kind. One of version 1 cannot say of which kind it is.
  const isLimited = scope.onlyContainsUserCerts || scope.onlyContainsCACerts;
  if (isLimited && certificate.version === 1)
    return "is for one kind of certificates, and a certificate of version 1 does not say of which kind it is";
  if (scope.onlyContainsUserCerts && certificate.isCa) return "is for end entities only";
  if (scope.onlyContainsCACerts && !certificate.isCa) return "is for certificate authorities only";
  if (scope.onlyContainsAttributeCerts) return "is for attribute certificates only";
  return undefined;
}

function hasCommon(some: ReadonlySet<string>, others: ReadonlySet<string>): boolean {
  const [few, many] = some.size < others.size ? [some, others] : [others, some];
  for (const key of few) if (many.has(key)) return true;
  return false;
}

/** (d): the reasons for revocation that a list is about, by a point. */
export function reasonsCovered(
  point: Pick<DistributionPoint, "reasons">,
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
export function directoryNames(names: readonly GeneralName[]): Name[] {
  return names.filter((name) => name.type === "directoryName").map(({ value }) => value);
}

/** The names of a point as keys; a relative one continues `base`. */
export function pointNameKeys(point: DistributionPointName, base: Name): ReadonlySet<string> {
  if (point.type === "fullName") return new Set(point.names.map(generalNameKey));
  const value = { rdns: [...base.rdns, point.rdn], encoding: new Uint8Array() };
  return new Set([generalNameKey({ type: "directoryName", value })]);
}

/** A string that is equal exactly for names that match (RFC 5280 §7): directory names by their key, all others as they are. */
function generalNameKey(name: GeneralName): string {
  switch (name.type) {
    case "directoryName":
      return `${name.type}:${nameKey(name.value)}`;
    case "otherName":
      return `${name.type}:${name.typeId.length}:${octetKey(name.typeId)}${octetKey(name.value)}`;
    case "dNSName":
    case "rfc822Name":
    case "uniformResourceIdentifier":
      return `${name.type}:${name.value}`;
    default:
      return `${name.type}:${octetKey(name.value)}`;
  }
}
