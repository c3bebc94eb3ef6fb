/**
 * Condition operators: all of IAM's, with `ForAnyValue:`, `ForAllValues:` and `...IfExists`.
 *
 * A negated operator holds where its positive one does not: none of the policy's values may match. Numbers, dates, Booleans,
 * addresses and Base64 are literal; variables resolve in text and ARNs only (IAM).
 */

import type { RequestContext } from "./context.ts";
import { substitute } from "./context-key.ts";
import { isBase64, isWithin, parseAddressBlock, parseDate, parseDecimal } from "./condition-value.ts";
import { Glob } from "./glob.ts";
import { parsePattern, type PatternToken } from "./pattern.ts";
import { parseArnPattern, ResourcePattern, splitArn } from "./resource-pattern.ts";

/** An operator as a policy writes it, taken apart. */
export interface ConditionOperator {
  readonly quantifier: "none" | "any" | "all";
  /** The name without prefix and suffix. */
  readonly name: string;
  readonly isNegated: boolean;
  readonly ifExists: boolean;
  /** Reads one of the policy's values; gives a text that says what is wrong with it where it cannot. */
  readonly parseValue: (text: string, variables: boolean) => ValueTest | string;
}

/** One value of a condition, made ready. */
export interface ValueTest {
  readonly tokens: readonly PatternToken[];
  readonly matches: (candidate: string, context: RequestContext) => boolean;
}

/**
 * Takes an operator apart, exactly as IAM writes it; `undefined` where IAM has no such operator. Null has neither prefix
 * nor suffix.
 */
export function parseOperator(written: string): ConditionOperator | undefined {
  const match = /^(?:(ForAnyValue|ForAllValues):)?(\w+?)(IfExists)?$/.exec(written);
  const family = families.get(match?.[2] ?? "");
  if (match === null || family === undefined) return undefined;
  const [, prefix, , suffix] = match;
  if (family.name === "Null" && (prefix ?? suffix) !== undefined) return undefined;
  return {
    quantifier: prefix === undefined ? "none" : prefix.length === "ForAnyValue".length ? "any" : "all",
    name: family.name,
    isNegated: family.isNegated,
    ifExists: suffix !== undefined,
    parseValue: family.parseValue,
  };
}

/** Names of all operators without prefixes and suffixes, for suggestions. */
export function operatorNames(): string[] {
  return Array.from(families.values(), (family) => family.name);
}

interface Family {
  readonly name: string;
  readonly isNegated: boolean;
  readonly parseValue: ParseValue;
}

type ParseValue = ConditionOperator["parseValue"];

/** A number or a date, made comparable. */
type Ordered = bigint | number;

/** By name. */
const families: ReadonlyMap<string, Family> = new Map(
  [
    ...pair("StringEquals", "StringNotEquals", textEquals(false)),
    ...pair("StringEqualsIgnoreCase", "StringNotEqualsIgnoreCase", textEquals(true)),
    ...pair("StringLike", "StringNotLike", textLike),
    ...comparisons("Numeric", parseDecimal, "a decimal number was expected"),
    ...comparisons("Date", parseDate, "a date (ISO 8601, or seconds since 1970) was expected"),
    ...pair("IpAddress", "NotIpAddress", address),
    ...pair("ArnEquals", "ArnNotEquals", arnLike),
    ...pair("ArnLike", "ArnNotLike", arnLike),
    positive("Bool", boolean),
    positive("Null", boolean),
    positive("BinaryEquals", binary),
  ].map((family) => [family.name, family]),
);

function positive(name: string, parseValue: ParseValue): Family {
  return { name, isNegated: false, parseValue };
}

function pair(name: string, negatedName: string, parseValue: ParseValue): Family[] {
  return [positive(name, parseValue), { name: negatedName, isNegated: true, parseValue }];
}

/** The six comparisons of one kind of value. What the request has and cannot be read satisfies none of them. */
function comparisons(prefix: string, parse: (text: string) => Ordered | undefined, expected: string): Family[] {
  const comparison =
    (holds: (candidate: Ordered, value: Ordered) => boolean): ParseValue =>
    (text) => {
      const value = parse(text);
      if (value === undefined) return expected;
      const matches = (other: string): boolean => {
        const candidate = parse(other);
        return candidate !== undefined && holds(candidate, value);
      };
      return { tokens: [], matches };
    };
  const equals = comparison((candidate, value) => candidate === value);
  return [
    ...pair(`${prefix}Equals`, `${prefix}NotEquals`, equals),
    positive(
      `${prefix}LessThan`,
      comparison((candidate, value) => candidate < value),
    ),
    positive(
      `${prefix}LessThanEquals`,
      comparison((candidate, value) => candidate <= value),
    ),
    positive(
      `${prefix}GreaterThan`,
      comparison((candidate, value) => candidate > value),
    ),
    positive(
      `${prefix}GreaterThanEquals`,
      comparison((candidate, value) => candidate >= value),
    ),
  ];
}

function textEquals(ignoreCase: boolean): ParseValue {
  const fold = (text: string): string => (ignoreCase ? text.toLowerCase() : text);
  return (text, variables) => {
    const tokens = parsePattern(text, { wildcards: false, variables });
    const [only, ...others] = tokens;
    if (others.length === 0 && only?.kind !== "variable") {
      const literal = fold(only?.kind === "text" ? only.text : "");
      if (!ignoreCase) return { tokens, matches: (candidate) => candidate === literal };
      return { tokens, matches: (candidate) => fold(candidate) === literal };
    }
    return {
      tokens,
      matches: (candidate, context) => {
        const expanded = expand(tokens, context);
        return expanded !== undefined && fold(expanded) === fold(candidate);
      },
    };
  };
}

/** Literal text and variables joined; `undefined` where a variable does not resolve. */
function expand(tokens: readonly PatternToken[], context: RequestContext): string | undefined {
  let text = "";
  for (const token of tokens) {
    const part = token.kind === "text" ? token.text : token.kind === "variable" ? substitute(token.key, context) : "";
    if (part === undefined) return undefined;
    text += part;
  }
  return text;
}

function textLike(text: string, variables: boolean): ValueTest {
  const tokens = parsePattern(text, { wildcards: true, variables });
  const glob = new Glob(tokens);
  return { tokens, matches: (candidate, context) => glob.matches(candidate, 0, candidate.length, context) };
}

/** ArnEquals and ArnLike are the same (IAM): segment by segment, with wildcards that stop at the first five colons. */
function arnLike(text: string, variables: boolean): ValueTest | string {
  const tokens = parseArnPattern(text, variables);
  const isEverything = tokens.length > 0 && tokens.every((token) => token.kind === "any");
  if (!isEverything && splitArn(tokens).length < 6) return "an ARN of six segments, or *, was expected";
  const pattern = new ResourcePattern(tokens, false);
  return { tokens, matches: (candidate, context) => pattern.matches(candidate, context) };
}

function boolean(text: string): ValueTest | string {
  const expected = text.toLowerCase();
  if (expected !== "true" && expected !== "false") return "true or false was expected";
  return { tokens: [], matches: (candidate) => candidate.toLowerCase() === expected };
}

function binary(text: string): ValueTest | string {
  if (!isBase64(text)) return "Base64 was expected";
  return { tokens: [], matches: (candidate) => candidate === text };
}

function address(text: string): ValueTest | string {
  const block = parseAddressBlock(text);
  if (block === undefined) return "an IP address, or a block such as 192.0.2.0/24, was expected";
  return {
    tokens: [],
    matches: (candidate) => {
      const inner = parseAddressBlock(candidate);
      return inner !== undefined && isWithin(inner, block);
    },
  };
}
