/** Clients that mean harm, and event handlers that act in the middle of things. */

import { encode } from "@latchkey/mqtt-codec";
import { expect, test } from "vitest";
import { settled, TestBroker, text } from "./client.ts";

const subscribeAll = { type: "subscribe", packetIdentifier: 1, subscriptions: [{ topicFilter: "#", qos: 0 }] } as const;

test("who does not read is not read from, and gets the rest when it reads again", async () => {
  const test = new TestBroker({ limits: { maximumBufferedOctets: 100 } });
  const client = await test.connect("flood");
  client.take();
  client.transport.bufferedOctets = 101;
  client.send({ type: "pingreq" }, { type: "pingreq" });
  expect(client.transport.isPaused).toBe(true);
  expect(client.take()).toEqual([]);
  client.transport.bufferedOctets = 0;
  client.connection.drained(0);
  expect(client.transport.isPaused).toBe(false);
  expect(client.take()).toMatchObject([{ type: "pingresp" }, { type: "pingresp" }]);
});

test("who goes on not reading is closed", async () => {
  const test = new TestBroker({ limits: { maximumBufferedOctets: 100, maximumUnreadMs: 1000 } });
  const client = await test.connect("flood");
  client.transport.bufferedOctets = 101;
  client.send({ type: "pingreq" });
  test.tick(1);
  test.tick(1000);
  expect(client.isClosed).toBe(false);
  test.tick(1001);
  expect(client.isClosed).toBe(true);
});

test("many SUBSCRIBEs in one chunk do not make retained messages pile up", async () => {
  const test = new TestBroker({ limits: { maximumBufferedOctets: 10_000 } });
  const button = await test.connect("button");
  for (let i = 0; i < 100; i++) {
    button.send({ type: "publish", topicName: `t/${i}`, payload: new Uint8Array(1000), retain: true });
  }
  const greedy = await test.connect("greedy");
  let octets = 0;
  greedy.transport.write = (chunks) => {
    for (const { length } of chunks) octets += length;
    greedy.transport.bufferedOctets = octets;
  };
  greedy.sendBytes(Buffer.concat(Array.from({ length: 200 }, () => encode(subscribeAll, 4))));
  expect(octets).toBeLessThan(20_000);
  expect(greedy.transport.isPaused).toBe(true);
  expect(test.eventsOf("dropped").length).toBeLessThan(10);
});

test("a connection that is ended while it takes a session over stays ended", async () => {
  const test = new TestBroker();
  await test.connect("button");
  const successor = test.open("button");
  const push = test.events.push.bind(test.events);
  test.events.push = (...events) => {
    if (events.some((event) => event.type === "closed" && event.reason === "taken-over")) {
      successor.connection.end("administrative", "not you either", 0);
    }
    return push(...events);
  };
  await successor.connect("button");
  expect(successor.isClosed).toBe(true);
  expect(Array.from(test.broker.connections())).toEqual([]);
});

test("a connection that is ended while it subscribes leaves no subscription behind", async () => {
  const test = new TestBroker();
  const client = await test.connect("kitchen");
  const push = test.events.push.bind(test.events);
  test.events.push = (...events) => {
    if (events.some((event) => event.type === "subscribed")) client.connection.end("administrative", "no", 0);
    return push(...events);
  };
  const subscriptions = ["a", "b"].map((topicFilter) => ({ topicFilter, qos: 1 as const }));
  client.send({ type: "subscribe", packetIdentifier: 1, subscriptions });
  test.events.push = push;
  (await test.connect("button")).send({ type: "publish", topicName: "b", payload: text("x") });
  expect(test.published).toMatchObject([{ receivers: 0 }]);
});

test("an authorizer or authenticator that throws refuses, and nothing escapes", async () => {
  const throwing = (): never => {
    throw new Error("broken");
  };
  for (const options of [{ authorizer: { decide: throwing } }, { authenticator: { authenticate: throwing } }]) {
    const test = new TestBroker(options);
    const client = test.open("button");
    await client.connect("button");
    await settled();
    expect(client.isClosed).toBe(true);
    expect(test.eventsOf("connected")).toEqual([]);
  }
});

test("a CONNECT that comes octet by octet has no more time than another", () => {
  const test = new TestBroker();
  const client = test.open("button");
  for (const octet of [0x10, 0x20, 0x00]) {
    test.nowMs += 4000;
    client.sendBytes(Uint8Array.of(octet));
    test.tick(test.nowMs);
  }
  expect(client.isClosed).toBe(true);
});

test("one SUBSCRIBE cannot pass the limit on subscriptions", async () => {
  const test = new TestBroker({ limits: { maximumSubscriptionsPerSession: 2 } });
  const client = await test.connect("kitchen");
  client.take();
  const subscriptions = ["a", "b", "c", "a"].map((topicFilter) => ({ topicFilter, qos: 0 as const }));
  client.send({ type: "subscribe", packetIdentifier: 1, subscriptions });
  expect(client.take()).toMatchObject([{ reasonCodes: [0, 0, 0x80, 0] }]);
});

test("limits in octets count octets", async () => {
  const test = new TestBroker({ profile: "aws" });
  const client = test.open("button");
  await client.connect("€".repeat(43));
  expect(client.take()).toMatchObject([{ type: "connack", reasonCode: 2 }]);
  const other = await test.connect("other");
  other.take();
  const subscriptions = ["€".repeat(85), "€".repeat(86)].map((topicFilter) => ({ topicFilter, qos: 0 as const }));
  other.send({ type: "subscribe", packetIdentifier: 1, subscriptions });
  expect(other.take()).toMatchObject([{ reasonCodes: [0, 0x80] }]);
});
