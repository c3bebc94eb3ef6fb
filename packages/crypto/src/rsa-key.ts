/** RSAPublicKey and RSAPrivateKey of PKCS #1 (RFC 8017 §A.1), and the limits for keys. */

import { encodeDer, type DerReader } from "@latchkey/asn1";
import { toBigInt } from "./big-integer.ts";
import { CryptoError } from "./errors.ts";
import { maximumRsaModulusBits, type KeyLimits } from "./key-material.ts";

/** Unsigned magnitudes, most significant octet first, without leading zeros; views into what was read. */
export interface RsaPublicNumbers {
  readonly modulusBits: number;
  readonly modulus: Uint8Array;
  readonly exponent: Uint8Array;
}

/** Reads an RSAPublicKey and ends the reader. */
export function readRsaPublicKey(reader: DerReader, limits: KeyLimits): RsaPublicNumbers {
  const { offset } = reader;
  const body = reader.sequence();
  const modulus = body.unsignedInteger();
  const exponent = body.unsignedInteger();
  body.end();
  reader.end();
  return checkRsaPublicNumbers(modulus, exponent, offset, limits);
}

/** Reads an RSAPrivateKey of two primes, ends the reader, and checks that its numbers fit together. */
export function readRsaPrivateKey(reader: DerReader, limits: KeyLimits): RsaPublicNumbers {
  const { offset } = reader;
  const body = reader.sequence();
  const version = body.smallInteger(1);
  if (version === 1) {
    throw new CryptoError("ERR_CRYPTO_UNSUPPORTED_KEY", "RSA keys of more than two primes are not supported", {
      algorithm: "1.2.840.113549.1.1.1",
      supported: ["two primes"],
      offset,
      clause: "RFC 8017 §A.1.2",
    });
  }
  const modulus = body.unsignedInteger();
  const exponent = body.unsignedInteger();
  // Before the arithmetic below, whose cost grows with the size.
  const numbers = checkRsaPublicNumbers(modulus, exponent, offset, limits);
  const secrets = [0, 0, 0, 0, 0, 0].map(() => toBigInt(body.unsignedInteger()));
  body.end();
  reader.end();
  const [d = 0n, p = 0n, q = 0n, dP = 0n, dQ = 0n, qInv = 0n] = secrets;
  const e = toBigInt(exponent);
  // RFC 8017 §3.2: n = p * q, e * dP = 1 mod (p - 1), e * dQ = 1 mod (q - 1), q * qInv = 1 mod p, and d agrees.
  const isConsistent =
    p > 1n &&
    q > 1n &&
    p * q === toBigInt(modulus) &&
    dP < p &&
    dQ < q &&
    qInv < p &&
    (e * dP) % (p - 1n) === 1n &&
    (e * dQ) % (q - 1n) === 1n &&
    d % (p - 1n) === dP &&
    d % (q - 1n) === dQ &&
    (q * qInv) % p === 1n;
  if (!isConsistent) {
    throw new CryptoError("ERR_CRYPTO_MALFORMED_KEY", "The numbers of the RSA private key do not belong together", {
      problem: "numbers",
      offset,
      clause: "RFC 8017 §3.2",
    });
  }
  return numbers;
}

/** DER RSAPublicKey. */
export function encodeRsaPublicKey(numbers: Pick<RsaPublicNumbers, "modulus" | "exponent">): Uint8Array {
  return encodeDer((writer) => {
    writer.sequence((body) => {
      body.unsignedInteger(numbers.modulus);
      body.unsignedInteger(numbers.exponent);
    });
  });
}

function checkRsaPublicNumbers(
  modulus: Uint8Array,
  exponent: Uint8Array,
  offset: number,
  limits: KeyLimits,
): RsaPublicNumbers {
  const modulusBits = bitLength(modulus);
  if (modulusBits < limits.minimumRsaModulusBits || modulusBits > maximumRsaModulusBits) {
    throw modulusSize(modulusBits, limits.minimumRsaModulusBits, offset);
  }
  if (!isOdd(modulus)) {
    throw new CryptoError("ERR_CRYPTO_MALFORMED_KEY", "The RSA modulus is even", {
      problem: "numbers",
      offset,
      clause: "RFC 8017 §3.1",
    });
  }
  // RFC 8017 §3.1: e is from 3 to n - 1 and prime to lambda(n), so it is odd.
  const exponentBits = bitLength(exponent);
  if (exponentBits < 2 || exponentBits > maximumExponentBits || !isOdd(exponent)) {
    const isEven = !isOdd(exponent);
    const reason = `The RSA exponent has ${exponentBits} bits${isEven ? " and is even" : ""}; it is odd, from 3, and has at most ${maximumExponentBits} bits: make the key anew with 65537`;
    throw new CryptoError("ERR_CRYPTO_RSA_EXPONENT", reason, {
      bits: exponentBits,
      isEven,
      maximumBits: maximumExponentBits,
      offset,
      clause: "RFC 8017 §3.1",
    });
  }
  return { modulusBits, modulus, exponent };
}

/** OpenSSL's limit for large keys; webpki allows 33 bits. */
const maximumExponentBits = 64;

/** A modulus outside the limits. */
export function modulusSize(bits: number, minimum: number, offset: number | undefined): CryptoError {
  const mend = bits < minimum ? "make a new key: EC P-256, or RSA of 2048 bits" : "make a smaller key";
  const reason = `The RSA key has ${bits} bits; ${minimum} to ${maximumRsaModulusBits} are accepted: ${mend}`;
  return new CryptoError("ERR_CRYPTO_RSA_MODULUS_SIZE", reason, {
    bits,
    minimum,
    maximum: maximumRsaModulusBits,
    offset,
  });
}

/** Bits of an unsigned magnitude without leading zero octets. */
export function bitLength(magnitude: Uint8Array): number {
  return magnitude.length * 8 - (Math.clz32(magnitude[0] ?? 0) - 24);
}

function isOdd(magnitude: Uint8Array): boolean {
  return ((magnitude[magnitude.length - 1] ?? 0) & 1) === 1;
}
