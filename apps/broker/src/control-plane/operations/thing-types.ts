/** Thing types. */

import { resourceArn, type Scope, type ThingTypeRecord } from "@latchkey/registry";
import { invalidRequest } from "../../http/service-error.ts";
import { attributeName, description, nextOf, pageOptions, tags, thingTypeName, tokenPaging } from "../members.ts";
import { operation, type Operation } from "../../http/operation.ts";
import { flag, label, list, member, query, structure } from "../../http/shape.ts";
import { tagNew } from "./tags.ts";

const name = label(thingTypeName);
const properties = structure({
  thingTypeDescription: member(description),
  searchableAttributes: member(list(attributeName, 0, 3)),
});

/** The operations. */
export const thingTypeOperations: readonly Operation[] = [
  operation("CreateThingType", "POST /thing-types/{thingTypeName}", {
    exceptions: ["ResourceAlreadyExistsException"],
    members: { thingTypeName: name, thingTypeProperties: member(properties), tags: member(tags) },
    async run({ registry, scope }, input) {
      const { thingTypeDescription, searchableAttributes = [] } = input.thingTypeProperties ?? {};
      if (searchableAttributes.length > 0) throw invalidRequest("searchableAttributes", "is not supported");
      const record = await registry.thingTypes.create(scope, input.thingTypeName, thingTypeDescription);
      const thingTypeArn = resourceArn(scope, "thingtype", record.thingTypeName);
      await tagNew({ registry, scope }, thingTypeArn, input.tags);
      return { thingTypeName: record.thingTypeName, thingTypeArn, thingTypeId: record.thingTypeId };
    },
  }),
  operation("DescribeThingType", "GET /thing-types/{thingTypeName}", {
    exceptions: ["ResourceNotFoundException"],
    members: { thingTypeName: name },
    run({ registry, scope }, input) {
      const record = registry.thingTypes.describe(scope, input.thingTypeName);
      return { ...described(scope, record), thingTypeId: record.thingTypeId };
    },
  }),
  operation("ListThingTypes", "GET /thing-types", {
    members: { ...tokenPaging, thingTypeName: query(thingTypeName) },
    run({ registry, scope }, input) {
      const page = registry.thingTypes.list(scope, pageOptions(input));
      const wanted = page.items.filter(
        (one) => input.thingTypeName === undefined || one.thingTypeName === input.thingTypeName,
      );
      return { thingTypes: wanted.map((one) => described(scope, one)), nextToken: nextOf(page) };
    },
  }),
  operation("DeprecateThingType", "POST /thing-types/{thingTypeName}/deprecate", {
    exceptions: ["ResourceNotFoundException"],
    members: { thingTypeName: name, undoDeprecate: member(flag) },
    run: ({ registry, scope }, input) => registry.thingTypes.deprecate(scope, input.thingTypeName, input.undoDeprecate),
  }),
  operation("DeleteThingType", "DELETE /thing-types/{thingTypeName}", {
    exceptions: ["ResourceNotFoundException"],
    members: { thingTypeName: name },
    run: ({ registry, scope }, input) => registry.thingTypes.delete(scope, input.thingTypeName),
  }),
];

function described(scope: Scope, record: ThingTypeRecord): object {
  return {
    thingTypeName: record.thingTypeName,
    thingTypeArn: resourceArn(scope, "thingtype", record.thingTypeName),
    thingTypeProperties: { thingTypeDescription: record.description },
    thingTypeMetadata: {
      deprecated: record.deprecatedAtSeconds !== undefined,
      deprecationDate: record.deprecatedAtSeconds,
      creationDate: record.createdAtSeconds,
    },
  };
}
