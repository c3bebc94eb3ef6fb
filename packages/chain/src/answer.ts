/** One answer: the certificates are read, a path is searched, and what comes of it is put together. */

import { CandidatePool, type CertificateInput, isAnchorItself, readTarget } from "./candidate-pool.ts";
import { ChainCertificate } from "./chain-certificate.ts";
import { type CheckSeverities, everyCheck } from "./checks.ts";
import { type ChainFailure, failure } from "./failures.ts";
import type { KnownCertificates } from "./known-certificates.ts";
import { Budget, type ChainLimits, limitFailure } from "./limits.ts";
import { type Attempt, PathSearch } from "./path-search.ts";
import type { PreparedAnchor } from "./prepared-anchor.ts";
import { refusal } from "./refusal.ts";
import { Report } from "./report.ts";
import { type ChainResult, VerifiedChain } from "./result.ts";
import type { RevocationQuestion } from "./revocation-checker.ts";
import { inspectPath, validatePath, type ValidationInputs } from "./validate-path.ts";
import { type ChainVerifierOptions, validationInputs, type VerifyInputs } from "./verify-inputs.ts";

/** What all answers of a verifier share. */
export interface Context {
  readonly options: ChainVerifierOptions;
  readonly limits: ChainLimits;
  readonly severities: CheckSeverities;
  /** By subject. */
  readonly anchors: ReadonlyMap<string, readonly PreparedAnchor[]>;
  readonly known: KnownCertificates;
  /** What checkers of revocation keep by the caller's own objects. */
  readonly memory: WeakMap<object, unknown>;
  readonly ownIntermediates: readonly ChainCertificate[];
}

/** Answers one question. */
export function verify(context: Context, inputs: VerifyInputs): ChainResult {
  const { anchors, known, limits, options } = context;
  const { certificate, intermediates = [] } = inputs;
  const validation = validationInputs(options, inputs);
  const tooMuch = sizeFailure(inputs, limits);
  if (tooMuch !== undefined) return refusal(inputs, validation.time, [], [tooMuch]);
  const target = readTarget(certificate, limits);
  if (!(target instanceof ChainCertificate)) {
    const { code, message, offset } = target;
    const malformed = failure("ERR_CHAIN_CERTIFICATE_MALFORMED", 0, { reason: code, message, offset });
    return refusal(inputs, validation.time, [], [malformed]);
  }
  const pool = new CandidatePool(intermediates, anchors, known, limits);
  pool.addAll(context.ownIntermediates);
  return new Answer(context, inputs, validation, pool).give(target);
}

class Answer {
  readonly #context: Context;
  readonly #inputs: VerifyInputs;
  readonly #validation: ValidationInputs;
  readonly #pool: CandidatePool;
  readonly #budget: Budget;
  /** Signers of lists that were judged, by whether they have a path to the anchor. */
  readonly #listIssuers = new Map<ChainCertificate, boolean>();

  constructor(context: Context, inputs: VerifyInputs, validation: ValidationInputs, pool: CandidatePool) {
    this.#context = context;
    this.#inputs = inputs;
    this.#validation = validation;
    this.#pool = pool;
    this.#budget = new Budget(context.limits);
  }

  give(target: ChainCertificate): ChainResult {
    const { anchors, options } = this.#context;
    const { time } = this.#validation;
    const itself = anchors.get(target.subjectKey)?.find((anchor) => isAnchorItself(target, [anchor]));
    if (itself !== undefined && options.anchor?.acceptAsEndEntity === true) {
      // As an end entity it is no authority, and constrains nobody.
      const outcome = this.#judge([target], itself, { ...this.#validation, enforceAnchorConstraints: false });
      return outcome instanceof VerifiedChain ? outcome : refusal(this.#inputs, time, [outcome], []);
    }
    const search = this.#search(anchors, (path, anchor) => this.#judge(path, anchor, this.#validation));
    const found = search.run(target);
    if (found !== undefined) return found;
    const { exceeded } = this.#budget;
    const limit = exceeded === undefined ? [] : [exceeded];
    return refusal(this.#inputs, time, search.attempts, limit, (path) => this.#inspect(path));
  }

  #search<Found extends VerifiedChain | true>(
    anchors: ReadonlyMap<string, readonly PreparedAnchor[]>,
    judge: (path: readonly ChainCertificate[], anchor: PreparedAnchor) => Found | Attempt,
  ): PathSearch<Found> {
    return new PathSearch<Found>({
      provider: this.#context.options.provider,
      time: this.#validation.time,
      anchors,
      pool: this.#pool,
      budget: this.#budget,
      judge,
      isAttempt: (outcome): outcome is Attempt => outcome !== true && !(outcome instanceof VerifiedChain),
    });
  }

  /** Holds a path to everything, and remembers its authorities where it passes. */
  #judge(
    path: readonly ChainCertificate[],
    anchor: PreparedAnchor,
    validation: ValidationInputs,
  ): VerifiedChain | Attempt {
    const report = new Report(this.#context.severities);
    const { policies, validUntil } = validatePath(path, anchor, validation, this.#budget, report);
    const { revocation, purpose, referenceNames = [] } = this.#inputs;
    let statusUntil = Number.POSITIVE_INFINITY;
    if (revocation !== undefined && report.failures.length === 0) {
      const question = this.#question(path, anchor, report);
      const isListIssuerValid = (issuer: ChainCertificate, of: PreparedAnchor): boolean =>
        this.#isListIssuerValid(issuer, of);
      statusUntil = revocation.check({ ...question, isListIssuerValid });
    }
    const { failures, warnings } = report;
    if (failures.length > 0) return { path: [...path], anchor, failures, warnings, checks: report.passed() };
    for (const [index, candidate] of path.entries()) {
      if (index > 0) this.#context.known.remember(candidate, path[index + 1]?.key.spki ?? anchor.key.spki);
    }
    return new VerifiedChain({
      path: path.map(({ certificate }) => certificate),
      trustAnchor: anchor.anchor,
      purpose,
      referenceNames,
      time: validation.time,
      policies,
      validUntil: Math.min(validUntil, statusUntil),
      warnings,
      passed: () => report.passed(),
    });
  }

  #inspect(path: readonly ChainCertificate[]): Report {
    const report = new Report(this.#context.severities);
    inspectPath(path, this.#validation, this.#budget, report);
    return report;
  }

  #question(path: readonly ChainCertificate[], anchor: PreparedAnchor, report: Report): RevocationQuestion {
    const { anchors, memory, options, severities } = this.#context;
    return {
      path,
      anchor,
      provider: options.provider,
      time: this.#validation.time,
      budget: this.#budget,
      anchors,
      pool: this.#pool,
      memory,
      needsListNumber: severities.revocationListNumber === "error",
      isListIssuerValid: undefined,
      report,
    };
  }

  /**
   * RFC 5280 §6.3.3 (f): one who signed a list, and is not above the certificate, has a path of its own to the same
   * anchor. Its own status is judged by lists of those above it alone, so that this ends.
   */
  #isListIssuerValid(issuer: ChainCertificate, anchor: PreparedAnchor): boolean {
    const judged = this.#listIssuers.get(issuer);
    if (judged !== undefined) return judged;
    const validation: ValidationInputs = {
      ...this.#validation,
      purpose: "any",
      referenceNames: [],
      initialPolicies: undefined,
      requireExplicitPolicy: false,
      maximumPathLength: Number.POSITIVE_INFINITY,
    };
    const { anchorValidity } = this.#context.severities;
    const severities = { ...everyCheck("off"), anchorValidity };
    const judge = (path: readonly ChainCertificate[], of: PreparedAnchor): true | Attempt => {
      const report = new Report(severities);
      validatePath(path, of, validation, this.#budget, report);
      const { revocation } = this.#inputs;
      if (report.failures.length === 0) revocation?.check(this.#question(path, of, report));
      const { failures, warnings } = report;
      return failures.length === 0 ? true : { path: [...path], anchor: of, failures, warnings, checks: [] };
    };
    const isValid = this.#search(new Map([[anchor.subjectKey, [anchor]]]), judge).run(issuer) === true;
    this.#listIssuers.set(issuer, isValid);
    return isValid;
  }
}

/** A limit that the inputs break before any is looked into. */
function sizeFailure(
  { certificate, intermediates = [], revocation }: VerifyInputs,
  limits: ChainLimits,
): ChainFailure | undefined {
  if (intermediates.length > limits.candidates) return limitFailure("candidates", limits);
  if (revocation !== undefined && revocation.statements > limits.statements) return limitFailure("statements", limits);
  if (octetsOf(certificate) > limits.certificateOctets) return limitFailure("certificateOctets", limits, 0);
  const isTooLarge = intermediates.some((candidate) => octetsOf(candidate) > limits.certificateOctets);
  return isTooLarge ? limitFailure("certificateOctets", limits) : undefined;
}

function octetsOf(input: CertificateInput): number {
  return input instanceof Uint8Array ? input.length : input.encoding.length;
}
