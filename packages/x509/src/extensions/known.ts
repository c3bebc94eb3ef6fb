/** The extensions of certificates and revocation lists that this package knows, and a check of all at once. */

import { decodeExtension, type Extension, type ExtensionReader } from "../extension.ts";
import { oidKey } from "../oid-key.ts";
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
import { certificatePolicies, inhibitAnyPolicy, policyConstraints, policyMappings } from "./policies.ts";
import {
  authorityInfoAccess,
  ocspNoCheck,
  signedCertificateTimestamps,
  subjectInfoAccess,
  tlsFeature,
} from "./private-internet.ts";

const types: ReadonlyMap<string, ExtensionReader<unknown>> = /* @__PURE__ */ makeTypes();

function makeTypes(): ReadonlyMap<string, ExtensionReader<unknown>> {
  const all: readonly ExtensionReader<unknown>[] = [
    authorityInfoAccess,
    authorityKeyIdentifier,
    basicConstraints,
    certificateIssuer,
    certificatePolicies,
    cRLDistributionPoints,
    cRLNumber,
    cRLReason,
    deltaCRLIndicator,
    extendedKeyUsage,
    freshestCRL,
    inhibitAnyPolicy,
    invalidityDate,
    issuerAltName,
    issuingDistributionPoint,
    keyUsage,
    nameConstraints,
    ocspNoCheck,
    policyConstraints,
    policyMappings,
    signedCertificateTimestamps,
    subjectAltName,
    subjectInfoAccess,
    subjectKeyIdentifier,
    tlsFeature,
  ];
  return new Map(all.map((type) => [oidKey(type.oid), type]));
}

/** The type of an extension, where this package knows it. */
export function extensionTypeOf(oid: Uint8Array): ExtensionReader<unknown> | undefined {
  return types.get(oidKey(oid));
}

/** Decodes every known extension and so refuses a malformed one, critical or not. Throws as `extensionValue`. */
export function checkExtensionValues(extensions: readonly Extension[]): void {
  for (const extension of extensions) {
    const type = extensionTypeOf(extension.oid);
    if (type !== undefined) decodeExtension(extension, type);
  }
}
