/** How connections end, and what is said of it. */

import type { EncodablePacket } from "@latchkey/mqtt-codec";
import { describe, expect, test } from "vitest";
import { publish, subscribe, TestBroker, text } from "./client.ts";

describe("ending", () => {
  const will = { will: { topicName: "gone", payload: text("bye"), qos: 1 as const, retain: false } };

  test.each([
    ["DISCONNECT", [] as string[]],
    ["a lost connection", ["gone bye"]],
    ["garbage", ["gone bye"]],
    ["an operator", ["gone bye"]],
  ])("by %s publishes the will or not, as MQTT asks", async (how, expected) => {
    const test = new TestBroker();
    const kitchen = await test.connect("kitchen");
    kitchen.send(subscribe("#"));
    kitchen.take();
    const button = await test.connect("button", will);
    if (how === "DISCONNECT") button.send({ type: "disconnect" });
    else if (how === "garbage") button.sendBytes(Uint8Array.of(0xf0, 0x00));
    else if (how === "an operator") button.connection.end("administrative", "revoked", 0);
    else button.connection.lost("reset", 0);
    expect(kitchen.messages()).toEqual(expected);
    expect(button.isClosed).toBe(true);
    button.sendBytes(Uint8Array.of(0xc0, 0x00));
    button.connection.lost("again", 0);
    expect(test.eventsOf("closed")).toHaveLength(1);
  });

  test.each([
    ["publish", []],
    ["retain-publish", []],
    ["receive", ["gone bye"]],
  ])("a retained will and the withdrawn right to %s", async (action, expected) => {
    const test = new TestBroker();
    const kitchen = await test.connect("kitchen");
    kitchen.send(subscribe("#"));
    kitchen.take();
    const button = await test.connect("button", { will: { ...will.will, retain: true } });
    test.denied.add(`button ${action} gone`);
    button.connection.lost("reset", 0);
    expect(kitchen.messages()).toEqual(expected);
    const late = await test.connect("late");
    late.take();
    late.send(subscribe("#"));
    expect(late.messages()).toEqual(expected);
    expect(test.eventsOf("denied")).toHaveLength(expected.length === 0 ? 1 : 0);
  });

  test("shutdown closes everybody", async () => {
    const test = new TestBroker();
    const clients = [await test.connect("a"), await test.connect("b"), test.open("c")];
    test.broker.shutdown(0);
    expect(clients.map((client) => client.isClosed)).toEqual([true, true, true]);
    expect([...test.broker.connections()]).toEqual([]);
  });

  test.each([
    ["nothing but zeros", "0000000000"],
    ["a PUBLISH first", "3003000161"],
    ["a second CONNECT", "100d00044d515454040200000001" + "62"],
    ["HTTP", Buffer.from("GET / HTTP/1.1\r\nHost: x\r\n\r\n").toString("hex")],
    ["a packet over the limit", "30ffffff7f"],
  ])("%s ends the connection with an event", async (name, hex) => {
    const test = new TestBroker();
    const client =
      name === "a second CONNECT" || name === "a packet over the limit"
        ? await test.connect("button")
        : test.open("button");
    client.sendBytes(Buffer.from(hex, "hex"));
    expect(client.isClosed).toBe(true);
    expect(test.eventsOf("closed")).toMatchObject([{ reason: "malformed-packet" }]);
  });
});

const nineFilters: EncodablePacket = {
  type: "subscribe",
  packetIdentifier: 10,
  subscriptions: Array.from("abcdefghi", (topicFilter) => ({ topicFilter, qos: 0 })),
};

describe("the reason of a closed connection has the limit, the value and what it is about", () => {
  test.each([
    [publish("1/2/3/4/5/6/7/8/9", ""), "maximumTopicLevels 8: the topic of PUBLISH has 9 levels: 1/2/3/4/5/6/7/8/9"],
    [publish("é".repeat(129), ""), `maximumTopicOctets 256: the topic of PUBLISH has 258 octets: ${"é".repeat(64)}…`],
    [nineFilters, "maximumFiltersPerSubscribe 8: SUBSCRIBE has 9 topic filters"],
  ])("%#", async (packet, detail) => {
    const test = new TestBroker({ profile: "aws" });
    const client = await test.connect("button");
    client.send(packet);
    expect(test.eventsOf("closed")).toMatchObject([
      { reason: "limit", detail, peer: "button", clientIdentifier: "button" },
    ]);
  });

  test("before CONNACK as well", async () => {
    const test = new TestBroker({ profile: "aws" });
    await test.open("button").connect("x".repeat(129));
    const long = { topicName: "a".repeat(257), payload: text(""), qos: 0 as const, retain: false };
    await test.open("button").connect("button", { will: long });
    expect(test.eventsOf("closed").map(({ detail }) => detail)).toEqual([
      "maximumClientIdentifierOctets 128: the client identifier has 129 octets",
      `maximumTopicOctets 256: the will's topic has 257 octets: ${"a".repeat(64)}…`,
    ]);
  });
});
