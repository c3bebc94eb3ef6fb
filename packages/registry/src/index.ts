/** Certificates, certificate authorities, policies and their attachments, behind a storage port. */

export { RegistryError, type RegistryErrorCode } from "./errors.ts";
export {
  CertificateIdentifier,
  type Identification,
  type IdentificationCode,
  type IdentificationRefusal,
  type IdentifiedCertificate,
  type PresentedCertificate,
} from "./identify-certificate.ts";
export { createMemoryStore } from "./memory-store.ts";
export {
  maximumAttachedPolicies,
  type CertificateAuthorityRecord,
  type CertificateRecord,
  type CertificateStatus,
  type PolicyRecord,
  type RegistryStore,
} from "./store.ts";
