/** What the lint rules share: the shape of a finding, the policies made ready, a device to try them with. */

import { actionsOf } from "./actions.ts";
import { compileStatement, type CompiledStatement } from "./compile.ts";
import type { Decision, PolicyAction, PolicyRequest, RequestContext } from "./context.ts";
import type { ElementValue, ParsedPolicy } from "./document.ts";
import type { Location } from "./errors.ts";
import { compile, type PolicyMatcher } from "./matcher.ts";
import { sampleContext } from "./sample.ts";

/** How bad a finding is. */
export type LintSeverity = "error" | "warning" | "info";

/** Stable names of the findings. */
export type LintCode =
  | "action-resource-mismatch"
  | "any-client"
  | "any-role-alias"
  | "any-shadow"
  | "any-thing"
  | "basic-ingest-in-subscribe"
  | "client-id-injection"
  | "condition-key-as-variable"
  | "condition-key-of-other-action"
  | "deny-bypassed-by-filter"
  | "deny-with-unresolvable-variable"
  | "duplicate-sid"
  | "empty-value-list"
  | "incomplete-arn"
  | "index-out-of-range"
  | "malformed-arn"
  | "mqtt-wildcard-in-deny"
  | "mqtt-wildcard-in-topic"
  | "not-everything-checked"
  | "not-in-allow"
  | "nothing-connects"
  | "old-version"
  | "operator-of-other-type"
  | "parenthesised-escape"
  | "quoted-attribute"
  | "receive-missing"
  | "retain-without-publish"
  | "serial-number-without-prefix"
  | "set-without-prefix"
  | "thing-variable-over-https"
  | "unclosed-variable"
  | "unknown-action"
  | "unknown-condition-key"
  | "unknown-variable"
  | "vacuous-for-all-values"
  | "variable-in-arn-head"
  | "variable-without-delimiter"
  | "wildcard-across-segments"
  | "wildcard-in-string-equals";

/** How bad each finding is. `error`: it does not do what it says, or lets others in. */
export const lintSeverities: Readonly<Record<LintCode, LintSeverity>> = {
  "action-resource-mismatch": "error",
  "any-client": "error",
  "any-role-alias": "error",
  "any-shadow": "error",
  "any-thing": "error",
  "basic-ingest-in-subscribe": "error",
  "client-id-injection": "warning",
  "condition-key-as-variable": "error",
  "condition-key-of-other-action": "warning",
  "deny-bypassed-by-filter": "error",
  "deny-with-unresolvable-variable": "warning",
  "duplicate-sid": "warning",
  "empty-value-list": "warning",
  "incomplete-arn": "warning",
  "index-out-of-range": "error",
  "malformed-arn": "error",
  "mqtt-wildcard-in-deny": "error",
  "mqtt-wildcard-in-topic": "error",
  "not-everything-checked": "info",
  "not-in-allow": "warning",
  "nothing-connects": "warning",
  "old-version": "error",
  "operator-of-other-type": "error",
  "parenthesised-escape": "info",
  "quoted-attribute": "error",
  "receive-missing": "warning",
  "retain-without-publish": "error",
  "serial-number-without-prefix": "warning",
  "set-without-prefix": "warning",
  "thing-variable-over-https": "error",
  "unclosed-variable": "error",
  "unknown-action": "warning",
  "unknown-condition-key": "warning",
  "unknown-variable": "error",
  "vacuous-for-all-values": "warning",
  "variable-in-arn-head": "error",
  "variable-without-delimiter": "warning",
  "wildcard-across-segments": "info",
  "wildcard-in-string-equals": "warning",
};

/** One thing that is probably not meant. Its place is that of the element in the policy. */
export interface LintFinding extends Location {
  readonly code: LintCode;
  readonly severity: LintSeverity;
  /** Name of the policy. */
  readonly policy: string;
  readonly message: string;
  /** What to do about it. */
  readonly fix: string;
  /** A request that shows it, and what these policies decide on it. */
  readonly example: LintExample | undefined;
}

/** A request that goes through a hole. */
export interface LintExample {
  readonly request: PolicyRequest;
  readonly decision: Decision;
}

/** A statement under examination. */
export interface LintSubject {
  readonly compiled: CompiledStatement;
  /** Data-plane actions that it names. */
  readonly actions: ReadonlySet<PolicyAction>;
}

/** What the rules share: the policies made ready, a device to try them with, and the findings so far. */
export class LintRun {
  readonly matcher: PolicyMatcher;
  readonly subjects: readonly LintSubject[];
  readonly context: RequestContext;
  /** Resources with a faulty ARN. They are not asked what they reach, as the fault has to be mended first. */
  readonly faulty: Set<ElementValue> = new Set();
  readonly #findings: LintFinding[] = [];
  readonly #order: ReadonlyMap<string, number>;

  constructor(policies: readonly ParsedPolicy[]) {
    this.matcher = compile(policies);
    this.context = sampleContext(policies);
    this.#order = new Map(policies.map(({ name }, index) => [name, index]));
    this.subjects = policies.flatMap((policy) =>
      policy.statements.map((statement) => {
        const compiled = compileStatement(policy, statement);
        return { compiled, actions: new Set(actionsOf(compiled)) };
      }),
    );
  }

  /** `example` is only kept where these policies decide it as `expected` says, so that none can mislead. */
  report(
    code: LintCode,
    policy: ParsedPolicy,
    { path, line, column }: Location,
    message: string,
    fix: string,
    example?: { readonly request: PolicyRequest; readonly expected: readonly Decision[] },
  ): void {
    const decision = example === undefined ? undefined : this.matcher.decide(example.request);
    const isShown = example !== undefined && decision !== undefined && example.expected.includes(decision);
    this.#findings.push({
      code,
      severity: lintSeverities[code],
      policy: policy.name,
      path,
      line,
      column,
      message,
      fix,
      example: isShown ? { request: example.request, decision } : undefined,
    });
  }

  findings(): readonly LintFinding[] {
    const rank = ({ policy }: LintFinding): number => this.#order.get(policy) ?? 0;
    return this.#findings.sort((a, b) => rank(a) - rank(b) || a.line - b.line || a.column - b.column);
  }
}
