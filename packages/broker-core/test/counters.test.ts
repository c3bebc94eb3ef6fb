import { expect, test } from "vitest";
import { deliveryBoundsMs } from "../src/index.ts";
import { persistent, settled, TestBroker } from "./client.ts";

test("decisions are counted by action and outcome, remembered ones too", async () => {
  const test = new TestBroker({
    authorizer: {
      decide: (_, action, name) => name !== "secret" || action === "connect" || { isAllowed: false, reason: "secret" },
      revision: () => 1,
    },
  });
  const kitchen = await test.subscriber("kitchen", ["a", "secret"]);
  const button = await test.connect("button", { protocolVersion: 5 });
  for (let n = 0; n < 10; n++) button.publish("a", "x");
  button.publish("secret", "x", { qos: 1 });
  expect(kitchen.messages()).toHaveLength(10);
  expect(test.broker.counters.decisions).toEqual({
    connect: { allowed: 2, denied: 0 },
    publish: { allowed: 10, denied: 1 },
    "retain-publish": { allowed: 0, denied: 0 },
    subscribe: { allowed: 1, denied: 1 },
    receive: { allowed: 10, denied: 0 },
  });
});

test("an asynchronous refusal of deliveries is counted each time", async () => {
  const test = new TestBroker({
    authorizer: {
      decide: (_, action) => action !== "receive" || Promise.resolve({ isAllowed: false, reason: "no" }),
    },
  });
  const kitchen = await test.subscriber("kitchen", ["a"]);
  const button = await test.connect("button");
  for (let n = 0; n < 10; n++) {
    button.publish("a", "x");
    await settled();
    test.turn();
  }
  expect(kitchen.messages()).toEqual([]);
  const { allowed, denied } = test.broker.counters.decisions.receive;
  expect(allowed).toBe(0);
  expect(denied).toBeGreaterThanOrEqual(10);
});

test("deliveries are sorted by the time since their PUBLISH", async () => {
  const test = new TestBroker();
  const kitchen = await test.subscriber("kitchen", ["a"]);
  const button = await test.connect("button");
  button.publish("a", "at once");
  kitchen.transport.bufferedOctets = 1 << 30;
  button.publish("a", "x", { qos: 1 });
  button.publish("a", "later", { qos: 1, packetIdentifier: 8 });
  test.nowMs = 700;
  kitchen.transport.bufferedOctets = 0;
  kitchen.connection.drained(test.nowMs);
  expect(kitchen.messages()).toHaveLength(3);
  const { deliveries, deliveryMs } = test.broker.counters;
  expect(deliveries).toHaveLength(deliveryBoundsMs.length + 1);
  expect(deliveries.reduce((sum, count) => sum + count, 0)).toBe(3);
  expect(deliveries[deliveryBoundsMs.indexOf(1000)]).toBeGreaterThanOrEqual(1);
  expect(deliveryMs).toBe(700 * (deliveries[deliveryBoundsMs.indexOf(1000)] ?? 0));
});

test("retained messages and what waited for an absent client are no live deliveries", async () => {
  const test = new TestBroker();
  const away = await test.subscriber("away", ["a"], persistent(4));
  away.lose();
  const button = await test.connect("button");
  button.publish("a", "x", { qos: 1, retain: true });
  test.nowMs = 5000;
  const back = await test.connect("away", persistent(4));
  const late = await test.connect("late");
  late.subscribe(["a"]);
  expect([back.messages(), late.messages()]).toEqual([["a x"], ["a x"]]);
  expect(test.broker.counters.deliveries.every((count) => count === 0)).toBe(true);
  expect(test.broker.counters).toMatchObject({ retainedMessages: 1, retainedOctets: expect.any(Number) });
});
