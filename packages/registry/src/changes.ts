/**
 * The change feed: every committed change is an event with a number. A reader keeps the number of the last event that it
 * has acted on and asks for what came after.
 */

/** What was changed. */
export type ChangeKind =
  | "account"
  | "certificate"
  /** A device showed an unknown certificate of an authority that registers just in time; it is PENDING_ACTIVATION now. */
  | "certificate-registered"
  | "certificate-authority"
  | "policy"
  | "policy-attachment"
  | "thing"
  | "thing-type"
  | "thing-group"
  | "provisioning-template"
  | "endpoint";

/** One committed change. */
export interface Change {
  /** Counts up by one from 1. */
  readonly sequence: number;
  readonly kind: ChangeKind;
  /**
   * Keys of the resources that the change touches, as `resourceKey` makes them. Only what depends on one of them has to
   * be looked at.
   */
  readonly touches: readonly string[];
}

/** The answer to a reader of the feed. */
export type ChangeBatch =
  | { readonly isComplete: true; readonly changes: readonly Change[] }
  /** The feed does not reach back so far. Read everything again, then go on behind `sequence`. */
  | { readonly isComplete: false; readonly sequence: number };

/** The feed keeps at least so many of the last changes. */
export const keptChanges = 100_000;

/** The kinds of resource that a connection can depend on. */
export type ResourceKind = "certificate" | "certificate-authority" | "policy" | "thing" | "thing-group";

/** The key of a resource in `Change.touches`; `scope` as `scopeKey` gives it. */
export function resourceKey(scope: string, kind: ResourceKind, name: string): string {
  return `${scope}/${kind}/${name}`;
}
