/** The record of a certificate authority: written and announced together. */

import type { CryptoProvider } from "@latchkey/crypto";
import { certificateId, certificateToPem, type Certificate } from "@latchkey/x509";
import { nextOrder, orderKey } from "./accounts.ts";
import { resourceKey } from "./changes.ts";
import { RegistryError } from "./errors.ts";
import {
  authoritiesByOrder,
  authorityOwners,
  certificateAuthorities,
  type CertificateAuthorityRecord,
} from "./records/certificate-authority.ts";
import type { StorageWriter } from "./storage.ts";

/** Stores a new record with its indexes, and announces it. */
export function insertAuthority(writer: StorageWriter, scope: string, record: CertificateAuthorityRecord): void {
  authoritiesByOrder.add(writer, scope, orderKey(record.order), record.certificateId);
  authorityOwners.add(writer, record.certificateId, scope);
  storeAuthority(writer, scope, record);
}

/** Stores a record that has changed, and announces it. */
export function storeAuthority(writer: StorageWriter, scope: string, record: CertificateAuthorityRecord): void {
  certificateAuthorities.put(writer, record, scope, record.certificateId);
  writer.announce("certificate-authority", [resourceKey(scope, "certificate-authority", record.certificateId)]);
}

/**
 * The local authority in an account, where it is registered, ACTIVE, if it is not there. A certificate that it has issued may connect only to an
 * account that has it.
 */
export function ensureLocalAuthority(
  writer: StorageWriter,
  scope: string,
  authority: Certificate,
  { provider, nowSeconds }: { readonly provider: CryptoProvider; readonly nowSeconds: number },
): CertificateAuthorityRecord {
  const id = certificateId(authority, provider);
  const known = certificateAuthorities.get(writer, scope, id);
  if (known !== undefined) return known;
  const record: CertificateAuthorityRecord = {
    certificateId: id,
    certificatePem: certificateToPem(authority),
    status: "ACTIVE",
    certificateMode: "DEFAULT",
    autoRegistration: false,
    registrationConfig: undefined,
    isLocal: true,
    order: nextOrder(writer, scope),
    createdAtSeconds: nowSeconds,
    modifiedAtSeconds: nowSeconds,
    customerVersion: 1,
  };
  insertAuthority(writer, scope, record);
  return record;
}

/** The refusal of a registration under an authority that is INACTIVE. */
export function authorityNotActive({
  certificateId: id,
  status,
}: CertificateAuthorityRecord): RegistryError<"ERR_REGISTRY_CERTIFICATE_STATE"> {
  return new RegistryError(
    "ERR_REGISTRY_CERTIFICATE_STATE",
    `the certificate authority ${id} is ${status}: set it ACTIVE to register certificates of it`,
    { certificateId: id, status, needed: ["ACTIVE"] },
  );
}
