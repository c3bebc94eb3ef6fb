/** What holds for any value and any bytes. */

import { DerReader, encodeDer, encodeOid } from "@latchkey/asn1";
import { growthOf } from "@latchkey/tooling-vitest/cpu-time";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  authorityInfoAccess,
  authorityKeyIdentifier,
  basicConstraints,
  type Certificate,
  certificatePolicies,
  cRLDistributionPoints,
  cRLNumber,
  cRLReason,
  createCertificationRequest,
  decodeExtension,
  extendedKeyUsage,
  extensionValue,
  type ExtensionType,
  type GeneralName,
  hexText,
  inhibitAnyPolicy,
  invalidityDate,
  issueCertificateRevocationList,
  issuingDistributionPoint,
  keyUsage,
  makeExtension,
  makeName,
  makeNameOfSets,
  nameConstraints,
  nameKey,
  namesMatch,
  nameText,
  parseCertificate,
  parseCertificateRevocationList,
  parseCertificationRequest,
  parseName,
  parseNameText,
  parsePrivateKeyInfo,
  policyConstraints,
  policyMappings,
  type RevocationReason,
  revocationReasons,
  signedCertificateTimestamps,
  subjectAltName,
  subjectKeyIdentifier,
  tlsFeature,
  X509Error,
} from "../src/index.ts";
import { certificateText, certificateToJson, revocationListText } from "../src/text.ts";
import { hexOf, makeDevice, makeRoot, now, provider } from "./authority.ts";

const root = makeRoot();
const device = makeDevice(root);
const list = issueCertificateRevocationList({
  provider,
  issuer: root,
  thisUpdate: now,
  nextUpdate: now + 1000,
  number: 3,
  entries: [
    { serialNumber: Uint8Array.of(1), revocationDate: now, reason: "keyCompromise" },
    { serialNumber: Uint8Array.of(2), revocationDate: now },
  ],
});
const request = createCertificationRequest({
  provider,
  privateKey: device.privateKey,
  subject: device.certificate.subject,
  extensions: [makeExtension(subjectAltName, [{ type: "dNSName", value: "a.example" }])],
});

const oid = fc
  .tuple(fc.nat(2), fc.nat(39), fc.array(fc.nat(2 ** 31 - 1), { maxLength: 5 }))
  .map(([first, second, rest]) => encodeOid([first, second, ...rest].join(".")));
const ia5 = fc.string({ maxLength: 30, unit: "binary-ascii" });
const octets = fc.uint8Array({ minLength: 1, maxLength: 24 });
const text = fc.string({ unit: "grapheme", maxLength: 20 });
const name = fc
  .array(
    fc.array(
      fc.record({ type: fc.constantFrom("commonName" as const, "organizationName" as const, "1.2.3.4"), value: text }),
      { minLength: 1, maxLength: 3 },
    ),
    { maxLength: 4 },
  )
  .map(makeNameOfSets);
const generalName: fc.Arbitrary<GeneralName> = fc.oneof(
  fc.record({
    type: fc.constant("otherName" as const),
    typeId: oid,
    value: octets.map((value) => encodeDer((writer) => writer.octetString(value))),
  }),
  fc.record({
    type: fc.constantFrom("rfc822Name" as const, "dNSName" as const, "uniformResourceIdentifier" as const),
    value: ia5,
  }),
  fc.record({ type: fc.constant("directoryName" as const), value: name }),
  fc.record({
    type: fc.constant("iPAddress" as const),
    value: fc.oneof(fc.uint8Array({ minLength: 4, maxLength: 4 }), fc.uint8Array({ minLength: 16, maxLength: 16 })),
  }),
  fc.record({ type: fc.constant("registeredID" as const), value: oid }),
);
const generalNames = fc.array(generalName, { minLength: 1, maxLength: 4 });
const skip = fc.nat(255);
const reasons = fc.subarray(["keyCompromise", "cACompromise", "superseded", "aACompromise"] as const, { minLength: 1 });

/** A type with an arbitrary of its values. */
type Sample = readonly [ExtensionType<never>, fc.Arbitrary<unknown>];

function sample<Value>(type: ExtensionType<Value>, values: fc.Arbitrary<Value>): Sample {
  return [type as unknown as ExtensionType<never>, values];
}

const samples: readonly Sample[] = [
  sample(basicConstraints, fc.record({ cA: fc.boolean(), pathLenConstraint: fc.option(skip, { nil: undefined }) })),
  sample(
    keyUsage,
    fc.subarray(["digitalSignature", "keyAgreement", "keyCertSign", "cRLSign", "decipherOnly"] as const, {
      minLength: 1,
    }),
  ),
  sample(extendedKeyUsage, fc.array(oid, { minLength: 1, maxLength: 4 })),
  sample(subjectAltName, generalNames),
  sample(
    authorityKeyIdentifier,
    fc.oneof(
      fc.record({
        keyIdentifier: fc.option(octets, { nil: undefined }),
        authorityCertIssuer: fc.constant(undefined),
        authorityCertSerialNumber: fc.constant(undefined),
      }),
      fc.record({
        keyIdentifier: octets,
        authorityCertIssuer: generalNames,
        authorityCertSerialNumber: fc.constant(Uint8Array.of(7)),
      }),
    ),
  ),
  sample(subjectKeyIdentifier, octets),
  sample(
    nameConstraints,
    fc.record({
      permittedSubtrees: fc.array(
        generalName.filter(({ type }) => type !== "iPAddress"),
        { minLength: 1, maxLength: 3 },
      ),
      excludedSubtrees: fc.constant(undefined),
    }),
  ),
  sample(
    certificatePolicies,
    fc
      .uniqueArray(oid, { minLength: 1, maxLength: 3, selector: hexOf })
      .map((all) => all.map((policyIdentifier) => ({ policyIdentifier, policyQualifiers: [] }))),
  ),
  sample(
    policyMappings,
    fc.array(fc.record({ issuerDomainPolicy: oid, subjectDomainPolicy: oid }), { minLength: 1, maxLength: 3 }),
  ),
  sample(
    policyConstraints,
    fc.record({ requireExplicitPolicy: skip, inhibitPolicyMapping: fc.option(skip, { nil: undefined }) }),
  ),
  sample(inhibitAnyPolicy, skip),
  sample(
    cRLDistributionPoints,
    fc.array(
      fc.record({
        distributionPoint: generalNames.map((names) => ({ type: "fullName" as const, names })),
        reasons: fc.option(reasons, { nil: undefined }),
        cRLIssuer: fc.option(generalNames, { nil: undefined }),
      }),
      { minLength: 1, maxLength: 2 },
    ),
  ),
  sample(
    issuingDistributionPoint,
    fc.record({
      distributionPoint: fc.constant(undefined),
      onlyContainsUserCerts: fc.constant(true),
      onlyContainsCACerts: fc.constant(false),
      onlySomeReasons: fc.option(reasons, { nil: undefined }),
      indirectCRL: fc.boolean(),
      onlyContainsAttributeCerts: fc.constant(false),
    }),
  ),
  sample(
    authorityInfoAccess,
    fc.array(fc.record({ accessMethod: oid, accessLocation: generalName }), { minLength: 1, maxLength: 3 }),
  ),
  sample(tlsFeature, fc.array(fc.nat(65_535), { maxLength: 4 })),
  sample(signedCertificateTimestamps, octets),
  sample(
    cRLNumber,
    fc.integer({ min: 1, max: 255 }).map((number) => Uint8Array.of(number, 7)),
  ),
  sample(cRLReason, fc.constantFrom(...(Object.keys(revocationReasons) as RevocationReason[]))),
  sample(invalidityDate, fc.integer({ min: 0, max: 4e9 })),
];

describe("round trips", () => {
  it.each(samples.map(([type, values]) => ({ name: type.name, type, values })))("$name", ({ type, values }) => {
    fc.assert(
      fc.property(values, (value) => {
        const extension = makeExtension(type, value as never);
        const decoded = decodeExtension(extension, type);
        expect(plain(decoded)).toEqual(plain(value));
        expect(hexOf(makeExtension(type, decoded).value)).toBe(hexOf(extension.value));
      }),
      { numRuns: 50 },
    );
  });

  it("names, their text, and their text read again", () => {
    fc.assert(
      fc.property(name, (value) => {
        const again = parseName(value.encoding);
        expect(nameText(again)).toBe(nameText(value));
        expect(namesMatch(again, value)).toBe(true);
        if (nameText(value).includes("1.2.3.4=#")) return;
        expect(hexOf(parseNameText(nameText(value)).encoding)).toBe(hexOf(value.encoding));
      }),
    );
  });

  it("names match exactly where their keys are equal, however they are written", () => {
    const loose = fc
      .array(fc.constantFrom("a", "A", " ", "  b", "ß", "SS", "é", "é"), { minLength: 1, maxLength: 4 })
      .map((parts) => parts.join(""));
    fc.assert(
      fc.property(loose, loose, (a, b) => {
        const first = makeName([{ type: "commonName", value: a }]);
        const second = makeName([{ type: "commonName", value: b }]);
        expect(namesMatch(first, second)).toBe(nameKey(first) === nameKey(second));
        const fold = (each: string): string => each.normalize("NFKC").toLowerCase().replace(/ +/g, " ").trim();
        expect(namesMatch(first, second)).toBe(fold(a) === fold(b));
      }),
    );
  });

  it("whole structures: what was parsed is byte for byte what it was parsed from", () => {
    expect(parseCertificate(device.certificate.encoding).encoding).toEqual(device.certificate.encoding);
    expect(parseCertificateRevocationList(list.encoding).encoding).toEqual(list.encoding);
    expect(parseCertificationRequest(request.encoding).encoding).toEqual(request.encoding);
    expect(makeNameOfSets([]).encoding).toEqual(Uint8Array.of(0x30, 0));
  });
});

/** Octets as hexadecimal and names as text, so that values compare by what they say. */
function plain(value: unknown): unknown {
  if (value instanceof Uint8Array) return hexOf(value);
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== "object" || value === null) return value;
  if ("rdns" in value && "encoding" in value) return plain(value.encoding);
  return Object.fromEntries(Object.entries(value).map(([key, field]) => [key, plain(field)]));
}

/** Everything that a certificate says, as text: two with the same differ in nothing but their bytes. */
function meaning(certificate: Certificate): string {
  return JSON.stringify(certificateToJson(certificate));
}

describe("any single-byte change", () => {
  const targets = [
    ["certificate", device.certificate.encoding, (der: Uint8Array): string => meaning(parseCertificate(der))],
    ["authority's certificate", root.certificate.encoding, (der: Uint8Array): string => meaning(parseCertificate(der))],
    [
      "revocation list",
      list.encoding,
      (der: Uint8Array): string => revocationListText(parseCertificateRevocationList(der)),
    ],
    [
      "request",
      request.encoding,
      (der: Uint8Array): string => {
        const { attributes, subject, subjectPublicKeyInfo, signatureAlgorithm, signatureValue } =
          parseCertificationRequest(der);
        return JSON.stringify([
          nameText(subject),
          hexText(subjectPublicKeyInfo.encoding),
          attributes.map(({ type, values }) => [hexText(type), values.map((each) => hexText(each))]),
          hexText(signatureAlgorithm.encoding),
          hexText(signatureValue),
        ]);
      },
    ],
  ] as const;

  it.each(targets)("of a %s is refused with an X509Error or says something else", (_, encoding, read) => {
    const original = read(encoding);
    let refused = 0;
    let changed = 0;
    for (let index = 0; index < encoding.length; index++) {
      for (const flip of [0x01, 0x20, 0x80, 0xff]) {
        const bytes = Uint8Array.from(encoding);
        bytes[index] = (bytes[index] ?? 0) ^ flip;
        let result: string | undefined;
        try {
          result = read(bytes);
        } catch (error) {
          if (!(error instanceof X509Error)) throw error;
        }
        if (result === undefined) refused++;
        else {
          expect(result, `octet ${index} ^ ${flip}`).not.toBe(original);
          changed++;
        }
      }
    }
    expect(refused).toBeGreaterThan(encoding.length);
    expect(refused + changed).toBe(encoding.length * 4);
  });

  it("of a signed certificate fails its signature", () => {
    const key = provider.importSpki(root.certificate.subjectPublicKeyInfo.encoding);
    const { encoding } = device.certificate;
    for (let index = 0; index < encoding.length; index += 7) {
      const bytes = Uint8Array.from(encoding);
      bytes[index] = (bytes[index] ?? 0) ^ 0x01;
      try {
        const { tbsCertificate, signatureValue } = parseCertificate(bytes);
        expect(provider.verify(key, { name: "ecdsa", hash: "SHA-256" }, tbsCertificate, signatureValue)).toBe(false);
      } catch (error) {
        expect(error).toBeInstanceOf(X509Error);
      }
    }
  });
});

describe("any bytes", () => {
  it("are parsed or refused with an X509Error, whole, cut off or made up", () => {
    const readers = [
      parseCertificate,
      parseCertificationRequest,
      parseCertificateRevocationList,
      parseName,
      parsePrivateKeyInfo,
    ];
    const made = fc.uint8Array({ maxLength: 80 });
    const cut = fc
      .nat(device.certificate.encoding.length)
      .map((length) => device.certificate.encoding.subarray(0, length));
    fc.assert(
      fc.property(fc.oneof(made, cut), (bytes) => {
        for (const read of readers) {
          try {
            read(bytes);
          } catch (error) {
            expect(error).toBeInstanceOf(X509Error);
          }
        }
      }),
      { numRuns: 300 },
    );
  });

  it("cut off are refused at every length", () => {
    for (const { encoding } of [device.certificate, root.certificate]) {
      for (let length = 0; length < encoding.length; length++) {
        expect(() => parseCertificate(encoding.subarray(0, length))).toThrow(X509Error);
      }
    }
  });

  it("as values of known extensions are decoded or refused, and can be shown", () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...samples.map(([type]) => type)),
        fc.uint8Array({ maxLength: 40 }),
        (type, value) => {
          const extension = { oid: type.oid, critical: false, value, valueOffset: 0 };
          try {
            decodeExtension(extension, type);
          } catch (error) {
            expect(error).toBeInstanceOf(X509Error);
          }
          const shown = { ...device.certificate, extensions: [extension] };
          expect(certificateText(shown)).toContain("X509v3 extensions");
          expect(JSON.stringify(certificateToJson(shown))).toContain(hexText(value));
        },
      ),
      { numRuns: 500 },
    );
  });
});

/** Between 8, which is linear, and 64, which is quadratic. */
const linear = 24;

describe("time is linear in the input", () => {
  /** How much more CPU eight times the input takes: 8 is linear, 64 quadratic. */
  function growth(make: (size: number) => () => unknown, size: number): number {
    return growthOf(make(size), make(size * 8), linear);
  }

  it("for certificates with many alternative names, and for looking them up", () => {
    const make = (count: number) => {
      const names = Array.from({ length: count }, (_, index): GeneralName => ({
        type: "dNSName",
        value: `host-${index}.example`,
      }));
      const der = withExtension(makeExtension(subjectAltName, names).value);
      return (): unknown => extensionValue(parseCertificate(der), subjectAltName);
    };
    expect(growth(make, 2000)).toBeLessThan(linear);
  });

  it("for names with long runs of spaces and many attributes", () => {
    const make = (count: number) => {
      const wide = makeName([{ type: "commonName", value: `a${" ".repeat(count)}b` }]);
      const tall = makeName(Array.from({ length: Math.ceil(count / 20) }, () => ({ type: "commonName", value: "x" })));
      return (): unknown => [nameKey(wide), nameText(wide), nameKey(tall), parseName(tall.encoding)];
    };
    expect(growth(make, 20_000)).toBeLessThan(linear);
  });

  it("for revocation lists, and lookups do not depend on luck", () => {
    const make = (count: number) => {
      const entries = Array.from({ length: count }, (_, index) => ({
        serialNumber: Uint8Array.of(0x40, index >> 16, (index >> 8) & 255, index & 255),
        revocationDate: now,
        reason: index % 3 === 0 ? ("keyCompromise" as const) : undefined,
      }));
      const big = issueCertificateRevocationList({
        provider,
        issuer: root,
        thisUpdate: now,
        nextUpdate: now,
        number: 1,
        entries,
      });
      return (): unknown => {
        const { revokedCertificates } = parseCertificateRevocationList(big.encoding);
        for (let lookup = 0; lookup < 40; lookup++) {
          const index = lookup * 7;
          if (revokedCertificates.find(entries[index]?.serialNumber ?? new Uint8Array(0)) === undefined)
            throw new Error("not found");
        }
        return revokedCertificates.find(Uint8Array.of(1));
      };
    };
    expect(growth(make, 2000)).toBeLessThan(linear);
  });

  function withExtension(value: Uint8Array): Uint8Array {
    const fields = new DerReader(device.certificate.tbsCertificate).sequence();
    const before = Array.from({ length: 7 }, () => fields.any().encoding);
    return encodeDer((writer) => {
      writer.sequence((outer) => {
        outer.sequence((tbs) => {
          for (const field of before) tbs.encoded(field);
          tbs.explicit(3, (explicit) => {
            explicit.sequence((all) => {
              all.sequence((extension) => {
                extension.oid(subjectAltName.oid);
                extension.octetString(value);
              });
            });
          });
        });
        outer.encoded(device.certificate.signatureAlgorithm.encoding);
        outer.bitString(device.certificate.signatureValue);
      });
    });
  }
});
