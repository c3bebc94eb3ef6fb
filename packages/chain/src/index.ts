/** Certification path building and validation (RFC 5280): the public names of `@latchkey/chain`. */

export { type CertificateInput } from "./candidate-pool.ts";
export { type ChainVerifier, createChainVerifier, verifyChain } from "./chain-verifier.ts";
export {
  type CheckSeverities,
  everyCheck,
  type ProfileCheck,
  type ProfileName,
  profiles,
  type Severity,
} from "./checks.ts";
export { ChainError, type ChainErrorCode } from "./errors.ts";
export { describeFailure } from "./describe-failure.ts";
export { explainChain } from "./explain.ts";
export { type ChainFailure, type ChainFailureCode, type FailureEvidence } from "./failures.ts";
export type { ChainLimits, LimitName } from "./chain-limits.ts";
export { defaultLimits } from "./limits.ts";
export { presentedCertificates, type PresentedX509Certificate, type TlsConnection } from "./presented-certificates.ts";
export { type ReferenceName } from "./reference-name.ts";
export type {
  ChainCheck,
  ChainPurpose,
  ChainResult,
  FailedPath,
  PassedCheck,
  PathCheck,
  RefusedChain,
  VerifiedChain,
} from "./result.ts";
export { type RevocationChecker } from "./revocation-checker.ts";
export { type TrustAnchor, type TrustAnchorInput } from "./trust-anchor.ts";
export type { AnchorOptions, ChainVerifierOptions, PolicyInputs, VerifyInputs } from "./verify-inputs.ts";
