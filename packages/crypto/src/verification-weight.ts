/** What a signature check costs, for the budget of a verifier that uses keys of a peer. */

import type { PublicKeyMaterial } from "./key-material.ts";
import type { KeyAlgorithm } from "./provider.ts";
import { bitLength } from "./rsa-key.ts";

/** Costs of one check by one provider, as multiples of a P-256 check by `node:crypto`. */
export interface CheckCosts {
  readonly "P-256": number;
  readonly "P-384": number;
  readonly "P-521": number;
  readonly ed25519: number;
  /** RSA of 2048 bits with the exponent 65537. */
  readonly rsa2048: number;
}

/** Bits of 65537, the exponent of nearly all RSA keys. */
const usualExponentBits = 17;

/**
 * The weight of a key. A multiplication grows with the square of the RSA modulus at most, and there are about as many of
 * them as the exponent has bits.
 */
export function verificationWeight(
  costs: CheckCosts,
  algorithm: KeyAlgorithm,
  exponentBits: number = usualExponentBits,
): number {
  switch (algorithm.name) {
    case "ec":
      return costs[algorithm.curve];
    case "ed25519":
      return costs.ed25519;
    case "x25519":
      return 0;
    default: {
      const size = algorithm.modulusBits / 2048;
      return costs.rsa2048 * size * size * Math.max(1, exponentBits / usualExponentBits);
    }
  }
}

/** Bits of an RSA key's exponent; undefined for other keys. */
export function exponentBitsOf(material: PublicKeyMaterial): number | undefined {
  return "exponent" in material ? bitLength(material.exponent) : undefined;
}
