/** What is found while one path is validated: checks that passed, failures, and failures that count as warnings. */

import { type CheckSeverities, type ProfileCheck, profileChecks } from "./profiles.ts";
import { type ChainFailure, type ChainFailureCode, failure, type FailureEvidence } from "./failures.ts";
import type { ChainCheck, PassedCheck } from "./result.ts";

type CodeOf<Check extends ProfileCheck> = (typeof profileChecks)[Check] & ChainFailureCode;

/** Collects what is found. */
export class Report {
  readonly failures: ChainFailure[] = [];
  readonly warnings: ChainFailure[] = [];
  readonly #severities: CheckSeverities;
  /** Two lists of plain values instead of one of objects: most results are never asked what passed. */
  readonly #passedChecks: ChainCheck[] = [];
  readonly #passedIndexes: number[] = [];

  constructor(severities: CheckSeverities) {
    this.#severities = severities;
  }

  pass(check: ChainCheck, certificateIndex: number): void {
    this.#passedChecks.push(check);
    this.#passedIndexes.push(certificateIndex);
  }

  /** What passed, in the order in which it was checked; a new list each time. */
  passed(): PassedCheck[] {
    return this.#passedChecks.map((check, at) => ({ check, certificateIndex: this.#passedIndexes[at] ?? 0 }));
  }

  /** A check of path validation failed; no profile turns these off. */
  fail<Code extends ChainFailureCode>(
    code: Code,
    certificateIndex: number | undefined,
    evidence: FailureEvidence[Code],
    clause?: string,
  ): void {
    this.failures.push(failure(code, certificateIndex, evidence, clause));
  }

  add(found: ChainFailure): void {
    this.failures.push(found);
  }

  warn(found: ChainFailure): void {
    this.warnings.push(found);
  }

  /** Whether the profile asks for a check at all. */
  isOn(check: ProfileCheck): boolean {
    return this.#severities[check] !== "off";
  }

  /** The outcome of a check that the profile asks for: passed, or failed with this evidence. */
  check<Check extends ProfileCheck>(
    check: Check,
    certificateIndex: number,
    evidence: FailureEvidence[CodeOf<Check>] | undefined,
    clause?: string,
  ): void {
    if (evidence === undefined) this.pass(check, certificateIndex);
    else {
      const found = failure(profileChecks[check], certificateIndex, evidence, clause);
      (this.#severities[check] === "warning" ? this.warnings : this.failures).push(found);
    }
  }
}
