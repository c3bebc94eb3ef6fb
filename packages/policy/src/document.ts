/** A policy that was read without a fault: what the grammar says, each part with its place in the text. */

import type { Location } from "./errors.ts";
import type { ConditionOperator, ValueTest } from "./operator.ts";
import type { PatternToken } from "./pattern.ts";

/** The versions of the policy language. Only `2012-10-17` has variables. */
export type PolicyVersion = "2008-10-17" | "2012-10-17";

/** A policy document; only `parsePolicy` makes one. */
export class ParsedPolicy {
  /** Name for messages, as given to `parsePolicy`. */
  readonly name: string;
  /** `2008-10-17` where the document names none: `${...}` is literal text then. */
  readonly version: PolicyVersion;
  readonly id: string | undefined;
  readonly statements: readonly Statement[];
  /** Where the document starts. */
  readonly at: Location;
  // Private, which also makes the type nominal: a look-alike that was never checked is not accepted.
  readonly #text: string;

  constructor(parts: Pick<ParsedPolicy, "name" | "version" | "id" | "statements" | "at" | "text">) {
    this.name = parts.name;
    this.version = parts.version;
    this.id = parts.id;
    this.statements = parts.statements;
    this.at = parts.at;
    this.#text = parts.text;
  }

  /** The document as it was given. */
  get text(): string {
    return this.#text;
  }
}

/** One statement of a policy. */
export interface Statement {
  readonly sid: string | undefined;
  readonly effect: "Allow" | "Deny";
  readonly action: Element;
  readonly resource: Element;
  readonly conditions: readonly Condition[];
  readonly at: Location;
}

/** Action or NotAction, Resource or NotResource. */
export interface Element {
  /** Whether it is the `Not` form: everything but these. */
  readonly isNegated: boolean;
  readonly values: readonly ElementValue[];
  readonly at: Location;
}

/** One value of an element of a statement, with its place in the document. */
export interface ElementValue {
  /** As written. */
  readonly text: string;
  readonly tokens: readonly PatternToken[];
  readonly at: Location;
}

/** One key under one operator. */
export interface Condition {
  /** As written, such as `ForAnyValue:StringEquals`. */
  readonly operatorText: string;
  readonly operator: ConditionOperator;
  /** The key as written. */
  readonly keyText: string;
  readonly values: readonly ConditionValue[];
  readonly at: Location;
}

/** One value of a condition, as it is written. */
export interface ConditionValue {
  /** As written; numbers and Booleans as their JSON text. */
  readonly text: string;
  readonly test: ValueTest;
  readonly at: Location;
}
