/** A registry that lives and dies with its process: for tests, demonstrations and short-lived brokers. */

import { alreadyExists, notAttached, notFound } from "./errors.ts";
import {
  checkAttachmentCount,
  checkPolicyName,
  type CertificateAuthorityRecord,
  type CertificateRecord,
  type CertificateStatus,
  type PolicyRecord,
  type RegistryStore,
} from "./store.ts";

/** A new, empty registry in memory. */
export function createMemoryStore(): RegistryStore {
  return new MemoryStore();
}

class MemoryStore implements RegistryStore {
  readonly #authorities = new Map<string, CertificateAuthorityRecord>();
  readonly #certificates = new Map<string, CertificateRecord>();
  readonly #policies = new Map<string, PolicyRecord>();
  /** Names of policies by certificateId. */
  readonly #attachments = new Map<string, Set<string>>();
  #version = 0;

  async createCertificateAuthority(record: CertificateAuthorityRecord): Promise<void> {
    insert(this.#authorities, record.certificateId, { ...record, der: record.der.slice() });
    this.#version++;
  }

  async certificateAuthorities(): Promise<readonly CertificateAuthorityRecord[]> {
    return Array.from(this.#authorities.values(), copyOf);
  }

  async createCertificate(record: CertificateRecord): Promise<void> {
    insert(this.#certificates, record.certificateId, { ...record, der: record.der.slice() });
    this.#version++;
  }

  async certificate(certificateId: string): Promise<CertificateRecord | undefined> {
    const record = this.#certificates.get(certificateId);
    return record === undefined ? undefined : copyOf(record);
  }

  async certificates(): Promise<readonly CertificateRecord[]> {
    return Array.from(this.#certificates.values(), copyOf);
  }

  async setCertificateStatus(certificateId: string, status: CertificateStatus): Promise<void> {
    this.#certificates.set(certificateId, { ...existing(this.#certificates, certificateId), status });
    this.#version++;
  }

  async createPolicy({ policyName, document }: PolicyRecord): Promise<void> {
    checkPolicyName(policyName);
    insert(this.#policies, policyName, { policyName, document });
    this.#version++;
  }

  async policy(policyName: string): Promise<PolicyRecord | undefined> {
    const record = this.#policies.get(policyName);
    return record === undefined ? undefined : { ...record };
  }

  async attachPolicy(policyName: string, certificateId: string): Promise<void> {
    existing(this.#policies, policyName);
    existing(this.#certificates, certificateId);
    const names = this.#attachments.get(certificateId) ?? new Set();
    if (names.has(policyName)) return;
    checkAttachmentCount(certificateId, names.size);
    this.#attachments.set(certificateId, names.add(policyName));
    this.#version++;
  }

  async detachPolicy(policyName: string, certificateId: string): Promise<void> {
    if (this.#attachments.get(certificateId)?.delete(policyName) !== true) throw notAttached(policyName, certificateId);
    this.#version++;
  }

  async attachedPolicies(certificateId: string): Promise<readonly PolicyRecord[]> {
    const names = [...(this.#attachments.get(certificateId) ?? [])].sort();
    return names.map((name) => ({ ...existing(this.#policies, name) }));
  }

  version(): number {
    return this.#version;
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}

function insert<T>(records: Map<string, T>, key: string, record: T): void {
  if (records.has(key)) throw alreadyExists(key);
  records.set(key, record);
}

function existing<T>(records: ReadonlyMap<string, T>, key: string): T {
  const record = records.get(key);
  if (record === undefined) throw notFound(key);
  return record;
}

function copyOf<T extends { readonly der: Uint8Array }>(record: T): T {
  return { ...record, der: record.der.slice() };
}
