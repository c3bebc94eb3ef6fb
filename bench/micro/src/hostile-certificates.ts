/** What hostile questions are built from. `@latchkey/x509` refuses to issue most of these certificates, so they are written here. */

import { type DerWriter, encodeDer } from "@latchkey/asn1";
import type { VerifyInputs } from "@latchkey/chain";
import { defaultSignatureAlgorithm, encodeSignatureAlgorithm, type KeyPair } from "@latchkey/crypto";
import { nodeProvider } from "@latchkey/crypto/node";
import {
  basicConstraints,
  type Extension,
  extendedKeyUsage,
  keyPurposes,
  type KeyUsage,
  keyUsage,
  makeExtension,
  makeName,
  type Name,
} from "@latchkey/x509";

/** One question, without what all of them share. */
export type Question = Omit<VerifyInputs, "purpose" | "time">;

/** By its name: makes the certificates, and what else it asks with. */
export type Shapes = Readonly<Record<string, () => Question>>;

export interface Entity {
  readonly name: Name;
  readonly keys: KeyPair;
}

export const NOW: number = Math.floor(Date.now() / 1000);
const DAY = 86_400;

export function newKeys(curve: "P-256" | "P-521" = "P-256"): KeyPair {
  return nodeProvider.generateKeyPair({ name: "ec", curve });
}

export function entity(commonName: string, keys: KeyPair = newKeys()): Entity {
  return { name: makeName([{ type: "CN", value: commonName }]), keys };
}

let serialNumbers = 0;

export function issue(subject: Entity, issuer: Entity, extensions: readonly Extension[]): Uint8Array {
  const algorithm = encodeSignatureAlgorithm(defaultSignatureAlgorithm(issuer.keys.privateKey.algorithm));
  const tbs = encodeDer((writer) => {
    writer.sequence((fields) => {
      fields.explicit(0, (explicit) => explicit.integer(2));
      fields.integer(++serialNumbers);
      fields.encoded(algorithm);
      fields.encoded(issuer.name.encoding);
      fields.sequence((validity) => {
        validity.time(NOW - DAY);
        validity.time(NOW + DAY);
      });
      fields.encoded(subject.name.encoding);
      fields.encoded(subject.keys.publicKey.spki);
      fields.explicit(3, (explicit) => {
        explicit.sequence((list) => writeExtensions(list, extensions));
      });
    });
  });
  return signed(tbs, issuer.keys);
}

/** The frame that certificates, lists and OCSP responses share: what is signed, the algorithm, the signature. */
export function signed(data: Uint8Array, { privateKey }: KeyPair): Uint8Array {
  const algorithm = defaultSignatureAlgorithm(privateKey.algorithm);
  return encodeDer((writer) => {
    writer.sequence((fields) => {
      fields.encoded(data);
      fields.encoded(encodeSignatureAlgorithm(algorithm));
      fields.bitString(nodeProvider.sign(privateKey, algorithm, data));
    });
  });
}

/** Extensions one after the other, the list around them left out. */
export function writeExtensions(list: DerWriter, extensions: readonly Extension[]): void {
  for (const { oid, critical, value } of extensions) {
    list.sequence((each) => {
      each.oid(oid);
      each.booleanDefaultFalse(critical);
      each.octetString(value);
    });
  }
}

export const authority: readonly Extension[] = [
  makeExtension(basicConstraints, { cA: true, pathLenConstraint: undefined }, true),
  makeExtension<readonly KeyUsage[]>(keyUsage, ["keyCertSign", "cRLSign"], true),
];
export const endEntity: readonly Extension[] = [
  makeExtension<readonly KeyUsage[]>(keyUsage, ["digitalSignature"], true),
  makeExtension(extendedKeyUsage, [keyPurposes.clientAuth]),
];

export const root: Entity = entity("Hostile Root");

export function leaf(issuer: Entity, more: readonly Extension[] = []): Uint8Array {
  return issue(entity("device"), issuer, [...endEntity, ...more]);
}

export function many<Item>(count: number, make: (index: number) => Item): Item[] {
  return Array.from({ length: count }, (_, index) => make(index));
}

export function longName(parts: number, prefix: string): Name {
  return makeName(many(parts, (index) => ({ type: "OU", value: `${prefix}${index}` })));
}
