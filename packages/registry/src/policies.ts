/** Policies with versions, and their attachment to certificates and thing groups. */

import { parsePolicy } from "@latchkey/policy";
import { nextOrder, orderKey, requireAccount, withoutOrder } from "./accounts.ts";
import { checkNotOffered, requireCertificate } from "./stored-certificate.ts";
import { resourceKey } from "./changes.ts";
import type { RegistryContext } from "./context.ts";
import { alreadyExists, invalid, limitReached, notFound, RegistryError } from "./errors.ts";
import { maximumPoliciesPerCertificate, maximumPoliciesPerThingGroup, maximumPolicyVersions } from "./limits.ts";
import { checkPolicyName, checkVersionId } from "./names.ts";
import { addAttachment, attachedInOrder, removeAttachment, type TargetKind } from "./policy-attachments.ts";
import {
  policies,
  policiesByOrder,
  policiesOfTarget,
  policyVersions,
  targetsOfPolicy,
  versionKey,
  type PolicyRecord,
  type PolicyVersionRecord,
} from "./records/policy.ts";
import { nameInArn, resourceArn, scopeKey, type Scope } from "./scope.ts";
import type { StorageReader, StorageWriter } from "./storage.ts";
import { forgetTags } from "./tags.ts";
import { pageOfList, type Page, type PageOptions } from "./table.ts";
import { groupsOfGroup, requireThingGroup } from "./thing-groups.ts";

/** Of a policy that is in use, the refusal of its deletion names so many targets. */
const maximumTargetsInRefusal = 10;

/** What a policy can be attached to. */
export type PolicyTarget =
  | { readonly kind: "cert"; readonly certificateId: string }
  | { readonly kind: "thinggroup"; readonly thingGroupName: string };

/** A policy with the document of its default version. */
export interface Policy extends PolicyRecord {
  readonly document: string;
}

/** The policies of a registry. */
export class Policies {
  readonly #context: RegistryContext;

  constructor(context: RegistryContext) {
    this.#context = context;
  }

  /**
   * Stores a policy as version 1 (CreatePolicy). A policy is not overwritten.
   *
   * Throws `ERR_REGISTRY_INVALID` for its name, `ERR_REGISTRY_MALFORMED_POLICY`, `ERR_REGISTRY_ALREADY_EXISTS`.
   */
  async create(scope: Scope, policyName: string, document: string): Promise<Policy> {
    checkPolicyName(policyName);
    checkDocument(policyName, document);
    return this.#context.storage.write((writer) => this.createIn(writer, scope, policyName, document));
  }

  /** As `create`, within a transaction, with a name and a document that were checked. */
  createIn(writer: StorageWriter, scope: Scope, policyName: string, document: string): Policy {
    const key = scopeKey(scope);
    requireAccount(writer, scope);
    if (policies.get(writer, key, policyName) !== undefined) {
      throw alreadyExists("policy", policyName, resourceArn(scope, "policy", policyName));
    }
    const createdAtSeconds = this.#context.nowSeconds();
    const order = nextOrder(writer, key);
    const record: PolicyRecord = {
      policyName,
      defaultVersionId: "1",
      lastVersionId: 1,
      order,
      createdAtSeconds,
      modifiedAtSeconds: createdAtSeconds,
    };
    policies.put(writer, record, key, policyName);
    policiesByOrder.add(writer, key, orderKey(order), policyName);
    const version = { policyName, versionId: "1", document, createdAtSeconds };
    policyVersions.put(writer, version, key, policyName, versionKey("1"));
    announce(writer, key, policyName);
    return { ...record, document };
  }

  /** The policy with the document of its default version. Throws `ERR_REGISTRY_NOT_FOUND`. */
  get(scope: Scope, policyName: string): Policy {
    checkPolicyName(policyName);
    return this.#context.storage.read((reader) => requirePolicy(reader, scopeKey(scope), policyName));
  }

  /** A page of them, oldest first. */
  list(scope: Scope, options: PageOptions = {}): Page<PolicyRecord> {
    return this.#context.storage.read((reader) => {
      const key = scopeKey(scope);
      const page = policiesByOrder.page(reader, options, key);
      return { ...page, items: page.items.map((one) => requirePolicy(reader, key, withoutOrder(one))) };
    });
  }

  /** Deletes a policy that is attached nowhere and has no other version. Throws `ERR_REGISTRY_NOT_FOUND`, `_DELETE_CONFLICT`. */
  async delete(scope: Scope, policyName: string): Promise<void> {
    checkPolicyName(policyName);
    await this.#context.storage.write((writer) => {
      const key = scopeKey(scope);
      const { defaultVersionId, order } = requirePolicy(writer, key, policyName);
      const targets = targetsOfPolicy.page(writer, { pageSize: maximumTargetsInRefusal }, key, policyName);
      const attached = targets.items.map((target) => withoutOrder(target));
      for (const { versionId } of policyVersions.all(writer, key, policyName)) {
        if (versionId !== defaultVersionId) attached.push(`version ${versionId}`);
      }
      if (attached.length > 0) throw deleteConflict(policyName, attached, targets.nextToken !== undefined);
      policyVersions.delete(writer, key, policyName, versionKey(defaultVersionId));
      policies.delete(writer, key, policyName);
      policiesByOrder.delete(writer, key, orderKey(order), policyName);
      forgetTags(writer, key, "policy", policyName);
      announce(writer, key, policyName);
    });
  }

  /**
   * Adds a version (CreatePolicyVersion); at most five exist at once, and numbers are not given twice.
   *
   * Throws `ERR_REGISTRY_NOT_FOUND`, `ERR_REGISTRY_MALFORMED_POLICY`, `ERR_REGISTRY_VERSIONS_LIMIT`.
   */
  async createVersion(
    scope: Scope,
    policyName: string,
    document: string,
    options: { readonly setAsDefault?: boolean | undefined } = {},
  ): Promise<PolicyVersionRecord> {
    checkPolicyName(policyName);
    checkDocument(policyName, document);
    return this.#context.storage.write((writer) => {
      const key = scopeKey(scope);
      const { document: _, ...policy } = requirePolicy(writer, key, policyName);
      const count = [...policyVersions.all(writer, key, policyName)].length;
      if (count >= maximumPolicyVersions) {
        throw new RegistryError(
          "ERR_REGISTRY_VERSIONS_LIMIT",
          `policy ${policyName} has ${count} versions, and ${maximumPolicyVersions} are possible: delete one first`,
          { policyName, limit: maximumPolicyVersions },
        );
      }
      const createdAtSeconds = this.#context.nowSeconds();
      const versionId = String(policy.lastVersionId + 1);
      const version = { policyName, versionId, document, createdAtSeconds };
      policyVersions.put(writer, version, key, policyName, versionKey(versionId));
      const defaultVersionId = options.setAsDefault === true ? versionId : policy.defaultVersionId;
      const changed = { ...policy, lastVersionId: policy.lastVersionId + 1, defaultVersionId };
      policies.put(writer, { ...changed, modifiedAtSeconds: createdAtSeconds }, key, policyName);
      announce(writer, key, policyName);
      return version;
    });
  }

  /** Throws `ERR_REGISTRY_NOT_FOUND`. */
  getVersion(
    scope: Scope,
    policyName: string,
    versionId: string,
  ): PolicyVersionRecord & { readonly isDefaultVersion: boolean } {
    checkPolicyName(policyName);
    checkVersionId(versionId);
    return this.#context.storage.read((reader) => {
      const key = scopeKey(scope);
      const { defaultVersionId } = requirePolicy(reader, key, policyName);
      return {
        ...requireVersion(reader, key, policyName, versionId),
        isDefaultVersion: versionId === defaultVersionId,
      };
    });
  }

  /** All versions, the newest first as AWS lists them. Throws `ERR_REGISTRY_NOT_FOUND`. */
  listVersions(
    scope: Scope,
    policyName: string,
  ): readonly (PolicyVersionRecord & { readonly isDefaultVersion: boolean })[] {
    checkPolicyName(policyName);
    return this.#context.storage.read((reader) => {
      const key = scopeKey(scope);
      const { defaultVersionId } = requirePolicy(reader, key, policyName);
      const versions = [...policyVersions.all(reader, key, policyName)].reverse();
      return versions.map((version) => ({ ...version, isDefaultVersion: version.versionId === defaultVersionId }));
    });
  }

  /** Throws `ERR_REGISTRY_NOT_FOUND`. */
  async setDefaultVersion(scope: Scope, policyName: string, versionId: string): Promise<void> {
    checkPolicyName(policyName);
    checkVersionId(versionId);
    await this.#context.storage.write((writer) => {
      const key = scopeKey(scope);
      const { document: _, ...policy } = requirePolicy(writer, key, policyName);
      requireVersion(writer, key, policyName, versionId);
      if (policy.defaultVersionId === versionId) return;
      const modifiedAtSeconds = this.#context.nowSeconds();
      policies.put(writer, { ...policy, defaultVersionId: versionId, modifiedAtSeconds }, key, policyName);
      announce(writer, key, policyName);
    });
  }

  /** Deletes a version that is not the default. Throws `ERR_REGISTRY_NOT_FOUND`, `ERR_REGISTRY_DELETE_CONFLICT`. */
  async deleteVersion(scope: Scope, policyName: string, versionId: string): Promise<void> {
    checkPolicyName(policyName);
    checkVersionId(versionId);
    await this.#context.storage.write((writer) => {
      const key = scopeKey(scope);
      const { defaultVersionId } = requirePolicy(writer, key, policyName);
      requireVersion(writer, key, policyName, versionId);
      if (versionId === defaultVersionId) throw deleteConflict(policyName, [`version ${versionId} is the default`]);
      policyVersions.delete(writer, key, policyName, versionKey(versionId));
      announce(writer, key, policyName);
    });
  }

  /**
   * Attaches; attaching twice is one attachment. Throws `ERR_REGISTRY_NOT_FOUND`, `ERR_REGISTRY_LIMIT`, and
   * `ERR_REGISTRY_CERTIFICATE_STATE` for a certificate that waits for its transfer.
   */
  async attach(scope: Scope, policyName: string, target: PolicyTarget): Promise<void> {
    checkPolicyName(policyName);
    await this.#context.storage.write((writer) => this.attachIn(writer, scope, policyName, target));
  }

  /** As `attach`, within a transaction. */
  attachIn(writer: StorageWriter, scope: Scope, policyName: string, target: PolicyTarget): void {
    const key = scopeKey(scope);
    requirePolicy(writer, key, policyName);
    const [kind, name] = requireTarget(writer, key, target);
    if (kind === "cert") checkNotOffered(requireCertificate(writer, key, name));
    if (policiesOfTarget.has(writer, key, kind, name, policyName)) return;
    const limit = kind === "cert" ? maximumPoliciesPerCertificate : maximumPoliciesPerThingGroup;
    const count = policiesOfTarget.count(writer, limit, key, kind, name);
    if (count >= limit) {
      throw limitReached(
        `policies attached to one ${kind === "cert" ? "certificate" : "thing group"}`,
        limit,
        count + 1,
      );
    }
    addAttachment(writer, key, policyName, [kind, name], nextOrder(writer, key));
    announceTarget(writer, key, kind, name);
  }

  /** Refuses what `attachIn` would refuse to a new certificate: a policy that does not exist, or too many. */
  checkAttachable(reader: StorageReader, scope: string, policyNames: readonly string[]): void {
    for (const policyName of policyNames) {
      checkPolicyName(policyName);
      requirePolicy(reader, scope, policyName);
    }
    const count = new Set(policyNames).size;
    if (count > maximumPoliciesPerCertificate) {
      throw limitReached("policies attached to one certificate", maximumPoliciesPerCertificate, count);
    }
  }

  /** Detaches; what is not attached stays so. Throws `ERR_REGISTRY_NOT_FOUND` for a policy or target that does not exist. */
  async detach(scope: Scope, policyName: string, target: PolicyTarget): Promise<void> {
    checkPolicyName(policyName);
    await this.#context.storage.write((writer) => {
      const key = scopeKey(scope);
      const [kind, name] = requireTarget(writer, key, target);
      requirePolicy(writer, key, policyName);
      if (!removeAttachment(writer, key, policyName, [kind, name])) return;
      announceTarget(writer, key, kind, name);
    });
  }

  /**
   * Names of the policies attached to a target, the first attachment first; with `recursive` those of the groups above it, too.
   *
   * Throws `ERR_REGISTRY_NOT_FOUND`.
   */
  listAttached(
    scope: Scope,
    target: PolicyTarget,
    options: PageOptions & { readonly recursive?: boolean | undefined } = {},
  ): Page<string> {
    return this.#context.storage.read((reader) => {
      const key = scopeKey(scope);
      const [kind, name] = requireTarget(reader, key, target);
      const isRecursive = kind === "thinggroup" && options.recursive === true;
      const targets = isRecursive ? groupsOfGroup(reader, key, name) : [name];
      const attached = Array.from(targets).flatMap((one) => attachedInOrder(reader, key, kind, one));
      // A policy that is attached to several of the groups stands where it was attached first.
      const first = new Map<string, number>();
      for (const { policyName, order } of attached) {
        first.set(policyName, Math.min(order, first.get(policyName) ?? order));
      }
      const sorted = Array.from(first, ([policyName, order]) => `${orderKey(order)}/${policyName}`).sort();
      const page = pageOfList(sorted, options);
      return { ...page, items: page.items.map((one) => withoutOrder(one)) };
    });
  }

  /** ARNs of what a policy is attached to, the first attachment first. Throws `ERR_REGISTRY_NOT_FOUND`. */
  listTargets(scope: Scope, policyName: string, options: PageOptions = {}): Page<string> {
    checkPolicyName(policyName);
    return this.#context.storage.read((reader) => {
      const key = scopeKey(scope);
      requirePolicy(reader, key, policyName);
      const page = targetsOfPolicy.page(reader, options, key, policyName);
      return { ...page, items: page.items.map((target) => arnOfTarget(scope, withoutOrder(target))) };
    });
  }

  /** What an ARN of a certificate or a thing group names. Throws `ERR_REGISTRY_INVALID` for any other text. */
  targetOfArn(scope: Scope, arn: string): PolicyTarget {
    const certificateId = nameInArn(scope, "cert", arn);
    if (certificateId !== undefined) return { kind: "cert", certificateId };
    const thingGroupName = nameInArn(scope, "thinggroup", arn);
    if (thingGroupName !== undefined) return { kind: "thinggroup", thingGroupName };
    throw invalid("target", arn, `the ARN of a certificate or a thing group: ${resourceArn(scope, "cert", "ID")}`);
  }
}

/** The policy with its document. Throws `ERR_REGISTRY_NOT_FOUND`. */
function requirePolicy(reader: StorageReader, scope: string, policyName: string): Policy {
  const record = policies.get(reader, scope, policyName);
  if (record === undefined) throw notFound("policy", policyName);
  const { document } = requireVersion(reader, scope, policyName, record.defaultVersionId);
  return { ...record, document };
}

/** Throws `ERR_REGISTRY_MALFORMED_POLICY` unless AWS IoT would take the document. */
export function checkDocument(policyName: string, document: string): void {
  const result = parsePolicy(document, { name: policyName });
  if (result.ok) return;
  const [first] = result.errors;
  throw new RegistryError(
    "ERR_REGISTRY_MALFORMED_POLICY",
    `the document of policy ${policyName} cannot be read: ${first.line}:${first.column} ${first.path}: ${first.message}`,
    { policyName, errors: result.errors },
  );
}

function requireVersion(
  reader: StorageReader,
  scope: string,
  policyName: string,
  versionId: string,
): PolicyVersionRecord {
  const record = policyVersions.get(reader, scope, policyName, versionKey(versionId));
  if (record === undefined) throw notFound("version of policy", `${policyName}:${versionId}`);
  return record;
}

function requireTarget(reader: StorageReader, scope: string, target: PolicyTarget): readonly [TargetKind, string] {
  if (target.kind === "cert") {
    requireCertificate(reader, scope, target.certificateId);
    return ["cert", target.certificateId];
  }
  requireThingGroup(reader, scope, target.thingGroupName);
  return ["thinggroup", target.thingGroupName];
}

function arnOfTarget(scope: Scope, target: string): string {
  const slash = target.indexOf("/");
  const kind = target.slice(0, slash) === "cert" ? "cert" : "thinggroup";
  return resourceArn(scope, kind, target.slice(slash + 1));
}

function announce(writer: StorageWriter, scope: string, policyName: string): void {
  writer.announce("policy", [resourceKey(scope, "policy", policyName)]);
}

function announceTarget(writer: StorageWriter, scope: string, kind: TargetKind, name: string): void {
  writer.announce("policy-attachment", [resourceKey(scope, kind === "cert" ? "certificate" : "thing-group", name)]);
}

function deleteConflict(
  policyName: string,
  attached: readonly string[],
  hasMore = false,
): RegistryError<"ERR_REGISTRY_DELETE_CONFLICT"> {
  return new RegistryError(
    "ERR_REGISTRY_DELETE_CONFLICT",
    `policy ${policyName} cannot be deleted: ${attached.join(", ")}${hasMore ? ", and others" : ""}`,
    { resourceId: policyName, attached },
  );
}
