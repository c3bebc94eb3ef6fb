/**
 * Condition operators: all of IAM's, with `ForAnyValue:`, `ForAllValues:` and `...IfExists`.
 *
 * A negated operator is its positive one turned round: none of the policy's values may match. Numbers, dates, Booleans,
 * addresses and Base64 are literal; variables resolve in text and ARNs only (IAM).
 */

import type { RequestContext } from "./context.ts";
import { substitute } from "./context-key.ts";
import { compareDecimals, isBase64, isWithin, parseAddressBlock, parseDate, parseDecimal } from "./condition-value.ts";
import { Glob } from "./glob.ts";
import { parsePattern, type PatternToken } from "./pattern.ts";
import { ResourcePattern, splitArn } from "./resource-pattern.ts";

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

/** Takes an operator apart; `undefined` where IAM has no such operator. Null has neither prefix nor suffix. */
export function parseOperator(written: string): ConditionOperator | undefined {
  const match = /^(?:(ForAnyValue|ForAllValues):)?(\w+?)(IfExists)?$/.exec(written);
  const name = match?.[2] ?? "";
  const family = families.get(name);
  if (match === null || family === undefined) return undefined;
  if (name === "Null" && written !== "Null") return undefined;
  return {
    quantifier: match[1] === undefined ? "none" : match[1] === "ForAnyValue" ? "any" : "all",
    name,
    isNegated: family.isNegated,
    ifExists: match[3] !== undefined,
    parseValue: family.parseValue,
  };
}

/** Names of all operators without prefixes and suffixes, for suggestions. */
export function operatorNames(): string[] {
  return [...families.keys()];
}

interface Family {
  readonly isNegated: boolean;
  readonly parseValue: ConditionOperator["parseValue"];
}

type ParseValue = ConditionOperator["parseValue"];
type Comparison = (difference: number) => boolean;

const families: ReadonlyMap<string, Family> = new Map([
  ...pair("StringEquals", "StringNotEquals", textEquals(false)),
  ...pair("StringEqualsIgnoreCase", "StringNotEqualsIgnoreCase", textEquals(true)),
  ...pair("StringLike", "StringNotLike", textLike),
  ...ordered(
    "Numeric",
    (text) => {
      const number = parseDecimal(text);
      return number === undefined
        ? undefined
        : (other) => {
            const candidate = parseDecimal(other);
            return candidate === undefined ? Number.NaN : compareDecimals(candidate, number);
          };
    },
    "a decimal number",
  ),
  ...ordered(
    "Date",
    (text) => {
      const date = parseDate(text);
      return date === undefined ? undefined : (other) => (parseDate(other) ?? Number.NaN) - date;
    },
    "a date (ISO 8601, or seconds since 1970)",
  ),
  ...pair("IpAddress", "NotIpAddress", address),
  ...pair("ArnEquals", "ArnNotEquals", arnLike),
  ...pair("ArnLike", "ArnNotLike", arnLike),
  ["Bool", { isNegated: false, parseValue: boolean }],
  ["Null", { isNegated: false, parseValue: boolean }],
  ["BinaryEquals", { isNegated: false, parseValue: binary }],
]);

function pair(positive: string, negative: string, parseValue: ParseValue): [string, Family][] {
  return [
    [positive, { isNegated: false, parseValue }],
    [negative, { isNegated: true, parseValue }],
  ];
}

/** The six comparisons. `difference` gives a function of the request's value; NaN, for no value, satisfies none. */
function ordered(
  prefix: string,
  difference: (text: string) => ((candidate: string) => number) | undefined,
  expected: string,
): [string, Family][] {
  const comparison =
    (holds: Comparison): ParseValue =>
    (text) => {
      const compare = difference(text);
      if (compare === undefined) return `${expected} was expected`;
      return { tokens: [], matches: (candidate) => holds(compare(candidate)) };
    };
  return [
    ...pair(
      `${prefix}Equals`,
      `${prefix}NotEquals`,
      comparison((d) => d === 0),
    ),
    [`${prefix}LessThan`, { isNegated: false, parseValue: comparison((d) => d < 0) }],
    [`${prefix}LessThanEquals`, { isNegated: false, parseValue: comparison((d) => d <= 0) }],
    [`${prefix}GreaterThan`, { isNegated: false, parseValue: comparison((d) => d > 0) }],
    [`${prefix}GreaterThanEquals`, { isNegated: false, parseValue: comparison((d) => d >= 0) }],
  ];
}

function textEquals(ignoreCase: boolean): ParseValue {
  const fold = (text: string): string => (ignoreCase ? text.toLowerCase() : text);
  return (text, variables) => {
    const tokens = parsePattern(text, { wildcards: false, variables });
    const [only, ...others] = tokens;
    if (others.length === 0 && only?.kind !== "variable") {
      const literal = fold(only?.kind === "text" ? only.text : "");
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

/** ArnEquals and ArnLike are the same: segment by segment, with wildcards. */
function arnLike(text: string, variables: boolean): ValueTest | string {
  const tokens = parsePattern(text, { wildcards: true, variables });
  const isEverything = tokens.length > 0 && tokens.every((token) => token.kind === "any");
  if (!isEverything && splitArn(tokens).length < 6) return "an ARN of six segments, or *, was expected";
  const pattern = new ResourcePattern(tokens);
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
