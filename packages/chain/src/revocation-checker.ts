/**
 * What the verifier asks of revocation. Kept apart from how it is judged, so that who does without carries none of it:
 * `@latchkey/chain/revocation` makes checkers.
 */

import type { CryptoProvider } from "@latchkey/crypto";
import type { CandidatePool } from "./candidate-pool.ts";
import type { ChainCertificate } from "./chain-certificate.ts";
import type { Budget } from "./limits.ts";
import type { PreparedAnchor } from "./prepared-anchor.ts";
import type { Report } from "./report.ts";

/** A path that holds otherwise, and what its status is judged with. */
export interface RevocationQuestion {
  readonly path: readonly ChainCertificate[];
  readonly anchor: PreparedAnchor;
  readonly provider: CryptoProvider;
  readonly time: number;
  readonly budget: Budget;
  /** By subject. */
  readonly anchors: ReadonlyMap<string, readonly PreparedAnchor[]>;
  readonly pool: CandidatePool;
  /** What a verifier keeps from one answer to the next, by the caller's own objects. */
  readonly memory: WeakMap<object, unknown>;
  /** Whether the profile takes only lists with a number (RFC 5280 §5.2.3). */
  readonly needsListNumber: boolean;
  /**
   * Whether a certificate that signed a list has a path to this anchor of its own (§6.3.3 (f)); undefined while that is
   * being judged, for then all certificates of a path count and only those above one may speak for it.
   */
  readonly isListIssuerValid: ((issuer: ChainCertificate, anchor: PreparedAnchor) => boolean) | undefined;
  readonly report: Report;
}

/** Judges the status of certificates. Made by `checkRevocation` of `@latchkey/chain/revocation`. */
export interface RevocationChecker {
  /** How many lists and responses it was given. */
  readonly statements: number;
  /** Reports on every certificate of a path, and gives the last second for which the answers stay true. */
  readonly check: (question: RevocationQuestion) => number;
}
