/** A registry: everything in it by kind, over one storage. */

import type { RequestContext, RequestProtocol } from "@latchkey/policy";
import { certificateId } from "@latchkey/x509";
import { ensureAccount, requireAccount, scopeOfServerName, setEndpoint } from "./accounts.ts";
import {
  exportCertificates,
  importCertificates,
  readBulkLines,
  type BulkCertificate,
  type BulkResult,
} from "./bulk.ts";
import { CertificateAuthorities } from "./certificate-authorities.ts";
import { Certificates } from "./certificates.ts";
import { CertificateTransfers } from "./certificate-transfers.ts";
import type { ChangeBatch } from "./changes.ts";
import { ConnectionReads } from "./connection-reads.ts";
import { ConnectionRightsTable, type ConnectionRights, type ConnectionRightsOptions } from "./connection-rights.ts";
import type { RegistryContext } from "./context.ts";
import { documentsOf, effectivePolicies, groupsAbove } from "./effective-policies.ts";
import { FleetProvisioning } from "./fleet-provisioning.ts";
import { provisionJustInTime } from "./identity/just-in-time.ts";
import type { ProvisioningParts } from "./identity/provision.ts";
import {
  PrincipalResolver,
  type PrincipalResolverOptions,
  type PrincipalResult,
} from "./identity/resolve-principal.ts";
import { Policies } from "./policies.ts";
import { ProvisioningTemplates, type ProvisioningHook } from "./provisioning-templates.ts";
import { accounts, type AccountRecord } from "./records/account.ts";
import { certificateAuthorities } from "./records/certificate-authority.ts";
import { policiesOfTarget } from "./records/policy.ts";
import { scopeKey, type Scope } from "./scope.ts";
import { ensureLocalAuthority } from "./stored-authority.ts";
import type { Page, PageOptions } from "./table.ts";
import { testAuthorization, type AuthorizationAnswer, type AuthorizationTest } from "./test-authorization.ts";
import { Tags } from "./tags.ts";
import { ThingGroups } from "./thing-groups.ts";
import { Things } from "./things.ts";
import { ThingTypes } from "./thing-types.ts";

/** What a registry is made with. */
export interface RegistryOptions extends RegistryContext, PrincipalResolverOptions {
  /** Asked before a device is provisioned by claim. */
  readonly provisioningHook?: ProvisioningHook | undefined;
}

/** What a connection knows besides its principal, for the request context. */
export interface ConnectionFacts {
  readonly sourceIp?: string | undefined;
  readonly serverName?: string | undefined;
  /** Over HTTPS there are no client identifiers and no things. */
  readonly protocol: RequestProtocol;
}

/** A registry over one storage. It holds the storage and disposes it with itself. */
export class Registry implements AsyncDisposable {
  readonly certificates: Certificates;
  readonly transfers: CertificateTransfers;
  readonly authorities: CertificateAuthorities;
  readonly policies: Policies;
  readonly things: Things;
  readonly thingTypes: ThingTypes;
  readonly thingGroups: ThingGroups;
  readonly templates: ProvisioningTemplates;
  /** Fleet provisioning by claim as messages: what a transport calls. */
  readonly fleetProvisioning: FleetProvisioning;
  readonly tags: Tags;
  readonly #context: RegistryContext;
  readonly #options: PrincipalResolverOptions;
  readonly #parts: ProvisioningParts;
  readonly #resolver: PrincipalResolver;
  readonly #reads: ConnectionReads;

  constructor(options: RegistryOptions) {
    const context = options;
    this.#context = context;
    this.#options = options;
    this.certificates = new Certificates(context);
    this.transfers = new CertificateTransfers(context, this.certificates);
    this.authorities = new CertificateAuthorities(context);
    this.policies = new Policies(context);
    this.things = new Things(context);
    this.thingTypes = new ThingTypes(context);
    this.thingGroups = new ThingGroups(context);
    const { certificates, policies, things, thingGroups } = this;
    const parts = { context, certificates, policies, things, thingGroups };
    this.#parts = parts;
    this.tags = new Tags(context);
    this.templates = new ProvisioningTemplates(parts, options.provisioningHook);
    this.fleetProvisioning = new FleetProvisioning(this.templates);
    this.#reads = new ConnectionReads(context.storage, context.provider, options.maximumRemembered);
    this.#resolver = new PrincipalResolver(
      context,
      this.#reads,
      certificates,
      (scope, authority, presented) => provisionJustInTime(parts, scope, authority, presented),
      options,
    );
  }

  /** Makes an account in a region where there is none, with the local authority where the registry has its key. Throws `ERR_REGISTRY_INVALID`. */
  async createAccount(scope: Scope): Promise<AccountRecord> {
    const { storage, provider, issuer } = this.#context;
    const key = scopeKey(scope);
    const localId = issuer === undefined ? undefined : certificateId(issuer.certificate, provider);
    const known = storage.read((reader) => {
      const isWhole = localId === undefined || certificateAuthorities.get(reader, key, localId) !== undefined;
      return isWhole ? accounts.get(reader, key) : undefined;
    });
    if (known !== undefined) return known;
    const nowSeconds = this.#context.nowSeconds();
    return storage.write((writer) => {
      const account = ensureAccount(writer, scope, nowSeconds);
      if (issuer !== undefined) ensureLocalAuthority(writer, key, issuer.certificate, { provider, nowSeconds });
      return account;
    });
  }

  /** Throws `ERR_REGISTRY_NOT_FOUND`. */
  describeAccount(scope: Scope): AccountRecord {
    return this.#context.storage.read((reader) => requireAccount(reader, scope));
  }

  /** A page of all accounts. */
  listAccounts(options: PageOptions = {}): Page<AccountRecord> {
    return this.#context.storage.read((reader) => accounts.page(reader, options));
  }

  /** Gives an account another endpoint. Throws `ERR_REGISTRY_INVALID`, `_NOT_FOUND`, `_ALREADY_EXISTS`. */
  async setEndpoint(scope: Scope, host: string): Promise<void> {
    await this.#context.storage.write((writer) => setEndpoint(writer, scope, host));
  }

  /** The account that a server name (SNI) selects. */
  scopeOfServerName(serverName: string): Scope | undefined {
    return this.#context.storage.read((reader) => scopeOfServerName(reader, serverName));
  }

  /** Says who a client is; see `PrincipalResolver`. Rejects where the storage does; the client must then be refused. */
  resolvePrincipal(chain: readonly Uint8Array[], serverName: string | undefined): Promise<PrincipalResult> {
    return this.#resolver.resolve(chain, serverName);
  }

  /** Makes a table of the rights of live connections. `inactiveAuthority` is the registry's own where `options` has none. */
  connectionRights(options: ConnectionRightsOptions = {}): ConnectionRightsTable {
    const inactiveAuthority = options.inactiveAuthority ?? this.#options.inactiveAuthority;
    return new ConnectionRightsTable(this.#reads, () => this.#context.nowSeconds(), { ...options, inactiveAuthority });
  }

  /** Names and documents of the policies that hold for a certificate with this client identifier. Throws `ERR_REGISTRY_NOT_FOUND`. */
  effectivePolicies(
    scope: Scope,
    certificateId: string,
    clientIdentifier?: string,
  ): readonly { readonly policyName: string; readonly versionId: string; readonly document: string }[] {
    this.certificates.describe(scope, certificateId);
    const key = scopeKey(scope);
    return this.#context.storage.read((reader) =>
      documentsOf(reader, key, effectivePolicies(reader, key, certificateId, clientIdentifier).policyNames),
    );
  }

  /** The policies that a thing has by its groups. Throws `ERR_REGISTRY_NOT_FOUND`. */
  policiesOfThing(scope: Scope, thingName: string): readonly string[] {
    this.things.describe(scope, thingName);
    const key = scopeKey(scope);
    return this.#context.storage.read((reader) => {
      const names = new Set<string>();
      for (const group of groupsAbove(reader, key, thingName)) {
        for (const name of policiesOfTarget.all(reader, key, "thinggroup", group)) names.add(name);
      }
      return [...names].sort();
    });
  }

  /** Answers what a certificate would be allowed. Throws `ERR_REGISTRY_NOT_FOUND`, `ERR_REGISTRY_INVALID`. */
  testAuthorization(scope: Scope, test: AuthorizationTest): readonly AuthorizationAnswer[] {
    return testAuthorization(this.#context, scope, test);
  }

  /** Registers many certificates; see `importCertificates`. */
  importCertificates(
    scope: Scope,
    input: Iterable<BulkCertificate | Error>,
    pause: () => Promise<void>,
  ): Promise<BulkResult> {
    return importCertificates(this.#parts, scope, input, pause);
  }

  /** Registers many certificates from JSON lines. */
  importLines(scope: Scope, lines: Iterable<string>, pause: () => Promise<void>): Promise<BulkResult> {
    return importCertificates(this.#parts, scope, readBulkLines(lines), pause);
  }

  /** All certificates of an account as JSON lines. */
  exportLines(scope: Scope): Generator<string> {
    return exportCertificates(this.#parts, scope);
  }

  /** The number of the last committed change, by any process. */
  sequence(): number {
    return this.#context.storage.sequence();
  }

  /** Committed changes behind `sequence`, at most `limit`. */
  changesAfter(sequence: number, limit = 1000): ChangeBatch {
    return this.#context.storage.changesAfter(sequence, limit);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#reads[Symbol.dispose]();
    await this.#context.storage[Symbol.asyncDispose]();
  }
}

/**
 * What policies are decided about for a request of a connection: everything that the registry and the connection know. The caller
 * adds what only the request knows (the attributes of a CONNECT, the time).
 */
export function requestContext(rights: ConnectionRights, facts: ConnectionFacts): RequestContext {
  const { principal, clientIdentifier, thing } = rights;
  return {
    protocol: facts.protocol,
    clientId: clientIdentifier,
    sourceIp: facts.sourceIp,
    domainName: facts.serverName,
    certificateId: principal.certificateId,
    certificate: principal.certificateAttributes,
    thing,
  };
}

/** Opens a registry over a storage. */
export function createRegistry(options: RegistryOptions): Registry {
  return new Registry(options);
}
