/** Limits that all connections and sessions of one principal share. The peer of a test's client is its principal, and names it. */

import { beforeEach, describe, expect, test } from "vitest";
import { MemorySessionStore, type BrokerOptions, type Limits } from "../src/index.ts";
import { persistent, TestBroker, type TestClient, text } from "./client.ts";

const authenticator: BrokerOptions<string, string>["authenticator"] = {
  authenticate: (peer) => ({ ok: true, principal: peer }),
  nameOf: (principal) => principal,
};

let broker: TestBroker;
const start = (limits: Partial<Limits>, options: Partial<BrokerOptions<string, string>> = {}): TestBroker =>
  (broker = new TestBroker({ authenticator, limits, ...options }));
beforeEach(() => start({}));

async function connect(
  principal: string,
  clientIdentifier: string,
  fields: object = persistent(5),
): Promise<TestClient> {
  const client = broker.open(principal, 5);
  await client.connect(clientIdentifier, fields);
  return client;
}

describe("connections", () => {
  test("one more is refused with 0x97, those of others are not, and one that ends makes room", async () => {
    start({ maximumConnectionsOfPrincipal: 2 });
    const first = await connect("fleet", "a");
    await connect("fleet", "b");
    expect((await connect("fleet", "c")).take()).toMatchObject([{ type: "connack", reasonCode: 0x97 }]);
    expect((await connect("other", "d")).take()).toMatchObject([{ reasonCode: 0 }]);
    first.lose();
    expect((await connect("fleet", "c")).take()).toMatchObject([{ reasonCode: 0 }]);
    expect(broker.broker.counters.principalLimits.maximumConnectionsOfPrincipal).toBe(1);
  });

  test("a client that comes again takes its own place", async () => {
    start({ maximumConnectionsOfPrincipal: 1 });
    const first = await connect("fleet", "a");
    first.take();
    expect((await connect("fleet", "a")).take()).toMatchObject([{ reasonCode: 0 }]);
    expect(first.take()).toMatchObject([{ type: "disconnect", reasonCode: 0x8e }]);
    expect((await connect("fleet", "a")).take()).toMatchObject([{ reasonCode: 0 }]);
  });

  test("CONNECT packets above the rate are refused with 0x9F, whatever their client identifiers", async () => {
    start({ maximumConnectsPerSecondOfPrincipal: 2 });
    for (const name of ["a", "b"]) (await connect("fleet", name)).lose();
    expect((await connect("fleet", "c")).take()).toMatchObject([{ reasonCode: 0x9f }]);
    expect((await connect("other", "d")).take()).toMatchObject([{ reasonCode: 0 }]);
    broker.tick(1000);
    expect((await connect("fleet", "c")).take()).toMatchObject([{ reasonCode: 0 }]);
  });
});

describe("rates", () => {
  test("PUBLISH packets of all connections together wait unread above it, and nobody else does", async () => {
    start({ maximumPublishesPerSecondOfPrincipal: 10 });
    const [first, second, other] = [
      await connect("fleet", "a"),
      await connect("fleet", "b"),
      await connect("other", "c"),
    ];
    const watcher = await connect("watcher", "w");
    watcher.subscribe(["#"]);
    watcher.take();
    const send = (client: TestClient, payload: string, count: number): void => {
      const packet = { type: "publish", topicName: "x", payload: text(payload) } as const;
      client.send(...Array.from({ length: count }, () => packet));
    };
    const arrived: Record<string, number> = { a: 0, b: 0, c: 0 };
    const count = (): typeof arrived => {
      for (const { payload } of watcher.takePublishes()) {
        const name = new TextDecoder().decode(payload);
        arrived[name] = (arrived[name] ?? 0) + 1;
      }
      return arrived;
    };
    send(first, "a", 6);
    send(second, "b", 10);
    send(other, "c", 10);
    // The one that is too much is the last that is read.
    expect(count()).toEqual({ a: 6, b: 5, c: 10 });
    expect([first, second, other].map(({ transport }) => transport.isPaused)).toEqual([false, true, false]);
    for (let seconds = 1; seconds <= 5; seconds++) broker.tick(seconds * 1000);
    expect(count()).toEqual({ a: 6, b: 10, c: 10 });
    expect(broker.broker.counters.principalLimits.maximumPublishesPerSecondOfPrincipal).toBeGreaterThan(0);
  });

  test("octets of all connections together, too", async () => {
    start({ maximumOctetsPerSecondOfPrincipal: 10_000 });
    const [first, second] = [await connect("fleet", "a"), await connect("fleet", "b")];
    first.publish("x", "x".repeat(9000));
    expect(first.transport.isPaused).toBe(false);
    second.publish("x", "x".repeat(9000));
    expect(second.transport.isPaused).toBe(true);
    broker.tick(1000);
    expect(second.transport.isPaused).toBe(false);
  });

  test("a limit that is changed holds for connections that are open", async () => {
    const client = await connect("fleet", "a");
    broker.broker.changeLimits({ maximumOctetsPerSecondOfPrincipal: 1000 });
    client.publish("x", "x".repeat(2000));
    expect(client.transport.isPaused).toBe(true);
  });
});

describe("subscriptions", () => {
  test("one more, over all sessions, is refused with 0x97; one that ends makes room", async () => {
    start({ maximumSubscriptionsOfPrincipal: 3 });
    const first = await connect("fleet", "a");
    first.subscribe(["1", "2"]);
    first.subscribe(["1"]);
    first.lose();
    const second = await connect("fleet", "b");
    second.take();
    second.subscribe(["3", "4"]);
    expect(second.take()).toMatchObject([{ type: "suback", reasonCodes: [2, 0x97] }]);
    second.send({ type: "unsubscribe", packetIdentifier: 1, topicFilters: ["3"] });
    second.take();
    second.subscribe(["4"]);
    expect(second.take()).toMatchObject([{ reasonCodes: [2] }]);
    (await connect("fleet", "a", { cleanStart: true })).take();
    second.subscribe(["5", "6"]);
    expect(second.take()).toMatchObject([{ reasonCodes: [2, 2] }]);
  });

  test("a session counts for who connected with it last", async () => {
    start({ maximumSubscriptionsOfPrincipal: 1 });
    (await connect("fleet", "a")).subscribe(["1"]);
    await connect("other", "a");
    const second = await connect("fleet", "b");
    second.take();
    second.subscribe(["2"]);
    expect(second.take()).toMatchObject([{ reasonCodes: [2] }]);
  });

  test("those of kept sessions count after a restart", async () => {
    const store = new MemorySessionStore();
    const limits = { maximumSubscriptionsOfPrincipal: 2 };
    start(limits, { persistence: { store, kept: await store.load(), nowMs: 0 } });
    (await connect("fleet", "a")).subscribe(["1", "2"]);
    await broker.broker.settled();
    start(limits, { persistence: { store, kept: await store.load(), nowMs: 0 } });
    const second = await connect("fleet", "b");
    second.take();
    second.subscribe(["3"]);
    expect(second.take()).toMatchObject([{ reasonCodes: [0x97] }]);
  });
});

test("octets that wait for all sessions of a principal: what is above is dropped, counted, and others go on", async () => {
  start({ maximumQueuedOctetsOfPrincipal: 30_000 });
  for (const [principal, name] of [
    ["fleet", "a"],
    ["fleet", "b"],
    ["other", "c"],
  ] as const) {
    const client = await connect(principal, name);
    client.subscribe([{ topicFilter: name, qos: 1 }]);
    client.lose();
  }
  const payload = new Uint8Array(10_000);
  for (const topicName of ["a", "b", "c"]) {
    for (let count = 0; count < 5; count++) await broker.broker.publish({ topicName, payload, qos: 1 }, 0);
  }
  const waiting = Object.fromEntries(
    Array.from(broker.broker.sessions(), ({ clientIdentifier, queuedMessages }) => [clientIdentifier, queuedMessages]),
  );
  expect(waiting).toEqual({ a: 2, b: 0, c: 2 });
  broker.tick(1000);
  expect(broker.eventsOf("dropped")).toMatchObject([
    { clientIdentifier: "a", limit: "maximumQueuedOctetsOfPrincipal", messages: 3 },
    { clientIdentifier: "b", limit: "maximumQueuedOctetsOfPrincipal", messages: 5 },
    { clientIdentifier: "c", limit: "maximumQueuedOctetsOfPrincipal", messages: 3 },
  ]);
});

test("one event a second of a principal and a limit, with how often and who was the last", async () => {
  start({ maximumConnectionsOfPrincipal: 1 });
  await connect("fleet", "a");
  for (const name of ["b", "c", "d"]) await connect("fleet", name);
  expect(broker.eventsOf("limited")).toEqual([]);
  broker.tick(1000);
  broker.tick(2000);
  expect(broker.eventsOf("limited")).toMatchObject([
    {
      principalName: "fleet",
      limit: "maximumConnectionsOfPrincipal",
      value: 1,
      times: 3,
      peer: "fleet",
      clientIdentifier: "d",
    },
  ]);
});

test("what a principal publishes without a connection counts with it", async () => {
  start({ maximumPublishesPerSecondOfPrincipal: 2 });
  const publish = (principal: string): Promise<unknown> =>
    broker.broker.publish({ principal, topicName: "x", payload: text("x") }, broker.nowMs);
  const results = [await publish("fleet"), await publish("fleet"), await publish("fleet"), await publish("other")];
  expect(results).toMatchObject([
    { ok: true },
    { ok: true },
    { ok: false, reasonCode: 0x97, reason: "maximumPublishesPerSecondOfPrincipal 2" },
    { ok: true },
  ]);
  broker.tick(2000);
  expect(await publish("fleet")).toMatchObject({ ok: true });
});

test("without names there are no such limits", async () => {
  broker = new TestBroker({ limits: { maximumConnectionsOfPrincipal: 1 } });
  await connect("fleet", "a");
  expect((await connect("fleet", "b")).take()).toMatchObject([{ reasonCode: 0 }]);
});
