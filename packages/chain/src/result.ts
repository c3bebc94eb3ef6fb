/** What verifying a chain answers: a proof, or everything that is known about why not. */

import type { Certificate } from "@latchkey/x509";
import type { ProfileCheck } from "./checks.ts";
import type { ChainFailure } from "./failures.ts";
import type { ReferenceName } from "./reference-name.ts";
import type { TrustAnchor } from "./trust-anchor.ts";

/** What is checked of every path, whatever the profile. */
export type PathCheck =
  | "signature"
  | "validity"
  | "revocation"
  | "nameConstraints"
  | "certificatePolicies"
  | "basicConstraints"
  | "pathLength"
  | "keyUsage"
  | "extendedKeyUsage"
  | "criticalExtensions"
  | "referenceName";

export type ChainCheck = PathCheck | ProfileCheck;

/** One check that passed on one certificate; certificates count from 0, the one asked about. */
export interface PassedCheck {
  readonly check: ChainCheck;
  readonly certificateIndex: number;
}

/** What a certificate is to be used for; `any` asks nothing of extendedKeyUsage and keyUsage of the end entity. */
export type ChainPurpose =
  | "clientAuth"
  | "serverAuth"
  | "codeSigning"
  | "emailProtection"
  | "timeStamping"
  | "OCSPSigning"
  | "any";

/** A path that was tried and does not hold. */
export interface FailedPath {
  /** The certificate asked about first; the last is the one above which it did not go on, or below the anchor. */
  readonly path: readonly Certificate[];
  /** The anchor at its end, where it got to one. */
  readonly trustAnchor: TrustAnchor | undefined;
  readonly failures: readonly ChainFailure[];
  readonly warnings: readonly ChainFailure[];
  readonly checks: readonly PassedCheck[];
}

/** What a verified chain says. */
export interface VerifiedChainFields {
  /** The certificate asked about first, the one that the trust anchor signed last; the anchor is not in it. */
  readonly path: readonly Certificate[];
  readonly trustAnchor: TrustAnchor;
  readonly purpose: ChainPurpose;
  /** The names that the end entity was held to, and bears one of; none where none were given. */
  readonly referenceNames: readonly ReferenceName[];
  /** The time that it was verified for, in seconds since 1970. */
  readonly time: number;
  /**
   * The policies that the path is valid for (the user-constrained-policy-set of RFC 9618), as dotted object identifiers;
   * `2.5.29.32.0` stands for any.
   */
  readonly policies: readonly string[];
  /** The last second for which this stays true by the certificates and revocation data that were used. */
  readonly validUntil: number;
  /** Failures of checks that are set to warnings, and unknown revocation where that is taken softly. */
  readonly warnings: readonly ChainFailure[];
  /** Makes the list of what passed. */
  readonly passed: () => readonly PassedCheck[];
}

/**
 * The proof that a chain holds. Only `verify` makes one: to take a `VerifiedChain` is to know that it was verified.
 *
 * It holds the certificates that were given, which are views into their bytes.
 */
export class VerifiedChain {
  readonly ok = true;
  readonly path: readonly Certificate[];
  readonly trustAnchor: TrustAnchor;
  readonly purpose: ChainPurpose;
  readonly referenceNames: readonly ReferenceName[];
  readonly time: number;
  readonly policies: readonly string[];
  readonly validUntil: number;
  readonly warnings: readonly ChainFailure[];
  readonly #passed: () => readonly PassedCheck[];

  constructor(fields: VerifiedChainFields) {
    this.path = fields.path;
    this.trustAnchor = fields.trustAnchor;
    this.purpose = fields.purpose;
    this.referenceNames = fields.referenceNames;
    this.time = fields.time;
    this.policies = fields.policies;
    this.validUntil = fields.validUntil;
    this.warnings = fields.warnings;
    this.#passed = fields.passed;
  }

  /** Every check that passed, on which certificate. */
  get checks(): readonly PassedCheck[] {
    return this.#passed();
  }
}

/** Why no chain holds. */
export interface RefusedChain {
  readonly ok: false;
  /** What is wrong with the path that came furthest, the most telling first; at least one. */
  readonly failures: readonly ChainFailure[];
  readonly warnings: readonly ChainFailure[];
  /** The path that came furthest. */
  readonly path: readonly Certificate[];
  readonly trustAnchor: TrustAnchor | undefined;
  readonly checks: readonly PassedCheck[];
  /** Every other path that was tried (at most 100 are kept), the most telling first. */
  readonly tried: readonly FailedPath[];
  readonly purpose: ChainPurpose;
  readonly time: number;
}

export type ChainResult = VerifiedChain | RefusedChain;
