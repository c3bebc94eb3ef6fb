/**
 * What the verifier asks about revocation, and what it wants to hear. How a status is found is not here, so a caller who
 * does without revocation loads none of it: `@latchkey/chain/revocation` makes checkers.
 */

import type { CryptoProvider } from "@latchkey/crypto";
import type { Certificate, DistributionPoint, KeyUsage, Tolerances } from "@latchkey/x509";
import type { RevocationReason } from "./revocation-reason.ts";
import type { Signed } from "./signing-key.ts";

/** A key that may have signed statements about certificates. */
export interface StatementSigner {
  /** DER SubjectPublicKeyInfo. */
  readonly subjectPublicKeyInfo: Uint8Array;
  /** Undefined for a trust anchor that is a name and a key. */
  readonly certificate: Certificate | undefined;
  /** The keyUsage of its certificate; undefined where that says nothing. */
  readonly keyUsage: readonly KeyUsage[] | undefined;
  /** Whether the signer has a valid path to the trust anchor of the path in question. May search for one. */
  readonly isTrusted: () => boolean;
}

/** One certificate whose status is in question, on a path that holds otherwise. */
export interface RevocationSubject {
  readonly certificate: Certificate;
  /** Its issuer as x509's `nameKey` makes it, and from its extensions what decides which lists are about it. */
  readonly issuerNameKey: string;
  readonly isCa: boolean;
  readonly distributionPoints: readonly DistributionPoint[];
  /** The certificate above it, or the trust anchor: it signed the certificate. */
  readonly issuer: StatementSigner;
  /** Seconds since 1970. */
  readonly time: number;
  readonly provider: CryptoProvider;
  /** Whether the profile takes only lists with a number that is not critical (RFC 5280 §5.2.3). */
  readonly needsListNumber: boolean;
  /** The slips of makers that the verifier reads on over. */
  readonly tolerances: Tolerances;
  /**
   * Whether the certificate is asked about because it signed a list itself. Then only certificates above it, and itself
   * where nobody else says its status, may speak for it, so that this ends.
   */
  readonly isListSigner: boolean;
  /**
   * Who may have signed a list under this name, given as x509's `nameKey` makes it: certificates above the subject,
   * anchors, then others that the verifier has. `itself` adds the subject, for `isListSigner`.
   */
  readonly signersNamed: (nameKey: string, itself: boolean) => Iterable<StatementSigner>;
  /** Checks a signature within the limits of the answer; false also where a limit was reached. */
  readonly isSignedBy: (signer: Pick<StatementSigner, "subjectPublicKeyInfo">, signed: Signed) => boolean;
  /**
   * Charges work in microseconds of CPU, before it is done. False where the limit is reached: then it must not be done,
   * and the answer is a refusal whatever the checker says.
   */
  readonly spend: (microseconds: number) => boolean;
  /** For what a checker wants to keep from one answer to the next, by objects that the caller does not change. */
  readonly memory: WeakMap<object, unknown>;
  /** The same for this answer alone. */
  readonly memoryOfAnswer: WeakMap<object, unknown>;
}

/** What a checker found. */
export type RevocationStatus =
  /** `validUntil` is the last second for which this stays true; Infinity where nothing limits it. */
  | { readonly status: "good"; readonly validUntil: number; readonly reasons: readonly RevocationReason[] }
  | {
      readonly status: "revoked";
      readonly source: "crl" | "ocsp" | "hook";
      /** A name of RFC 5280 §5.3.1, for instance `keyCompromise`. */
      readonly reason: string | undefined;
      /** Seconds since 1970. */
      readonly revokedAt: number | undefined;
    }
  /** At least one reason. */
  | { readonly status: "unknown"; readonly reasons: readonly RevocationReason[] };

/** Says the status of certificates. `checkRevocation` of `@latchkey/chain/revocation` makes one; callers may make their own. */
export interface RevocationChecker {
  /** What an unknown status is: `hard` refuses, `soft` warns. */
  readonly mode: "hard" | "soft";
  /** All certificates of a path, or the certificate in question alone. Trust anchors never. */
  readonly scope: "path" | "endEntity";
  /** How many lists and responses it has. */
  readonly statements: number;
  /** Octets of those that it has to read. */
  readonly statementOctets: number;
  readonly check: (subject: RevocationSubject) => RevocationStatus;
}
