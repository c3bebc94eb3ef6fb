/** Stored provisioning templates, and the handlers of fleet provisioning that a transport calls. */

import { flag, Misfit, object, optional, texts, type Decoder } from "./decode.ts";
import { hexText } from "@latchkey/x509";
import { requireAccount } from "./accounts.ts";
import type { Certificates, CreatedKeysAndCertificate } from "./certificates.ts";
import type { RegistryContext } from "./context.ts";
import { alreadyExists, notFound, RegistryError } from "./errors.ts";
import { provision, type Provisioned, type ProvisioningParts } from "./identity/provision.ts";
import { readTemplate } from "./identity/provisioning-template.ts";
import { certificateParameters } from "./identity/just-in-time.ts";
import { claimCertificateSeconds, ownershipTokenSeconds } from "./limits.ts";
import { checkCertificateId, checkTemplateName } from "./names.ts";
import { certificateAuthorities } from "./records/certificate-authority.ts";
import { certificates, type CertificateRecord } from "./records/certificate.ts";
import {
  claimCertificates,
  ownershipTokens,
  provisioningTemplates,
  type ClaimCertificateRecord,
  type OwnershipTokenRecord,
  type ProvisioningTemplateRecord,
  type ProvisioningTemplateType,
} from "./records/provisioning-template.ts";
import { resourceArn, scopeKey, type Scope } from "./scope.ts";
import type { StorageReader, StorageWriter } from "./storage.ts";
import { attachedPolicies, attachedThings, removeCertificate, requireCertificate } from "./stored-certificate.ts";
import { forgetTags } from "./tags.ts";
import type { Page, PageOptions, Table } from "./table.ts";
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
export interface ProvisioningHook {
  /** What it throws, and an answer that comes after five seconds (AWS), refuses the device. */
  ask(request: ProvisioningHookRequest): Promise<ProvisioningHookAnswer>;
  /** Resolves after so many milliseconds, such as `setTimeout` of `node:timers/promises` with `{ ref: false }`. */
  wait(milliseconds: number): Promise<void>;
}

/** What a pre-provisioning hook says. */
export interface ProvisioningHookAnswer {
  readonly allowProvisioning: boolean;
  readonly parameterOverrides?: Readonly<Record<string, string>> | undefined;
}

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

  /** `hook` is asked before each provisioning by claim. A hook that fails, or does not answer in time, refuses. */
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

  /** Throws `ERR_REGISTRY_NOT_FOUND`, and `ERR_REGISTRY_DELETE_CONFLICT` while a certificate authority names it. */
  async delete(scope: Scope, templateName: string): Promise<void> {
    checkTemplateName(templateName);
    await this.#context.storage.write((writer) => {
      const key = scopeKey(scope);
      if (provisioningTemplates.get(writer, key, templateName) === undefined) {
        throw notFound("provisioning template", templateName);
      }
      for (const { certificateId, registrationConfig } of certificateAuthorities.all(writer, key)) {
        if (registrationConfig?.templateName !== templateName) continue;
        const attached = [`certificate authority ${certificateId}`];
        const message = `provisioning template ${templateName} provisions the devices of ${attached.join(", ")}`;
        throw new RegistryError("ERR_REGISTRY_DELETE_CONFLICT", message, { resourceId: templateName, attached });
      }
      provisioningTemplates.delete(writer, key, templateName);
      forgetTags(writer, key, "provisioningtemplate", templateName);
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
    const key = scopeKey(scope);
    const expirationSeconds = this.#context.nowSeconds() + claimCertificateSeconds;
    const options = { notAfterSeconds: expirationSeconds };
    const created = await this.#certificates.makeKeysAndCertificate(scope, "ACTIVE", options, (writer, record) => {
      const { certificateId } = record;
      const claim = { certificateId, templateName, expiresAtSeconds: expirationSeconds };
      claimCertificates.put(writer, claim, key, certificateId);
    });
    return { ...created, expirationSeconds };
  }

  /**
   * A page of the claim certificates that are there, by identifier. They are among the account's certificates, too, unlike AWS
   * IoT's, which cannot be seen.
   */
  listClaims(scope: Scope, options: PageOptions = {}): Page<ClaimCertificateRecord> {
    return this.#context.storage.read((reader) => claimCertificates.page(reader, options, scopeKey(scope)));
  }

  /** Removes a claim certificate at once, with its policies. Throws `ERR_REGISTRY_NOT_FOUND` for one that is none, `ERR_REGISTRY_DELETE_CONFLICT`. */
  async deleteClaim(scope: Scope, certificateId: string): Promise<void> {
    checkCertificateId(certificateId);
    await this.#context.storage.write((writer) => {
      const key = scopeKey(scope);
      if (claimCertificates.get(writer, key, certificateId) === undefined) throw notFound("claim", certificateId);
      const attached = attachedThings(writer, key, certificateId);
      if (attached.length > 0) {
        const message = `claim certificate ${certificateId} is attached to ${attached.join(", ")}: detach it first`;
        throw new RegistryError("ERR_REGISTRY_DELETE_CONFLICT", message, { resourceId: certificateId, attached });
      }
      removeCertificate(writer, key, requireCertificate(writer, key, certificateId));
    });
  }

  /** `$aws/certificates/create/...`: a key pair and a certificate that is PENDING_ACTIVATION until it is provisioned. */
  async claimKeysAndCertificate(scope: Scope): Promise<ClaimedCertificate> {
    const { certificateOwnershipToken, store } = this.#newToken(scope);
    const made = await this.#certificates.makeKeysAndCertificate(scope, "PENDING_ACTIVATION", {}, store);
    return { record: made.record, certificateOwnershipToken, privateKeyPem: made.privateKeyPem };
  }

  /** `$aws/certificates/create-from-csr/...`: the same for a key that the device keeps. Throws as `createFromCsr`. */
  async claimFromCsr(scope: Scope, requestPem: string): Promise<ClaimedCertificate> {
    const { certificateOwnershipToken, store } = this.#newToken(scope);
    const record = await this.#certificates.makeFromCsr(scope, requestPem, "PENDING_ACTIVATION", store);
    return { record, certificateOwnershipToken, privateKeyPem: undefined };
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
      throw accessDenied(
        templateName,
        "template",
        `the template ${templateName} is not an enabled fleet provisioning template`,
      );
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

  /**
   * Removes certificates whose token has expired unused, and claim certificates that have expired. Gives how many. To be called now and
   * then; `pause` is awaited between transactions of 1,000 tokens or claims, so that an event loop gets its turn.
   */
  async removeUnclaimed(scope: Scope, pause: () => Promise<void> = async () => {}): Promise<number> {
    let removed = 0;
    for (const table of [ownershipTokens, claimCertificates]) {
      let nextToken: string | undefined;
      do {
        const options = { pageSize: removedAtOnce, nextToken };
        const done = await this.#context.storage.write((writer) => this.#removeExpired(writer, scope, table, options));
        removed += done.removed;
        nextToken = done.nextToken;
        await pause();
      } while (nextToken !== undefined);
    }
    return removed;
  }

  #removeExpired(
    writer: StorageWriter,
    scope: Scope,
    table: Table<OwnershipTokenRecord>,
    options: PageOptions,
  ): { readonly removed: number; readonly nextToken: string | undefined } {
    const key = scopeKey(scope);
    const nowSeconds = this.#context.nowSeconds();
    const isClaims = table === claimCertificates;
    let removed = 0;
    const page = table.entries(writer, options, key);
    for (const {
      key: entry,
      record: { certificateId, expiresAtSeconds },
    } of page.items) {
      if (expiresAtSeconds >= nowSeconds) continue;
      table.delete(writer, key, entry);
      // It may have been deleted, given away or put to use in another way since.
      const record = certificates.get(writer, key, certificateId);
      if (record === undefined || record.status === "PENDING_TRANSFER") continue;
      const isKept = isClaims ? attachedThings(writer, key, certificateId).length > 0 : isPutToUse(writer, key, record);
      if (isKept) continue;
      removeCertificate(writer, key, record);
      removed++;
    }
    return { removed, nextToken: page.nextToken };
  }

  /** A new token, and what stores it beside its certificate. */
  #newToken(scope: Scope): {
    readonly certificateOwnershipToken: string;
    readonly store: (writer: StorageWriter, record: CertificateRecord) => void;
  } {
    const certificateOwnershipToken = hexText(this.#context.provider.randomBytes(32));
    const tokenKey = this.#tokenKey(certificateOwnershipToken);
    const store = (writer: StorageWriter, { certificateId }: CertificateRecord): void => {
      const expiresAtSeconds = this.#context.nowSeconds() + ownershipTokenSeconds;
      ownershipTokens.put(writer, { certificateId, expiresAtSeconds }, scopeKey(scope), tokenKey);
    };
    return { certificateOwnershipToken, store };
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
    const late = `did not answer within ${hookMilliseconds / 1000} s`;
    let answer: ProvisioningHookAnswer | string;
    try {
      answer = await Promise.race([
        this.#hook.ask(request).then((given) => hookAnswer(given, "answer")),
        this.#hook.wait(hookMilliseconds).then(() => late),
      ]);
    } catch (error) {
      const what = error instanceof Misfit ? `gave an answer that is none: ${error.message}` : "failed";
      throw accessDenied(templateName, "hook", `the pre-provisioning hook ${what}`);
    }
    if (typeof answer === "string") throw accessDenied(templateName, "hook", `the pre-provisioning hook ${answer}`);
    if (!answer.allowProvisioning)
      throw accessDenied(templateName, "hook", "the pre-provisioning hook did not allow it");
    return { ...parameters, ...answer.parameterOverrides };
  }

  /** Tokens are secrets: they are stored and looked up by their hash. */
  #tokenKey(token: string): string {
    return hexText(this.#context.provider.hash("SHA-256", new TextEncoder().encode(token)));
  }
}

/** Whether a certificate that was claimed has become more than what its device was given. */
function isPutToUse(reader: StorageReader, scope: string, { certificateId, status }: CertificateRecord): boolean {
  const isWaiting = status === "PENDING_ACTIVATION" || status === "INACTIVE";
  return (
    !isWaiting ||
    attachedPolicies(reader, scope, certificateId).length > 0 ||
    attachedThings(reader, scope, certificateId).length > 0
  );
}

/** Time that a pre-provisioning hook has (AWS). */
const hookMilliseconds = 5000;

/** A hook may come from a program without types, and anything but a clear yes is a no. */
const hookAnswer: Decoder<ProvisioningHookAnswer> = object({
  allowProvisioning: flag,
  parameterOverrides: optional(texts),
});

/** Tokens or claims that one transaction of `removeUnclaimed` looks at. */
const removedAtOnce = 1000;

function tokenRefused(templateName: string): RegistryError<"ERR_REGISTRY_ACCESS_DENIED"> {
  return accessDenied(templateName, "token", "the certificate ownership token is unknown, used or expired");
}

function accessDenied(
  templateName: string,
  reason: "token" | "template" | "hook",
  message: string,
): RegistryError<"ERR_REGISTRY_ACCESS_DENIED"> {
  return new RegistryError("ERR_REGISTRY_ACCESS_DENIED", message, { templateName, reason });
}
