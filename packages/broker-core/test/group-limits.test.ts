/** Limits that all connections of one principal, or of one address, share. The peer of a test's client names its group. */

import { describe, expect, test } from "vitest";
import { MemorySessionStore, type BrokerOptions, type Limits } from "../src/index.ts";
import { persistent, TestBroker, type TestClient, text } from "./client.ts";
import { HeldStore } from "./held-store.ts";

type Options = Partial<BrokerOptions<string, string>>;

const ofPrincipals: Options = {
  authenticator: {
    authenticate: (peer) => ({ ok: true, principal: peer }),
    nameOf: (principal) => principal,
  },
};
const ofAddresses: Options = {
  authenticator: { authenticate: () => ({ ok: true, principal: "the same" }) },
  addressOf: (peer) => peer,
};

let broker: TestBroker;

async function connect(peer: string, clientIdentifier: string, fields: object = persistent(5)): Promise<TestClient> {
  const client = broker.open(peer, 5);
  await client.connect(clientIdentifier, fields);
  return client;
}

describe.each([
  ["Principal", ofPrincipals],
  ["Address", ofAddresses],
] as const)("%s", (scope, options) => {
  const start = (limits: Partial<Limits>): TestBroker => (broker = new TestBroker({ ...options, limits }));

  describe("connections", () => {
    test("one more is refused with 0x97, those of others are not, and one that ends makes room", async () => {
      start({ [`maximumConnectionsOf${scope}`]: 2 });
      const first = await connect("fleet", "a");
      await connect("fleet", "b");
      expect((await connect("fleet", "c")).take()).toMatchObject([{ type: "connack", reasonCode: 0x97 }]);
      expect((await connect("other", "d")).take()).toMatchObject([{ reasonCode: 0 }]);
      first.lose();
      expect((await connect("fleet", "c")).take()).toMatchObject([{ reasonCode: 0 }]);
      expect(broker.broker.counters.groupLimits[`maximumConnectionsOf${scope}`]).toBe(1);
    });

    test("a client that comes again takes its own place", async () => {
      start({ [`maximumConnectionsOf${scope}`]: 1 });
      const first = await connect("fleet", "a");
      first.take();
      expect((await connect("fleet", "a")).take()).toMatchObject([{ reasonCode: 0 }]);
      expect(first.take()).toMatchObject([{ type: "disconnect", reasonCode: 0x8e }]);
      expect((await connect("fleet", "a")).take()).toMatchObject([{ reasonCode: 0 }]);
    });

    test("that holds as well while CONNACK waits for the store", async () => {
      const store = new HeldStore();
      broker = new TestBroker({
        ...options,
        limits: { [`maximumConnectionsOf${scope}`]: 1 },
        persistence: { store, kept: await store.load(), nowMs: 0 },
      });
      const first = await connect("fleet", "a");
      const second = await connect("fleet", "a");
      const other = await connect("fleet", "b");
      await store.commit();
      expect([first, second, other].map((client) => client.take())).toMatchObject([
        [],
        [{ type: "connack", reasonCode: 0 }],
        [{ type: "connack", reasonCode: 0x97 }],
      ]);
      second.lose();
      expect((await connect("fleet", "c")).isClosed).toBe(false);
    });

    test("CONNECT packets above the rate are refused with 0x9F, whatever their client identifiers", async () => {
      start({ [`maximumConnectsPerSecondOf${scope}`]: 2 });
      for (const name of ["a", "b"]) (await connect("fleet", name)).lose();
      expect((await connect("fleet", "c")).take()).toMatchObject([{ reasonCode: 0x9f }]);
      expect((await connect("other", "d")).take()).toMatchObject([{ reasonCode: 0 }]);
      broker.tick(1000);
      expect((await connect("fleet", "c")).take()).toMatchObject([{ reasonCode: 0 }]);
    });
  });

  describe("rates", () => {
    test("PUBLISH packets of all connections together wait unread above it, and nobody else does", async () => {
      start({ [`maximumPublishesPerSecondOf${scope}`]: 10 });
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
      expect(broker.broker.counters.groupLimits[`maximumPublishesPerSecondOf${scope}`]).toBeGreaterThan(0);
    });

    test("octets of all connections together, too", async () => {
      start({ [`maximumOctetsPerSecondOf${scope}`]: 10_000 });
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
      broker.broker.changeLimits({ [`maximumOctetsPerSecondOf${scope}`]: 1000 });
      client.publish("x", "x".repeat(2000));
      expect(client.transport.isPaused).toBe(true);
    });
  });

  describe("subscriptions", () => {
    test("one more, over all sessions, is refused with 0x97; one that ends makes room", async () => {
      start({ [`maximumSubscriptionsOf${scope}`]: 3 });
      const first = await connect("fleet", "a");
      first.subscribe(["1", "2"]);
      first.subscribe(["1"]);
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
      start({ [`maximumSubscriptionsOf${scope}`]: 1 });
      (await connect("fleet", "a")).subscribe(["1"]);
      await connect("other", "a");
      const second = await connect("fleet", "b");
      second.take();
      second.subscribe(["2"]);
      expect(second.take()).toMatchObject([{ reasonCodes: [2] }]);
    });
  });

  test("octets that wait for all sessions: what is above is dropped, counted, and others go on", async () => {
    start({ [`maximumQueuedOctetsOf${scope}`]: 30_000 });
    for (const [peer, name] of [
      ["fleet", "a"],
      ["fleet", "b"],
      ["other", "c"],
    ] as const) {
      (await connect(peer, name)).subscribe([{ topicFilter: name, qos: 1 }]);
    }
    const payload = new Uint8Array(10_000);
    // Nobody acknowledges.
    for (const topicName of ["a", "b", "c"]) {
      for (let count = 0; count < 5; count++) await broker.broker.publish({ topicName, payload, qos: 1 }, 0);
    }
    const inFlight = Array.from(broker.broker.sessions(), (session) => [session.clientIdentifier, session.inFlight]);
    expect(Object.fromEntries(inFlight)).toEqual({ a: 2, b: 0, c: 2 });
    broker.tick(1000);
    const limit = `maximumQueuedOctetsOf${scope}`;
    expect(broker.eventsOf("dropped")).toMatchObject([
      { clientIdentifier: "a", limit, messages: 3 },
      { clientIdentifier: "b", limit, messages: 5 },
      { clientIdentifier: "c", limit, messages: 3 },
    ]);
  });

  test("one event a second of each limit, with how often and who was the last", async () => {
    start({ [`maximumConnectionsOf${scope}`]: 1 });
    await connect("fleet", "a");
    for (const name of ["b", "c", "d"]) await connect("fleet", name);
    expect(broker.eventsOf("limited")).toEqual([]);
    broker.tick(1000);
    broker.tick(2000);
    expect(broker.eventsOf("limited")).toMatchObject([
      {
        scope: scope.toLowerCase(),
        name: "fleet",
        limit: `maximumConnectionsOf${scope}`,
        value: 1,
        times: 3,
        peer: "fleet",
        clientIdentifier: "d",
      },
    ]);
  });
});

test.each([
  ["a principal", ofPrincipals, { maximumSubscriptionsOfPrincipal: 2 }, [0x97]],
  ["an address", ofAddresses, { maximumSubscriptionsOfAddress: 2 }, [2]],
] as const)("sessions without a connection: %s", async (_, options, limits, reasonCodes) => {
  broker = new TestBroker({ ...options, limits });
  const first = await connect("fleet", "a");
  first.subscribe(["1", "2"]);
  first.lose();
  const second = await connect("fleet", "b");
  second.take();
  second.subscribe(["3"]);
  expect(second.take()).toMatchObject([{ reasonCodes }]);
});

describe("connections from one address that have not come to their CONNECT", () => {
  const start = (count: number): TestBroker =>
    (broker = new TestBroker({ ...ofAddresses, limits: { maximumConnectionsBeforeConnectOfAddress: count } }));

  test("one more is closed; one that connects or ends makes room, and others are not concerned", async () => {
    start(2);
    const [first, second, third] = [broker.open("fleet", 5), broker.open("fleet", 5), broker.open("fleet", 5)];
    expect([first, second, third].map(({ isClosed }) => isClosed)).toEqual([false, false, true]);
    expect(broker.lastClosed).toBe("limit: maximumConnectionsBeforeConnectOfAddress 2");
    expect(broker.open("other", 5).isClosed).toBe(false);
    await first?.connect("a");
    const fourth = broker.open("fleet", 5);
    expect([fourth.isClosed, broker.open("fleet", 5).isClosed]).toEqual([false, true]);
    second?.lose();
    expect([broker.open("fleet", 5).isClosed, broker.open("fleet", 5).isClosed]).toEqual([false, true]);
    first?.lose();
    expect(broker.open("fleet", 5).isClosed).toBe(true);
    expect(broker.broker.counters.groupLimits.maximumConnectionsBeforeConnectOfAddress).toBe(4);
  });

  test("those whose CONNECT is refused make room, too", async () => {
    start(1);
    broker.denied.add("the same connect a");
    for (let count = 0; count < 3; count++) {
      const client = broker.open("fleet", 5);
      expect(client.isClosed).toBe(false);
      await client.connect("a");
      expect(client.isClosed).toBe(true);
    }
  });
});

test("those of kept sessions count after a restart", async () => {
  const store = new MemorySessionStore();
  const limits = { maximumSubscriptionsOfPrincipal: 2 };
  broker = new TestBroker({ ...ofPrincipals, limits, persistence: { store, kept: await store.load(), nowMs: 0 } });
  (await connect("fleet", "a")).subscribe(["1", "2"]);
  await broker.broker.settled();
  broker = new TestBroker({ ...ofPrincipals, limits, persistence: { store, kept: await store.load(), nowMs: 0 } });
  const second = await connect("fleet", "b");
  second.take();
  second.subscribe(["3"]);
  expect(second.take()).toMatchObject([{ reasonCodes: [0x97] }]);
});

test("octets that wait for all sessions of a principal: what is above is dropped, counted, and others go on", async () => {
  broker = new TestBroker({ ...ofPrincipals, limits: { maximumQueuedOctetsOfPrincipal: 30_000 } });
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

test("what a principal publishes without a connection counts with it", async () => {
  broker = new TestBroker({ ...ofPrincipals, limits: { maximumPublishesPerSecondOfPrincipal: 2 } });
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

test("what comes from an address without a connection counts with it", async () => {
  broker = new TestBroker({ ...ofAddresses, limits: { maximumPublishesPerSecondOfAddress: 2 } });
  const publish = (address?: string): Promise<unknown> =>
    broker.broker.publish({ principal: "p", address, topicName: "x", payload: text("x") }, broker.nowMs);
  const results = [await publish("fleet"), await publish("fleet"), await publish("fleet"), await publish("other")];
  expect(results).toMatchObject([
    { ok: true },
    { ok: true },
    { ok: false, reasonCode: 0x97, reason: "maximumPublishesPerSecondOfAddress 2" },
    { ok: true },
  ]);
  expect(await publish()).toMatchObject({ ok: true });
});

test("without names there are no such limits", async () => {
  broker = new TestBroker({ limits: { maximumConnectionsOfPrincipal: 1, maximumConnectionsOfAddress: 1 } });
  await connect("fleet", "a");
  expect((await connect("fleet", "b")).take()).toMatchObject([{ reasonCode: 0 }]);
});

test("subscriptions of all sessions: one more is refused with 0x97, one that ends makes room", async () => {
  broker = new TestBroker({ limits: { maximumSubscriptionsOfAll: 3 } });
  const [first, second] = [await connect("a", "a"), await connect("b", "b")];
  first.subscribe(["1", "2"]);
  second.take();
  second.subscribe(["3", "4"]);
  expect(second.take()).toMatchObject([{ type: "suback", reasonCodes: [2, 0x97] }]);
  second.subscribe(["3"]);
  expect(second.take()).toMatchObject([{ reasonCodes: [2] }]);
  first.send({ type: "unsubscribe", packetIdentifier: 1, topicFilters: ["1"] });
  second.subscribe(["4"]);
  expect(second.take()).toMatchObject([{ reasonCodes: [2] }]);
});
