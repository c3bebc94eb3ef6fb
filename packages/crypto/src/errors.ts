/**
 * Everything that this package throws: one class, told apart by a stable `code`.
 *
 * No message and no field ever holds key material, plaintext or a signature.
 */

/** Input whose bytes break their format. */
export type MalformedCode =
  /** A public or private key is not the DER that its standard demands. */
  | "ERR_CRYPTO_MALFORMED_KEY"
  /** An AlgorithmIdentifier is not DER, or has parameters that its algorithm does not allow. */
  | "ERR_CRYPTO_MALFORMED_ALGORITHM"
  /** A public point is not on its curve, is the point at infinity, or is not encoded as the standard says. */
  | "ERR_CRYPTO_PUBLIC_POINT"
  /** A private key and the public key that came along with it do not belong together. */
  | "ERR_CRYPTO_KEY_PAIR_MISMATCH";

/** Something well-formed that is known to be too weak and is never accepted. */
export type WeakCode =
  | "ERR_CRYPTO_SHA1_SIGNATURE"
  /** MD4 and MD2 come under the same code. */
  | "ERR_CRYPTO_MD5_SIGNATURE"
  /** Curve parameters spelled out instead of named (CVE-2020-0601, CVE-2022-0778). */
  | "ERR_CRYPTO_EXPLICIT_EC_PARAMETERS"
  /** An RSA modulus under 2048 bits (or what the provider was set to) or over 8192. */
  | "ERR_CRYPTO_RSA_MODULUS_SIZE"
  /** An RSA public exponent that is even, below 3, or longer than 64 bits. */
  | "ERR_CRYPTO_RSA_EXPONENT"
  /** A Diffie-Hellman public value of small order: the shared secret would be all zero (RFC 7748 §6.1). */
  | "ERR_CRYPTO_SMALL_ORDER_POINT";

/** Something well-formed that this package, or the provider in use, does not do. */
export type UnsupportedCode =
  | "ERR_CRYPTO_UNSUPPORTED_KEY"
  | "ERR_CRYPTO_UNSUPPORTED_CURVE"
  | "ERR_CRYPTO_UNSUPPORTED_SIGNATURE_ALGORITHM"
  | "ERR_CRYPTO_UNSUPPORTED_OPERATION";

/** A check that the other side's bytes did not pass. */
export type VerificationCode =
  /** The key cannot make signatures of this algorithm (an RSA algorithm with an EC key, for instance). */
  | "ERR_CRYPTO_KEY_ALGORITHM_MISMATCH"
  | "ERR_CRYPTO_SIGNATURE_INVALID"
  /** An AEAD tag does not fit: nothing was decrypted. */
  | "ERR_CRYPTO_AUTHENTICATION_FAILED"
  /** The padding of an AES-CBC plaintext is wrong: mostly a wrong password. */
  | "ERR_CRYPTO_CBC_PADDING";

/** The caller's own mistake. */
export type MisuseCode =
  /** A key that another provider made. */
  | "ERR_CRYPTO_FOREIGN_KEY"
  /** A length or number outside what the operation is defined for. */
  | "ERR_CRYPTO_ARGUMENT";

export type CryptoErrorCode = MalformedCode | WeakCode | UnsupportedCode | VerificationCode | MisuseCode;

/** What is known about a fault besides its code. */
export interface CryptoErrorDetails {
  /** Octet at which the input went wrong, counted from the start of the bytes that were passed in. */
  readonly offset?: number | undefined;
  /** The clause that was broken, such as `RFC 5480 §2.1.1`. */
  readonly clause?: string | undefined;
  readonly cause?: unknown;
}

/** Why something was refused. Branch on `code`; the message is for people. */
export class CryptoError extends Error {
  override readonly name: string = "CryptoError";
  readonly code: CryptoErrorCode;
  readonly offset: number | undefined;
  readonly clause: string | undefined;

  constructor(code: CryptoErrorCode, message: string, details: CryptoErrorDetails = {}) {
    const where = details.offset === undefined ? "" : ` at octet ${details.offset}`;
    const why = details.clause === undefined ? "" : ` (${details.clause})`;
    super(`${message}${where}${why}`, "cause" in details ? { cause: details.cause } : undefined);
    this.code = code;
    this.offset = details.offset;
    this.clause = details.clause;
  }
}
