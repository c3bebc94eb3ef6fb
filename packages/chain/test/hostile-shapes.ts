/**
 * Questions that are made to cost, each at its worst: what a peer could send that has one end-entity certificate, or one
 * certificate authority, below a trust anchor.
 */

import { encodeOid } from "@latchkey/asn1";
import { nodeProvider } from "@latchkey/crypto/node";
import { nobleProvider } from "@latchkey/crypto/noble";
import {
  authorityKeyIdentifier,
  certificatePolicies,
  type Extension,
  extendedKeyUsage,
  makeName,
  makeNameOfSets,
  parseSubjectPublicKeyInfo,
  type Name,
  policyQualifierIds,
  subjectAltName,
} from "@latchkey/x509";
import type { ChainVerifierOptions } from "../src/index.ts";
import { checkRevocation, type RevocationChecker } from "../src/revocation.ts";
import {
  belowPolicies,
  candidatesNamed,
  constrained,
  constraints,
  directory,
  directoryNamed,
  explicit,
  keyRing,
  keysAt,
  keysOffCurve,
  leaf,
  leafBy,
  leafWithNames,
  leafWithPoints,
  levels,
  longName,
  mappings,
  mesh,
  meshBelowDevice,
  named,
  names,
  people,
  person,
  policies,
  printable,
  product,
  type Question,
  rsaKeys,
  sameNameKeys,
  strongKeys,
  unrelated,
  uri,
} from "./hostile-questions.ts";
import { hostileListShapes } from "./hostile-list-shapes.ts";
import { leafWithListIssuer, listBy, listForPoints, staleList, withLists } from "./hostile-lists.ts";
import { hostileResponse } from "./hostile-responses.ts";
import { authority, dns, endEntity, entity, extension, issue, unknownExtension } from "./issuing.ts";

const { root, intermediate, device } = people;

/** Text of about so many octets, which costs most when it is prepared for comparing. */
const costlyTexts: [what: string, text: (octets: number) => string][] = [
  ["a ligature of 18 letters", (octets) => "\ufdfa".repeat(octets / 3)],
  ["combining marks out of order", (octets) => "\u0300\u0316".repeat(octets / 4)],
  ["letters and their marks", (octets) => "e\u0301".repeat(octets / 3)],
];

const cps = { policyQualifierId: policyQualifierIds.cps, qualifier: printable("x") };

/** A name of one set of so many attributes. */
function oneSet(count: number): Name {
  return makeNameOfSets([Array.from({ length: count }, (_, index) => ({ type: "OU" as const, value: String(index) }))]);
}

function leafOfSerial(serialNumber: number): Uint8Array {
  return issue({ subject: device, issuer: root, extensions: endEntity("clientAuth"), serialNumber });
}

function staleLists(count: number): RevocationChecker {
  return checkRevocation({
    mode: "hard",
    revocationLists: Array.from({ length: count }, (_, index) => staleList(index)),
  });
}

/** A name, the question, and what the verifier is made with besides the defaults. */
export type HostileShape = [name: string, make: () => Question, options?: Partial<ChainVerifierOptions>];

export const hostileShapes: HostileShape[] = [
  ["a mesh below a device, 7 names", () => meshBelowDevice(7, person)],
  ["a mesh below a device, 14 names of one key", () => meshBelowDevice(14, (index) => entity(`M${index}`, keysAt(0)))],
  ["a mesh below a device, 25 names", () => meshBelowDevice(25, person)],
  [
    "a mesh below a device, names of 400 parts",
    () => meshBelowDevice(8, (index) => ({ name: longName(400, `${index}-`), keys: keysAt(index) })),
  ],
  [
    "a mesh below a device, 1,000 alternative names each",
    () =>
      meshBelowDevice(8, person, [
        extension(
          subjectAltName,
          names(1000, (index) => dns(`a${index}.example`)),
        ),
      ]),
  ],
  [
    "a mesh of authorities whose paths all fail by a name",
    () => mesh(9, root, person, [constraints(1, () => dns("bad"))], endEntity("clientAuth", [dns("a.bad")])),
  ],
  ["a mesh of authorities with 500 policies each", () => ({ ...mesh(6, root, person, [policies(500)]), ...explicit })],
  ["3 levels of 6 with 18,000 policies each", () => ({ ...levels(3, 6, [policies(18_000)]), ...explicit })],
  ["3 levels of 6 with 2,000 policies each", () => ({ ...levels(3, 6, [policies(2000)]), ...explicit })],
  [
    "3 levels of 6 with policies and mappings",
    () => ({
      ...levels(3, 6, [policies(2000), mappings(2000, (index) => [index, (index * 7) % 2000])]),
      ...explicit,
    }),
  ],
  [
    "8 levels where each policy is mapped to each",
    () => ({
      ...levels(8, 2, [policies(26), mappings(676, (index) => [index % 26, Math.floor(index / 26)])]),
      ...explicit,
    }),
  ],
  [
    "3 levels of 5 with policies, mappings and constraints",
    () => ({
      ...levels(3, 5, [
        policies(800),
        mappings(800, (index) => [index, (index * 7) % 800]),
        constraints(800, (index) => dns(`c${index}.example`)),
      ]),
      ...explicit,
    }),
  ],
  [
    "9 certificates with anyPolicy below one with 18,000 policies",
    () => {
      const { certificate, intermediates } = belowPolicies(18_000, 9);
      return { certificate, intermediates, ...explicit };
    },
  ],
  [
    "3 levels of 6 with 9,000 excluded names each",
    () => levels(3, 6, [constraints(9000, (i) => dns(`c${i}.example`))]),
  ],
  ["1,000 unrelated candidates", () => ({ intermediates: unrelated(1000) })],
  ["1,024 keys of one name", () => sameNameKeys(Array.from({ length: 1024 }, (_, index) => keysAt(index)))],
  ["100 P-521 keys of one name", () => sameNameKeys(strongKeys())],
  ["100 P-521 keys of one name, by noble", () => sameNameKeys(strongKeys()), { provider: nobleProvider }],
  ["100 RSA keys of one name, 8,192 bits, exponents of 64 bits", () => sameNameKeys(rsaKeys(100, 64))],
  [
    "100 RSA keys of one name, 8,192 bits, exponents of 64 bits, by noble",
    () => sameNameKeys(rsaKeys(100, 64)),
    { provider: nobleProvider },
  ],
  ["600 keys of one name that are not on their curve", () => sameNameKeys(keysOffCurve(600))],
  ["40 P-256 keys of one name, by noble", () => sameNameKeys(keyRing), { provider: nobleProvider }],
  ["a leaf with 25,000 DNS names", () => ({ certificate: leafWithNames(25_000, (index) => dns(`a${index}.b`)) })],
  ["a leaf with 80,000 empty DNS names", () => ({ certificate: leafWithNames(80_000, () => dns("")) })],
  ["a leaf with 12,000 directory names", () => ({ certificate: leafWithNames(12_000, () => directory("x")) })],
  ["a leaf with 15,000 policies", () => ({ certificate: leaf(endEntity("clientAuth", [], [policies(15_000)])) })],
  [
    "a leaf with 25,000 purposes",
    () => ({
      certificate: leaf([
        extension(
          extendedKeyUsage,
          Array.from({ length: 25_000 }, (_, i) => encodeOid(`1.2.${i}`)),
        ),
      ]),
    }),
  ],
  [
    "a leaf with a subject of 15,000 parts",
    () => ({
      certificate: issue({
        subject: { name: longName(15_000), keys: device.keys },
        issuer: root,
        extensions: endEntity("clientAuth"),
      }),
    }),
  ],
  [
    "8,000 distribution points and 256 lists",
    () => ({
      certificate: leafWithPoints(8000),
      revocation: staleLists(256),
    }),
  ],
  [
    "an issuer of lists with a name of 10,000 parts, and 256 lists",
    () => ({
      certificate: leafWithListIssuer(longName(10_000)),
      revocation: staleLists(256),
    }),
  ],
  [
    "a list for 10,000 distribution points, and a certificate with 4,000",
    () => ({
      certificate: leafWithPoints(4000),
      revocation: checkRevocation({
        mode: "hard",
        revocationLists: [listForPoints(names(10_000, (index) => uri(`http://y/${index}`)))],
      }),
    }),
  ],
  [
    "1,000 DNS names below 1,000 constraints",
    () =>
      product(
        1000,
        (i) => dns(`t${i}.test`),
        (i) => dns(`c${i}.example`),
      ),
  ],
  [
    "1,000 directory names below 1,000 constraints",
    () =>
      product(
        1000,
        (index) => directory(`a${index}`),
        (index) => directory(`b${index}`),
      ),
  ],
  [
    "1,000 addresses below 1,000 constraints",
    () =>
      product(
        1000,
        (i) => ({ type: "iPAddress", value: Uint8Array.of(10, 8, i >> 8, i & 255) }),
        (i) => ({ type: "iPAddress", value: Uint8Array.of(10, 9, i >> 8, i & 255, 255, 255, 255, 255) }),
      ),
  ],
  [
    "a DNS name of 100,000 labels below as long a constraint",
    () =>
      product(
        1,
        () => dns(`${"a.".repeat(60_000)}b`),
        () => dns(`${"a.".repeat(60_000)}c`),
      ),
  ],
  [
    "60 candidates of 250,000 octets whose subject has a malformed string",
    () => ({
      certificate: leafBy(makeName([{ type: "CN", value: printable("A & B") }])),
      intermediates: Array.from({ length: 60 }, (_, index) =>
        issue({
          subject: { name: makeName([{ type: "CN", value: printable("A & B") }]), keys: keysAt(index) },
          issuer: entity("Elsewhere"),
          extensions: authority({
            more: [
              extension(
                subjectAltName,
                names(20_000, () => dns("abcdefgh")),
              ),
            ],
          }),
        }),
      ),
    }),
  ],
  [
    "a leaf with 16,000 extensions",
    () => ({
      certificate: leaf(
        Array.from({ length: 16_000 }, (_, index) => ({
          ...unknownExtension(false),
          oid: encodeOid(`1.2.${index}`),
        })),
      ),
    }),
  ],
  [
    "40 certificates of one name and one key with 240 extensions each",
    () => {
      const one = entity("M", keysAt(0));
      const many = Array.from({ length: 240 }, (_, index) => ({
        ...unknownExtension(false),
        oid: encodeOid(`1.2.${index}`),
      }));
      const named = (name: string): Extension => extension(subjectAltName, [dns(name)]);
      return {
        certificate: leaf(endEntity("clientAuth", [dns("a.bad")]), one),
        intermediates: [
          ...Array.from({ length: 40 }, (_, index) =>
            issue({ subject: one, issuer: one, extensions: [...many, ...authority({ more: [named(`a${index}.b`)] })] }),
          ),
          // The way to the anchor, which no path holds on.
          issue({
            subject: one,
            issuer: root,
            extensions: authority({ more: [named("top.b"), constraints(1, () => dns("bad"))] }),
          }),
        ],
      };
    },
  ],
  [
    "a leaf with 8,000 policies of two qualifiers each",
    () => ({
      certificate: leaf([
        extension(
          certificatePolicies,
          Array.from({ length: 8000 }, (_, index) => ({
            policyIdentifier: encodeOid(`1.2.${index}`),
            policyQualifiers: [cps, cps],
          })),
        ),
      ]),
    }),
  ],
  [
    "a subject of one set of 10,000 attributes",
    () => ({
      certificate: issue({
        subject: { name: oneSet(10_000), keys: device.keys },
        issuer: { name: oneSet(10_000), keys: root.keys },
        extensions: endEntity("clientAuth"),
      }),
    }),
  ],
  [
    "1,000 candidates with key identifiers of 10,000 octets",
    () => ({
      certificate: leafBy(entity("A").name),
      intermediates: Array.from({ length: 1000 }, (_, index) =>
        issue({
          subject: entity("A", keysAt(index)),
          issuer: root,
          extensions: authority({
            more: [
              extension(authorityKeyIdentifier, {
                keyIdentifier: new Uint8Array(10_000),
                authorityCertIssuer: undefined,
                authorityCertSerialNumber: undefined,
              }),
            ],
          }),
          keyIdentifiers: "none",
        }),
      ),
    }),
  ],
  ...hostileListShapes,
  [
    "200 OCSP responses, 5,600 answers with the certificate's serial number",
    () => {
      const ocspResponses = Array.from({ length: 200 }, () =>
        hostileResponse({ answers: 28, serialNumber: 5, responder: root.name }),
      );
      return { certificate: leafOfSerial(5), revocation: checkRevocation({ mode: "hard", ocspResponses }) };
    },
  ],
  [
    "5 OCSP responses, 5,000 answers that name the certificate's issuer",
    () => {
      const hashes = [nodeProvider.hash("SHA-512", root.name.encoding), new Uint8Array(64)] as const;
      const ocspResponses = Array.from({ length: 5 }, () =>
        hostileResponse({ answers: 1000, serialNumber: 5, responder: root.name, hashes }),
      );
      return { certificate: leafOfSerial(5), revocation: checkRevocation({ mode: "hard", ocspResponses }) };
    },
  ],
  [
    "200 OCSP responses about the certificate, each with certificates of nobody",
    () => {
      const nobody = entity("Nobody");
      const certificates = Array.from({ length: 7 }, () => issue({ subject: root, issuer: nobody, extensions: [] }));
      const hashes = [
        nodeProvider.hash("SHA-512", root.name.encoding),
        nodeProvider.hash("SHA-512", parseSubjectPublicKeyInfo(root.keys.publicKey.spki).subjectPublicKey),
      ] as const;
      const ocspResponses = Array.from({ length: 200 }, () =>
        hostileResponse({ answers: 1, serialNumber: 5, responder: root.name, certificates, hashes }),
      );
      return { certificate: leafOfSerial(5), revocation: checkRevocation({ mode: "hard", ocspResponses }) };
    },
  ],
  ...costlyTexts.flatMap(([what, text]): HostileShape[] => [
    [
      `a leaf by an issuer with a name of 120,000 octets of ${what}`,
      () => ({ certificate: leafBy(named(text(120_000))) }),
    ],
    [
      `100 candidates with names of 3,000 octets of ${what}`,
      () => candidatesNamed((index) => named(`${index}${text(3000)}`), 100),
    ],
    [
      `a mesh below a device, names of 3,000 octets of ${what}`,
      () => meshBelowDevice(8, (index) => ({ name: named(`${index}${text(3000)}`), keys: keysAt(index) })),
    ],
    [
      `60 alternative names of 3,000 octets of ${what} below 20 constraints`,
      () => ({
        certificate: leafWithNames(60, (index) => directoryNamed(`t${index}${text(3000)}`), intermediate),
        intermediates: [constrained(20, (index) => directoryNamed(`c${index}${text(3000)}`))],
      }),
    ],
    [
      `3 levels of 6 with excluded names of 60,000 octets of ${what}`,
      () => levels(3, 6, [constraints(20, (index) => directoryNamed(`${index}${text(3000)}`))]),
    ],
    [
      `an issuer of lists with a name of 60,000 octets of ${what}, and 100 lists`,
      () => ({ certificate: leafWithListIssuer(named(text(60_000))), revocation: staleLists(100) }),
    ],
    [
      `an OCSP response by a responder with a name of 900,000 octets of ${what}`,
      () => {
        const hashes = [
          nodeProvider.hash("SHA-512", root.name.encoding),
          nodeProvider.hash("SHA-512", parseSubjectPublicKeyInfo(root.keys.publicKey.spki).subjectPublicKey),
        ] as const;
        const responder = named(text(900_000));
        const ocspResponses = [hostileResponse({ answers: 1, serialNumber: 5, responder, hashes })];
        return { certificate: leafOfSerial(5), revocation: checkRevocation({ mode: "hard", ocspResponses }) };
      },
    ],
    [
      `a list by an issuer with a name of 900,000 octets of ${what}`,
      () => ({
        intermediates: [people.intermediateCertificate],
        revocation: withLists([listBy(named(text(900_000)))]),
      }),
    ],
  ]),
];
