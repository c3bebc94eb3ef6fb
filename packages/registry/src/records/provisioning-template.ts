/** Provisioning templates and the tokens of fleet provisioning. */

import { flag, object, oneOf, optional, text, whole, type Decoder } from "../decode.ts";
import { Table } from "../table.ts";

/** `FLEET_PROVISIONING` for devices with a claim certificate, `JITP` for devices with a certificate of an own authority. */
export type ProvisioningTemplateType = "FLEET_PROVISIONING" | "JITP";

/** A stored template. Times are seconds since 1970-01-01T00:00:00Z. */
export interface ProvisioningTemplateRecord {
  readonly templateName: string;
  readonly templateBody: string;
  readonly type: ProvisioningTemplateType;
  readonly description: string | undefined;
  readonly enabled: boolean;
  readonly provisioningRoleArn: string;
  readonly createdAtSeconds: number;
  readonly modifiedAtSeconds: number;
}

/** A certificate that a claiming device was given and that waits to be provisioned. */
export interface OwnershipTokenRecord {
  readonly certificateId: string;
  readonly expiresAtSeconds: number;
}

/** A certificate with which a device may claim its own (CreateProvisioningClaim). */
export interface ClaimCertificateRecord {
  readonly certificateId: string;
  readonly templateName: string;
  /** Seconds since 1970-01-01T00:00:00Z. */
  readonly expiresAtSeconds: number;
}

const provisioningTemplateRecord: Decoder<ProvisioningTemplateRecord> = object({
  templateName: text,
  templateBody: text,
  type: oneOf("FLEET_PROVISIONING", "JITP"),
  description: optional(text),
  enabled: flag,
  provisioningRoleArn: text,
  createdAtSeconds: whole,
  modifiedAtSeconds: whole,
});

/** SCOPE/NAME. */
export const provisioningTemplates: Table<ProvisioningTemplateRecord> = new Table(
  "provisioning-template",
  provisioningTemplateRecord,
);
/** SCOPE/SHA-256 of the token. */
export const ownershipTokens: Table<OwnershipTokenRecord> = new Table(
  "ownership-token",
  object({ certificateId: text, expiresAtSeconds: whole }),
);
/** SCOPE/ID. */
export const claimCertificates: Table<ClaimCertificateRecord> = new Table(
  "claim-certificate",
  object({ certificateId: text, templateName: text, expiresAtSeconds: whole }),
);
