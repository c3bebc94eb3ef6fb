/**
 * AlgorithmIdentifiers of signatures (RFC 5280 §4.1.1.2), by RFC 5758 (ECDSA), RFC 8410 (Ed25519) and RFC 4055 (RSA).
 */

import { DerReader, encodeDer, encodeOid, equalBytes } from "@latchkey/asn1";
import { CryptoError } from "./errors.ts";
import { namedOid } from "./oid-names.ts";
import * as oids from "./oids.ts";
import type { SignatureAlgorithm } from "./provider.ts";
import { hashLength } from "./hash-length.ts";
import {
  hasStandardSalt,
  readPssParameters,
  unsupportedAlgorithm,
  supportedNames,
  writePssParameters,
} from "./pss-parameters.ts";
import { isNull, readAlgorithmIdentifier, reading, type AlgorithmIdentifier } from "./reading.ts";
import type { ToleranceOptions } from "./tolerance.ts";

type PlainAlgorithm = Exclude<SignatureAlgorithm, { readonly name: "rsa-pss" }>;

const supported: readonly (readonly [Uint8Array, PlainAlgorithm])[] = [
  [/* @__PURE__ */ encodeOid("1.2.840.10045.4.3.2"), { name: "ecdsa", hash: "SHA-256" }],
  [/* @__PURE__ */ encodeOid("1.2.840.113549.1.1.11"), { name: "rsa-pkcs1", hash: "SHA-256" }],
  [/* @__PURE__ */ encodeOid("1.2.840.10045.4.3.3"), { name: "ecdsa", hash: "SHA-384" }],
  [/* @__PURE__ */ encodeOid("1.2.840.10045.4.3.4"), { name: "ecdsa", hash: "SHA-512" }],
  [/* @__PURE__ */ encodeOid("1.2.840.113549.1.1.12"), { name: "rsa-pkcs1", hash: "SHA-384" }],
  [/* @__PURE__ */ encodeOid("1.2.840.113549.1.1.13"), { name: "rsa-pkcs1", hash: "SHA-512" }],
  [oids.ed25519, { name: "ed25519" }],
];

let usual: readonly (readonly [Uint8Array, PlainAlgorithm])[] | undefined;

/** The encodings of the supported algorithms, made when they are first needed. */
function usualEncodings(): readonly (readonly [Uint8Array, PlainAlgorithm])[] {
  usual ??= supported.map(([, algorithm]) => [encodeSignatureAlgorithm(algorithm), algorithm]);
  return usual;
}

/** Known, and refused by name: their hashes are broken. */
const weak: readonly (readonly [Uint8Array, "ERR_CRYPTO_SHA1_SIGNATURE" | "ERR_CRYPTO_MD5_SIGNATURE", string])[] = [
  [/* @__PURE__ */ encodeOid("1.2.840.113549.1.1.5"), "ERR_CRYPTO_SHA1_SIGNATURE", "RSA with SHA-1"],
  [/* @__PURE__ */ encodeOid("1.3.14.3.2.29"), "ERR_CRYPTO_SHA1_SIGNATURE", "RSA with SHA-1"],
  [/* @__PURE__ */ encodeOid("1.2.840.10045.4.1"), "ERR_CRYPTO_SHA1_SIGNATURE", "ECDSA with SHA-1"],
  [/* @__PURE__ */ encodeOid("1.2.840.10040.4.3"), "ERR_CRYPTO_SHA1_SIGNATURE", "DSA with SHA-1"],
  [/* @__PURE__ */ encodeOid("1.2.840.113549.1.1.4"), "ERR_CRYPTO_MD5_SIGNATURE", "RSA with MD5"],
  [/* @__PURE__ */ encodeOid("1.2.840.113549.1.1.3"), "ERR_CRYPTO_MD5_SIGNATURE", "RSA with MD4"],
  [/* @__PURE__ */ encodeOid("1.2.840.113549.1.1.2"), "ERR_CRYPTO_MD5_SIGNATURE", "RSA with MD2"],
];

/**
 * Reads the DER AlgorithmIdentifier of a signature, identifier and parameters to the last octet.
 *
 * RSA's NULL may be absent, as RFC 4055 §5 demands of readers. PSS must name one hash for both its uses, with a salt of
 * that hash's length.
 *
 * Throws `ERR_CRYPTO_MALFORMED_ALGORITHM`, `ERR_CRYPTO_SHA1_SIGNATURE`, `ERR_CRYPTO_MD5_SIGNATURE` (MD4 and MD2 too) or
 * `ERR_CRYPTO_UNSUPPORTED_SIGNATURE_ALGORITHM`.
 */
export function parseSignatureAlgorithm(der: Uint8Array, options: ToleranceOptions = {}): SignatureAlgorithm {
  // Nearly all are one of these to the last octet, and every check of a signature comes through here.
  for (const [encoding, algorithm] of usualEncodings()) if (equalBytes(encoding, der)) return algorithm;
  return reading("ERR_CRYPTO_MALFORMED_ALGORITHM", "The AlgorithmIdentifier", () => {
    const reader = new DerReader(der);
    const identifier = readAlgorithmIdentifier(reader);
    reader.end();
    for (const [oid, algorithm] of supported) {
      if (equalBytes(oid, identifier.oid)) {
        checkParameters(identifier, algorithm, options);
        return algorithm;
      }
    }
    if (equalBytes(oids.rsassaPss, identifier.oid)) return pssAlgorithm(identifier);
    throw refusal(identifier);
  });
}

/** The DER AlgorithmIdentifier of a signature algorithm; RSA with NULL, as RFC 4055 §5 demands of writers. */
export function encodeSignatureAlgorithm(algorithm: SignatureAlgorithm): Uint8Array {
  return encodeDer((writer) => {
    writer.sequence((body) => {
      if (algorithm.name === "rsa-pss") {
        body.oid(oids.rsassaPss);
        writePssParameters(body, algorithm);
        return;
      }
      body.oid(oidOf(algorithm));
      if (algorithm.name === "rsa-pkcs1") body.null();
    });
  });
}

function checkParameters(
  { parameters, offset }: AlgorithmIdentifier,
  algorithm: PlainAlgorithm,
  { tolerate }: ToleranceOptions,
): void {
  // RFC 5758 §3.2, RFC 8410 §3: the parameters must be absent. RFC 4055 §5: NULL.
  if (parameters === undefined || (algorithm.name === "rsa-pkcs1" && isNull(parameters))) return;
  if (isNull(parameters) && tolerate !== undefined && tolerate("nullParameters", offset)) return;
  const rule = algorithm.name === "rsa-pkcs1" ? "NULL or absent" : "absent";
  const reason = `The parameters of ${algorithm.name} are ${isNull(parameters) ? "NULL" : "there"}; they must be ${rule}`;
  const clauses = { ecdsa: "RFC 5758 §3.2", ed25519: "RFC 8410 §3", "rsa-pkcs1": "RFC 4055 §5" };
  throw new CryptoError("ERR_CRYPTO_MALFORMED_ALGORITHM", reason, {
    problem: "parameters",
    offset,
    clause: clauses[algorithm.name],
  });
}

function pssAlgorithm({ parameters, offset }: AlgorithmIdentifier): SignatureAlgorithm {
  // RFC 4055 §3.1: in a signature the parameters must be there.
  if (parameters === undefined) {
    throw new CryptoError("ERR_CRYPTO_MALFORMED_ALGORITHM", "A PSS signature needs its parameters", {
      problem: "parameters",
      offset,
      clause: "RFC 4055 §3.1",
    });
  }
  const pss = readPssParameters(parameters, "ERR_CRYPTO_MALFORMED_ALGORITHM");
  if (!hasStandardSalt(pss)) {
    const reason = `PSS with ${pss.hash} and a salt of ${pss.saltLength} octets is not supported; the salt is as long as the hash, ${hashLength(pss.hash)} octets`;
    throw unsupportedAlgorithm(reason, oids.rsassaPss, offset);
  }
  return { name: "rsa-pss", ...pss };
}

function refusal({ oid, offset }: AlgorithmIdentifier): CryptoError {
  for (const [candidate, code, name] of weak) {
    if (equalBytes(candidate, oid)) {
      const reason = `${name} is too weak to prove anything: sign with SHA-256 or better`;
      return new CryptoError(code, reason, { algorithm: name, offset });
    }
  }
  const reason = `The signature algorithm ${namedOid(oid)} is not supported; ${supportedNames.join(", ")} are`;
  return unsupportedAlgorithm(reason, oid, offset);
}

function oidOf(algorithm: PlainAlgorithm): Uint8Array {
  const hash = algorithm.name === "ed25519" ? undefined : algorithm.hash;
  for (const [oid, candidate] of supported) {
    if (candidate.name === algorithm.name && (candidate.name === "ed25519" || candidate.hash === hash)) return oid;
  }
  throw unsupportedAlgorithm(`${algorithm.name} has no identifier here`, undefined, undefined);
}
