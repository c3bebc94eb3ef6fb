/** What a registry of schema 1 held (one account, no things, no versions of policies), written as schema 2 has it. */

import { ensureAccount } from "./accounts.ts";
import {
  authorityOwners,
  certificateAuthorities,
  type CertificateAuthorityRecord,
} from "./records/certificate-authority.ts";
import {
  certificateOwners,
  certificates,
  certificatesByAuthority,
  certificatesByOrder,
  certificateStatuses,
  orderKey,
  type CertificateRecord,
} from "./records/certificate.ts";
import { accounts } from "./records/account.ts";
import { policies, policiesOfTarget, policyVersions, targetsOfPolicy, versionKey } from "./records/policy.ts";
import { defaultScope, scopeKey } from "./scope.ts";
import type { StorageWriter } from "./storage.ts";

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
  const account = ensureAccount(writer, defaultScope, createdAtSeconds);
  for (const authority of old.authorities) {
    writeAuthority(writer, scope, authority, authority.certificateId === local?.certificateId);
  }
  let order = account.certificateOrder;
  for (const certificate of old.certificates) {
    order++;
    writeCertificate(writer, scope, certificate, { caCertificateId: local?.certificateId, order });
  }
  accounts.put(writer, { ...account, certificateOrder: order }, scope);
  for (const { policyName, document } of old.policies) {
    const times = { createdAtSeconds, modifiedAtSeconds: createdAtSeconds };
    policies.put(writer, { policyName, defaultVersionId: "1", lastVersionId: 1, ...times }, scope, policyName);
    const version = { policyName, versionId: "1", document, createdAtSeconds };
    policyVersions.put(writer, version, scope, policyName, versionKey("1"));
  }
  for (const { certificateId, policyName } of old.attachments) {
    policiesOfTarget.add(writer, scope, "cert", certificateId, policyName);
    targetsOfPolicy.add(writer, scope, policyName, "cert", certificateId);
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
    createdAtSeconds,
    modifiedAtSeconds: createdAtSeconds,
    customerVersion: 1,
  };
  certificateAuthorities.put(writer, record, scope, certificateId);
  authorityOwners.add(writer, certificateId, scope);
}

function writeCertificate(
  writer: StorageWriter,
  scope: string,
  old: Version1Certificate,
  place: Pick<CertificateRecord, "caCertificateId" | "order">,
): void {
  const { certificateId, certificatePem, createdAtSeconds } = old;
  const { caCertificateId, order } = place;
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
