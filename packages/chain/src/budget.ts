/**
 * What is left to spend on one answer, and what each kind of step costs.
 *
 * The idea: one account in microseconds of CPU, charged before each step with what the step costs at its worst. Separate
 * counters for each kind of step were rejected: a peer can then reach all of them in one question, and their sum is what
 * counts. The prices were measured with Node.js 24 on one core of a server and rounded up; a slower machine takes longer
 * for the same work, and still stops at the same step.
 */

import { type ChainFailure, failure } from "./failures.ts";
import type { ChainLimits, LimitName } from "./limits.ts";

/** Microseconds of CPU. The README explains each. */
export const price = {
  /** To take in one candidate: its outline, and its place in the pool. */
  candidate: 10,
  /** To prepare one octet of a name for comparing; `nameWeight` counts them. */
  nameOctet: 0.06,
  /** To read one certificate, and each octet of its names and known extensions. */
  certificate: 15,
  certificateOctet: 0.09,
  /** Besides, for each of the first 4,096 octets: 256 extensions, as many as are read, can be as short as that. */
  extensionOctet: 0.06,
  /** To compare one octet with another. */
  comparedOctet: 0.002,
  /** To import a key. */
  key: 40,
  /** To check one signature of weight 1, by P-256 with node:crypto. The provider weighs each key. */
  signature: 70,
  /** To hash one octet that is signed. */
  signedOctet: 0.01,
  /** To look at one candidate from one certificate of a path. */
  step: 0.5,
  /** To keep one note of why a path ended. */
  note: 3,
  /** To validate one certificate of a path, and each octet of its names and known extensions. */
  validation: 4,
  validationOctet: 0.02,
  /** One node or edge of the policy graph. */
  policyNode: 0.1,
  /** To write one policy as text. */
  policyText: 1,
  /** To merge one octet of subtrees into a tree. */
  subtreeOctet: 0.06,
  /** To look one name up among subtrees, and each octet of the name. */
  nameLookup: 0.4,
  nameLookupOctet: 0.03,
  /** To read one octet of a revocation list or an OCSP response. */
  statementOctet: 0.02,
  /** To prepare one name of a distribution point for comparing, besides its octets. */
  pointName: 1,
  /** To prepare one octet of what a complete list and the delta lists to it have in common. */
  seriesOctet: 0.02,
  /** To read one entry of a list again. */
  listEntry: 3,
  /** To ask one list or response about one certificate. */
  statement: 2,
} as const;

/**
 * The octets of a DER Name, or of a value with names in it, as preparing them for comparing costs. One that is not ASCII
 * counts for four: a character of two or three octets can stand for 18 others by compatibility (U+FDFA), and all of them are
 * decomposed, sorted and composed.
 */
export function nameWeight(encoding: Uint8Array): number {
  let beyondAscii = 0;
  for (const octet of encoding) if (octet > 0x7f) beyondAscii++;
  return encoding.length + 3 * beyondAscii;
}

/** The account of one answer. The first limit that is reached ends the search. */
export class Budget {
  readonly limits: ChainLimits;
  #signatures = 0;
  #work = 0;
  #exceeded: ChainFailure | undefined;

  constructor(limits: ChainLimits) {
    this.limits = limits;
  }

  /** The limit that ended the search, if one did. */
  get exceeded(): ChainFailure | undefined {
    return this.#exceeded;
  }

  /** Microseconds that were charged. */
  get work(): number {
    return this.#work;
  }

  /** Charges work before it is done; false where there is not enough left, and then it must not be done. */
  spend(microseconds: number): boolean {
    if (this.#exceeded !== undefined) return false;
    this.#work += microseconds;
    return this.#work <= this.limits.work || this.exceed("work", Math.ceil(this.#work));
  }

  /** Charges one signature check by a key of this weight over this many octets. */
  spendSignature(weight: number, octets: number): boolean {
    this.#signatures++;
    if (this.#signatures > this.limits.signatures) return this.exceed("signatures", this.#signatures);
    return this.spend(weight * price.signature + octets * price.signedOctet);
  }

  /** Charges comparing names with subtrees: `count` is their product, and so many lookups of so many octets do it. */
  spendNameComparisons(count: number, lookups: number, octets: number): boolean {
    if (count > this.limits.nameComparisons) return this.exceed("nameComparisons", count);
    return this.spend(lookups * price.nameLookup + octets * price.nameLookupOctet);
  }

  /** Notes that a limit was reached; false, for the caller to return. */
  exceed(limit: LimitName, used: number): false {
    this.#exceeded ??= limitFailure(limit, this.limits, used);
    return false;
  }
}

/** `used` is what would have been needed at least. */
export function limitFailure(
  limit: LimitName,
  limits: ChainLimits,
  used: number,
  certificateIndex?: number,
): ChainFailure {
  return failure("ERR_CHAIN_LIMIT", certificateIndex, { limit, maximum: limits[limit], used });
}
