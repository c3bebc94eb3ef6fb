/** Which structure a key file has, by the types of its fields: labels of PEM blocks are often wrong. */

import { Asn1Error, DerReader, Tag } from "@latchkey/asn1";

/** The structures of keys in files. */
export type KeyStructure =
  | "PrivateKeyInfo"
  | "EncryptedPrivateKeyInfo"
  | "ECPrivateKey"
  | "RSAPrivateKey"
  | "SubjectPublicKeyInfo"
  | "RSAPublicKey";

/** Fields that tell the structures apart: RSAPrivateKey has nine numbers. */
const fieldsLooked = 9;

/** The structure that DER has, or undefined where it is none of these. Its content is not checked. */
export function keyStructureOf(der: Uint8Array): KeyStructure | undefined {
  const [first, second, third, ...others] = fieldTags(der);
  if (first === Tag.sequence) {
    if (second === Tag.octetString) return "EncryptedPrivateKeyInfo";
    return second === Tag.bitString ? "SubjectPublicKeyInfo" : undefined;
  }
  if (first !== Tag.integer) return undefined;
  if (second === Tag.sequence) return third === Tag.octetString ? "PrivateKeyInfo" : undefined;
  if (second === Tag.octetString) return "ECPrivateKey";
  if (second !== Tag.integer) return undefined;
  if (third === undefined) return "RSAPublicKey";
  const isRsa = others.length === fieldsLooked - 3 && [third, ...others].every((tag) => tag === Tag.integer);
  return isRsa ? "RSAPrivateKey" : undefined;
}

function fieldTags(der: Uint8Array): number[] {
  const tags: number[] = [];
  try {
    const fields = new DerReader(der).sequence();
    while (!fields.isAtEnd && tags.length < fieldsLooked) tags.push(fields.any().tag);
  } catch (error) {
    if (!(error instanceof Asn1Error)) throw error;
    return [];
  }
  return tags;
}
