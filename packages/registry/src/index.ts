/** Accounts, things, certificates, authorities and policies: the ways to an identity, and what it may do. */

export type { BulkCertificate, BulkResult, BulkThing } from "./bulk.ts";
export { certificateAttributes } from "./certificate-attributes.ts";
export type { AuthorityRegistration, AuthorityUpdate, CertificateAuthorities } from "./certificate-authorities.ts";
export type { CertificateTransfers } from "./certificate-transfers.ts";
export type { Certificates, CreatedKeysAndCertificate } from "./certificates.ts";
export { resourceKey, type Change, type ChangeBatch, type ChangeKind, type ResourceKind } from "./changes.ts";
export type {
  ConnectionRights,
  ConnectionRightsOptions,
  ConnectionRightsTable,
  PolicySet,
} from "./connection-rights.ts";
export type { RegistryContext } from "./context.ts";
export { deviceArchive } from "./device-archive.ts";
export { deviceBundle, type BundleFile, type DeviceBundleInput } from "./device-bundle.ts";
export {
  isRegistryError,
  RegistryError,
  type AnyRegistryError,
  type RegistryErrorCode,
  type RegistryEvidence,
} from "./errors.ts";
export type { FleetProvisioning, ProvisioningCaller, ProvisioningMessage } from "./fleet-provisioning.ts";
export type { Provisioned } from "./identity/provision.ts";
export {
  evaluateTemplate,
  readTemplate,
  type EvaluatedTemplate,
  type OverrideSetting,
  type ProvisioningTemplate,
  type TemplateResource,
} from "./identity/provisioning-template.ts";
export {
  Principal,
  type CertificateRegisteredEvent,
  type PresentedCertificate,
  type PrincipalRefusal,
  type PrincipalResolverOptions,
  type PrincipalResult,
} from "./identity/resolve-principal.ts";
export {
  openLocalAuthority,
  validityUnder,
  type KeyPairStore,
  type LocalAuthority,
  type LocalAuthorityOptions,
  type LocalPairName,
  type ServerNames,
  type ServerPair,
} from "./local-authority.ts";
export { createMemoryStorage } from "./memory/memory-storage.ts";
export type { Policies, Policy, PolicyTarget } from "./policies.ts";
export type {
  ClaimedCertificate,
  FleetProvisioningRequest,
  ProvisioningHook,
  ProvisioningHookAnswer,
  ProvisioningHookRequest,
  ProvisioningTemplates,
  TemplateInput,
} from "./provisioning-templates.ts";
export type { ChainProof } from "./connection-reads.ts";
export type { AccountRecord } from "./records/account.ts";
export type { CertificateAuthorityRecord, RegistrationConfig } from "./records/certificate-authority.ts";
export type {
  CertificateMode,
  CertificateRecord,
  CertificateStatus,
  CertificateTransfer,
} from "./records/certificate.ts";
export type { PolicyRecord, PolicyVersionRecord } from "./records/policy.ts";
export type {
  ClaimCertificateRecord,
  ProvisioningTemplateRecord,
  ProvisioningTemplateType,
} from "./records/provisioning-template.ts";
export type {
  ThingGroupRecord,
  ThingPrincipalRecord,
  ThingPrincipalType,
  ThingRecord,
  ThingTypeRecord,
} from "./records/thing.ts";
export {
  createRegistry,
  requestContext,
  type ConnectionFacts,
  type Registry,
  type RegistryOptions,
} from "./registry.ts";
export { defaultScope, nameInArn, resourceArn, type ArnKind, type Scope } from "./scope.ts";
export type { ScanOptions, Storage, StorageEntry, StorageReader, StorageWriter, TableName } from "./storage.ts";
export type { Page, PageOptions } from "./table.ts";
export type {
  AuthorizationAction,
  AuthorizationAnswer,
  AuthorizationQuestion,
  AuthorizationTest,
} from "./test-authorization.ts";
export type { TaggableKind, Tags } from "./tags.ts";
export type { ThingGroupInput, ThingGroups, ThingGroupUpdate } from "./thing-groups.ts";
export type { ThingInput, Things, ThingUpdate } from "./things.ts";
export type { ThingTypes } from "./thing-types.ts";
