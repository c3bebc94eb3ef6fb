/** Thing types: what things have in common, and that a type is not given any more. */

import { requireAccount } from "./accounts.ts";
import type { RegistryContext } from "./context.ts";
import { alreadyExists, invalid, notFound } from "./errors.ts";
import { checkThingTypeName } from "./names.ts";
import { randomUuid } from "./random-uuid.ts";
import { thingsOfType, thingTypes, type ThingTypeRecord } from "./records/thing.ts";
import { resourceArn, scopeKey, type Scope } from "./scope.ts";
import type { StorageReader } from "./storage.ts";
import { forgetTags } from "./tags.ts";
import type { Page, PageOptions } from "./table.ts";

/** Seconds between deprecation and deletion (AWS IoT DeleteThingType). */
const deletionDelaySeconds = 5 * 60;

/** The thing types of a registry. */
export class ThingTypes {
  readonly #context: RegistryContext;

  constructor(context: RegistryContext) {
    this.#context = context;
  }

  /** Throws `ERR_REGISTRY_INVALID`, `ERR_REGISTRY_ALREADY_EXISTS`. */
  async create(scope: Scope, thingTypeName: string, description?: string): Promise<ThingTypeRecord> {
    checkThingTypeName(thingTypeName);
    return this.#context.storage.write((writer) => {
      const key = scopeKey(scope);
      requireAccount(writer, scope);
      const known = thingTypes.get(writer, key, thingTypeName);
      if (known !== undefined) {
        if (known.description === description && known.deprecatedAtSeconds === undefined) return known;
        throw alreadyExists("thing type", thingTypeName, resourceArn(scope, "thingtype", thingTypeName));
      }
      const record: ThingTypeRecord = {
        thingTypeName,
        thingTypeId: randomUuid(this.#context.provider),
        description,
        createdAtSeconds: this.#context.nowSeconds(),
        deprecatedAtSeconds: undefined,
      };
      thingTypes.put(writer, record, key, thingTypeName);
      writer.announce("thing-type", []);
      return record;
    });
  }

  /** Throws `ERR_REGISTRY_NOT_FOUND`. */
  describe(scope: Scope, thingTypeName: string): ThingTypeRecord {
    checkThingTypeName(thingTypeName);
    return this.#context.storage.read((reader) => requireThingType(reader, scopeKey(scope), thingTypeName));
  }

  /** A page of them, by name. */
  list(scope: Scope, options: PageOptions = {}): Page<ThingTypeRecord> {
    return this.#context.storage.read((reader) => thingTypes.page(reader, options, scopeKey(scope)));
  }

  /** Deprecates, or takes a deprecation back. Throws `ERR_REGISTRY_NOT_FOUND`. */
  async deprecate(scope: Scope, thingTypeName: string, undo = false): Promise<void> {
    checkThingTypeName(thingTypeName);
    await this.#context.storage.write((writer) => {
      const key = scopeKey(scope);
      const record = requireThingType(writer, key, thingTypeName);
      const deprecatedAtSeconds = undo ? undefined : (record.deprecatedAtSeconds ?? this.#context.nowSeconds());
      thingTypes.put(writer, { ...record, deprecatedAtSeconds }, key, thingTypeName);
      writer.announce("thing-type", []);
    });
  }

  /**
   * Deletes a type that was deprecated five minutes ago and that no thing has.
   *
   * Throws `ERR_REGISTRY_NOT_FOUND`, `ERR_REGISTRY_INVALID`.
   */
  async delete(scope: Scope, thingTypeName: string): Promise<void> {
    checkThingTypeName(thingTypeName);
    await this.#context.storage.write((writer) => {
      const key = scopeKey(scope);
      const { deprecatedAtSeconds } = requireThingType(writer, key, thingTypeName);
      const isOldEnough =
        deprecatedAtSeconds !== undefined && this.#context.nowSeconds() - deprecatedAtSeconds >= deletionDelaySeconds;
      if (!isOldEnough)
        throw invalid("thingTypeName", thingTypeName, "a thing type that was deprecated five minutes ago");
      const [thing] = thingsOfType.all(writer, key, thingTypeName);
      if (thing !== undefined)
        throw invalid("thingTypeName", thingTypeName, `a thing type of no thing: ${thing} has it`);
      thingTypes.delete(writer, key, thingTypeName);
      forgetTags(writer, key, "thingtype", thingTypeName);
      writer.announce("thing-type", []);
    });
  }
}

function requireThingType(reader: StorageReader, scope: string, thingTypeName: string): ThingTypeRecord {
  const record = thingTypes.get(reader, scope, thingTypeName);
  if (record === undefined) throw notFound("thing type", thingTypeName);
  return record;
}
