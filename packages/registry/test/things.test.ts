import { describe, expect, test } from "vitest";
import { defaultScope as scope } from "../src/index.ts";
import { allow, makeRequestPem, Workshop } from "./workshop.ts";

describe("things", () => {
  test("are created once, described, listed and updated by version", async () => {
    await using workshop = await Workshop.open();
    const { things, thingTypes } = workshop.registry;
    await thingTypes.create(scope, "button");
    const made = await things.create(scope, "t:1", { thingTypeName: "button", attributes: { room: "kitchen" } });
    expect(made.thingId).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(await things.create(scope, "t:1", { thingTypeName: "button", attributes: { room: "kitchen" } })).toEqual(
      made,
    );
    await expect(things.create(scope, "t:1")).rejects.toMatchObject({ code: "ERR_REGISTRY_ALREADY_EXISTS" });
    const updated = await things.update(scope, "t:1", {
      attributes: { floor: "2", room: "" },
      merge: true,
      expectedVersion: 1,
    });
    expect(updated).toMatchObject({ version: 2, attributes: { floor: "2" }, thingTypeName: "button" });
    await expect(things.update(scope, "t:1", { expectedVersion: 1 })).rejects.toMatchObject({
      code: "ERR_REGISTRY_VERSION_CONFLICT",
      evidence: { expected: 1, found: 2 },
    });
    expect(things.list(scope, { thingTypeName: "button" }).items.map((one) => one.thingName)).toEqual(["t:1"]);
    await things.update(scope, "t:1", { removeThingType: true });
    expect(things.list(scope, { thingTypeName: "button" }).items).toEqual([]);
  });

  test("have three attributes without a type, fifty with one, of the right form", async () => {
    await using workshop = await Workshop.open();
    const { things, thingTypes } = workshop.registry;
    const attributes = (count: number): Record<string, string> =>
      Object.fromEntries(Array.from({ length: count }, (_, index) => [`a${index}`, "v"]));
    await expect(things.create(scope, "t", { attributes: attributes(4) })).rejects.toMatchObject({
      code: "ERR_REGISTRY_LIMIT",
    });
    await thingTypes.create(scope, "type");
    await things.create(scope, "t", { thingTypeName: "type", attributes: attributes(50) });
    const tooMany = things.update(scope, "t", { attributes: attributes(51) });
    await expect(tooMany).rejects.toMatchObject({ code: "ERR_REGISTRY_LIMIT" });
    for (const wrong of [{ "a b": "v" }, { a: "v w" }, { a: "x".repeat(801) }]) {
      await expect(things.create(scope, "u", { attributes: wrong })).rejects.toMatchObject({
        code: "ERR_REGISTRY_INVALID",
      });
    }
  });

  test("belong to one certificate exclusively or to several", async () => {
    await using workshop = await Workshop.open();
    const { things, certificates } = workshop.registry;
    for (const name of ["one", "two"]) await things.create(scope, name);
    const { certificateId: id } = await certificates.createFromCsr(scope, makeRequestPem());
    await things.attachPrincipal(scope, "one", id);
    await things.attachPrincipal(scope, "one", id);
    await things.attachPrincipal(scope, "two", id);
    await expect(things.attachPrincipal(scope, "two", id, "EXCLUSIVE_THING")).rejects.toMatchObject({
      code: "ERR_REGISTRY_INVALID",
    });
    await things.detachPrincipal(scope, "one", id);
    await things.detachPrincipal(scope, "two", id);
    await things.detachPrincipal(scope, "two", id);
    await things.attachPrincipal(scope, "two", id, "EXCLUSIVE_THING");
    await expect(things.attachPrincipal(scope, "one", id)).rejects.toThrow("belongs exclusively to two");
    expect(things.listThingsOfPrincipal(scope, id).items).toEqual([
      { thingName: "two", certificateId: id, type: "EXCLUSIVE_THING" },
    ]);
    await expect(things.delete(scope, "two")).rejects.toThrow("a thing without certificates");
    await things.detachPrincipal(scope, "two", id);
    await things.delete(scope, "two");
    expect(things.listPrincipals(scope, "one").items).toEqual([]);
  });
});

describe("thing types", () => {
  test("a deprecated type is not given any more, and is deleted after five minutes once no thing has it", async () => {
    await using workshop = await Workshop.open();
    const { things, thingTypes } = workshop.registry;
    await thingTypes.create(scope, "type");
    await things.create(scope, "t", { thingTypeName: "type" });
    await expect(thingTypes.delete(scope, "type")).rejects.toMatchObject({ code: "ERR_REGISTRY_INVALID" });
    await thingTypes.deprecate(scope, "type");
    await expect(things.create(scope, "u", { thingTypeName: "type" })).rejects.toThrow("not deprecated");
    workshop.nowSeconds += 299;
    await expect(thingTypes.delete(scope, "type")).rejects.toThrow("five minutes ago");
    workshop.nowSeconds += 1;
    await expect(thingTypes.delete(scope, "type")).rejects.toThrow("t has it");
    await things.update(scope, "t", { removeThingType: true });
    await thingTypes.delete(scope, "type");
    await thingTypes.create(scope, "type");
    await thingTypes.deprecate(scope, "type");
    await thingTypes.deprecate(scope, "type", true);
    await things.create(scope, "u", { thingTypeName: "type" });
  });
});

describe("thing groups", () => {
  test("are at most seven deep and have at most a hundred children", async () => {
    await using workshop = await Workshop.open();
    const { thingGroups } = workshop.registry;
    await thingGroups.create(scope, "g1");
    for (let i = 2; i <= 7; i++) await thingGroups.create(scope, `g${i}`, { parentGroupName: `g${i - 1}` });
    await expect(thingGroups.create(scope, "g8", { parentGroupName: "g7" })).rejects.toMatchObject({
      code: "ERR_REGISTRY_LIMIT",
      evidence: { limit: 7, found: 8 },
    });
    expect(thingGroups.describe(scope, "g3").rootToParentGroups).toEqual(["g1", "g2"]);
    for (let i = 1; i < 100; i++) await thingGroups.create(scope, `c${i}`, { parentGroupName: "g1" });
    await expect(thingGroups.create(scope, "c100", { parentGroupName: "g1" })).rejects.toMatchObject({
      code: "ERR_REGISTRY_LIMIT",
    });
    expect(thingGroups.list(scope, { parentGroupName: "g1", recursive: false }).items).toHaveLength(100);
    expect(thingGroups.list(scope, { parentGroupName: "g1", namePrefix: "g" }).items).toEqual([
      "g2",
      "g3",
      "g4",
      "g5",
      "g6",
      "g7",
    ]);
  });

  test("cannot be their own parent, and keep their name", async () => {
    await using workshop = await Workshop.open();
    const { thingGroups } = workshop.registry;
    const cycle = thingGroups.create(scope, "g", { parentGroupName: "g" });
    await expect(cycle).rejects.toMatchObject({ code: "ERR_REGISTRY_NOT_FOUND" });
    await thingGroups.create(scope, "g");
    await expect(thingGroups.create(scope, "g")).rejects.toMatchObject({ code: "ERR_REGISTRY_ALREADY_EXISTS" });
  });

  test("lose their things and policies when they are deleted, and are not deleted while they have children", async () => {
    await using workshop = await Workshop.open();
    const { thingGroups, things, policies } = workshop.registry;
    await thingGroups.create(scope, "root");
    await thingGroups.create(scope, "leaf", { parentGroupName: "root" });
    await things.create(scope, "t");
    await thingGroups.addThing(scope, "leaf", "t");
    await thingGroups.addThing(scope, "leaf", "t");
    await policies.create(scope, "p", allow("iot:Publish", "topic/a"));
    await policies.attach(scope, "p", { kind: "thinggroup", thingGroupName: "root" });
    expect(workshop.registry.policiesOfThing(scope, "t")).toEqual(["p"]);
    expect(thingGroups.listThings(scope, "root").items).toEqual([]);
    expect(thingGroups.listThings(scope, "root", { recursive: true }).items).toEqual(["t"]);
    await expect(thingGroups.delete(scope, "root")).rejects.toThrow("it has leaf");
    await thingGroups.delete(scope, "leaf");
    expect(thingGroups.listGroupsOfThing(scope, "t").items).toEqual([]);
    await thingGroups.delete(scope, "root");
    await thingGroups.delete(scope, "root");
    await policies.delete(scope, "p");
  });

  test("take a thing into ten groups at most", async () => {
    await using workshop = await Workshop.open();
    const { thingGroups, things } = workshop.registry;
    await things.create(scope, "t");
    for (let i = 0; i <= 10; i++) await thingGroups.create(scope, `g${i}`);
    for (let i = 0; i < 10; i++) await thingGroups.addThing(scope, `g${i}`, "t");
    await expect(thingGroups.addThing(scope, "g10", "t")).rejects.toMatchObject({ code: "ERR_REGISTRY_LIMIT" });
    await thingGroups.removeThing(scope, "g0", "t");
    await thingGroups.addThing(scope, "g10", "t");
  });
});

test("a certificate that has a thing is not made exclusive to another one", async () => {
  await using workshop = await Workshop.open();
  const { things } = workshop.registry;
  const { id } = await workshop.activeDevice();
  await things.create(scope, "one");
  await things.create(scope, "two");
  await things.attachPrincipal(scope, "one", id);
  await expect(things.attachPrincipal(scope, "two", id, "EXCLUSIVE_THING")).rejects.toMatchObject({
    code: "ERR_REGISTRY_INVALID",
    evidence: { field: "principal" },
  });
  for (const thingTypeName of ["", "a/b", "x\n"]) {
    expect(() => things.list(scope, { thingTypeName })).toThrow(
      expect.objectContaining({ code: "ERR_REGISTRY_INVALID" }),
    );
  }
});
