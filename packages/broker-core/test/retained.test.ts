/** Retained messages: MQTT 3.1.1 and 5.0 §3.3.1.3. */

import type { ProtocolVersion } from "@latchkey/mqtt-codec";
import fc from "fast-check";
import { matchesTopicFilter } from "@latchkey/mqtt-codec";
import { describe, expect, test } from "vitest";
import { Message } from "../src/routing/message.ts";
import { RetainedMessages } from "../src/routing/retained-messages.ts";
import { TestBroker, text } from "./client.ts";

const versions: readonly ProtocolVersion[] = [4, 5];

describe.each(versions)("version %i", (protocolVersion) => {
  test("MQTT-3.3.1-5 to -12 of 3.1.1, MQTT-3.3.1-5 to -9 of 5.0: stored, replaced, removed, sent with RETAIN to what is new", async () => {
    const test = new TestBroker();
    const there = await test.subscriber("there", ["a/+"], { protocolVersion });
    const button = await test.connect("button", { protocolVersion });
    button.publish("a/b", "first", { retain: true, qos: 1 });
    button.publish("a/b", "second", { retain: true });
    button.publish("a/b", "not retained");
    button.publish("a/c", "gone", { retain: true });
    button.publish("a/c", "", { retain: true });
    expect(there.takePublishes().map(({ retain, payload }) => [retain, payload.length])).toEqual([
      [false, 5],
      [false, 6],
      [false, 12],
      [false, 4],
      [false, 0],
    ]);
    const other = await test.connect("other", { protocolVersion });
    other.take();
    other.subscribe(["a/#"]);
    expect(other.take()).toMatchObject([
      { type: "suback" },
      { type: "publish", topicName: "a/b", retain: true, payload: text("second"), qos: 0 },
    ]);
  });

  test("MQTT-3.1.2.7: retained messages stay when the session of their publisher ends", async () => {
    const test = new TestBroker();
    const button = await test.connect("button", { protocolVersion });
    button.publish("a", "kept", { retain: true });
    button.send({ type: "disconnect" });
    const late = await test.connect("late", { protocolVersion });
    late.subscribe(["a"]);
    expect(late.messages()).toEqual(["a kept"]);
  });

  test("a retained message that cannot be kept is not acknowledged as if it were", async () => {
    const test = new TestBroker({ limits: { maximumRetainedMessages: 1 } });
    const button = await test.connect("button", { protocolVersion });
    button.take();
    button.publish("a", "1", { retain: true, qos: 1 });
    button.publish("a", "replaced", { retain: true, qos: 1 });
    expect(button.take()).toHaveLength(2);
    button.publish("b", "2", { retain: true, qos: 1 });
    const [answer] = button.take();
    if (protocolVersion === 5) expect(answer).toMatchObject({ type: "puback", reasonCode: 0x97 });
    else expect([answer, button.isClosed]).toEqual([undefined, true]);
    expect(test.broker.counters.messagesDropped.maximumRetainedMessages).toBe(1);
  });
});

test("MQTT-3.3.1-9 to -11: Retain Handling; RETAIN is 1 on a new subscription whatever Retain As Published says", async () => {
  const test = new TestBroker();
  (await test.connect("button")).publish("a", "kept", { retain: true });
  const kitchen = await test.connect5("kitchen");
  const counts: number[] = [];
  for (const retainHandling of [2, 1, 1, 0, 0] as const) {
    kitchen.subscribe([{ topicFilter: "a", qos: 1, retainHandling, retainAsPublished: false }]);
    const publishes = kitchen.takePublishes();
    counts.push(publishes.length);
    for (const { retain } of publishes) expect(retain).toBe(true);
  }
  expect(counts).toEqual([0, 0, 0, 1, 1]);
  kitchen.subscribe([{ topicFilter: "+", qos: 1, retainHandling: 1 }]);
  expect(kitchen.takePublishes()).toHaveLength(1);
});

test("retained messages carry the identifier of their subscription, and what is left of their expiry", async () => {
  const test = new TestBroker();
  const button = await test.connect5("button");
  button.publish("a", "kept", { retain: true, properties: { messageExpiryInterval: 10 } });
  test.tick(4000);
  const kitchen = await test.connect5("kitchen");
  kitchen.subscribe(["a"], 9);
  expect(kitchen.takePublishes()).toMatchObject([
    { properties: { messageExpiryInterval: 6, subscriptionIdentifiers: [9] } },
  ]);
  test.tick(10_000);
  expect(test.broker.retained("a")).toBeUndefined();
  kitchen.subscribe(["a"]);
  expect(kitchen.takePublishes()).toEqual([]);
});

test("a reader gets all of them, however many and large they are, and nothing is dropped", async () => {
  const test = new TestBroker({ limits: { maximumBufferedOctets: 100_000 } });
  const button = await test.connect("button");
  for (let index = 0; index < 200; index++) {
    button.send({ type: "publish", topicName: `t/${index}`, payload: new Uint8Array(20_000), retain: true });
  }
  for (const qos of [0, 1] as const) {
    const kitchen = await test.connect(`kitchen-${qos}`);
    kitchen.take();
    // The transport takes everything, and holds it until the client has read.
    const { write } = kitchen.transport;
    kitchen.transport.write = (chunks) => {
      write(chunks);
      kitchen.transport.bufferedOctets = kitchen.octets;
    };
    kitchen.subscribe([{ topicFilter: "t/+", qos }]);
    const received = new Set<string>();
    for (let round = 0; round < 300 && received.size < 200; round++) {
      for (const packet of kitchen.takePublishes()) received.add(packet.topicName);
      kitchen.octets = 0;
      kitchen.transport.bufferedOctets = 0;
      kitchen.connection.drained(test.nowMs);
    }
    expect(received.size).toBe(200);
  }
  expect(new Set(Object.values(test.broker.counters.messagesDropped))).toEqual(new Set([0]));
});

test("what is published while they are sent comes once, and after them", async () => {
  const test = new TestBroker({ limits: { maximumWorkPerTurn: 5 } });
  const button = await test.connect("button");
  for (let index = 0; index < 20; index++) button.publish(`t/${index}`, "old", { retain: true, qos: 1 });
  test.turn();
  const kitchen = await test.connect("kitchen");
  kitchen.take();
  kitchen.subscribe(["t/+"]);
  button.publish("t/19", "new", { retain: true, qos: 1 });
  const of19 = kitchen.takePublishes().filter(({ topicName }) => topicName === "t/19");
  expect(of19).toMatchObject([{ retain: false, payload: text("new") }]);
});

test("the control plane lists, reads and deletes them", async () => {
  const test = new TestBroker();
  test.nowMs = 5000;
  const button = await test.connect5("button");
  button.publish("a", "kept", { retain: true, qos: 1, properties: { contentType: "text/plain" } });
  expect(test.broker.retained("a")).toMatchObject({
    topicName: "a",
    payload: text("kept"),
    qos: 1,
    properties: { contentType: "text/plain" },
    storedAtMs: 5000,
  });
  expect([...test.broker.retainedMessages()]).toHaveLength(1);
  expect(test.broker.deleteRetained("a", 5000)).toBe(true);
  expect(test.broker.deleteRetained("a", 5000)).toBe(false);
  expect([...test.broker.retainedMessages()]).toEqual([]);
});

const level = fc.constantFrom("", "a", "b", "$x");
const topicName = fc.array(level, { minLength: 1, maxLength: 4 }).map((levels) => levels.join("/"));
const topicFilter = fc
  .tuple(fc.array(fc.oneof(level, fc.constant("+")), { minLength: 1, maxLength: 4 }), fc.boolean())
  .map(([levels, open]) => (open ? [...levels, "#"] : levels).join("/"));

test("the tree finds what matching one by one finds, in both profiles", () => {
  fc.assert(
    fc.property(fc.uniqueArray(topicName), topicFilter, fc.boolean(), (topics, filter, multiLevelMatchesParent) => {
      const tree = new RetainedMessages(multiLevelMatchesParent);
      for (const topic of topics) {
        const fields = { topicName: topic, payload: text("x"), qos: 0, retain: true, properties: undefined } as const;
        tree.set(new Message({ ...fields, expirySeconds: undefined, publisher: undefined }, 0, true, undefined), 0);
      }
      const found: string[] = [];
      const walk = tree.matching(filter);
      for (let next = walk.next(); next.done !== true; next = walk.next()) {
        if (next.value !== undefined) found.push(next.value.message.topicName);
      }
      const expected = topics.filter((topic) => matchesTopicFilter(filter, topic, { multiLevelMatchesParent }));
      expect(found.sort()).toEqual(expected.sort());
      for (const topic of topics) expect(tree.delete(topic)).toBe(true);
      expect([tree.size, tree.octets]).toEqual([0, 0]);
    }),
  );
});

test("of two versions of a topic the higher one stays", () => {
  const tree = new RetainedMessages(true);
  const message = (payload: string): Message =>
    new Message(
      {
        topicName: "a",
        payload: text(payload),
        qos: 0,
        retain: true,
        properties: undefined,
        expirySeconds: undefined,
        publisher: undefined,
      },
      0,
      true,
      undefined,
    );
  tree.set(message("newer"), 0, 7);
  tree.set(message("older"), 0, 3);
  expect(tree.get("a")?.message.payload).toEqual(text("newer"));
  expect(tree.set(message("same time"), 0)?.version).toBeGreaterThan(7);
});
