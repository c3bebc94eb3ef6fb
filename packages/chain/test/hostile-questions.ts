/** What questions that are made to cost are built from. */

import { type DerWriter, encodeDer, encodeOid, Tag } from "@latchkey/asn1";
import type { KeyPair } from "@latchkey/crypto";
import { nodeProvider } from "@latchkey/crypto/node";
import {
  certificatePolicies,
  cRLDistributionPoints,
  type Extension,
  type GeneralName,
  makeName,
  type Name,
  nameConstraints,
  policyMappings,
} from "@latchkey/x509";
import type { VerifyInputs } from "../src/index.ts";
import { authority, endEntity, entity, type Entity, extension, family, issue, newKeys, now } from "./issuing.ts";

export const people = family();
const { root, intermediate, device } = people;
export const keyRing = Array.from({ length: 40 }, newKeys);

export function keysAt(index: number): KeyPair {
  return keyRing[index % keyRing.length]!;
}

export type Question = Partial<VerifyInputs>;

export function names(count: number, make: (index: number) => GeneralName): GeneralName[] {
  return Array.from({ length: count }, (_, index) => make(index));
}

export function leaf(extensions: readonly Extension[], issuer: Entity = root): Uint8Array {
  return issue({ subject: device, issuer, extensions });
}

export function leafWithNames(count: number, make: (index: number) => GeneralName, issuer: Entity = root): Uint8Array {
  return leaf(endEntity("clientAuth", names(count, make)), issuer);
}

export function leafWithPoints(count: number): Uint8Array {
  const points = Array.from({ length: count }, (_, index) => ({
    distributionPoint: { type: "fullName" as const, names: [uri(`http://x/${index}`)] },
    reasons: undefined,
    cRLIssuer: undefined,
  }));
  return leaf(endEntity("clientAuth", [], [extension(cRLDistributionPoints, points)]));
}

export function policies(count: number): Extension {
  const all = Array.from({ length: count }, (_, index) => ({
    policyIdentifier: encodeOid(`1.2.${index}`),
    policyQualifiers: [],
  }));
  return extension(certificatePolicies, all);
}

export function mappings(count: number, policy: (index: number) => readonly [number, number]): Extension {
  return extension(
    policyMappings,
    Array.from({ length: count }, (_, index) => {
      const [from, to] = policy(index);
      return { issuerDomainPolicy: encodeOid(`1.2.${from}`), subjectDomainPolicy: encodeOid(`1.2.${to}`) };
    }),
  );
}

export function constraints(count: number, make: (index: number) => GeneralName): Extension {
  return extension(nameConstraints, { permittedSubtrees: undefined, excludedSubtrees: names(count, make) }, true);
}

export function longName(parts: number, prefix = ""): Name {
  return makeName(Array.from({ length: parts }, (_, index) => ({ type: "OU", value: `${prefix}${index}` })));
}

/** Certificates that all certify each other, a holder above them, and a device below the first. */
export function mesh(
  count: number,
  holder: Entity,
  make: (index: number) => Entity,
  more: readonly Extension[] = [],
  leafExtensions: readonly Extension[] = endEntity("clientAuth"),
): { readonly certificate: Uint8Array; readonly intermediates: Uint8Array[] } {
  const people = Array.from({ length: count }, (_, index) => make(index));
  const intermediates = people.flatMap((subject) =>
    [...people, holder]
      .filter((issuer) => issuer !== subject)
      .map((issuer) => issue({ subject, issuer, extensions: authority({ more }) })),
  );
  return { certificate: leaf(leafExtensions, people[0]), intermediates };
}

/** Below the holder of one end-entity certificate: nothing of it can be accepted. */
export function meshBelowDevice(
  count: number,
  make: (index: number) => Entity,
  more: readonly Extension[] = [],
): Question {
  const holder = entity("holder");
  const own = issue({ subject: holder, issuer: root, extensions: endEntity("clientAuth") });
  const { certificate, intermediates } = mesh(count, holder, make, more);
  return { certificate, intermediates: [...intermediates, own] };
}

export function person(index: number): Entity {
  return entity(`M${index}`, keysAt(index));
}

/** Levels of certificates of one name each; every path through them is whole. */
export function levels(depth: number, width: number, more: readonly Extension[]): Question {
  const people = Array.from({ length: depth }, (_, index) => entity(`Level ${index}`, keysAt(index)));
  const intermediates = people.flatMap((subject, level) =>
    Array.from({ length: width }, (_, index) =>
      issue({
        subject,
        issuer: people[level - 1] ?? root,
        extensions: authority({ more }),
        notAfter: now + 86_400 + index,
      }),
    ),
  );
  return { certificate: leaf(endEntity("clientAuth"), people.at(-1)), intermediates };
}

export function sameNameKeys(keys: readonly KeyPair[]): Question {
  return {
    certificate: issue({
      subject: device,
      issuer: entity("Pizza Intermediate"),
      extensions: endEntity("clientAuth"),
      keyIdentifiers: "none",
    }),
    intermediates: keys.map((each) =>
      issue({
        subject: entity("Pizza Intermediate", each),
        issuer: root,
        extensions: authority(),
        keyIdentifiers: "none",
      }),
    ),
  };
}

export const explicit = { policies: { requireExplicitPolicy: true } };

export function constrained(subtrees: number, make: (index: number) => GeneralName): Uint8Array {
  return issue({
    subject: intermediate,
    issuer: root,
    extensions: authority({ more: [constraints(subtrees, make)] }),
  });
}

/** A question about names below constraints of one form. */
export function product(
  count: number,
  name: (index: number) => GeneralName,
  subtree: (index: number) => GeneralName,
): Question {
  return {
    certificate: leafWithNames(count, name, intermediate),
    intermediates: [constrained(count, subtree)],
  };
}

export function uri(value: string): GeneralName {
  return { type: "uniformResourceIdentifier", value };
}

export function directory(value: string): GeneralName {
  return {
    type: "directoryName",
    value: makeName([
      { type: "O", value: "same" },
      { type: "CN", value },
    ]),
  };
}

export function unrelated(count: number): Uint8Array[] {
  return Array.from({ length: count }, (_, index) =>
    issue({
      subject: entity(`CA ${index}`, keysAt(index)),
      issuer: entity(`CA ${(index + 1) % count}`, keysAt(index + 1)),
      extensions: authority(),
    }),
  );
}

let strong: KeyPair[] | undefined;
export function strongKeys(): KeyPair[] {
  strong ??= Array.from({ length: 100 }, () => nodeProvider.generateKeyPair({ name: "ec", curve: "P-521" }));
  return strong;
}

/** A name of one text. */
export function named(text: string): Name {
  return makeName([{ type: "CN", value: text }]);
}

export function directoryNamed(text: string): GeneralName {
  return { type: "directoryName", value: named(text) };
}

/** A certificate that says it is by an issuer of this name. */
export function leafBy(name: Name): Uint8Array {
  return leaf(endEntity("clientAuth"), { name, keys: keysAt(0) });
}

/** Candidates that each certify the next, the first of them the certificate in question. */
export function candidatesNamed(name: (index: number) => Name, count: number): Question {
  const line = Array.from({ length: count }, (_, index) => ({ name: name(index), keys: keysAt(index) }));
  const intermediates = line.map((subject, index) =>
    issue({ subject, issuer: line[index + 1] ?? root, extensions: authority() }),
  );
  return { certificate: leaf(endEntity("clientAuth"), line[0]), intermediates };
}

/** A text in a PrintableString, whatever it holds. */
export function printable(text: string): Uint8Array {
  return encodeDer((writer) => writer.octetString(new TextEncoder().encode(text), Tag.printableString));
}

/** Keys that say they are of RSA with 8,192 bits: a check with one costs as with a real one, and no signature is by them. */
export function rsaKeys(count: number, exponentBits: number): KeyPair[] {
  const exponent = Uint8Array.from({ length: exponentBits / 8 }, () => 0xff);
  return Array.from({ length: count }, (_, index) => {
    const modulus = Uint8Array.from({ length: 1024 }, (_, at) => (at * 37 + index * 11) & 0xff);
    modulus[0] = 0xc0 + (index % 60);
    modulus[1023] = 1;
    return withSpki(keysAt(index), (writer) => {
      writer.sequence((algorithm) => {
        algorithm.oid(encodeOid("1.2.840.113549.1.1.1"));
        algorithm.null();
      });
      writer.bitString(
        encodeDer((key) =>
          key.sequence((numbers) => {
            numbers.unsignedInteger(modulus);
            numbers.unsignedInteger(exponent);
          }),
        ),
      );
    });
  });
}

/** Keys of P-521 whose points are none of the curve. */
export function keysOffCurve(count: number): KeyPair[] {
  return Array.from({ length: count }, (_, index) => {
    const { spki } = strongKeys()[index % 100]!.publicKey;
    const off = Uint8Array.from(spki);
    off[off.length - 1 - Math.floor(index / 100)]! ^= 1;
    return { ...keysAt(index), publicKey: { ...keysAt(index).publicKey, spki: off } };
  });
}

function withSpki(keys: KeyPair, write: (writer: DerWriter) => void): KeyPair {
  const spki = encodeDer((writer) => writer.sequence(write));
  return { ...keys, publicKey: { ...keys.publicKey, spki } };
}

/** A line of certificates with anyPolicy below one that has many policies. */
export function belowPolicies(count: number, depth: number): { certificate: Uint8Array; intermediates: Uint8Array[] } {
  const any = extension(certificatePolicies, [{ policyIdentifier: encodeOid("2.5.29.32.0"), policyQualifiers: [] }]);
  const line = Array.from({ length: depth }, (_, index) => person(index));
  const intermediates = line.map((subject, index) =>
    issue({
      subject,
      issuer: line[index - 1] ?? root,
      extensions: authority({ more: [index === 0 ? policies(count) : any] }),
    }),
  );
  return { certificate: leaf(endEntity("clientAuth", [], [any]), line.at(-1)), intermediates };
}
