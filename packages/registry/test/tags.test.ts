import { expect, test } from "vitest";
import { defaultScope as scope, resourceArn } from "../src/index.ts";
import { allow, Workshop } from "./workshop.ts";

test("tags are added, replaced, listed by their keys and removed", async () => {
  await using workshop = await Workshop.open();
  const { tags, thingTypes } = workshop.registry;
  await thingTypes.create(scope, "button");
  const arn = resourceArn(scope, "thingtype", "button");
  await tags.add(scope, arn, { room: "kitchen", floor: "1" });
  await tags.add(scope, arn, { floor: "2", __proto__x: "" });
  expect(Object.entries(tags.list(scope, arn))).toEqual([
    ["__proto__x", ""],
    ["floor", "2"],
    ["room", "kitchen"],
  ]);
  await tags.remove(scope, arn, ["room", "unknown"]);
  expect(Object.keys(tags.list(scope, arn))).toEqual(["__proto__x", "floor"]);
});

test("a resource of the name of a deleted one has no tags", async () => {
  await using workshop = await Workshop.open();
  const { tags, policies } = workshop.registry;
  const arn = resourceArn(scope, "policy", "p");
  await policies.create(scope, "p", allow("iot:Publish", "topic/a"));
  await tags.add(scope, arn, { a: "b" });
  await policies.delete(scope, "p");
  await policies.create(scope, "p", allow("iot:Publish", "topic/a"));
  expect(tags.list(scope, arn)).toEqual({});
});

test("what cannot have tags, does not exist or has fifty is refused", async () => {
  await using workshop = await Workshop.open();
  const { tags, thingGroups, things } = workshop.registry;
  await things.create(scope, "t");
  await thingGroups.create(scope, "g");
  const group = resourceArn(scope, "thinggroup", "g");
  const fifty = Object.fromEntries(Array.from({ length: 50 }, (_, index) => [`k${index}`, ""]));
  await tags.add(scope, group, fifty);
  await expect(tags.add(scope, group, { more: "" })).rejects.toMatchObject({ code: "ERR_REGISTRY_LIMIT" });
  await expect(tags.add(scope, resourceArn(scope, "thing", "t"), {})).rejects.toMatchObject({
    code: "ERR_REGISTRY_INVALID",
  });
  expect(() => tags.list(scope, resourceArn(scope, "policy", "no"))).toThrow(
    expect.objectContaining({ code: "ERR_REGISTRY_NOT_FOUND" }),
  );
  await thingGroups.delete(scope, "g");
  expect(() => tags.list(scope, group)).toThrow(expect.objectContaining({ code: "ERR_REGISTRY_NOT_FOUND" }));
});

test("lists go from the last to the first, page by page", async () => {
  await using workshop = await Workshop.open();
  const { policies } = workshop.registry;
  for (const name of ["a", "b", "c"]) await policies.create(scope, name, allow("iot:Publish", "topic/a"));
  const first = policies.list(scope, { pageSize: 2, isDescending: true });
  expect(first.items.map((one) => one.policyName)).toEqual(["c", "b"]);
  const second = policies.list(scope, { pageSize: 2, isDescending: true, nextToken: first.nextToken });
  expect(second).toMatchObject({ items: [{ policyName: "a" }], nextToken: undefined });
});
