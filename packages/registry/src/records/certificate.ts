/** Device certificates, as they are stored. */

import { object, oneOf, optional, text, whole, type Decoder } from "../decode.ts";
import { Index, Table } from "../table.ts";

/** Statuses of a certificate (AWS IoT `CertificateStatus`; the deprecated REGISTER_INACTIVE is not given any more). */
export type CertificateStatus = "ACTIVE" | "INACTIVE" | "REVOKED" | "PENDING_TRANSFER" | "PENDING_ACTIVATION";

/** `SNI_ONLY`: may be registered in several accounts, and the device has to send a server name. */
export type CertificateMode = "DEFAULT" | "SNI_ONLY";

/** A transfer to another account: under way while the status is PENDING_TRANSFER, and the memory of the last one. */
export interface CertificateTransfer {
  readonly targetAccount: string;
  readonly transferMessage: string | undefined;
  readonly rejectReason: string | undefined;
  readonly transferDateSeconds: number;
  readonly acceptDateSeconds: number | undefined;
  readonly rejectDateSeconds: number | undefined;
}

/** A registered device certificate. Times are seconds since 1970-01-01T00:00:00Z. */
export interface CertificateRecord {
  /** SHA-256 of the certificate's DER in lower-case hexadecimal. */
  readonly certificateId: string;
  readonly certificatePem: string;
  readonly status: CertificateStatus;
  readonly certificateMode: CertificateMode;
  /** The registered or local authority that signed it; undefined where it was registered without one. */
  readonly caCertificateId: string | undefined;
  /** Counts the registrations of an account, so that lists have them in their order. */
  readonly order: number;
  readonly createdAtSeconds: number;
  readonly modifiedAtSeconds: number;
  /** Counts the changes of this record from 1. */
  readonly customerVersion: number;
  /** The account that gave it away. */
  readonly previousOwner: string | undefined;
  readonly transfer: CertificateTransfer | undefined;
}

const transfer: Decoder<CertificateTransfer> = object({
  targetAccount: text,
  transferMessage: optional(text),
  rejectReason: optional(text),
  transferDateSeconds: whole,
  acceptDateSeconds: optional(whole),
  rejectDateSeconds: optional(whole),
});

export const certificateStatuses: readonly CertificateStatus[] = [
  "ACTIVE",
  "INACTIVE",
  "REVOKED",
  "PENDING_TRANSFER",
  "PENDING_ACTIVATION",
];

const certificateRecord: Decoder<CertificateRecord> = object({
  certificateId: text,
  certificatePem: text,
  status: oneOf(...certificateStatuses),
  certificateMode: oneOf("DEFAULT", "SNI_ONLY"),
  caCertificateId: optional(text),
  order: whole,
  createdAtSeconds: whole,
  modifiedAtSeconds: whole,
  customerVersion: whole,
  previousOwner: optional(text),
  transfer: optional(transfer),
});

/** SCOPE/ID. */
export const certificates: Table<CertificateRecord> = new Table("certificate", certificateRecord);
/** ID/SCOPE: which accounts have a certificate. */
export const certificateOwners: Index = new Index("certificate-owner");
/** SCOPE/ORDER/ID. */
export const certificatesByOrder: Index = new Index("certificate-by-order");
/** SCOPE/CA/ORDER/ID. */
export const certificatesByAuthority: Index = new Index("certificate-by-authority");
/** TARGET SCOPE/ID/SOURCE SCOPE: transfers that the account may accept. */
export const incomingTransfers: Index = new Index("incoming-transfer");
