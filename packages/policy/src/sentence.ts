/** An explanation in one sentence for people. */

import type { Decision, PolicyRequest } from "./context.ts";
import type { ConditionOutcome, NearestAllow, ResourceSlip, Separation, StatementOutcome } from "./explanation.ts";

export interface Reasons {
  readonly decision: Decision;
  readonly decisive: readonly StatementOutcome[];
  readonly nearest: NearestAllow | undefined;
  readonly request: PolicyRequest;
}

/** What was decided, why, and for a refusal what to change. */
export function sentenceFor({ decision, decisive, nearest, request }: Reasons): string {
  const wish = `${request.action} on ${request.resource}`;
  const [statement] = decisive;
  if (statement !== undefined) {
    if (decision === "allow") return `Allowed: ${nameOf(statement)} allows ${wish}.`;
    return `Denied: ${nameOf(statement)} denies ${wish}, which outranks every Allow; to let it through, narrow that statement.`;
  }
  if (nearest === undefined) return `Denied: no policy in effect has an Allow statement, so ${wish} needs one.`;
  const why = nearest.separatedBy.map((separation) => differenceOf(separation, request)).join("; and ");
  return `Denied: no statement allows ${wish}. Nearest is ${nameOf(nearest.statement)}: ${why}.`;
}

function nameOf({ policy, path, sid }: StatementOutcome): string {
  return `statement ${sid ?? path} of ${policy}`;
}

function differenceOf(separation: Separation, request: PolicyRequest): string {
  if (separation.element === "action") return `it is about other actions, so add ${request.action}`;
  if (separation.element === "condition") return conditionDifference(separation.condition);
  const { closest, slip } = separation;
  if (closest === undefined) return "its NotResource leaves this resource out";
  const [unresolved] = closest.unresolved;
  if (unresolved !== undefined) {
    return `its resource ${closest.text} matches nothing here because ${unresolved.variable} ${unresolved.detail}`;
  }
  const isVariable = closest.resolved !== closest.text;
  const meaning = isVariable
    ? `${closest.text} stands for ${closest.resolved} here`
    : `its resource is ${closest.text}`;
  if (slip !== undefined) return `${meaning}, ${slipAdvice[slip].replace("ACTION", request.action)}`;
  return isVariable
    ? `${meaning}, so this caller has to keep to that, or the statement needs a further resource`
    : `${meaning}, so widen it or add the resource that was asked for`;
}

const slipAdvice: Readonly<Record<ResourceSlip, string>> = {
  prefix: "which lacks the levels before it, so put them in front of the name",
  type: "which is of another type than ACTION is asked for, so correct the type",
  head: "which is in another region, account or partition",
  "mqtt-wildcard": "in which + and # are ordinary characters, so write * instead",
};

function conditionDifference(condition: ConditionOutcome): string {
  const { operator, key, found, values } = condition;
  const wanted = values.map((value) => value.resolved).join(", ");
  const unresolved = values.flatMap((value) => value.unresolved)[0];
  const got = found.length === 0 ? "the request has no value for it" : `the request has ${found.join(", ")}`;
  const why = unresolved === undefined ? got : `${unresolved.variable} ${unresolved.detail}`;
  return `its condition ${operator} ${key} [${wanted}] does not hold: ${why}`;
}
