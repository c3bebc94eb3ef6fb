/** Statements made ready for deciding, and the evaluation that `decide` and `explain` share. */

import type { KeyValue } from "./context-key.ts";
import { contextKey, substitute, type ContextKey } from "./context-key.ts";
import type { RequestContext } from "./context.ts";
import type { Condition, ConditionValue, Element, ElementValue, ParsedPolicy, Statement } from "./document.ts";
import { Glob } from "./glob.ts";
import { ResourcePattern } from "./resource-pattern.ts";

/** A statement with its patterns compiled, in the order in which they are cheapest to refute. */
export interface CompiledStatement {
  readonly policy: ParsedPolicy;
  readonly statement: Statement;
  readonly isAllow: boolean;
  readonly actions: readonly Glob[];
  readonly resources: readonly ResourcePattern[];
  readonly conditions: readonly CompiledCondition[];
}

export interface CompiledCondition {
  readonly condition: Condition;
  readonly key: ContextKey;
}

export function compileStatement(policy: ParsedPolicy, statement: Statement): CompiledStatement {
  return {
    policy,
    statement,
    isAllow: statement.effect === "Allow",
    actions: statement.action.values.map((value: ElementValue) => new Glob(value.tokens)),
    resources: statement.resource.values.map((value) => new ResourcePattern(value.tokens)),
    conditions: statement.conditions.map((condition) => ({ condition, key: contextKey(condition.keyText) })),
  };
}

/** `action` in lower case. */
export function actionMatches(compiled: CompiledStatement, action: string): boolean {
  const { isNegated }: Element = compiled.statement.action;
  return compiled.actions.some((glob) => glob.matches(action, 0, action.length, noContext)) !== isNegated;
}

const noContext: RequestContext = {};

export function resourceMatches(compiled: CompiledStatement, resource: string, context: RequestContext): boolean {
  const { resources } = compiled;
  if (compiled.statement.resource.isNegated) {
    // What must not match and is not known says nothing: the statement does not apply, be it Allow or Deny.
    if (!resources.every((pattern) => pattern.resolves(context))) return false;
    return !resources.some((pattern) => pattern.matches(resource, context));
  }
  for (let index = 0; index < resources.length; index++) {
    if (resources[index]?.matches(resource, context) === true) return true;
  }
  return false;
}

export function conditionsMatch(compiled: CompiledStatement, context: RequestContext): boolean {
  const { conditions, isAllow } = compiled;
  for (let index = 0; index < conditions.length; index++) {
    const condition = conditions[index];
    if (condition === undefined || !conditionMatches(condition, isAllow, context)) return false;
  }
  return true;
}

/** One key under one operator. */
export function conditionMatches(compiled: CompiledCondition, isAllow: boolean, context: RequestContext): boolean {
  const { condition, key } = compiled;
  const { operator, values } = condition;
  const found = key.read(context);
  const isMissing = !hasValue(found);
  if (operator.name === "Null") return someValueMatches(values, String(isMissing), context);
  if (isMissing || found === undefined) {
    return operator.ifExists || operator.quantifier === "all" || (operator.quantifier === "none" && operator.isNegated);
  }
  // As for NotResource: a negated operator with an unknown value does not hold.
  if (operator.isNegated && !valuesResolve(values, context)) return false;
  if (typeof found === "string") return someValueMatches(values, found, context) !== operator.isNegated;
  const holds = (value: string): boolean => someValueMatches(values, value, context) !== operator.isNegated;
  // Without a set prefix several values are ambiguous, and IAM leaves them open: here they refuse. An Allow wants all
  // of them to hold, for a Deny one is enough.
  const all = operator.quantifier === "all" || (operator.quantifier === "none" && isAllow);
  return all ? found.every(holds) : found.some(holds);
}

/** Whether a key is there: an empty set counts as absent. */
export function hasValue(found: KeyValue): boolean {
  return found !== undefined && (typeof found === "string" || found.length > 0);
}

function someValueMatches(values: readonly ConditionValue[], candidate: string, context: RequestContext): boolean {
  for (let index = 0; index < values.length; index++) {
    if (values[index]?.test.matches(candidate, context) === true) return true;
  }
  return false;
}

function valuesResolve(values: readonly ConditionValue[], context: RequestContext): boolean {
  return values.every((value) =>
    value.test.tokens.every((token) => token.kind !== "variable" || substitute(token.key, context) !== undefined),
  );
}
