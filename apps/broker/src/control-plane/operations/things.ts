/** Things. */

import { isRegistryError, resourceArn, type ThingRecord } from "@latchkey/registry";
import { invalidRequest } from "../../http/service-error.ts";
import {
  attributeName,
  attributePayload,
  attributeValue,
  nextOf,
  pageOptions,
  thingName,
  thingTypeName,
  tokenPaging,
  version,
} from "../members.ts";
import { operation, type Operation } from "../../http/operation.ts";
import { flag, label, member, query, text } from "../../http/shape.ts";

const name = label(thingName);

/** The operations. */
export const thingOperations: readonly Operation[] = [
  operation("CreateThing", "POST /things/{thingName}", {
    exceptions: ["ResourceAlreadyExistsException", "ResourceNotFoundException"],
    members: {
      thingName: name,
      thingTypeName: member(thingTypeName),
      attributePayload: member(attributePayload),
      billingGroupName: member(text({ least: 1, most: 128 })),
    },
    async run({ registry, scope }, input) {
      if (input.billingGroupName !== undefined) throw invalidRequest("billingGroupName", "is not supported");
      const record = await registry.things.create(scope, input.thingName, {
        thingTypeName: input.thingTypeName,
        attributes: input.attributePayload?.attributes,
      });
      return {
        thingName: record.thingName,
        thingArn: resourceArn(scope, "thing", record.thingName),
        thingId: record.thingId,
      };
    },
  }),
  operation("DescribeThing", "GET /things/{thingName}", {
    exceptions: ["ResourceNotFoundException"],
    members: { thingName: name },
    run({ registry, scope }, input) {
      const record = registry.things.describe(scope, input.thingName);
      return {
        defaultClientId: record.thingName,
        thingName: record.thingName,
        thingId: record.thingId,
        thingArn: resourceArn(scope, "thing", record.thingName),
        thingTypeName: record.thingTypeName,
        attributes: record.attributes,
        version: record.version,
      };
    },
  }),
  operation("UpdateThing", "PATCH /things/{thingName}", {
    exceptions: ["ResourceNotFoundException", "VersionConflictException"],
    members: {
      thingName: name,
      thingTypeName: member(thingTypeName),
      attributePayload: member(attributePayload),
      expectedVersion: member(version),
      removeThingType: member(flag),
    },
    async run({ registry, scope }, input) {
      await registry.things.update(scope, input.thingName, {
        thingTypeName: input.thingTypeName,
        attributes: input.attributePayload?.attributes,
        merge: input.attributePayload?.merge,
        expectedVersion: input.expectedVersion,
        removeThingType: input.removeThingType,
      });
    },
  }),
  operation("DeleteThing", "DELETE /things/{thingName}", {
    exceptions: ["ResourceNotFoundException", "VersionConflictException"],
    members: { thingName: name, expectedVersion: query(version) },
    async run({ registry, scope }, input) {
      try {
        await registry.things.delete(scope, input.thingName, { expectedVersion: input.expectedVersion });
      } catch (error) {
        // To delete what is not there succeeds, as with AWS IoT.
        if (!isRegistryError(error) || error.code !== "ERR_REGISTRY_NOT_FOUND") throw error;
      }
    },
  }),
  operation("ListThings", "GET /things", {
    members: {
      ...tokenPaging,
      attributeName: query(attributeName),
      attributeValue: query(attributeValue),
      thingTypeName: query(thingTypeName),
      usePrefixAttributeValue: query(flag),
    },
    run({ registry, scope }, input) {
      if (input.attributeValue !== undefined && input.attributeName === undefined) {
        throw invalidRequest("attributeName", "is missing: attributeValue alone says nothing");
      }
      const page = registry.things.list(scope, { ...pageOptions(input), thingTypeName: input.thingTypeName });
      return {
        things: page.items
          .filter((record) => hasAttribute(record, input))
          .map((record) => ({
            thingName: record.thingName,
            thingTypeName: record.thingTypeName,
            thingArn: resourceArn(scope, "thing", record.thingName),
            attributes: record.attributes,
            version: record.version,
          })),
        nextToken: nextOf(page),
      };
    },
  }),
];

function hasAttribute(
  { attributes }: ThingRecord,
  wanted: {
    readonly attributeName: string | undefined;
    readonly attributeValue: string | undefined;
    readonly usePrefixAttributeValue: boolean | undefined;
  },
): boolean {
  if (wanted.attributeName === undefined) return true;
  const value = Object.hasOwn(attributes, wanted.attributeName) ? attributes[wanted.attributeName] : undefined;
  if (value === undefined || wanted.attributeValue === undefined) return value !== undefined;
  return wanted.usePrefixAttributeValue === true
    ? value.startsWith(wanted.attributeValue)
    : value === wanted.attributeValue;
}
