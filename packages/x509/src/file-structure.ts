/** Which structure a file holds, by the types of its fields: labels of PEM blocks are often wrong. */

import { Asn1Error, contextConstructed, DerReader, Tag } from "@latchkey/asn1";

/** The structures of files with keys and certificates. */
export type FileStructure =
  | "PrivateKeyInfo"
  | "EncryptedPrivateKeyInfo"
  | "ECPrivateKey"
  | "RSAPrivateKey"
  | "SubjectPublicKeyInfo"
  | "RSAPublicKey"
  | "Certificate"
  | "CertificationRequest"
  | "CertificateList"
  | "PFX";

/** Fields that tell the structures apart: RSAPrivateKey has nine numbers. */
const fieldsLooked = 9;

/** The structure that DER has, or undefined where it is none of these. Its content is not checked. */
export function structureOf(der: Uint8Array): FileStructure | undefined {
  const fields = fieldsOf(der);
  const [first, second, third, ...others] = fields.map(({ tag }) => tag);
  if (first === Tag.sequence) {
    if (second === Tag.octetString) return "EncryptedPrivateKeyInfo";
    if (second === Tag.bitString) return "SubjectPublicKeyInfo";
    const isSigned = second === Tag.sequence && third === Tag.bitString && others.length === 0;
    return isSigned ? signedStructureOf(fields[0]?.encoding) : undefined;
  }
  if (first !== Tag.integer) return undefined;
  if (second === Tag.sequence) {
    if (third === Tag.octetString) return "PrivateKeyInfo";
    // PFX (RFC 7292 §4) has version 3, which no key has.
    return fields[0]?.encoding[2] === 3 ? "PFX" : undefined;
  }
  if (second === Tag.octetString) return "ECPrivateKey";
  if (second !== Tag.integer) return undefined;
  if (third === undefined) return "RSAPublicKey";
  const isRsa = others.length === fieldsLooked - 3 && [third, ...others].every((tag) => tag === Tag.integer);
  return isRsa ? "RSAPrivateKey" : undefined;
}

/** Of a structure with a signature, by what the signature is over. */
function signedStructureOf(signed: Uint8Array = new Uint8Array()): FileStructure | undefined {
  const tags = fieldsOf(signed).map(({ tag }) => tag);
  const [first, second, third, fourth] = tags;
  if (first === contextConstructed(0)) return "Certificate";
  // A list names when it was issued behind algorithm and issuer, and may have a version in front.
  const time = first === Tag.integer ? fourth : third;
  if (time === Tag.utcTime || time === Tag.generalizedTime) return "CertificateList";
  if (first !== Tag.integer || second !== Tag.sequence || third !== Tag.sequence) return undefined;
  // A certificate of version 1 has a number and five sequences, a request a number and two.
  return fourth === Tag.sequence ? "Certificate" : "CertificationRequest";
}

interface Field {
  readonly tag: number;
  readonly encoding: Uint8Array;
}

function fieldsOf(der: Uint8Array): Field[] {
  const found: Field[] = [];
  try {
    const fields = new DerReader(der).sequence();
    while (!fields.isAtEnd && found.length < fieldsLooked) found.push(fields.any());
  } catch (error) {
    if (!(error instanceof Asn1Error)) throw error;
    return [];
  }
  return found;
}
