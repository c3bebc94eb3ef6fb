/**
 * Deciding: an explicit Deny outranks every Allow, and what no statement allows is denied.
 *
 * A matcher is compiled once from all policies in effect and never changes. Statements are sorted by action when it is
 * made, so that a decision looks only at those that can speak about it.
 */

import { iotActions } from "./actions.ts";
import {
  actionMatches,
  compileStatement,
  conditionsMatch,
  resourceMatches,
  type CompiledStatement,
} from "./compile.ts";
import type { Decision, PolicyRequest, RequestContext } from "./context.ts";
import type { ParsedPolicy } from "./document.ts";
import { explainRequest } from "./explain.ts";
import type { Explanation } from "./explanation.ts";

/** Compiles the policies that are in effect together; their order does not matter. None of them denies everything. */
export function compile(policies: readonly ParsedPolicy[]): PolicyMatcher {
  return new PolicyMatcher(policies);
}

/** Statements that can speak about one action. */
interface Bucket {
  readonly denies: readonly CompiledStatement[];
  readonly allows: readonly CompiledStatement[];
}

/** All policies of one principal, compiled. `compile` makes it. */
export class PolicyMatcher {
  readonly #statements: readonly CompiledStatement[];
  readonly #buckets: ReadonlyMap<string, Bucket>;

  constructor(policies: readonly ParsedPolicy[]) {
    const statements = policies.flatMap((policy) =>
      policy.statements.map((statement) => compileStatement(policy, statement)),
    );
    this.#statements = statements;
    this.#buckets = new Map(Array.from(iotActions.keys(), (action) => [action, bucketOf(statements, action)]));
  }

  /** The decision alone; linear in the number of statements for the action, without memory of earlier calls. */
  decide(request: PolicyRequest): Decision {
    const { action, resource, context } = request;
    const { denies, allows } = this.#buckets.get(action) ?? bucketOf(this.#statements, action);
    if (someMatches(denies, resource, context)) return "explicit-deny";
    return someMatches(allows, resource, context) ? "allow" : "implicit-deny";
  }

  /**
   * One decision about a thing that has several names, such as a message to a shared subscription, which policies name
   * with `$share/group/` before its topic or without: a Deny of any name denies, else an Allow of any name allows.
   */
  decideAny(requests: readonly PolicyRequest[]): Decision {
    const decisions = requests.map((request) => this.decide(request));
    if (decisions.includes("explicit-deny")) return "explicit-deny";
    return decisions.includes("allow") ? "allow" : "implicit-deny";
  }

  /** The decision and how it came about; for logs and people, some hundred times slower than `decide`. */
  explain(request: PolicyRequest): Explanation {
    return explainRequest(this.#statements, request);
  }
}

function bucketOf(statements: readonly CompiledStatement[], action: string): Bucket {
  const folded = action.toLowerCase();
  const speaking = statements.filter((statement) => actionMatches(statement, folded));
  return {
    denies: speaking.filter((statement) => !statement.isAllow),
    allows: speaking.filter((statement) => statement.isAllow),
  };
}

function someMatches(statements: readonly CompiledStatement[], resource: string, context: RequestContext): boolean {
  for (let index = 0; index < statements.length; index++) {
    const statement = statements[index];
    if (
      statement !== undefined &&
      resourceMatches(statement, resource, context) &&
      conditionsMatch(statement, context)
    ) {
      return true;
    }
  }
  return false;
}
