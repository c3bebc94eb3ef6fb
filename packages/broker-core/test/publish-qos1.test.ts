/** QoS 1 in both directions: MQTT 3.1.1 and 5.0 §4.3.2, §4.4, §4.6. */

import type { ProtocolVersion } from "@latchkey/mqtt-codec";
import { describe, expect, test } from "vitest";
import { persistent, TestBroker, text } from "./client.ts";

const versions: readonly ProtocolVersion[] = [4, 5];

describe.each(versions)("version %i", (protocolVersion) => {
  test("MQTT-4.3.2-2 (-4 of 5.0), MQTT-2.3.1-6 (MQTT-2.2.1-5): PUBACK has the identifier of the PUBLISH", async () => {
    const test = new TestBroker();
    await test.subscriber("kitchen", ["a"]);
    const button = await test.connect("button", { protocolVersion });
    button.take();
    button.publish("a", "x", { qos: 1, packetIdentifier: 777 });
    expect(button.take()).toMatchObject([{ type: "puback", packetIdentifier: 777, reasonCode: 0 }]);
  });

  test("MQTT-4.3.2-2 (-5 of 5.0): after its PUBACK the same identifier is a new message, whatever DUP says", async () => {
    const test = new TestBroker();
    const kitchen = await test.subscriber("kitchen", ["a"]);
    const button = await test.connect("button", { protocolVersion });
    button.publish("a", "one", { qos: 1 });
    button.publish("a", "two", { qos: 1, dup: true });
    expect(kitchen.takePublishes().map(({ dup }) => dup)).toEqual([false, false]);
  });

  test("MQTT-3.3.1-3: DUP of what came is not passed on", async () => {
    const test = new TestBroker();
    const kitchen = await test.subscriber("kitchen", ["a"], { protocolVersion });
    const button = await test.connect("button", { protocolVersion });
    button.publish("a", "x", { qos: 1, dup: true });
    expect(kitchen.takePublishes()).toMatchObject([{ dup: false, qos: 1 }]);
  });

  test("MQTT-4.6.0-2: PUBACKs in the order of the PUBLISHes", async () => {
    const test = new TestBroker();
    const button = await test.connect("button", { protocolVersion });
    button.take();
    for (const packetIdentifier of [5, 3, 9, 1]) button.publish("a", "x", { qos: 1, packetIdentifier });
    const answers = button.take().map((packet) => ("packetIdentifier" in packet ? packet.packetIdentifier : 0));
    expect(answers).toEqual([5, 3, 9, 1]);
  });

  test("MQTT-2.3.1-2, -4 (MQTT-2.2.1-4), MQTT-4.3.2-1: identifiers count from 1 and are not given out while they are in use", async () => {
    const test = new TestBroker({ limits: { maximumInFlight: 3 } });
    const kitchen = await test.subscriber("kitchen", ["a"], { protocolVersion });
    const button = await test.connect("button");
    for (let index = 0; index < 6; index++) button.publish("a", `${index}`, { qos: 1 });
    expect(kitchen.takePublishes().map(({ packetIdentifier }) => packetIdentifier)).toEqual([1, 2, 3]);
    kitchen.send({ type: "puback", packetIdentifier: 2 });
    expect(kitchen.takePublishes().map(({ packetIdentifier }) => packetIdentifier)).toEqual([4]);
  });

  test("MQTT-4.4.0-1, MQTT-3.3.1-1, MQTT-4.6.0-1: after a reconnect what was not acknowledged comes again, in order, with DUP", async () => {
    const test = new TestBroker();
    const first = await test.subscriber("fridge", ["a"], persistent(protocolVersion));
    const button = await test.connect("button");
    for (const payload of ["1", "2", "3"]) button.publish("a", payload, { qos: 1 });
    first.take();
    first.send({ type: "puback", packetIdentifier: 2 });
    first.lose();
    const second = await test.connect("fridge", persistent(protocolVersion));
    expect(second.take()).toMatchObject([
      { type: "connack", sessionPresent: true },
      { type: "publish", packetIdentifier: 1, dup: true, payload: text("1") },
      { type: "publish", packetIdentifier: 3, dup: true, payload: text("3") },
    ]);
    // At no other time.
    test.tick(600_000);
    expect(second.take()).toEqual([]);
    button.publish("a", "4", { qos: 1 });
    expect(second.takePublishes()).toMatchObject([{ packetIdentifier: 4, dup: false }]);
  });

  test("MQTT-3.1.2-5, MQTT-4.5.0-1: QoS 1 messages wait for a client that is away", async () => {
    const test = new TestBroker();
    const first = await test.subscriber("fridge", ["a/#"], persistent(protocolVersion));
    first.lose();
    const button = await test.connect("button");
    button.publish("a/0", "lost");
    for (let index = 0; index < 150; index++) button.publish("a/1", `${index}`, { qos: 1 });
    const second = await test.connect("fridge", persistent(protocolVersion));
    let received = second.takePublishes();
    expect(received).toHaveLength(100);
    for (const { packetIdentifier } of received) second.send({ type: "puback", packetIdentifier });
    received = [...received, ...second.takePublishes()];
    expect(received.map(({ payload }) => Number(Buffer.from(payload).toString()))).toEqual(
      Array.from({ length: 150 }, (_, index) => index),
    );
  });

  test("MQTT-3.8.4-6 (-8 of 5.0): the delivered QoS is the lower of published and granted", async () => {
    const test = new TestBroker();
    const button = await test.connect("button");
    for (const granted of [0, 1, 2] as const) {
      const client = await test.subscriber(`granted-${granted}`, [{ topicFilter: "a", qos: granted }], {
        protocolVersion,
      });
      for (const qos of [0, 1, 2] as const) {
        button.publish("a", "x", { qos });
        if (qos === 2) button.send({ type: "pubrel", packetIdentifier: 7 });
        expect(client.takePublishes()).toMatchObject([{ qos: Math.min(qos, granted) }]);
      }
    }
  });
});

test("MQTT 5.0 §3.4.2.1: a PUBACK says that nobody has subscribed", async () => {
  const test = new TestBroker();
  const button = await test.connect5("button");
  button.publish("nobody", "x", { qos: 1 });
  button.publish("nobody", "x", { qos: 2, packetIdentifier: 8 });
  expect(button.take()).toMatchObject([
    { type: "puback", reasonCode: 0x10 },
    { type: "pubrec", reasonCode: 0x10 },
  ]);
});

describe("MQTT 5.0 §3.4.2.1, §3.5.2.1: a message that its subscribers do not get is not answered as one without subscribers", () => {
  async function reasonCodes(test: TestBroker, topicName: string): Promise<unknown> {
    const button = await test.connect5("button");
    button.publish(topicName, "x", { qos: 1 });
    button.publish(topicName, "x", { qos: 2, packetIdentifier: 8 });
    return button.take().map((packet) => ("reasonCode" in packet ? packet.reasonCode : packet));
  }

  test.each([["a"], ["$share/cooks/a"]])("the queue of %s is full", async (topicFilter) => {
    const test = new TestBroker({ limits: { maximumQueuedMessages: 1 } });
    const away = await test.subscriber("away", [topicFilter], persistent(5));
    away.lose();
    const other = await test.connect5("other");
    other.publish("a", "it is full now", { qos: 1 });
    expect(await reasonCodes(test, "a")).toEqual([0, 0]);
    expect(test.broker.counters.messagesDropped.maximumQueuedMessages).toBe(2);
  });

  test("a subscriber that may not receive it", async () => {
    const test = new TestBroker();
    await test.subscriber("kitchen", ["a"]);
    test.denied.add("kitchen receive a");
    expect(await reasonCodes(test, "a")).toEqual([0, 0]);
  });

  test("the publisher's own subscription with No Local", async () => {
    const test = new TestBroker();
    const button = await test.connect5("button");
    button.subscribe([{ topicFilter: "a", qos: 2, noLocal: true }]);
    button.take();
    button.publish("a", "x", { qos: 1 });
    expect(button.take()).toMatchObject([{ type: "puback", reasonCode: 0 }]);
  });

  test("and with no subscriber any more it is one without again", async () => {
    const test = new TestBroker();
    const kitchen = await test.subscriber("kitchen", ["a"]);
    kitchen.lose();
    expect(await reasonCodes(test, "a")).toEqual([0x10, 0x10]);
  });
});

test.each([1, 2] as const)("a denied PUBLISH of QoS %i is answered by 0x87, and the connection stays", async (qos) => {
  const test = new TestBroker();
  test.denied.add("button publish secret").add("button retain-publish kept");
  const button = await test.connect5("button");
  button.publish("secret", "x", { qos });
  button.publish("kept", "x", { qos, retain: true, packetIdentifier: 8 });
  const type = qos === 1 ? "puback" : "pubrec";
  expect(button.take()).toMatchObject([
    { type, packetIdentifier: 7, reasonCode: 0x87, properties: { reasonString: "not allowed: publish to secret" } },
    { type, packetIdentifier: 8, reasonCode: 0x87 },
  ]);
  expect(button.isClosed).toBe(false);
  expect(test.published).toEqual([]);
});

test("MQTT-3.3.5-2: a denied PUBLISH closes a 3.1.1 connection and is not acknowledged", async () => {
  const test = new TestBroker();
  test.denied.add("button publish secret");
  const button = await test.connect("button");
  button.take();
  button.publish("secret", "x", { qos: 1 });
  expect(button.take()).toEqual([]);
  expect(button.isClosed).toBe(true);
});

test("MQTT-4.4.0-2: a PUBACK that refuses acknowledges: the message is not sent again", async () => {
  const test = new TestBroker();
  const first = await test.subscriber("fridge", ["a"], persistent(5));
  const button = await test.connect("button");
  button.publish("a", "1", { qos: 1 });
  button.publish("a", "2", { qos: 2 });
  first.take();
  first.send({ type: "puback", packetIdentifier: 1, reasonCode: 0x80 });
  first.send({ type: "pubrec", packetIdentifier: 2, reasonCode: 0x97 });
  first.lose();
  const second = await test.connect("fridge", persistent(5));
  expect(second.takePublishes()).toEqual([]);
});

test("a delivery that may not be received is not sent, and does not keep the identifier", async () => {
  const test = new TestBroker();
  test.denied.add("kitchen receive secret");
  const kitchen = await test.subscriber("kitchen", ["#"]);
  const button = await test.connect("button");
  button.publish("secret", "x", { qos: 1 });
  button.publish("open", "y", { qos: 1 });
  expect(kitchen.takePublishes()).toMatchObject([{ topicName: "open", packetIdentifier: 1 }]);
});
