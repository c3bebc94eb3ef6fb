export { CryptoError } from "./errors.ts";
export type {
  CryptoErrorCode,
  CryptoErrorDetails,
  MalformedCode,
  MisuseCode,
  UnsupportedCode,
  VerificationCode,
  WeakCode,
} from "./errors.ts";
export type {
  AeadAlgorithm,
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
  SignatureAlgorithm,
  SignatureHash,
  SignatureProvider,
} from "./provider.ts";
