/** Keys of the node provider: each has a KeyObject, made once, and a description that was checked. */

import {
  createPrivateKey,
  createPublicKey,
  generateKeyPair,
  generateKeyPairSync,
  type KeyObject,
  type KeyPairKeyObjectResult,
} from "node:crypto";
import { CryptoError } from "../errors.ts";
import { foreignKey, keyPairMismatch } from "../key-fault.ts";
import type { KeyLimits, PrivateKeyMaterial, PublicKeyMaterial } from "../key-material.ts";
import { checkGeneratedModulusBits, keyAlgorithmOf } from "../key-algorithm.ts";
import { encodePkcs8 } from "../pkcs8.ts";
import type { KeyAlgorithm, KeyGenerationAlgorithm, KeyPair, PrivateKey, PublicKey } from "../provider.ts";
import { decodeSpki, samePublicKey, spkiFromRawPublicKey } from "../spki.ts";
import { type CheckCosts, exponentBitsOf, verificationWeight } from "../verification-weight.ts";

/** Measured on Node.js 24 with OpenSSL 3.5: see `verification-weight.ts`. */
const checkCosts: CheckCosts = { "P-256": 1, "P-384": 8, "P-521": 19, ed25519: 1.5, rsa2048: 0.35 };

class NodePublicKey implements PublicKey {
  readonly type = "public";
  readonly algorithm: KeyAlgorithm;
  readonly verificationWeight: number;
  readonly spki: Uint8Array;
  readonly #handle: KeyObject;

  constructor(algorithm: KeyAlgorithm, spki: Uint8Array, handle: KeyObject, exponentBits?: number) {
    this.algorithm = algorithm;
    this.verificationWeight = verificationWeight(checkCosts, algorithm, exponentBits);
    this.spki = spki;
    this.#handle = handle;
  }

  static handleOf(key: PublicKey): KeyObject {
    if (#handle in key) return key.#handle;
    throw foreignKey();
  }
}

class NodePrivateKey implements PrivateKey {
  readonly type = "private";
  readonly algorithm: KeyAlgorithm;
  readonly publicKey: PublicKey;
  readonly #handle: KeyObject;

  constructor(publicKey: PublicKey, handle: KeyObject) {
    this.algorithm = publicKey.algorithm;
    this.publicKey = publicKey;
    this.#handle = handle;
  }

  static handleOf(key: PrivateKey): KeyObject {
    if (#handle in key) return key.#handle;
    throw foreignKey();
  }
}

/** The KeyObject behind a public key. Throws `ERR_CRYPTO_FOREIGN_KEY` for another provider's. */
export function publicHandle(key: PublicKey): KeyObject {
  return NodePublicKey.handleOf(key);
}

/** The KeyObject behind a private key. Throws `ERR_CRYPTO_FOREIGN_KEY` for another provider's. */
export function privateHandle(key: PrivateKey): KeyObject {
  return NodePrivateKey.handleOf(key);
}

/** Makes a key of what was read from `spki`, which the key keeps. */
export function publicKeyFromMaterial(material: PublicKeyMaterial, spki: Uint8Array): PublicKey {
  let handle: KeyObject;
  try {
    // PEM text, because it takes half the time: with DER, Node.js tries other formats first, and each throws.
    const base64 = Buffer.from(spki.buffer, spki.byteOffset, spki.length).toString("base64");
    handle = createPublicKey(`-----BEGIN PUBLIC KEY-----\n${base64}\n-----END PUBLIC KEY-----\n`);
  } catch (cause) {
    // The form was checked before: what is left for OpenSSL to refuse is a point that is not on its curve.
    if (material.name === "ec") {
      throw new CryptoError("ERR_CRYPTO_PUBLIC_POINT", `The public point is not on ${material.curve}`, {
        curve: material.curve,
        problem: "not on the curve",
        clause: "SEC 1 §3.2.2.1",
        cause,
      });
    }
    throw new CryptoError("ERR_CRYPTO_MALFORMED_KEY", "OpenSSL refuses the public key", { problem: "library", cause });
  }
  return new NodePublicKey(keyAlgorithmOf(material), spki, handle, exponentBitsOf(material));
}

/** Makes a key of what was read; the public key that came along must be the one that follows from the private. */
export function privateKeyFromMaterial(material: PrivateKeyMaterial, limits: KeyLimits): PrivateKey {
  // OpenSSL does not check a public key in the file. Without one it computes the right one.
  const computed = createHandle("point" in material ? { ...material, point: undefined } : material);
  const publicHandle = createPublicKey(computed);
  const spki = exportSpki(publicHandle);
  const publicMaterial = decodeSpki(spki, limits);
  if (!samePublicKey(material, publicMaterial)) {
    throw keyPairMismatch();
  }
  // OpenSSL exports an EC key with its public key, as other programs expect it, only if it was imported with it.
  const handle =
    material.name === "ec" && publicMaterial.name === "ec"
      ? createHandle({ ...material, point: publicMaterial.point })
      : computed;
  return new NodePrivateKey(
    new NodePublicKey(keyAlgorithmOf(publicMaterial), spki, publicHandle, exponentBitsOf(publicMaterial)),
    handle,
  );
}

function createHandle(material: PrivateKeyMaterial): KeyObject {
  try {
    return createPrivateKey({ key: Buffer.from(encodePkcs8(material).buffer), format: "der", type: "pkcs8" });
  } catch (cause) {
    throw new CryptoError("ERR_CRYPTO_MALFORMED_KEY", "OpenSSL refuses the private key", { problem: "library", cause });
  }
}

/** DER PrivateKeyInfo of a private key of this provider. */
export function exportPrivateKey(key: PrivateKey): Uint8Array {
  return Uint8Array.from(privateHandle(key).export({ format: "der", type: "pkcs8" }));
}

/** A new key pair. */
export function newKeyPair(algorithm: KeyGenerationAlgorithm): KeyPair {
  switch (algorithm.name) {
    case "ec":
      return keyPair(algorithm, generateKeyPairSync("ec", { namedCurve: algorithm.curve }));
    case "ed25519":
      return keyPair(algorithm, generateKeyPairSync("ed25519"));
    case "x25519":
      return keyPair(algorithm, generateKeyPairSync("x25519"));
    default:
      checkGeneratedModulusBits(algorithm.modulusBits);
      return keyPair(algorithm, generateKeyPairSync("rsa", { modulusLength: algorithm.modulusBits }));
  }
}

/** A new key pair, made off the calling thread. */
export async function newKeyPairAsync(algorithm: KeyGenerationAlgorithm): Promise<KeyPair> {
  const made = await new Promise<KeyPairKeyObjectResult>((resolve, reject) => {
    const settle = (error: Error | null, publicKey: KeyObject, privateKey: KeyObject): void => {
      if (error === null) resolve({ publicKey, privateKey });
      else reject(error);
    };
    switch (algorithm.name) {
      case "ec":
        generateKeyPair("ec", { namedCurve: algorithm.curve }, settle);
        break;
      case "ed25519":
        generateKeyPair("ed25519", {}, settle);
        break;
      case "x25519":
        generateKeyPair("x25519", {}, settle);
        break;
      case "rsa":
        checkGeneratedModulusBits(algorithm.modulusBits);
        generateKeyPair("rsa", { modulusLength: algorithm.modulusBits }, settle);
        break;
    }
  });
  return keyPair(algorithm, made);
}

function keyPair(algorithm: KeyGenerationAlgorithm, made: KeyPairKeyObjectResult): KeyPair {
  const publicKey = new NodePublicKey({ ...algorithm }, exportSpki(made.publicKey), made.publicKey);
  return { privateKey: new NodePrivateKey(publicKey, made.privateKey), publicKey };
}

function exportSpki(handle: KeyObject): Uint8Array {
  if (handle.asymmetricKeyType === "rsa" || handle.asymmetricKeyType === "rsa-pss") {
    return Uint8Array.from(handle.export({ format: "der", type: "spki" }));
  }
  // JWK and our own DER take a twentieth of the time, which counts for a key that lives for one handshake.
  const { crv, x = "", y = "" } = handle.export({ format: "jwk" });
  const first = Buffer.from(x, "base64url");
  if (crv === "Ed25519" || crv === "X25519") return spkiFromRawPublicKey(crv, first);
  if (crv === "P-256" || crv === "P-384" || crv === "P-521") {
    return spkiFromRawPublicKey(crv, Buffer.concat([Uint8Array.of(4), first, Buffer.from(y, "base64url")]));
  }
  return Uint8Array.from(handle.export({ format: "der", type: "spki" }));
}
