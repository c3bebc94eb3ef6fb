/**
 * Linting: what AWS accepts and people regret.
 *
 * Takes over the published checks of AWS IoT Device Defender for permissive and misconfigured policies, and adds what
 * the language itself makes easy to get wrong. A finding about a hole comes with a request that goes through it; that
 * request was decided by the same policies, so the finding can be replayed.
 */

import type { ParsedPolicy } from "./document.ts";
import { lintConditions } from "./lint-conditions.ts";
import { lintNames } from "./lint-names.ts";
import { lintReach } from "./lint-reach.ts";
import { lintResources } from "./lint-resources.ts";
import { LintRun, type LintFinding } from "./lint-run.ts";

/** Everything about these policies, which are in effect together, that is probably not meant; in their order. */
export function lint(policies: readonly ParsedPolicy[]): readonly LintFinding[] {
  const run = new LintRun(policies);
  lintNames(run, policies);
  for (const subject of run.subjects) {
    lintResources(run, subject);
    lintConditions(run, subject);
  }
  lintReach(run);
  return run.findings();
}
