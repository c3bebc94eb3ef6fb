/** Policies, their versions and what they are attached to. */

import { object, text, whole, type Decoder } from "../decode.ts";
import { Index, Table } from "../table.ts";

/** A policy. The document of its default version is what counts. Times are seconds since 1970-01-01T00:00:00Z. */
export interface PolicyRecord {
  readonly policyName: string;
  /** Decimal number. */
  readonly defaultVersionId: string;
  /** The number of the last version that there was; numbers are not given twice. */
  readonly lastVersionId: number;
  /** The number of its creation (`nextOrder`). */
  readonly order: number;
  readonly createdAtSeconds: number;
  readonly modifiedAtSeconds: number;
}

/** One version of a policy. It never changes. */
export interface PolicyVersionRecord {
  readonly policyName: string;
  readonly versionId: string;
  /** As it was given. */
  readonly document: string;
  readonly createdAtSeconds: number;
}

const policyRecord: Decoder<PolicyRecord> = object({
  policyName: text,
  defaultVersionId: text,
  lastVersionId: whole,
  order: whole,
  createdAtSeconds: whole,
  modifiedAtSeconds: whole,
});

const policyVersionRecord: Decoder<PolicyVersionRecord> = object({
  policyName: text,
  versionId: text,
  document: text,
  createdAtSeconds: whole,
});

/** SCOPE/NAME. */
export const policies: Table<PolicyRecord> = new Table("policy", policyRecord);
/** SCOPE/ORDER/NAME. */
export const policiesByOrder: Index = new Index("policy-by-order");
/** SCOPE/NAME/VERSION. */
export const policyVersions: Table<PolicyVersionRecord> = new Table("policy-version", policyVersionRecord);
/** SCOPE/KIND/TARGET/NAME, KIND `cert` or `thinggroup`. Written by `policy-attachments.ts` alone, as the two below. */
export const policiesOfTarget: Index = new Index("policy-of-target");
/** What stands in the same table under those keys: the order of the attachment. */
export const attachmentOrders: Table<number> = new Table("policy-of-target", whole);
/** SCOPE/NAME/ORDER/KIND/TARGET. */
export const targetsOfPolicy: Index = new Index("target-of-policy");

/** Versions as parts of keys: texts that sort as the numbers do. */
export function versionKey(versionId: string): string {
  return versionId.padStart(12, "0");
}
