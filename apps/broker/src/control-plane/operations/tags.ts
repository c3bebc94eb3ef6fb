/** Tags of resources. */

import { arn, tags } from "../members.ts";
import { operation, type Operation, type OperationContext } from "../../http/operation.ts";
import { list, member, query, required, text } from "../../http/shape.ts";

const resourceArn = arn;

/** The operations. */
export const tagOperations: readonly Operation[] = [
  operation("TagResource", "POST /tags", {
    exceptions: ["LimitExceededException", "ResourceNotFoundException"],
    members: { resourceArn: required(member(resourceArn)), tags: required(member(tags)) },
    run: ({ registry, scope }, input) => registry.tags.add(scope, input.resourceArn, recordOf(input.tags)),
  }),
  operation("UntagResource", "POST /untag", {
    exceptions: ["ResourceNotFoundException"],
    members: {
      resourceArn: required(member(resourceArn)),
      tagKeys: required(member(list(text({ least: 1, most: 128 }), 0, 50))),
    },
    run: ({ registry, scope }, input) => registry.tags.remove(scope, input.resourceArn, input.tagKeys),
  }),
  operation("ListTagsForResource", "GET /tags", {
    exceptions: ["ResourceNotFoundException"],
    members: { resourceArn: required(query(resourceArn)), nextToken: query(text({ most: 4096 })) },
    run({ registry, scope }, input) {
      const found = Object.entries(registry.tags.list(scope, input.resourceArn));
      return { tags: found.map(([Key, Value]) => ({ Key, Value })) };
    },
  }),
];

interface Tag {
  readonly Key: string;
  readonly Value: string | undefined;
}

/** Gives a new resource the tags of its creation. */
export async function tagNew(
  { registry, scope }: OperationContext,
  newArn: string,
  given: readonly Tag[] | undefined,
): Promise<void> {
  if (given !== undefined && given.length > 0) await registry.tags.add(scope, newArn, recordOf(given));
}

function recordOf(given: readonly Tag[]): Readonly<Record<string, string>> {
  return Object.fromEntries(given.map(({ Key, Value = "" }) => [Key, Value]));
}
