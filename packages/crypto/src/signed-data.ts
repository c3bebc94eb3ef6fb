/** Signatures as X.509 carries them: data, an AlgorithmIdentifier and signature octets, to be checked by an SPKI. */

import { CryptoError } from "./errors.ts";
import type { CryptoProvider, PublicKey, SignatureAlgorithm } from "./provider.ts";
import { parseSignatureAlgorithm } from "./signature-algorithm.ts";
import type { ToleranceOptions } from "./tolerance.ts";

/** Something signed, such as a certificate, a request or a revocation list. */
export interface SignedData {
  /** The signer's key: imported, or as DER SubjectPublicKeyInfo, which is then imported anew each time. */
  readonly publicKey: PublicKey | Uint8Array;
  /** A DER AlgorithmIdentifier, or what was read of one before. */
  readonly algorithm: SignatureAlgorithm | Uint8Array;
  /** The octets that were signed: for a certificate its whole TBSCertificate TLV. */
  readonly data: Uint8Array;
  /** The signature octets: the content of the BIT STRING without its count of unused bits, which must be 0. */
  readonly signature: Uint8Array;
}

/** Either the signature is right, or the error says what is wrong: the key, the algorithm, the two together, or the signature. */
export type SignedDataResult = { readonly ok: true } | { readonly ok: false; readonly error: CryptoError };

/**
 * Checks a signature, after key and AlgorithmIdentifier were checked by their standards and against each other.
 *
 * Every refusal comes as a result: `ERR_CRYPTO_SIGNATURE_INVALID` where all is well-formed but the signature is not by
 * this key over this data; otherwise a code of `importSpki`, `parseSignatureAlgorithm`, or
 * `ERR_CRYPTO_KEY_ALGORITHM_MISMATCH`. RFC 5280 §4.1.1.3, RFC 5480, RFC 4055, RFC 8410.
 */
export function verifySignedData(
  provider: CryptoProvider,
  signed: SignedData,
  options: ToleranceOptions = {},
): SignedDataResult {
  try {
    const publicKey = signed.publicKey instanceof Uint8Array ? provider.importSpki(signed.publicKey) : signed.publicKey;
    const algorithm =
      signed.algorithm instanceof Uint8Array ? parseSignatureAlgorithm(signed.algorithm, options) : signed.algorithm;
    if (provider.verify(publicKey, algorithm, signed.data, signed.signature)) return { ok: true };
  } catch (error) {
    if (error instanceof CryptoError) return { ok: false, error };
    throw error;
  }
  return {
    ok: false,
    error: new CryptoError("ERR_CRYPTO_SIGNATURE_INVALID", "The signature is not by this key over this data", {}),
  };
}
