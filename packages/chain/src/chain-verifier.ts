/** The verifier: options once, then one answer a certificate. */

import { encodeOid } from "@latchkey/asn1";
import type { CryptoProvider } from "@latchkey/crypto";
import { CandidatePool, type CertificateInput, isAnchorItself, readCandidate } from "./candidate-pool.ts";
import { ChainCertificate } from "./chain-certificate.ts";
import { type CheckSeverities, type ProfileCheck, type ProfileName, profiles, type Severity } from "./checks.ts";
import { ChainError } from "./errors.ts";
import { type ChainFailure, failure } from "./failures.ts";
import { KnownCertificates } from "./known-certificates.ts";
import { Budget, type ChainLimits, chainLimits, limitFailure } from "./limits.ts";
import { type Attempt, PathSearch } from "./path-search.ts";
import { policyKey } from "./policy-graph.ts";
import { PreparedAnchor } from "./prepared-anchor.ts";
import { prepareReferenceName, type PreparedName, type ReferenceName } from "./reference-name.ts";
import { refusal } from "./refusal.ts";
import { Report } from "./report.ts";
import { type ChainPurpose, type ChainResult, VerifiedChain } from "./result.ts";
import { readTrustAnchor, type TrustAnchor, type TrustAnchorInput } from "./trust-anchor.ts";
import { inspectPath, validatePath, type ValidationInputs } from "./validate-path.ts";

/** What of a trust anchor's certificate counts besides its name and key; RFC 5280 §6.2 leaves it open. */
export interface AnchorOptions {
  /** Whether its extensions bind what is below it: basicConstraints, key usages, name constraints, policies. Default true. */
  readonly enforceConstraints?: boolean;
  /**
   * Whether its validity does: short for the check `anchorValidity`, which it overrides. As the profile has it unless
   * set; all have it on.
   */
  readonly checkValidity?: boolean;
  /**
   * Whether a certificate that is an anchor itself, byte for byte, is accepted as the end entity: for self-signed
   * certificates that are trusted one by one. It still has to be valid and fit for purpose and name. Default false.
   */
  readonly acceptAsEndEntity?: boolean;
}

export interface ChainVerifierOptions {
  readonly provider: CryptoProvider;
  readonly trustAnchors: readonly TrustAnchorInput[];
  /** Intermediates that are at hand for every certificate; they are not trusted, either. No limit on their number. */
  readonly intermediates?: readonly CertificateInput[];
  /** Default `rfc5280`. */
  readonly profile?: ProfileName;
  /** Single checks that differ from the profile. */
  readonly checks?: Partial<Record<ProfileCheck, Severity>>;
  readonly anchor?: AnchorOptions;
  readonly limits?: Partial<ChainLimits>;
  /** Whether a domain is one under which the public registers names, for the check `publicSuffix`. Lower case. */
  readonly isPublicSuffix?: (domain: string) => boolean;
  /** How many intermediates are remembered with their checked signatures. Default 256; 0 remembers nothing. */
  readonly rememberedCertificates?: number;
}

/** The policy inputs of RFC 5280 §6.1.1 (c), (e), (f), (g). */
export interface PolicyInputs {
  /** Dotted object identifiers that are acceptable; any policy where absent. */
  readonly initialPolicySet?: readonly string[];
  readonly requireExplicitPolicy?: boolean;
  readonly inhibitPolicyMapping?: boolean;
  readonly inhibitAnyPolicy?: boolean;
}

export interface VerifyInputs {
  /** The certificate in question. */
  readonly certificate: CertificateInput;
  /** Certificates that may lead from it to an anchor, in any order; nothing about them is believed. */
  readonly intermediates?: readonly CertificateInput[];
  readonly purpose: ChainPurpose;
  /** Seconds since 1970; a fraction is dropped. */
  readonly time: number;
  /** Names of which the certificate must present one. Without any, no name is checked: a server needs one. */
  readonly referenceNames?: readonly ReferenceName[];
  readonly policies?: PolicyInputs;
  /** How many intermediates that are not self-issued the path may have (RFC 5280's max_path_length). */
  readonly maximumPathLength?: number;
}

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
 * What it remembers is that some octets are signed by some key, which stays true. Validity and trust are judged anew on
 * every call; for other anchors make another verifier.
 *
 * Throws `ERR_CHAIN_TRUST_ANCHOR` for an anchor that is no certificate, and `ERR_CHAIN_ARGUMENT`.
 */
export function createChainVerifier(options: ChainVerifierOptions): ChainVerifier {
  const limits = chainLimits(options.limits);
  const severities = severitiesOf(options);
  const anchors = options.trustAnchors.map((input) => new PreparedAnchor(readTrustAnchor(input)));
  const anchorsBySubject = Map.groupBy(anchors, ({ subjectKey }) => subjectKey);
  const known = new KnownCertificates(options.rememberedCertificates ?? 256);
  const ownIntermediates = (options.intermediates ?? [])
    .map((input) => readCandidate(input, known, limits))
    .filter((read) => read instanceof ChainCertificate);
  const context: Context = { options, limits, severities, anchorsBySubject, known, ownIntermediates };
  return { trustAnchors: anchors.map(({ anchor }) => anchor), verify: (inputs) => verify(context, inputs) };
}

/** One answer without a verifier to keep: anchors are read, and nothing is remembered. */
export function verifyChain(inputs: ChainVerifierOptions & VerifyInputs): ChainResult {
  // `intermediates` of the two mean the same here; as candidates of one answer they are under its limits.
  const { intermediates: _given, ...options } = inputs;
  return createChainVerifier({ ...options, rememberedCertificates: 0 }).verify(inputs);
}

/** What all answers of a verifier share. */
interface Context {
  readonly options: ChainVerifierOptions;
  readonly limits: ChainLimits;
  readonly severities: CheckSeverities;
  readonly anchorsBySubject: ReadonlyMap<string, readonly PreparedAnchor[]>;
  readonly known: KnownCertificates;
  readonly ownIntermediates: readonly ChainCertificate[];
}

function severitiesOf({ profile = "rfc5280", checks, anchor }: ChainVerifierOptions): CheckSeverities {
  if (!Object.hasOwn(profiles, profile)) throw new ChainError("ERR_CHAIN_ARGUMENT", `no profile ${profile}`);
  const severities = { ...profiles[profile], ...checks };
  if (anchor?.checkValidity === undefined) return severities;
  return { ...severities, anchorValidity: anchor.checkValidity ? "error" : "off" };
}

function verify(context: Context, inputs: VerifyInputs): ChainResult {
  const { anchorsBySubject, known, limits, options, ownIntermediates, severities } = context;
  const { certificate, intermediates = [] } = inputs;
  const validation = validationInputs(options, inputs);
  const tooMuch = sizeFailure(certificate, intermediates, limits);
  if (tooMuch !== undefined) return refusal(inputs, validation.time, [], [tooMuch]);
  const target = readCandidate(certificate, known, limits);
  if (!(target instanceof ChainCertificate)) {
    const { code, message, offset } = target;
    const malformed = failure("ERR_CHAIN_CERTIFICATE_MALFORMED", 0, { reason: code, message, offset });
    return refusal(inputs, validation.time, [], [malformed]);
  }
  const pool = new CandidatePool(intermediates, anchorsBySubject, known, limits);
  pool.addAll(ownIntermediates);
  const budget = new Budget(limits);
  const judge = (path: readonly ChainCertificate[], anchor: PreparedAnchor): VerifiedChain | Attempt =>
    judgePath(path, anchor, { inputs, validation, severities, budget, known });
  const itself = options.anchor?.acceptAsEndEntity === true ? anchorItself(target, anchorsBySubject) : undefined;
  if (itself !== undefined) {
    const unconstrained = { ...validation, enforceAnchorConstraints: false };
    const outcome = judgePath([target], itself, { inputs, validation: unconstrained, severities, budget, known });
    return outcome instanceof VerifiedChain ? outcome : refusal(inputs, validation.time, [outcome], []);
  }
  const search = new PathSearch<VerifiedChain>({
    provider: options.provider,
    time: validation.time,
    anchors: anchorsBySubject,
    pool,
    budget,
    judge,
    isAttempt: (outcome): outcome is Attempt => !(outcome instanceof VerifiedChain),
  });
  const found = search.run(target);
  if (found === undefined) {
    const inspect = (path: readonly ChainCertificate[]): Report => {
      const report = new Report(severities);
      inspectPath(path, validation, budget, report);
      return report;
    };
    const limit = budget.exceeded === undefined ? [] : [budget.exceeded];
    return refusal(inputs, validation.time, search.attempts, limit, inspect);
  }
  return found;
}

/** What a path is held to. */
interface Question {
  readonly inputs: VerifyInputs;
  readonly validation: ValidationInputs;
  readonly severities: CheckSeverities;
  readonly budget: Budget;
  readonly known: KnownCertificates;
}

/** Holds a path to everything, and remembers its authorities where it passes. */
function judgePath(
  path: readonly ChainCertificate[],
  anchor: PreparedAnchor,
  { inputs, validation, severities, budget, known }: Question,
): VerifiedChain | Attempt {
  const report = new Report(severities);
  const outcome = validatePath(path, anchor, validation, budget, report);
  const { failures, warnings, passed: checks } = report;
  if (failures.length > 0) return { path: [...path], anchor, failures, warnings, checks };
  for (const [index, candidate] of path.entries()) {
    if (index > 0) known.remember(candidate, path[index + 1]?.key.spki ?? anchor.key.spki);
  }
  return new VerifiedChain({
    path: path.map(({ certificate }) => certificate),
    trustAnchor: anchor.anchor,
    purpose: inputs.purpose,
    referenceNames: inputs.referenceNames ?? [],
    time: validation.time,
    policies: outcome.policies,
    validUntil: outcome.validUntil,
    warnings,
    checks,
  });
}

function anchorItself(
  target: ChainCertificate,
  anchors: ReadonlyMap<string, readonly PreparedAnchor[]>,
): PreparedAnchor | undefined {
  return anchors.get(target.subjectKey)?.find((anchor) => isAnchorItself(target, [anchor]));
}

/** A limit that the certificates break before any is looked into. */
function sizeFailure(
  certificate: CertificateInput,
  intermediates: readonly CertificateInput[],
  limits: ChainLimits,
): ChainFailure | undefined {
  if (intermediates.length > limits.candidates) return limitFailure("candidates", limits);
  if (octetsOf(certificate) > limits.certificateOctets) return limitFailure("certificateOctets", limits, 0);
  const isTooLarge = intermediates.some((candidate) => octetsOf(candidate) > limits.certificateOctets);
  return isTooLarge ? limitFailure("certificateOctets", limits) : undefined;
}

function octetsOf(input: CertificateInput): number {
  return input instanceof Uint8Array ? input.length : input.encoding.length;
}

function validationInputs(options: ChainVerifierOptions, inputs: VerifyInputs): ValidationInputs {
  const { policies = {}, maximumPathLength = Number.POSITIVE_INFINITY, referenceNames = [] } = inputs;
  if (!Number.isFinite(inputs.time)) throw new ChainError("ERR_CHAIN_ARGUMENT", "the time is not a number of seconds");
  if (!(maximumPathLength >= 0)) throw new ChainError("ERR_CHAIN_ARGUMENT", "a path length below zero");
  const prepared: readonly PreparedName[] = referenceNames.map(prepareReferenceName);
  return {
    time: Math.floor(inputs.time),
    purpose: inputs.purpose,
    isPublicSuffix: options.isPublicSuffix,
    referenceNames: prepared,
    initialPolicies:
      policies.initialPolicySet === undefined
        ? undefined
        : new Set(policies.initialPolicySet.map((policy) => policyKey(encodeOid(policy)))),
    requireExplicitPolicy: policies.requireExplicitPolicy === true,
    inhibitPolicyMapping: policies.inhibitPolicyMapping === true,
    inhibitAnyPolicy: policies.inhibitAnyPolicy === true,
    maximumPathLength,
    enforceAnchorConstraints: options.anchor?.enforceConstraints !== false,
  };
}
