/** What an outline says about being an issuer, and that it is never stricter than the whole certificate. */

import { basicConstraints, type Extension, keyUsage, parseCertificate, subjectKeyIdentifier } from "@latchkey/x509";
import { describe, expect, test } from "vitest";
import { outlineOf, outlineOfCertificate } from "../src/certificate-outline.ts";
import {
  authority,
  type CertificateInput,
  endEntity,
  entity,
  extension,
  issue,
  now,
  unknownExtension,
} from "./issuing.ts";

const root = entity("Root");

function made(extensions: readonly Extension[], input: Partial<CertificateInput> = {}): Uint8Array {
  return issue({ subject: root, issuer: root, keyIdentifiers: "none", extensions, ...input });
}

function raw({ oid }: { readonly oid: Uint8Array }, ...value: number[]): Extension {
  return { oid, critical: true, value: Uint8Array.from(value), valueOffset: 0 };
}

const isCa = raw(basicConstraints, 0x30, 3, 1, 1, 0xff);

describe("whether a certificate may be an issuer", () => {
  test.each<[string, readonly Extension[], boolean]>([
    ["an authority", authority(), true],
    ["an authority with a path length", authority({ pathLenConstraint: 0 }), true],
    ["an authority that may sign lists only", authority({ usages: ["cRLSign"] }), false],
    ["an end entity", endEntity("clientAuth"), false],
    ["no extensions that say it", [], false],
    ["cA TRUE without a keyUsage", [isCa], true],
    ["cA left out", [raw(basicConstraints, 0x30, 0)], false],
    ["cA FALSE written out", [raw(basicConstraints, 0x30, 3, 1, 1, 0)], false],
    ["cA as another octet than 0xff", [raw(basicConstraints, 0x30, 3, 1, 1, 1)], true],
    ["cA unclear by its length", [raw(basicConstraints, 0x30, 4, 1, 2, 0, 0)], true],
    [
      "a path length without cA, which nobody should read as no authority",
      [raw(basicConstraints, 0x30, 3, 2, 1, 0)],
      true,
    ],
    ["a keyUsage too short to hold the bit", [isCa, raw(keyUsage, 3, 1, 0)], true],
    ["a keyUsage that is no BIT STRING", [isCa, raw(keyUsage, 4, 2, 0, 0)], true],
    ["a keyUsage with the bit", [isCa, raw(keyUsage, 3, 2, 2, 0x04)], true],
    ["a keyUsage without the bit", [isCa, raw(keyUsage, 3, 2, 1, 0xfb)], false],
    ["more extensions than are looked through", [...Array.from({ length: 33 }, () => unknownExtension(false))], true],
    ["as many extensions as are looked through", [...Array.from({ length: 32 }, () => unknownExtension(false))], false],
  ])("%s: %o", (_, extensions, mayIssue) => expect(outlineOf(made(extensions))?.mayIssue).toBe(mayIssue));

  test("is the same by a certificate that was read before", () => {
    for (const extensions of [authority(), endEntity("clientAuth"), authority({ usages: ["cRLSign"] })]) {
      const der = made(extensions);
      expect(outlineOfCertificate(parseCertificate(der))).toEqual(outlineOf(der));
    }
    expect(outlineOf(made([], { version: 1 }))?.mayIssue).toBe(false);
  });
});

test("names, times and the key identifier are those of the certificate", () => {
  const identifier = Uint8Array.of(1, 2, 3);
  const issuer = entity("Issuer");
  const der = made([extension(subjectKeyIdentifier, identifier)], { issuer, notBefore: now - 5, notAfter: now + 5 });
  expect(outlineOf(der)).toMatchObject({
    issuer: issuer.name.encoding,
    subject: root.name.encoding,
    keyIdentifier: identifier,
    notBefore: now - 5,
    notAfter: now + 5,
  });
  expect(outlineOf(made([]))?.keyIdentifier).toBeUndefined();
});

test("octets that are no certificate have none", () => {
  const der = made(authority());
  for (const length of [0, 1, 4, 40, der.length - 1]) expect(outlineOf(der.subarray(0, length))).toBeUndefined();
});
