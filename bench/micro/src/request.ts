/** What the runner asks of a child process, and what the child answers. */

import type { MicroResult } from "@latchkey/bench-results";
import type { Effort } from "./measure.ts";

/** One request a process. */
export type Request =
  | { readonly kind: "list"; readonly suite: string }
  | {
      readonly kind: "measure";
      readonly suite: string;
      readonly scenario: string;
      readonly effort: Effort;
      /** Our side of another revision to measure against, in place of the scenario's peers. */
      readonly other?: OtherRevision;
    };

/** Where another revision's suite may be. */
export interface OtherRevision {
  /** Suites to try in this order: the first that has the scenario and makes it is taken. */
  readonly suites: readonly string[];
  readonly revision: string;
}

/** Sent by the child; `rows`, `scenarios` and `failed` are the last message. */
export type Answer =
  | { readonly kind: "phase"; readonly phase: string }
  | { readonly kind: "scenarios"; readonly names: readonly string[] }
  | { readonly kind: "rows"; readonly rows: readonly MicroResult[] }
  | { readonly kind: "failed"; readonly reason: string };
