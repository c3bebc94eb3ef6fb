/**
 * Deciding: an explicit Deny outranks every Allow, and what no statement allows is denied.
 *
 * A matcher is compiled once from all policies in effect. Statements are indexed by action and by the beginning of their
 * resources, so that a decision looks only at those that can match it.
 */

import { iotActions, isHttpsAction } from "./actions.ts";
import { actionMatches, compileStatement, ConditionTable, Evaluation, type CompiledStatement } from "./compile.ts";
import type { Decision, PolicyAction, PolicyRequest, RequestContext } from "./context.ts";
import type { ParsedPolicy } from "./document.ts";
import { explainRequest } from "./explain.ts";
import type { Explanation } from "./explanation.ts";
import { checkRequest, checkResource } from "./request.ts";
import { StatementIndex } from "./statement-index.ts";

/** Compiles the policies that are in effect together; their order does not matter. None of them denies everything. */
export function compile(policies: readonly ParsedPolicy[]): PolicyMatcher {
  return new PolicyMatcher(policies);
}

/** All policies of one principal, compiled. `compile` makes it. */
export class PolicyMatcher {
  readonly #statements: readonly CompiledStatement[];
  /** Statements by action as AWS spells it, indexed when an action is asked for the first time. */
  readonly #byAction = new Map<PolicyAction, ActionIndex>();
  readonly #evaluation: Evaluation;

  constructor(policies: readonly ParsedPolicy[]) {
    const conditions = new ConditionTable();
    this.#statements = policies.flatMap((policy) =>
      policy.statements.map((statement) => compileStatement(policy, statement, conditions)),
    );
    this.#evaluation = new Evaluation(conditions.size);
  }

  /**
   * The decision alone. Its cost grows with the statements that name the action and whose resources start like the one
   * asked for; each condition is evaluated once. The result depends on nothing but the request. Throws a
   * `PolicyRequestError` where the action has no service or the resource is no ARN.
   */
  decide(request: PolicyRequest): Decision {
    const { action, resource } = request;
    const index = this.#byAction.get(action) ?? this.#indexFor(request);
    checkResource(resource);
    const context = index.isHttps ? overHttps(request.context) : request.context;
    const evaluation = this.#evaluation;
    evaluation.start();
    if (index.denies.someMatches(resource, context, evaluation)) return "explicit-deny";
    return index.allows.someMatches(resource, context, evaluation) ? "allow" : "implicit-deny";
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

  /**
   * The decision and how it came about; for logs and people, some hundred times slower than `decide`. Throws as `decide`
   * does.
   */
  explain(request: PolicyRequest): Explanation {
    checkRequest(request);
    const isHttps = isHttpsAction(request.action);
    return explainRequest(this.#statements, isHttps ? { ...request, context: overHttps(request.context) } : request);
  }

  /** Kept for the actions that AWS IoT has; others are rare and could be any number. */
  #indexFor(request: PolicyRequest): ActionIndex {
    checkRequest(request);
    const { action } = request;
    const index = indexStatements(this.#statements, action);
    if (iotActions.has(action)) this.#byAction.set(action, index);
    return index;
  }
}

/** Statements that name one action. */
interface ActionIndex {
  readonly isHttps: boolean;
  readonly denies: StatementIndex;
  readonly allows: StatementIndex;
}

function indexStatements(statements: readonly CompiledStatement[], action: PolicyAction): ActionIndex {
  const folded = action.toLowerCase();
  const named = statements.filter((statement) => actionMatches(statement, folded));
  return {
    isHttps: isHttpsAction(action),
    denies: new StatementIndex(named.filter((statement) => !statement.isAllow)),
    allows: new StatementIndex(named.filter((statement) => statement.isAllow)),
  };
}

/** An action of HTTPS alone is asked over HTTPS, whatever the context says. */
function overHttps(context: RequestContext): RequestContext {
  return context.protocol === "https" ? context : { ...context, protocol: "https" };
}
