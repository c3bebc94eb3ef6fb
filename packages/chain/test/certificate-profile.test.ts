/** Each check of the profiles by itself: what it refuses, what it lets pass, and that it is off where it is off. */

import { nodeProvider } from "@latchkey/crypto/node";
import {
  authorityKeyIdentifier,
  type AuthorityKeyIdentifier,
  basicConstraints,
  type Extension,
  extendedKeyUsage,
  type GeneralName,
  keyPurposes,
  keyUsage,
  type KeyUsage,
  makeExtension,
  makeName,
  nameConstraints,
  subjectAltName,
  subjectKeyIdentifier,
} from "@latchkey/x509";
import { describe, expect, test } from "vitest";
import { type ChainPurpose, createChainVerifier, everyCheck, type ProfileCheck } from "../src/index.ts";
import { authority, type CertificateInput, dns, endEntity, type Entity, entity, issue, now } from "./issuing.ts";

const root = entity("Root");
const middle = entity("Middle");
const leaf = entity("leaf");

interface Chain {
  readonly root?: Partial<CertificateInput>;
  readonly middle?: Partial<CertificateInput>;
  readonly leaf?: Partial<CertificateInput>;
  readonly purpose?: ChainPurpose;
  readonly isPublicSuffix?: (domain: string) => boolean;
}

/** What one check says of a chain with every other check off: index and evidence of its failure, or "ok". */
function verdict(check: ProfileCheck, chain: Chain): unknown {
  const { purpose = "clientAuth", isPublicSuffix } = chain;
  const anchor = issue({ subject: root, issuer: root, extensions: authority(), ...chain.root });
  const result = createChainVerifier({
    provider: nodeProvider,
    trustAnchors: [anchor],
    checks: { ...everyCheck("off"), [check]: "error" },
    ...(isPublicSuffix === undefined ? {} : { isPublicSuffix }),
  }).verify({
    certificate: issue({
      subject: leaf,
      issuer: middle,
      extensions: endEntity(purpose === "serverAuth" ? purpose : "clientAuth"),
      ...chain.leaf,
    }),
    intermediates: [issue({ subject: middle, issuer: root, extensions: authority(), ...chain.middle })],
    purpose,
    time: now,
  });
  if (result.ok) return "ok";
  const [first] = result.failures;
  return [first?.certificateIndex, first?.evidence];
}

function leafWith(...more: Extension[]): Chain {
  return { leaf: { extensions: endEntity("clientAuth", [], more) } };
}

function named(...names: GeneralName[]): Chain {
  return { leaf: { extensions: endEntity("clientAuth", names) }, purpose: "clientAuth" };
}

const permitted = { permittedSubtrees: [dns("a.example")], excludedSubtrees: undefined };
const nobody: Entity = { name: { rdns: [], encoding: Uint8Array.of(0x30, 0) }, keys: leaf.keys };

function keyId(fields: Partial<AuthorityKeyIdentifier>): Extension {
  const none = { keyIdentifier: undefined, authorityCertIssuer: undefined, authorityCertSerialNumber: undefined };
  return makeExtension(authorityKeyIdentifier, { ...none, ...fields });
}
const issuerAndSerial = {
  authorityCertIssuer: [{ type: "directoryName" as const, value: root.name }],
  authorityCertSerialNumber: Uint8Array.of(1),
};
const own = makeExtension(subjectKeyIdentifier, Uint8Array.of(1, 2));

describe("extensions", () => {
  test("nameConstraints are critical", () => {
    const constrained = (critical: boolean): Chain => ({
      middle: { extensions: [...authority(), makeExtension(nameConstraints, permitted, critical)] },
    });
    expect(verdict("nameConstraintsCritical", constrained(true))).toBe("ok");
    expect(verdict("nameConstraintsCritical", constrained(false))).toEqual([1, {}]);
    expect(verdict("mandatoryCriticalExtensions", constrained(false))).toBe("ok");
  });

  test("what must not be critical is not, and what must be is", () => {
    const identifier = (critical: boolean): Chain =>
      leafWith(makeExtension(subjectKeyIdentifier, Uint8Array.of(1), critical));
    const none = { leaf: { ...identifier(true).leaf, keyIdentifiers: "none" } } as const;
    expect(verdict("nonCriticalExtensions", {})).toBe("ok");
    expect(verdict("nonCriticalExtensions", none)).toEqual([0, { extension: "subjectKeyIdentifier" }]);
    expect(verdict("mandatoryCriticalExtensions", none)).toBe("ok");
    const basic = makeExtension(basicConstraints, { cA: true, pathLenConstraint: undefined });
    const usages = makeExtension<readonly KeyUsage[]>(keyUsage, ["keyCertSign"]);
    const loose = { middle: { extensions: [basic, usages] } };
    expect(verdict("mandatoryCriticalExtensions", {})).toBe("ok");
    expect(verdict("mandatoryCriticalExtensions", loose)).toEqual([1, { extension: "basicConstraints" }]);
    expect(verdict("nonCriticalExtensions", loose)).toBe("ok");
    // Only authorities have to mark it.
    const entityBasic = makeExtension(basicConstraints, { cA: false, pathLenConstraint: undefined });
    expect(verdict("mandatoryCriticalExtensions", leafWith(entityBasic))).toBe("ok");
  });

  test("keys are named, but by anchors", () => {
    const without = { keyIdentifiers: "none" } as const;
    expect(verdict("authorityKeyIdentifier", { root: without })).toBe("ok");
    expect(verdict("authorityKeyIdentifier", { leaf: without })).toEqual([0, { problem: "missing" }]);
    expect(verdict("authorityKeyIdentifier", { middle: without })).toEqual([1, { problem: "missing" }]);
    const byName = { leaf: { extensions: [...endEntity("clientAuth"), keyId(issuerAndSerial)], ...without } };
    expect(verdict("authorityKeyIdentifier", byName)).toEqual([0, { problem: "no keyIdentifier" }]);
    expect(verdict("subjectKeyIdentifier", { leaf: without })).toBe("ok");
    expect(verdict("subjectKeyIdentifier", { middle: without })).toEqual([1, { problem: "missing" }]);
    expect(verdict("subjectKeyIdentifier", { root: without })).toEqual([2, { problem: "missing" }]);
  });

  test("a root names no other key than its own", () => {
    const rootWith = (...more: Extension[]): unknown =>
      verdict("rootAuthorityKeyIdentifier", { root: { extensions: authority({ more }), keyIdentifiers: "none" } });
    expect(verdict("rootAuthorityKeyIdentifier", {})).toBe("ok");
    expect(rootWith(own)).toBe("ok");
    expect(rootWith(own, keyId({ keyIdentifier: Uint8Array.of(1, 2) }))).toBe("ok");
    expect(rootWith(own, keyId({ keyIdentifier: Uint8Array.of(1, 3) }))).toEqual([2, { problem: "not its own" }]);
    expect(rootWith(keyId({ keyIdentifier: Uint8Array.of(1, 2) }))).toEqual([2, { problem: "not its own" }]);
    expect(rootWith(own, keyId(issuerAndSerial))).toEqual([2, { problem: "no keyIdentifier" }]);
    expect(rootWith(own, keyId({ keyIdentifier: Uint8Array.of(1, 2), ...issuerAndSerial }))).toEqual([
      2,
      { problem: "names issuer and serial number" },
    ]);
    // An anchor that another authority issued, and a self-issued intermediate, are no roots.
    const crossed = { issuer: middle, extensions: authority({ more: [own, keyId(issuerAndSerial)] }) };
    expect(verdict("rootAuthorityKeyIdentifier", { root: { ...crossed, keyIdentifiers: "none" } })).toBe("ok");
  });

  test("nameConstraints have the syntax of the RFC", () => {
    const constrained = (permittedSubtrees: GeneralName[], excludedSubtrees?: GeneralName[]): unknown =>
      verdict("nameConstraintSyntax", {
        middle: { extensions: authority({ nameConstraints: { permittedSubtrees, excludedSubtrees } }) },
      });
    expect(constrained([dns("a.example")])).toBe("ok");
    expect(constrained([dns("*.a.example")])).toEqual([1, { form: "dNSName", subtree: "*.a.example" }]);
    expect(constrained([dns("a.example")], [dns("*.b.example")])).toEqual([
      1,
      { form: "dNSName", subtree: "*.b.example" },
    ]);
  });
});

describe("numbers and names", () => {
  test.each([
    [1, "ok"],
    [0, { problem: "zero", octets: 1 }],
    [-128, { problem: "negative", octets: 1 }],
    [-1, { problem: "negative", octets: 1 }],
    [128, "ok"],
    [new Uint8Array(20).fill(1), "ok"],
    [new Uint8Array(21).fill(1), { problem: "long", octets: 21 }],
  ])("the serial number %o: %o", (serialNumber, expected) => {
    const wanted = expected === "ok" ? "ok" : [0, expected];
    expect(verdict("serialNumber", { leaf: { serialNumber } })).toEqual(wanted);
    // A trust anchor's is left alone.
    expect(verdict("serialNumber", { root: { serialNumber } })).toBe("ok");
  });

  test("the end entity is of version 3 and no authority, and authorities have a subject", () => {
    expect(verdict("version", {})).toBe("ok");
    expect(verdict("version", { leaf: { version: 1 } })).toEqual([0, { version: 1 }]);
    expect(verdict("endEntityIsCa", {})).toBe("ok");
    expect(verdict("endEntityIsCa", { leaf: { extensions: authority() } })).toEqual([0, {}]);
    expect(verdict("authoritySubject", { leaf: { subject: nobody } })).toBe("ok");
    expect(verdict("authoritySubject", { leaf: { subject: nobody, extensions: authority() } })).toEqual([0, {}]);
  });

  test("what only authorities may have, only authorities have", () => {
    const signs = { leaf: { extensions: [makeExtension<readonly KeyUsage[]>(keyUsage, ["keyCertSign"], true)] } };
    expect(verdict("certSignWithoutCa", {})).toBe("ok");
    expect(verdict("certSignWithoutCa", signs)).toEqual([0, {}]);
    expect(verdict("certSignWithoutCa", { leaf: { extensions: authority() } })).toBe("ok");
    const constraining = makeExtension(nameConstraints, permitted, true);
    expect(verdict("nameConstraintsInEndEntity", {})).toBe("ok");
    expect(verdict("nameConstraintsInEndEntity", leafWith(constraining))).toEqual([0, {}]);
    const asAuthority = { leaf: { extensions: authority({ nameConstraints: permitted }) } };
    expect(verdict("nameConstraintsInEndEntity", asAuthority)).toBe("ok");
  });

  test.each<[GeneralName["type"], string, boolean]>([
    ["dNSName", "a.example", true],
    ["dNSName", "*.a.example", true],
    ["dNSName", "a_b.example", false],
    ["dNSName", "192.0.2.1", false],
    ["dNSName", "", false],
    ["rfc822Name", "a@b.example", true],
    ["rfc822Name", "a", false],
    ["uniformResourceIdentifier", "urn:a", true],
    ["uniformResourceIdentifier", "/a", false],
  ])("the %s %o is well-formed: %o", (type, value, isValid) => {
    const found = verdict("alternativeNameSyntax", named({ type, value } as GeneralName));
    expect(found).toEqual(isValid ? "ok" : [0, { form: type, name: value }]);
  });

  test("subjectAltName is critical only without a subject", () => {
    const critical = (subject: Entity, isCritical: boolean): unknown =>
      verdict("subjectAltNameCritical", {
        leaf: { subject, extensions: [makeExtension(subjectAltName, [dns("a.example")], isCritical)] },
      });
    expect([critical(leaf, false), critical(nobody, true)]).toEqual(["ok", "ok"]);
    expect(critical(leaf, true)).toEqual([0, {}]);
  });

  test("no wildcard stands right below a public suffix", () => {
    const wild = (value: string, isPublicSuffix?: Chain["isPublicSuffix"]): unknown =>
      verdict("publicSuffix", { ...named(dns(value)), ...(isPublicSuffix === undefined ? {} : { isPublicSuffix }) });
    expect(wild("*.a.example")).toBe("ok");
    expect(wild("example")).toBe("ok");
    expect(wild("*.example")).toEqual([0, { name: "*.example", suffix: "example" }]);
    const isSuffix = (domain: string): boolean => domain === "co.example";
    expect(wild("*.CO.example", isSuffix)).toEqual([0, { name: "*.CO.example", suffix: "CO.example" }]);
    expect(wild("*.example", isSuffix)).toBe("ok");
    expect(wild("co.example", isSuffix)).toBe("ok");
  });

  test.each<[string, readonly string[], boolean]>([
    ["a.example", ["a.example"], true],
    ["a.example", ["b.example"], false],
    ["a.example", ["A.example"], false],
    ["a.example", ["*.a.example"], true],
    ["a_b.example", ["*.a_b.example"], true],
    ["a.example", [], true],
    ["Some Body", [], false],
    ["localhost", [], false],
    ["no. host", [], false],
  ])("the common name %o beside %o holds: %o", (value, names, holds) => {
    const chain = (purpose: ChainPurpose): Chain => ({
      purpose,
      leaf: {
        subject: { name: makeName([{ type: "CN", value }]), keys: leaf.keys },
        extensions: endEntity(purpose === "serverAuth" ? purpose : "clientAuth", names.map(dns)),
      },
    });
    const expected = [0, { commonName: value, alternativeNames: names }];
    expect(verdict("commonName", chain("serverAuth"))).toEqual(holds ? "ok" : expected);
    expect(verdict("commonName", chain("clientAuth"))).toBe("ok");
  });
});

describe("usages", () => {
  test.each<[ChainPurpose, KeyUsage, boolean]>([
    ["clientAuth", "digitalSignature", true],
    ["clientAuth", "keyAgreement", true],
    ["clientAuth", "keyEncipherment", false],
    ["serverAuth", "digitalSignature", true],
    ["serverAuth", "keyEncipherment", true],
    ["serverAuth", "keyAgreement", true],
    ["serverAuth", "cRLSign", false],
    ["any", "cRLSign", true],
  ])("for %s a key for %s is fit: %o", (purpose, usage, isFit) => {
    const extensions = [makeExtension<readonly KeyUsage[]>(keyUsage, [usage], true)];
    const found = verdict("endEntityKeyUsage", { purpose, leaf: { extensions } });
    if (isFit) expect(found).toBe("ok");
    else expect(found).toMatchObject([0, { present: [usage] }]);
    expect(verdict("endEntityKeyUsage", { purpose, leaf: { extensions: [] } })).toBe("ok");
  });

  test("the Web PKI lists purposes, not as critical, and not all of them", () => {
    const usage = (purposes: readonly Uint8Array[], critical = false): unknown =>
      verdict("extendedKeyUsageForm", { leaf: { extensions: [makeExtension(extendedKeyUsage, purposes, critical)] } });
    const { clientAuth, anyExtendedKeyUsage } = keyPurposes;
    expect(usage([clientAuth])).toBe("ok");
    expect(usage([clientAuth], true)).toEqual([0, { problem: "critical" }]);
    expect(usage([clientAuth, anyExtendedKeyUsage])).toEqual([0, { problem: "anyExtendedKeyUsage" }]);
    expect(verdict("extendedKeyUsageForm", { leaf: { extensions: [] } })).toEqual([0, { problem: "missing" }]);
  });
});
