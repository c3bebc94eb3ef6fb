/** Short forms for tests: resources without their scope, requests by action and name. */

import { clientArn, compile, parsePolicyOrThrow, topicArn, topicFilterArn } from "@latchkey/policy";
import type {
  Decision,
  Explanation,
  PolicyMatcher,
  PolicyRequest,
  RequestContext,
  ResourceArn,
} from "@latchkey/policy";

export const scope = { region: "us-east-1", account: "123456789012" };
export const prefix = "arn:aws:iot:us-east-1:123456789012:";

export type Values = string | readonly string[];

/** A statement in short: `["Allow", "Publish", "topic/a"]`, with a condition behind it. */
export interface Short {
  readonly effect: "Allow" | "Deny";
  readonly action: Values;
  readonly resource: Values;
  readonly condition?: Record<string, Record<string, unknown>>;
}

export function A(action: Values, resource: Values, condition?: Short["condition"]): Short {
  return { effect: "Allow", action, resource, ...(condition === undefined ? {} : { condition }) };
}

export function D(action: Values, resource: Values, condition?: Short["condition"]): Short {
  return { ...A(action, resource, condition), effect: "Deny" };
}

function each(values: Values, change: (value: string) => string): Values {
  return typeof values === "string" ? change(values) : values.map(change);
}

function full(resource: string): string {
  return resource === "*" || resource.startsWith("arn:") ? resource : prefix + resource;
}

/** The JSON text of a policy; a resource that starts with `!` becomes NotResource. */
export function policyText(...statements: readonly Short[]): string {
  return JSON.stringify({
    Version: "2012-10-17",
    Statement: statements.map(({ effect, action, resource, condition }) => ({
      Effect: effect,
      Action: each(action, (name) => (name.includes("*") || name.includes(":") ? name : `iot:${name}`)),
      ...(typeof resource === "string" && resource.startsWith("!")
        ? { NotResource: full(resource.slice(1)) }
        : { Resource: each(resource, full) }),
      ...(condition === undefined ? {} : { Condition: condition }),
    })),
  });
}

export function matcherOf(...statements: readonly Short[]): PolicyMatcher {
  return compile([parsePolicyOrThrow(policyText(...statements), { name: "test" })]);
}

export function requestOf(action: string, name: string, context: RequestContext = {}): PolicyRequest {
  const arn = { Connect: clientArn, SendDirectMessage: clientArn, Subscribe: topicFilterArn }[action] ?? topicArn;
  const resource = name === "*" || isArn(name) ? name : arn(scope, name);
  return { action: `iot:${action}`, resource, context };
}

function isArn(text: string): text is ResourceArn {
  return text.startsWith("arn:");
}

/** Decides and explains; the two must agree. */
export function ask(matcher: PolicyMatcher, request: PolicyRequest): Decision {
  const decision = matcher.decide(request);
  const explained: Explanation = matcher.explain(request);
  if (explained.decision !== decision) {
    throw new Error(`decide says ${decision}, explain says ${explained.decision}`);
  }
  return decision;
}
