/**
 * A second, naive interpreter of policies, written from the rules and sharing no code with the package: it reads the
 * document with JSON.parse, matches by recursion over characters, and looks at every statement of every policy. It
 * covers what the property tests generate: text, Null and Boolean conditions, sets, variables of every family.
 */

import type { Decision, PolicyRequest, RequestContext } from "@latchkey/policy";

type Json = Record<string, unknown>;
type Part = string | { readonly wild: "*" | "?" } | undefined;

export function referenceDecision(documents: readonly string[], request: PolicyRequest): Decision {
  let decision: Decision = "implicit-deny";
  for (const document of documents) {
    const statements = (JSON.parse(document) as { Statement: Json[] }).Statement;
    for (const statement of statements) {
      if (!applies(statement, request)) continue;
      if (statement["Effect"] === "Deny") return "explicit-deny";
      decision = "allow";
    }
  }
  return decision;
}

function list(value: unknown): string[] {
  return Array.isArray(value) ? value.map(String) : [String(value)];
}

function applies(statement: Json, { action, resource, context }: PolicyRequest): boolean {
  const isAllow = statement["Effect"] === "Allow";
  const named = (pattern: string): boolean =>
    wild(Array.from(pattern.toLowerCase()).map(wildPart), Array.from(action.toLowerCase()));
  const spoken =
    "Action" in statement ? list(statement["Action"]).some(named) : !list(statement["NotAction"]).some(named);
  if (!spoken) return false;
  const fits = (pattern: string): boolean => arnMatches(arnParts(pattern, context), resource);
  if ("Resource" in statement) {
    if (!list(statement["Resource"]).some(fits)) return false;
  } else {
    const excluded = list(statement["NotResource"]);
    if (excluded.some((pattern) => arnParts(pattern, context).includes(undefined))) return false;
    if (excluded.some(fits)) return false;
  }
  const conditions = (statement["Condition"] ?? {}) as Record<string, Json>;
  return Object.entries(conditions).every(([operator, keys]) =>
    Object.entries(keys).every(([key, wanted]) => holds(operator, key, list(wanted), context, isAllow)),
  );
}

function holds(operator: string, key: string, wanted: string[], context: RequestContext, isAllow: boolean): boolean {
  const found = valuesOf(key, context);
  if (operator === "Null") return wanted.includes(String(found.length === 0));
  const set = operator.includes(":") ? operator.slice(0, operator.indexOf(":")) : "";
  const ifExists = operator.endsWith("IfExists");
  const name = operator.replace(/^.*:/, "").replace("IfExists", "");
  const isNegated = name.includes("Not");
  if (found.length === 0) return ifExists || set === "ForAllValues" || (set === "" && isNegated);
  const expanded = wanted.map((text) => parts(text, context));
  if (isNegated && expanded.some((one) => one.includes(undefined))) return false;
  const one = (value: string): boolean =>
    wanted.some((text) => compare(name.replace("Not", ""), text, value, context)) !== isNegated;
  return set === "ForAllValues" || (set === "" && isAllow) ? found.every(one) : found.some(one);
}

function compare(name: string, text: string, value: string, context: RequestContext): boolean {
  if (name === "Bool") return text.toLowerCase() === value.toLowerCase();
  const pattern = parts(text, context);
  if (pattern.includes(undefined)) return false;
  if (name === "StringLike") return wild(pattern, Array.from(value));
  const literal = pattern.map((part) => (typeof part === "string" ? part : (part?.wild ?? ""))).join("");
  return name === "StringEqualsIgnoreCase" ? literal.toLowerCase() === value.toLowerCase() : literal === value;
}

function wildPart(character: string): Part {
  return character === "*" || character === "?" ? { wild: character } : character;
}

/** The pattern as single characters, wildcards, and `undefined` for what does not resolve. */
function parts(text: string, context: RequestContext): Part[] {
  const result: Part[] = [];
  for (let rest = text; rest !== "";) {
    const match = /^\$\{([^{}]+)\}/.exec(rest) ?? /^\$\(([*?$])\)/.exec(rest);
    const [name] = match?.slice(1) ?? [];
    if (match === null || name === undefined) {
      const [first = ""] = rest;
      result.push(wildPart(first));
      rest = rest.slice(first.length);
      continue;
    }
    if ("*?$".includes(name)) result.push(name);
    else {
      const value = variable(name, context);
      if (value === undefined) result.push(undefined);
      else result.push(...Array.from(value));
    }
    rest = rest.slice(match[0].length);
  }
  return result;
}

function variable(name: string, context: RequestContext): string | undefined {
  if (["iot:connectattributes", "iot:lastwilltopic", "iot:topic"].includes(name.toLowerCase()) || /\.List$/i.test(name))
    return undefined;
  const [value] = valuesOf(name, context);
  if (/^iot:Certificate\./i.test(name) && value !== undefined && (/[*$+?#]/.test(value) || value.length > 1024))
    return undefined;
  return value;
}

/** Wildcards of the first segments stop at colons, but a `*` that ends one of them may run across. */
function arnMatches(pattern: readonly Part[], resource: string): boolean {
  if (pattern.length > 0 && pattern.every((part) => typeof part === "object" && part.wild === "*")) return true;
  const wanted = split(pattern);
  const open = wanted.slice(0, -1).some((segment) => isStar(segment.at(-1)));
  if (wanted.length < 6 && !open && !isStar(pattern.at(-1)))
    return arnMatches([...pattern, ":", { wild: "*" }], resource);
  return !pattern.includes(undefined) && segmentsMatch(wanted, Array.from(resource));
}

function isStar(part: Part): boolean {
  return typeof part === "object" && part.wild === "*";
}

function segmentsMatch(wanted: readonly (readonly Part[])[], text: readonly string[]): boolean {
  const [first = [], ...others] = wanted;
  if (others.length === 0) return wild(first, text);
  let colons = 0;
  return text.some((character, at) => {
    if (character !== ":") return false;
    colons++;
    const fits =
      colons === 1
        ? wild(first, text.slice(0, at))
        : isStar(first.at(-1)) && wild(first, text.slice(0, text.indexOf(":")));
    return fits && segmentsMatch(others, text.slice(at + 1));
  });
}

/** At the first five colons. A value that was substituted may hold colons, which this cannot tell apart: none is made. */
function split(pattern: readonly Part[]): Part[][] {
  const segments: Part[][] = [[]];
  for (const part of pattern) {
    if (part === ":" && segments.length < 6) segments.push([]);
    else segments.at(-1)?.push(part);
  }
  return segments;
}

/** Variables stand for something behind the fifth colon only. */
function arnParts(text: string, context: RequestContext): Part[] {
  const head = /^(?:[^:]*:){5}/.exec(text)?.[0] ?? text;
  return [...Array.from(head).map(wildPart), ...parts(text.slice(head.length), context)];
}

function wild(pattern: readonly Part[], text: readonly string[]): boolean {
  const [first, ...rest] = pattern;
  if (first === undefined) return pattern.length === 0 && text.length === 0;
  if (typeof first === "object" && first.wild === "*") {
    return wild(rest, text) || (text.length > 0 && wild(pattern, text.slice(1)));
  }
  if (text.length === 0) return false;
  return (typeof first === "object" || first === text[0]) && wild(rest, text.slice(1));
}

/** The values of the keys that the generators use. */
function valuesOf(key: string, context: RequestContext): string[] {
  return allValuesOf(key, context).filter((value) => value !== "");
}

function allValuesOf(
  key: string,
  { clientId, thing, certificate, connectAttributes, lastWillTopic, topic, keys }: RequestContext,
): string[] {
  const some = (value: string | undefined): string[] => (value === undefined ? [] : [value]);
  const attached = thing?.isAttached === true ? thing : undefined;
  const escaped = (values: readonly string[] = []): string[] =>
    values.slice(0, 5).map((value) => value.replace(/[,"\\+=<>;]/g, (character) => `\\${character}`));
  const attribute = /^iot:Connection\.Thing\.Attributes\[(.+)\]$/i.exec(key)?.[1];
  if (attribute !== undefined) return some(attached?.attributes?.[attribute]);
  const name = /^iot:Certificate\.Subject\.CommonName(?:\.(.+))?$/i.exec(key);
  if (name !== null) {
    const all = escaped(certificate?.subject?.CommonName);
    return name[1]?.toLowerCase() === "list" ? all : all.slice(Number(name[1] ?? 0), Number(name[1] ?? 0) + 1);
  }
  switch (key.toLowerCase()) {
    case "iot:clientid":
      return some(clientId);
    case "iot:connection.thing.thingname":
      return some(attached?.name);
    case "iot:connection.thing.isattached":
      return thing === undefined && clientId === undefined ? [] : [String(attached !== undefined)];
    case "iot:certificate.serialnumber":
      return some(certificate?.serialNumber);
    case "iot:connectattributes":
      return [...(connectAttributes ?? [])];
    case "iot:lastwilltopic":
      return some(lastWillTopic);
    case "iot:topic":
      return some(topic);
    default:
      return Object.entries(keys ?? {}).flatMap(([name, found]) =>
        name.toLowerCase() === key.toLowerCase() ? found : [],
      );
  }
}
