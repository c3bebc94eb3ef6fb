/** Stored provisioning templates, and the handlers of fleet provisioning that a transport calls. */

import { hexText } from "@latchkey/x509";
import { requireAccount } from "./accounts.ts";
import type { Certificates, CreatedKeysAndCertificate } from "./certificates.ts";
import type { RegistryContext } from "./context.ts";
import { alreadyExists, notFound, RegistryError } from "./errors.ts";
import { provision, type Provisioned, type ProvisioningParts } from "./identity/provision.ts";
import { readTemplate } from "./identity/provisioning-template.ts";
import { certificateParameters } from "./identity/just-in-time.ts";
import { claimCertificateSeconds, ownershipTokenSeconds } from "./limits.ts";
import { checkTemplateName } from "./names.ts";
import { certificates, type CertificateRecord } from "./records/certificate.ts";
import { policiesOfTarget } from "./records/policy.ts";
import {
  ownershipTokens,
  provisioningTemplates,
  type ProvisioningTemplateRecord,
  type ProvisioningTemplateType,
} from "./records/provisioning-template.ts";
import { resourceArn, scopeKey, type Scope } from "./scope.ts";
import type { StorageReader } from "./storage.ts";
import { attachedThings, removeCertificate, requireCertificate } from "./stored-certificate.ts";
import { forgetTags } from "./tags.ts";
import type { Page, PageOptions } from "./table.ts";
import { storedCertificate } from "./certificate-input.ts";

/** What CreateProvisioningTemplate takes. */
export interface TemplateInput {
  readonly templateBody: string;
  readonly provisioningRoleArn: string;
  readonly type?: ProvisioningTemplateType | undefined;
  readonly description?: string | undefined;
  readonly enabled?: boolean | undefined;
}

/** What a claiming device gets: the token proves that it may have the certificate provisioned. */
export interface ClaimedCertificate {
  readonly record: CertificateRecord;
  readonly certificateOwnershipToken: string;
  /** Where the registry made the key pair. */
  readonly privateKeyPem: string | undefined;
}

/** What a pre-provisioning hook is asked. */
export interface ProvisioningHookRequest {
  readonly claimCertificateId: string | undefined;
  readonly certificateId: string;
  readonly certificatePem: string;
  readonly templateArn: string;
  readonly clientId: string | undefined;
  readonly parameters: Readonly<Record<string, string>>;
}

/** Says whether a device may be provisioned, and with which parameters. */
export type ProvisioningHook = (request: ProvisioningHookRequest) => Promise<{
  readonly allowProvisioning: boolean;
  readonly parameterOverrides?: Readonly<Record<string, string>> | undefined;
}>;

/** A request of fleet provisioning to carry a template out. */
export interface FleetProvisioningRequest {
  readonly templateName: string;
  readonly certificateOwnershipToken: string;
  readonly parameters: Readonly<Record<string, string>>;
  /** Of the connection that asks. */
  readonly claimCertificateId?: string | undefined;
  readonly clientIdentifier?: string | undefined;
}

/** The provisioning templates of a registry. */
export class ProvisioningTemplates {
  readonly #context: RegistryContext;
  readonly #parts: ProvisioningParts;
  readonly #certificates: Certificates;
  readonly #hook: ProvisioningHook | undefined;

  /** `hook` is asked before each provisioning by claim. A hook that fails refuses. */
  constructor(parts: ProvisioningParts, hook: ProvisioningHook | undefined) {
    this.#context = parts.context;
    this.#parts = parts;
    this.#certificates = parts.certificates;
    this.#hook = hook;
  }

  /** Throws `ERR_REGISTRY_INVALID`, `ERR_REGISTRY_PROVISIONING`, `ERR_REGISTRY_ALREADY_EXISTS`. */
  async create(scope: Scope, templateName: string, input: TemplateInput): Promise<ProvisioningTemplateRecord> {
    checkTemplateName(templateName);
    readTemplate(input.templateBody);
    return this.#context.storage.write((writer) => {
      const key = scopeKey(scope);
      requireAccount(writer, scope);
      if (provisioningTemplates.get(writer, key, templateName) !== undefined) {
        const arn = resourceArn(scope, "provisioningtemplate", templateName);
        throw alreadyExists("provisioning template", templateName, arn);
      }
      const nowSeconds = this.#context.nowSeconds();
      const record: ProvisioningTemplateRecord = {
        templateName,
        templateBody: input.templateBody,
        type: input.type ?? "FLEET_PROVISIONING",
        description: input.description,
        enabled: input.enabled === true,
        provisioningRoleArn: input.provisioningRoleArn,
        createdAtSeconds: nowSeconds,
        modifiedAtSeconds: nowSeconds,
      };
      provisioningTemplates.put(writer, record, key, templateName);
      writer.announce("provisioning-template", []);
      return record;
    });
  }

  /** Throws `ERR_REGISTRY_NOT_FOUND`. */
  describe(scope: Scope, templateName: string): ProvisioningTemplateRecord {
    checkTemplateName(templateName);
    const record = this.#context.storage.read((reader) =>
      provisioningTemplates.get(reader, scopeKey(scope), templateName),
    );
    if (record === undefined) throw notFound("provisioning template", templateName);
    return record;
  }

  /** A page of them, by name. */
  list(scope: Scope, options: PageOptions = {}): Page<ProvisioningTemplateRecord> {
    return this.#context.storage.read((reader) => provisioningTemplates.page(reader, options, scopeKey(scope)));
  }

  /** Switches a template on or off, and changes its description and role. Throws `ERR_REGISTRY_NOT_FOUND`. */
  async update(
    scope: Scope,
    templateName: string,
    update: {
      readonly enabled?: boolean | undefined;
      readonly description?: string | undefined;
      readonly provisioningRoleArn?: string | undefined;
    },
  ): Promise<void> {
    checkTemplateName(templateName);
    await this.#context.storage.write((writer) => {
      const key = scopeKey(scope);
      const record = provisioningTemplates.get(writer, key, templateName);
      if (record === undefined) throw notFound("provisioning template", templateName);
      const changed: ProvisioningTemplateRecord = {
        ...record,
        enabled: update.enabled ?? record.enabled,
        description: update.description ?? record.description,
        provisioningRoleArn: update.provisioningRoleArn ?? record.provisioningRoleArn,
        modifiedAtSeconds: this.#context.nowSeconds(),
      };
      provisioningTemplates.put(writer, changed, key, templateName);
      writer.announce("provisioning-template", []);
    });
  }

  /** Throws `ERR_REGISTRY_NOT_FOUND`. */
  async delete(scope: Scope, templateName: string): Promise<void> {
    checkTemplateName(templateName);
    await this.#context.storage.write((writer) => {
      if (!provisioningTemplates.delete(writer, scopeKey(scope), templateName)) {
        throw notFound("provisioning template", templateName);
      }
      forgetTags(writer, scopeKey(scope), "provisioningtemplate", templateName);
      writer.announce("provisioning-template", []);
    });
  }

  /** Carries a template out (RegisterThing). Throws `ERR_REGISTRY_PROVISIONING` and what its operations throw. */
  async registerThing(
    scope: Scope,
    templateBody: string,
    parameters: Readonly<Record<string, string>>,
  ): Promise<Provisioned> {
    return provision(this.#parts, scope, readTemplate(templateBody), parameters);
  }

  /** A short-lived certificate with which a device may claim its own (CreateProvisioningClaim). It is active. */
  async createClaim(
    scope: Scope,
    templateName: string,
  ): Promise<CreatedKeysAndCertificate & { readonly expirationSeconds: number }> {
    this.describe(scope, templateName);
    const expirationSeconds = this.#context.nowSeconds() + claimCertificateSeconds;
    const created = await this.#certificates.createKeysAndCertificate(scope, {
      setAsActive: true,
      notAfterSeconds: expirationSeconds,
    });
    return { ...created, expirationSeconds };
  }

  /** `$aws/certificates/create/...`: a key pair and a certificate that waits to be provisioned. */
  async claimKeysAndCertificate(scope: Scope): Promise<ClaimedCertificate> {
    const created = await this.#certificates.createKeysAndCertificate(scope);
    return this.#withToken(scope, created.record, created.privateKeyPem);
  }

  /** `$aws/certificates/create-from-csr/...`: a certificate for a key that the device keeps. */
  async claimFromCsr(scope: Scope, requestPem: string): Promise<ClaimedCertificate> {
    return this.#withToken(scope, await this.#certificates.createFromCsr(scope, requestPem), undefined);
  }

  /**
   * `$aws/provisioning-templates/NAME/provision/...`: provisions the certificate of a token, once.
   *
   * Throws `ERR_REGISTRY_ACCESS_DENIED` for a wrong, used or expired token, a disabled template or a hook that said no; and what
   * provisioning throws.
   */
  async provisionByClaim(scope: Scope, request: FleetProvisioningRequest): Promise<Provisioned> {
    const { templateName } = request;
    const template = this.describe(scope, templateName);
    if (!template.enabled || template.type !== "FLEET_PROVISIONING") {
      throw accessDenied(templateName, `the template ${templateName} is not an enabled fleet provisioning template`);
    }
    const key = scopeKey(scope);
    const tokenKey = this.#tokenKey(request.certificateOwnershipToken);
    const { token, record } = this.#context.storage.read((reader) => {
      const found = ownershipTokens.get(reader, key, tokenKey);
      return { token: found, record: found && requireCertificate(reader, key, found.certificateId) };
    });
    const isValid = token !== undefined && token.expiresAtSeconds >= this.#context.nowSeconds();
    if (!isValid || record === undefined) {
      throw tokenRefused(templateName);
    }
    const parameters = await this.#askHook(scope, request, record);
    const certificate = storedCertificate(record);
    const own = certificateParameters({ certificateId: record.certificateId, certificate });
    const values = { ...parameters, ...own };
    return provision(this.#parts, scope, readTemplate(template.templateBody), values, (writer) => {
      // Of two requests with one token, the second finds it used.
      if (!ownershipTokens.delete(writer, key, tokenKey)) throw tokenRefused(templateName);
    });
  }

  /** Removes certificates whose token has expired unused. Gives how many. To be called now and then. */
  async removeUnclaimed(scope: Scope): Promise<number> {
    const key = scopeKey(scope);
    return this.#context.storage.write((writer) => {
      let removed = 0;
      for (const { key: entry } of writer.scan("ownership-token", `${key}/`, { limit: maximumRemovedAtOnce })) {
        const tokenKey = entry.slice(key.length + 1);
        const token = ownershipTokens.get(writer, key, tokenKey);
        if (token === undefined || token.expiresAtSeconds >= this.#context.nowSeconds()) continue;
        ownershipTokens.delete(writer, key, tokenKey);
        // It may have been deleted, given away or put to use in another way since.
        const record = certificates.get(writer, key, token.certificateId);
        if (record?.status !== "INACTIVE" || isInUse(writer, key, record.certificateId)) continue;
        removeCertificate(writer, key, record);
        removed++;
      }
      return removed;
    });
  }

  async #withToken(
    scope: Scope,
    record: CertificateRecord,
    privateKeyPem: string | undefined,
  ): Promise<ClaimedCertificate> {
    const certificateOwnershipToken = hexText(this.#context.provider.randomBytes(32));
    const expiresAtSeconds = this.#context.nowSeconds() + ownershipTokenSeconds;
    await this.#context.storage.write((writer) => {
      const key = this.#tokenKey(certificateOwnershipToken);
      ownershipTokens.put(writer, { certificateId: record.certificateId, expiresAtSeconds }, scopeKey(scope), key);
    });
    return { record, certificateOwnershipToken, privateKeyPem };
  }

  async #askHook(
    scope: Scope,
    { templateName, claimCertificateId, clientIdentifier, parameters }: FleetProvisioningRequest,
    { certificateId, certificatePem }: CertificateRecord,
  ): Promise<Readonly<Record<string, string>>> {
    if (this.#hook === undefined) return parameters;
    const templateArn = resourceArn(scope, "provisioningtemplate", templateName);
    const request = {
      claimCertificateId,
      certificateId,
      certificatePem,
      templateArn,
      clientId: clientIdentifier,
      parameters,
    };
    let answer: Awaited<ReturnType<ProvisioningHook>>;
    try {
      answer = await this.#hook(request);
    } catch {
      throw accessDenied(templateName, "the pre-provisioning hook failed");
    }
    if (!answer.allowProvisioning) throw accessDenied(templateName, "the pre-provisioning hook did not allow it");
    return { ...parameters, ...answer.parameterOverrides };
  }

  /** Tokens are secrets: they are stored and looked up by their hash. */
  #tokenKey(token: string): string {
    return hexText(this.#context.provider.hash("SHA-256", new TextEncoder().encode(token)));
  }
}

function isInUse(reader: StorageReader, scope: string, certificateId: string): boolean {
  return (
    policiesOfTarget.count(reader, 1, scope, "cert", certificateId) > 0 ||
    attachedThings(reader, scope, certificateId).length > 0
  );
}

/** Tokens that one call of `removeUnclaimed` looks at. */
const maximumRemovedAtOnce = 1000;

function tokenRefused(templateName: string): RegistryError<"ERR_REGISTRY_ACCESS_DENIED"> {
  return accessDenied(templateName, "the certificate ownership token is unknown, used or expired");
}

function accessDenied(templateName: string, message: string): RegistryError<"ERR_REGISTRY_ACCESS_DENIED"> {
  return new RegistryError("ERR_REGISTRY_ACCESS_DENIED", message, { templateName });
}
