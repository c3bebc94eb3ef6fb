export { equalSecrets } from "./equal-secrets.ts";
export { CryptoError } from "./errors.ts";
export type {
  CryptoErrorCode,
  CryptoErrorDetails,
  CryptoEvidence,
  CryptoMalformedEvidence,
  CryptoMisuseEvidence,
  CryptoUnsupportedEvidence,
  CryptoVerificationEvidence,
  CryptoWeakEvidence,
  KeyProblem,
  MalformedCode,
  MisuseCode,
  UnsupportedCode,
  VerificationCode,
  WeakCode,
} from "./errors.ts";
export type {
  AeadAlgorithm,
  AeadKey,
  AeadSequence,
  CipherProvider,
  CryptoProvider,
  EcCurve,
  HashAlgorithm,
  HashProvider,
  KeyAlgorithm,
  KeyGenerationAlgorithm,
  KeyPair,
  KeyProvider,
  PrivateKey,
  PublicKey,
  RsaPssParameters,
  RunningHash,
  SignatureAlgorithm,
  SignatureHash,
  SignatureProvider,
} from "./provider.ts";
export { hkdf, type HkdfInput } from "./hkdf.ts";
export { hashLength } from "./hash-length.ts";
export { defaultSignatureAlgorithm } from "./key-algorithm.ts";
export { encodeSignatureAlgorithm, parseSignatureAlgorithm } from "./signature-algorithm.ts";
export { type SignedData, type SignedDataResult, verifySignedData } from "./signed-data.ts";
export type { CryptoTolerance, Tolerate, ToleranceOptions } from "./tolerance.ts";
export { rawPublicKey, type RawKeyKind, spkiFromRawPublicKey } from "./spki.ts";
