/** Certification path building and validation (RFC 5280): the public names of `@latchkey/chain`. */

export { type CertificateInput } from "./candidate-pool.ts";
export { type ChainVerifier, createChainVerifier, verifyChain } from "./chain-verifier.ts";
export { ChainError, type ChainErrorCode } from "./errors.ts";
export {
  describeFailure,
  describeRevocationReason,
  explainChain,
  type ExplainOptions,
  mendFailure,
} from "./explain.ts";
export {
  type CertificateSource,
  type ChainFailure,
  type ChainFailureCode,
  type FailureEvidence,
  type KeyIdentifierProblem,
} from "./failures.ts";
export { type ChainLimits, defaultLimits, type LimitName } from "./limits.ts";
export { presentedCertificates, type PresentedX509Certificate, type TlsConnection } from "./presented-certificates.ts";
export {
  type CheckSeverities,
  everyCheck,
  type ProfileCheck,
  type ProfileName,
  profiles,
  type Severity,
} from "./profiles.ts";
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
export type { RevocationChecker, RevocationStatus, RevocationSubject, StatementSigner } from "./revocation-checker.ts";
export {
  type RevocationReason,
  type RevocationReasonCode,
  type RevocationReasonEvidence,
} from "./revocation-reason.ts";
export { type Signed } from "./signing-key.ts";
export { type TrustAnchor, type TrustAnchorInput } from "./trust-anchor.ts";
export type { AnchorOptions, ChainVerifierOptions, PolicyInputs, VerifyInputs } from "./verify-inputs.ts";
