/**
 * What bounds the work on one chain. A peer chooses the certificates, so every loop that they drive has a budget.
 *
 * The budgets are shared by all paths that are tried for one answer, so that more paths do not mean more work.
 */

import type { ChainLimits, LimitName } from "./chain-limits.ts";
import { ChainError } from "./errors.ts";
import { type ChainFailure, failure } from "./failures.ts";

export type { ChainLimits } from "./chain-limits.ts";

export const defaultLimits: ChainLimits = {
  intermediates: 10,
  candidates: 1024,
  certificateOctets: 1_048_576,
  statements: 256,
  signatures: 100,
  paths: 200,
  steps: 50_000,
  nameComparisons: 1_048_576,
  allNameComparisons: 4_194_304,
};

/** The limits, defaults filled in. Throws `ERR_CHAIN_ARGUMENT` for one that is no whole number or negative. */
export function chainLimits(given: Partial<ChainLimits> = {}): ChainLimits {
  const limits = { ...defaultLimits, ...given };
  for (const [name, value] of Object.entries(limits)) {
    if (!Number.isSafeInteger(value) || value < 0) {
      throw new ChainError("ERR_CHAIN_ARGUMENT", `the limit ${name} is ${value}, not a whole number`);
    }
  }
  return limits;
}

/** What is left to spend on one answer. The first limit that was reached ends the search. */
export class Budget {
  readonly limits: ChainLimits;
  #signatures: number;
  #paths: number;
  #steps: number;
  #allNameComparisons: number;
  #exceeded: ChainFailure | undefined;

  constructor(limits: ChainLimits) {
    this.limits = limits;
    this.#signatures = limits.signatures;
    this.#paths = limits.paths;
    this.#steps = limits.steps;
    this.#allNameComparisons = limits.allNameComparisons;
  }

  /** The limit that ended the search, if one did. */
  get exceeded(): ChainFailure | undefined {
    return this.#exceeded;
  }

  takeSignature(): boolean {
    return this.#signatures-- > 0 || this.exceed("signatures");
  }

  takePath(): boolean {
    return this.#paths-- > 0 || this.exceed("paths");
  }

  takeSteps(count: number): boolean {
    this.#steps -= count;
    return this.#steps >= 0 || this.exceed("steps");
  }

  /** Of one certificate's names with one other's constraints. */
  takeNameComparisons(count: number): boolean {
    if (count > this.limits.nameComparisons) return this.exceed("nameComparisons");
    this.#allNameComparisons -= count;
    return this.#allNameComparisons >= 0 || this.exceed("allNameComparisons");
  }

  /** Notes that a limit was reached; false, for the caller to return. */
  exceed(limit: LimitName): false {
    this.#exceeded ??= limitFailure(limit, this.limits);
    return false;
  }
}

export function limitFailure(limit: LimitName, limits: ChainLimits, certificateIndex?: number): ChainFailure {
  return failure("ERR_CHAIN_LIMIT", certificateIndex, { limit, maximum: limits[limit] });
}
