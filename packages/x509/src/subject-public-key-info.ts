/** SubjectPublicKeyInfo (RFC 5280 §4.1.2.7), as bytes: reading one never depends on knowing the key's algorithm. */

import { DerReader } from "@latchkey/asn1";
import { type AlgorithmIdentifier, readAlgorithmIdentifier } from "./algorithm-identifier.ts";
import { reading } from "./errors.ts";

/** A public key as a certificate carries it. */
export interface SubjectPublicKeyInfo {
  readonly algorithm: AlgorithmIdentifier;
  /** The octets of the BIT STRING, a view: what the key identifier hashes. */
  readonly subjectPublicKey: Uint8Array;
  /** The whole structure, a view: what `CryptoProvider.importSpki` takes. */
  readonly encoding: Uint8Array;
}

/** Reads DER. Fields are views. Throws `ERR_X509_MALFORMED`. */
export function parseSubjectPublicKeyInfo(der: Uint8Array): SubjectPublicKeyInfo {
  return reading("SubjectPublicKeyInfo", () => {
    const reader = new DerReader(der);
    const info = readSubjectPublicKeyInfo(reader);
    reader.end();
    return info;
  });
}

/** Reads SubjectPublicKeyInfo. Fields are views. */
export function readSubjectPublicKeyInfo(reader: DerReader): SubjectPublicKeyInfo {
  const { offset } = reader;
  const outerEnd = reader.enter();
  const algorithm = readAlgorithmIdentifier(reader);
  const subjectPublicKey = reader.octetAlignedBitString();
  reader.leave(outerEnd);
  return { algorithm, subjectPublicKey, encoding: reader.since(offset) };
}
