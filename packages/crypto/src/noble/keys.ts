/** Keys of the noble provider: checked octets. */

import { ed25519, x25519 } from "@noble/curves/ed25519.js";
import { CryptoError } from "../errors.ts";
import { foreignKey, keyPairMismatch } from "../key-fault.ts";
import { keyAlgorithmOf } from "../key-algorithm.ts";
import type { PrivateKeyMaterial, PublicKeyMaterial } from "../key-material.ts";
import { encodePkcs8 } from "../pkcs8.ts";
import type { KeyAlgorithm, KeyGenerationAlgorithm, KeyPair, PrivateKey, PublicKey } from "../provider.ts";
import { encodeSpki, samePublicKey } from "../spki.ts";
import { type CheckCosts, exponentBitsOf, verificationWeight } from "../verification-weight.ts";
import { nobleCurve } from "./curves.ts";

/** Measured on Node.js 24: see `verification-weight.ts`. */
const checkCosts: CheckCosts = { "P-256": 33, "P-384": 75, "P-521": 150, ed25519: 22, rsa2048: 2 };

class NoblePublicKey implements PublicKey {
  readonly type = "public";
  readonly algorithm: KeyAlgorithm;
  readonly verificationWeight: number;
  readonly spki: Uint8Array;
  readonly #material: PublicKeyMaterial;

  constructor(material: PublicKeyMaterial, spki: Uint8Array) {
    this.algorithm = keyAlgorithmOf(material);
    this.verificationWeight = verificationWeight(checkCosts, this.algorithm, exponentBitsOf(material));
    this.spki = spki;
    this.#material = material;
  }

  static materialOf(key: PublicKey): PublicKeyMaterial {
    if (#material in key) return key.#material;
    throw foreignKey();
  }
}

class NoblePrivateKey implements PrivateKey {
  readonly type = "private";
  readonly algorithm: KeyAlgorithm;
  readonly publicKey: PublicKey;
  readonly #material: PrivateKeyMaterial;

  constructor(material: PrivateKeyMaterial, publicKey: PublicKey) {
    this.algorithm = publicKey.algorithm;
    this.publicKey = publicKey;
    this.#material = material;
  }

  static materialOf(key: PrivateKey): PrivateKeyMaterial {
    if (#material in key) return key.#material;
    throw foreignKey();
  }
}

/** What a public key holds. Throws `ERR_CRYPTO_FOREIGN_KEY` for another provider's. */
export function publicMaterial(key: PublicKey): PublicKeyMaterial {
  return NoblePublicKey.materialOf(key);
}

/** What a private key holds. Throws `ERR_CRYPTO_FOREIGN_KEY` for another provider's. */
export function privateMaterial(key: PrivateKey): PrivateKeyMaterial {
  return NoblePrivateKey.materialOf(key);
}

/** Makes a key of what was read from `spki`; the key keeps both. */
export function publicKeyFromMaterial(material: PublicKeyMaterial, spki: Uint8Array): PublicKey {
  if (material.name === "ec") {
    try {
      nobleCurve(material.curve).Point.fromBytes(material.point).assertValidity();
    } catch (cause) {
      throw new CryptoError("ERR_CRYPTO_PUBLIC_POINT", `The public point is not on ${material.curve}`, {
        curve: material.curve,
        problem: "not on the curve",
        clause: "SEC 1 §3.2.2.1",
        cause,
      });
    }
  }
  return new NoblePublicKey(material, spki);
}

/** Makes a key of what was read; the public key that came along must be the one that follows from the private. */
export function privateKeyFromMaterial(material: PrivateKeyMaterial): PrivateKey {
  const publicPart = publicMaterialOf(material);
  if (!samePublicKey(material, publicPart)) {
    throw keyPairMismatch();
  }
  const held = "point" in publicPart ? { ...material, point: publicPart.point } : material;
  return new NoblePrivateKey(held, new NoblePublicKey(publicPart, encodeSpki(publicPart)));
}

/** DER PrivateKeyInfo of a private key of this provider. */
export function exportPrivateKey(key: PrivateKey): Uint8Array {
  return encodePkcs8(privateMaterial(key));
}

/** A new key pair. */
export function newKeyPair(algorithm: KeyGenerationAlgorithm): KeyPair {
  const privateKey = privateKeyFromMaterial(newMaterial(algorithm));
  return { privateKey, publicKey: privateKey.publicKey };
}

function newMaterial(algorithm: KeyGenerationAlgorithm): PrivateKeyMaterial {
  switch (algorithm.name) {
    case "ec": {
      const scalar = nobleCurve(algorithm.curve).utils.randomSecretKey();
      return { name: "ec", curve: algorithm.curve, scalar, point: undefined };
    }
    case "ed25519":
      return { name: "ed25519", seed: ed25519.utils.randomSecretKey(), point: undefined };
    case "x25519":
      return { name: "x25519", seed: x25519.utils.randomSecretKey(), point: undefined };
    default:
      throw new CryptoError(
        "ERR_CRYPTO_UNSUPPORTED_OPERATION",
        "The noble provider makes no RSA keys: make an EC key",
        {
          operation: "generateKeyPair",
          provider: "noble",
        },
      );
  }
}

function publicMaterialOf(material: PrivateKeyMaterial): PublicKeyMaterial {
  if ("publicKey" in material) return material.publicKey;
  switch (material.name) {
    case "ec": {
      const point = nobleCurve(material.curve).getPublicKey(material.scalar, false);
      return { name: "ec", curve: material.curve, point };
    }
    case "ed25519":
      return { name: "ed25519", point: ed25519.getPublicKey(material.seed) };
    default:
      return { name: "x25519", point: x25519.getPublicKey(material.seed) };
  }
}
