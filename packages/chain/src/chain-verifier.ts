/** The verifier: options once, then one answer a certificate. */

import { type Context, verify } from "./answer.ts";
import { readCandidate } from "./candidate-pool.ts";
import { ChainCertificate } from "./chain-certificate.ts";
import { type CheckSeverities, profiles } from "./checks.ts";
import { ChainError } from "./errors.ts";
import { KnownCertificates } from "./known-certificates.ts";
import { chainLimits } from "./limits.ts";
import { PreparedAnchor } from "./prepared-anchor.ts";
import type { ChainResult } from "./result.ts";
import { readTrustAnchor, type TrustAnchor } from "./trust-anchor.ts";
import type { ChainVerifierOptions, VerifyInputs } from "./verify-inputs.ts";

/** Keeps parsed anchors and remembers intermediates that held. Not tied to any one peer. */
export interface ChainVerifier {
  readonly trustAnchors: readonly TrustAnchor[];
  /**
   * Whether a certificate is to be believed. What is wrong with certificates comes as a result.
   *
   * Throws `ERR_CHAIN_ARGUMENT` and `ERR_CHAIN_REFERENCE_NAME_SYNTAX` for the caller's own mistakes.
   */
  readonly verify: (inputs: VerifyInputs) => ChainResult;
}

/**
 * Makes a verifier.
 *
 * What it remembers is that some octets are signed by some key, which stays true. Validity, trust and revocation are
 * judged anew on every call; for other anchors make another verifier.
 *
 * Throws `ERR_CHAIN_TRUST_ANCHOR` for an anchor that is no certificate, and `ERR_CHAIN_ARGUMENT`.
 */
export function createChainVerifier(options: ChainVerifierOptions): ChainVerifier {
  const limits = chainLimits(options.limits);
  const anchors = options.trustAnchors.map((input) => new PreparedAnchor(readTrustAnchor(input)));
  const known = new KnownCertificates(options.rememberedCertificates ?? 256);
  const context: Context = {
    options,
    limits,
    severities: severitiesOf(options),
    anchors: Map.groupBy(anchors, ({ subjectKey }) => subjectKey),
    known,
    memory: new WeakMap(),
    ownIntermediates: (options.intermediates ?? [])
      .map((input) => readCandidate(input, known, limits))
      .filter((read) => read instanceof ChainCertificate),
  };
  return { trustAnchors: anchors.map(({ anchor }) => anchor), verify: (inputs) => verify(context, inputs) };
}

/** One answer without a verifier to keep: anchors are read, and nothing is remembered. */
export function verifyChain(inputs: ChainVerifierOptions & VerifyInputs): ChainResult {
  // What is given as intermediates here is for one answer, and under its limits.
  const { intermediates: _ofThisAnswer, ...options } = inputs;
  return createChainVerifier({ ...options, rememberedCertificates: 0 }).verify(inputs);
}

function severitiesOf({ profile = "rfc5280", checks, anchor }: ChainVerifierOptions): CheckSeverities {
  if (!Object.hasOwn(profiles, profile)) throw new ChainError("ERR_CHAIN_ARGUMENT", `no profile ${profile}`);
  const severities = { ...profiles[profile], ...checks };
  if (anchor?.checkValidity === undefined) return severities;
  return { ...severities, anchorValidity: anchor.checkValidity ? "error" : "off" };
}
