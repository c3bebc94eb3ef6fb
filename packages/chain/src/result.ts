/** The answer about a chain: a proof that it holds, or everything that is known about why it does not. */

import type { Certificate } from "@latchkey/x509";
import type { ChainFailure, ChainFailureCode } from "./failures.ts";
import { type ProfileCheck, profileChecks } from "./profiles.ts";
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

/** A check by its name: of path validation, or of the profile. */
export type ChainCheck = PathCheck | ProfileCheck;

/** One check that passed on one certificate. Certificates are counted from 0, the certificate in question. */
export interface PassedCheck {
  readonly check: ChainCheck;
  readonly certificateIndex: number;
}

/** What a certificate can be asked about for. */
export const chainPurposes = [
  "clientAuth",
  "serverAuth",
  "codeSigning",
  "emailProtection",
  "timeStamping",
  "OCSPSigning",
  "any",
] as const;

/** What a certificate is to be used for; `any` asks nothing of extendedKeyUsage and keyUsage of the end entity. */
export type ChainPurpose = (typeof chainPurposes)[number];

/** A path that was tried and does not hold. */
export interface FailedPath {
  /** The certificate in question first. The last is the one below the anchor, or the one whose issuer was not found. */
  readonly path: readonly Certificate[];
  /** The anchor at its end, where it reached one. */
  readonly trustAnchor: TrustAnchor | undefined;
  readonly failures: readonly ChainFailure[];
  readonly warnings: readonly ChainFailure[];
  readonly checks: readonly PassedCheck[];
}

/** What a verified chain says. */
export interface VerifiedChainFields {
  /** The certificate in question first, the one that the trust anchor signed last. The anchor is not in it. */
  readonly path: readonly Certificate[];
  readonly trustAnchor: TrustAnchor;
  readonly purpose: ChainPurpose;
  /** The names that were asked for, of which the certificate has one; none where none were given. */
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
  /** Failures of checks that are set to warnings, and an unknown revocation status in the mode `soft`. */
  readonly warnings: readonly ChainFailure[];
  /** Makes the list of what passed. */
  readonly passed: () => readonly PassedCheck[];
}

/**
 * The proof that a chain holds. Only `verify` makes one, so a function that takes a `VerifiedChain` need not check again.
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
  /** What is wrong with the path that tells most, the most telling first; at least one. */
  readonly failures: readonly ChainFailure[];
  readonly warnings: readonly ChainFailure[];
  /** That path. */
  readonly path: readonly Certificate[];
  readonly trustAnchor: TrustAnchor | undefined;
  readonly checks: readonly PassedCheck[];
  /** Other paths that were tried (at most 32 are kept), the most telling first. */
  readonly tried: readonly FailedPath[];
  readonly purpose: ChainPurpose;
  readonly time: number;
}

/** The answer; `ok` tells the two apart. */
export type ChainResult = VerifiedChain | RefusedChain;

/** What a refusal is made from. */
export interface RefusalInputs {
  readonly purpose: ChainPurpose;
  readonly time: number;
  readonly attempts: readonly FailedPath[];
  /** Failures that stand above all paths: a limit, or a certificate that cannot be read. */
  readonly above?: readonly ChainFailure[];
}

/** Makes one answer of the paths that failed, the most telling first. */
export function refuse({ purpose, time, attempts, above = [] }: RefusalInputs): RefusedChain {
  const paths = attempts
    .map((attempt) => ({ ...attempt, failures: [...attempt.failures].sort(byRank) }))
    .map((attempt) => ({ attempt, rank: rankOfPath(attempt) }))
    .sort((a, b) => a.rank - b.rank)
    .map(({ attempt }) => attempt);
  if (above.length > 0) {
    const none = { path: [], trustAnchor: undefined, warnings: [], checks: [] };
    return { ok: false, ...none, failures: above, tried: paths, purpose, time };
  }
  const [best, ...tried] = paths;
  return {
    ok: false,
    failures: best?.failures ?? [],
    warnings: best?.warnings ?? [],
    path: best?.path ?? [],
    trustAnchor: best?.trustAnchor,
    checks: best?.checks ?? [],
    tried,
    purpose,
    time,
  };
}

/** What of a path decides how much it tells. */
interface RankedPath {
  readonly path: readonly unknown[];
  readonly trustAnchor: TrustAnchor | undefined;
  readonly failures: readonly ChainFailure[];
}

/** The index of the path that tells most; -1 where there is none. */
export function mostTelling(paths: readonly RankedPath[]): number {
  let best = -1;
  let rank = Number.POSITIVE_INFINITY;
  for (const [index, path] of paths.entries()) {
    const other = rankOfPath(path);
    if (other < rank) [best, rank] = [index, other];
  }
  return best;
}

const profileCodes: ReadonlySet<ChainFailureCode> = /* @__PURE__ */ new Set(
  // Two profile checks share their code with path validation, and count as that.
  Object.entries(profileChecks)
    .filter(([check]) => check !== "endEntityKeyUsage" && check !== "revocationListNumber")
    .map(([, code]) => code),
);

/**
 * Which failure of one path comes first: a certificate that is missing or cannot be read, and one that is revoked, because
 * nothing else matters then. Next what breaks the path, next what nobody could say, last what only the profile asks for.
 */
function rankOfCode(code: ChainFailureCode): number {
  switch (code) {
    case "ERR_CHAIN_CERTIFICATE_MALFORMED":
    case "ERR_CHAIN_NO_ISSUER":
      return 0;
    case "ERR_CHAIN_REVOKED":
      return 1;
    case "ERR_CHAIN_REVOCATION_UNKNOWN":
      return 3;
    default:
      return profileCodes.has(code) ? 4 : 2;
  }
}

function byRank(a: ChainFailure, b: ChainFailure): number {
  return rankOfCode(a.code) - rankOfCode(b.code);
}

/**
 * Which path tells most. First those that reach an anchor: the fewer faults, the better. Then those that end at a
 * certificate that cannot be read, then those that end without an issuer, each the longest first, for it came nearest to an
 * anchor. Last those with a signature that does not hold: mostly another certificate of the same name was meant.
 */
function rankOfPath({ path, trustAnchor, failures }: RankedPath): number {
  const [first] = [...failures].sort(byRank);
  if (first?.code === "ERR_CHAIN_SIGNATURE") return 3000 - path.length;
  if (trustAnchor !== undefined) return failures.length;
  return (first?.code === "ERR_CHAIN_CERTIFICATE_MALFORMED" ? 1000 : 2000) - path.length;
}
