/** Which key goes with which algorithm. */

import type { DerWriter } from "@latchkey/asn1";
import { curveOf } from "./curve.ts";
import { CryptoError } from "./errors.ts";
import { hashLength } from "./hash-length.ts";
import { maximumRsaModulusBits, type PrivateKeyMaterial, type PublicKeyMaterial } from "./key-material.ts";
import * as oids from "./oids.ts";
import type { KeyAlgorithm, SignatureAlgorithm } from "./provider.ts";
import { writePssParameters } from "./pss-parameters.ts";
import { modulusSize } from "./rsa-key.ts";

/** What a PublicKey says about itself. */
export function keyAlgorithmOf(material: PublicKeyMaterial): KeyAlgorithm {
  switch (material.name) {
    case "ec":
      return { name: "ec", curve: material.curve };
    case "ed25519":
    case "x25519":
      return { name: material.name };
    case "rsa":
      return { name: "rsa", modulusBits: material.modulusBits };
    default:
      return { name: "rsa-pss", modulusBits: material.modulusBits, parameters: material.parameters };
  }
}

/** What a private key's material says about its key. */
export function privateKeyAlgorithmOf(material: PrivateKeyMaterial): KeyAlgorithm {
  if ("publicKey" in material) return keyAlgorithmOf(material.publicKey);
  return material.name === "ec" ? { name: "ec", curve: material.curve } : { name: material.name };
}

/** Writes the AlgorithmIdentifier that a SubjectPublicKeyInfo or PrivateKeyInfo has for such a key. */
export function writeKeyAlgorithm(writer: DerWriter, key: KeyAlgorithm): void {
  writer.sequence((body) => {
    switch (key.name) {
      case "ec":
        body.oid(oids.ecPublicKey);
        body.oid(curveOf(key.curve).oid);
        break;
      case "ed25519":
        body.oid(oids.ed25519);
        break;
      case "x25519":
        body.oid(oids.x25519);
        break;
      case "rsa":
        body.oid(oids.rsaEncryption);
        body.null();
        break;
      case "rsa-pss":
        body.oid(oids.rsassaPss);
        if (key.parameters !== undefined) writePssParameters(body, key.parameters);
        break;
    }
  });
}

/**
 * The signature algorithm to sign with where nothing else was asked for: ECDSA with the hash as strong as the curve,
 * Ed25519, or RSA with SHA-256 (PKCS#1 v1.5 for plain RSA keys, which everything can check).
 *
 * Throws `ERR_CRYPTO_KEY_ALGORITHM_MISMATCH` for X25519, which signs nothing.
 */
export function defaultSignatureAlgorithm(key: KeyAlgorithm): SignatureAlgorithm {
  switch (key.name) {
    case "ec":
      return { name: "ecdsa", hash: key.curve === "P-256" ? "SHA-256" : key.curve === "P-384" ? "SHA-384" : "SHA-512" };
    case "ed25519":
      return { name: "ed25519" };
    case "rsa":
      return { name: "rsa-pkcs1", hash: "SHA-256" };
    case "rsa-pss": {
      const hash = key.parameters?.hash ?? "SHA-256";
      return { name: "rsa-pss", hash, saltLength: Math.max(hashLength(hash), key.parameters?.saltLength ?? 0) };
    }
    default:
      throw mismatch("An X25519 key makes no signatures; it agrees on secrets", key, "sign");
  }
}

/** Throws `ERR_CRYPTO_KEY_ALGORITHM_MISMATCH` unless such a key makes signatures of the algorithm. */
export function checkKeyFits(key: KeyAlgorithm, algorithm: SignatureAlgorithm): void {
  switch (algorithm.name) {
    case "ecdsa":
      if (key.name === "ec") return;
      break;
    case "ed25519":
      if (key.name === "ed25519") return;
      break;
    case "rsa-pkcs1":
      // id-RSASSA-PSS keys are for PSS alone (RFC 4055 §1.2).
      if (key.name === "rsa") return;
      break;
    case "rsa-pss":
      if (key.name === "rsa" || key.name === "rsa-pss") {
        checkPss(key, algorithm.hash, algorithm.saltLength);
        return;
      }
      break;
  }
  throw mismatch(`A key of kind ${key.name} makes no ${algorithm.name} signatures`, key, algorithm.name);
}

type RsaKeyAlgorithm = Extract<KeyAlgorithm, { readonly modulusBits: number }>;
type PssHash = Extract<SignatureAlgorithm, { name: "rsa-pss" }>["hash"];

function checkPss(key: RsaKeyAlgorithm, hash: PssHash, saltLength: number): void {
  // RFC 8017 §9.1.1 step 3: emLen is at least hLen + sLen + 2, with emBits one less than the modulus has.
  const room = Math.ceil((key.modulusBits - 1) / 8) - hashLength(hash) - 2;
  if (!Number.isInteger(saltLength) || saltLength < 0 || saltLength > room) {
    throw mismatch(
      `A salt of ${saltLength} octets does not fit into a PSS signature by this key: 0 to ${room} octets do`,
      key,
      "rsa-pss",
    );
  }
  if (key.name === "rsa" || key.parameters === undefined) return;
  // RFC 4055 §3.3: the signature's hash is the key's, its salt no shorter than the key's.
  if (hash !== key.parameters.hash || saltLength < key.parameters.saltLength) {
    const { parameters } = key;
    throw mismatch(
      `The key is restricted to PSS with ${parameters.hash} and a salt of at least ${parameters.saltLength} octets`,
      key,
      "rsa-pss",
    );
  }
}

/** Throws `ERR_CRYPTO_KEY_ALGORITHM_MISMATCH` unless the two keys can agree on a secret. */
export function checkKeyAgreement(privateKey: KeyAlgorithm, publicKey: KeyAlgorithm): void {
  if (privateKey.name === "x25519" && publicKey.name === "x25519") return;
  if (privateKey.name === "ec" && publicKey.name === "ec" && privateKey.curve === publicKey.curve) return;
  throw keyAgreementMismatch(privateKey);
}

/** Keys that cannot agree on a secret. */
export function keyAgreementMismatch(privateKey: KeyAlgorithm): CryptoError {
  return mismatch("Key agreement takes two X25519 keys, or two EC keys of one curve", privateKey, "deriveSharedSecret");
}

/** Throws `ERR_CRYPTO_RSA_MODULUS_SIZE` for a new RSA key of a size that this package would not import. */
export function checkGeneratedModulusBits(modulusBits: number): void {
  if (Number.isInteger(modulusBits) && modulusBits >= 2048 && modulusBits <= maximumRsaModulusBits) return;
  throw modulusSize(modulusBits, 2048, undefined);
}

function mismatch(reason: string, key: KeyAlgorithm, operation: string): CryptoError {
  return new CryptoError("ERR_CRYPTO_KEY_ALGORITHM_MISMATCH", reason, { key: key.name, operation });
}
