/** Turns the attempts of a search that found nothing into one answer, the most telling first. */

import { profileChecks } from "./checks.ts";
import type { ChainFailure, ChainFailureCode } from "./failures.ts";
import type { Attempt } from "./path-search.ts";
import type { Report } from "./report.ts";
import type { ChainPurpose, FailedPath, RefusedChain } from "./result.ts";

/**
 * `instead` are failures that stand above all attempts: a limit, or a certificate that cannot be read. `inspect` tells
 * what else is wrong with the certificates of a path that leads to no anchor.
 */
export function refusal(
  { purpose }: { readonly purpose: ChainPurpose },
  time: number,
  attempts: readonly Attempt[],
  instead: readonly ChainFailure[],
  inspect?: (path: Attempt["path"]) => Report,
): RefusedChain {
  const ordered = attempts
    .map((attempt) => ({ attempt, rank: rankOfPath(attempt) }))
    .sort((a, b) => a.rank - b.rank)
    .map(({ attempt }) => attempt);
  const paths = ordered.map((attempt, index) =>
    failedPath(index === 0 && instead.length === 0 ? inspected(attempt, inspect) : attempt),
  );
  if (instead.length > 0) {
    const none = { path: [], trustAnchor: undefined, warnings: [], checks: [] };
    return { ok: false, ...none, failures: instead, tried: paths, purpose, time };
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

function inspected(attempt: Attempt, inspect: ((path: Attempt["path"]) => Report) | undefined): Attempt {
  if (attempt.anchor !== undefined || inspect === undefined) return attempt;
  const report = inspect(attempt.path);
  const failures = [...attempt.failures, ...report.failures];
  return { ...attempt, failures, warnings: report.warnings, checks: report.passed() };
}

function failedPath({ path, anchor, failures, warnings, checks }: Attempt): FailedPath {
  return {
    path: path.map(({ certificate }) => certificate),
    trustAnchor: anchor?.anchor,
    failures: [...failures].sort((a, b) => rankOfCode(a.code) - rankOfCode(b.code)),
    warnings,
    checks,
  };
}

/** Codes that a profile shares with path validation count as the latter. */
const pathCodes: readonly string[] = [profileChecks.endEntityKeyUsage, profileChecks.revocationListNumber];
const profileCodes: readonly string[] = /* @__PURE__ */ Object.values(profileChecks);

/** What breaks the path itself comes before what only breaks the profile. */
function rankOfCode(code: ChainFailureCode): number {
  return profileCodes.includes(code) && !pathCodes.includes(code) ? 1 : 0;
}

/**
 * Paths that hold but for something said about a certificate tell most, those with the fewest faults first; then dead
 * ends, the longest first, as they came nearest to an anchor; signatures that do not hold are mostly wrong guesses.
 */
function rankOfPath({ path, anchor, failures }: Attempt): number {
  const [first] = failures;
  const isWrongGuess = first?.code === "ERR_CHAIN_SIGNATURE";
  if (anchor !== undefined && !isWrongGuess) return failures.length;
  return (isWrongGuess ? 2000 : 1000) - path.length;
}
