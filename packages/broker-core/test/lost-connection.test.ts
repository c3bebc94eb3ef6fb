/** What has come before the network connection ended is handled, DISCONNECT included, before the connection is given up. */

import { encode } from "@latchkey/mqtt-codec";
import { expect, test } from "vitest";
import { persistent, publish, settled, subscribe, TestBroker, type TestClient, text } from "./client.ts";
import { HeldStore } from "./held-store.ts";

const will = { will: { topicName: "gone", payload: text("bye"), qos: 1 as const, retain: false } };
const many = Array.from({ length: 3000 }, (_, index) => publish("press", String(index)));
const presses = many.map((_, index) => `press ${index}`);

async function kitchenOf(broker: TestBroker): Promise<TestClient> {
  const kitchen = await broker.connect("kitchen");
  kitchen.send(subscribe("#"));
  kitchen.take();
  return kitchen;
}

test.each([
  ["then DISCONNECT", [{ type: "disconnect" }] as const, presses],
  ["and no DISCONNECT", [], [...presses, "gone bye"]],
])("more packets than one turn handles, %s", async (_, last, expected) => {
  const broker = new TestBroker();
  const kitchen = await kitchenOf(broker);
  const button = await broker.connect("button", will);
  button.send(...many, ...last);
  button.connection.lost("the client closed the connection", 0);
  expect(broker.eventsOf("closed")).toEqual([]);
  broker.turn();
  expect(kitchen.messages()).toEqual(expected);
  expect(broker.eventsOf("closed")).toHaveLength(1);
  expect([...broker.broker.connections()].map(({ clientIdentifier }) => clientIdentifier)).toEqual(["kitchen"]);
});

test("a packet that came in part, and a client that read nothing, hold up nothing", async () => {
  const broker = new TestBroker();
  const kitchen = await kitchenOf(broker);
  const button = await broker.connect("button", will);
  button.transport.bufferedOctets = 100_000_000;
  button.sendBytes(Buffer.concat([encode(publish("press", "1"), 4), encode(publish("press", "2"), 4).subarray(0, 5)]));
  button.connection.lost("reset", 0);
  broker.turn();
  expect(kitchen.messages()).toEqual(["press 1", "gone bye"]);
  expect(broker.broker.counters.incompleteOctets).toBe(0);
});

test("packets behind a CONNECT whose CONNACK waits for the store", async () => {
  const store = new HeldStore();
  const broker = new TestBroker({ persistence: { store, kept: await store.load(), nowMs: 0 } });
  const kitchen = await kitchenOf(broker);
  const button = broker.open("button", 5);
  await button.connect("button", { ...persistent(5), ...will });
  button.send(publish("press", "1"), { type: "disconnect" });
  button.connection.lost("the client closed the connection", 0);
  expect(kitchen.messages()).toEqual([]);
  await store.commit();
  broker.turn();
  expect(kitchen.messages()).toEqual(["press 1"]);
  expect(broker.lastClosed).not.toContain("connection-lost");
});

test("is given up after ten seconds where nobody answers, and at once where the client comes again", async () => {
  const broker = new TestBroker({
    authenticator: {
      authenticate: (peer) => (peer === "lost" ? new Promise(() => {}) : { ok: true, principal: peer }),
    },
    limits: { connectTimeoutMs: 60_000, maximumPublishesPerSecond: 1 },
  });
  const kitchen = await kitchenOf(broker);
  const lost = broker.open("lost");
  await lost.connect("lost");
  lost.connection.lost("reset", 0);
  broker.tick(9000);
  expect(broker.eventsOf("closed")).toEqual([]);
  broker.tick(10_000);
  expect(broker.lastClosed).toBe("connection-lost: reset");

  const slow = await broker.connect("slow");
  slow.send(...many.slice(0, 10));
  slow.connection.lost("reset", 10_000);
  await broker.connect("slow");
  await settled();
  expect(broker.lastClosed).toContain("taken-over");
  expect(kitchen.messages().length).toBeLessThan(10);
});
