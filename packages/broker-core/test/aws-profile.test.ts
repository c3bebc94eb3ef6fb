/** What profile `aws` does otherwise: each row of the README's table. */

import { describe, expect, test } from "vitest";
import { limitsOf } from "../src/index.ts";
import { TestBroker, text } from "./client.ts";

const aws = (): TestBroker => new TestBroker({ profile: "aws" });

describe("QoS 2", () => {
  test("is not served: CONNACK says so, a PUBLISH ends the connection, a subscription is granted QoS 1", async () => {
    const test = aws();
    const client = await test.connect("a", { protocolVersion: 5 });
    expect(client.take()).toMatchObject([{ properties: { maximumQoS: 1, retainAvailable: true } }]);
    client.subscribe([{ topicFilter: "a", qos: 2 }]);
    expect(client.take()).toMatchObject([{ reasonCodes: [1] }]);
    client.publish("a", "x", { qos: 2 });
    expect(client.take()).toMatchObject([{ type: "disconnect", reasonCode: 0x9b }]);
    const four = await test.connect("b");
    four.take();
    four.publish("a", "x", { qos: 2 });
    expect([four.take(), four.isClosed]).toEqual([[], true]);
  });

  test("a will with it is refused with a code (MQTT-3.2.2-12)", async () => {
    const test = aws();
    const will = { topicName: "gone", payload: text("bye"), qos: 2 } as const;
    expect((await test.connect("a", { protocolVersion: 5, will })).take()).toMatchObject([{ reasonCode: 0x9b }]);
    expect((await test.connect("b", { will })).take()).toMatchObject([{ type: "connack", reasonCode: 5 }]);
  });
});

test("a filter that ends with # does not match its parent level", async () => {
  const test = aws();
  const client = await test.subscriber("a", ["sensor/#"]);
  const button = await test.connect("button");
  for (const topic of ["sensor", "sensor/", "sensor/a"]) button.publish(topic, "x");
  expect(client.messages()).toEqual(["sensor/ x", "sensor/a x"]);
});

test("retained messages come only where the filter is the topic, and RETAIN is set only there", async () => {
  const test = aws();
  const button = await test.connect("button");
  button.publish("a/b", "kept", { retain: true, qos: 1 });
  const client = await test.connect5("a");
  client.subscribe(["a/+", "#", "$share/g/a/b"]);
  expect(client.takePublishes()).toEqual([]);
  client.subscribe([{ topicFilter: "a/b", qos: 1, retainAsPublished: true }]);
  expect(client.takePublishes()).toMatchObject([{ retain: true }]);
  button.publish("a/b", "live", { retain: true });
  for (const { retain } of client.takePublishes()) expect(retain).toBe(false);
});

test("topics that begin with $ are refused, but Basic Ingest is taken and reaches no subscriber", async () => {
  const test = aws();
  const client = await test.subscriber("a", ["$aws/#", "#"], { protocolVersion: 5 });
  const button = await test.connect5("button");
  for (const topic of ["$SYS/x", "$aws/things/x/shadow/get/accepted", "$mine"]) {
    button.publish(topic, "x", { qos: 1 });
    expect(button.take()).toMatchObject([{ type: "puback", reasonCode: 0x90 }]);
  }
  button.publish("$aws/rules/rule/1/2/3/4/5/6/7/8", "x", { qos: 1 });
  expect(button.take()).toMatchObject([{ type: "puback", reasonCode: 0 }]);
  expect(client.messages()).toEqual([]);
  client.subscribe(["$SYS/#", "$mine/a"]);
  expect(client.take()).toMatchObject([{ reasonCodes: [0x8f, 0x8f] }]);
});

test("the prefix of Basic Ingest and of a shared subscription do not count against the seven slashes", async () => {
  const test = aws();
  const client = await test.connect5("a");
  client.publish("$aws/rules/rule/1/2/3/4/5/6/7/8/9", "x", { qos: 1 });
  client.publish("1/2/3/4/5/6/7/8/9", "x", { qos: 1 });
  client.publish("1/2/3/4/5/6/7/8", "x", { qos: 1 });
  expect(client.take()).toMatchObject([{ reasonCode: 0x90 }, { reasonCode: 0x90 }, { reasonCode: 0 }]);
  client.subscribe(["$share/group/1/2/3/4/5/6/7/8", "$share/group/1/2/3/4/5/6/7/8/9", `$share/${"g".repeat(129)}/a`]);
  expect(client.take()).toMatchObject([{ reasonCodes: [1, 0x8f, 0x8f] }]);
});

test("a payload above 128 KiB ends the connection", async () => {
  const test = aws();
  const client = await test.connect5("a");
  client.send({ type: "publish", topicName: "a", payload: new Uint8Array(128 * 1024) });
  expect(client.isClosed).toBe(false);
  client.send({ type: "publish", topicName: "a", payload: new Uint8Array(128 * 1024 + 1) });
  expect(client.take()).toMatchObject([{ type: "disconnect", reasonCode: 0x95 }]);
});

test("subscription identifiers are not served (0xA1)", async () => {
  const test = aws();
  const client = await test.connect("a", { protocolVersion: 5 });
  expect(client.take()).toMatchObject([{ properties: { subscriptionIdentifierAvailable: false } }]);
  client.subscribe(["a"], 1);
  expect(client.take()).toMatchObject([{ type: "disconnect", reasonCode: 0xa1 }]);
});

test("a session lasts an hour at most, and does not cross the versions", async () => {
  const test = aws();
  const first = await test.connect("a", { cleanStart: false });
  first.lose();
  const five = await test.connect("a", {
    protocolVersion: 5,
    cleanStart: false,
    properties: { sessionExpiryInterval: 100_000 },
  });
  expect(five.take()).toMatchObject([{ sessionPresent: false, properties: { sessionExpiryInterval: 3600 } }]);
  five.lose();
  test.tick(3_599_000);
  expect([...test.broker.sessions()]).toHaveLength(1);
  test.tick(3_600_000);
  expect([...test.broker.sessions()]).toEqual([]);
});

test.each([
  [0, 1200],
  [10, 30],
  [60, undefined],
  [5000, 1200],
])("keep alive %i becomes %s", async (keepAlive, serverKeepAlive) => {
  const test = aws();
  const client = await test.connect("a", { protocolVersion: 5, keepAlive });
  expect(client.take()).toMatchObject([{ properties: { serverKeepAlive } }]);
  test.tick((serverKeepAlive ?? keepAlive) * 1500);
  expect(client.isClosed).toBe(true);
});

test("the delay of a will is not served, client identifiers that begin with $ are reserved", async () => {
  const test = aws();
  const kitchen = await test.subscriber("kitchen", ["gone"]);
  const will = { topicName: "gone", payload: text("bye"), properties: { willDelayInterval: 100 } };
  const client = await test.connect("a", { protocolVersion: 5, will, properties: { sessionExpiryInterval: 1000 } });
  client.lose();
  expect(kitchen.messages()).toEqual(["gone bye"]);
  const reserved = test.open("b", 5);
  await reserved.connect("$b");
  expect(reserved.take()).toMatchObject([{ type: "connack", reasonCode: 0x85 }]);
});

test("a message expiry of 0 becomes 1 second, one above 7 days 7 days", async () => {
  const test = aws();
  const kitchen = await test.subscriber("kitchen", ["a"], { protocolVersion: 5 });
  const button = await test.connect5("button");
  for (const messageExpiryInterval of [0, 1_000_000])
    button.publish("a", "x", { properties: { messageExpiryInterval } });
  expect(kitchen.takePublishes().map(({ properties }) => properties?.messageExpiryInterval)).toEqual([1, 604_800]);
});

test("more than 100 messages a second wait unread, and none is lost", async () => {
  const test = aws();
  const kitchen = await test.subscriber("kitchen", ["a"]);
  const button = await test.connect("button");
  for (let index = 0; index < 250; index++) button.publish("a", `${index}`);
  const counts: number[] = [];
  for (let second = 0; second < 3; second++) {
    counts.push(kitchen.messages().length);
    test.tick((second + 1) * 1000);
  }
  counts.push(kitchen.messages().length);
  expect(counts[0]).toBeLessThanOrEqual(101);
  expect(counts.reduce((sum, count) => sum + count)).toBe(250);
});

test("with denial `parity` a 3.1.1 client that is refused learns nothing, and a 5.0 client the code alone", async () => {
  const test = new TestBroker({ profile: "aws", denial: "parity" });
  test.denied.add("a connect a").add("b subscribe secret").add("b publish secret");
  expect((await test.connect("a")).take()).toEqual([]);
  expect((await test.connect("a", { protocolVersion: 5 })).take()).toMatchObject([
    { type: "connack", reasonCode: 0x87, properties: undefined },
  ]);
  const four = await test.connect("b");
  four.take();
  four.subscribe(["secret"]);
  expect([four.take(), four.isClosed]).toEqual([[], true]);
  const five = await test.connect5("b");
  five.subscribe(["secret"]);
  five.publish("secret", "x", { qos: 1 });
  expect(five.take()).toMatchObject([
    { type: "suback", reasonCodes: [0x87], properties: undefined },
    { type: "puback", reasonCode: 0x87, properties: undefined },
  ]);
});

test("the quotas are those of AWS IoT Core", () => {
  expect(limitsOf("aws")).toMatchObject({
    maximumTopicLevels: 8,
    maximumTopicOctets: 256,
    maximumClientIdentifierOctets: 128,
    maximumFiltersPerSubscribe: 8,
    maximumSubscriptionsPerSession: 50,
    maximumInFlight: 100,
    receiveMaximum: 100,
    topicAliasMaximum: 8,
    maximumPublishesPerSecond: 100,
    maximumOctetsPerSecond: 524_288,
    maximumConnectsPerSecond: 1,
    maximumRetainedMessages: 5000,
  });
});
