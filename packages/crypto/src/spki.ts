/** SubjectPublicKeyInfo (RFC 5280 §4.1.2.7), by RFC 5480 (EC), RFC 8410 (Ed25519, X25519) and RFC 4055 (RSA). */

import { DerReader, encodeDer, equalBytes } from "@latchkey/asn1";
import { checkPointForm, curveFromParameters, curveOf } from "./curve.ts";
import { CryptoError } from "./errors.ts";
import { keyAlgorithmOf, writeKeyAlgorithm } from "./key-algorithm.ts";
import { unsupportedKey, wrongParameters } from "./key-fault.ts";
import type { KeyLimits, PrivateKeyMaterial, PublicKeyMaterial } from "./key-material.ts";
import * as oids from "./oids.ts";
import type { EcCurve, PublicKey } from "./provider.ts";
import { readPssParameters } from "./pss-parameters.ts";
import { innerReader, isNull, readAlgorithmIdentifier, reading, type AlgorithmIdentifier } from "./reading.ts";
import { encodeRsaPublicKey, readRsaPublicKey } from "./rsa-key.ts";

/** Octets of an Ed25519 or X25519 public key. */
const edwardsOctets = 32;

/**
 * Reads DER SubjectPublicKeyInfo; the material's arrays are views into it.
 *
 * Throws what `KeyProvider.importSpki` throws, except for a point that is not on its curve: the provider checks that.
 */
export function decodeSpki(der: Uint8Array, limits: KeyLimits): PublicKeyMaterial {
  const form = formOf(der);
  if (form !== undefined) return pointMaterial(form.kind, der.subarray(form.prefix.length));
  return reading("ERR_CRYPTO_MALFORMED_KEY", "The SubjectPublicKeyInfo", () => {
    const reader = new DerReader(der);
    const body = reader.sequence();
    const algorithm = readAlgorithmIdentifier(body);
    const key = body.octetAlignedBitString();
    body.end();
    reader.end();
    return readKey(der, algorithm, key, limits);
  });
}

function readKey(
  der: Uint8Array,
  algorithm: AlgorithmIdentifier,
  key: Uint8Array,
  limits: KeyLimits,
): PublicKeyMaterial {
  const { oid, parameters, offset } = algorithm;
  const keyOffset = key.byteOffset - der.byteOffset;
  if (equalBytes(oid, oids.ecPublicKey)) {
    const curve = curveFromParameters(parameters, offset);
    checkPointForm(curve, key, keyOffset);
    return { name: "ec", curve, point: key };
  }
  const name = edwardsName(oid);
  if (name !== undefined) {
    if (parameters !== undefined) throw wrongParameters(offset, "RFC 8410 §3");
    checkEdwardsLength(name, key, keyOffset);
    return { name, point: key };
  }
  if (equalBytes(oid, oids.rsaEncryption)) {
    // RFC 4055 §1.2: the parameters must be NULL. OpenSSL takes them absent, too.
    if (!isNull(parameters)) throw wrongParameters(offset, "RFC 4055 §1.2");
    return { name: "rsa", parameters: undefined, ...readRsaPublicKey(innerReader(der, key), limits) };
  }
  if (equalBytes(oid, oids.rsassaPss)) {
    const restriction = parameters && readPssParameters(parameters, "ERR_CRYPTO_MALFORMED_KEY");
    return { name: "rsa-pss", parameters: restriction, ...readRsaPublicKey(innerReader(der, key), limits) };
  }
  throw unsupportedKey(oid, offset);
}

/** The name of a key kind of RFC 8410 that is supported. */
export function edwardsName(oid: Uint8Array): "ed25519" | "x25519" | undefined {
  if (equalBytes(oid, oids.ed25519)) return "ed25519";
  if (equalBytes(oid, oids.x25519)) return "x25519";
  return undefined;
}

/** Refuses Ed25519 and X25519 public keys that do not have 32 octets. */
export function checkEdwardsLength(name: "ed25519" | "x25519", key: Uint8Array, offset: number): void {
  if (key.length === edwardsOctets) return;
  throw new CryptoError("ERR_CRYPTO_MALFORMED_KEY", `The ${name} key has ${key.length} octets, not 32`, {
    problem: "length",
    offset,
    clause: name === "ed25519" ? "RFC 8032 §5.1.5" : "RFC 7748 §5",
  });
}

/** DER SubjectPublicKeyInfo. */
export function encodeSpki(material: PublicKeyMaterial): Uint8Array<ArrayBuffer> {
  return encodeDer((writer) => {
    writer.sequence((body) => {
      writeKeyAlgorithm(body, keyAlgorithmOf(material));
      body.bitString("point" in material ? material.point : encodeRsaPublicKey(material));
    });
  });
}

/** DER SubjectPublicKeyInfo around a DER RSAPublicKey, which is read strictly first. */
export function spkiFromPkcs1(der: Uint8Array, limits: KeyLimits): Uint8Array<ArrayBuffer> {
  return reading("ERR_CRYPTO_MALFORMED_KEY", "The RSAPublicKey", () =>
    encodeSpki({ name: "rsa", parameters: undefined, ...readRsaPublicKey(new DerReader(der), limits) }),
  );
}

/** Whether a private key's file has no public key, or this one. RSA's numbers were checked when they were read. */
export function samePublicKey(privateKey: PrivateKeyMaterial, publicKey: PublicKeyMaterial): boolean {
  if (!("point" in privateKey) || privateKey.point === undefined) return true;
  return "point" in publicKey && equalBytes(privateKey.point, publicKey.point);
}

/** The curves whose public keys also travel as bare octets, in TLS key shares for instance. */
export type RawKeyKind = EcCurve | "Ed25519" | "X25519";

/**
 * DER SubjectPublicKeyInfo around a bare public key: an uncompressed point (SEC 1 §2.3.3), or the 32 octets of RFC 8032 or
 * RFC 7748. Import it with `importSpki`, which does all checks.
 */
export function spkiFromRawPublicKey(kind: RawKeyKind, bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const form = knownForms().find((one) => one.kind === kind && one.keyOctets === bytes.length);
  if (form === undefined) return encodeSpki(pointMaterial(kind, bytes));
  const spki = new Uint8Array(form.prefix.length + form.keyOctets);
  spki.set(form.prefix);
  spki.set(bytes, form.prefix.length);
  return spki;
}

function pointMaterial(kind: RawKeyKind, point: Uint8Array): PublicKeyMaterial {
  if (kind === "Ed25519") return { name: "ed25519", point };
  if (kind === "X25519") return { name: "x25519", point };
  return { name: "ec", curve: kind, point };
}

/** All SubjectPublicKeyInfos of such keys are alike but for the key. A handshake writes and reads several of them. */
interface KnownForm {
  readonly kind: RawKeyKind;
  /** What stands before the key. */
  readonly prefix: Uint8Array;
  readonly keyOctets: number;
}

let forms: readonly KnownForm[] | undefined;

function knownForms(): readonly KnownForm[] {
  forms ??= (["X25519", "P-256", "Ed25519", "P-384", "P-521"] as const).map((kind) => {
    const isEdwards = kind === "X25519" || kind === "Ed25519";
    const keyOctets = isEdwards ? edwardsOctets : 1 + 2 * curveOf(kind).octets;
    const example = encodeSpki(pointMaterial(kind, new Uint8Array(keyOctets)));
    return { kind, prefix: example.slice(0, -keyOctets), keyOctets };
  });
  return forms;
}

/** The form of a SubjectPublicKeyInfo that is right in all octets before the key, and in its length. */
function formOf(spki: Uint8Array): KnownForm | undefined {
  for (const form of knownForms()) {
    const { kind, prefix, keyOctets } = form;
    if (spki.length !== prefix.length + keyOctets || !prefix.every((octet, index) => octet === spki[index])) continue;
    // Other forms of a point are refused with reasons.
    const isPlain = kind === "X25519" || kind === "Ed25519" || spki[prefix.length] === 0x04;
    return isPlain ? form : undefined;
  }
  return undefined;
}

/**
 * The bare public key: an uncompressed point, the 32 octets of Ed25519 or X25519, or the DER RSAPublicKey. It is the content
 * of the SubjectPublicKeyInfo's BIT STRING, over which key identifiers are made (RFC 5280 §4.2.1.2). A view into
 * `key.spki`.
 */
export function rawPublicKey(key: PublicKey): Uint8Array {
  const form = formOf(key.spki);
  if (form !== undefined) return key.spki.subarray(form.prefix.length);
  return reading("ERR_CRYPTO_MALFORMED_KEY", "The SubjectPublicKeyInfo", () => {
    const body = new DerReader(key.spki).sequence();
    body.sequence();
    return body.octetAlignedBitString();
  });
}
