/** The verifier: options once, then one answer for each certificate. */

import { toleratesBy } from "@latchkey/x509";
import { OwnCandidates } from "./candidate-pool.ts";
import { ChainError } from "./errors.ts";
import { KnownCertificates } from "./known-certificates.ts";
import { chainLimits } from "./limits.ts";
import { type CheckSeverities, profiles, profileTolerances } from "./profiles.ts";
import type { ChainResult } from "./result.ts";
import { PreparedAnchor, readTrustAnchor, type TrustAnchor } from "./trust-anchor.ts";
import { verify, type VerifierState } from "./verify-chain.ts";
import type { ChainVerifierOptions, VerifyInputs } from "./verify-inputs.ts";

/** Keeps parsed anchors, and remembers intermediates of paths that held. One serves any number of peers. */
export interface ChainVerifier {
  readonly trustAnchors: readonly TrustAnchor[];
  /**
   * Whether a chain of certificates leads from the certificate in question to a trust anchor and holds. What is wrong with
   * certificates comes as a result.
   *
   * Throws `ERR_CHAIN_ARGUMENT` and `ERR_CHAIN_REFERENCE_NAME_SYNTAX` for the caller's own mistakes.
   */
  readonly verify: (inputs: VerifyInputs) => ChainResult;
}

/**
 * Makes a verifier.
 *
 * What it remembers is that some octets are signed by some key, which stays true. Validity, trust and revocation are
 * checked on every call. For other anchors make another verifier.
 *
 * Throws `ERR_CHAIN_TRUST_ANCHOR` for an anchor that cannot be read, and `ERR_CHAIN_ARGUMENT`.
 */
export function createChainVerifier(options: ChainVerifierOptions): ChainVerifier {
  const limits = chainLimits(options.limits);
  const tolerances = { ...profileTolerances(options.profile), ...options.tolerances };
  const anchors = options.trustAnchors.map((input) => new PreparedAnchor(readTrustAnchor(input), tolerances));
  const state: VerifierState = {
    options,
    limits,
    severities: severitiesOf(options),
    tolerances,
    tolerate: toleratesBy(tolerances),
    anchors: Map.groupBy(anchors, (anchor) => anchor.nameKey),
    known: new KnownCertificates(options.rememberedCertificates ?? 256, tolerances),
    memory: new WeakMap(),
    own: new OwnCandidates(options.intermediates ?? []),
  };
  return { trustAnchors: anchors.map(({ anchor }) => anchor), verify: (inputs) => verify(state, inputs) };
}

/** One answer without a verifier to keep: the anchors are read for it, and nothing is remembered. */
export function verifyChain(inputs: ChainVerifierOptions & VerifyInputs): ChainResult {
  // What is given as intermediates here is for one answer, and under its limits.
  const { intermediates: _ofThisAnswer, ...options } = inputs;
  return createChainVerifier({ ...options, rememberedCertificates: 0 }).verify(inputs);
}

function severitiesOf({ profile = "rfc5280", checks, anchor }: ChainVerifierOptions): CheckSeverities {
  if (!Object.hasOwn(profiles, profile))
    throw new ChainError(
      "ERR_CHAIN_ARGUMENT",
      `there is no profile "${profile}"; there are ${Object.keys(profiles).join(", ")}`,
    );
  const severities = { ...profiles[profile], ...checks };
  if (anchor?.checkValidity === undefined) return severities;
  return { ...severities, anchorValidity: anchor.checkValidity ? "error" : "off" };
}
