/** Static thing groups, and the things in them. */

import { nameInArn, resourceArn, type Page, type Scope } from "@latchkey/registry";
import { invalidRequest } from "../../http/service-error.ts";
import {
  arn,
  attributePayload,
  description,
  nextOf,
  pageOptions,
  tags,
  thingGroupName,
  thingName,
  tokenPaging,
  version,
} from "../members.ts";
import { operation, type Operation, type OperationContext } from "../../http/operation.ts";
import { flag, label, list, member, query, required, structure } from "../../http/shape.ts";
import { tagNew } from "./tags.ts";

const name = label(thingGroupName);
const properties = structure({
  thingGroupDescription: member(description),
  attributePayload: member(attributePayload),
});
const membership = {
  thingGroupName: member(thingGroupName),
  thingGroupArn: member(arn),
  thingName: member(thingName),
  thingArn: member(arn),
};
const exceptions = ["ResourceNotFoundException"] as const;

/** The operations. */
export const thingGroupOperations: readonly Operation[] = [
  operation("CreateThingGroup", "POST /thing-groups/{thingGroupName}", {
    // The parent's absence is not in the model of the SDK, but AWS answers it.
    exceptions: ["ResourceAlreadyExistsException", "ResourceNotFoundException"],
    members: {
      thingGroupName: name,
      parentGroupName: member(thingGroupName),
      thingGroupProperties: member(properties),
      tags: member(tags),
    },
    async run({ registry, scope }, input) {
      const record = await registry.thingGroups.create(scope, input.thingGroupName, {
        parentGroupName: input.parentGroupName,
        description: input.thingGroupProperties?.thingGroupDescription,
        attributes: input.thingGroupProperties?.attributePayload?.attributes,
      });
      const thingGroupArn = resourceArn(scope, "thinggroup", record.thingGroupName);
      await tagNew({ registry, scope }, thingGroupArn, input.tags);
      return { thingGroupName: record.thingGroupName, thingGroupArn, thingGroupId: record.thingGroupId };
    },
  }),
  operation("DescribeThingGroup", "GET /thing-groups/{thingGroupName}", {
    exceptions,
    members: { thingGroupName: name },
    run({ registry, scope }, input) {
      const record = registry.thingGroups.describe(scope, input.thingGroupName);
      return {
        thingGroupName: record.thingGroupName,
        thingGroupId: record.thingGroupId,
        thingGroupArn: resourceArn(scope, "thinggroup", record.thingGroupName),
        version: record.version,
        thingGroupProperties: {
          thingGroupDescription: record.description,
          attributePayload: { attributes: record.attributes },
        },
        thingGroupMetadata: {
          parentGroupName: record.parentGroupName,
          rootToParentThingGroups: record.rootToParentGroups.map((one) => groupOf(scope, one)),
          creationDate: record.createdAtSeconds,
        },
      };
    },
  }),
  operation("UpdateThingGroup", "PATCH /thing-groups/{thingGroupName}", {
    exceptions: ["ResourceNotFoundException", "VersionConflictException"],
    members: {
      thingGroupName: name,
      thingGroupProperties: required(member(properties)),
      expectedVersion: member(version),
    },
    async run({ registry, scope }, { thingGroupName: group, thingGroupProperties: given, expectedVersion }) {
      const record = await registry.thingGroups.update(scope, group, {
        description: given.thingGroupDescription,
        attributes: given.attributePayload?.attributes,
        merge: given.attributePayload?.merge,
        expectedVersion,
      });
      return { version: record.version };
    },
  }),
  operation("DeleteThingGroup", "DELETE /thing-groups/{thingGroupName}", {
    exceptions: ["VersionConflictException"],
    members: { thingGroupName: name, expectedVersion: query(version) },
    run: ({ registry, scope }, { thingGroupName: group, expectedVersion }) =>
      registry.thingGroups.delete(scope, group, { expectedVersion }),
  }),
  operation("ListThingGroups", "GET /thing-groups", {
    exceptions,
    members: {
      ...tokenPaging,
      parentGroup: query(thingGroupName),
      namePrefixFilter: query(thingGroupName),
      recursive: query(flag),
    },
    run({ registry, scope }, input) {
      const page = registry.thingGroups.list(scope, {
        ...pageOptions(input),
        parentGroupName: input.parentGroup,
        namePrefix: input.namePrefixFilter,
        recursive: input.recursive,
      });
      return groupsOf(scope, page);
    },
  }),
  operation("AddThingToThingGroup", "PUT /thing-groups/addThingToThingGroup", {
    exceptions,
    members: { ...membership, overrideDynamicGroups: member(flag) },
    run({ registry, scope }, input) {
      const { group, thing } = membersOf(scope, input);
      return registry.thingGroups.addThing(scope, group, thing);
    },
  }),
  operation("RemoveThingFromThingGroup", "PUT /thing-groups/removeThingFromThingGroup", {
    exceptions,
    members: membership,
    run({ registry, scope }, input) {
      const { group, thing } = membersOf(scope, input);
      return registry.thingGroups.removeThing(scope, group, thing);
    },
  }),
  operation("ListThingsInThingGroup", "GET /thing-groups/{thingGroupName}/things", {
    exceptions,
    members: { thingGroupName: name, recursive: query(flag), ...tokenPaging },
    run({ registry, scope }, input) {
      const options = { ...pageOptions(input), recursive: input.recursive };
      const page = registry.thingGroups.listThings(scope, input.thingGroupName, options);
      return { things: page.items, nextToken: nextOf(page) };
    },
  }),
  operation("ListThingGroupsForThing", "GET /things/{thingName}/thing-groups", {
    exceptions,
    members: { thingName: label(thingName), ...tokenPaging },
    run: ({ registry, scope }, input) =>
      groupsOf(scope, registry.thingGroups.listGroupsOfThing(scope, input.thingName, pageOptions(input))),
  }),
  operation("UpdateThingGroupsForThing", "PUT /thing-groups/updateThingGroupsForThing", {
    exceptions,
    members: {
      thingName: required(member(thingName)),
      thingGroupsToAdd: member(list(thingGroupName, 0, 10)),
      thingGroupsToRemove: member(list(thingGroupName, 0, 10)),
      overrideDynamicGroups: member(flag),
    },
    run: (context, input) =>
      updateGroups(context, input.thingName, input.thingGroupsToAdd ?? [], input.thingGroupsToRemove ?? []),
  }),
];

async function updateGroups(
  { registry, scope }: OperationContext,
  thing: string,
  added: readonly string[],
  removed: readonly string[],
): Promise<void> {
  const both = added.find((group) => removed.includes(group));
  if (both !== undefined) throw invalidRequest("thingGroupsToAdd", `and thingGroupsToRemove both have ${both}`);
  // What does not exist refuses all of it before anything is changed.
  registry.things.describe(scope, thing);
  for (const group of [...added, ...removed]) registry.thingGroups.describe(scope, group);
  for (const group of removed) await registry.thingGroups.removeThing(scope, group, thing);
  for (const group of added) await registry.thingGroups.addThing(scope, group, thing);
}

/** Group and thing are each given by name or by ARN. */
function membersOf(
  scope: Scope,
  input: {
    readonly thingGroupName: string | undefined;
    readonly thingGroupArn: string | undefined;
    readonly thingName: string | undefined;
    readonly thingArn: string | undefined;
  },
): { readonly group: string; readonly thing: string } {
  return {
    group: named(scope, "thinggroup", "thingGroupName", input.thingGroupName, input.thingGroupArn),
    thing: named(scope, "thing", "thingName", input.thingName, input.thingArn),
  };
}

function named(
  scope: Scope,
  kind: "thing" | "thinggroup",
  member_: string,
  given: string | undefined,
  givenArn: string | undefined,
): string {
  const inArn = givenArn === undefined ? undefined : nameInArn(scope, kind, givenArn);
  if (givenArn !== undefined && inArn === undefined) {
    throw invalidRequest(member_.replace("Name", "Arn"), `has to be an ARN of this account: arn:...:${kind}/NAME`);
  }
  if (given !== undefined && inArn !== undefined && given !== inArn) {
    throw invalidRequest(member_, "and the ARN name different resources");
  }
  const name_ = given ?? inArn;
  if (name_ === undefined) throw invalidRequest(member_, "is missing");
  return name_;
}

function groupOf(scope: Scope, group: string): object {
  return { groupName: group, groupArn: resourceArn(scope, "thinggroup", group) };
}

function groupsOf(scope: Scope, page: Page<string>): object {
  return { thingGroups: page.items.map((one) => groupOf(scope, one)), nextToken: nextOf(page) };
}
