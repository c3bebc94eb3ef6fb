/**
 * The storage port of the registry: certificates, the authorities that vouch for them, policies and attachments.
 *
 * Every adapter passes one conformance suite (`test/store-conformance.ts`). All methods are asynchronous, since an
 * adapter may live on another machine, and atomic: a rejected call has changed nothing, a resolved one is kept.
 */

import { RegistryError } from "./errors.ts";

/** Whether a certificate may connect (AWS IoT certificate status, the part of it that does not depend on transfers). */
export type CertificateStatus = "ACTIVE" | "INACTIVE" | "REVOKED";

/** A device certificate. */
export interface CertificateRecord {
  /** SHA-256 of `der` in lower-case hexadecimal, as AWS IoT names certificates. */
  readonly certificateId: string;
  /** The certificate, DER. */
  readonly der: Uint8Array;
  readonly status: CertificateStatus;
  /** Seconds since 1970-01-01T00:00:00Z. */
  readonly createdAtSeconds: number;
}

/** A certificate authority whose certificates devices may connect with. */
export interface CertificateAuthorityRecord {
  /** SHA-256 of `der` in lower-case hexadecimal. */
  readonly certificateId: string;
  readonly der: Uint8Array;
  readonly status: "ACTIVE" | "INACTIVE";
  readonly createdAtSeconds: number;
}

/** A policy, as the text that was given: the registry does not read it. */
export interface PolicyRecord {
  readonly policyName: string;
  readonly document: string;
}

/** What an adapter implements. Records that come out are the caller's own; bytes that go in are copied. */
export interface RegistryStore extends AsyncDisposable {
  /** Throws `ERR_REGISTRY_ALREADY_EXISTS`. */
  createCertificateAuthority(record: CertificateAuthorityRecord): Promise<void>;
  /** All authorities, oldest first. */
  certificateAuthorities(): Promise<readonly CertificateAuthorityRecord[]>;

  /** Throws `ERR_REGISTRY_ALREADY_EXISTS`. */
  createCertificate(record: CertificateRecord): Promise<void>;
  certificate(certificateId: string): Promise<CertificateRecord | undefined>;
  /** All certificates, oldest first. */
  certificates(): Promise<readonly CertificateRecord[]>;
  /** Throws `ERR_REGISTRY_NOT_FOUND`. */
  setCertificateStatus(certificateId: string, status: CertificateStatus): Promise<void>;

  /** Throws `ERR_REGISTRY_ALREADY_EXISTS` or `ERR_REGISTRY_POLICY_NAME`. */
  createPolicy(record: PolicyRecord): Promise<void>;
  policy(policyName: string): Promise<PolicyRecord | undefined>;
  /**
   * Attaches; attaching twice is one attachment.
   *
   * Throws `ERR_REGISTRY_NOT_FOUND` or `ERR_REGISTRY_TOO_MANY_POLICIES`.
   */
  attachPolicy(policyName: string, certificateId: string): Promise<void>;
  /** Throws `ERR_REGISTRY_NOT_FOUND` where there is no such attachment. */
  detachPolicy(policyName: string, certificateId: string): Promise<void>;
  /** The policies attached to a certificate, by name. */
  attachedPolicies(certificateId: string): Promise<readonly PolicyRecord[]>;

  /**
   * A number that is another one after every change, made through this store or by another process on the same
   * storage. What was derived from the registry is stale as soon as it differs. Synchronous and cheap.
   */
  version(): number;
}

/** AWS IoT quota: policies attached to one certificate. */
export const maximumAttachedPolicies = 10;

/** Throws `ERR_REGISTRY_POLICY_NAME` unless a text is 1 to 128 of `[\w+=,.@-]` (AWS IoT CreatePolicy). */
export function checkPolicyName(text: string): void {
  if (/^[\w+=,.@-]{1,128}$/.test(text)) return;
  throw new RegistryError("ERR_REGISTRY_POLICY_NAME", `${JSON.stringify(text)} cannot name a policy`);
}

/** Throws `ERR_REGISTRY_TOO_MANY_POLICIES` where a certificate with `count` policies cannot have another. */
export function checkAttachmentCount(certificateId: string, count: number): void {
  if (count < maximumAttachedPolicies) return;
  throw new RegistryError("ERR_REGISTRY_TOO_MANY_POLICIES", `${certificateId} has ${count} policies already`);
}
