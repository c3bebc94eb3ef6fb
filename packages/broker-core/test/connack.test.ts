/** CONNACK goes out when what it promises is kept. */

import { beforeEach, describe, expect, test } from "vitest";
import { persistent, settled, TestBroker, type TestClient, text } from "./client.ts";
import { HeldStore, turn } from "./held-store.ts";

let store: HeldStore;
let broker: TestBroker;

/** A broker on what the disk has. The one before is gone as if it was killed. */
async function start(): Promise<void> {
  store = new HeldStore(store.disk);
  broker = new TestBroker({
    persistence: { store, kept: await store.load(), nowMs: 0 },
    authenticator: {
      authenticate: (peer) => ({ ok: true, principal: peer }),
      keepPrincipal: (principal) => principal,
      restorePrincipal: (kept) => kept,
    },
  });
}

beforeEach(async () => {
  store = new HeldStore();
  await start();
});

const will = { topicName: "wills", payload: text("gone"), retain: true } as const;
const types = (client: TestClient): string[] => client.take().map(({ type }) => type);
const serverUnavailable = 0x88;

/** A session that was kept before. */
async function keepSession(clientIdentifier: string): Promise<void> {
  const client = await broker.connect(clientIdentifier, persistent(5));
  await store.commit();
  client.subscribe([{ topicFilter: "orders", qos: 1 }]);
  client.lose();
  await store.commit();
}

describe("waits for its commit", () => {
  test("with a will, which a broker that is killed after CONNACK publishes when it runs again", async () => {
    const client = await broker.connect("button", { will });
    expect(types(client)).toEqual([]);
    await store.commit();
    expect(types(client)).toEqual(["connack"]);
    await start();
    broker.tick(1000);
    await settled();
    broker.tick(1000);
    expect(broker.broker.retained("wills")).toMatchObject({ payload: text("gone") });
  });

  test("with a session that outlives its connection; what the client has sent meanwhile is handled after it", async () => {
    const client = await broker.connect("button", persistent(5));
    client.subscribe([{ topicFilter: "orders", qos: 1 }]);
    client.send({ type: "pingreq" });
    expect(types(client)).toEqual([]);
    await store.commit();
    expect(types(client)).toEqual(["connack", "pingresp", "suback"]);
  });

  test("with a clean start that ends a session which was kept", async () => {
    await keepSession("button");
    const client = await broker.connect("button", { cleanStart: true });
    expect(types(client)).toEqual([]);
    await store.commit();
    expect(types(client)).toEqual(["connack"]);
  });

  test("together with others: as many as come while one group is committed are the next group", async () => {
    await broker.connect("first", { will });
    const clients = await Promise.all(
      Array.from({ length: 50 }, (_, index) => broker.connect(`button-${index}`, { will })),
    );
    await store.commit();
    expect(clients.map(types)).toEqual(clients.map(() => ["connack"]));
    expect(store.groups).toBe(2);
  });
});

test("a clean session without a will does not wait", async () => {
  const client = await broker.connect("button", { cleanStart: true });
  expect(types(client)).toEqual(["connack"]);
  expect(store.groups).toBe(0);
});

test("messages that come before CONNACK has gone out wait for it", async () => {
  await keepSession("kitchen");
  const kitchen = await broker.connect("kitchen", persistent(5));
  (await broker.connect("button")).publish("orders", "pizza", { qos: 1 });
  expect(types(kitchen)).toEqual([]);
  await store.commit();
  expect(types(kitchen)).toEqual(["connack", "publish"]);
});

test("a client that connects again meanwhile gets the session; the first one gets no DISCONNECT (MQTT-3.14.0-1)", async () => {
  const first = await broker.connect("button", persistent(5));
  const second = await broker.connect("button", persistent(5));
  await store.commit();
  expect(types(first)).toEqual([]);
  expect(first.isClosed).toBe(true);
  expect(second.take()).toMatchObject([{ type: "connack", sessionPresent: true, reasonCode: 0 }]);
});

test("the connection is cut where the store does not answer in time", async () => {
  const client = await broker.connect("button", { ...persistent(5), keepAlive: 1000 });
  broker.tick(broker.broker.limits.connectTimeoutMs);
  expect(broker.lastClosed).toBe("connect-timeout: no accepted CONNECT in time");
  expect(client.isClosed).toBe(true);
  await store.commit();
  expect(types(client)).toEqual([]);
});

describe("a store that fails", () => {
  test.each([
    ["a new session", persistent(5)],
    ["a will", { protocolVersion: 5, will }],
    ["both", { ...persistent(5), will }],
  ] as const)("while CONNACK waits: %s is refused, and nothing of it stays", async (_, fields) => {
    const client = await broker.connect("button", fields);
    await store.fail();
    expect(client.take()).toMatchObject([{ type: "connack", reasonCode: serverUnavailable }]);
    expect(client.isClosed).toBe(true);
    broker.tick(1000);
    await turn();
    await store.commit();
    expect(broker.broker.connection("button")).toBeUndefined();
    expect(broker.broker.retained("wills")).toBeUndefined();
    expect(await store.load()).toMatchObject({ sessions: [], wills: [] });
    const again = await broker.connect("button", fields);
    await store.commit();
    expect(again.take()).toMatchObject([{ reasonCode: 0, sessionPresent: false }]);
  });

  test("before CONNECT: a new session is refused without ending the connection that has the identifier", async () => {
    const clean = await broker.connect("button", { cleanStart: true });
    const other = await broker.connect("other", persistent(5));
    await store.fail();
    expect(other.isClosed).toBe(true);
    expect((await broker.connect("button", persistent(5))).take()).toMatchObject([{ reasonCode: serverUnavailable }]);
    expect(clean.isClosed).toBe(false);
    const serverUnavailable311 = 3;
    expect((await broker.connect("old", { cleanStart: false })).take()).toMatchObject([
      { reasonCode: serverUnavailable311 },
    ]);
  });

  test("a session that was kept before goes on, and so does a clean one", async () => {
    await keepSession("kitchen");
    const first = await broker.connect("kitchen", persistent(5));
    await store.fail();
    expect(first.take()).toMatchObject([{ type: "connack", sessionPresent: true, reasonCode: 0 }]);
    const second = await broker.connect("kitchen", persistent(5));
    expect(second.take()).toMatchObject([{ type: "connack", sessionPresent: true, reasonCode: 0 }]);
    const clean = await broker.connect("kitchen", { cleanStart: true });
    expect(clean.take()).toMatchObject([{ type: "connack", sessionPresent: false, reasonCode: 0 }]);
    // Its will would be a new promise.
    expect((await broker.connect("kitchen", { ...persistent(5), will })).take()).toMatchObject([
      { reasonCode: serverUnavailable },
    ]);
  });
});
