/** What a registry of schema 1 held (one account, no things, no versions of policies), written as this version has it. */

import { ensureAccount, nextOrder, orderKey } from "./accounts.ts";
import { addAttachment } from "./policy-attachments.ts";
import {
  certificateOwners,
  certificates,
  certificatesByAuthority,
  certificatesByOrder,
  certificateStatuses,
  type CertificateRecord,
} from "./records/certificate.ts";
import type { CertificateAuthorityRecord } from "./records/certificate-authority.ts";
import { policies, policiesByOrder, policyVersions, versionKey } from "./records/policy.ts";
import { defaultScope, scopeKey } from "./scope.ts";
import type { StorageWriter } from "./storage.ts";
import { insertAuthority } from "./stored-authority.ts";

/** One certificate or authority of schema 1. */
interface Version1Certificate {
  readonly certificateId: string;
  readonly certificatePem: string;
  readonly status: string;
  readonly createdAtSeconds: number;
}

/** All records of schema 1, oldest first. */
export interface Version1Records {
  readonly authorities: readonly Version1Certificate[];
  readonly certificates: readonly Version1Certificate[];
  readonly policies: readonly { readonly policyName: string; readonly document: string }[];
  readonly attachments: readonly { readonly certificateId: string; readonly policyName: string }[];
}

/** Writes them into the default account. Schema 1 had one authority, that of the broker itself. */
export function migrateVersion1(writer: StorageWriter, old: Version1Records): void {
  const scope = scopeKey(defaultScope);
  const [local] = old.authorities;
  const createdAtSeconds = local?.createdAtSeconds ?? 0;
  ensureAccount(writer, defaultScope, createdAtSeconds);
  for (const authority of old.authorities) {
    writeAuthority(writer, scope, authority, authority.certificateId === local?.certificateId);
  }
  for (const certificate of old.certificates) writeCertificate(writer, scope, certificate, local?.certificateId);
  for (const { policyName, document } of old.policies) {
    const times = { createdAtSeconds, modifiedAtSeconds: createdAtSeconds };
    const order = nextOrder(writer, scope);
    policies.put(writer, { policyName, defaultVersionId: "1", lastVersionId: 1, order, ...times }, scope, policyName);
    policiesByOrder.add(writer, scope, orderKey(order), policyName);
    const version = { policyName, versionId: "1", document, createdAtSeconds };
    policyVersions.put(writer, version, scope, policyName, versionKey("1"));
  }
  for (const { certificateId, policyName } of old.attachments) {
    addAttachment(writer, scope, policyName, ["cert", certificateId], nextOrder(writer, scope));
  }
}

function writeAuthority(writer: StorageWriter, scope: string, old: Version1Certificate, isLocal: boolean): void {
  const { certificateId, certificatePem, createdAtSeconds } = old;
  const record: CertificateAuthorityRecord = {
    certificateId,
    certificatePem,
    status: old.status === "ACTIVE" ? "ACTIVE" : "INACTIVE",
    certificateMode: "DEFAULT",
    autoRegistration: false,
    registrationConfig: undefined,
    isLocal,
    order: nextOrder(writer, scope),
    createdAtSeconds,
    modifiedAtSeconds: createdAtSeconds,
    customerVersion: 1,
  };
  insertAuthority(writer, scope, record);
}

function writeCertificate(
  writer: StorageWriter,
  scope: string,
  old: Version1Certificate,
  caCertificateId: string | undefined,
): void {
  const { certificateId, certificatePem, createdAtSeconds } = old;
  const order = nextOrder(writer, scope);
  const record: CertificateRecord = {
    certificateId,
    certificatePem,
    // A status that schema 1 did not have is damage: the certificate is kept, and may not connect.
    status: certificateStatuses.find((one) => one === old.status) ?? "INACTIVE",
    certificateMode: "DEFAULT",
    caCertificateId,
    order,
    createdAtSeconds,
    modifiedAtSeconds: createdAtSeconds,
    customerVersion: 1,
    previousOwner: undefined,
    transfer: undefined,
  };
  certificates.put(writer, record, scope, certificateId);
  certificateOwners.add(writer, certificateId, scope);
  certificatesByOrder.add(writer, scope, orderKey(order), certificateId);
  if (caCertificateId === undefined) return;
  certificatesByAuthority.add(writer, scope, caCertificateId, orderKey(order), certificateId);
}
