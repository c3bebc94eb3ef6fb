/** SUBSCRIBE and UNSUBSCRIBE: MQTT 3.1.1 and 5.0 §3.8 to §3.11. */

import type { ProtocolVersion } from "@latchkey/mqtt-codec";
import { describe, expect, test } from "vitest";
import { TestBroker } from "./client.ts";

const versions: readonly ProtocolVersion[] = [4, 5];

describe.each(versions)("version %i", (protocolVersion) => {
  test("MQTT-3.8.4-1 to -5 (-7), MQTT-3.9.3-1: one SUBACK, with a code for each filter in their order", async () => {
    const test = new TestBroker();
    test.denied.add("kitchen subscribe secret");
    const kitchen = await test.connect("kitchen", { protocolVersion });
    kitchen.take();
    const subscriptions = [
      { topicFilter: "a", qos: 2 },
      { topicFilter: "secret", qos: 1 },
      { topicFilter: "b/+", qos: 0 },
      { topicFilter: "#", qos: 1 },
    ] as const;
    kitchen.send({ type: "subscribe", packetIdentifier: 65_535, subscriptions });
    const refused = protocolVersion === 5 ? 0x87 : 0x80;
    expect(kitchen.take()).toMatchObject([
      { type: "suback", packetIdentifier: 65_535, reasonCodes: [2, refused, 0, 1] },
    ]);
  });

  test("MQTT-3.8.4-3: the same filter again replaces the options, sends retained messages again and loses no message", async () => {
    const test = new TestBroker();
    const button = await test.connect("button");
    button.publish("a", "kept", { retain: true, qos: 1 });
    const kitchen = await test.subscriber("kitchen", [{ topicFilter: "a", qos: 1 }], { protocolVersion });
    kitchen.subscribe([{ topicFilter: "a", qos: 0 }]);
    button.publish("a", "live", { qos: 1 });
    expect(kitchen.takePublishes()).toMatchObject([
      { retain: true, qos: 0 },
      { retain: false, qos: 0 },
    ]);
  });

  test("MQTT-3.3.5-1 (MQTT-3.3.4-2): overlapping subscriptions get one copy with the highest QoS", async () => {
    const test = new TestBroker();
    const filters = [
      { topicFilter: "a/#", qos: 0 },
      { topicFilter: "a/b", qos: 2 },
      { topicFilter: "a/+", qos: 1 },
    ] as const;
    const kitchen = await test.subscriber("kitchen", filters, { protocolVersion });
    (await test.connect("button")).publish("a/b", "x", { qos: 2 });
    expect(kitchen.takePublishes()).toMatchObject([{ qos: 2 }]);
  });

  test("MQTT-3.10.4-1 to -6: UNSUBSCRIBE removes exact filters, is answered also where there was none, and ends what is new", async () => {
    const test = new TestBroker();
    const kitchen = await test.subscriber("kitchen", ["a/+", "a/b", "A/b"], { protocolVersion });
    const button = await test.connect("button");
    button.publish("A/b", "begun", { qos: 1 });
    kitchen.send({ type: "unsubscribe", packetIdentifier: 5, topicFilters: ["A/b", "a/b", "never", "a/+"] });
    button.publish("a/b", "late", { qos: 1 });
    const packets = kitchen.take();
    expect(packets).toMatchObject([
      { type: "publish", topicName: "A/b" },
      { type: "unsuback", packetIdentifier: 5 },
    ]);
    if (protocolVersion === 5) expect(packets[1]).toMatchObject({ reasonCodes: [0, 0, 0x11, 0] });
    expect(test.eventsOf("subscribed")).toMatchObject([
      {
        clientIdentifier: "kitchen",
        subscriptions: ["a/+", "a/b", "A/b"].map((topicFilter) => ({ topicFilter, qos: 2 })),
      },
    ]);
    expect(test.eventsOf("unsubscribed")).toMatchObject([{ topicFilters: ["A/b", "a/b", "a/+"] }]);
    expect(test.broker.counters.subscriptions).toBe(0);
  });

  test("MQTT-3.10.4-3: what was begun is completed after UNSUBSCRIBE", async () => {
    const test = new TestBroker();
    const kitchen = await test.subscriber("kitchen", ["a"], { protocolVersion });
    (await test.connect("button")).publish("a", "x", { qos: 2 });
    kitchen.take();
    kitchen.send({ type: "unsubscribe", packetIdentifier: 5, topicFilters: ["a"] });
    kitchen.send({ type: "pubrec", packetIdentifier: 1 });
    expect(kitchen.take()).toMatchObject([{ type: "unsuback" }, { type: "pubrel", packetIdentifier: 1 }]);
  });

  test("a filter that is refused for a limit or its form has its own code, the others are granted", async () => {
    const test = new TestBroker({ limits: { maximumTopicLevels: 2, maximumSubscriptionsPerSession: 2 } });
    const kitchen = await test.connect("kitchen", { protocolVersion });
    kitchen.take();
    kitchen.subscribe(["a/b/c", "a", "b", "c", "a"]);
    expect(kitchen.take()).toMatchObject([
      { reasonCodes: protocolVersion === 5 ? [0x8f, 2, 2, 0x97, 2] : [0x80, 2, 2, 0x80, 2] },
    ]);
  });
});

describe("the options of 5.0", () => {
  test("MQTT-3.3.4-3, -4, MQTT-3.3.4-6: one copy carries the identifiers of all subscriptions that match", async () => {
    const test = new TestBroker();
    const kitchen = await test.subscriber("kitchen", ["a/#"], { protocolVersion: 5 }, 1);
    kitchen.subscribe(["a/b"], 268_435_455);
    kitchen.subscribe(["a/+"]);
    kitchen.subscribe(["b"], 3);
    kitchen.take();
    const button = await test.connect("button");
    button.publish("a/b", "0");
    button.publish("a/b", "1", { qos: 1 });
    button.publish("c", "none");
    for (const { properties } of kitchen.takePublishes()) {
      expect([...(properties?.subscriptionIdentifiers ?? [])].toSorted((one, other) => one - other)).toEqual([
        1, 268_435_455,
      ]);
    }
  });

  test("MQTT-3.3.1-12, -13: Retain As Published, through the queue of a client that is away", async () => {
    const test = new TestBroker();
    const properties = { sessionExpiryInterval: 100 };
    const asPublished = { topicFilter: "a", qos: 1, retainAsPublished: true } as const;
    const kitchen = await test.subscriber("kitchen", [asPublished], { protocolVersion: 5, properties });
    const plain = await test.subscriber("plain", ["a"], { protocolVersion: 5 });
    const button = await test.connect("button");
    button.publish("a", "0", { retain: true });
    expect(kitchen.takePublishes()).toMatchObject([{ retain: true }]);
    expect(plain.takePublishes()).toMatchObject([{ retain: false }]);
    kitchen.lose();
    button.publish("a", "1", { retain: true, qos: 1 });
    button.publish("a", "2", { retain: false, qos: 1 });
    const back = await test.connect("kitchen", { protocolVersion: 5, cleanStart: false, properties });
    expect(back.takePublishes().map(({ retain }) => retain)).toEqual([true, false]);
  });

  test("MQTT-3.8.3-4: No Local on a shared subscription is a protocol error", async () => {
    const test = new TestBroker();
    const kitchen = await test.connect5("kitchen");
    // SUBSCRIBE to $share/g/a with No Local.
    kitchen.sendBytes(Buffer.from("8210" + "000a" + "00" + "000a" + "2473686172652f672f61" + "04", "hex"));
    expect(kitchen.take()).toMatchObject([{ type: "disconnect", reasonCode: 0x82 }]);
  });

  test("MQTT-3.9.2-1: the reason of a refusal is in SUBACK", async () => {
    const test = new TestBroker();
    test.denied.add("kitchen subscribe secret");
    const kitchen = await test.connect5("kitchen");
    kitchen.subscribe(["secret"]);
    expect(kitchen.take()).toMatchObject([
      { reasonCodes: [0x87], properties: { reasonString: "not allowed: subscribe to secret" } },
    ]);
  });
});

test("a repeated delivery of a topic is decided once while the authorizer's revision stays", async () => {
  let asked = 0;
  let revision = 1;
  let isAllowed = true;
  const test = new TestBroker({
    authorizer: {
      decide: (_, action) => {
        if (action === "receive" || action === "publish") asked += 1;
        return isAllowed || action === "publish" || { isAllowed: false, reason: "withdrawn" };
      },
      revision: () => revision,
    },
  });
  const kitchen = await test.subscriber("kitchen", ["#"]);
  const button = await test.connect("button");
  for (let index = 0; index < 100; index++) button.publish("a", "x");
  expect([asked, kitchen.messages().length]).toEqual([2, 100]);
  isAllowed = false;
  revision += 1;
  for (let index = 0; index < 100; index++) button.publish("a", "x");
  expect([asked, kitchen.messages().length]).toEqual([4, 0]);
  expect(test.eventsOf("denied")).toHaveLength(1);
  expect(test.broker.counters.decisions.receive.denied).toBe(100);
});

test("without a revision every delivery is decided, and equal refusals are reported once a second", async () => {
  const test = new TestBroker();
  const kitchen = await test.subscriber("kitchen", ["#"]);
  const button = await test.connect("button");
  test.denied.add("kitchen receive a");
  for (let index = 0; index < 1000; index++) button.publish("a", "x");
  expect(test.eventsOf("denied")).toHaveLength(1);
  expect(test.broker.counters.decisions.receive.denied).toBe(1000);
  test.denied.clear();
  button.publish("a", "allowed again");
  expect(kitchen.messages()).toEqual(["a allowed again"]);
});

test("100,000 filters: matching looks at the levels of the topic and not at all filters", async () => {
  const time = async (filters: number): Promise<number> => {
    const test = new TestBroker({ limits: { maximumSubscriptionsPerSession: 200_000 } });
    const kitchen = await test.connect("kitchen");
    for (let from = 0; from < filters; from += 500) {
      kitchen.subscribe(
        Array.from({ length: 500 }, (_, index) => `site/${(from + index) % 100}/device/${from + index}/+`),
      );
      kitchen.take();
    }
    const button = await test.connect("button");
    let best = Infinity;
    for (let round = 0; round < 7; round++) {
      const before = process.cpuUsage().user;
      for (let index = 0; index < 500; index++) {
        // Each topic is a new one, so nothing is remembered.
        button.publish(`site/${index % 100}/device/${index}/${round}-${index}`, "x");
      }
      best = Math.min(best, process.cpuUsage().user - before);
      expect(kitchen.take()).toHaveLength(500);
    }
    return best;
  };
  const few = await time(1000);
  expect(await time(100_000)).toBeLessThan(25 * Math.max(few, 1000));
}, 60_000);
