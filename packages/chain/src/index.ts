/** Certification path building and validation (RFC 5280): the public names of `@latchkey/chain`. */

export { type CertificateInput } from "./candidate-pool.ts";
export {
  type AnchorOptions,
  type ChainVerifier,
  type ChainVerifierOptions,
  createChainVerifier,
  type PolicyInputs,
  verifyChain,
  type VerifyInputs,
} from "./chain-verifier.ts";
export {
  type CheckSeverities,
  everyCheck,
  type ProfileCheck,
  type ProfileName,
  profiles,
  type Severity,
} from "./checks.ts";
export { ChainError, type ChainErrorCode } from "./errors.ts";
export { explainChain } from "./explain.ts";
export { type ChainFailure, type ChainFailureCode, type FailureEvidence } from "./failures.ts";
export { type ChainLimits, defaultLimits, type LimitName } from "./limits.ts";
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
export { type TrustAnchor, type TrustAnchorInput } from "./trust-anchor.ts";
