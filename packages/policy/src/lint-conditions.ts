/** Lint: conditions that hold, or do not hold, when nobody expects it; and a Deny that may not fire. */

import type { CompiledCondition } from "./compile.ts";
import type { ContextKey } from "./context-key.ts";
import type { PolicyAction, PolicyRequest, RequestContext } from "./context.ts";
import type { LintRun, LintSubject } from "./lint-run.ts";
import type { PatternToken } from "./pattern.ts";
import { isRequestResource } from "./request.ts";
import { sampleText } from "./sample.ts";

export function lintConditions(run: LintRun, subject: LintSubject): void {
  for (const condition of subject.compiled.conditions) {
    lintSetOperator(run, subject, condition);
    lintForAllValues(run, subject, condition);
    lintRequestKey(run, subject, condition);
  }
  if (!subject.compiled.isAllow) lintDeny(run, subject);
}

function lintSetOperator(run: LintRun, { compiled }: LintSubject, { condition, key }: CompiledCondition): void {
  const { operator, operatorText, at } = condition;
  if (!key.isMultiValued || operator.quantifier !== "none" || operator.name === "Null") return;
  const message = `${key.name} has several values, and ${operatorText} without a prefix compares only one`;
  const fix = `write ForAnyValue:${operatorText} or ForAllValues:${operatorText}`;
  run.report("set-without-prefix", compiled.policy, at, message, fix);
}

/** `ForAllValues` holds for a key without values, so an Allow is open to those who lack the key. */
function lintForAllValues(
  run: LintRun,
  { compiled, actions }: LintSubject,
  { condition, key }: CompiledCondition,
): void {
  // AWS's own recipes allow a CONNECT without attributes this way.
  if (!compiled.isAllow || condition.operator.quantifier !== "all" || key.name === "iot:ConnectAttributes") return;
  const attribute = key.name.replace(/\.List$/, "");
  const isGuarded = compiled.conditions.some(
    (other) =>
      other.key.name.replace(/\.List$/, "") === attribute &&
      (other.condition.operator.quantifier === "any" ||
        (other.condition.operator.name === "Null" && other.condition.values.every(({ text }) => text === "false"))),
  );
  if (isGuarded) return;
  const context: RequestContext = { ...run.context, certificate: {} };
  const request = requestFor(compiled.statement.resource.values[0]?.tokens, actions, run.context, context);
  run.report(
    "vacuous-for-all-values",
    compiled.policy,
    condition.at,
    `ForAllValues also holds where ${key.name} has no value at all`,
    `add "Null": {"${attribute}": "false"}`,
    request && { request, expected: ["allow"] },
  );
}

/** Some keys exist only for one action; elsewhere they are absent. */
function lintRequestKey(run: LintRun, { compiled, actions }: LintSubject, { condition, key }: CompiledCondition): void {
  const action = actionOfKey.get(key.name);
  if (action === undefined || (actions.has(action) && actions.size === 1)) return;
  const message = `${key.name} exists for ${action} only and is absent for the other actions of this statement`;
  run.report(
    "condition-key-of-other-action",
    compiled.policy,
    condition.at,
    message,
    `give ${action} a statement of its own`,
  );
}

const actionOfKey: ReadonlyMap<string, PolicyAction> = new Map<string, PolicyAction>([
  ["iot:ConnectAttributes", "iot:Connect"],
  ["iot:LastWillTopic", "iot:Connect"],
  ["iot:Topic", "iot:SendDirectMessage"],
]);

/** A Deny does not fire where its variable has no value. */
function lintDeny(run: LintRun, { compiled, actions }: LintSubject): void {
  const { policy, statement } = compiled;
  const places = [
    ...statement.resource.values.map(({ tokens, at }) => ({ tokens, at })),
    ...statement.conditions.flatMap(({ values }) => values.map(({ test, at }) => ({ tokens: test.tokens, at }))),
  ];
  for (const { tokens, at } of places) {
    const variable = tokens.find((token) => token.kind === "variable" && mayBeAbsent(token.key));
    if (variable?.kind !== "variable") continue;
    const context: RequestContext = { clientId: run.context.clientId, certificate: {} };
    const request = requestFor(tokens, actions, run.context, context);
    const message = `where ${variable.written} has no value or an unsafe one this Deny does not fire`;
    const fix = "deny by something that every caller has, or allow so little that no Deny is needed";
    run.report(
      "deny-with-unresolvable-variable",
      policy,
      at,
      message,
      fix,
      request && { request, expected: ["allow", "implicit-deny"] },
    );
  }
}

function mayBeAbsent(key: ContextKey): boolean {
  return /^iot:(?:Certificate|Connection)\./.test(key.name);
}

/** A request for the statement's first action on a resource as `named` would have it, made by `context`. */
function requestFor(
  tokens: readonly PatternToken[] | undefined,
  actions: ReadonlySet<PolicyAction>,
  named: RequestContext,
  context: RequestContext,
): PolicyRequest | undefined {
  const resource = tokens && sampleText(tokens, named);
  const [action] = actions;
  return resource !== undefined && isRequestResource(resource) && action !== undefined
    ? { action, resource, context }
    : undefined;
}
