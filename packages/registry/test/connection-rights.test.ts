import { beforeEach, describe, expect, test } from "vitest";
import { topicArn } from "@latchkey/policy";
import {
  defaultScope as scope,
  RegistryError,
  requestContext,
  type ConnectionRights,
  type ConnectionRightsTable,
  type Principal,
} from "../src/index.ts";
import { allow, idOf, makeAuthority, makeDevice, pemOf, startSeconds, Workshop } from "./workshop.ts";

let workshop: Workshop;
let table: ConnectionRightsTable;
let unreadable: string[];
beforeEach(async () => {
  workshop = await Workshop.open();
  unreadable = [];
  table = workshop.registry.connectionRights({ onUnreadablePolicy: (name) => unreadable.push(name) });
  for (const name of ["orders", "news"]) {
    await workshop.registry.policies.create(scope, name, allow("iot:Publish", `topic/${name}`));
  }
});

async function principal(...policyNames: string[]): Promise<Principal> {
  const { id, der } = await workshop.activeDevice();
  for (const name of policyNames) {
    await workshop.registry.policies.attach(scope, name, { kind: "cert", certificateId: id });
  }
  const result = await workshop.registry.resolvePrincipal([der], undefined);
  if (!result.ok) throw new Error(result.reason);
  return result.principal;
}

/** Decisions by connection, topic and revision. A program that keeps a decision until the revision rises MUST still be right. */
const remembered = new WeakMap<ConnectionRights, Map<string, boolean>>();

function mayPublish(rights: ConnectionRights, topic: string): boolean {
  const { revision } = rights;
  const context = requestContext(rights, { protocol: "mqtt", sourceIp: "127.0.0.1", serverName: "localhost" });
  const decision =
    rights.matcher.decide({ action: "iot:Publish", resource: topicArn(scope, topic), context }) === "allow";
  const answers = remembered.get(rights) ?? new Map<string, boolean>();
  remembered.set(rights, answers);
  const known = answers.get(`${revision} ${topic}`);
  if (known !== undefined) expect(decision).toBe(known);
  answers.set(`${revision} ${topic}`, decision);
  return decision;
}

/** Acts on all changes since `sequence` and gives the connections that were looked at. */
function apply(sequence: number): ConnectionRights[] {
  const batch = workshop.registry.changesAfter(sequence);
  return batch.isComplete ? [...table.apply(batch.changes)] : [...table.applyAll()];
}

describe("a change", () => {
  test("of a policy's default version counts at the next decision of all who have it, without touching them", async () => {
    const connections: ConnectionRights[] = [];
    for (let i = 0; i < 5; i++) connections.push(table.open(await principal("orders"), `c${i}`));
    const other = table.open(await principal("news"), "other");
    expect(table.policySetCount).toBe(2);
    const before = other.matcher;
    const sequence = workshop.registry.sequence();
    await workshop.registry.policies.createVersion(scope, "orders", allow("iot:Publish", "topic/changed"), {
      setAsDefault: true,
    });
    const revisions = connections.map(({ revision }) => revision);
    const otherRevision = other.revision;
    expect(apply(sequence)).toEqual([]);
    for (const [index, one] of connections.entries())
      expect(one.revision).toBeGreaterThan(revisions[index] ?? Infinity);
    expect(other.revision).toBe(otherRevision);
    expect(connections.map((one) => [mayPublish(one, "orders"), mayPublish(one, "changed")])).toEqual(
      Array.from({ length: 5 }, () => [false, true]),
    );
    expect(new Set(connections.map((one) => one.matcher)).size).toBe(1);
    expect(other.matcher).toBe(before);
  });

  test("of an attachment touches the one certificate", async () => {
    const one = table.open(await principal("orders"), "one");
    table.open(await principal("orders"), "two");
    const sequence = workshop.registry.sequence();
    const { certificateId } = one.principal;
    expect([mayPublish(one, "news"), mayPublish(one, "orders")]).toEqual([false, true]);
    await workshop.registry.policies.attach(scope, "news", { kind: "cert", certificateId });
    expect(apply(sequence)).toEqual([one]);
    expect(mayPublish(one, "news")).toBe(true);
    await workshop.registry.policies.detach(scope, "orders", { kind: "cert", certificateId });
    apply(sequence);
    expect(mayPublish(one, "orders")).toBe(false);
    expect(table.policySetCount).toBe(2);
  });

  test.each(["INACTIVE", "REVOKED"] as const)(
    "to %s refuses the connection and takes all its rights",
    async (status) => {
      const rights = table.open(await principal("orders"), "one");
      const sequence = workshop.registry.sequence();
      expect(mayPublish(rights, "orders")).toBe(true);
      await workshop.registry.certificates.updateStatus(scope, rights.principal.certificateId, status);
      expect(apply(sequence)).toEqual([rights]);
      expect(rights.refusal).toContain(status);
      expect(mayPublish(rights, "orders")).toBe(false);
    },
  );

  test("of an authority refuses the connections below it alone", async () => {
    const authority = makeAuthority();
    const caCertificateId = await workshop.registerAuthority(authority);
    const device = makeDevice(authority);
    await workshop.registry.certificates.register(scope, { certificatePem: pemOf(device), status: "ACTIVE" });
    const result = await workshop.registry.resolvePrincipal([device.encoding], undefined);
    if (!result.ok) throw new Error(result.reason);
    const below = table.open(result.principal, "below");
    const other = table.open(await principal(), "other");
    const sequence = workshop.registry.sequence();
    await workshop.registry.authorities.update(scope, caCertificateId, { status: "INACTIVE" });
    expect(apply(sequence)).toEqual([below]);
    expect([below.refusal, other.refusal]).toEqual([
      `the certificate authority ${caCertificateId} is INACTIVE`,
      undefined,
    ]);
  });

  test("of a deleted certificate refuses its connections", async () => {
    const rights = table.open(await principal(), "one");
    const sequence = workshop.registry.sequence();
    await workshop.registry.certificates.updateStatus(scope, rights.principal.certificateId, "INACTIVE");
    await workshop.registry.certificates.delete(scope, rights.principal.certificateId);
    apply(sequence);
    expect(rights.refusal).toContain("not registered any more");
  });
});

describe("things and groups", () => {
  test("a group's policies hold for the thing whose name is the client identifier, and follow every change", async () => {
    const { things, thingGroups, policies } = workshop.registry;
    const who = await principal("orders");
    await things.create(scope, "lamp", { attributes: { room: "kitchen" } });
    await thingGroups.create(scope, "root");
    await thingGroups.create(scope, "leaf", { parentGroupName: "root" });
    await policies.attach(scope, "news", { kind: "thinggroup", thingGroupName: "root" });
    const lamp = table.open(who, "lamp");
    const other = table.open(who, "other");
    const steps: [string, () => Promise<unknown>, boolean, boolean | undefined][] = [
      ["as it is", async () => {}, false, false],
      ["attached", () => things.attachPrincipal(scope, "lamp", who.certificateId), false, true],
      ["in the group", () => thingGroups.addThing(scope, "leaf", "lamp"), true, true],
      ["not in the group", () => thingGroups.removeThing(scope, "leaf", "lamp"), false, true],
      ["in it again", () => thingGroups.addThing(scope, "leaf", "lamp"), true, true],
      [
        "group without the policy",
        () => policies.detach(scope, "news", { kind: "thinggroup", thingGroupName: "root" }),
        false,
        true,
      ],
      [
        "with it again",
        () => policies.attach(scope, "news", { kind: "thinggroup", thingGroupName: "root" }),
        true,
        true,
      ],
      ["group deleted", () => thingGroups.delete(scope, "leaf"), false, true],
      ["detached", () => things.detachPrincipal(scope, "lamp", who.certificateId), false, false],
      ["deleted", () => things.delete(scope, "lamp"), false, undefined],
    ];
    for (const [name, step, mayNews, isAttached] of steps) {
      const sequence = workshop.registry.sequence();
      await step();
      apply(sequence);
      expect([name, mayPublish(lamp, "news"), lamp.thing?.isAttached]).toEqual([name, mayNews, isAttached]);
      expect([name, mayPublish(other, "news"), mayPublish(lamp, "orders")]).toEqual([name, false, true]);
    }
  });

  test("an exclusive thing holds whatever the client identifier is", async () => {
    const { things } = workshop.registry;
    const who = await principal();
    await things.create(scope, "lamp", { attributes: { room: "kitchen" } });
    await things.create(scope, "device-17");
    await things.attachPrincipal(scope, "lamp", who.certificateId, "EXCLUSIVE_THING");
    expect(table.open(who, "device-17").thing).toEqual({
      name: "lamp",
      typeName: undefined,
      attributes: { room: "kitchen" },
      isAttached: true,
    });
    expect(table.open(who, undefined).thing?.name).toBe("lamp");
    const stranger = await principal();
    expect(table.open(stranger, "device-17").thing).toMatchObject({ name: "device-17", isAttached: false });
    expect(table.open(stranger, "a/b").thing).toBeUndefined();
    expect(table.open(stranger, undefined).thing).toBeUndefined();
  });

  test("attributes of the thing decide from the next change on", async () => {
    const { things, policies } = workshop.registry;
    const who = await principal();
    await policies.create(scope, "by-room", allow("iot:Publish", "topic/${iot:Connection.Thing.Attributes[room]}"));
    await policies.attach(scope, "by-room", { kind: "cert", certificateId: who.certificateId });
    await things.create(scope, "lamp", { attributes: { room: "kitchen" } });
    await things.attachPrincipal(scope, "lamp", who.certificateId);
    const rights = table.open(who, "lamp");
    expect(mayPublish(rights, "kitchen")).toBe(true);
    const sequence = workshop.registry.sequence();
    await things.update(scope, "lamp", { attributes: { room: "hall" } });
    expect(apply(sequence)).toEqual([rights]);
    expect([mayPublish(rights, "kitchen"), mayPublish(rights, "hall")]).toEqual([false, true]);
  });
});

test("a closed connection has no rights and is not looked at again, and nothing of it is kept", async () => {
  const rights = table.open(await principal("orders"), "one");
  table.close(rights);
  table.close(rights);
  expect(mayPublish(rights, "orders")).toBe(false);
  expect([table.size, table.policySetCount]).toEqual([0, 0]);
  const sequence = workshop.registry.sequence();
  await workshop.registry.certificates.updateStatus(scope, rights.principal.certificateId, "INACTIVE");
  expect(apply(sequence)).toEqual([]);
});

test("a connection that is closed between two steps is not looked at", async () => {
  const one = table.open(await principal(), "one");
  const two = table.open(await principal(), "two");
  const steps = table.applyAll();
  expect(steps.next().value).toBe(one);
  table.close(two);
  expect(steps.next().done).toBe(true);
});

test("a revoked certificate gets no rights to begin with", async () => {
  const who = await principal("orders");
  await workshop.registry.certificates.updateStatus(scope, who.certificateId, "REVOKED");
  const rights = table.open(who, "one");
  expect(rights.refusal).toContain("REVOKED");
  expect(mayPublish(rights, "orders")).toBe(false);
});

test("beside a stored policy that cannot be read nothing is allowed, and its name is reported", async () => {
  const who = await principal("orders", "news");
  await workshop.storage.write((writer) => {
    const [entry] = writer.scan("policy-version", "000000000000:us-east-1/news/", { limit: 1 });
    const record: unknown = JSON.parse(entry?.value ?? "");
    writer.put("policy-version", entry?.key ?? "", JSON.stringify(Object.assign(record ?? {}, { document: "{" })));
  });
  const rights = table.open(who, "one");
  expect(mayPublish(rights, "orders")).toBe(false);
  expect(unreadable).toEqual(["news"]);
  // It is damaged for good, and is not read again for each decision.
  expect(mayPublish(rights, "orders")).toBe(false);
  expect(unreadable).toEqual(["news"]);
});

test("what a change costs does not grow with the connections that it does not touch", async () => {
  let reads = 0;
  const counted = await Workshop.open({
    storage: {
      ...bound(workshop.storage),
      read: (body) => {
        reads++;
        return workshop.storage.read(body);
      },
    },
  });
  const many = counted.registry.connectionRights();
  const who = await principal("orders");
  const touched = await principal("orders");
  for (let i = 0; i < 500; i++) many.open(who, `c${i}`);
  many.open(touched, "touched");
  const sequence = workshop.registry.sequence();
  await workshop.registry.policies.attach(scope, "news", { kind: "cert", certificateId: touched.certificateId });
  const batch = workshop.registry.changesAfter(sequence);
  reads = 0;
  expect(batch.isComplete && [...many.apply(batch.changes)]).toHaveLength(1);
  expect(reads).toBe(1);
});

function bound(storage: Workshop["storage"]): Workshop["storage"] {
  return {
    read: (body) => storage.read(body),
    write: (body) => storage.write(body),
    sequence: () => storage.sequence(),
    changesAfter: (sequence, limit) => storage.changesAfter(sequence, limit),
    onCommit: (listener) => storage.onCommit(listener),
    [Symbol.asyncDispose]: () => storage[Symbol.asyncDispose](),
  };
}

test("identifiers of certificates are what they are of", async () => {
  const { id, der } = await workshop.activeDevice();
  const result = await workshop.registry.resolvePrincipal([der], undefined);
  expect(result.ok && idOf(result.principal.certificate)).toBe(id);
});

describe("a certificate that expires while it is connected", () => {
  async function shortLived(days: number): Promise<Principal> {
    const authority = makeAuthority(`CA of ${days}`);
    await workshop.registerAuthority(authority);
    const device = makeDevice(authority, { days });
    await workshop.registry.certificates.register(scope, { certificatePem: pemOf(device), status: "ACTIVE" });
    const result = await workshop.registry.resolvePrincipal([device.encoding], undefined);
    if (!result.ok) throw new Error(result.reason);
    expect(result.principal.validUntil).toBe(device.validity.notAfter);
    await workshop.registry.policies.attach(scope, "orders", {
      kind: "cert",
      certificateId: result.principal.certificateId,
    });
    return result.principal;
  }

  test("loses its rights in the second after its last one, and no change of the registry gives them back", async () => {
    const first = table.open(await shortLived(1), "first");
    const second = table.open(await shortLived(2), "second");
    const lasting = table.open(await principal("orders"), "lasting");
    workshop.nowSeconds = first.principal.validUntil;
    expect([...table.expire()]).toEqual([]);
    expect(mayPublish(first, "orders")).toBe(true);
    expect(table.open(first.principal, "in its last second").refusal).toBeUndefined();
    workshop.nowSeconds++;
    expect([...table.expire()].map(({ clientIdentifier }) => clientIdentifier)).toEqual([
      "first",
      "in its last second",
    ]);
    expect(first.refusal).toMatch(/expired.*\d{4}-\d\d-\d\dT/);
    expect([first, second, lasting].map((one) => mayPublish(one, "orders"))).toEqual([false, true, true]);
    const sequence = workshop.registry.sequence();
    const { certificateId } = first.principal;
    await workshop.registry.policies.attach(scope, "news", { kind: "cert", certificateId });
    expect(apply(sequence)).toContain(first);
    expect(mayPublish(first, "news")).toBe(false);
    expect([...table.expire()]).toEqual([]);
    workshop.nowSeconds = second.principal.validUntil + 1;
    expect([...table.expire()]).toEqual([second]);
    expect(table.open(first.principal, "late").refusal).toContain("expired");
  });

  test("is not looked at once it was closed", async () => {
    const rights = table.open(await shortLived(1), "one");
    table.close(rights);
    workshop.nowSeconds = rights.principal.validUntil + 1;
    expect([...table.expire()]).toEqual([]);
  });
});

test("a policy whose default version is missing might be a Deny: nothing is allowed beside it", async () => {
  const rights = table.open(await principal("orders", "news"), "one");
  await workshop.storage.write((writer) => {
    const [entry] = writer.scan("policy-version", "000000000000:us-east-1/news/", { limit: 1 });
    writer.delete("policy-version", entry?.key ?? "");
  });
  expect(mayPublish(rights, "orders")).toBe(false);
  expect(unreadable).toEqual(["news"]);
  // It is damaged for good, and is not read again for each decision.
  expect(mayPublish(rights, "orders")).toBe(false);
  expect(unreadable).toEqual(["news"]);
});

test("a connection that is closed while a change is acted on is passed over", async () => {
  const shared = await principal("orders");
  const [first, second] = [table.open(shared, "first"), table.open(shared, "second")];
  const seen: ConnectionRights[] = [];
  for (const rights of table.applyAll()) {
    seen.push(rights);
    table.close(second);
  }
  expect([seen, first.refusal, second.refusal]).toEqual([[first], undefined, "the connection has ended"]);
  const sequence = workshop.registry.sequence();
  const third = table.open(shared, "third");
  await workshop.registry.certificates.updateStatus(scope, shared.certificateId, "INACTIVE");
  const batch = workshop.registry.changesAfter(sequence);
  const touched: ConnectionRights[] = [];
  for (const rights of table.apply(batch.isComplete ? batch.changes : [])) {
    touched.push(rights);
    table.close(third);
  }
  expect([touched, third.refusal]).toEqual([[first], "the connection has ended"]);
});

test("a damaged record ends the connections that depend on it, and no other", async () => {
  const damagedOne = table.open(await principal("orders"), "lamp");
  const other = table.open(await principal("orders"), "other");
  await workshop.registry.things.create(scope, "lamp");
  await workshop.storage.write((writer) => writer.put("thing", "000000000000:us-east-1/lamp", "{"));
  expect([...table.applyAll()]).toEqual([damagedOne, other]);
  expect([damagedOne.refusal, other.refusal]).toEqual([expect.stringContaining("damaged"), undefined]);
  expect([mayPublish(damagedOne, "orders"), mayPublish(other, "orders")]).toEqual([false, true]);
});

test("while policies cannot be read nothing is allowed and nothing is thrown, and they count again afterwards", async () => {
  let isAway = false;
  const away = await Workshop.open({
    storage: {
      ...bound(workshop.storage),
      read: (body) => {
        if (isAway) throw new RegistryError("ERR_REGISTRY_UNAVAILABLE", "away", { file: undefined, isFull: false });
        return workshop.storage.read(body);
      },
    },
  });
  const rights = away.registry
    .connectionRights({ onUnreadablePolicy: (name) => unreadable.push(name) })
    .open(await principal("orders"), "one");
  isAway = true;
  expect(mayPublish(rights, "orders")).toBe(false);
  expect(unreadable).toEqual(["orders"]);
  isAway = false;
  expect(mayPublish(rights, "orders")).toBe(true);
});

test("of two certificates that expire one second apart the later one goes on", async () => {
  const authority = makeAuthority();
  await workshop.registerAuthority(authority);
  const rights: ConnectionRights[] = [];
  for (const notBefore of [startSeconds - 61, startSeconds - 60]) {
    const device = makeDevice(authority, { notBefore, days: 1 });
    await workshop.registry.certificates.register(scope, { certificatePem: pemOf(device), status: "ACTIVE" });
    const result = await workshop.registry.resolvePrincipal([device.encoding], undefined);
    if (result.ok) rights.push(table.open(result.principal, "one"));
  }
  const [first, second] = rights;
  workshop.nowSeconds = second?.principal.validUntil ?? 0;
  expect([...table.expire()]).toEqual([first]);
  expect(second?.refusal).toBeUndefined();
});

test("policies of a group do not hold for a certificate that only has the thing's name as its client identifier", async () => {
  const { things, thingGroups, policies } = workshop.registry;
  await things.create(scope, "lamp");
  await thingGroups.create(scope, "lamps");
  await thingGroups.addThing(scope, "lamps", "lamp");
  await policies.attach(scope, "news", { kind: "thinggroup", thingGroupName: "lamps" });
  const stranger = table.open(await principal(), "lamp");
  expect([stranger.thing?.name, mayPublish(stranger, "news")]).toEqual(["lamp", false]);
});
