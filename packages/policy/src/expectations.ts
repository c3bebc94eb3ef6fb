/**
 * Expectations: a JSON file of decisions that a set of policies has to make, for CI.
 *
 * `{ "contexts": { name: context }, "expectations": [ { "name", "context", "action", "resource", "decision" } ] }`, where a
 * context is a `RequestContext` as JSON, or the name of one in `contexts`; without one nothing is known of the requester.
 */

import type { Decision, PolicyRequest, RequestContext } from "./context.ts";
import { readContext } from "./read-context.ts";
import { shorten, ErrorList, PolicyError, type DocumentError } from "./errors.ts";
import { itemsOf, membersOf, textOf, type Located, refuseType } from "./grammar.ts";
import { documentText, locate, memberPath, readJson } from "./json.ts";
import { actionFault, isPolicyAction, isRequestResource, resourceFault } from "./request.ts";
import type { PolicyMatcher } from "./matcher.ts";

/** A decision that is expected. */
export interface Expectation {
  /** What the report calls it; its path in the file where it has no name. */
  readonly name: string;
  readonly request: PolicyRequest;
  readonly decision: Decision;
}

/** The expectations of a file, or every fault in it. */
export type ParseExpectationsResult =
  | { readonly ok: true; readonly expectations: readonly Expectation[] }
  | { readonly ok: false; readonly errors: readonly [DocumentError, ...DocumentError[]] };

/** An expectation that was not met. */
export interface ExpectationFailure {
  readonly expectation: Expectation;
  readonly actual: Decision;
  /** Why, for people: the explanation's sentence. */
  readonly sentence: string;
}

/** How many expectations came out, and those that did not. */
export interface ExpectationReport {
  readonly passed: number;
  readonly failures: readonly ExpectationFailure[];
}

/** Decides every expectation and reports those that come out otherwise. */
export function checkExpectations(matcher: PolicyMatcher, expectations: readonly Expectation[]): ExpectationReport {
  const failures = expectations.flatMap((expectation): ExpectationFailure[] => {
    const actual = matcher.decide(expectation.request);
    if (actual === expectation.decision) return [];
    return [{ expectation, actual, sentence: matcher.explain(expectation.request).sentence }];
  });
  return { passed: expectations.length - failures.length, failures };
}

/** Reads a file of expectations, as JSON text or as an object; all faults at once, as `parsePolicy` does. */
export function parseExpectations(document: string | object): ParseExpectationsResult {
  const errors = new ErrorList();
  const text = documentText(document, errors);
  const expectations = text === undefined ? [] : readExpectations(text, errors);
  const [first, ...others] = errors.found.sort((a, b) => a.line - b.line || a.column - b.column);
  return first === undefined ? { ok: true, expectations } : { ok: false, errors: [first, ...others] };
}

/** As `parseExpectations`; throws a `PolicyError` that holds all faults. */
export function parseExpectationsOrThrow(document: string | object): readonly Expectation[] {
  const result = parseExpectations(document);
  if (!result.ok) throw new PolicyError(result.errors);
  return result.expectations;
}

function readExpectations(text: string, errors: ErrorList): readonly Expectation[] {
  const node = readJson(text, errors);
  if (node === undefined) return [];
  const root = membersOf({ node, at: locate(node, "$") }, "the file", ["contexts", "expectations"], errors);
  const list = root?.require("expectations");
  if (root === undefined || list === undefined) return [];
  const contexts = readContexts(root.take("contexts"), errors);
  return itemsOf(list).flatMap((item) => readExpectation(item, contexts, errors) ?? []);
}

function readContexts(found: Located | undefined, errors: ErrorList): ReadonlyMap<string, RequestContext> {
  const contexts = new Map<string, RequestContext>();
  if (found === undefined) return contexts;
  if (found.node.kind !== "object") refuseType(found, "contexts has to be an object", ["object"], errors);
  else {
    for (const { name, value } of found.node.members) {
      const at = locate(value, memberPath(found.at.path, name.text));
      contexts.set(name.text, readContext({ node: value, at }, errors));
    }
  }
  return contexts;
}

const decisions: readonly Decision[] = ["allow", "explicit-deny", "implicit-deny"];

function readExpectation(
  item: Located,
  contexts: ReadonlyMap<string, RequestContext>,
  errors: ErrorList,
): Expectation | undefined {
  const members = membersOf(item, "an expectation", ["name", "context", "action", "resource", "decision"], errors);
  if (members === undefined) return undefined;
  const name = members.text("name") ?? item.at.path;
  const [action, resource, expected] = ["action", "resource", "decision"].map((member) => {
    const found = members.require(member);
    return found && textOf(found, member, errors);
  });
  const decision = decisions.find((one) => one === expected);
  if (expected !== undefined && decision === undefined) {
    const at = members.take("decision")?.at ?? item.at;
    const message = `a decision is ${decisions.join(", ")}, not ${shorten(expected)}`;
    errors.add(at, { code: "ERR_POLICY_VALUE", message, found: expected, allowed: decisions });
  }
  const context = contextOf(members.take("context"), contexts, errors);
  for (const [member, text, fault] of [
    ["action", action, action === undefined ? undefined : actionFault(action)],
    ["resource", resource, resource === undefined ? undefined : resourceFault(resource)],
  ] as const) {
    if (text === undefined || fault === undefined) continue;
    errors.add(members.take(member)?.at ?? item.at, { code: "ERR_POLICY_VALUE", message: fault, found: text });
  }
  if (action === undefined || resource === undefined || decision === undefined) return undefined;
  if (!isPolicyAction(action) || !isRequestResource(resource)) return undefined;
  return { name, request: { action, resource, context }, decision };
}

function contextOf(
  found: Located | undefined,
  contexts: ReadonlyMap<string, RequestContext>,
  errors: ErrorList,
): RequestContext {
  if (found === undefined) return {};
  if (found.node.kind !== "string") return readContext(found, errors);
  const context = contexts.get(found.node.text);
  if (context === undefined) {
    const message = `there is no context ${shorten(found.node.text)} in contexts`;
    const allowed = [...contexts.keys()];
    errors.add(found.at, { code: "ERR_POLICY_VALUE", message, found: found.node.text, allowed });
  }
  return context ?? {};
}
