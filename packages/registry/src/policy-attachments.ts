/** Which policies are attached to what, in the order of the attaching: two tables that are written together. */

import { orderKey } from "./accounts.ts";
import { attachmentOrders, policiesOfTarget, targetsOfPolicy } from "./records/policy.ts";
import type { StorageReader, StorageWriter } from "./storage.ts";

/** What a policy is attached to, as it stands in keys. */
export type TargetKind = "cert" | "thinggroup";

/** Adds an attachment that there is not yet. `order` is the account's next number. */
export function addAttachment(
  writer: StorageWriter,
  scope: string,
  policyName: string,
  [kind, name]: readonly [TargetKind, string],
  order: number,
): void {
  attachmentOrders.put(writer, order, scope, kind, name, policyName);
  targetsOfPolicy.add(writer, scope, policyName, orderKey(order), kind, name);
}

/** Removes an attachment. False where there was none. */
export function removeAttachment(
  writer: StorageWriter,
  scope: string,
  policyName: string,
  [kind, name]: readonly [TargetKind, string],
): boolean {
  const order = attachmentOrders.get(writer, scope, kind, name, policyName);
  if (order === undefined) return false;
  attachmentOrders.delete(writer, scope, kind, name, policyName);
  targetsOfPolicy.delete(writer, scope, policyName, orderKey(order), kind, name);
  return true;
}

/** Removes all attachments of a target. */
export function removeAttachments(writer: StorageWriter, scope: string, kind: TargetKind, name: string): void {
  for (const policyName of Array.from(policiesOfTarget.all(writer, scope, kind, name))) {
    removeAttachment(writer, scope, policyName, [kind, name]);
  }
}

/** The policies of a target by the order in which they were attached. */
export function attachedInOrder(
  reader: StorageReader,
  scope: string,
  kind: TargetKind,
  name: string,
): readonly { readonly policyName: string; readonly order: number }[] {
  const attached = Array.from(policiesOfTarget.all(reader, scope, kind, name), (policyName) => ({
    policyName,
    order: attachmentOrders.get(reader, scope, kind, name, policyName) ?? 0,
  }));
  return attached.sort((a, b) => a.order - b.order);
}
