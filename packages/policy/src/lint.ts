/**
 * Linting: what AWS accepts and is probably a mistake.
 *
 * Takes over the published checks of AWS IoT Device Defender for permissive and misconfigured policies, and adds what
 * the language itself makes easy to get wrong. A finding about a hole comes with a request that goes through it; that
 * request was decided by the same policies, so the finding can be replayed.
 */

import { resourceOffset } from "./arn.ts";
import type { CompiledStatement } from "./compile.ts";
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
  lintTogether(run);
  return run.findings();
}

/** Rights that are of use only beside another right of the same policies. */
function lintTogether(run: LintRun): void {
  const allows = run.subjects.filter(({ compiled }) => compiled.isAllow);
  const publishes = allows.some(({ actions }) => actions.has("iot:Publish"));
  const connects = allows.some(({ compiled, actions }) => actions.has("iot:Connect") && reachesClients(compiled));
  for (const { compiled, actions } of allows) {
    const { policy, statement } = compiled;
    if (actions.has("iot:RetainPublish") && !publishes) {
      const message = "a retained message needs iot:Publish as well, which no statement allows";
      run.report("retain-without-publish", policy, statement.action.at, message, "add iot:Publish beside it");
    }
    if (actions.has("iot:Connect") && !connects) {
      const message =
        "iot:Connect is asked for on client/..., which no resource of these statements is, so nothing connects";
      const fix = "add a statement that allows iot:Connect on client/${iot:Connection.Thing.ThingName}";
      // Where Connect is named itself, action-resource-mismatch says it already.
      if (statement.action.values.some(({ text }) => text.includes("*")))
        run.report("nothing-connects", policy, statement.action.at, message, fix);
    }
  }
}

function reachesClients({ statement }: CompiledStatement): boolean {
  if (statement.resource.isNegated) return true;
  return statement.resource.values.some(({ text }) => {
    const name = text.slice(resourceOffset(text));
    return resourceOffset(text) === -1 || /^(?:client\/|[^/]*[*?])/.test(name);
  });
}
