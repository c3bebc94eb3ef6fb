/** Memory of packets that have come in part: bounded for a principal, for an address and for the broker. */

import { encode } from "@latchkey/mqtt-codec";
import { expect, test } from "vitest";
import type { BrokerOptions, Limits } from "../src/index.ts";
import { TestBroker, type TestClient } from "./client.ts";

/** The peer of a client is its address, and its principal. */
const options: Partial<BrokerOptions<string, string>> = {
  authenticator: { authenticate: (peer) => ({ ok: true, principal: peer }), nameOf: (principal) => principal },
  addressOf: (peer) => peer,
};

const large = encode({ type: "publish", topicName: "x", payload: new Uint8Array(50_000) }, 5);
const first = large.subarray(0, 20_000);
const rest = large.subarray(20_000);

async function connected(test: TestBroker, peer: string, name: string): Promise<TestClient> {
  const client = test.open(peer, 5);
  await client.connect(name);
  client.take();
  return client;
}

const incomplete = (test: TestBroker): number => test.broker.counters.incompleteOctets;

test.each([
  ["maximumIncompleteOctetsOfPrincipal", 120_000],
  ["maximumIncompleteOctetsOfAddress", 120_000],
] as const)("%s: who is above it is closed, others are not", async (limit, value) => {
  const test = new TestBroker({ ...options, limits: { [limit]: value } });
  const [one, two, three, other] = [
    await connected(test, "fleet", "a"),
    await connected(test, "fleet", "b"),
    await connected(test, "fleet", "c"),
    await connected(test, "other", "d"),
  ];
  for (const client of [one, two, other]) client.sendBytes(first);
  expect(incomplete(test)).toBe(3 * large.length);
  three.sendBytes(first);
  expect(three.take()).toMatchObject([{ type: "disconnect", reasonCode: 0x97 }]);
  expect(test.lastClosed).toBe(`limit: ${limit} ${value}`);
  expect(test.broker.counters.groupLimits[limit]).toBe(1);
  // A packet that comes whole makes room, and so does a connection that ends.
  one.sendBytes(rest);
  two.lose();
  for (const client of [one, await connected(test, "fleet", "b")]) {
    client.sendBytes(large.slice(0, 30_000));
    expect(client.isClosed).toBe(false);
  }
  expect(test.published).toHaveLength(1);
  test.broker.shutdown(test.nowMs);
  expect(incomplete(test)).toBe(0);
});

test("a connection may have as much as is free of what all may have, so small packets pass when large ones do not", async () => {
  const limits: Partial<Limits> = { maximumIncompleteOctetsOfAll: 140_000 };
  const test = new TestBroker({ ...options, limits });
  const [one, two, three, small] = [
    await connected(test, "a", "a"),
    await connected(test, "b", "b"),
    await connected(test, "c", "c"),
    await connected(test, "d", "d"),
  ];
  one.sendBytes(first);
  two.sendBytes(first);
  expect([one.isClosed, two.isClosed]).toEqual([false, false]);
  three.sendBytes(first);
  expect(three.isClosed).toBe(true);
  expect(test.lastClosed).toBe("limit: maximumIncompleteOctetsOfAll 140000");
  const packet = encode({ type: "publish", topicName: "small", payload: new Uint8Array(5000) }, 5);
  small.sendBytes(packet.subarray(0, 1000));
  small.sendBytes(packet.subarray(1000));
  expect(test.published).toMatchObject([{ topicName: "small" }]);
  one.lose();
  two.lose();
  expect(incomplete(test)).toBe(0);
});

test("a CONNECT that comes in part counts for its address, and no longer when it has come", async () => {
  const test = new TestBroker({ ...options, limits: { maximumIncompleteOctetsOfAddress: 5000 } });
  const connect = encode({ type: "connect", clientIdentifier: "x".repeat(4000), cleanStart: true, keepAlive: 0 }, 5);
  const [one, two] = [test.open("fleet", 5), test.open("fleet", 5)];
  one.sendBytes(connect.subarray(0, 100));
  expect(incomplete(test)).toBeGreaterThan(4000);
  two.sendBytes(connect.subarray(0, 100));
  expect(two.isClosed).toBe(true);
  one.sendBytes(connect.subarray(100));
  expect(one.take()).toMatchObject([{ type: "connack", reasonCode: 0 }]);
  expect(incomplete(test)).toBe(0);
});

test("a CONNECT that came in part leaves its principal with nothing", async () => {
  const test = new TestBroker({ ...options, limits: { maximumIncompleteOctetsOfPrincipal: 5000 } });
  const connect = encode({ type: "connect", clientIdentifier: "x".repeat(4000), cleanStart: true, keepAlive: 0 }, 5);
  const client = test.open("fleet", 5);
  client.sendBytes(connect.subarray(0, 100));
  client.sendBytes(connect.subarray(100));
  expect(client.take()).toMatchObject([{ type: "connack", reasonCode: 0 }]);
  client.sendBytes(encode({ type: "publish", topicName: "x", payload: new Uint8Array(6000) }, 5).subarray(0, 100));
  expect(client.take()).toMatchObject([{ type: "disconnect", reasonCode: 0x97 }]);
});

test("what the transport holds counts with it, and before CONNACK against its limit", async () => {
  const limits = { maximumIncompleteOctetsOfAddress: 60_000, maximumOctetsBeforeConnack: 10_000 };
  const test = new TestBroker({ ...options, limits });
  const client = await connected(test, "fleet", "a");
  client.connection.held(20_000, 0);
  client.connection.held(40_000, 0);
  expect(incomplete(test)).toBe(40_000);
  client.connection.held(0, 0);
  client.sendBytes(first);
  client.connection.held(9000, 0);
  expect(incomplete(test)).toBe(large.length + 9000);
  client.connection.held(10_000, 0);
  expect(client.take()).toMatchObject([{ type: "disconnect", reasonCode: 0x97 }]);
  client.connection.held(20_000, 0);
  expect(incomplete(test)).toBe(0);
  const silent = test.open("other", 5);
  silent.sendBytes(
    encode({ type: "connect", clientIdentifier: "b", cleanStart: true, keepAlive: 0 }, 5).subarray(0, 5),
  );
  silent.connection.held(9995, 0);
  expect(silent.isClosed).toBe(false);
  silent.connection.held(9996, 0);
  expect(test.lastClosed).toBe("limit: maximumOctetsBeforeConnack 10000: 10001 octets came before CONNACK was sent");
});
