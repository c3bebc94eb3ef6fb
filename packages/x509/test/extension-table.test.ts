/** The table of extensions, held against RFC 5280's own words. */

import { decodeOid, encodeOid } from "@latchkey/asn1";
import { expect, it } from "vitest";
import { isUnderstoodBy, knownExtension, knownExtensions, policyConstraints } from "../src/index.ts";

function names(select: (row: (typeof knownExtensions)[number]) => boolean): string[] {
  return knownExtensions
    .filter(select)
    .map(({ name }) => name)
    .sort();
}

it("says which extensions RFC 5280 wants critical, and which never", () => {
  // "Conforming CAs MUST mark this extension as critical" and the same as non-critical, section by section.
  expect(names(({ criticality, reference }) => criticality === "always" && reference.startsWith("RFC 5280"))).toEqual([
    "certificateIssuer",
    "deltaCRLIndicator",
    "inhibitAnyPolicy",
    "issuingDistributionPoint",
    "nameConstraints",
    "policyConstraints",
  ]);
  expect(names(({ criticality }) => criticality === "never")).toEqual([
    "authorityInfoAccess",
    "authorityKeyIdentifier",
    "cRLNumber",
    "cRLReason",
    "freshestCRL",
    "invalidityDate",
    "subjectDirectoryAttributes",
    "subjectInfoAccess",
    "subjectKeyIdentifier",
  ]);
  expect(names(({ criticality }) => criticality === "inAuthorities")).toEqual(["basicConstraints"]);
});

it("has each identifier once, in dotted form under the arcs of its standard", () => {
  const dotted = knownExtensions.map(({ oid }) => decodeOid(oid));
  expect(new Set(dotted).size).toBe(dotted.length);
  expect(dotted.every((oid) => /^(2\.5\.29|1\.3\.6\.1\.5\.5\.7|1\.3\.6\.1\.4\.1\.11129)\./.test(oid))).toBe(true);
});

it("finds a row by its identifier, and the value's type in it", () => {
  expect(knownExtension(encodeOid("2.5.29.36"))?.type).toBe(policyConstraints);
  expect(knownExtension(encodeOid("2.5.29.36.1"))).toBeUndefined();
});

it("lets nobody accept a precertificate, a TLS feature outside TLS, or a list's extension in a certificate", () => {
  expect(isUnderstoodBy("path", encodeOid("1.3.6.1.4.1.11129.2.4.3"))).toBe(false);
  expect(isUnderstoodBy("path", encodeOid("1.3.6.1.5.5.7.1.24"))).toBe(false);
  expect(isUnderstoodBy("tls", encodeOid("1.3.6.1.5.5.7.1.24"))).toBe(true);
  for (const arc of [20, 21, 24, 27, 28, 29]) {
    expect(isUnderstoodBy("path", encodeOid(`2.5.29.${arc}`)), `2.5.29.${arc}`).toBe(false);
  }
  for (const arc of [20, 27, 28]) {
    expect(isUnderstoodBy("revocationList", encodeOid(`2.5.29.${arc}`)), `2.5.29.${arc}`).toBe(true);
    expect(isUnderstoodBy("revocationEntry", encodeOid(`2.5.29.${arc}`)), `2.5.29.${arc}`).toBe(false);
  }
});
