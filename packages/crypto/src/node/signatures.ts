/** Signing, checking and key agreement by node:crypto. */

import {
  constants,
  diffieHellman,
  sign as cryptoSign,
  verify as cryptoVerify,
  type KeyObject,
  type SignKeyObjectInput,
} from "node:crypto";
import { CryptoError } from "../errors.ts";
import { checkKeyAgreement, checkKeyFits } from "../key-algorithm.ts";
import type { PrivateKey, PublicKey, SignatureAlgorithm, SignatureHash, SignatureProvider } from "../provider.ts";
import { privateHandle, publicHandle } from "./keys.ts";
import { octets } from "./octets.ts";

/** Signatures and key agreement of the node provider. */
export const signatures: SignatureProvider = { sign, signAsync, verify, verifyAsync, deriveSharedSecret };

function sign(key: PrivateKey, algorithm: SignatureAlgorithm, data: Uint8Array): Uint8Array {
  checkKeyFits(key.algorithm, algorithm);
  return octets(cryptoSign(hashOf(algorithm), data, withPadding(privateHandle(key), algorithm)));
}

function signAsync(key: PrivateKey, algorithm: SignatureAlgorithm, data: Uint8Array): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    checkKeyFits(key.algorithm, algorithm);
    cryptoSign(hashOf(algorithm), data, withPadding(privateHandle(key), algorithm), (error, signature) => {
      if (error === null) resolve(octets(signature));
      else reject(error);
    });
  });
}

function verify(key: PublicKey, algorithm: SignatureAlgorithm, data: Uint8Array, signature: Uint8Array): boolean {
  checkKeyFits(key.algorithm, algorithm);
  return cryptoVerify(hashOf(algorithm), data, withPadding(publicHandle(key), algorithm), signature);
}

function verifyAsync(
  key: PublicKey,
  algorithm: SignatureAlgorithm,
  data: Uint8Array,
  signature: Uint8Array,
): Promise<boolean> {
  return new Promise((resolve, reject) => {
    checkKeyFits(key.algorithm, algorithm);
    cryptoVerify(hashOf(algorithm), data, withPadding(publicHandle(key), algorithm), signature, (error, isValid) => {
      if (error === null) resolve(isValid);
      else reject(error);
    });
  });
}

function deriveSharedSecret(privateKey: PrivateKey, publicKey: PublicKey): Uint8Array {
  checkKeyAgreement(privateKey.algorithm, publicKey.algorithm);
  const keys = { privateKey: privateHandle(privateKey), publicKey: publicHandle(publicKey) };
  try {
    return octets(diffieHellman(keys));
  } catch (cause) {
    // With both keys valid and of one curve, OpenSSL fails on the all-zero secret only.
    throw new CryptoError("ERR_CRYPTO_SMALL_ORDER_POINT", "The public value is of small order", {
      clause: "RFC 7748 §6.1",
      cause,
    });
  }
}

const hashNames: Readonly<Record<SignatureHash, string>> = {
  "SHA-256": "sha256",
  "SHA-384": "sha384",
  "SHA-512": "sha512",
};

function hashOf(algorithm: SignatureAlgorithm): string | null {
  return algorithm.name === "ed25519" ? null : hashNames[algorithm.hash];
}

function withPadding(handle: KeyObject, algorithm: SignatureAlgorithm): KeyObject | SignKeyObjectInput {
  if (algorithm.name !== "rsa-pss") return handle;
  return { key: handle, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: algorithm.saltLength };
}
