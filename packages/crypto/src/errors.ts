/**
 * Everything that this package throws: one class, `CryptoError`, whose `code` tells what its other fields are.
 *
 * No message and no field ever holds key material, plaintext or a signature.
 */

import { type CodedError, codedErrorClass, type CodedErrorConstructor, type ErrorPlace } from "@latchkey/asn1/internal";

/** The evidence of codes that need none. */
type NoEvidence = object;

/** What is wrong with a key that is not as its standard demands. */
export type KeyProblem =
  /** Not the DER of its structure; `cause` is the `Asn1Error`. */
  | "structure"
  /** Parameters that the kind of key does not have, or not the ones that it must have. */
  | "parameters"
  /** An EC key that names no curve, or two. */
  | "curve"
  /** A version that the structure does not have. */
  | "version"
  /** A public key or seed of another length than its kind has. */
  | "length"
  /** A private scalar that is zero, not below the order of the curve, or of another length. */
  | "scalar"
  /** RSA numbers that do not belong together, or an even modulus. */
  | "numbers"
  /** The library behind the provider refuses the key; `cause` says why. */
  | "library";

/** Evidence of input whose bytes break their format. */
export interface CryptoMalformedEvidence {
  /** A public or private key is not the DER that its standard demands. */
  readonly ERR_CRYPTO_MALFORMED_KEY: { readonly problem: KeyProblem };
  /** An AlgorithmIdentifier is not DER, or has parameters that its algorithm does not allow. */
  readonly ERR_CRYPTO_MALFORMED_ALGORITHM: { readonly problem: "structure" | "parameters" };
  /** A public point is not on its curve, is the point at infinity, or is not encoded as the standard says. */
  readonly ERR_CRYPTO_PUBLIC_POINT: { readonly curve: string; readonly problem: "form" | "not on the curve" };
  /** A private key and the public key that came along with it do not belong together. */
  readonly ERR_CRYPTO_KEY_PAIR_MISMATCH: NoEvidence;
}

/** Evidence of something well-formed that is known to be too weak and is never accepted. */
export interface CryptoWeakEvidence {
  /** `algorithm` is its name, for instance `RSA with SHA-1`. */
  readonly ERR_CRYPTO_SHA1_SIGNATURE: { readonly algorithm: string };
  /** MD4 and MD2 come under the same code. */
  readonly ERR_CRYPTO_MD5_SIGNATURE: { readonly algorithm: string };
  /** Curve parameters written out in full instead of a name (CVE-2020-0601, CVE-2022-0778). */
  readonly ERR_CRYPTO_EXPLICIT_EC_PARAMETERS: NoEvidence;
  /** An RSA modulus under 2048 bits (or what the provider was set to) or over 8192. */
  readonly ERR_CRYPTO_RSA_MODULUS_SIZE: { readonly bits: number; readonly minimum: number; readonly maximum: number };
  /** An RSA public exponent that is even, below 3, or longer than `maximumBits`. */
  readonly ERR_CRYPTO_RSA_EXPONENT: { readonly bits: number; readonly isEven: boolean; readonly maximumBits: number };
  /** A Diffie-Hellman public value of small order: the shared secret would be all zero (RFC 7748 §6.1). */
  readonly ERR_CRYPTO_SMALL_ORDER_POINT: NoEvidence;
}

/** Evidence of something well-formed that this package, or the provider in use, does not do. */
export interface CryptoUnsupportedEvidence {
  /** `algorithm` is the dotted object identifier. */
  readonly ERR_CRYPTO_UNSUPPORTED_KEY: { readonly algorithm: string; readonly supported: readonly string[] };
  /** `curve` is the dotted object identifier. */
  readonly ERR_CRYPTO_UNSUPPORTED_CURVE: { readonly curve: string; readonly supported: readonly string[] };
  /** `algorithm` is the dotted object identifier. */
  readonly ERR_CRYPTO_UNSUPPORTED_SIGNATURE_ALGORITHM: {
    readonly algorithm: string;
    readonly supported: readonly string[];
  };
  readonly ERR_CRYPTO_UNSUPPORTED_OPERATION: { readonly operation: string; readonly provider: string };
}

/** Evidence of a check that the other side's bytes did not pass. */
export interface CryptoVerificationEvidence {
  /** The key cannot make signatures of this algorithm (an RSA algorithm with an EC key, for instance). */
  readonly ERR_CRYPTO_KEY_ALGORITHM_MISMATCH: { readonly key: string; readonly operation: string };
  readonly ERR_CRYPTO_SIGNATURE_INVALID: NoEvidence;
  /** An AEAD tag does not fit: nothing was decrypted. */
  readonly ERR_CRYPTO_AUTHENTICATION_FAILED: NoEvidence;
  /** The padding of an AES-CBC plaintext is wrong: mostly a wrong password. */
  readonly ERR_CRYPTO_CBC_PADDING: NoEvidence;
}

/** Evidence of the caller's own mistake. */
export interface CryptoMisuseEvidence {
  /** A key that another provider made. */
  readonly ERR_CRYPTO_FOREIGN_KEY: NoEvidence;
  /** A length or number outside what the operation is defined for. */
  readonly ERR_CRYPTO_ARGUMENT: { readonly found: number; readonly allowed: string };
}

/** From each code to the fields that an error with it has. */
export interface CryptoEvidence
  extends
    CryptoMalformedEvidence,
    CryptoWeakEvidence,
    CryptoUnsupportedEvidence,
    CryptoVerificationEvidence,
    CryptoMisuseEvidence {}

/** Input whose bytes break their format. */
export type MalformedCode = keyof CryptoMalformedEvidence;
/** Something well-formed that is known to be too weak and is never accepted. */
export type WeakCode = keyof CryptoWeakEvidence;
/** Something well-formed that this package, or the provider in use, does not do. */
export type UnsupportedCode = keyof CryptoUnsupportedEvidence;
/** A check that the other side's bytes did not pass. */
export type VerificationCode = keyof CryptoVerificationEvidence;
/** The caller's own mistake. */
export type MisuseCode = keyof CryptoMisuseEvidence;
/** Every code of this package. */
export type CryptoErrorCode = keyof CryptoEvidence;

/** Where a fault is, and the rule that it breaks, such as `RFC 5480 §2.1.1`; every `CryptoError` has these. */
export type CryptoErrorDetails = ErrorPlace;

/**
 * Why something was refused. `code` narrows it: each code has fields of its own. `offset` counts octets from the start of
 * the bytes that were passed in. The message is for people.
 */
export type CryptoError = CodedError<CryptoEvidence>;
/** The class of `CryptoError`: for `instanceof`. */
export const CryptoError: CodedErrorConstructor<CryptoEvidence> =
  /* @__PURE__ */ codedErrorClass<CryptoEvidence>("CryptoError");

/** The refusal of an AEAD message whose tag does not fit. */
export function authenticationFailed(): CryptoError {
  return new CryptoError("ERR_CRYPTO_AUTHENTICATION_FAILED", "The authentication tag does not fit", {});
}

/** The refusal of an AES-CBC text whose padding is not that of RFC 5652 §6.3. */
export function cbcPaddingWrong(): CryptoError {
  return new CryptoError("ERR_CRYPTO_CBC_PADDING", "The padding is wrong", { clause: "RFC 5652 §6.3" });
}
