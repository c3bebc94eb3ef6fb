import type { HashAlgorithm } from "./provider.ts";

const lengths: Readonly<Record<HashAlgorithm, number>> = { "SHA-1": 20, "SHA-256": 32, "SHA-384": 48, "SHA-512": 64 };

/** Octets that a hash function makes. */
export function hashLength(algorithm: HashAlgorithm): number {
  return lengths[algorithm];
}
