/** The record of a certificate authority: written and announced together. */

import type { CryptoProvider } from "@latchkey/crypto";
import { certificateId, certificateToPem, type Certificate } from "@latchkey/x509";
import { resourceKey } from "./changes.ts";
import { RegistryError } from "./errors.ts";
import {
  authorityOwners,
  certificateAuthorities,
  type CertificateAuthorityRecord,
} from "./records/certificate-authority.ts";
import type { StorageWriter } from "./storage.ts";

/** Stores a new or changed record, and announces it. */
export function storeAuthority(writer: StorageWriter, scope: string, record: CertificateAuthorityRecord): void {
  certificateAuthorities.put(writer, record, scope, record.certificateId);
  authorityOwners.add(writer, record.certificateId, scope);
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
    createdAtSeconds: nowSeconds,
    modifiedAtSeconds: nowSeconds,
    customerVersion: 1,
  };
  storeAuthority(writer, scope, record);
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
