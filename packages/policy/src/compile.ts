/** Statements made ready for deciding, and the evaluation that `decide` and `explain` share. */

import type { KeyValue } from "./context-key.ts";
import { contextKey, ownText, substitute, thingAttributes, type ContextKey } from "./context-key.ts";
import type { RequestContext } from "./context.ts";
import type { Condition, ConditionValue, Element, ParsedPolicy, Statement } from "./document.ts";
import { Glob } from "./glob.ts";
import { internedText } from "./interned-text.ts";
import type { PatternToken } from "./pattern.ts";
import { ResourcePattern } from "./resource-pattern.ts";

/** A statement with its patterns compiled. */
export interface CompiledStatement {
  readonly policy: ParsedPolicy;
  readonly statement: Statement;
  readonly isAllow: boolean;
  readonly actions: readonly Glob[];
  readonly resources: readonly ResourcePattern[];
  /** In the order of the document. */
  readonly conditions: readonly CompiledCondition[];
  /** The same by key, so that a decision reads each key once; those that literal values decide come first. */
  readonly conditionsByKey: readonly KeyConditions[];
}

/** All conditions of one statement about one key. */
export interface KeyConditions {
  readonly key: ContextKey;
  readonly conditions: readonly CompiledCondition[];
  /**
   * The values that can hold where the request has exactly one: those that an equality of texts lists, without those
   * that another literal condition on this key refuses. So a single look-up stands for all literal conditions.
   * Undefined where no condition lists literal values.
   */
  readonly accepted: ReadonlySet<string> | undefined;
  /** The only value that is accepted, where nothing remains to be asked about it. */
  readonly onlyValue: string | undefined;
  /** The conditions that `accepted` does not stand for, as they hold variables. */
  readonly remaining: readonly CompiledCondition[];
}

/** A condition with its key looked up. */
export interface CompiledCondition {
  readonly condition: Condition;
  readonly key: ContextKey;
  /** Its number in the matcher; equal conditions of statements of one effect share it. */
  readonly number: number;
}

/** Numbers the conditions of one matcher. */
export class ConditionTable {
  readonly #numbers = new Map<string, number>();

  get size(): number {
    return this.#numbers.size;
  }

  numberOf({ operatorText, values }: Condition, key: ContextKey, policy: ParsedPolicy, isAllow: boolean): number {
    const texts = values.map(({ text }) => `${text.length}:${text}`).join("");
    const identity = `${isAllow} ${policy.version} ${operatorText} ${key.name.length} ${key.name} ${texts}`;
    const number = this.#numbers.get(identity) ?? this.#numbers.size;
    this.#numbers.set(identity, number);
    return number;
  }
}

/** The outcomes of conditions in the decision that is being made, so that each condition is evaluated once. */
export class Evaluation {
  /** By the condition's number: twice the decision's number, plus 1 where the condition held in it. */
  readonly #outcomes: Float64Array;
  #decision = 0;

  constructor(conditions: number) {
    this.#outcomes = new Float64Array(conditions);
  }

  /** Forgets all outcomes. */
  start(): void {
    this.#decision += 2;
  }

  /** Whether all conditions of a statement hold. */
  allHold({ conditionsByKey, isAllow }: CompiledStatement, context: RequestContext): boolean {
    if (conditionsByKey.length === 0) return true;
    // Read once: a statement can ask for many attributes of the thing.
    const attributes = thingAttributes(context);
    for (const group of conditionsByKey) {
      const { thingAttribute } = group.key;
      const found = thingAttribute === undefined ? group.key.read(context) : ownText(attributes, thingAttribute);
      if (found !== undefined && found === group.onlyValue) continue;
      if (!this.#groupHolds(group, found, isAllow, context)) return false;
    }
    return true;
  }

  #groupHolds(
    { conditions, accepted, remaining }: KeyConditions,
    found: KeyValue,
    isAllow: boolean,
    context: RequestContext,
  ): boolean {
    if (accepted === undefined || typeof found !== "string" || found === "") {
      return this.#eachHolds(conditions, withoutEmpty(found), isAllow, context);
    }
    return accepted.has(found) && this.#eachHolds(remaining, found, isAllow, context);
  }

  #eachHolds(
    conditions: readonly CompiledCondition[],
    found: KeyValue,
    isAllow: boolean,
    context: RequestContext,
  ): boolean {
    for (const { condition, number } of conditions) {
      const outcome = (this.#outcomes[number] ?? 0) - this.#decision;
      if (outcome === 0) return false;
      if (outcome === 1) continue;
      const holds = conditionHolds(condition, found, isAllow, context);
      this.#outcomes[number] = this.#decision + (holds ? 1 : 0);
      if (!holds) return false;
    }
    return true;
  }
}

/** `conditions` numbers the statement's conditions within a matcher. */
export function compileStatement(
  policy: ParsedPolicy,
  statement: Statement,
  conditions: ConditionTable = new ConditionTable(),
): CompiledStatement {
  const isAllow = statement.effect === "Allow";
  const keys = new Map<string, ContextKey>();
  const compiled = statement.conditions.map((condition) => {
    const found = contextKey(condition.keyText);
    const key = keys.get(found.name) ?? found;
    keys.set(key.name, key);
    return { condition, key, number: conditions.numberOf(condition, key, policy, isAllow) };
  });
  return {
    policy,
    statement,
    isAllow,
    actions: statement.action.values.map((value) => new Glob(value.tokens)),
    resources: statement.resource.values.map((value) => new ResourcePattern(value.tokens)),
    conditions: compiled,
    conditionsByKey: groupByKey(compiled, isAllow),
  };
}

function groupByKey(compiled: readonly CompiledCondition[], isAllow: boolean): readonly KeyConditions[] {
  if (compiled.length === 0) return [];
  const groups = Array.from(
    Map.groupBy(compiled, ({ key }) => key),
    ([key, conditions]): KeyConditions => {
      const listed = conditions.find(({ condition }) => listsLiterals(condition))?.condition;
      if (listed === undefined) {
        return { key, conditions, accepted: undefined, onlyValue: undefined, remaining: conditions };
      }
      const [literal, remaining] = partition(conditions, ({ condition }) => isLiteral(condition));
      const texts = listed.values
        .map(({ test }) => internedText(literalText(test.tokens)))
        // An empty text is no value, so no request has it.
        .filter(
          (text) => text !== "" && literal.every(({ condition }) => conditionHolds(condition, text, isAllow, {})),
        );
      const accepted = new Set(texts);
      const onlyValue = accepted.size === 1 && remaining.length === 0 ? texts[0] : undefined;
      return { key, conditions, accepted, onlyValue, remaining };
    },
  );
  const [decidedByLiterals, others] = partition(groups, ({ accepted }) => accepted !== undefined);
  return [...decidedByLiterals, ...others];
}

/** Whether a single value holds only if it is one of the texts that the condition lists, whatever the set prefix. */
function listsLiterals(condition: Condition): boolean {
  return condition.operator.name === "StringEquals" && isLiteral(condition);
}

/** Whether the outcome depends on nothing but what the request has for the key. */
function isLiteral({ values }: Condition): boolean {
  return values.every(({ test }) => test.tokens.every(({ kind }) => kind !== "variable"));
}

function literalText(tokens: readonly PatternToken[]): string {
  return tokens.map((token) => (token.kind === "text" ? token.text : "")).join("");
}

function partition<Item>(items: readonly Item[], belongs: (item: Item) => boolean): [Item[], Item[]] {
  const [first, second]: [Item[], Item[]] = [[], []];
  for (const item of items) (belongs(item) ? first : second).push(item);
  return [first, second];
}

/** `action` in lower case. */
export function actionMatches(compiled: CompiledStatement, action: string): boolean {
  const { isNegated }: Element = compiled.statement.action;
  return compiled.actions.some((glob) => glob.matches(action, 0, action.length, noContext)) !== isNegated;
}

const noContext: RequestContext = {};

/** Whether Resource or NotResource matches. */
export function resourceMatches(compiled: CompiledStatement, resource: string, context: RequestContext): boolean {
  const { resources } = compiled;
  if (compiled.statement.resource.isNegated) {
    // A pattern without a value for its variable excludes nothing that can be named, so the statement does not apply,
    // whether it is an Allow or a Deny.
    if (!resources.every((pattern) => pattern.resolves(context))) return false;
    return !resources.some((pattern) => pattern.matches(resource, context));
  }
  for (let index = 0; index < resources.length; index++) {
    if (resources[index]?.matches(resource, context) === true) return true;
  }
  return false;
}

/** One key under one operator. */
export function conditionMatches(compiled: CompiledCondition, isAllow: boolean, context: RequestContext): boolean {
  const { condition, key } = compiled;
  return conditionHolds(condition, withoutEmpty(key.read(context)), isAllow, context);
}

/** `found` is what the request has for the key, without empty texts. */
function conditionHolds(
  { operator, values }: Condition,
  found: KeyValue,
  isAllow: boolean,
  context: RequestContext,
): boolean {
  if (operator.name === "Null") return someValueMatches(values, String(found === undefined), context);
  if (found === undefined) {
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

/** What counts of a key's value: an empty text is a null data set (IAM), so it and an empty list are no value. */
export function withoutEmpty(found: KeyValue): KeyValue {
  if (found === undefined || typeof found === "string") return found === "" ? undefined : found;
  const texts = found.includes("") ? found.filter((text) => text !== "") : found;
  return texts.length === 0 ? undefined : texts;
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
