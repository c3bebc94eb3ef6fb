/** The record of a certificate and the indexes that belong to it: written, changed and removed together. */

import { orderKey } from "./accounts.ts";
import { resourceKey } from "./changes.ts";
import { notFound, RegistryError } from "./errors.ts";
import {
  certificateOwners,
  certificates,
  certificatesByAuthority,
  certificatesByOrder,
  type CertificateRecord,
  type CertificateStatus,
} from "./records/certificate.ts";
import { removeAttachments } from "./policy-attachments.ts";
import { policiesOfTarget } from "./records/policy.ts";
import { claimCertificates } from "./records/provisioning-template.ts";
import { thingsOfPrincipal } from "./records/thing.ts";
import type { StorageReader, StorageWriter } from "./storage.ts";

/** Throws `ERR_REGISTRY_NOT_FOUND`. */
export function requireCertificate(reader: StorageReader, scope: string, id: string): CertificateRecord {
  const record = certificates.get(reader, scope, id);
  if (record === undefined) throw notFound("certificate", id);
  return record;
}

/** Stores a new record with its indexes, and announces it. */
export function insertCertificate(writer: StorageWriter, scope: string, record: CertificateRecord): void {
  const { certificateId: id, order, caCertificateId } = record;
  certificates.put(writer, record, scope, id);
  certificateOwners.add(writer, id, scope);
  certificatesByOrder.add(writer, scope, orderKey(order), id);
  if (caCertificateId !== undefined) certificatesByAuthority.add(writer, scope, caCertificateId, orderKey(order), id);
  announce(writer, scope, id);
}

/** Changes fields of a record, and announces it. */
export function changeCertificate(
  writer: StorageWriter,
  scope: string,
  before: CertificateRecord,
  fields: Partial<Pick<CertificateRecord, "status" | "transfer">> & { readonly modifiedAtSeconds: number },
): CertificateRecord {
  const record: CertificateRecord = { ...before, ...fields, customerVersion: before.customerVersion + 1 };
  certificates.put(writer, record, scope, record.certificateId);
  announce(writer, scope, record.certificateId);
  return record;
}

/** Removes a record with its indexes and the attachments of policies to it, and announces it. Things are to be detached before. */
export function removeCertificate(writer: StorageWriter, scope: string, record: CertificateRecord): void {
  const { certificateId: id, order, caCertificateId } = record;
  certificates.delete(writer, scope, id);
  certificateOwners.delete(writer, id, scope);
  certificatesByOrder.delete(writer, scope, orderKey(order), id);
  if (caCertificateId !== undefined)
    certificatesByAuthority.delete(writer, scope, caCertificateId, orderKey(order), id);
  removeAttachments(writer, scope, "cert", id);
  claimCertificates.delete(writer, scope, id);
  announce(writer, scope, id);
}

/** The policies that are attached to a certificate, for a refusal. */
export function attachedPolicies(reader: StorageReader, scope: string, id: string): string[] {
  return Array.from(policiesOfTarget.all(reader, scope, "cert", id), (policyName) => `policy ${policyName}`);
}

/** The things that a certificate is attached to, for a refusal. */
export function attachedThings(reader: StorageReader, scope: string, id: string): string[] {
  return Array.from(thingsOfPrincipal.all(reader, scope, id), ({ thingName }) => `thing ${thingName}`);
}

/** A certificate is given away without policies and things: while it is offered, none is attached. Throws `ERR_REGISTRY_CERTIFICATE_STATE`. */
export function checkNotOffered(record: CertificateRecord): void {
  if (record.status !== "PENDING_TRANSFER") return;
  throw wrongCertificateState(record, ["ACTIVE", "INACTIVE", "REVOKED", "PENDING_ACTIVATION"]);
}

/** The refusal of an operation that is possible in other statuses only. */
export function wrongCertificateState(
  { certificateId: id, status }: CertificateRecord,
  needed: readonly CertificateStatus[],
): RegistryError<"ERR_REGISTRY_CERTIFICATE_STATE"> {
  return new RegistryError(
    "ERR_REGISTRY_CERTIFICATE_STATE",
    `certificate ${id} is ${status}: this is possible for one that is ${needed.join(" or ")}`,
    { certificateId: id, status, needed },
  );
}

function announce(writer: StorageWriter, scope: string, id: string): void {
  writer.announce("certificate", [resourceKey(scope, "certificate", id)]);
}
