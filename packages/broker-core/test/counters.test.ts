import { expect, test } from "vitest";
import { deliveryBoundsMs, MemorySessionStore } from "../src/index.ts";
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

test("what a delivery takes within one input counts, too, although the time that was given stands still", async () => {
  let clockMs = 0;
  const test = new TestBroker({
    monotonicMs: () => clockMs,
    authorizer: {
      decide: (_, action) => {
        if (action === "receive") clockMs += 30;
        return true;
      },
    },
  });
  const kitchen = await test.subscriber("kitchen", ["a"]);
  const button = await test.connect("button");
  button.publish("a", "x");
  expect(kitchen.messages()).toEqual(["a x"]);
  expect(test.broker.counters.deliveryMs).toBe(30);
  expect(test.broker.counters.deliveries[deliveryBoundsMs.indexOf(50)]).toBe(1);
});

test("what is sent when the store has committed, with no input, has waited for as long as the clock says", async () => {
  let clockMs = 0;
  const store = new MemorySessionStore();
  let commit: (() => void) | undefined;
  const append = store.append.bind(store);
  store.append = async (...records) => {
    await new Promise<void>((resolve) => (commit = resolve));
    return append(...records);
  };
  const kept = await store.load();
  const test = new TestBroker({ monotonicMs: () => clockMs, persistence: { store, kept, nowMs: 0 } });
  const kitchen = await test.subscriber("kitchen", ["a"], persistent(4));
  const committed = async (): Promise<void> => {
    await settled();
    commit?.();
    await settled();
  };
  await committed();
  const button = await test.connect("button");
  button.publish("a", "x", { qos: 2 });
  // QoS 2 is sent when its identifier is kept.
  clockMs = 400;
  await committed();
  await committed();
  expect(kitchen.messages()).toEqual(["a x"]);
  expect(test.broker.counters.deliveryMs).toBe(400);
});

test("a clock that goes back makes no delivery shorter than nothing", async () => {
  let clockMs = 1000;
  const test = new TestBroker({ monotonicMs: () => clockMs });
  const kitchen = await test.subscriber("kitchen", ["a"]);
  const button = await test.connect("button");
  test.nowMs = 1000;
  clockMs = 500;
  button.publish("a", "x");
  expect(kitchen.messages()).toEqual(["a x"]);
  expect(test.broker.counters.deliveryMs).toBe(0);
});
