/** Things, and the certificates attached to them. */

import { requireAccount } from "./accounts.ts";
import { checkNotOffered, requireCertificate } from "./stored-certificate.ts";
import { resourceKey } from "./changes.ts";
import type { RegistryContext } from "./context.ts";
import { alreadyExists, invalid, limitReached, notFound, RegistryError } from "./errors.ts";
import { maximumAttributesWithoutType, maximumAttributesWithType } from "./limits.ts";
import { checkThingName, checkThingTypeName } from "./names.ts";
import { randomUuid } from "./random-uuid.ts";
import {
  groupsOfThing,
  principalsOfThing,
  things,
  thingsOfGroup,
  thingsOfPrincipal,
  thingsOfType,
  thingTypes,
  type ThingPrincipalRecord,
  type ThingPrincipalType,
  type ThingRecord,
} from "./records/thing.ts";
import { resourceArn, scopeKey, type Scope } from "./scope.ts";
import type { StorageReader, StorageWriter } from "./storage.ts";
import type { Page, PageOptions } from "./table.ts";

/** What CreateThing takes. */
export interface ThingInput {
  readonly thingTypeName?: string | undefined;
  readonly attributes?: Readonly<Record<string, string>> | undefined;
}

/** What UpdateThing takes. */
export interface ThingUpdate extends ThingInput {
  readonly removeThingType?: boolean | undefined;
  /** True keeps the other attributes; an attribute that is set to an empty text is removed. Default false. */
  readonly merge?: boolean | undefined;
  readonly expectedVersion?: number | undefined;
}

/** The things of a registry. */
export class Things {
  readonly #context: RegistryContext;

  constructor(context: RegistryContext) {
    this.#context = context;
  }

  /**
   * Creates a thing. One of that name with the same fields is given back.
   *
   * Throws `ERR_REGISTRY_INVALID`, `ERR_REGISTRY_LIMIT`, `ERR_REGISTRY_NOT_FOUND` (the type), `ERR_REGISTRY_ALREADY_EXISTS`.
   */
  async create(scope: Scope, thingName: string, input: ThingInput = {}): Promise<ThingRecord> {
    checkThingName(thingName);
    return this.#context.storage.write((writer) => this.createIn(writer, scope, thingName, input));
  }

  /** As `create`, within a transaction. */
  createIn(writer: StorageWriter, scope: Scope, thingName: string, input: ThingInput): ThingRecord {
    const key = scopeKey(scope);
    requireAccount(writer, scope);
    const { thingTypeName, attributes = {} } = input;
    checkType(writer, key, thingTypeName);
    checkAttributes(attributes, thingTypeName);
    const known = things.get(writer, key, thingName);
    if (known !== undefined) {
      const isSame = known.thingTypeName === thingTypeName && sortedJson(known.attributes) === sortedJson(attributes);
      if (isSame) return known;
      throw alreadyExists("thing", thingName, resourceArn(scope, "thing", thingName));
    }
    const record: ThingRecord = {
      thingName,
      thingId: randomUuid(this.#context.provider),
      thingTypeName,
      attributes,
      version: 1,
      createdAtSeconds: this.#context.nowSeconds(),
    };
    store(writer, key, record);
    if (thingTypeName !== undefined) thingsOfType.add(writer, key, thingTypeName, thingName);
    return record;
  }

  /** Throws `ERR_REGISTRY_NOT_FOUND`. */
  describe(scope: Scope, thingName: string): ThingRecord {
    checkThingName(thingName);
    return this.#context.storage.read((reader) => requireThing(reader, scopeKey(scope), thingName));
  }

  /** A page of them, by name; of one type where `thingTypeName` says so. */
  list(scope: Scope, options: PageOptions & { readonly thingTypeName?: string | undefined } = {}): Page<ThingRecord> {
    const key = scopeKey(scope);
    const { thingTypeName } = options;
    if (thingTypeName !== undefined) checkThingTypeName(thingTypeName);
    return this.#context.storage.read((reader) => {
      if (thingTypeName === undefined) return things.page(reader, options, key);
      const page = thingsOfType.page(reader, options, key, thingTypeName);
      return { ...page, items: page.items.map((name) => requireThing(reader, key, name)) };
    });
  }

  /** Changes type and attributes. Throws as `create`, and `ERR_REGISTRY_VERSION_CONFLICT`. */
  async update(scope: Scope, thingName: string, update: ThingUpdate): Promise<ThingRecord> {
    checkThingName(thingName);
    return this.#context.storage.write((writer) => {
      const key = scopeKey(scope);
      return this.updateIn(writer, key, requireThing(writer, key, thingName), update);
    });
  }

  /** As `update`, within a transaction, on a record that was read in it. */
  updateIn(writer: StorageWriter, scope: string, before: ThingRecord, update: ThingUpdate): ThingRecord {
    const { thingName } = before;
    checkVersion(thingName, update.expectedVersion, before.version);
    if (update.removeThingType === true && update.thingTypeName !== undefined) {
      throw invalid("removeThingType", "true", "left out where thingTypeName is given");
    }
    const thingTypeName = update.removeThingType === true ? undefined : (update.thingTypeName ?? before.thingTypeName);
    if (thingTypeName !== before.thingTypeName) checkType(writer, scope, thingTypeName);
    const attributes = changedAttributes(before.attributes, update.attributes, update.merge === true);
    checkAttributes(attributes, thingTypeName);
    if (before.thingTypeName !== undefined) thingsOfType.delete(writer, scope, before.thingTypeName, thingName);
    if (thingTypeName !== undefined) thingsOfType.add(writer, scope, thingTypeName, thingName);
    const record = { ...before, thingTypeName, attributes, version: before.version + 1 };
    store(writer, scope, record);
    return record;
  }

  /**
   * Deletes a thing that has no certificates. It leaves its groups.
   *
   * Throws `ERR_REGISTRY_NOT_FOUND`, `ERR_REGISTRY_VERSION_CONFLICT`, `ERR_REGISTRY_INVALID` while certificates are attached.
   */
  async delete(
    scope: Scope,
    thingName: string,
    options: { readonly expectedVersion?: number | undefined } = {},
  ): Promise<void> {
    checkThingName(thingName);
    await this.#context.storage.write((writer) => {
      const key = scopeKey(scope);
      const record = requireThing(writer, key, thingName);
      checkVersion(thingName, options.expectedVersion, record.version);
      const [principal] = principalsOfThing.all(writer, key, thingName);
      if (principal !== undefined) {
        throw invalid("thingName", thingName, `a thing without certificates: detach ${principal.certificateId} first`);
      }
      for (const group of Array.from(groupsOfThing.all(writer, key, thingName))) {
        groupsOfThing.delete(writer, key, thingName, group);
        thingsOfGroup.delete(writer, key, group, thingName);
      }
      if (record.thingTypeName !== undefined) thingsOfType.delete(writer, key, record.thingTypeName, thingName);
      things.delete(writer, key, thingName);
      writer.announce("thing", [resourceKey(key, "thing", thingName)]);
    });
  }

  /**
   * Attaches a certificate. `EXCLUSIVE_THING` makes the thing its only one, whatever the client identifier is.
   *
   * Throws `ERR_REGISTRY_NOT_FOUND`, and `ERR_REGISTRY_INVALID` where the certificate is exclusive to another thing, is to be made
   * exclusive while it has others, or is attached as the other type. `ERR_REGISTRY_CERTIFICATE_STATE` where it waits for its transfer.
   */
  async attachPrincipal(
    scope: Scope,
    thingName: string,
    certificateId: string,
    type: ThingPrincipalType = "NON_EXCLUSIVE_THING",
  ): Promise<void> {
    checkThingName(thingName);
    await this.#context.storage.write((writer) => {
      this.attachPrincipalIn(writer, scopeKey(scope), thingName, certificateId, type);
    });
  }

  /** As `attachPrincipal`, within a transaction. */
  attachPrincipalIn(
    writer: StorageWriter,
    scope: string,
    thingName: string,
    certificateId: string,
    type: ThingPrincipalType,
  ): void {
    requireThing(writer, scope, thingName);
    checkNotOffered(requireCertificate(writer, scope, certificateId));
    for (const other of thingsOfPrincipal.all(writer, scope, certificateId)) {
      if (other.thingName === thingName) {
        if (other.type === type) return;
        throw invalid("thingPrincipalType", type, `${other.type}, as it is attached: detach it first`);
      }
      if (other.type === "EXCLUSIVE_THING" || type === "EXCLUSIVE_THING") {
        const reason = other.type === "EXCLUSIVE_THING" ? "belongs exclusively to" : "is attached to";
        throw invalid("principal", certificateId, `a certificate of no other thing: it ${reason} ${other.thingName}`);
      }
    }
    this.attachNewIn(writer, scope, thingName, certificateId, type);
  }

  /** As `attachPrincipalIn`, for a thing that exists and a certificate of which the caller knows that its other things allow it. */
  attachNewIn(
    writer: StorageWriter,
    scope: string,
    thingName: string,
    certificateId: string,
    type: ThingPrincipalType,
  ): void {
    const record: ThingPrincipalRecord = { thingName, certificateId, type };
    principalsOfThing.put(writer, record, scope, thingName, certificateId);
    thingsOfPrincipal.put(writer, record, scope, certificateId, thingName);
    announceAttachment(writer, scope, thingName, certificateId);
  }

  /** Detaches; what is not attached stays so. Throws `ERR_REGISTRY_NOT_FOUND` where the thing does not exist. */
  async detachPrincipal(scope: Scope, thingName: string, certificateId: string): Promise<void> {
    checkThingName(thingName);
    await this.#context.storage.write((writer) => {
      const key = scopeKey(scope);
      requireThing(writer, key, thingName);
      if (!principalsOfThing.delete(writer, key, thingName, certificateId)) return;
      thingsOfPrincipal.delete(writer, key, certificateId, thingName);
      announceAttachment(writer, key, thingName, certificateId);
    });
  }

  /** The certificates of a thing. Throws `ERR_REGISTRY_NOT_FOUND`. */
  listPrincipals(scope: Scope, thingName: string, options: PageOptions = {}): Page<ThingPrincipalRecord> {
    checkThingName(thingName);
    return this.#context.storage.read((reader) => {
      const key = scopeKey(scope);
      requireThing(reader, key, thingName);
      return principalsOfThing.page(reader, options, key, thingName);
    });
  }

  /** The things of a certificate. Throws `ERR_REGISTRY_NOT_FOUND`. */
  listThingsOfPrincipal(scope: Scope, certificateId: string, options: PageOptions = {}): Page<ThingPrincipalRecord> {
    return this.#context.storage.read((reader) => {
      const key = scopeKey(scope);
      requireCertificate(reader, key, certificateId);
      return thingsOfPrincipal.page(reader, options, key, certificateId);
    });
  }
}

/** Throws `ERR_REGISTRY_NOT_FOUND`. */
export function requireThing(reader: StorageReader, scope: string, thingName: string): ThingRecord {
  const record = things.get(reader, scope, thingName);
  if (record === undefined) throw notFound("thing", thingName);
  return record;
}

/** Throws `ERR_REGISTRY_VERSION_CONFLICT` unless the record is of the version that the caller has read. */
export function checkVersion(resourceId: string, expected: number | undefined, found: number): void {
  if (expected === undefined || expected === found) return;
  throw new RegistryError(
    "ERR_REGISTRY_VERSION_CONFLICT",
    `${resourceId} has version ${found}, not ${expected}: read it again`,
    { resourceId, expected, found },
  );
}

/**
 * Names of 1 to 128 of `a-zA-Z0-9_.,@/:#=[]-` and values of at most 800 of the same characters (AttributePayload), as many as a
 * thing can have.
 */
export function checkAttributes(attributes: Readonly<Record<string, string>>, thingTypeName: string | undefined): void {
  const names = Object.keys(attributes);
  const limit = thingTypeName === undefined ? maximumAttributesWithoutType : maximumAttributesWithType;
  if (names.length > limit) {
    const quota = thingTypeName === undefined ? "attributes of a thing without a thing type" : "attributes of a thing";
    throw limitReached(quota, limit, names.length);
  }
  for (const name of names) {
    if (!/^[a-zA-Z0-9_.,@/:#-]{1,128}$/.test(name)) {
      throw invalid("attribute name", name, "1 to 128 letters, digits and _ . , @ / : # -");
    }
    const value = attributes[name] ?? "";
    if (!/^[a-zA-Z0-9_.,@/:#=[\]-]{0,800}$/.test(value)) {
      throw invalid(`attribute ${name}`, value, "at most 800 letters, digits and _ . , @ / : # = [ ] -");
    }
  }
}

/** The attributes after a change. */
export function changedAttributes(
  before: Readonly<Record<string, string>>,
  given: Readonly<Record<string, string>> | undefined,
  merges: boolean,
): Readonly<Record<string, string>> {
  if (given === undefined) return before;
  const all = merges ? { ...before, ...given } : given;
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== ""));
}

function checkType(reader: StorageReader, scope: string, thingTypeName: string | undefined): void {
  if (thingTypeName === undefined) return;
  checkThingTypeName(thingTypeName);
  const type = thingTypes.get(reader, scope, thingTypeName);
  if (type === undefined) throw notFound("thing type", thingTypeName);
  if (type.deprecatedAtSeconds !== undefined) {
    throw invalid("thingTypeName", thingTypeName, "a thing type that is not deprecated");
  }
}

function sortedJson(record: Readonly<Record<string, string>>): string {
  return JSON.stringify(Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1)));
}

function store(writer: StorageWriter, scope: string, record: ThingRecord): void {
  things.put(writer, record, scope, record.thingName);
  writer.announce("thing", [resourceKey(scope, "thing", record.thingName)]);
}

function announceAttachment(writer: StorageWriter, scope: string, thingName: string, certificateId: string): void {
  writer.announce("thing", [resourceKey(scope, "thing", thingName), resourceKey(scope, "certificate", certificateId)]);
}
