/**
 * The limits on one question. A peer chooses the certificates, so each loop that they drive has a bound.
 *
 * Two kinds: the first bound what may be given (how many, how large), before anything is read. The second bound what is
 * done with it. They are shared by all paths that are tried, so more paths do not mean more work. `budget.ts` counts.
 */

import { ChainError } from "./errors.ts";

/** The limits of one answer. The README says why each has its default. */
export interface ChainLimits {
  /** Certificates between the certificate in question and the trust anchor. Default 10; rustls-webpki takes 6. */
  readonly intermediates: number;
  /** Untrusted certificates that one question may bring. Default 1024. */
  readonly candidates: number;
  /** Octets of one certificate. Default 256 KiB; more than that could not be read within `work` anyway. */
  readonly certificateOctets: number;
  /** Octets of all certificates of one question. Default 16 MiB, what one TLS Certificate message can carry. */
  readonly octets: number;
  /** Revocation lists and OCSP responses that one question may bring. Default 256. */
  readonly statements: number;
  /**
   * Octets of the revocation lists and OCSP responses that are given as DER, and so are read for this answer. Default
   * 1 MiB. A list that is parsed beforehand does not count: parse larger ones once and keep them.
   */
  readonly statementOctets: number;
  /** Signatures checked, those of revocation lists and responses included. Default 100, as Go and rustls-webpki. */
  readonly signatures: number;
  /** Names of one certificate, times the subtrees of one other that they are compared with. Default 2^20, as BoringSSL. */
  readonly nameComparisons: number;
  /**
   * Everything that is done for one answer, in microseconds of CPU as they were measured once. Default 25,000.
   *
   * Each step is charged before it is done, by what it costs at its worst: a signature by its key's algorithm and size,
   * a certificate by its octets. The README has the table.
   */
  readonly work: number;
}

/** The name of a limit, as `ERR_CHAIN_LIMIT` says it. */
export type LimitName = keyof ChainLimits;

/** The limits where a caller sets none. */
export const defaultLimits: ChainLimits = {
  intermediates: 10,
  candidates: 1024,
  certificateOctets: 262_144,
  octets: 16_777_216,
  statements: 256,
  statementOctets: 1_048_576,
  signatures: 100,
  nameComparisons: 1_048_576,
  work: 25_000,
};

/** The limits, defaults filled in. Throws `ERR_CHAIN_ARGUMENT` for one that is negative or no whole number. */
export function chainLimits(given: Partial<ChainLimits> = {}): ChainLimits {
  const limits = { ...defaultLimits, ...given };
  for (const [name, value] of Object.entries(limits)) {
    if (!Number.isSafeInteger(value) || value < 0) {
      throw new ChainError("ERR_CHAIN_ARGUMENT", `the limit ${name} is ${value}, not a whole number from 0 on`);
    }
  }
  return limits;
}
