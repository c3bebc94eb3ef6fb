/**
 * What a cryptography provider can do: its interface.
 *
 * Two providers implement it, `@latchkey/crypto/node` and `@latchkey/crypto/noble`; one conformance suite checks that both
 * give the same answers. Key formats and AlgorithmIdentifiers are read by this package's own code, never by a provider's
 * library, so that both refuse the same inputs with the same codes.
 *
 * Every method takes bytes as views that it only reads and does not keep (keys keep copies), and returns fresh arrays
 * that belong to the caller. Nothing here is a promise unless its name ends in `Async`.
 */

import type { ToleranceOptions } from "./tolerance.ts";

/** Hash functions. SHA-1 is here for key identifiers and OCSP only: no signature algorithm can name it. */
export type HashAlgorithm = "SHA-1" | SignatureHash;

/** Hash functions that a signature may use. */
export type SignatureHash = "SHA-256" | "SHA-384" | "SHA-512";

/** Named curves of RFC 5480 §2.1.1.1 that are supported. */
export type EcCurve = "P-256" | "P-384" | "P-521";

/** RSASSA-PSS parameters of RFC 4055 §3.1. The mask generation hash always equals `hash`; the trailer is 0xbc. */
export interface RsaPssParameters {
  readonly hash: SignatureHash;
  /** Octets of salt. In a key it is the least that a signature by it must have. */
  readonly saltLength: number;
}

/** What a key is for, as its SubjectPublicKeyInfo or PKCS#8 says. */
export type KeyAlgorithm =
  | { readonly name: "ec"; readonly curve: EcCurve }
  | { readonly name: "ed25519" }
  | { readonly name: "x25519" }
  /** rsaEncryption: makes PKCS#1 v1.5 and PSS signatures. */
  | { readonly name: "rsa"; readonly modulusBits: number }
  /** id-RSASSA-PSS: makes PSS signatures only, with `parameters` where the key restricts them (RFC 4055 §1.2). */
  | { readonly name: "rsa-pss"; readonly modulusBits: number; readonly parameters: RsaPssParameters | undefined };

/** The key algorithms that `generateKeyPair` takes. */
export type KeyGenerationAlgorithm =
  | { readonly name: "ec"; readonly curve: EcCurve }
  | { readonly name: "ed25519" }
  | { readonly name: "x25519" }
  /** `modulusBits` from 2048 to 8192; the exponent is 65537. */
  | { readonly name: "rsa"; readonly modulusBits: number };

/** How a signature is made. ECDSA signatures are DER `ECDSA-Sig-Value`s (RFC 3279 §2.2.3), Ed25519 ones 64 octets. */
export type SignatureAlgorithm =
  | { readonly name: "ecdsa"; readonly hash: SignatureHash }
  | { readonly name: "ed25519" }
  | { readonly name: "rsa-pkcs1"; readonly hash: SignatureHash }
  | { readonly name: "rsa-pss"; readonly hash: SignatureHash; readonly saltLength: number };

/** Authenticated encryption: 12 octets of nonce, 16 octets of tag behind the ciphertext. */
export type AeadAlgorithm = "AES-128-GCM" | "AES-256-GCM" | "ChaCha20-Poly1305";

/** A public key that was checked on import. Only the provider that made it can use it; keep it as long as you like. */
export interface PublicKey {
  readonly type: "public";
  readonly algorithm: KeyAlgorithm;
  /**
   * What one signature check by this key costs this provider, as a multiple of a P-256 check by `node:crypto`: it grows
   * with the curve, the RSA modulus and the RSA exponent. 0 for a key that makes no signatures. A verifier that uses keys of a
   * peer can count it.
   */
  readonly verificationWeight: number;
  /** The key as DER SubjectPublicKeyInfo, with the same octets if it was imported in this form. Not to be written to. */
  readonly spki: Uint8Array;
}

/** A private key. Its material can be had by `exportPkcs8` only. */
export interface PrivateKey {
  readonly type: "private";
  readonly algorithm: KeyAlgorithm;
  readonly publicKey: PublicKey;
}

/** A private key and its public key. */
export interface KeyPair {
  readonly privateKey: PrivateKey;
  readonly publicKey: PublicKey;
}

/** A hash of octets that come piece by piece, for instance of a TLS transcript. */
export interface RunningHash {
  /** Appends `data`, which is read at once and not kept. */
  update(data: Uint8Array): void;
  /** The hash of everything so far. More may follow, and this may be called again. */
  digest(): Uint8Array;
}

/** Hashes and what is built on them. */
export interface HashProvider {
  hash(algorithm: HashAlgorithm, data: Uint8Array): Uint8Array;

  /** A hash of nothing yet. `hash` is cheaper where all octets are at hand. */
  createHash(algorithm: HashAlgorithm): RunningHash;

  /** HMAC (RFC 2104), whole tag. Compare tags with `equalSecrets` of this package. */
  hmac(algorithm: HashAlgorithm, key: Uint8Array, data: Uint8Array): Uint8Array;

  /** HKDF-Extract (RFC 5869 §2.2). An empty salt counts as hash-length zeros. */
  hkdfExtract(algorithm: HashAlgorithm, salt: Uint8Array, keyMaterial: Uint8Array): Uint8Array;

  /**
   * HKDF-Expand (RFC 5869 §2.3) to `length` octets, at most 255 times the hash's.
   *
   * Throws `ERR_CRYPTO_ARGUMENT` beyond that.
   */
  hkdfExpand(algorithm: HashAlgorithm, pseudoRandomKey: Uint8Array, info: Uint8Array, length: number): Uint8Array;

  /**
   * PBKDF2 (RFC 8018 §5.2) with HMAC, blocking: 100,000 rounds take tens of milliseconds and more.
   *
   * Throws `ERR_CRYPTO_ARGUMENT` for fewer than 1 or more than 10,000,000 iterations.
   */
  pbkdf2(
    algorithm: HashAlgorithm,
    password: Uint8Array,
    salt: Uint8Array,
    iterations: number,
    length: number,
  ): Uint8Array;
}

/** An AEAD key that is made ready once, for many messages. The key's octets cannot be had back. */
export interface AeadKey {
  readonly algorithm: AeadAlgorithm;

  /**
   * Encrypts `buffer[start, end)` where it lies and writes the 16-octet tag behind it, at `end`. The nonce must never
   * repeat.
   *
   * Throws `ERR_CRYPTO_ARGUMENT` for a nonce that has not 12 octets, or where the buffer ends before the tag does.
   */
  sealInPlace(nonce: Uint8Array, additionalData: Uint8Array, buffer: Uint8Array, start: number, end: number): void;

  /**
   * The plaintext as a fresh array, or undefined where anything was changed or the ciphertext is shorter than its tag:
   * then no part of the plaintext is returned.
   *
   * Throws `ERR_CRYPTO_ARGUMENT` for a nonce that has not 12 octets.
   */
  open(nonce: Uint8Array, additionalData: Uint8Array, ciphertext: Uint8Array): Uint8Array | undefined;
}

/**
 * The messages of one direction under one key. The nonce of the first is the IV itself, and each further one has its number
 * added by exclusive or (RFC 8446 §5.3). So no nonce repeats, and a provider can prepare the next messages.
 */
export interface AeadSequence {
  readonly algorithm: AeadAlgorithm;

  /** Messages so far, which is the number of the next one. */
  readonly messages: number;

  /**
   * The next message, as `AeadKey.sealInPlace`.
   *
   * Throws `ERR_CRYPTO_ARGUMENT` where the buffer ends before the tag does; that message is not counted.
   */
  sealInPlace(additionalData: Uint8Array, buffer: Uint8Array, start: number, end: number): void;

  /**
   * The next message, as `AeadKey.open`. One that is not authentic is not counted. The array may be a view of a larger
   * buffer, whose other octets belong to the provider.
   */
  open(additionalData: Uint8Array, ciphertext: Uint8Array): Uint8Array | undefined;
}

/** Symmetric encryption. */
export interface CipherProvider {
  /** A key for many messages: in Node.js `seal` with a bare key costs four times as much. Copies the key. */
  createAeadKey(algorithm: AeadAlgorithm, key: Uint8Array): AeadKey;

  /**
   * A key for the messages of one direction, in their order. Copies key and IV. A key and IV must never begin two sequences
   * that seal.
   *
   * Throws `ERR_CRYPTO_ARGUMENT` for a key of another length than the algorithm's, or an IV that has not 12 octets.
   */
  createAeadSequence(algorithm: AeadAlgorithm, key: Uint8Array, iv: Uint8Array): AeadSequence;

  /** Encrypts and authenticates: the ciphertext with its 16-octet tag behind it. The nonce must never repeat. */
  seal(
    algorithm: AeadAlgorithm,
    key: Uint8Array,
    nonce: Uint8Array,
    plaintext: Uint8Array,
    additionalData: Uint8Array,
  ): Uint8Array;

  /** Undoes `seal`. Throws `ERR_CRYPTO_AUTHENTICATION_FAILED` where anything was changed, and returns nothing of it. */
  open(
    algorithm: AeadAlgorithm,
    key: Uint8Array,
    nonce: Uint8Array,
    ciphertext: Uint8Array,
    additionalData: Uint8Array,
  ): Uint8Array;

  /**
   * AES-CBC with the padding of RFC 5652 §6.3, for password-encrypted keys (PBES2) and nothing else: it authenticates
   * nothing. `key` has 16, 24 or 32 octets, `iv` 16.
   */
  encryptAesCbc(key: Uint8Array, iv: Uint8Array, plaintext: Uint8Array): Uint8Array;

  /** Undoes `encryptAesCbc`. Throws `ERR_CRYPTO_CBC_PADDING` where the result is not padded so: mostly a wrong key. */
  decryptAesCbc(key: Uint8Array, iv: Uint8Array, ciphertext: Uint8Array): Uint8Array;
}

/** Keys: in, out, and new ones. */
export interface KeyProvider {
  /**
   * Imports DER SubjectPublicKeyInfo (RFC 5280 §4.1.2.7), read strictly: named curves only, the point on its curve, RSA
   * of 2048 to 8192 bits with an odd exponent from 3 to 64 bits. Import once and keep the key: it costs as much as half a check.
   */
  importSpki(der: Uint8Array): PublicKey;

  /**
   * Imports a DER PrivateKeyInfo or OneAsymmetricKey (RFC 5958), unencrypted. A public key in it must belong to it.
   * `options.tolerate` is asked about the slips that `CryptoTolerance` names.
   */
  importPkcs8(der: Uint8Array, options?: ToleranceOptions): PrivateKey;

  /** Imports a DER ECPrivateKey (RFC 5915), which must name its curve: `BEGIN EC PRIVATE KEY`. As `importPkcs8`. */
  importSec1(der: Uint8Array, options?: ToleranceOptions): PrivateKey;

  /** Imports a DER RSAPublicKey (RFC 8017 §A.1.1): `BEGIN RSA PUBLIC KEY`. */
  importPkcs1PublicKey(der: Uint8Array): PublicKey;

  /** Imports a DER RSAPrivateKey (RFC 8017 §A.1.2) of two primes: `BEGIN RSA PRIVATE KEY`. */
  importPkcs1PrivateKey(der: Uint8Array): PrivateKey;

  /** The private key as DER PrivateKeyInfo, version 1. The caller owns the copy and the secret in it. */
  exportPkcs8(key: PrivateKey): Uint8Array;

  /** A new key pair. RSA takes a noticeable part of a second: prefer `generateKeyPairAsync` there. */
  generateKeyPair(algorithm: KeyGenerationAlgorithm): KeyPair;

  /** As `generateKeyPair`, off the calling thread where the provider has other threads. */
  generateKeyPairAsync(algorithm: KeyGenerationAlgorithm): Promise<KeyPair>;
}

/** Signatures and key agreement. */
export interface SignatureProvider {
  /**
   * Signs `data` (which is hashed here, as the algorithm says).
   *
   * Throws `ERR_CRYPTO_KEY_ALGORITHM_MISMATCH` where the key cannot make such signatures, and
   * `ERR_CRYPTO_UNSUPPORTED_OPERATION` for RSA in the noble provider.
   */
  sign(key: PrivateKey, algorithm: SignatureAlgorithm, data: Uint8Array): Uint8Array;

  /** As `sign`, off the calling thread where the provider has other threads. `data` must not change meanwhile. */
  signAsync(key: PrivateKey, algorithm: SignatureAlgorithm, data: Uint8Array): Promise<Uint8Array>;

  /**
   * Whether `signature` over `data` is by `key`. Malformed signatures are just false.
   *
   * Throws `ERR_CRYPTO_KEY_ALGORITHM_MISMATCH` where no signature of the algorithm could be by such a key.
   */
  verify(key: PublicKey, algorithm: SignatureAlgorithm, data: Uint8Array, signature: Uint8Array): boolean;

  /** As `verify`, off the calling thread where the provider has other threads. The bytes must not change meanwhile. */
  verifyAsync(key: PublicKey, algorithm: SignatureAlgorithm, data: Uint8Array, signature: Uint8Array): Promise<boolean>;

  /**
   * The shared secret of ECDH (the x-coordinate, fixed width, SEC 1 §3.3.1) or X25519 (RFC 7748 §6.1).
   *
   * Throws `ERR_CRYPTO_KEY_ALGORITHM_MISMATCH` unless both keys are of one curve, and `ERR_CRYPTO_SMALL_ORDER_POINT`
   * where an X25519 secret would be all zero.
   */
  deriveSharedSecret(privateKey: PrivateKey, publicKey: PublicKey): Uint8Array;
}

/** Everything that Latchkey asks of a cryptographic library. */
export interface CryptoProvider extends HashProvider, CipherProvider, KeyProvider, SignatureProvider {
  readonly name: string;

  /** Octets from the platform's cryptographically secure generator. At most 65,536 at once. */
  randomBytes(length: number): Uint8Array;
}
