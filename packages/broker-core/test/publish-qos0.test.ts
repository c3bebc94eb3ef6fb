/** QoS 0, and what every PUBLISH has in common: MQTT 3.1.1 and 5.0 §3.3, §4.3.1, §4.7. */

import { encode, type ProtocolVersion, type UserProperty } from "@latchkey/mqtt-codec";
import { describe, expect, test } from "vitest";
import { TestBroker, text } from "./client.ts";

const versions: readonly ProtocolVersion[] = [4, 5];

describe.each(versions)("version %i", (protocolVersion) => {
  test("MQTT-4.3.1-1, MQTT-3.3.4-1: QoS 0 goes out with QoS 0, DUP 0, and is not answered", async () => {
    const test = new TestBroker();
    const kitchen = await test.subscriber("kitchen", ["a/+"], { protocolVersion });
    const button = await test.connect("button", { protocolVersion });
    button.take();
    button.publish("a/b", "press");
    expect(button.take()).toEqual([]);
    expect(kitchen.takePublishes()).toMatchObject([
      { topicName: "a/b", qos: 0, dup: false, retain: false, packetIdentifier: 0, payload: text("press") },
    ]);
  });

  test("MQTT-4.6.0-5, MQTT-4.6.0-6: messages of a topic and QoS come in the order in which they were published", async () => {
    const test = new TestBroker();
    const kitchen = await test.subscriber("kitchen", ["#"], { protocolVersion });
    const button = await test.connect("button", { protocolVersion });
    const sent = Array.from({ length: 300 }, (_, index) => `a ${index}`);
    for (let index = 0; index < 300; index++) button.publish("a", `${index}`);
    expect(kitchen.messages()).toEqual(sent);
  });

  test("MQTT-4.7.3-4: topics are compared as they are, with case and without normalisation", async () => {
    const test = new TestBroker();
    const kitchen = await test.subscriber("kitchen", ["caf\u00e9", "Caf\u00e9/x", "/finance"], { protocolVersion });
    const button = await test.connect("button", { protocolVersion });
    for (const topic of ["cafe\u0301", "CAF\u00c9", "caf\u00e9", "finance", "/finance"]) button.publish(topic, "");
    expect(kitchen.messages()).toEqual(["caf\u00e9 ", "/finance "]);
  });

  test("MQTT-4.7.2-1: a filter that begins with a wildcard does not match a topic that begins with $", async () => {
    const test = new TestBroker();
    const kitchen = await test.subscriber("kitchen", ["#", "+/b"], { protocolVersion });
    const office = await test.subscriber("office", ["$a/#"], { protocolVersion });
    const button = await test.connect("button", { protocolVersion });
    button.publish("$a/b", "");
    expect(kitchen.messages()).toEqual([]);
    expect(office.messages()).toEqual(["$a/b "]);
  });
});

test.each([
  [4, 5],
  [5, 4],
] as const)("a message goes from version %i to version %i", async (from, to) => {
  const test = new TestBroker();
  const kitchen = await test.subscriber("kitchen", ["a"], { protocolVersion: to });
  const button = await test.connect("button", { protocolVersion: from });
  button.publish("a", "0");
  button.publish("a", "1", { qos: 1 });
  expect(kitchen.messages()).toEqual(["a 0", "a 1"]);
});

test("the octets of a QoS 0 message go on as they came, whatever the length of its header", async () => {
  for (const protocolVersion of versions) {
    const test = new TestBroker();
    const kitchen = await test.subscriber("kitchen", ["#"], { protocolVersion });
    const button = await test.connect("button", { protocolVersion });
    for (const length of [
      0, 1, 100, 119, 120, 121, 122, 123, 124, 125, 126, 127, 128, 16_000, 16_383, 16_384, 70_000,
    ]) {
      const payload = new Uint8Array(length).fill(length);
      button.send({ type: "publish", topicName: "tópic", payload });
      button.send({ type: "publish", topicName: "tópic", payload, retain: true });
      expect(kitchen.takePublishes(), `${length}`).toMatchObject([
        { topicName: "tópic", payload, retain: false },
        { topicName: "tópic", payload, retain: false },
      ]);
    }
  }
});

test("an overlong remaining length, which 3.1.1 allows, is not passed on", async () => {
  const test = new TestBroker();
  const kitchen = await test.subscriber("kitchen", ["#"]);
  let sent: Uint8Array = new Uint8Array();
  const write = kitchen.transport.write;
  kitchen.transport.write = (chunks) => {
    sent = Buffer.concat(chunks);
    write(chunks);
  };
  const button = await test.connect("button");
  button.sendBytes(Buffer.from("30848000" + "000161" + "58", "hex"));
  expect(sent).toEqual(Buffer.from(encode({ type: "publish", topicName: "a", payload: text("X") }, 4)));
});

test("MQTT-3.3.2-4, -15 to -18, -20: the properties pass unaltered, user properties in their order", async () => {
  const test = new TestBroker();
  const kitchen = await test.subscriber("kitchen", ["#"], { protocolVersion: 5 });
  const button = await test.connect("button", { protocolVersion: 5 });
  const userProperties: UserProperty[] = [
    ["b", "1"],
    ["a", "2"],
    ["b", "1"],
  ];
  const properties = {
    payloadFormatIndicator: 1 as const,
    contentType: "text/plain",
    responseTopic: "answers/here",
    correlationData: Uint8Array.of(0, 1, 255),
    userProperties,
  };
  for (const qos of [0, 1, 2] as const) {
    button.publish("a", "x", { qos, properties });
    expect(kitchen.takePublishes()).toMatchObject([{ qos, properties }]);
    if (qos === 2) button.send({ type: "pubrel", packetIdentifier: 7 });
  }
});

test("MQTT-3.8.3-3: No Local keeps a client's own messages from it, and not those of its other subscriptions", async () => {
  const test = new TestBroker();
  const options = { qos: 2, noLocal: true } as const;
  const kitchen = await test.subscriber("kitchen", [{ topicFilter: "a/#", ...options }, "a/b"], { protocolVersion: 5 });
  kitchen.publish("a/a", "own");
  kitchen.publish("a/b", "own");
  const button = await test.connect("button");
  button.publish("a/a", "button's");
  expect(kitchen.messages()).toEqual(["a/b own", "a/a button's"]);
});

test("a denied PUBLISH of QoS 0 is told to an MQTT 5.0 client, which 3.1.1 cannot be", async () => {
  for (const protocolVersion of versions) {
    const test = new TestBroker();
    test.denied.add("button publish secret");
    const button = await test.connect("button", { protocolVersion });
    button.take();
    button.publish("secret", "x");
    const told = {
      type: "disconnect",
      reasonCode: 0x87,
      properties: { reasonString: "not allowed: publish to secret" },
    };
    expect(button.take()).toMatchObject(protocolVersion === 5 ? [told] : []);
    expect(button.isClosed).toBe(true);
    expect(test.eventsOf("denied")).toMatchObject([
      { action: "publish", name: "secret", denial: { isAllowed: false, reason: "listed as denied" } },
    ]);
  }
});

test.each(["$SYS/broker/uptime", "$aws/things/x/shadow/update/accepted"])(
  "%s is reserved: clients cannot publish there, the broker itself can",
  async (topicName) => {
    const test = new TestBroker();
    const kitchen = await test.subscriber("kitchen", ["$SYS/#", "$aws/#"]);
    const button = await test.connect5("button");
    button.publish(topicName, "forged", { qos: 1 });
    expect(button.take()).toMatchObject([{ type: "puback", reasonCode: 0x90 }]);
    await test.broker.publish({ topicName, payload: text("true") }, 0);
    expect(kitchen.messages()).toEqual([`${topicName} true`]);
  },
);

test("events of messages are made only where somebody listens", async () => {
  const test = new TestBroker({ onPublished: undefined });
  const button = await test.connect("button");
  button.publish("a", "x");
  expect(test.broker.counters.messagesReceived).toEqual([1, 0, 0]);
});
