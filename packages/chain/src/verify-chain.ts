/** One answer: the certificates are read, paths are searched and validated, and what was found is put together. */

import type { Tolerate } from "@latchkey/crypto";
import { type Tolerances, X509Error } from "@latchkey/x509";
import { Budget, limitFailure, price } from "./budget.ts";
import { CandidatePool, isAnchorItself, type OwnCandidates, readCertificate, sizeFault } from "./candidate-pool.ts";
import { ChainCertificate } from "./chain-certificate.ts";
import { dateText } from "./date-text.ts";
import { type ChainFailure, failure } from "./failures.ts";
import type { KnownCertificates } from "./known-certificates.ts";
import type { ChainLimits } from "./limits.ts";
import { type Attempt, LinkChecks, PathSearch } from "./path-search.ts";
import { type CheckSeverities, everyCheck } from "./profiles.ts";
import { Report } from "./report.ts";
import { type ChainResult, type FailedPath, mostTelling, refuse, VerifiedChain } from "./result.ts";
import type { RevocationSubject, StatementSigner } from "./revocation-checker.ts";
import { type Signed, SigningKey } from "./signing-key.ts";
import type { PreparedAnchor } from "./trust-anchor.ts";
import { canBeEndEntity, canIssue, inspectPath, validatePath, type ValidationInputs } from "./validate-path.ts";
import { type ChainVerifierOptions, validationInputs, type VerifyInputs } from "./verify-inputs.ts";

/** What all answers of a verifier share. */
export interface VerifierState {
  readonly options: ChainVerifierOptions;
  readonly limits: ChainLimits;
  readonly severities: CheckSeverities;
  readonly tolerances: Tolerances;
  /** The tolerances as signature checks take them. */
  readonly tolerate: Tolerate;
  /** By name key. */
  readonly anchors: ReadonlyMap<string, readonly PreparedAnchor[]>;
  readonly known: KnownCertificates;
  /** What checkers of revocation keep by the caller's own objects. */
  readonly memory: WeakMap<object, unknown>;
  readonly own: OwnCandidates;
}

/** Answers one question. */
export function verify(state: VerifierState, inputs: VerifyInputs): ChainResult {
  const { anchors, known, limits, options, own } = state;
  const { certificate, intermediates = [], purpose } = inputs;
  const validation = validationInputs(options, inputs);
  const { time } = validation;
  const above = limitOfInputs(inputs, limits);
  if (above !== undefined) return refuse({ purpose, time, attempts: [], above: [above] });
  const budget = new Budget(limits);
  const target = readCertificate(certificate, budget, state.tolerances);
  if (!(target instanceof ChainCertificate)) {
    return refuse({ purpose, time, attempts: [], above: [unreadTarget(target, budget)] });
  }
  const pool = new CandidatePool({ intermediates, own, anchors, known, time });
  return new Answer(state, inputs, validation, pool, budget).give(target);
}

function unreadTarget(fault: X509Error | undefined, budget: Budget): ChainFailure {
  if (fault === undefined) return budget.exceeded ?? limitFailure("work", budget.limits, budget.work);
  const { code, message, offset } = fault;
  const evidence = { reason: code, message, offset, source: "certificate", position: undefined } as const;
  return failure("ERR_CHAIN_CERTIFICATE_MALFORMED", 0, evidence);
}

/** The first limit that the inputs break by their number and size, before anything is read. */
function limitOfInputs(
  { certificate, intermediates = [], revocation }: VerifyInputs,
  limits: ChainLimits,
): ChainFailure | undefined {
  if (revocation !== undefined && revocation.statements > limits.statements) {
    return limitFailure("statements", limits, revocation.statements);
  }
  if (revocation !== undefined && revocation.statementOctets > limits.statementOctets) {
    return limitFailure("statementOctets", limits, revocation.statementOctets);
  }
  const fault = sizeFault(certificate, intermediates, limits);
  return fault && limitFailure(fault.limit, limits, fault.used, fault.certificateIndex);
}

/** The search for explanation has this much work and so many signatures, beyond what the search for acceptance used. */
const explanationWork = 5000;
const explanationSignatures = 16;

/** What of a revocation question depends on whose status it is. */
type RevocationRole = "path" | "listSigner";

/** What one answer keeps about the signers of lists and responses. */
class StatementMemory {
  /** Signers of lists whose paths were searched, and whether there is one. */
  readonly listSigners = new Map<ChainCertificate, boolean>();
  /** Keys of signers, by the octets that stand for them. */
  readonly keys = new Map<Uint8Array, SigningKey>();
  /** What the checker keeps by the caller's own objects. */
  readonly memory = new WeakMap<object, unknown>();
}

class Answer {
  readonly #state: VerifierState;
  readonly #inputs: VerifyInputs;
  readonly #validation: ValidationInputs;
  readonly #pool: CandidatePool;
  #budget: Budget;
  readonly #signatures = new LinkChecks();
  #statementMemory: StatementMemory | undefined;

  constructor(
    state: VerifierState,
    inputs: VerifyInputs,
    validation: ValidationInputs,
    pool: CandidatePool,
    budget: Budget,
  ) {
    this.#state = state;
    this.#inputs = inputs;
    this.#validation = validation;
    this.#pool = pool;
    this.#budget = budget;
  }

  /** Made when revocation is first looked at: most questions do not ask about it. */
  get #statements(): StatementMemory {
    this.#statementMemory ??= new StatementMemory();
    return this.#statementMemory;
  }

  give(target: ChainCertificate): ChainResult {
    const { anchors, options } = this.#state;
    const { time } = this.#validation;
    const { purpose } = this.#inputs;
    const itself =
      options.anchor?.acceptAsEndEntity === true
        ? anchors.get(target.subjectNameKey)?.find((anchor) => isAnchorItself(target.certificate.encoding, [anchor]))
        : undefined;
    if (itself !== undefined) {
      // As an end entity it is no certificate authority, and constrains nothing.
      const outcome = this.#validate([target], itself, { ...this.#validation, enforceAnchorConstraints: false });
      if (outcome instanceof VerifiedChain) return outcome;
      return refuse({ purpose, time, attempts: [failedPath(outcome)] });
    }
    const searches: Attempt[] = [];
    // Where the certificate in question itself fails, no path can be accepted, and none has to be searched for.
    if (canBeEndEntity(target, this.#validation)) {
      const search = this.#search((candidate) => canIssue(candidate, this.#validation));
      const found = search.run(target);
      if (found !== undefined) return found;
      const { exceeded } = this.#budget;
      if (exceeded !== undefined) {
        return refuse({ purpose, time, attempts: search.attempts.map(failedPath), above: [exceeded] });
      }
      searches.push(...search.attempts);
    }
    return searches.length > 0 ? this.#refuse(searches) : this.#explain(target);
  }

  /** Searches all candidates within a small budget for what to say about the refusal. */
  #explain(target: ChainCertificate): ChainResult {
    const { limits } = this.#state;
    const budget = new Budget({
      ...limits,
      work: Math.min(limits.work, explanationWork),
      signatures: Math.min(limits.signatures, explanationSignatures),
    });
    this.#budget = budget;
    const search = this.#search(undefined);
    const found = search.run(target);
    if (found !== undefined) return found;
    search.noteMissingIssuer(target);
    // That this budget ended says nothing about the path.
    const attempts = search.attempts
      .map((attempt) => ({ ...attempt, failures: attempt.failures.filter((each) => each !== budget.exceeded) }))
      .filter(({ failures }) => failures.length > 0);
    if (attempts.length > 0) return this.#refuse(attempts);
    const { purpose } = this.#inputs;
    const above = [budget.exceeded ?? limitFailure("work", limits, budget.work)];
    return refuse({ purpose, time: this.#validation.time, attempts: [], above });
  }

  #refuse(attempts: readonly Attempt[]): ChainResult {
    const best = mostTelling(attempts.map((attempt) => ({ ...attempt, trustAnchor: attempt.anchor?.anchor })));
    const completed = attempts.map((attempt, index) => (index === best ? this.#complete(attempt) : attempt));
    const { purpose } = this.#inputs;
    return refuse({ purpose, time: this.#validation.time, attempts: completed.map(failedPath) });
  }

  /** Adds what else is wrong with the certificates of a path that leads to no anchor. */
  #complete(attempt: Attempt): Attempt {
    if (attempt.anchor !== undefined) return attempt;
    const { path } = attempt;
    const budget = new Budget({ ...this.#state.limits, work: explanationWork });
    const report = new Report(this.#state.severities);
    inspectPath(path, this.#validation, budget, report);
    const isWithoutIssuer = attempt.failures.some(({ code }) => code === "ERR_CHAIN_NO_ISSUER");
    const unreadable = isWithoutIssuer ? this.#pool.unreadable(budget).slice(0, 3) : [];
    // Perhaps one of these is the issuer.
    const malformed = unreadable.flatMap((candidate) => {
      const read = candidate.read(budget, this.#state.tolerances);
      if (!(read instanceof X509Error)) return [];
      const { code, message, offset } = read;
      const { source, position } = candidate;
      const evidence = { reason: code, message, offset, source, position };
      return [failure("ERR_CHAIN_CERTIFICATE_MALFORMED", path.length, evidence)];
    });
    return {
      ...attempt,
      failures: [...malformed, ...attempt.failures, ...report.failures],
      warnings: report.warnings,
      checks: report.passed(),
    };
  }

  #search(canBeIssuer: ((candidate: ChainCertificate) => boolean) | undefined): PathSearch<VerifiedChain> {
    return new PathSearch<VerifiedChain>({
      provider: this.#state.options.provider,
      time: this.#validation.time,
      anchors: this.#state.anchors,
      pool: this.#pool,
      budget: this.#budget,
      tolerances: this.#state.tolerances,
      tolerate: this.#state.tolerate,
      signatures: this.#signatures,
      canIssue: canBeIssuer,
      validate: (path, anchor) => this.#validate(path, anchor, this.#validation),
      isAttempt: (outcome): outcome is Attempt => !(outcome instanceof VerifiedChain),
    });
  }

  /** Makes all checks on a path, and remembers its authorities where it passes. */
  #validate(
    path: readonly ChainCertificate[],
    anchor: PreparedAnchor,
    validation: ValidationInputs,
  ): VerifiedChain | Attempt {
    const report = new Report(this.#state.severities);
    const { policies, validUntil } = validatePath(path, anchor, validation, this.#budget, report);
    const { revocation, purpose, referenceNames = [] } = this.#inputs;
    const statusUntil =
      revocation === undefined || report.failures.length > 0
        ? Number.POSITIVE_INFINITY
        : this.#checkRevocation(path, anchor, "path", report);
    const { failures, warnings } = report;
    if (failures.length > 0) return { path: [...path], anchor, failures, warnings, checks: report.passed() };
    for (let index = 1; index < path.length; index++) {
      const candidate = path[index];
      if (candidate !== undefined) {
        this.#state.known.remember(candidate, path[index + 1]?.key.spki ?? anchor.key.spki);
      }
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

  /** §6.1.3 (a)(3): no certificate of the path is revoked. Gives the last second for which the answers stay true. */
  #checkRevocation(
    path: readonly ChainCertificate[],
    anchor: PreparedAnchor,
    role: RevocationRole,
    report: Report,
  ): number {
    const { revocation } = this.#inputs;
    if (revocation === undefined) return Number.POSITIVE_INFINITY;
    // Of a list's signer every certificate counts.
    const first = revocation.scope === "endEntity" && role === "path" ? 0 : path.length - 1;
    let validUntil = Number.POSITIVE_INFINITY;
    for (let index = first; index >= 0; index--) {
      const candidate = path[index];
      if (candidate === undefined) continue;
      const status = revocation.check(this.#subject(candidate, path.slice(index + 1), anchor, role));
      if (this.#budget.exceeded !== undefined) {
        report.add(this.#budget.exceeded);
        return validUntil;
      }
      if (status.status === "good") {
        report.pass("revocation", index);
        validUntil = Math.min(validUntil, status.validUntil);
        for (const { code, evidence } of status.reasons) {
          if (code === "ERR_REVOCATION_LIST_TOLERATED") {
            const { list: _issuer, ...slip } = evidence;
            report.warn(failure("ERR_CHAIN_TOLERATED", index, slip, slip.rule));
          }
        }
      } else if (status.status === "revoked") {
        const { source, reason, revokedAt } = status;
        const revokedAtDate = revokedAt === undefined ? undefined : dateText(revokedAt);
        report.fail("ERR_CHAIN_REVOKED", index, { source, reason, revokedAt, revokedAtDate });
      } else {
        const unknown = failure("ERR_CHAIN_REVOCATION_UNKNOWN", index, { reasons: status.reasons });
        if (revocation.mode === "hard") report.add(unknown);
        else report.warn(unknown);
      }
    }
    return validUntil;
  }

  #subject(
    candidate: ChainCertificate,
    above: readonly ChainCertificate[],
    anchor: PreparedAnchor,
    role: RevocationRole,
  ): RevocationSubject {
    const { memory, options, severities, tolerances } = this.#state;
    const [issuer] = above;
    const isListSigner = role === "listSigner";
    return {
      certificate: candidate.certificate,
      issuerNameKey: candidate.issuerNameKey,
      isCa: candidate.isCa,
      distributionPoints: candidate.values.cRLDistributionPoints ?? [],
      issuer: issuer === undefined ? this.#anchorSigner(anchor) : this.#signer(issuer, isAbove),
      time: this.#validation.time,
      provider: options.provider,
      tolerances,
      needsListNumber: severities.revocationListNumber === "error",
      isListSigner,
      signersNamed: (key, itself) =>
        this.#signersNamed(key, itself && isListSigner ? [candidate, ...above] : above, anchor, role),
      isSignedBy: ({ subjectPublicKeyInfo }, signed) => this.#isSignedBy(subjectPublicKeyInfo, signed),
      spend: (microseconds) => this.#budget.spend(microseconds),
      memory,
      memoryOfAnswer: this.#statements.memory,
    };
  }

  #anchorSigner({ anchor, chainCertificate, key }: PreparedAnchor): StatementSigner {
    // Kept, so that a signature by it is checked with the key that is imported already.
    this.#statements.keys.set(key.spki, key);
    const { keyUsage } = chainCertificate?.values ?? noValues;
    return { subjectPublicKeyInfo: key.spki, certificate: anchor.certificate, keyUsage, isTrusted: isAbove };
  }

  #signer({ certificate, key, values }: ChainCertificate, isTrusted: () => boolean): StatementSigner {
    this.#statements.keys.set(key.spki, key);
    return { subjectPublicKeyInfo: key.spki, certificate, keyUsage: values.keyUsage, isTrusted };
  }

  /** Who has the name of a list's issuer: certificates above on the path, which holds, then anchors, then candidates. */
  *#signersNamed(
    key: string,
    above: readonly ChainCertificate[],
    anchor: PreparedAnchor,
    role: RevocationRole,
  ): Generator<StatementSigner> {
    for (const each of above) if (each.subjectNameKey === key) yield this.#signer(each, isAbove);
    if (anchor.nameKey === key) {
      // §6.3.3 (f) asks for the same anchor. Anchors of one name are one authority with several keys, all of them trusted.
      for (const each of this.#state.anchors.get(key) ?? []) yield this.#anchorSigner(each);
    }
    if (role === "listSigner") return;
    for (const candidate of this.#pool.withSubject(key, this.#budget)) {
      if (!this.#budget.spend(price.step)) return;
      const read = candidate.read(this.#budget, this.#state.tolerances);
      if (read instanceof ChainCertificate) {
        yield this.#signer(read, () => this.#isListSignerTrusted(read, anchor));
      }
    }
  }

  #isSignedBy(spki: Uint8Array, signed: Signed): boolean {
    let key = this.#statements.keys.get(spki);
    if (key === undefined) {
      key = new SigningKey(spki);
      this.#statements.keys.set(spki, key);
    }
    const { options, tolerate } = this.#state;
    return key.check(options.provider, signed, this.#budget, tolerate) === undefined;
  }

  /**
   * RFC 5280 §6.3.3 (f): a signer of lists that is not above the certificate has a path of its own to the same anchor. Its
   * own status is found by lists of those above it alone, so that this ends.
   */
  #isListSignerTrusted(signer: ChainCertificate, anchor: PreparedAnchor): boolean {
    const before = this.#statements.listSigners.get(signer);
    if (before !== undefined) return before;
    const validation: ValidationInputs = {
      ...this.#validation,
      purpose: "any",
      referenceNames: [],
      initialPolicies: undefined,
      requireExplicitPolicy: false,
      maximumPathLength: Number.POSITIVE_INFINITY,
    };
    const { anchorValidity } = this.#state.severities;
    const severities = { ...everyCheck("off"), anchorValidity };
    const search = new PathSearch<true>({
      provider: this.#state.options.provider,
      time: validation.time,
      anchors: new Map([[anchor.nameKey, [anchor]]]),
      pool: this.#pool,
      budget: this.#budget,
      tolerances: this.#state.tolerances,
      tolerate: this.#state.tolerate,
      signatures: this.#signatures,
      canIssue: (candidate) => canIssue(candidate, validation),
      validate: (path, of) => {
        const report = new Report(severities);
        validatePath(path, of, validation, this.#budget, report);
        if (report.failures.length === 0) this.#checkRevocation(path, of, "listSigner", report);
        const { failures, warnings } = report;
        return failures.length === 0 ? true : { path: [...path], anchor: of, failures, warnings, checks: [] };
      },
      isAttempt: (outcome): outcome is Attempt => outcome !== true,
    });
    const isTrusted = search.run(signer) === true;
    this.#statements.listSigners.set(signer, isTrusted);
    return isTrusted;
  }
}

const isAbove = (): boolean => true;
const noValues = { keyUsage: undefined };

function failedPath({ path, anchor, failures, warnings, checks }: Attempt): FailedPath {
  return {
    path: path.map(({ certificate }) => certificate),
    trustAnchor: anchor?.anchor,
    failures,
    warnings,
    checks,
  };
}
