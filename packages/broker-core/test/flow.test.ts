/** Flow control, message expiry, packet sizes and topic aliases: MQTT 5.0 §3.1.2.11, §3.3.2.3, §4.9. */

import { describe, expect, test } from "vitest";
import { TestBroker, text } from "./client.ts";

const persistent = { protocolVersion: 5, cleanStart: false, properties: { sessionExpiryInterval: 1000 } } as const;

describe("Receive Maximum", () => {
  test("MQTT-3.3.4-9, -10, MQTT-4.9.0-1 to -3: no more is in flight than the client takes, and all else goes on", async () => {
    const test = new TestBroker();
    const properties = { receiveMaximum: 2 };
    const kitchen = await test.subscriber("kitchen", ["a"], { protocolVersion: 5, properties });
    const button = await test.connect("button");
    for (let index = 0; index < 5; index++) button.publish("a", `${index}`, { qos: 1 });
    button.publish("a", "qos0");
    kitchen.send({ type: "pingreq" });
    expect(kitchen.take().map(({ type }) => type)).toEqual(["publish", "publish", "publish", "pingresp"]);
    kitchen.send({ type: "puback", packetIdentifier: 1 });
    expect(kitchen.takePublishes()).toMatchObject([{ packetIdentifier: 3, payload: text("2") }]);
  });

  test("a QoS 2 exchange holds its place until PUBCOMP", async () => {
    const test = new TestBroker();
    const properties = { receiveMaximum: 1 };
    const kitchen = await test.subscriber("kitchen", ["a"], { protocolVersion: 5, properties });
    const button = await test.connect("button");
    button.publish("a", "1", { qos: 2 });
    button.publish("a", "2", { qos: 2, packetIdentifier: 8 });
    kitchen.take();
    kitchen.send({ type: "pubrec", packetIdentifier: 1 });
    expect(kitchen.take().map(({ type }) => type)).toEqual(["pubrel"]);
    kitchen.send({ type: "pubcomp", packetIdentifier: 1 });
    expect(kitchen.takePublishes()).toMatchObject([{ payload: text("2") }]);
  });

  test("the client's quota holds on resume, where it may be smaller than before", async () => {
    const test = new TestBroker();
    const first = await test.subscriber("fridge", ["a"], persistent);
    const button = await test.connect("button");
    for (let index = 0; index < 5; index++) button.publish("a", `${index}`, { qos: 1 });
    expect(first.takePublishes()).toHaveLength(5);
    first.lose();
    const properties = { ...persistent.properties, receiveMaximum: 2 };
    const second = await test.connect("fridge", { ...persistent, properties });
    const received: number[] = [];
    for (let round = 0; round < 5; round++) {
      const publishes = second.takePublishes();
      expect(publishes.length).toBeLessThanOrEqual(2);
      for (const { packetIdentifier, dup } of publishes) {
        expect(dup).toBe(true);
        received.push(packetIdentifier);
        second.send({ type: "puback", packetIdentifier });
      }
    }
    expect(received).toEqual([1, 2, 3, 4, 5]);
  });

  test("MQTT-3.3.4-7: more than the broker takes is DISCONNECT 0x93; a repeat takes no second place", async () => {
    const test = new TestBroker({ limits: { receiveMaximum: 2 } });
    const button = await test.connect5("button");
    for (const packetIdentifier of [1, 2, 1, 2]) button.publish("a", "x", { qos: 2, packetIdentifier });
    expect(button.take().map(({ type }) => type)).toEqual(["pubrec", "pubrec", "pubrec", "pubrec"]);
    button.send({ type: "pubrel", packetIdentifier: 1 });
    button.publish("a", "x", { qos: 1, packetIdentifier: 3 });
    expect(button.take().map(({ type }) => type)).toEqual(["pubcomp", "puback"]);
    button.publish("a", "x", { qos: 2, packetIdentifier: 4 });
    button.publish("a", "x", { qos: 2, packetIdentifier: 5 });
    expect(button.take()).toMatchObject([{ type: "pubrec" }, { type: "disconnect", reasonCode: 0x93 }]);
  });
});

describe("Maximum Packet Size", () => {
  test("MQTT-3.1.2-24, -25: what is too large for a client is dropped for it alone, and counts as done", async () => {
    const test = new TestBroker();
    const properties = { maximumPacketSize: 50, receiveMaximum: 1 };
    const small = await test.subscriber("small", ["a"], { protocolVersion: 5, properties });
    const large = await test.subscriber("large", ["a"], { protocolVersion: 5 });
    const button = await test.connect("button");
    for (const qos of [0, 1, 2] as const) {
      button.publish("a", "x".repeat(100), { qos, packetIdentifier: qos });
      button.publish("a", "fits", { qos, packetIdentifier: qos === 0 ? 0 : qos + 10 });
      expect(small.takePublishes(), `${qos}`).toMatchObject([{ payload: text("fits") }]);
      expect(large.takePublishes()).toHaveLength(2);
      for (let identifier = 1; identifier < 9; identifier++)
        small.send({ type: "puback", packetIdentifier: identifier });
    }
    test.tick(1000);
    expect(test.eventsOf("dropped")).toMatchObject([{ limit: "packet-size", messages: 3, clientIdentifier: "small" }]);
  });
});

describe("Message Expiry", () => {
  test("MQTT-3.3.2-5, -6: what waits counts down, and is dropped at 0", async () => {
    const test = new TestBroker();
    (await test.subscriber("fridge", ["a"], persistent)).lose();
    const button = await test.connect5("button");
    button.publish("a", "long", { qos: 1, properties: { messageExpiryInterval: 100 } });
    button.publish("a", "short", { qos: 1, properties: { messageExpiryInterval: 5 } });
    button.publish("a", "for ever", { qos: 1 });
    test.tick(7500);
    const fridge = await test.connect("fridge", persistent);
    expect(fridge.takePublishes()).toMatchObject([
      { payload: text("long"), properties: { messageExpiryInterval: 93 } },
      { payload: text("for ever"), properties: undefined },
    ]);
    test.tick(8500);
    expect(test.broker.counters.messagesDropped.expired).toBe(1);
  });

  test("a message goes on at once with the interval that came", async () => {
    const test = new TestBroker();
    const kitchen = await test.subscriber("kitchen", ["a"], { protocolVersion: 5 });
    const button = await test.connect5("button");
    for (const qos of [0, 1] as const) {
      button.publish("a", "x", { qos, properties: { messageExpiryInterval: 60 } });
      expect(kitchen.takePublishes()).toMatchObject([{ properties: { messageExpiryInterval: 60 } }]);
    }
  });

  test("what waits too long is dropped also without an expiry of its own, while its client is away", async () => {
    const test = new TestBroker({ limits: { maximumQueuedMs: 60_000 } });
    const away = await test.subscriber("fridge", ["a"], persistent);
    away.lose();
    (await test.connect("button")).publish("a", "x", { qos: 1 });
    test.tick(59_999);
    expect(test.broker.counters.queuedMessages).toBe(1);
    test.tick(60_000);
    expect(test.broker.counters).toMatchObject({ queuedMessages: 0, queuedOctets: 0 });
    expect(test.eventsOf("dropped")).toMatchObject([{ limit: "maximumQueuedMs", messages: 1 }]);
  });
});

describe("Topic Alias", () => {
  test("MQTT-3.3.2-12: the client's aliases 1 to the maximum stand for their topics, and can be set anew", async () => {
    const test = new TestBroker();
    const kitchen = await test.subscriber("kitchen", ["#"]);
    const button = await test.connect5("button");
    const alias = (topicName: string, topicAlias: number, payload: string): void =>
      button.publish(topicName, payload, { properties: { topicAlias } });
    alias("a", 1, "1");
    alias("b", 16, "2");
    alias("", 1, "3");
    alias("c", 1, "4");
    alias("", 1, "5");
    alias("", 16, "6");
    expect(kitchen.messages()).toEqual(["a 1", "b 2", "a 3", "c 4", "c 5", "b 6"]);
  });

  test("MQTT-3.3.2-7: they end with the connection", async () => {
    const test = new TestBroker();
    const first = await test.connect("button", persistent);
    first.publish("a", "1", { properties: { topicAlias: 1 } });
    first.lose();
    const second = await test.connect("button", persistent);
    second.take();
    second.publish("", "2", { properties: { topicAlias: 1 } });
    expect(second.take()).toMatchObject([{ type: "disconnect", reasonCode: 0x82 }]);
  });

  test.each([
    ["MQTT-3.2.2-17: above the maximum", "a", 17, 0x94],
    ["MQTT-3.3.2-8: 0", "a", 0, 0x94],
    ["unknown, without a topic", "", 3, 0x82],
  ] as const)("%s", async (_, topicName, topicAlias, reasonCode) => {
    const test = new TestBroker();
    const button = await test.connect5("button");
    const topic = Buffer.from(topicName);
    const body = [0, topic.length, ...topic, 3, 0x23, 0, topicAlias];
    button.sendBytes(Uint8Array.from([0x30, body.length, ...body]));
    expect(button.take()).toMatchObject([{ type: "disconnect", reasonCode }]);
  });

  test("MQTT-3.1.2-26, -27, MQTT-3.3.2-11: the broker sets as many as the client allows, and none where it allows none", async () => {
    const test = new TestBroker();
    const none = await test.subscriber("none", ["#"], { protocolVersion: 5 });
    const two = await test.subscriber("two", ["#"], { protocolVersion: 5, properties: { topicAliasMaximum: 2 } });
    const button = await test.connect("button");
    for (const topic of ["a", "b", "c", "a", "b", "c"]) button.publish(topic, "", { qos: 1 });
    const sent = two.takePublishes().map(({ topicName, properties }) => [topicName, properties?.topicAlias]);
    expect(sent).toEqual([
      ["a", 1],
      ["b", 2],
      ["c", undefined],
      ["", 1],
      ["", 2],
      ["c", undefined],
    ]);
    for (const { properties } of none.takePublishes()) expect(properties).toBeUndefined();
  });

  test("a message that was too large to send sets no alias", async () => {
    const test = new TestBroker();
    const properties = { topicAliasMaximum: 2, maximumPacketSize: 50 };
    const kitchen = await test.subscriber("kitchen", ["a"], { protocolVersion: 5, properties });
    const button = await test.connect("button");
    button.publish("a", "x".repeat(100));
    button.publish("a", "fits");
    expect(kitchen.takePublishes()).toMatchObject([{ topicName: "a", properties: { topicAlias: 1 } }]);
  });
});
