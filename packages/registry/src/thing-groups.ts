/** Static thing groups: a tree, and the things in it. The policies of a group hold for the groups and things below it. */

import { requireAccount } from "./accounts.ts";
import { resourceKey } from "./changes.ts";
import type { RegistryContext } from "./context.ts";
import { alreadyExists, invalid, limitReached, notFound } from "./errors.ts";
import { maximumGroupChildren, maximumGroupDepth, maximumGroupsPerThing } from "./limits.ts";
import { checkThingGroupName, checkThingName } from "./names.ts";
import { randomUuid } from "./random-uuid.ts";
import { removeAttachments } from "./policy-attachments.ts";
import { groupChildren, groupsOfThing, thingGroups, thingsOfGroup, type ThingGroupRecord } from "./records/thing.ts";
import { resourceArn, scopeKey, type Scope } from "./scope.ts";
import type { StorageReader, StorageWriter } from "./storage.ts";
import { forgetTags } from "./tags.ts";
import { pageOfList, type Page, type PageOptions } from "./table.ts";
import { changedAttributes, checkAttributes, checkVersion, requireThing } from "./things.ts";

/** What CreateThingGroup takes. */
export interface ThingGroupInput {
  readonly parentGroupName?: string | undefined;
  readonly description?: string | undefined;
  readonly attributes?: Readonly<Record<string, string>> | undefined;
}

/** What UpdateThingGroup takes. A group keeps its parent. */
export interface ThingGroupUpdate {
  readonly description?: string | undefined;
  readonly attributes?: Readonly<Record<string, string>> | undefined;
  readonly merge?: boolean | undefined;
  readonly expectedVersion?: number | undefined;
}

/** The thing groups of a registry. */
export class ThingGroups {
  readonly #context: RegistryContext;

  constructor(context: RegistryContext) {
    this.#context = context;
  }

  /**
   * Creates a group. Its parent has to exist, so no cycle can be made.
   *
   * Throws `ERR_REGISTRY_INVALID`, `ERR_REGISTRY_NOT_FOUND` (the parent), `ERR_REGISTRY_LIMIT` (depth, children),
   * `ERR_REGISTRY_ALREADY_EXISTS`.
   */
  async create(scope: Scope, thingGroupName: string, input: ThingGroupInput = {}): Promise<ThingGroupRecord> {
    checkThingGroupName(thingGroupName);
    const { parentGroupName, description, attributes = {} } = input;
    checkAttributes(attributes, "a group has no type");
    return this.#context.storage.write((writer) => {
      const key = scopeKey(scope);
      requireAccount(writer, scope);
      const known = thingGroups.get(writer, key, thingGroupName);
      if (known !== undefined) {
        throw alreadyExists("thing group", thingGroupName, resourceArn(scope, "thinggroup", thingGroupName));
      }
      if (parentGroupName !== undefined) {
        const depth = groupsOfGroup(writer, key, parentGroupName).length + 1;
        if (depth > maximumGroupDepth) throw limitReached("depth of thing groups", maximumGroupDepth, depth);
        const children = groupChildren.count(writer, maximumGroupChildren, key, parentGroupName);
        if (children >= maximumGroupChildren) {
          throw limitReached("direct children of a thing group", maximumGroupChildren, children + 1);
        }
        groupChildren.add(writer, key, parentGroupName, thingGroupName);
      }
      const record: ThingGroupRecord = {
        thingGroupName,
        thingGroupId: randomUuid(this.#context.provider),
        parentGroupName,
        description,
        attributes,
        version: 1,
        createdAtSeconds: this.#context.nowSeconds(),
      };
      store(writer, key, record);
      return record;
    });
  }

  /** The group, and the names of the groups above it from the root on. Throws `ERR_REGISTRY_NOT_FOUND`. */
  describe(
    scope: Scope,
    thingGroupName: string,
  ): ThingGroupRecord & { readonly rootToParentGroups: readonly string[] } {
    checkThingGroupName(thingGroupName);
    return this.#context.storage.read((reader) => {
      const key = scopeKey(scope);
      const record = requireThingGroup(reader, key, thingGroupName);
      return { ...record, rootToParentGroups: groupsOfGroup(reader, key, thingGroupName).slice(1).reverse() };
    });
  }

  /** A page of the names: of all groups, or of the children of one, with `recursive` (default) of all below it. */
  list(
    scope: Scope,
    options: PageOptions & {
      readonly parentGroupName?: string | undefined;
      readonly namePrefix?: string | undefined;
      readonly recursive?: boolean | undefined;
    } = {},
  ): Page<string> {
    const { parentGroupName, namePrefix = "", recursive = true } = options;
    return this.#context.storage.read((reader) => {
      const key = scopeKey(scope);
      const names: string[] = [];
      if (parentGroupName === undefined) {
        for (const group of thingGroups.all(reader, key)) {
          if (recursive || group.parentGroupName === undefined) names.push(group.thingGroupName);
        }
      } else {
        requireThingGroup(reader, key, parentGroupName);
        for (const child of groupChildren.all(reader, key, parentGroupName)) names.push(child);
        if (recursive) addDescendants(reader, key, names);
      }
      return pageOfList(names.filter((name) => name.startsWith(namePrefix)).sort(), options);
    });
  }

  /** Throws `ERR_REGISTRY_NOT_FOUND`, `ERR_REGISTRY_VERSION_CONFLICT`, `ERR_REGISTRY_INVALID`. */
  async update(scope: Scope, thingGroupName: string, update: ThingGroupUpdate): Promise<ThingGroupRecord> {
    checkThingGroupName(thingGroupName);
    return this.#context.storage.write((writer) => {
      const key = scopeKey(scope);
      const before = requireThingGroup(writer, key, thingGroupName);
      checkVersion(thingGroupName, update.expectedVersion, before.version);
      const attributes = changedAttributes(before.attributes, update.attributes, update.merge === true);
      checkAttributes(attributes, "a group has no type");
      const description = update.description ?? before.description;
      const record = { ...before, description, attributes, version: before.version + 1 };
      store(writer, key, record);
      return record;
    });
  }

  /**
   * Deletes a group without children: its things leave it, and its policies hold no more. One that does not exist is deleted.
   *
   * Throws `ERR_REGISTRY_INVALID` while it has children, `ERR_REGISTRY_VERSION_CONFLICT`.
   */
  async delete(
    scope: Scope,
    thingGroupName: string,
    options: { readonly expectedVersion?: number | undefined } = {},
  ): Promise<void> {
    checkThingGroupName(thingGroupName);
    await this.#context.storage.write((writer) => {
      const key = scopeKey(scope);
      const record = thingGroups.get(writer, key, thingGroupName);
      if (record === undefined) return;
      checkVersion(thingGroupName, options.expectedVersion, record.version);
      const [child] = groupChildren.all(writer, key, thingGroupName);
      if (child !== undefined) {
        throw invalid("thingGroupName", thingGroupName, `a thing group without children: it has ${child}`);
      }
      for (const thingName of Array.from(thingsOfGroup.all(writer, key, thingGroupName))) {
        thingsOfGroup.delete(writer, key, thingGroupName, thingName);
        groupsOfThing.delete(writer, key, thingName, thingGroupName);
      }
      removeAttachments(writer, key, "thinggroup", thingGroupName);
      if (record.parentGroupName !== undefined)
        groupChildren.delete(writer, key, record.parentGroupName, thingGroupName);
      thingGroups.delete(writer, key, thingGroupName);
      forgetTags(writer, key, "thinggroup", thingGroupName);
      writer.announce("thing-group", [resourceKey(key, "thing-group", thingGroupName)]);
    });
  }

  /** Puts a thing into a group; it may be there already. Throws `ERR_REGISTRY_NOT_FOUND`, `ERR_REGISTRY_LIMIT`. */
  async addThing(scope: Scope, thingGroupName: string, thingName: string): Promise<void> {
    checkThingGroupName(thingGroupName);
    checkThingName(thingName);
    await this.#context.storage.write((writer) => this.addThingIn(writer, scopeKey(scope), thingGroupName, thingName));
  }

  /** As `addThing`, within a transaction. */
  addThingIn(writer: StorageWriter, scope: string, thingGroupName: string, thingName: string): void {
    requireThingGroup(writer, scope, thingGroupName);
    requireThing(writer, scope, thingName);
    if (thingsOfGroup.has(writer, scope, thingGroupName, thingName)) return;
    const count = groupsOfThing.count(writer, maximumGroupsPerThing, scope, thingName);
    if (count >= maximumGroupsPerThing) throw limitReached("groups of one thing", maximumGroupsPerThing, count + 1);
    thingsOfGroup.add(writer, scope, thingGroupName, thingName);
    groupsOfThing.add(writer, scope, thingName, thingGroupName);
    writer.announce("thing", [resourceKey(scope, "thing", thingName)]);
  }

  /** Takes a thing out of a group; it need not be in it. Throws `ERR_REGISTRY_NOT_FOUND`. */
  async removeThing(scope: Scope, thingGroupName: string, thingName: string): Promise<void> {
    checkThingGroupName(thingGroupName);
    checkThingName(thingName);
    await this.#context.storage.write((writer) => {
      const key = scopeKey(scope);
      requireThingGroup(writer, key, thingGroupName);
      requireThing(writer, key, thingName);
      if (!thingsOfGroup.delete(writer, key, thingGroupName, thingName)) return;
      groupsOfThing.delete(writer, key, thingName, thingGroupName);
      writer.announce("thing", [resourceKey(key, "thing", thingName)]);
    });
  }

  /** Names of the things in a group, with `recursive` of the groups below it, too. Throws `ERR_REGISTRY_NOT_FOUND`. */
  listThings(
    scope: Scope,
    thingGroupName: string,
    options: PageOptions & { readonly recursive?: boolean | undefined } = {},
  ): Page<string> {
    checkThingGroupName(thingGroupName);
    return this.#context.storage.read((reader) => {
      const key = scopeKey(scope);
      requireThingGroup(reader, key, thingGroupName);
      if (options.recursive !== true) return thingsOfGroup.page(reader, options, key, thingGroupName);
      const groups = [thingGroupName];
      addDescendants(reader, key, groups);
      const names = new Set<string>();
      for (const group of groups) for (const name of thingsOfGroup.all(reader, key, group)) names.add(name);
      return pageOfList([...names].sort(), options);
    });
  }

  /** Names of the groups that a thing is directly in. Throws `ERR_REGISTRY_NOT_FOUND`. */
  listGroupsOfThing(scope: Scope, thingName: string, options: PageOptions = {}): Page<string> {
    checkThingName(thingName);
    return this.#context.storage.read((reader) => {
      const key = scopeKey(scope);
      requireThing(reader, key, thingName);
      return groupsOfThing.page(reader, options, key, thingName);
    });
  }
}

/** Throws `ERR_REGISTRY_NOT_FOUND`. */
export function requireThingGroup(reader: StorageReader, scope: string, thingGroupName: string): ThingGroupRecord {
  const record = thingGroups.get(reader, scope, thingGroupName);
  if (record === undefined) throw notFound("thing group", thingGroupName);
  return record;
}

/** The group and those above it, up to its root. Bounded by the depth that groups can have. Throws `ERR_REGISTRY_NOT_FOUND`. */
export function groupsOfGroup(reader: StorageReader, scope: string, thingGroupName: string): readonly string[] {
  const names: string[] = [];
  let next: string | undefined = thingGroupName;
  while (next !== undefined && names.length < maximumGroupDepth) {
    const { parentGroupName } = requireThingGroup(reader, scope, next);
    names.push(next);
    next = parentGroupName;
  }
  return names;
}

/** Adds the groups below those in the list. It grows while it is walked, by the children of what it has. */
function addDescendants(reader: StorageReader, scope: string, names: string[]): void {
  for (let at = 0; at < names.length; at++) {
    for (const child of groupChildren.all(reader, scope, names[at] ?? "")) names.push(child);
  }
}

function store(writer: StorageWriter, scope: string, record: ThingGroupRecord): void {
  thingGroups.put(writer, record, scope, record.thingGroupName);
  writer.announce("thing-group", [resourceKey(scope, "thing-group", record.thingGroupName)]);
}
