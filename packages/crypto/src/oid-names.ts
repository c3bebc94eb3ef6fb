/** Names of algorithms and curves that are not supported, for messages: a reader knows the name, hardly the number. */

import { decodeOid } from "@latchkey/asn1";

const rows: readonly (readonly [oid: string, name: string])[] = [
  ["1.2.840.10040.4.1", "DSA"],
  ["1.2.840.113549.1.3.1", "Diffie-Hellman"],
  ["1.2.840.113549.1.1.7", "RSA-OAEP"],
  ["1.3.101.111", "X448"],
  ["1.3.101.113", "Ed448"],
  ["2.16.840.1.101.3.4.3.17", "ML-DSA-44"],
  ["2.16.840.1.101.3.4.3.18", "ML-DSA-65"],
  ["2.16.840.1.101.3.4.3.19", "ML-DSA-87"],
  ["1.2.840.10045.3.1.1", "P-192"],
  ["1.3.132.0.33", "P-224"],
  ["1.3.132.0.10", "secp256k1"],
  ["1.3.36.3.3.2.8.1.1.7", "brainpoolP256r1"],
  ["1.3.36.3.3.2.8.1.1.11", "brainpoolP384r1"],
  ["1.3.36.3.3.2.8.1.1.13", "brainpoolP512r1"],
  ["1.2.156.10197.1.301", "SM2"],
  ["1.2.840.10045.4.3.1", "ECDSA with SHA-224"],
  ["1.2.840.113549.1.1.14", "RSA with SHA-224"],
  ["2.16.840.1.101.3.4.3.2", "DSA with SHA-256"],
  ["1.2.156.10197.1.501", "SM2 with SM3"],
  ["1.3.14.3.2.26", "SHA-1"],
  ["2.16.840.1.101.3.4.2.4", "SHA-224"],
];

/** The dotted object identifier, behind its name where it has one here. `oid` are its content octets. */
export function namedOid(oid: Uint8Array): string {
  const dotted = decodeOid(oid);
  const name = rows.find(([known]) => known === dotted)?.[1];
  return name === undefined ? dotted : `${name} (${dotted})`;
}
