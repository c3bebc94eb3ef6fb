/** An explanation in one sentence for people. */

import { partsOfArn } from "./arn.ts";
import { contextKey } from "./context-key.ts";
import type { Decision, PolicyRequest, RequestContext } from "./context.ts";
import type {
  ConditionOutcome,
  NearestAllow,
  ResourceSlip,
  Separation,
  StatementOutcome,
  ValueOutcome,
} from "./explanation.ts";
import { escapeLiteral } from "./pattern.ts";
import { whyAbsent } from "./unresolved.ts";

/** What a sentence is made from. */
export interface Reasons {
  readonly decision: Decision;
  readonly decisive: readonly StatementOutcome[];
  readonly nearest: NearestAllow | undefined;
  readonly request: PolicyRequest;
}

/** What was decided, why, and for a refusal what to change. */
export function sentenceFor({ decision, decisive, nearest, request }: Reasons): string {
  const asked = `${request.action} on ${request.resource}`;
  const [statement] = decisive;
  if (statement !== undefined) {
    if (decision === "allow") return `Allowed: ${nameOf(statement)} allows ${asked}.`;
    return `Denied: ${nameOf(statement)} denies ${asked}${whyDenied(statement)}, which outranks every Allow; to let it through, narrow that statement.`;
  }
  if (nearest === undefined) return `Denied: no policy in effect has an Allow statement, so ${asked} needs one.`;
  const why = nearest.separatedBy
    .map((separation) => differenceOf(separation, request, nearest.statement))
    .join("; and ");
  return `Denied: no statement allows ${asked}. Nearest is ${nameOf(nearest.statement)}: ${why}.`;
}

function nameOf({ policy, path, sid }: StatementOutcome): string {
  return `statement ${sid ?? path} of ${policy}`;
}

/** By which resource a Deny fires, and which conditions hold, as far as a reader needs them to narrow it. */
function whyDenied({ action, resource, conditions }: StatementOutcome): string {
  const by = resource.values.find(({ matches }) => matches);
  const listed = resource.values.map(({ resolved }) => resolved).join(", ");
  const where = resource.isNegated
    ? ` because its NotResource (${listed}) does not list it`
    : ` by its resource ${by?.resolved ?? ""}`;
  const unlisted = action.isNegated ? `, as its NotAction does not list the action` : "";
  const held = conditions.map(({ operator, key, values, found }) => {
    const has = found.length === 0 ? "no value for it" : found.join(", ");
    return `${operator} ${key} [${values.map(({ resolved }) => resolved).join(", ")}] (the request has ${has})`;
  });
  return `${where}${unlisted}${held.length === 0 ? "" : ` under its condition ${held.join(" and ")}`}`;
}

function differenceOf(separation: Separation, request: PolicyRequest, statement: StatementOutcome): string {
  if (separation.element === "action") {
    return statement.action.isNegated
      ? `its NotAction (${actionsIn(statement)}) leaves this action out, so take it off that list, or allow it in another statement`
      : `it is about other actions (${actionsIn(statement)}), so add ${request.action}`;
  }
  if (separation.element === "condition") return conditionDifference(separation.condition, statement, request.context);
  const { closest, slip } = separation;
  if (closest === undefined) {
    const excluded = statement.resource.values.find((value) => value.matches);
    const unknown = statement.resource.values.flatMap((value) => value.unresolved)[0];
    if (excluded === undefined && unknown !== undefined) {
      return `its NotResource applies to nothing here because ${unknown.variable} ${unknown.detail}`;
    }
    return `its NotResource ${excluded?.text ?? ""} leaves this resource out, so narrow that, or allow the resource in another statement`;
  }
  if (isOldVersion(statement, closest.text)) {
    return `its resource ${closest.text} is taken as text, because ${oldVersion(statement)}`;
  }
  const [unresolved] = closest.unresolved;
  if (unresolved !== undefined) {
    return `its resource ${closest.text} matches nothing here because ${unresolved.variable} ${unresolved.detail}`;
  }
  const isVariable = closest.resolved !== closest.text;
  const meaning = isVariable
    ? `${closest.text} stands for ${closest.resolved} here`
    : `its resource is ${closest.text}`;
  if (slip !== undefined) return `${meaning}, ${slipAdvice(slip, closest, request)}`;
  return isVariable
    ? `${meaning}, so this caller has to keep to that, or the statement needs a further resource`
    : `${meaning}, so add ${escapeLiteral(request.resource)} to the statement, or widen the resource until it covers that`;
}

/** The actions as written, the first of many. */
function actionsIn({ action }: StatementOutcome): string {
  const texts = action.values.map(({ text }) => text);
  return texts.slice(0, 5).join(", ") + (texts.length > 5 ? ", ..." : "");
}

/** Whether what looks like a variable is text, as the policy's version has none. */
function isOldVersion({ version }: StatementOutcome, text: string): boolean {
  return version === "2008-10-17" && text.includes("${");
}

function oldVersion({ policy, version }: StatementOutcome): string {
  return `policy ${policy} has version ${version}, which is also the default and has no variables: write "Version": "2012-10-17" in front of its "Statement", in place of any other version`;
}

/** How the resource of the policy differs from the one asked for, and the whole text to write in its place. */
function slipAdvice(slip: ResourceSlip, closest: ValueOutcome, { action, resource }: PolicyRequest): string {
  const { text, resolved } = closest;
  const [head, type, name] = partsOfArn(resource);
  const [writtenHead, writtenType, writtenName] = partsOfArn(text);
  switch (slip) {
    case "prefix": {
      const missing = escapeLiteral(name.slice(0, -partsOfArn(resolved)[2].length));
      return `which lacks ${missing} before the name, ${instead(`${head}${type}/${missing}${writtenName}`)}`;
    }
    case "further-levels":
      return `which has further levels in front of ${name}, so ask for ${resolved} instead, or add ${escapeLiteral(resource)} to the statement`;
    case "type":
      return `which is of another type than ${action} is asked for, ${instead(`${head}${type}/${writtenName}`)}`;
    case "case": {
      const difference = `which differs from ${resource} in upper and lower case only, and names compare with case`;
      // A value that stands in a variable's place cannot be written otherwise in the policy.
      if (resolved !== text) return `${difference}, so ask for ${resolved} instead`;
      return `${difference}, ${instead(escapeLiteral(resource))}`;
    }
    case "leading-slash": {
      const mended = name.startsWith("/") ? `/${writtenName}` : writtenName.slice(1);
      return `which differs from ${resource} by a slash at the start of the name only, and MQTT counts it as a level, ${instead(`${head}${type}/${mended}`)}`;
    }
    case "mqtt-wildcard":
      return `in which + and # are ordinary characters, ${instead(`${head}${type}/${writtenName.replaceAll(/[+#]/g, "*")}`)}`;
    default: {
      const place = slip === "head" ? "region, account or partition" : slip;
      const mended = `${head}${writtenType}/${writtenName}`;
      return `which is of another ${place} (${writtenHead} and not ${head}), ${instead(mended)}`;
    }
  }
}

function instead(mended: string): string {
  return `so write ${mended} in the policy instead`;
}

function conditionDifference(
  condition: ConditionOutcome,
  statement: StatementOutcome,
  context: RequestContext,
): string {
  const { operator, key, found, values } = condition;
  const wanted = values.map((value) => value.resolved).join(", ");
  const what = `its condition ${operator} ${key} [${wanted}] does not hold`;
  const unresolved = values.flatMap((value) => value.unresolved)[0];
  if (unresolved !== undefined) return `${what}: ${unresolved.variable} ${unresolved.detail}`;
  const old = values.find(({ text }) => isOldVersion(statement, text));
  if (old !== undefined) return `${what}: ${old.text} is taken as text, because ${oldVersion(statement)}`;
  if (values.length === 0) return `${what}: it lists no value, so write the values that are allowed`;
  if (operator === "Null") {
    return found.length === 0
      ? `${what}: ${whyMissing(key, context)}; it needs one, or the condition has to go`
      : `${what}: the request has ${found.join(", ")}, and it may have no value for ${key}`;
  }
  if (found.length === 0) {
    const need = values.length === 1 ? `the value ${wanted}` : `one of the values ${wanted}`;
    return `${what}: ${whyMissing(key, context)}; it needs ${need}, or the condition has to go`;
  }
  const got = `${what}: the request has ${found.join(", ")}`;
  if (found.length > 1 && !operator.includes(":")) return `${got}, ${prefixAdvice(condition)}`;
  if (key.toLowerCase() === "iot:connection.thing.isattached" && found[0] === "false") {
    return `${got}, so attach the certificate to the thing that is called like the client identifier`;
  }
  const bound = boundOf(operator);
  if (bound !== undefined) return `${got}, which has to be ${bound} ${wanted}; change that if it should be allowed`;
  if (operator.includes("Not")) return `${got}, which it excludes; take it out of the list, or drop the condition`;
  const isOtherCase = values.some(({ resolved }) => found.some((one) => one.toLowerCase() === resolved.toLowerCase()));
  if (isOtherCase)
    return `${got}, which differs in upper and lower case only; write it alike, or use StringEqualsIgnoreCase`;
  if (/Equals/.test(operator) && operator.includes("String") && /[*?]/.test(wanted)) {
    return `${got}, and in ${operator} * and ? are ordinary characters; write ${operator.replace("Equals", "Like")}`;
  }
  return `${got}; add it to the list if it should be allowed`;
}

/** Why the request has no value for a key: the protocol and the thing are said where they are the cause. */
function whyMissing(key: string, context: RequestContext): string {
  const known = contextKey(key);
  return known.isKnown && /^iot:(?:Connection|Certificate|ClientId)/.test(known.name) && !known.isMultiValued
    ? `${key} ${whyAbsent(known.name, context)}`
    : `the request has no value for ${key}`;
}

/** What a comparison asks of the request's value. */
function boundOf(operator: string): string | undefined {
  const [, type, direction = "", equals = ""] = /(Numeric|Date)(Less|Greater)Than(Equals)?/.exec(operator) ?? [];
  if (type === undefined) return undefined;
  if (type === "Date") return `${equals === "" ? "" : "at or "}${direction === "Less" ? "before" : "after"}`;
  if (equals === "") return direction === "Less" ? "less than" : "greater than";
  return direction === "Less" ? "at most" : "at least";
}

/** What to write where a key has several values and the operator has no set prefix. */
function prefixAdvice({ operator, found, satisfying }: ConditionOutcome): string {
  const others = found.filter((value) => !satisfying.includes(value)).join(", ");
  const isNegated = operator.includes("Not");
  const mend = isNegated ? `take ${others} out of the list` : `add ${others} to the list`;
  const all = `write ForAllValues:${operator} and ${mend}`;
  const rule = `and ${operator} without a prefix is for keys of one value`;
  if (satisfying.length === 0) return `${rule}, so ${all}`;
  const enough = isNegated ? "is not listed" : "is listed";
  return `${rule}, so write ForAnyValue:${operator} where it is enough that ${satisfying.join(", ")} ${enough}, or ${all} where that has to be so for each value`;
}
