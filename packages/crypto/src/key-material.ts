/**
 * The parts of a key. The readers of this package take a key apart and make every check that needs no curve or modular
 * arithmetic; a provider imports the parts.
 */

import { CryptoError } from "./errors.ts";
import type { EcCurve, RsaPssParameters } from "./provider.ts";

/** The parts of a public key. */
export type PublicKeyMaterial =
  /** `point` is uncompressed: 0x04, x, y (SEC 1 §2.3.3). */
  | { readonly name: "ec"; readonly curve: EcCurve; readonly point: Uint8Array }
  | { readonly name: "ed25519" | "x25519"; readonly point: Uint8Array }
  | RsaPublicKeyMaterial;

/** The parts of an RSA public key. */
export interface RsaPublicKeyMaterial {
  readonly name: "rsa" | "rsa-pss";
  /** Undefined for `rsa`, and for `rsa-pss` keys that restrict nothing. */
  readonly parameters: RsaPssParameters | undefined;
  readonly modulusBits: number;
  /** Unsigned, most significant octet first, no leading zero. */
  readonly modulus: Uint8Array;
  readonly exponent: Uint8Array;
}

/** The parts of a private key: secret. */
export type PrivateKeyMaterial =
  | {
      readonly name: "ec";
      readonly curve: EcCurve;
      /** As long as the curve's order. */
      readonly scalar: Uint8Array;
      /** The public point in the same file. The provider checks that it belongs to the scalar. */
      readonly point: Uint8Array | undefined;
    }
  | {
      readonly name: "ed25519" | "x25519";
      /** 32 octets. */
      readonly seed: Uint8Array;
      readonly point: Uint8Array | undefined;
    }
  | {
      readonly name: "rsa" | "rsa-pss";
      /** Its numbers fit together (RFC 8017 §3.2). */
      readonly rsaPrivateKey: Uint8Array;
      readonly publicKey: RsaPublicKeyMaterial;
    };

/** What a provider is willing to import. */
export interface KeyLimits {
  /** Smallest RSA modulus in bits: 2048 unless set; not below 1024, which only old material needs. */
  readonly minimumRsaModulusBits: number;
}

/** The limits of a provider that was given none. */
export const defaultKeyLimits: KeyLimits = { minimumRsaModulusBits: 2048 };

/** RFC 8017 sets none; OpenSSL stops at 16,384, webpki at 8192: beyond it a check costs milliseconds. */
export const maximumRsaModulusBits = 8192;

/** The limits, once they are sensible. Throws `ERR_CRYPTO_ARGUMENT`. */
export function checkKeyLimits(limits: KeyLimits): KeyLimits {
  const { minimumRsaModulusBits: bits } = limits;
  if (Number.isInteger(bits) && bits >= 1024 && bits <= maximumRsaModulusBits) return limits;
  const allowed = `1024 to ${maximumRsaModulusBits}`;
  throw new CryptoError("ERR_CRYPTO_ARGUMENT", `minimumRsaModulusBits is ${allowed}, not ${bits}`, {
    found: bits,
    allowed,
  });
}
