/**
 * One table of the extensions that this package knows: what each is called, where it is defined, whether it must be
 * critical, and which part of Latchkey acts on it. Everything that treats extensions by their identifier reads this
 * table, so an extension is added here and nowhere else.
 */

import { encodeOid } from "@latchkey/asn1";
import { decodeExtension, type Extension, type ExtensionReader } from "../extension.ts";
import { oidKey } from "../oid-key.ts";
import { type Tolerate, tolerateNothing } from "../tolerance.ts";
import { certificateIssuer, issuerAltName, subjectAltName } from "./alternative-names.ts";
import { basicConstraints } from "./basic-constraints.ts";
import {
  cRLDistributionPoints,
  cRLNumber,
  cRLReason,
  deltaCRLIndicator,
  freshestCRL,
  invalidityDate,
  issuingDistributionPoint,
} from "./distribution-points.ts";
import { authorityKeyIdentifier, subjectKeyIdentifier } from "./key-identifiers.ts";
import { extendedKeyUsage, keyUsage } from "./key-usage.ts";
import { nameConstraints } from "./name-constraints.ts";
import { idCe } from "./oid.ts";
import { certificatePolicies, inhibitAnyPolicy, policyConstraints, policyMappings } from "./policies.ts";
import {
  authorityInfoAccess,
  ocspNoCheck,
  signedCertificateTimestamps,
  subjectInfoAccess,
  tlsFeature,
} from "./private-internet.ts";

/**
 * Whether an extension has to be marked critical: `always`, `never`, `inAuthorities` (always in the certificate of a
 * certificate authority, elsewhere as its issuer likes), or `either`.
 */
export type ExtensionCriticality = "always" | "never" | "inAuthorities" | "either";

/**
 * What acts on an extension, and so may accept it where it is critical (RFC 5280 §4.2, §5.2, §5.3): `path` validates
 * certificates, `revocationList` uses a list's extensions, `revocationEntry` those of a list's entry, and `tls` is for
 * the TLS layer, which alone can hold a server to it.
 */
export type ExtensionUser = "path" | "revocationList" | "revocationEntry" | "tls";

/** One extension of the table. */
export interface KnownExtension {
  /** Content octets of the object identifier. */
  readonly oid: Uint8Array;
  /** The name in its standard, for instance `basicConstraints`. */
  readonly name: string;
  /** What its standard says about marking it critical. */
  readonly criticality: ExtensionCriticality;
  /** The section that defines it, for instance `RFC 5280 §4.2.1.9`. */
  readonly reference: string;
  /** What acts on it. Where the extension is critical, every other reader has to refuse what it is part of. */
  readonly understoodBy: readonly ExtensionUser[];
  /** How its value is read; undefined where this package leaves the value unread. */
  readonly type: ExtensionReader<unknown> | undefined;
}

/** Every known extension. */
export const knownExtensions: readonly KnownExtension[] = /* @__PURE__ */ makeTable();

function makeTable(): readonly KnownExtension[] {
  const path = ["path"] as const;
  const list = ["revocationList"] as const;
  const entry = ["revocationEntry"] as const;
  const both = ["path", "revocationList"] as const;
  return [
    unread("subjectDirectoryAttributes", idCe(9), "never", "RFC 5280 §4.2.1.8"),
    row(subjectKeyIdentifier, "never", "RFC 5280 §4.2.1.2", path),
    row(keyUsage, "either", "RFC 5280 §4.2.1.3", path),
    row(subjectAltName, "either", "RFC 5280 §4.2.1.6", path),
    row(issuerAltName, "either", "RFC 5280 §4.2.1.7", both),
    row(basicConstraints, "inAuthorities", "RFC 5280 §4.2.1.9", path),
    row(nameConstraints, "always", "RFC 5280 §4.2.1.10", path),
    row(cRLDistributionPoints, "either", "RFC 5280 §4.2.1.13", path),
    row(certificatePolicies, "either", "RFC 5280 §4.2.1.4", path),
    row(policyMappings, "either", "RFC 5280 §4.2.1.5", path),
    row(authorityKeyIdentifier, "never", "RFC 5280 §4.2.1.1", path),
    row(policyConstraints, "always", "RFC 5280 §4.2.1.11", path),
    row(extendedKeyUsage, "either", "RFC 5280 §4.2.1.12", path),
    row(freshestCRL, "never", "RFC 5280 §4.2.1.15", both),
    row(inhibitAnyPolicy, "always", "RFC 5280 §4.2.1.14", path),
    row(authorityInfoAccess, "never", "RFC 5280 §4.2.2.1", path),
    row(subjectInfoAccess, "never", "RFC 5280 §4.2.2.2", path),
    row(tlsFeature, "either", "RFC 7633 §4", ["tls"]),
    row(ocspNoCheck, "either", "RFC 6960 §4.2.2.2.1", path),
    // Nothing here checks the timestamps, so a critical list of them is not understood.
    row(signedCertificateTimestamps, "either", "RFC 6962 §3.3", []),
    // A precertificate is not a certificate: no verifier may accept it (RFC 6962 §3.1).
    unread("precertificatePoison", encodeOid("1.3.6.1.4.1.11129.2.4.3"), "always", "RFC 6962 §3.1"),
    row(cRLNumber, "never", "RFC 5280 §5.2.3", list),
    row(deltaCRLIndicator, "always", "RFC 5280 §5.2.4", list),
    row(issuingDistributionPoint, "always", "RFC 5280 §5.2.5", list),
    row(cRLReason, "never", "RFC 5280 §5.3.1", entry),
    row(invalidityDate, "never", "RFC 5280 §5.3.2", entry),
    row(certificateIssuer, "always", "RFC 5280 §5.3.3", entry),
  ];
}

function row<Value>(
  type: ExtensionReader<Value>,
  criticality: ExtensionCriticality,
  reference: string,
  understoodBy: readonly ExtensionUser[],
): KnownExtension {
  const { oid, name } = type;
  return { oid, name, criticality, reference, understoodBy, type };
}

function unread(name: string, oid: Uint8Array, criticality: ExtensionCriticality, reference: string): KnownExtension {
  return { oid, name, criticality, reference, understoodBy: [], type: undefined };
}

const byOid: ReadonlyMap<string, KnownExtension> = /* @__PURE__ */ new Map(
  knownExtensions.map((known) => [oidKey(known.oid), known]),
);

/** The table's row for an object identifier, given as content octets; undefined for an unknown one. */
export function knownExtension(oid: Uint8Array): KnownExtension | undefined {
  return byOid.get(oidKey(oid));
}

/** Whether the extension may be critical where `user` reads it: the table says that `user` acts on it. */
export function isUnderstoodBy(user: ExtensionUser, oid: Uint8Array): boolean {
  return knownExtension(oid)?.understoodBy.includes(user) === true;
}

/** How the value of an extension is read, where this package reads it. */
export function extensionTypeOf(oid: Uint8Array): ExtensionReader<unknown> | undefined {
  return knownExtension(oid)?.type;
}

/**
 * Decodes every known extension and so refuses a malformed one, critical or not, unless it is tolerated. Throws as
 * `extensionValue`.
 */
export function checkExtensionValues(extensions: readonly Extension[], tolerate: Tolerate = tolerateNothing): void {
  for (const extension of extensions) {
    const type = extensionTypeOf(extension.oid);
    if (type !== undefined) decodeExtension(extension, type, tolerate);
  }
}
