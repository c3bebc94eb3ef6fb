/** Private keys: PrivateKeyInfo and OneAsymmetricKey (RFC 5958), ECPrivateKey (RFC 5915), RSAPrivateKey (RFC 8017). */

import { contextConstructed, contextPrimitive, DerReader, encodeDer, equalBytes } from "@latchkey/asn1";
import { checkPointForm, curveFromParameters, curveOf, isScalar } from "./curve.ts";
import { CryptoError } from "./errors.ts";
import { privateKeyAlgorithmOf, writeKeyAlgorithm } from "./key-algorithm.ts";
import { unsupportedKey, wrongParameters } from "./key-fault.ts";
import { defaultKeyLimits, type KeyLimits, type PrivateKeyMaterial } from "./key-material.ts";
import * as oids from "./oids.ts";
import type { EcCurve, RsaPssParameters } from "./provider.ts";
import { readPssParameters } from "./pss-parameters.ts";
import { innerReader, isNull, readAlgorithmIdentifier, reading, type AlgorithmIdentifier } from "./reading.ts";
import { readRsaPrivateKey } from "./rsa-key.ts";
import { checkEdwardsLength, edwardsName } from "./spki.ts";
import type { ToleranceOptions } from "./tolerance.ts";

/** What a key is read from: all octets, so that offsets count from their start, the limits, and what is tolerated. */
interface Source extends ToleranceOptions {
  readonly der: Uint8Array;
  readonly limits: KeyLimits;
}

/** Reads DER PrivateKeyInfo (version 1) or OneAsymmetricKey (version 2). The material's arrays are views into it. */
export function decodePkcs8(der: Uint8Array, limits: KeyLimits, options: ToleranceOptions = {}): PrivateKeyMaterial {
  return reading("ERR_CRYPTO_MALFORMED_KEY", "The PrivateKeyInfo", () => {
    const reader = new DerReader(der);
    const body = reader.sequence();
    const version = body.smallInteger(1);
    const algorithm = readAlgorithmIdentifier(body);
    const privateKey = body.octetString();
    // Attributes are not used here; RFC 5958 §2 lets readers skip them.
    if (body.nextIs(contextConstructed(0))) body.sequence(contextConstructed(0));
    // RFC 5958 §2: a public key makes it version 2.
    const publicKey = readPublicKey(body, version, options);
    body.end();
    reader.end();
    return readKey({ der, limits, ...options }, algorithm, privateKey, publicKey);
  });
}

/**
 * `[1] IMPLICIT BIT STRING`, in version 2 only. Where `explicitPublicKey` is tolerated, also the explicit tag that ring
 * writes, and either of them in a version 1 file.
 */
function readPublicKey(body: DerReader, version: number, { tolerate }: ToleranceOptions): Uint8Array | undefined {
  const [implicit, explicit] = [contextPrimitive(1), contextConstructed(1)];
  if (version === 1 && body.nextIs(implicit)) return body.octetAlignedBitString(implicit);
  if (!body.nextIs(implicit) && !body.nextIs(explicit)) return undefined;
  if (tolerate === undefined || !tolerate("explicitPublicKey", body.offset)) return undefined;
  if (body.nextIs(implicit)) return body.octetAlignedBitString(implicit);
  const field = body.explicit(1);
  const publicKey = field.octetAlignedBitString();
  field.end();
  return publicKey;
}

/** The scalar at the length of its curve's order (RFC 5915 §3): more or fewer leading zeros only where tolerated. */
function readScalar({ tolerate }: ToleranceOptions, curve: EcCurve, octets: Uint8Array, offset: number): Uint8Array {
  if (isScalar(curve, octets)) return octets;
  const { octets: length } = curveOf(curve);
  if (octets.length !== length && octets.length > 0) {
    const significant = octets.subarray(Math.max(0, octets.length - length));
    const isPadding = octets.subarray(0, Math.max(0, octets.length - length)).every((octet) => octet === 0);
    const full = new Uint8Array(length);
    full.set(significant, length - significant.length);
    if (isPadding && isScalar(curve, full) && tolerate !== undefined && tolerate("scalarLength", offset)) return full;
  }
  const reason =
    octets.length === length
      ? `The scalar is zero or not below the order of ${curve}`
      : `The scalar has ${octets.length} octets; one of ${curve} has ${length}`;
  throw new CryptoError("ERR_CRYPTO_MALFORMED_KEY", reason, { problem: "scalar", offset, clause: "RFC 5915 §3" });
}

/** Reads a DER ECPrivateKey that names its curve. The material's arrays are views into it. */
export function decodeSec1(der: Uint8Array, options: ToleranceOptions = {}): PrivateKeyMaterial {
  const source = { der, limits: defaultKeyLimits, ...options };
  return reading("ERR_CRYPTO_MALFORMED_KEY", "The ECPrivateKey", () =>
    readEcPrivateKey(source, der, undefined, undefined),
  );
}

/** Reads a DER RSAPrivateKey, which the material keeps as a view. */
export function decodePkcs1PrivateKey(der: Uint8Array, limits: KeyLimits): PrivateKeyMaterial {
  return reading("ERR_CRYPTO_MALFORMED_KEY", "The RSAPrivateKey", () =>
    readRsa({ der, limits }, der, "rsa", undefined),
  );
}

/** DER PrivateKeyInfo, version 1; an EC key with its public point where the material has it. */
export function encodePkcs8(material: PrivateKeyMaterial): Uint8Array<ArrayBuffer> {
  return encodeDer((writer) => {
    writer.sequence((body) => {
      body.integer(0);
      writeKeyAlgorithm(body, privateKeyAlgorithmOf(material));
      body.octetString(innerKey(material));
    });
  });
}

function innerKey(material: PrivateKeyMaterial): Uint8Array {
  if ("rsaPrivateKey" in material) return material.rsaPrivateKey;
  return encodeDer((writer) => {
    if ("seed" in material) {
      writer.octetString(material.seed);
      return;
    }
    const { scalar, point } = material;
    writer.sequence((body) => {
      body.integer(1);
      body.octetString(scalar);
      if (point !== undefined) body.explicit(1, (field) => field.bitString(point));
    });
  });
}

function readKey(
  source: Source,
  { oid, parameters, offset }: AlgorithmIdentifier,
  privateKey: Uint8Array,
  publicKey: Uint8Array | undefined,
): PrivateKeyMaterial {
  if (equalBytes(oid, oids.ecPublicKey)) {
    return readEcPrivateKey(source, privateKey, curveFromParameters(parameters, offset), publicKey);
  }
  const name = edwardsName(oid);
  if (name !== undefined) {
    if (parameters !== undefined) throw wrongParameters(offset, "RFC 8410 §3");
    const reader = innerReader(source.der, privateKey);
    const seed = reader.octetString();
    reader.end();
    checkEdwardsLength(name, seed, offset);
    if (publicKey !== undefined) checkEdwardsLength(name, publicKey, offset);
    return { name, seed, point: publicKey };
  }
  if (equalBytes(oid, oids.rsaEncryption)) {
    if (!isNull(parameters)) throw wrongParameters(offset, "RFC 4055 §1.2");
    return readRsa(source, privateKey, "rsa", undefined);
  }
  if (equalBytes(oid, oids.rsassaPss)) {
    const restriction = parameters && readPssParameters(parameters, "ERR_CRYPTO_MALFORMED_KEY");
    return readRsa(source, privateKey, "rsa-pss", restriction);
  }
  throw unsupportedKey(oid, offset);
}

function readRsa(
  { der, limits }: Source,
  rsaPrivateKey: Uint8Array,
  name: "rsa" | "rsa-pss",
  parameters: RsaPssParameters | undefined,
): PrivateKeyMaterial {
  const numbers = readRsaPrivateKey(innerReader(der, rsaPrivateKey), limits);
  return { name, rsaPrivateKey, publicKey: { name, parameters, ...numbers } };
}

/** `outerCurve` and `outerPoint` are what a PKCS #8 wrapper says; a curve named twice must be the same. */
function readEcPrivateKey(
  source: Source,
  content: Uint8Array,
  outerCurve: EcCurve | undefined,
  outerPoint: Uint8Array | undefined,
): PrivateKeyMaterial {
  const { der } = source;
  const reader = innerReader(der, content);
  const { offset } = reader;
  const body = reader.sequence();
  const version = body.smallInteger(1);
  const octets = body.octetString();
  let curve = outerCurve;
  if (body.nextIs(contextConstructed(0))) {
    const field = body.explicit(0);
    curve = curveFromParameters(field.any(), offset);
    field.end();
  }
  let point = outerPoint;
  if (body.nextIs(contextConstructed(1))) {
    const field = body.explicit(1);
    point = field.octetAlignedBitString();
    field.end();
  }
  body.end();
  reader.end();
  const clause = "RFC 5915 §3";
  if (version !== 1) {
    const reason = `The EC private key has version ${version}, not 1`;
    throw new CryptoError("ERR_CRYPTO_MALFORMED_KEY", reason, { problem: "version", offset, clause });
  }
  if (curve === undefined || (outerCurve !== undefined && curve !== outerCurve)) {
    const reason = `The EC private key names ${curve === undefined ? "no curve" : "two different curves"}`;
    throw new CryptoError("ERR_CRYPTO_MALFORMED_KEY", reason, { problem: "curve", offset, clause });
  }
  const scalar = readScalar(source, curve, octets, offset);
  if (outerPoint !== undefined && point !== undefined && !equalBytes(outerPoint, point)) {
    throw new CryptoError("ERR_CRYPTO_KEY_PAIR_MISMATCH", "The private key's file has two public keys", { offset });
  }
  if (point !== undefined) checkPointForm(curve, point, offset);
  return { name: "ec", curve, scalar, point };
}
