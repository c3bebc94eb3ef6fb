/** What an explanation holds: plain data, made for a log or a page. */

import type { Decision } from "./context.ts";
import type { PolicyVersion } from "./document.ts";
import type { UnresolvedVariable } from "./unresolved.ts";

/** A decision and how it came about. */
export interface Explanation {
  readonly decision: Decision;
  /** One sentence for people: what was decided, why, and for a refusal what to change. */
  readonly sentence: string;
  /** Every statement, in the order of the policies. */
  readonly statements: readonly StatementOutcome[];
  /** The statements that decided: those that deny, or else those that allow. Empty for an implicit deny. */
  readonly decisive: readonly StatementOutcome[];
  /** For an implicit deny, the Allow statement that comes nearest, and what separates it. */
  readonly nearest: NearestAllow | undefined;
  /** Variables without a value in statements about this action, each once. */
  readonly unresolved: readonly UnresolvedVariable[];
}

/** What one statement made of the request. */
export interface StatementOutcome {
  /** Name of the policy. */
  readonly policy: string;
  /** JSON path of the statement in its policy. */
  readonly path: string;
  readonly sid: string | undefined;
  /** Version of its policy: before `2012-10-17`, variables are text. */
  readonly version: PolicyVersion;
  readonly effect: "Allow" | "Deny";
  /** Whether action, resource and all conditions match. */
  readonly matches: boolean;
  readonly action: ElementOutcome;
  readonly resource: ElementOutcome;
  readonly conditions: readonly ConditionOutcome[];
}

/** Action or NotAction, Resource or NotResource. */
export interface ElementOutcome {
  readonly matches: boolean;
  readonly isNegated: boolean;
  readonly values: readonly ValueOutcome[];
}

/** What became of one value of an element or a condition. */
export interface ValueOutcome {
  /** As written in the policy. */
  readonly text: string;
  readonly path: string;
  /** With values in place of variables; those that have none stay as written. */
  readonly resolved: string;
  readonly matches: boolean;
  readonly unresolved: readonly UnresolvedVariable[];
}

/** One condition key under one operator. */
export interface ConditionOutcome {
  readonly matches: boolean;
  readonly operator: string;
  readonly key: string;
  readonly path: string;
  /** What the request has for the key; empty where it has nothing. */
  readonly found: readonly string[];
  /** Those of `found` that satisfy the operator, each by itself. */
  readonly satisfying: readonly string[];
  /** Each value of the policy; `matches` tells whether the request has one that it fits, before negation. */
  readonly values: readonly ValueOutcome[];
}

/** The Allow statement with the fewest elements that do not match. */
export interface NearestAllow {
  readonly statement: StatementOutcome;
  /** Every element that does not match, in the order Action, Resource, Condition. */
  readonly separatedBy: readonly Separation[];
}

/** An element that does not match. */
export type Separation =
  | { readonly element: "action"; readonly path: string }
  | {
      readonly element: "resource";
      readonly path: string;
      /** The resource that comes nearest; undefined for NotResource, where the one that matches excludes it. */
      readonly closest: ValueOutcome | undefined;
      /** How the nearest differs, where it is a common slip. */
      readonly slip: ResourceSlip | undefined;
    }
  | { readonly element: "condition"; readonly path: string; readonly condition: ConditionOutcome };

/**
 * `type`: right name behind another type, such as topic for topicfilter. `prefix`: the request's name ends with the
 * policy's, which lacks the levels before it. `further-levels`: the policy's name ends with the request's. `partition`, `service`, `region`, `account`: the right resource, but for this
 * segment of its ARN; `head`: for several of them. `case`: the same name in other letter case. `leading-slash`: the same name
 * but for a slash at its start. `mqtt-wildcard`: it would match if `+` and `#` were wildcards in policies.
 */
export type ResourceSlip =
  | "type"
  | "prefix"
  | "further-levels"
  | "partition"
  | "service"
  | "region"
  | "account"
  | "head"
  | "case"
  | "leading-slash"
  | "mqtt-wildcard";
