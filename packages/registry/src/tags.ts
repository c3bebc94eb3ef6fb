/** Tags: a key and a value that an account gives to a resource (TagResource and its siblings). They decide about nothing. */

import type { RegistryContext } from "./context.ts";
import { invalid, limitReached, notFound } from "./errors.ts";
import { maximumTagsPerResource } from "./limits.ts";
import { certificateAuthorities } from "./records/certificate-authority.ts";
import { policies } from "./records/policy.ts";
import { provisioningTemplates } from "./records/provisioning-template.ts";
import { tagsOfResource } from "./records/tag.ts";
import { thingGroups, thingTypes } from "./records/thing.ts";
import { nameInArn, scopeKey, type Scope } from "./scope.ts";
import type { StorageReader, StorageWriter } from "./storage.ts";

const tables = {
  cacert: certificateAuthorities,
  policy: policies,
  provisioningtemplate: provisioningTemplates,
  thinggroup: thingGroups,
  thingtype: thingTypes,
} as const;
const kinds = ["cacert", "policy", "provisioningtemplate", "thinggroup", "thingtype"] as const;

/** What can have tags: certificates and things cannot, as with AWS IoT. */
export type TaggableKind = (typeof kinds)[number];

/** The tags of a registry. */
export class Tags {
  readonly #context: RegistryContext;

  constructor(context: RegistryContext) {
    this.#context = context;
  }

  /**
   * Adds tags to a resource; a key that it has gets the new value. Throws `ERR_REGISTRY_INVALID`, `ERR_REGISTRY_NOT_FOUND`,
   * `ERR_REGISTRY_LIMIT`.
   */
  async add(scope: Scope, resourceArn: string, tags: Readonly<Record<string, string>>): Promise<void> {
    const [kind, name] = taggable(scope, resourceArn);
    await this.#context.storage.write((writer) => {
      const key = scopeKey(scope);
      requireResource(writer, key, kind, name);
      const all = { ...tagsOfResource.get(writer, key, kind, name), ...tags };
      const count = Object.keys(all).length;
      if (count > maximumTagsPerResource) throw limitReached("tags of one resource", maximumTagsPerResource, count);
      tagsOfResource.put(writer, all, key, kind, name);
    });
  }

  /** Removes tags by their keys; a key that there is not is passed over. Throws as `add`. */
  async remove(scope: Scope, resourceArn: string, keys: readonly string[]): Promise<void> {
    const [kind, name] = taggable(scope, resourceArn);
    await this.#context.storage.write((writer) => {
      const key = scopeKey(scope);
      requireResource(writer, key, kind, name);
      const removed = new Set(keys);
      const before = Object.entries(tagsOfResource.get(writer, key, kind, name) ?? {});
      tagsOfResource.put(writer, Object.fromEntries(before.filter(([one]) => !removed.has(one))), key, kind, name);
    });
  }

  /** The tags of a resource, by their keys. Throws `ERR_REGISTRY_INVALID`, `ERR_REGISTRY_NOT_FOUND`. */
  list(scope: Scope, resourceArn: string): Readonly<Record<string, string>> {
    const [kind, name] = taggable(scope, resourceArn);
    return this.#context.storage.read((reader) => {
      const key = scopeKey(scope);
      requireResource(reader, key, kind, name);
      const tags = Object.entries(tagsOfResource.get(reader, key, kind, name) ?? {});
      return Object.fromEntries(tags.sort(([a], [b]) => (a < b ? -1 : 1)));
    });
  }
}

/** Forgets the tags of a resource that is deleted, so that another of its name does not have them. */
export function forgetTags(writer: StorageWriter, scope: string, kind: TaggableKind, name: string): void {
  tagsOfResource.delete(writer, scope, kind, name);
}

function taggable(scope: Scope, arn: string): readonly [TaggableKind, string] {
  for (const kind of kinds) {
    const name = nameInArn(scope, kind, arn);
    if (name !== undefined && !name.includes("/")) return [kind, name];
  }
  throw invalid(
    "resourceArn",
    arn,
    "the ARN of a policy, thing group, thing type, certificate authority or provisioning template",
  );
}

function requireResource(reader: StorageReader, scope: string, kind: TaggableKind, name: string): void {
  if (tables[kind].get(reader, scope, name) === undefined) throw notFound(kind, name);
}
