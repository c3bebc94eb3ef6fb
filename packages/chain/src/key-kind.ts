/** What kind of key a SubjectPublicKeyInfo holds, read without a provider: for rules on keys and for prices of checks. */

import { Asn1Error, decodeOid, DerReader, encodeOid, equalBytes } from "@latchkey/asn1";

const rsaEncryption = /* @__PURE__ */ encodeOid("1.2.840.113549.1.1.1");
const rsassaPss = /* @__PURE__ */ encodeOid("1.2.840.113549.1.1.10");
const ecPublicKey = /* @__PURE__ */ encodeOid("1.2.840.10045.2.1");
const ed25519 = /* @__PURE__ */ encodeOid("1.3.101.112");
const namedCurves: readonly (readonly ["P-256" | "P-384" | "P-521", Uint8Array])[] = /* @__PURE__ */ makeCurves();

function makeCurves(): readonly (readonly ["P-256" | "P-384" | "P-521", Uint8Array])[] {
  return [
    ["P-256", encodeOid("1.2.840.10045.3.1.7")],
    ["P-384", encodeOid("1.3.132.0.34")],
    ["P-521", encodeOid("1.3.132.0.35")],
  ];
}

/** What kind of key there is, and the sizes of an RSA key. */
export type KeyKind =
  | { readonly name: "P-256" | "P-384" | "P-521" | "Ed25519" }
  | { readonly name: "RSA"; readonly modulusBits: number; readonly exponentBits: number }
  /** Anything else, and what cannot be read. */
  | { readonly name: "other"; readonly algorithm: string };

const p256: KeyKind = { name: "P-256" };
/** What stands before the point in a SubjectPublicKeyInfo of P-256 whose point is not compressed. */
const p256Octets = 91;
const p256Start: readonly number[] = [
  0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce,
  0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
];

/** Reads the kind of a key from DER SubjectPublicKeyInfo. Never throws for what is in it. */
export function keyKindOf(spki: Uint8Array): KeyKind {
  // Every device of a fleet has one: looked at first, for it is read for each answer.
  if (spki.length === p256Octets && p256Start.every((octet, index) => spki[index] === octet)) return p256;
  try {
    const fields = new DerReader(spki).sequence();
    const algorithm = fields.sequence();
    const oid = algorithm.oid();
    if (equalBytes(oid, ed25519)) return { name: "Ed25519" };
    if (equalBytes(oid, ecPublicKey)) {
      const curve = algorithm.isAtEnd ? undefined : algorithm.any().content;
      const named = curve && namedCurves.find(([, identifier]) => equalBytes(identifier, curve));
      return named === undefined ? { name: "other", algorithm: "an unnamed curve" } : { name: named[0] };
    }
    if (!equalBytes(oid, rsaEncryption) && !equalBytes(oid, rsassaPss)) {
      return { name: "other", algorithm: decodeOid(oid) };
    }
    const numbers = new DerReader(fields.octetAlignedBitString()).sequence();
    const modulusBits = bitLength(numbers.unsignedInteger());
    return { name: "RSA", modulusBits, exponentBits: bitLength(numbers.unsignedInteger()) };
  } catch (error) {
    if (error instanceof Asn1Error) return { name: "other", algorithm: "an unreadable key" };
    throw error;
  }
}

/** Bits of an unsigned magnitude without leading zero octets. */
function bitLength(magnitude: Uint8Array): number {
  return magnitude.length * 8 - Math.clz32(magnitude[0] ?? 0) + 24;
}

/** A key that is not of an accepted kind: what it is, and its size where that is what is wrong. */
export interface KeyFault {
  readonly algorithm: string;
  readonly bits: number | undefined;
  readonly accepted: string;
}

const accepted = "RSA of 2048 bits or more in whole octets, P-256, P-384, P-521 and Ed25519";

/**
 * What is wrong with a key by the rules of the CA/Browser Forum (BR §6.1.5, §7.1.3.1): RSA of at least 2048 bits in
 * whole octets, or a named curve. Ed25519 passes too, although no certificate authority of the Web issues it yet.
 */
export function keyFault(kind: KeyKind): KeyFault | undefined {
  if (kind.name === "other") return { algorithm: kind.algorithm, bits: undefined, accepted };
  if (kind.name !== "RSA") return undefined;
  const { modulusBits: bits } = kind;
  return bits >= 2048 && bits % 8 === 0 ? undefined : { algorithm: "RSA", bits, accepted };
}
