/**
 * Linting: what AWS accepts and is probably a mistake.
 *
 * Takes over the published checks of AWS IoT Device Defender for permissive and misconfigured policies, and adds what
 * the language itself makes easy to get wrong. A finding about a hole comes with a request that goes through it; that
 * request was decided by the same policies, so the finding can be replayed.
 */

import { resourceOffset } from "./arn.ts";
import { resourceMatches, type CompiledStatement } from "./compile.ts";
import type { ElementValue, ParsedPolicy } from "./document.ts";
import { lintConditions } from "./lint-conditions.ts";
import { lintNames } from "./lint-names.ts";
import { lintReach } from "./lint-reach.ts";
import { lintResources } from "./lint-resources.ts";
import { LintRun, type LintFinding, type LintSubject } from "./lint-run.ts";
import { ResourcePattern } from "./resource-pattern.ts";
import { sampleText } from "./sample.ts";

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
  const publishes = allows.filter(({ actions }) => actions.has("iot:Publish"));
  const connects = allows.some(({ compiled, actions }) => actions.has("iot:Connect") && reachesClients(compiled));
  for (const { compiled, actions } of allows) {
    const { policy, statement } = compiled;
    if (actions.has("iot:RetainPublish") && !actions.has("iot:Publish")) {
      for (const value of statement.resource.isNegated ? [] : statement.resource.values) {
        if (run.faulty.has(value) || publishes.some((other) => overlaps(run, other, value))) continue;
        const message = "a retained message needs iot:Publish as well, which no statement allows for this topic";
        run.report("retain-without-publish", policy, value.at, message, "add iot:Publish beside iot:RetainPublish");
      }
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

/** Whether a statement and a resource have a topic in common, as far as samples of the two tell. */
function overlaps(run: LintRun, { compiled }: LintSubject, value: ElementValue): boolean {
  const asked = sampleText(value.tokens, run.context);
  if (asked === undefined || resourceMatches(compiled, asked, run.context)) return true;
  const pattern = new ResourcePattern(value.tokens);
  return compiled.statement.resource.values.some(({ tokens }) => {
    const granted = sampleText(tokens, run.context);
    return granted !== undefined && pattern.matches(granted, run.context);
  });
}

function reachesClients({ statement }: CompiledStatement): boolean {
  if (statement.resource.isNegated) return true;
  return statement.resource.values.some(({ text }) => {
    const name = text.slice(resourceOffset(text));
    return resourceOffset(text) === -1 || /^(?:client\/|[^/]*[*?])/.test(name);
  });
}
