/**
 * Certificate authorities that an account has registered (RegisterCACertificate and its siblings), registration codes, and the local
 * authority.
 */

import {
  certificateId,
  attributeValues,
  basicConstraints,
  certificateToPem,
  extensionValue,
  hexText,
} from "@latchkey/x509";
import type { Certificate } from "@latchkey/x509";
import { namesMatch } from "@latchkey/x509";
import { nextOrder, orderKey, requireAccount, withoutOrder } from "./accounts.ts";
import {
  checkDates,
  checkKey,
  checkSignedBy,
  readCertificate,
  refused,
  storedCertificate,
} from "./certificate-input.ts";
import { resourceKey } from "./changes.ts";
import type { RegistryContext } from "./context.ts";
import { alreadyExists, invalid, limitReached, notFound, RegistryError } from "./errors.ts";
import { maximumAuthoritiesPerSubject } from "./limits.ts";
import { checkCertificateId } from "./names.ts";
import { readTemplate } from "./identity/provisioning-template.ts";
import {
  authoritiesByOrder,
  authorityOwners,
  certificateAuthorities,
  registrationCodes,
  type CertificateAuthorityRecord,
  type RegistrationConfig,
} from "./records/certificate-authority.ts";
import { provisioningTemplates } from "./records/provisioning-template.ts";
import type { CertificateMode } from "./records/certificate.ts";
import { resourceArn, scopeKey, type Scope } from "./scope.ts";
import type { StorageReader, StorageWriter } from "./storage.ts";
import { ensureLocalAuthority, insertAuthority, storeAuthority } from "./stored-authority.ts";
import { forgetTags } from "./tags.ts";
import type { Page, PageOptions } from "./table.ts";

/** What RegisterCACertificate takes. */
export interface AuthorityRegistration {
  readonly caCertificatePem: string;
  /** A certificate that the authority has signed, with the registration code as its common name. For DEFAULT mode only. */
  readonly verificationCertificatePem?: string | undefined;
  /** Default `DEFAULT`. */
  readonly certificateMode?: CertificateMode | undefined;
  readonly setAsActive?: boolean | undefined;
  readonly allowAutoRegistration?: boolean | undefined;
  readonly registrationConfig?: Partial<RegistrationConfig> | undefined;
}

/** What UpdateCACertificate takes. */
export interface AuthorityUpdate {
  readonly status?: "ACTIVE" | "INACTIVE" | undefined;
  readonly autoRegistration?: boolean | undefined;
  readonly registrationConfig?: Partial<RegistrationConfig> | undefined;
  readonly removeAutoRegistration?: boolean | undefined;
}

/** The authorities of a registry. */
export class CertificateAuthorities {
  readonly #context: RegistryContext;

  constructor(context: RegistryContext) {
    this.#context = context;
  }

  /**
   * Registers an authority. In DEFAULT mode the verification certificate proves that the account holds its key, and one
   * account of a region can have it; in SNI_ONLY mode there is no proof, and several can.
   *
   * Throws `ERR_REGISTRY_INVALID`, `_CERTIFICATE`, `_REGISTRATION_CODE`, `_LIMIT`, `_ALREADY_EXISTS`, `_NOT_FOUND` (a template),
   * `_PROVISIONING`.
   */
  async register(scope: Scope, registration: AuthorityRegistration): Promise<CertificateAuthorityRecord> {
    const { provider } = this.#context;
    const nowSeconds = this.#context.nowSeconds();
    const certificateMode = registration.certificateMode ?? "DEFAULT";
    const authority = readCertificate("caCertificate", registration.caCertificatePem);
    if (extensionValue(authority, basicConstraints)?.cA !== true) {
      throw refused("caCertificate is not a certificate authority: its basicConstraints do not say cA TRUE");
    }
    checkKey("caCertificate", authority.subjectPublicKeyInfo.encoding, provider);
    checkDates("caCertificate", authority, nowSeconds);
    const verification = readVerification(certificateMode, registration.verificationCertificatePem);
    if (verification !== undefined) {
      checkSignedBy("verificationCertificate", verification, authority, { provider, nowSeconds });
    }
    const id = certificateId(authority, provider);
    return this.#context.storage.write((writer) => {
      requireAccount(writer, scope);
      const key = scopeKey(scope);
      if (verification !== undefined) checkRegistrationCode(verification, registrationCodes.get(writer, key));
      checkIsNew(writer, scope, id, certificateMode);
      checkSubjectCount(writer, key, authority);
      const record: CertificateAuthorityRecord = {
        certificateId: id,
        certificatePem: certificateToPem(authority),
        status: registration.setAsActive === true ? "ACTIVE" : "INACTIVE",
        certificateMode,
        autoRegistration: registration.allowAutoRegistration === true,
        registrationConfig: readConfig(writer, key, registration.registrationConfig),
        isLocal: false,
        order: nextOrder(writer, key),
        createdAtSeconds: nowSeconds,
        modifiedAtSeconds: nowSeconds,
        customerVersion: 1,
      };
      insertAuthority(writer, key, record);
      return record;
    });
  }

  /**
   * Registers the local authority in an account, ACTIVE, where it is not there, for a program without its key. A registry with the key
   * does so itself, in each account that it makes or issues the first certificate for.
   */
  async registerLocal(scope: Scope, authority: Certificate): Promise<void> {
    const { provider } = this.#context;
    const nowSeconds = this.#context.nowSeconds();
    const key = scopeKey(scope);
    const id = certificateId(authority, provider);
    if (this.#context.storage.read((reader) => certificateAuthorities.get(reader, key, id)) !== undefined) return;
    await this.#context.storage.write((writer) => {
      requireAccount(writer, scope);
      ensureLocalAuthority(writer, key, authority, { provider, nowSeconds });
    });
  }

  /** Throws `ERR_REGISTRY_NOT_FOUND`. */
  describe(scope: Scope, id: string): CertificateAuthorityRecord {
    checkCertificateId(id);
    return this.#context.storage.read((reader) => requireAuthority(reader, scopeKey(scope), id));
  }

  /** A page of them, oldest first. */
  list(scope: Scope, options: PageOptions = {}): Page<CertificateAuthorityRecord> {
    return this.#context.storage.read((reader) => {
      const key = scopeKey(scope);
      const page = authoritiesByOrder.page(reader, options, key);
      return { ...page, items: page.items.map((one) => requireAuthority(reader, key, withoutOrder(one))) };
    });
  }

  /**
   * Changes status, just-in-time registration and provisioning. An INACTIVE authority registers no further certificates.
   *
   * Throws `ERR_REGISTRY_NOT_FOUND`, `ERR_REGISTRY_PROVISIONING`.
   */
  async update(scope: Scope, id: string, update: AuthorityUpdate): Promise<CertificateAuthorityRecord> {
    checkCertificateId(id);
    return this.#context.storage.write((writer) => {
      const key = scopeKey(scope);
      const before = requireAuthority(writer, key, id);
      const removes = update.removeAutoRegistration === true;
      const record: CertificateAuthorityRecord = {
        ...before,
        status: update.status ?? before.status,
        autoRegistration: !removes && (update.autoRegistration ?? before.autoRegistration),
        registrationConfig: removes
          ? undefined
          : (readConfig(writer, key, update.registrationConfig) ?? before.registrationConfig),
        modifiedAtSeconds: this.#context.nowSeconds(),
        customerVersion: before.customerVersion + 1,
      };
      storeAuthority(writer, key, record);
      return record;
    });
  }

  /** Deletes an INACTIVE authority. Throws `ERR_REGISTRY_NOT_FOUND`, `ERR_REGISTRY_CERTIFICATE_STATE`. */
  async delete(scope: Scope, id: string): Promise<void> {
    checkCertificateId(id);
    await this.#context.storage.write((writer) => {
      const key = scopeKey(scope);
      const { status, isLocal, order } = requireAuthority(writer, key, id);
      if (status !== "INACTIVE") {
        throw new RegistryError(
          "ERR_REGISTRY_CERTIFICATE_STATE",
          `the authority ${id} is ${status}: set it INACTIVE before it is deleted`,
          { certificateId: id, status, needed: ["INACTIVE"] },
        );
      }
      if (isLocal) throw invalid("certificateId", id, "an authority that was registered: this one is the broker's own");
      certificateAuthorities.delete(writer, key, id);
      authoritiesByOrder.delete(writer, key, orderKey(order), id);
      authorityOwners.delete(writer, id, key);
      forgetTags(writer, key, "cacert", id);
      writer.announce("certificate-authority", [resourceKey(key, "certificate-authority", id)]);
    });
  }

  /** The account's registration code: 64 hexadecimal digits, the same until it is deleted. */
  async registrationCode(scope: Scope): Promise<string> {
    const key = scopeKey(scope);
    const known = this.#context.storage.read((reader) => registrationCodes.get(reader, key));
    if (known !== undefined) return known;
    const fresh = hexText(this.#context.provider.randomBytes(32));
    return this.#context.storage.write((writer) => {
      requireAccount(writer, scope);
      const other = registrationCodes.get(writer, key);
      if (other !== undefined) return other;
      registrationCodes.put(writer, fresh, key);
      return fresh;
    });
  }

  /** Deletes the registration code, so that the next call makes another. Throws `ERR_REGISTRY_NOT_FOUND`. */
  async deleteRegistrationCode(scope: Scope): Promise<void> {
    await this.#context.storage.write((writer) => {
      if (!registrationCodes.delete(writer, scopeKey(scope))) throw notFound("registration code of", scope.account);
    });
  }
}

/** Throws `ERR_REGISTRY_NOT_FOUND`. */
function requireAuthority(reader: StorageReader, scope: string, id: string): CertificateAuthorityRecord {
  const record = certificateAuthorities.get(reader, scope, id);
  if (record === undefined) throw notFound("certificate authority", id);
  return record;
}

function readVerification(mode: CertificateMode, pem: string | undefined): Certificate | undefined {
  const isGiven = pem !== undefined && pem !== "";
  if (mode === "SNI_ONLY") {
    if (isGiven) throw invalid("verificationCertificate", "a certificate", "left out in SNI_ONLY mode");
    return undefined;
  }
  if (!isGiven) {
    throw invalid("verificationCertificate", "nothing", "a certificate with the registration code as its common name");
  }
  return readCertificate("verificationCertificate", pem);
}

function checkRegistrationCode(verification: Certificate, registrationCode: string | undefined): void {
  const found = attributeValues(verification.subject, "commonName").map((value) => value ?? "");
  if (registrationCode !== undefined && found.includes(registrationCode)) return;
  const wanted = registrationCode === undefined ? "the account has none yet: ask for it first" : registrationCode;
  throw new RegistryError(
    "ERR_REGISTRY_REGISTRATION_CODE",
    `the common name of verificationCertificate is ${JSON.stringify(found.join(", "))}, and the registration code is ${wanted}`,
    { found, registrationCode: registrationCode ?? "" },
  );
}

/** One account of a region has an authority in DEFAULT mode; in SNI_ONLY mode several can. */
function checkIsNew(writer: StorageWriter, scope: Scope, id: string, mode: CertificateMode): void {
  const key = scopeKey(scope);
  for (const owner of authorityOwners.all(writer, id)) {
    const record = certificateAuthorities.get(writer, owner, id);
    const isSameRegion = owner.slice(owner.indexOf(":")) === key.slice(key.indexOf(":"));
    const isShared = mode === "SNI_ONLY" && record?.certificateMode === "SNI_ONLY";
    if (owner !== key && (!isSameRegion || isShared)) continue;
    throw alreadyExists("certificate authority", id, owner === key ? resourceArn(scope, "cacert", id) : undefined);
  }
}

function checkSubjectCount(reader: StorageReader, scope: string, authority: Certificate): void {
  let count = 0;
  for (const record of certificateAuthorities.all(reader, scope)) {
    if (namesMatch(storedCertificate(record).subject, authority.subject)) count++;
  }
  if (count >= maximumAuthoritiesPerSubject) {
    throw limitReached("certificate authorities of one subject", maximumAuthoritiesPerSubject, count + 1);
  }
}

function readConfig(
  reader: StorageReader,
  scope: string,
  config: Partial<RegistrationConfig> | undefined,
): RegistrationConfig | undefined {
  if (config === undefined) return undefined;
  const { templateBody, templateName, roleArn } = config;
  if (templateBody !== undefined && templateName !== undefined) {
    throw invalid("registrationConfig", "templateBody and templateName", "one of the two");
  }
  if (templateBody !== undefined) readTemplate(templateBody);
  if (templateName !== undefined && provisioningTemplates.get(reader, scope, templateName) === undefined) {
    throw notFound("provisioning template", templateName);
  }
  return { templateBody, templateName, roleArn };
}
