/**
 * What a registry of schema 2 held, written as this version has it: authorities, policies and attachments get numbers, so that lists have them
 * in the order of their creation. Schema 2 had their dates, and no date of an attachment: those go by the age of the certificate.
 */

import { nextOrder, orderKey, withoutOrder } from "./accounts.ts";
import { flag, object, oneOf, optional, text, whole } from "./decode.ts";
import { addAttachment, type TargetKind } from "./policy-attachments.ts";
import { accounts } from "./records/account.ts";
import { authoritiesByOrder, certificateAuthorities } from "./records/certificate-authority.ts";
import { certificatesByOrder } from "./records/certificate.ts";
import { policies, policiesByOrder, policiesOfTarget } from "./records/policy.ts";
import { thingGroups } from "./records/thing.ts";
import { scopeKey } from "./scope.ts";
import type { StorageWriter } from "./storage.ts";
import { Table } from "./table.ts";

const accountsBefore = new Table(
  "account",
  object({ account: text, region: text, endpoint: text, createdAtSeconds: whole, certificateOrder: whole }),
);
const policiesBefore = new Table(
  "policy",
  object({
    policyName: text,
    defaultVersionId: text,
    lastVersionId: whole,
    createdAtSeconds: whole,
    modifiedAtSeconds: whole,
  }),
);
const authoritiesBefore = new Table(
  "certificate-authority",
  object({
    certificateId: text,
    certificatePem: text,
    status: oneOf("ACTIVE", "INACTIVE"),
    certificateMode: oneOf("DEFAULT", "SNI_ONLY"),
    autoRegistration: flag,
    registrationConfig: optional(
      object({ templateBody: optional(text), templateName: optional(text), roleArn: optional(text) }),
    ),
    isLocal: flag,
    createdAtSeconds: whole,
    modifiedAtSeconds: whole,
    customerVersion: whole,
  }),
);

/** Numbers everything, account by account. The entries of the table `target-of-policy` have to be gone: it has other keys now. */
export function migrateVersion2(writer: StorageWriter): void {
  for (const { certificateOrder, ...account } of Array.from(accountsBefore.all(writer))) {
    const scope = scopeKey(account);
    accounts.put(writer, { ...account, lastOrder: certificateOrder }, scope);
    for (const record of oldestFirst(authoritiesBefore.all(writer, scope))) {
      const order = nextOrder(writer, scope);
      certificateAuthorities.put(writer, { ...record, order }, scope, record.certificateId);
      authoritiesByOrder.add(writer, scope, orderKey(order), record.certificateId);
    }
    for (const record of oldestFirst(policiesBefore.all(writer, scope))) {
      const order = nextOrder(writer, scope);
      policies.put(writer, { ...record, order }, scope, record.policyName);
      policiesByOrder.add(writer, scope, orderKey(order), record.policyName);
    }
    for (const key of certificatesByOrder.all(writer, scope))
      numberAttachments(writer, scope, "cert", withoutOrder(key));
    for (const { thingGroupName } of thingGroups.all(writer, scope)) {
      numberAttachments(writer, scope, "thinggroup", thingGroupName);
    }
  }
}

function numberAttachments(writer: StorageWriter, scope: string, kind: TargetKind, target: string): void {
  for (const policyName of Array.from(policiesOfTarget.all(writer, scope, kind, target))) {
    addAttachment(writer, scope, policyName, [kind, target], nextOrder(writer, scope));
  }
}

function oldestFirst<T extends { readonly createdAtSeconds: number }>(records: Iterable<T>): readonly T[] {
  return Array.from(records).sort((a, b) => a.createdAtSeconds - b.createdAtSeconds);
}
