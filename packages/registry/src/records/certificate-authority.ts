/** Certificate authorities that accounts have registered, and registration codes. */

import { flag, object, oneOf, optional, text, whole, type Decoder } from "../decode.ts";
import { Index, Table } from "../table.ts";
import type { CertificateMode } from "./certificate.ts";

/** How devices of an authority are provisioned when they connect for the first time. */
export interface RegistrationConfig {
  /** A template of its own. */
  readonly templateBody: string | undefined;
  /** Or the name of a stored one. */
  readonly templateName: string | undefined;
  readonly roleArn: string | undefined;
}

/** A registered authority. Times are seconds since 1970-01-01T00:00:00Z. */
export interface CertificateAuthorityRecord {
  /** SHA-256 of the certificate's DER in lower-case hexadecimal. */
  readonly certificateId: string;
  readonly certificatePem: string;
  readonly status: "ACTIVE" | "INACTIVE";
  readonly certificateMode: CertificateMode;
  /** Whether unknown certificates of this authority are registered when they are shown (just-in-time registration). */
  readonly autoRegistration: boolean;
  readonly registrationConfig: RegistrationConfig | undefined;
  /** The authority of the broker's own first start: it signs what the registry issues, and cannot be deleted. */
  readonly isLocal: boolean;
  /** The number of its registration (`nextOrder`). */
  readonly order: number;
  readonly createdAtSeconds: number;
  readonly modifiedAtSeconds: number;
  readonly customerVersion: number;
}

const certificateAuthorityRecord: Decoder<CertificateAuthorityRecord> = object({
  certificateId: text,
  certificatePem: text,
  status: oneOf("ACTIVE", "INACTIVE"),
  certificateMode: oneOf("DEFAULT", "SNI_ONLY"),
  autoRegistration: flag,
  registrationConfig: optional(
    object({ templateBody: optional(text), templateName: optional(text), roleArn: optional(text) }),
  ),
  isLocal: flag,
  order: whole,
  createdAtSeconds: whole,
  modifiedAtSeconds: whole,
  customerVersion: whole,
});

/** SCOPE/ID. */
export const certificateAuthorities: Table<CertificateAuthorityRecord> = new Table(
  "certificate-authority",
  certificateAuthorityRecord,
);
/** SCOPE/ORDER/ID. */
export const authoritiesByOrder: Index = new Index("certificate-authority-by-order");
/** ID/SCOPE: which accounts have an authority. */
export const authorityOwners: Index = new Index("certificate-authority-owner");
/** SCOPE: a text. */
export const registrationCodes: Table<string> = new Table("registration-code", text);
