/** Lint: conditions with outcomes that are easy to get wrong, and a Deny that may not fire. */

import type { CompiledCondition } from "./compile.ts";
import { isOfConnection, type ContextKey } from "./context-key.ts";
import type { PolicyAction, PolicyRequest, RequestContext } from "./context.ts";
import { isOverHttps } from "./lint-resources.ts";
import type { LintRun, LintSubject } from "./lint-run.ts";
import type { PatternToken } from "./pattern.ts";
import { isRequestResource } from "./request.ts";
import { sampleText } from "./sample.ts";

/** Reports what is wrong with the conditions of one statement, and a Deny that may not fire. */
export function lintConditions(run: LintRun, subject: LintSubject): void {
  for (const condition of subject.compiled.conditions) {
    lintSetOperator(run, subject, condition);
    lintForAllValues(run, subject, condition);
    lintRequestKey(run, subject, condition);
    lintValues(run, subject, condition);
    lintProtocol(run, subject, condition);
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

/** `ForAllValues` holds for a key without values, so an Allow is open to every requester that lacks the key. */
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

/** Values that an operator compares otherwise than they look. */
function lintValues(run: LintRun, { compiled }: LintSubject, { condition, key }: CompiledCondition): void {
  const { operator, operatorText, values, at } = condition;
  const { policy } = compiled;
  // AWS's recipe for a CONNECT without attributes is an empty list.
  if (values.length === 0 && !(operator.quantifier === "all" && key.name === "iot:ConnectAttributes")) {
    const effect =
      operator.isNegated || operator.quantifier === "all" ? "holds for every value or none" : "never holds";
    const message = `${operatorText} ${key.name} has no values to compare with, so it ${effect}`;
    run.report("empty-value-list", policy, at, message, "write the values, or remove the condition");
  }
  const needed = typeOf(key.name);
  const expected = operatorsOf.get(needed);
  if (key.isKnown && expected !== undefined && operator.name !== "Null" && !expected.pattern.test(operator.name)) {
    const message = `${key.name} is ${expected.what}, which ${operatorText} cannot compare`;
    run.report("operator-of-other-type", policy, at, message, `write ${expected.operator}`);
    return;
  }
  if (!/^String(?:Not)?Equals/.test(operator.name)) return;
  for (const value of values) {
    const isText = value.test.tokens.some((token) => token.kind === "text" && /[*?]/.test(token.text));
    if (!isText || /\$[{(][*?][})]/.test(value.text)) continue;
    const message = `* and ? are ordinary characters in ${operatorText}`;
    const like = operatorText.replace(/Equals(?:IgnoreCase)?/, "Like");
    run.report("wildcard-in-string-equals", policy, value.at, message, `write ${like}`);
  }
}

/** Over HTTPS there is no thing and no client identifier, so a condition on one, or a value made of one, never holds. */
function lintProtocol(run: LintRun, { compiled, actions }: LintSubject, { condition, key }: CompiledCondition): void {
  const { operator, operatorText, values, at } = condition;
  if (!isOverHttps(actions, undefined)) return;
  const fix = "ask about the certificate instead, such as iot:Certificate.Subject.CommonName";
  const holdsWithoutValue = operator.isNegated || operator.ifExists || operator.quantifier === "all";
  if (isOfConnection(key) && !holdsWithoutValue && operator.name !== "Null") {
    const message = `${key.name} has no value over HTTPS, and the actions of this statement exist there only: ${operatorText} never holds`;
    run.report("thing-variable-over-https", compiled.policy, at, message, fix);
    return;
  }
  for (const value of values) {
    const variable = value.test.tokens.find((token) => token.kind === "variable" && isOfConnection(token.key));
    if (variable?.kind !== "variable" || !compiled.isAllow) continue;
    const message = `${variable.written} has no value over HTTPS, and the actions of this statement exist there only: it never matches`;
    run.report("thing-variable-over-https", compiled.policy, value.at, message, fix);
  }
}

type KeyType = "text" | "boolean" | "address" | "number" | "date" | "arn";

function typeOf(name: string): KeyType {
  if (name === "iot:Connection.Thing.IsAttached") return "boolean";
  if (name === "aws:SourceIp") return "address";
  if (name === "aws:CurrentTime") return "date";
  if (name === "aws:EpochTime") return "number";
  if (name === "iot:LastWillTopic") return "arn";
  // A serial number is text that is all digits, and attributes of things may hold numbers.
  return /SerialNumber|Attributes\[/.test(name) ? "number" : "text";
}

/** The operators that can compare a key, by its type. */
const operatorsOf: ReadonlyMap<
  KeyType,
  { readonly what: string; readonly pattern: RegExp; readonly operator: string }
> = new Map([
  ["text", { what: "text", pattern: /^(?:String|Arn|Binary)/, operator: "StringEquals or StringLike" }],
  ["boolean", { what: "true or false", pattern: /^(?:Bool|String)/, operator: "Bool" }],
  ["address", { what: "an IP address", pattern: /^(?:Ip|NotIp|String)/, operator: "IpAddress" }],
  ["date", { what: "a date", pattern: /^(?:Date|String)/, operator: "DateGreaterThan or DateLessThan" }],
  ["arn", { what: "an ARN", pattern: /^(?:Arn|String)/, operator: "ArnLike" }],
]);

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
