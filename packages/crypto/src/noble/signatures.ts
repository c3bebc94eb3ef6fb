/** Signing, checking and key agreement by @noble/curves, and RSA checks by BigInt. */

import { ed25519, x25519 } from "@noble/curves/ed25519.js";
import { CryptoError } from "../errors.ts";
import { checkKeyAgreement, checkKeyFits, keyAgreementMismatch } from "../key-algorithm.ts";
import type { PrivateKey, PublicKey, SignatureAlgorithm, SignatureProvider } from "../provider.ts";
import { nobleCurve } from "./curves.ts";
import { signEcdsa, verifyEcdsa } from "./ecdsa.ts";
import { hashOctets } from "./hashes.ts";
import { privateMaterial, publicMaterial } from "./keys.ts";
import { verifyPkcs1, verifyPss } from "./rsa.ts";

/** Signatures and key agreement of the noble provider. */
export const signatures: SignatureProvider = { sign, signAsync, verify, verifyAsync, deriveSharedSecret };

function sign(key: PrivateKey, algorithm: SignatureAlgorithm, data: Uint8Array): Uint8Array {
  checkKeyFits(key.algorithm, algorithm);
  const material = privateMaterial(key);
  if (material.name === "ec" && algorithm.name === "ecdsa") {
    return signEcdsa(material.curve, material.scalar, hashOctets(algorithm.hash, data));
  }
  if (material.name === "ed25519") return ed25519.sign(data, material.seed);
  // The time of BigInt arithmetic depends on its numbers, so signing would give the private key away.
  throw new CryptoError(
    "ERR_CRYPTO_UNSUPPORTED_OPERATION",
    "The noble provider makes no RSA signatures: sign with an EC or Ed25519 key, or by the node provider",
    { operation: "sign", provider: "noble" },
  );
}

/** Works on the calling thread, as this provider starts no worker. */
async function signAsync(key: PrivateKey, algorithm: SignatureAlgorithm, data: Uint8Array): Promise<Uint8Array> {
  return sign(key, algorithm, data);
}

function verify(key: PublicKey, algorithm: SignatureAlgorithm, data: Uint8Array, signature: Uint8Array): boolean {
  checkKeyFits(key.algorithm, algorithm);
  const material = publicMaterial(key);
  switch (material.name) {
    case "ec":
      return (
        algorithm.name === "ecdsa" &&
        verifyEcdsa(material.curve, material.point, hashOctets(algorithm.hash, data), signature)
      );
    case "rsa":
    case "rsa-pss":
      if (algorithm.name === "rsa-pkcs1") return verifyPkcs1(material, algorithm.hash, data, signature);
      return algorithm.name === "rsa-pss" && verifyPss(material, algorithm, data, signature);
    default:
      return verifyEd25519(material.point, data, signature);
  }
}

/** Works on the calling thread, as this provider starts no worker. */
async function verifyAsync(
  key: PublicKey,
  algorithm: SignatureAlgorithm,
  data: Uint8Array,
  signature: Uint8Array,
): Promise<boolean> {
  return verify(key, algorithm, data, signature);
}

function deriveSharedSecret(privateKey: PrivateKey, publicKey: PublicKey): Uint8Array {
  checkKeyAgreement(privateKey.algorithm, publicKey.algorithm);
  const own = privateMaterial(privateKey);
  const other = publicMaterial(publicKey);
  if (own.name === "ec" && other.name === "ec") {
    return nobleCurve(own.curve).getSharedSecret(own.scalar, other.point).slice(1);
  }
  if (own.name !== "x25519" || other.name !== "x25519") throw keyAgreementMismatch(privateKey.algorithm);
  try {
    return x25519.getSharedSecret(own.seed, other.point);
  } catch (cause) {
    throw new CryptoError("ERR_CRYPTO_SMALL_ORDER_POINT", "The public value is of small order", {
      clause: "RFC 7748 §6.1",
      cause,
    });
  }
}

/** RFC 8032 §5.1.7, not the laxer ZIP 215. Noble throws for lengths. */
function verifyEd25519(point: Uint8Array, data: Uint8Array, signature: Uint8Array): boolean {
  return signature.length === 64 && ed25519.verify(signature, data, point, { zip215: false });
}
