/**
 * No structure takes an element more than it has. A NULL is put at the end of each constructed element of a valid input in
 * turn, and behind the input; all lengths around it are corrected, so that nothing but the NULL is wrong.
 */

import { DerReader, encodeDer, encodeOid } from "@latchkey/asn1";
import { describe, expect, it } from "vitest";
import {
  authorityInfoAccess,
  authorityKeyIdentifier,
  basicConstraints,
  certificatePolicies,
  createCertificationRequest,
  cRLDistributionPoints,
  decodeExtension,
  decryptPrivateKeyInfo,
  encryptPrivateKeyInfo,
  extendedKeyUsage,
  type ExtensionType,
  issueCertificateRevocationList,
  issuingDistributionPoint,
  makeExtension,
  makeName,
  nameConstraints,
  parseCertificate,
  parseCertificateRevocationList,
  parseCertificationRequest,
  parsePrivateKeyInfo,
  policyConstraints,
  policyMappings,
  subjectAltName,
  X509Error,
} from "../src/index.ts";
import { makeDevice, makeRoot, now, provider } from "./authority.ts";

/** Every encoding with a NULL added, and where: the path of tags to the element that got it. */
function withNull(der: Uint8Array, path = ""): { readonly path: string; readonly der: Uint8Array }[] {
  const { tag, content } = new DerReader(der).any();
  const here = `${path}/${tag.toString(16)}`;
  const children = (tag & 0x20) === 0 ? undefined : elementsOf(content);
  if (children === undefined) return [];
  const wrap = (parts: readonly Uint8Array[]): Uint8Array =>
    encodeDer((writer) => {
      writer.sequence((body) => {
        for (const part of parts) body.encoded(part);
      }, tag);
    });
  return [
    { path: here, der: wrap([...children, Uint8Array.of(5, 0)]) },
    ...children.flatMap((child, index) =>
      withNull(child, `${here}.${index}`).map((changed) => ({
        path: changed.path,
        der: wrap(children.with(index, changed.der)),
      })),
    ),
  ];
}

function elementsOf(content: Uint8Array): Uint8Array[] {
  const reader = new DerReader(content);
  const elements: Uint8Array[] = [];
  while (!reader.isAtEnd) elements.push(reader.any().encoding);
  return elements;
}

/** The paths at which the reader takes a NULL; the input itself is taken, and is not with a NULL behind it. */
function toleratedIn(der: Uint8Array, read: (changed: Uint8Array) => unknown): string[] {
  read(der);
  const changed = [...withNull(der), { path: "behind", der: Uint8Array.of(...der, 5, 0) }];
  expect(changed.length).toBeGreaterThan(1);
  return changed.filter((one) => isTaken(() => read(one.der))).map(({ path }) => path);
}

function isTaken(read: () => unknown): boolean {
  try {
    read();
    return true;
  } catch (error) {
    if (error instanceof X509Error) return false;
    throw error;
  }
}

const root = makeRoot();
const device = makeDevice(root);
const policy = encodeOid("1.2.3.4");
const names = [
  { type: "dNSName", value: "a.example" },
  { type: "directoryName", value: makeName([{ type: "CN", value: "a" }]) },
] as const;
const point = { distributionPoint: { type: "fullName", names }, reasons: ["superseded"], cRLIssuer: names } as const;

describe("an element that nothing asked for is refused", () => {
  it("in a certificate", () => {
    expect(toleratedIn(device.certificate.encoding, parseCertificate)).toEqual([]);
  });

  const list = issueCertificateRevocationList({
    provider,
    issuer: root,
    thisUpdate: now,
    nextUpdate: now + 1000,
    number: 9,
    entries: [{ serialNumber: Uint8Array.of(1), revocationDate: now, reason: "superseded" }],
  });

  it("in a revocation list", () => {
    expect(toleratedIn(list.encoding, parseCertificateRevocationList)).toEqual([]);
  });

  it("in an entry of a list whose contents are left unchecked, when the entry is read", () => {
    const entry = withNull(list.encoding).find(({ path }) => path === "/30.0/30.5/30.0/30");
    const { revokedCertificates } = parseCertificateRevocationList(entry?.der ?? expect.fail(), {
      checkContents: false,
    });
    expect(revokedCertificates).toHaveLength(1);
    expect(isTaken(() => revokedCertificates.at(0))).toBe(false);
  });

  it("in a request", () => {
    const request = createCertificationRequest({
      provider,
      privateKey: device.privateKey,
      subject: makeName([{ type: "CN", value: "asking" }]),
      extensions: [makeExtension(subjectAltName, names)],
    });
    // The NULL then is the parameter of the signature algorithm: that is judged where the signature is checked.
    expect(toleratedIn(request.encoding, parseCertificationRequest)).toEqual(["/30.1/30"]);
  });

  it("in a private key, plain and encrypted", () => {
    const { privateKey } = provider.generateKeyPair({ name: "ec", curve: "P-256" });
    const plain = provider.exportPkcs8(privateKey);
    expect(toleratedIn(plain, parsePrivateKeyInfo)).toEqual([]);
    const encrypted = encryptPrivateKeyInfo(plain, { provider, password: "secret", iterations: 1 });
    expect(toleratedIn(encrypted, (der) => decryptPrivateKeyInfo(der, { provider, password: "secret" }))).toEqual([]);
  });

  it.each([
    sample(basicConstraints, { cA: true, pathLenConstraint: 1 }),
    sample(extendedKeyUsage, [policy]),
    sample(subjectAltName, names),
    sample(authorityKeyIdentifier, {
      keyIdentifier: policy,
      authorityCertIssuer: names,
      authorityCertSerialNumber: Uint8Array.of(1),
    }),
    sample(nameConstraints, { permittedSubtrees: names, excludedSubtrees: names }),
    sample(certificatePolicies, [{ policyIdentifier: policy, policyQualifiers: [] }]),
    sample(policyMappings, [{ issuerDomainPolicy: policy, subjectDomainPolicy: policy }]),
    sample(policyConstraints, { requireExplicitPolicy: 1, inhibitPolicyMapping: 2 }),
    sample(cRLDistributionPoints, [point]),
    sample(issuingDistributionPoint, {
      distributionPoint: point.distributionPoint,
      onlyContainsUserCerts: true,
      onlyContainsCACerts: false,
      onlySomeReasons: undefined,
      indirectCRL: true,
      onlyContainsAttributeCerts: false,
    }),
    sample(authorityInfoAccess, [{ accessMethod: policy, accessLocation: names[0] }]),
  ])("in the extension $name", ({ value, read }) => {
    expect(toleratedIn(value, read)).toEqual([]);
  });
});

interface Sample {
  readonly name: string;
  readonly value: Uint8Array;
  readonly read: (der: Uint8Array) => unknown;
}

function sample<Value>(type: ExtensionType<Value>, decoded: Value): Sample {
  const extension = makeExtension(type, decoded);
  const read = (der: Uint8Array): unknown => decodeExtension({ ...extension, value: der }, type);
  return { name: type.name, value: extension.value, read };
}
