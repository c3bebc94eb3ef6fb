/** What kind of key a certificate holds, read without a provider: for rules on keys that are not used here. */

import { Asn1Error, decodeOid, DerReader, encodeOid, equalBytes } from "@latchkey/asn1";
import type { SubjectPublicKeyInfo } from "@latchkey/x509";

const rsaEncryption = /* @__PURE__ */ encodeOid("1.2.840.113549.1.1.1");
const rsassaPss = /* @__PURE__ */ encodeOid("1.2.840.113549.1.1.10");
const ecPublicKey = /* @__PURE__ */ encodeOid("1.2.840.10045.2.1");
const ed25519 = /* @__PURE__ */ encodeOid("1.3.101.112");
/** P-256, P-384 and P-521, as the parameters name them. */
const namedCurves: readonly Uint8Array[] = /* @__PURE__ */ ["1.2.840.10045.3.1.7", "1.3.132.0.34", "1.3.132.0.35"].map(
  encodeOid,
);

/** A key that is not strong or not common enough: what it is, and its size where that is what is wrong. */
export interface KeyFault {
  readonly algorithm: string;
  readonly bits: number | undefined;
}

/**
 * What is wrong with a key by the rules of the CA/Browser Forum (BR §6.1.5, §7.1.3.1): RSA of at least 2048 bits in
 * whole octets, or a named curve. Ed25519 passes too, though the Web does not issue it yet.
 */
export function subjectKeyFault({ algorithm, subjectPublicKey }: SubjectPublicKeyInfo): KeyFault | undefined {
  const oid = algorithm.algorithm;
  if (equalBytes(oid, ed25519)) return undefined;
  if (equalBytes(oid, ecPublicKey)) {
    const curve = algorithm.parameters?.subarray(2);
    const isNamed = curve !== undefined && namedCurves.some((known) => equalBytes(known, curve));
    return isNamed ? undefined : { algorithm: decodeOid(oid), bits: undefined };
  }
  if (!equalBytes(oid, rsaEncryption) && !equalBytes(oid, rsassaPss)) {
    return { algorithm: decodeOid(oid), bits: undefined };
  }
  const bits = modulusBits(subjectPublicKey);
  return bits !== undefined && bits >= 2048 && bits % 8 === 0 ? undefined : { algorithm: decodeOid(oid), bits };
}

/** The bits of the modulus of a DER RSAPublicKey. */
function modulusBits(der: Uint8Array): number | undefined {
  try {
    const modulus = new DerReader(der).sequence().unsignedInteger();
    return modulus.length * 8 - Math.clz32(modulus[0] ?? 0) + 24;
  } catch (error) {
    if (error instanceof Asn1Error) return undefined;
    throw error;
  }
}
