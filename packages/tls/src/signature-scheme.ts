/** Signature schemes (RFC 8446 §4.2.3; RFC 5246 §7.4.1.4.1 for TLS 1.2): which key makes which, in which version. */

import type { EcCurve, KeyAlgorithm, SignatureAlgorithm } from "@latchkey/crypto";
import type { ProtocolVersion } from "./protocol-version.ts";

/** A scheme by its IANA name. SHA-1 and MD5 are not among them (RFC 9155). */
export type SignatureScheme =
  | "ecdsa_secp256r1_sha256"
  | "ecdsa_secp384r1_sha384"
  | "ecdsa_secp521r1_sha512"
  | "ed25519"
  | "rsa_pss_rsae_sha256"
  | "rsa_pss_rsae_sha384"
  | "rsa_pss_rsae_sha512"
  | "rsa_pss_pss_sha256"
  | "rsa_pss_pss_sha384"
  | "rsa_pss_pss_sha512"
  | "rsa_pkcs1_sha256"
  | "rsa_pkcs1_sha384"
  | "rsa_pkcs1_sha512";

interface SchemeFacts {
  readonly name: SignatureScheme;
  readonly number: number;
  readonly key: KeyAlgorithm["name"];
  /** The curve that TLS 1.3 ties it to. */
  readonly curve: EcCurve | undefined;
  readonly algorithm: SignatureAlgorithm;
}

const pss256 = { name: "rsa-pss", hash: "SHA-256", saltLength: 32 } as const;
const pss384 = { name: "rsa-pss", hash: "SHA-384", saltLength: 48 } as const;
const pss512 = { name: "rsa-pss", hash: "SHA-512", saltLength: 64 } as const;

const schemes: readonly SchemeFacts[] = [
  scheme("ecdsa_secp256r1_sha256", 0x0403, "ec", { name: "ecdsa", hash: "SHA-256" }, "P-256"),
  scheme("ecdsa_secp384r1_sha384", 0x0503, "ec", { name: "ecdsa", hash: "SHA-384" }, "P-384"),
  scheme("ecdsa_secp521r1_sha512", 0x0603, "ec", { name: "ecdsa", hash: "SHA-512" }, "P-521"),
  scheme("ed25519", 0x0807, "ed25519", { name: "ed25519" }),
  scheme("rsa_pss_rsae_sha256", 0x0804, "rsa", pss256),
  scheme("rsa_pss_rsae_sha384", 0x0805, "rsa", pss384),
  scheme("rsa_pss_rsae_sha512", 0x0806, "rsa", pss512),
  scheme("rsa_pss_pss_sha256", 0x0809, "rsa-pss", pss256),
  scheme("rsa_pss_pss_sha384", 0x080a, "rsa-pss", pss384),
  scheme("rsa_pss_pss_sha512", 0x080b, "rsa-pss", pss512),
  scheme("rsa_pkcs1_sha256", 0x0401, "rsa", { name: "rsa-pkcs1", hash: "SHA-256" }),
  scheme("rsa_pkcs1_sha384", 0x0501, "rsa", { name: "rsa-pkcs1", hash: "SHA-384" }),
  scheme("rsa_pkcs1_sha512", 0x0601, "rsa", { name: "rsa-pkcs1", hash: "SHA-512" }),
];

function scheme(
  name: SignatureScheme,
  number: number,
  key: KeyAlgorithm["name"],
  algorithm: SignatureAlgorithm,
  curve?: EcCurve,
): SchemeFacts {
  return { name, number, key, curve, algorithm };
}

/** All schemes, in the order of preference. */
export const allSchemes: readonly SignatureScheme[] = schemes.map(({ name }) => name);

function factsOf(name: SignatureScheme): SchemeFacts {
  const found = schemes.find((candidate) => candidate.name === name);
  if (found === undefined) throw new RangeError(`no signature scheme ${name}`);
  return found;
}

/** SignatureScheme on the wire. */
export function schemeNumber(name: SignatureScheme): number {
  return factsOf(name).number;
}

/** The scheme of a number, where it is supported. */
export function schemeByNumber(number: number): SignatureScheme | undefined {
  return schemes.find((candidate) => candidate.number === number)?.name;
}

/** The schemes of a list of numbers that are supported. */
export function schemesByNumber(numbers: Uint16Array): readonly SignatureScheme[] {
  return schemes.filter(({ number }) => numbers.includes(number)).map(({ name }) => name);
}

/** A scheme for people: its name, or its number. */
export function schemeText(number: number): string {
  return schemeByNumber(number) ?? `0x${number.toString(16).padStart(4, "0")}`;
}

/** How the provider makes and checks its signatures. */
export function schemeAlgorithm(name: SignatureScheme): SignatureAlgorithm {
  return factsOf(name).algorithm;
}

/**
 * Whether a key makes handshake signatures by the scheme in that version.
 *
 * RFC 8446 §4.2.3: in TLS 1.3 no RSASSA-PKCS1-v1_5, and ECDSA with the curve of its scheme only. A PSS key that names its
 * parameters makes signatures by those only.
 */
export function schemeFitsKey(name: SignatureScheme, key: KeyAlgorithm, version: ProtocolVersion): boolean {
  const facts = factsOf(name);
  if (facts.key !== key.name) return false;
  if (version === "TLSv1.3" && facts.algorithm.name === "rsa-pkcs1") return false;
  if (key.name === "ec") return version === "TLSv1.2" || key.curve === facts.curve;
  if (key.name === "rsa-pss" && key.parameters !== undefined && facts.algorithm.name === "rsa-pss") {
    return key.parameters.hash === facts.algorithm.hash && key.parameters.saltLength <= facts.algorithm.saltLength;
  }
  return true;
}

/** The kind of TLS 1.2 suite that signatures by the scheme go with. */
export function schemeAuthentication(name: SignatureScheme): "ecdsa" | "rsa" {
  const { key } = factsOf(name);
  return key === "ec" || key === "ed25519" ? "ecdsa" : "rsa";
}

/**
 * The schemes that a key signs by, in the order of preference: ECDSA with its curve's own hash, which both versions take;
 * PKCS#1 v1.5 for TLS 1.2.
 */
export function schemesOfKey(key: KeyAlgorithm): readonly SignatureScheme[] {
  return allSchemes.filter((name) => schemeFitsKey(name, key, key.name === "rsa" ? "TLSv1.2" : "TLSv1.3"));
}

/** Whether handshakes of the version are signed by the scheme at all (RFC 8446 §4.2.3). */
export function schemeIsOf(name: SignatureScheme, version: ProtocolVersion): boolean {
  return version === "TLSv1.2" || schemeAlgorithm(name).name !== "rsa-pkcs1";
}
