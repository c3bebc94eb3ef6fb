/** QoS 2 in both directions: MQTT 3.1.1 and 5.0 §4.3.3. */

import type { ProtocolVersion } from "@latchkey/mqtt-codec";
import { describe, expect, test } from "vitest";
import { persistent, TestBroker, text } from "./client.ts";

const versions: readonly ProtocolVersion[] = [4, 5];

describe.each(versions)("version %i", (protocolVersion) => {
  test("MQTT-4.3.3-2 (-8, -10 to -12 of 5.0): a message is delivered once, however often it comes before PUBREL", async () => {
    const test = new TestBroker();
    const kitchen = await test.subscriber("kitchen", ["a"]);
    const button = await test.connect("button", { protocolVersion });
    button.take();
    button.publish("a", "x", { qos: 2 });
    button.publish("a", "x", { qos: 2, dup: true });
    button.publish("a", "x", { qos: 2, dup: true });
    expect(button.take()).toMatchObject(
      Array.from({ length: 3 }, () => ({ type: "pubrec", packetIdentifier: 7, reasonCode: 0 })),
    );
    button.send({ type: "pubrel", packetIdentifier: 7 });
    expect(button.take()).toMatchObject([{ type: "pubcomp", packetIdentifier: 7, reasonCode: 0 }]);
    button.publish("a", "new", { qos: 2 });
    expect(kitchen.messages()).toEqual(["a x", "a new"]);
  });

  test("a repeat after a reconnect is still the same message", async () => {
    const test = new TestBroker();
    const kitchen = await test.subscriber("kitchen", ["a"]);
    const first = await test.connect("button", persistent(protocolVersion));
    first.publish("a", "x", { qos: 2 });
    first.lose();
    const second = await test.connect("button", persistent(protocolVersion));
    second.publish("a", "x", { qos: 2, dup: true });
    second.send({ type: "pubrel", packetIdentifier: 7 });
    expect(second.take()).toMatchObject([{ type: "connack" }, { type: "pubrec" }, { type: "pubcomp", reasonCode: 0 }]);
    expect(kitchen.messages()).toEqual(["a x"]);
  });

  test("DUP with an identifier that is not known is a new message: the first one never came, or its session is gone", async () => {
    const test = new TestBroker();
    const kitchen = await test.subscriber("kitchen", ["a"]);
    const button = await test.connect("button", { protocolVersion });
    button.take();
    button.publish("a", "x", { qos: 2, dup: true });
    button.send({ type: "pubrel", packetIdentifier: 7 });
    expect(button.take()).toMatchObject([
      { type: "pubrec", packetIdentifier: 7, reasonCode: 0 },
      { type: "pubcomp", packetIdentifier: 7, reasonCode: 0 },
    ]);
    expect(kitchen.takePublishes()).toMatchObject([{ dup: false, payload: text("x") }]);
  });

  test("identifiers that are in use when a client comes back are not given to new messages", async () => {
    const test = new TestBroker();
    const first = await test.subscriber("fridge", ["a"], persistent(protocolVersion));
    const button = await test.connect("button");
    for (const packetIdentifier of [11, 12, 13]) button.publish("a", "begun", { qos: 2, packetIdentifier });
    first.send({ type: "pubrec", packetIdentifier: 2 });
    first.take();
    first.lose();
    const second = await test.connect("fridge", persistent(protocolVersion));
    button.publish("a", "new", { qos: 1 });
    button.publish("a", "new", { qos: 1 });
    const used = second.takePublishes().map(({ packetIdentifier }) => packetIdentifier);
    expect(used).toEqual([1, 3, 4, 5]);
  });

  test("PUBREL for an identifier that is not known is completed, and the connection stays", async () => {
    const test = new TestBroker();
    const button = await test.connect("button", { protocolVersion });
    button.take();
    button.send({ type: "pubrel", packetIdentifier: 99 });
    expect(button.take()).toMatchObject([
      { type: "pubcomp", packetIdentifier: 99, reasonCode: protocolVersion === 5 ? 0x92 : 0 },
    ]);
    expect(button.isClosed).toBe(false);
  });

  test("MQTT-4.3.3-1 (-1 to -6 of 5.0): PUBLISH until PUBREC, PUBREL until PUBCOMP, never PUBLISH again", async () => {
    const test = new TestBroker();
    const first = await test.subscriber("fridge", ["a"], persistent(protocolVersion));
    const button = await test.connect("button");
    button.publish("a", "1", { qos: 2 });
    button.publish("a", "2", { qos: 2, packetIdentifier: 8 });
    expect(first.takePublishes()).toMatchObject([
      { packetIdentifier: 1, qos: 2, dup: false },
      { packetIdentifier: 2, qos: 2, dup: false },
    ]);
    first.send({ type: "pubrec", packetIdentifier: 1 });
    expect(first.take()).toMatchObject([{ type: "pubrel", packetIdentifier: 1 }]);
    first.lose();
    const second = await test.connect("fridge", persistent(protocolVersion));
    const again = second.take().slice(1);
    expect(again).toMatchObject([
      { type: "pubrel", packetIdentifier: 1 },
      { type: "publish", packetIdentifier: 2, dup: true },
    ]);
    second.send({ type: "pubcomp", packetIdentifier: 1 });
    second.lose();
    const third = await test.connect("fridge", persistent(protocolVersion));
    expect(third.take().slice(1)).toMatchObject([{ type: "publish", packetIdentifier: 2, dup: true }]);
  });

  test("MQTT-4.6.0-4: PUBRELs in the order of the PUBRECs, MQTT-4.6.0-3: PUBRECs in the order of the PUBLISHes", async () => {
    const test = new TestBroker();
    const fridge = await test.subscriber("fridge", ["a"], { protocolVersion });
    const button = await test.connect("button", { protocolVersion });
    button.take();
    for (const packetIdentifier of [3, 1, 2]) button.publish("a", "x", { qos: 2, packetIdentifier });
    const identifiers = (packets: readonly object[]): unknown[] =>
      packets.map((packet) => ("packetIdentifier" in packet ? packet.packetIdentifier : 0));
    expect(identifiers(button.take())).toEqual([3, 1, 2]);
    fridge.take();
    for (const packetIdentifier of [2, 3, 1]) fridge.send({ type: "pubrec", packetIdentifier });
    expect(identifiers(fridge.take())).toEqual([2, 3, 1]);
  });

  test("a repeated PUBREC is answered by PUBREL again", async () => {
    const test = new TestBroker();
    const fridge = await test.subscriber("fridge", ["a"], { protocolVersion });
    (await test.connect("button")).publish("a", "x", { qos: 2 });
    fridge.take();
    for (let count = 0; count < 2; count++) {
      fridge.send({ type: "pubrec", packetIdentifier: 1 });
      expect(fridge.take()).toMatchObject([{ type: "pubrel", packetIdentifier: 1, reasonCode: 0 }]);
    }
  });
});

test("PUBREC for an identifier that is not known gets PUBREL 0x92 in 5.0", async () => {
  const test = new TestBroker();
  const fridge = await test.connect5("fridge");
  fridge.send({ type: "pubrec", packetIdentifier: 5 });
  expect(fridge.take()).toMatchObject([{ type: "pubrel", packetIdentifier: 5, reasonCode: 0x92 }]);
});

test("MQTT-4.3.3-9: after a PUBREC that refuses the identifier is free", async () => {
  const test = new TestBroker();
  test.denied.add("button publish secret");
  const kitchen = await test.subscriber("kitchen", ["#"]);
  const button = await test.connect5("button");
  button.publish("secret", "x", { qos: 2 });
  button.publish("open", "y", { qos: 2 });
  expect(button.take()).toMatchObject([
    { type: "pubrec", reasonCode: 0x87 },
    { type: "pubrec", reasonCode: 0 },
  ]);
  expect(kitchen.messages()).toEqual(["open y"]);
});

test("MQTT-4.3.3-7, -13: an exchange that was begun goes on although the message expired", async () => {
  const test = new TestBroker();
  const first = await test.subscriber("fridge", ["a"], persistent(5));
  const button = await test.connect5("button");
  const properties = { messageExpiryInterval: 1 };
  button.publish("a", "begun", { qos: 2, properties });
  first.take();
  first.lose();
  button.publish("a", "not begun", { qos: 2, packetIdentifier: 8, properties });
  test.tick(5000);
  const second = await test.connect("fridge", persistent(5));
  expect(second.takePublishes()).toMatchObject([{ payload: text("begun"), dup: true }]);
  second.send({ type: "pubrec", packetIdentifier: 1 });
  expect(second.take()).toMatchObject([{ type: "pubrel", packetIdentifier: 1, reasonCode: 0 }]);
});

test("an identifier of a QoS 2 exchange cannot be used for QoS 1 meanwhile (0x91)", async () => {
  const test = new TestBroker();
  const button = await test.connect5("button");
  button.publish("a", "x", { qos: 2 });
  button.take();
  button.publish("a", "y", { qos: 1 });
  expect(button.take()).toMatchObject([{ type: "puback", packetIdentifier: 7, reasonCode: 0x91 }]);
});
