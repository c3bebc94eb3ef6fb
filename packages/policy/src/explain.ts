/**
 * Explaining: the same decision as `decide`, with the outcome of each element of each statement.
 *
 * Nothing is skipped, so the result can be large.
 */

import { actionMatches, conditionMatches, resourceMatches, withoutEmpty } from "./compile.ts";
import type { CompiledCondition, CompiledStatement } from "./compile.ts";
import { substitute } from "./context-key.ts";
import type { PolicyRequest, RequestContext } from "./context.ts";
import type { ElementValue } from "./document.ts";
import type { ConditionOutcome, Explanation, StatementOutcome, ValueOutcome } from "./explanation.ts";
import { nearestAllow } from "./nearest.ts";
import type { PatternToken } from "./pattern.ts";
import { sentenceFor } from "./sentence.ts";
import { whyUnresolved, type UnresolvedVariable } from "./unresolved.ts";

/** The outcome of each statement, the decision that follows from them, and the sentence for people. */
export function explainRequest(statements: readonly CompiledStatement[], request: PolicyRequest): Explanation {
  const outcomes = statements.map((statement) => statementOutcome(statement, request));
  const denies = outcomes.filter((outcome) => outcome.matches && outcome.effect === "Deny");
  const allows = outcomes.filter((outcome) => outcome.matches && outcome.effect === "Allow");
  const decision = denies.length > 0 ? "explicit-deny" : allows.length > 0 ? "allow" : "implicit-deny";
  const decisive = denies.length > 0 ? denies : allows;
  const nearest = decision === "implicit-deny" ? nearestAllow(outcomes, request) : undefined;
  const unresolved = unresolvedOf(outcomes);
  const sentence = sentenceFor({ decision, decisive, nearest, request });
  return { decision, sentence, statements: outcomes, decisive, nearest, unresolved };
}

function statementOutcome(compiled: CompiledStatement, request: PolicyRequest): StatementOutcome {
  const { policy, statement } = compiled;
  const { resource, context } = request;
  const folded = request.action.toLowerCase();
  const actionHolds = actionMatches(compiled, folded);
  const resourceHolds = resourceMatches(compiled, resource, context);
  const conditions = compiled.conditions.map((one) => conditionOutcome(one, compiled.isAllow, context));
  return {
    policy: policy.name,
    path: statement.at.path,
    sid: statement.sid,
    version: policy.version,
    effect: statement.effect,
    matches: actionHolds && resourceHolds && conditions.every(({ matches }) => matches),
    action: {
      matches: actionHolds,
      isNegated: statement.action.isNegated,
      values: statement.action.values.map((value, index) =>
        valueOutcome(value, value.tokens, context, compiled.actions[index]?.matches(folded, 0, folded.length, context)),
      ),
    },
    resource: {
      matches: resourceHolds,
      isNegated: statement.resource.isNegated,
      values: statement.resource.values.map((value, index) =>
        valueOutcome(value, value.tokens, context, compiled.resources[index]?.matches(resource, context)),
      ),
    },
    conditions,
  };
}

function conditionOutcome(compiled: CompiledCondition, isAllow: boolean, context: RequestContext): ConditionOutcome {
  const { condition, key } = compiled;
  const value = withoutEmpty(key.read(context));
  const found = value === undefined ? [] : typeof value === "string" ? [value] : value;
  // Null asks whether the key is absent, so that is what its values are compared with.
  const candidates = condition.operator.name === "Null" ? [String(value === undefined)] : found;
  return {
    matches: conditionMatches(compiled, isAllow, context),
    operator: condition.operatorText,
    key: condition.keyText,
    path: condition.at.path,
    found,
    satisfying: found.filter(
      (text) => condition.values.some(({ test }) => test.matches(text, context)) !== condition.operator.isNegated,
    ),
    values: condition.values.map((one) =>
      valueOutcome(
        one,
        one.test.tokens,
        context,
        candidates.some((candidate) => one.test.matches(candidate, context)),
      ),
    ),
  };
}

function valueOutcome(
  value: Pick<ElementValue, "text" | "at">,
  tokens: readonly PatternToken[],
  context: RequestContext,
  matches: boolean | undefined,
): ValueOutcome {
  const unresolved: UnresolvedVariable[] = [];
  let resolved = "";
  let hasVariables = false;
  for (const token of tokens) {
    if (token.kind === "text") resolved += token.text;
    else if (token.kind === "variable") {
      hasVariables = true;
      resolved += substitute(token.key, context) ?? token.written;
      const why = whyUnresolved(token.written, token.key, context);
      if (why !== undefined) unresolved.push(why);
    } else resolved += token.kind === "any" ? "*" : "?";
  }
  const { text, at } = value;
  return { text, path: at.path, resolved: hasVariables ? resolved : text, matches: matches === true, unresolved };
}

function unresolvedOf(outcomes: readonly StatementOutcome[]): readonly UnresolvedVariable[] {
  const found = new Map<string, UnresolvedVariable>();
  for (const { action, resource, conditions } of outcomes) {
    if (!action.matches) continue;
    for (const value of [...resource.values, ...conditions.flatMap((condition) => condition.values)]) {
      for (const unresolved of value.unresolved) found.set(unresolved.variable, unresolved);
    }
  }
  return [...found.values()];
}
