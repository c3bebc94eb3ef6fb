import { expect, test } from "vitest";
import type { BrokerOptions } from "../src/index.ts";
import { TestBroker, type TestClient, text } from "./client.ts";
import { HeldStore, turn } from "./held-store.ts";

/** A broker whose clients connect with a commit, where their CONNACK waits for it. */
class StoreBroker extends TestBroker {
  readonly #store: HeldStore;

  constructor(store: HeldStore, options: Partial<BrokerOptions<string, string>>) {
    super(options);
    this.#store = store;
  }

  override async connect(...given: Parameters<TestBroker["connect"]>): Promise<TestClient> {
    const client = await super.connect(...given);
    await this.#store.commit();
    return client;
  }
}

const hour = 3600;

async function start(
  store: HeldStore,
  nowMs = 0,
  options: Partial<BrokerOptions<string, string>> = {},
): Promise<TestBroker> {
  const kept = await store.load();
  let broker: TestBroker | undefined;
  broker = new StoreBroker(store, {
    epochMs: () => 1_000_000 + (broker?.nowMs ?? nowMs),
    persistence: { store, kept, nowMs },
    ...options,
  });
  broker.nowMs = nowMs;
  return broker;
}

/** The process is gone; what was on the disk is all there is. */
const restart = (store: HeldStore, nowMs = 0): Promise<TestBroker> => start(new HeldStore(store.disk), nowMs);

const persistent = { cleanStart: false, keepAlive: 0 } as const;
const types = (client: TestClient): string[] => client.take().map(({ type }) => type);

test("PUBACK, PUBREC and SUBACK go out when what they promise is committed, and in their order", async () => {
  const store = new HeldStore();
  const broker = await start(store);
  const button = await broker.connect("button", persistent);
  expect(types(button)).toEqual(["connack"]);
  button.subscribe([{ topicFilter: "a/#", qos: 2 }]);
  button.send({ type: "publish", topicName: "a/b", payload: text("1"), qos: 1, packetIdentifier: 7 });
  button.send({ type: "publish", topicName: "a/b", payload: text("2"), qos: 2, packetIdentifier: 8 });
  // QoS 1 is delivered at once; QoS 2 under an identifier that is kept, and no promise before its commit.
  expect(types(button)).toEqual(["publish"]);
  await store.commit();
  expect(types(button)).toEqual(["suback", "puback", "pubrec", "publish"]);
});

test("a publisher whose message nobody keeps does not wait for the others' commits", async () => {
  const store = new HeldStore();
  const broker = await start(store);
  await broker.connect("keeper", persistent);
  const button = await broker.connect("button", { keepAlive: 0 });
  button.take();
  button.send({ type: "publish", topicName: "a", payload: text("1"), qos: 1, packetIdentifier: 7 });
  expect(types(button)).toEqual(["puback"]);
});

test("killed with messages queued: they come in order after the restart, and session present says so", async () => {
  const store = new HeldStore();
  const broker = await start(store);
  const pizzeria = await broker.subscriber("pizzeria", [{ topicFilter: "orders/#", qos: 1 }], persistent);
  pizzeria.connection.lost("gone", 0);
  const button = await broker.connect("button");
  for (const order of ["1", "2", "3"]) {
    button.send({
      type: "publish",
      topicName: "orders/x",
      payload: text(order),
      qos: 1,
      packetIdentifier: Number(order),
    });
  }
  await store.commit();
  expect(types(button)).toEqual(["connack", "puback", "puback", "puback"]);
  const after = await restart(store, 5000);
  const back = await after.connect("pizzeria", persistent);
  const packets = back.take();
  expect(packets[0]).toMatchObject({ type: "connack", sessionPresent: true });
  expect(packets.slice(1).map((packet) => (packet.type === "publish" ? packet.payload[0] : packet.type))).toEqual([
    0x31, 0x32, 0x33,
  ]);
  // The subscription is there without a SUBSCRIBE.
  const again = await after.connect("button");
  again.send({ type: "publish", topicName: "orders/y", payload: text("4"), qos: 1, packetIdentifier: 1 });
  expect(back.take()).toMatchObject([{ type: "publish", topicName: "orders/y", dup: false }]);
});

test("what was sent and not acknowledged comes again under its identifier with DUP; what was acknowledged does not", async () => {
  const store = new HeldStore();
  const broker = await start(store);
  const pizzeria = await broker.subscriber("pizzeria", [{ topicFilter: "#", qos: 1 }], persistent);
  const button = await broker.connect("button");
  for (const order of [1, 2]) {
    button.send({ type: "publish", topicName: "a", payload: text(`${order}`), qos: 1, packetIdentifier: order });
  }
  const [first, second] = pizzeria.takePublishes();
  await store.commit();
  pizzeria.send({ type: "puback", packetIdentifier: first?.packetIdentifier ?? 0 });
  await store.commit();
  const after = await restart(store);
  const back = await after.connect("pizzeria", persistent);
  expect(back.take().slice(1)).toMatchObject([
    { type: "publish", dup: true, packetIdentifier: second?.packetIdentifier },
  ]);
});

test("QoS 2 to a client: killed at any point, the message is not lost and not sent as a second one", async () => {
  // Every order of five steps, each a commit or the client's answers to what has come.
  for (let order = 0; order < 32; order++) {
    const store = new HeldStore();
    const broker = await start(store);
    const pizzeria = await broker.subscriber("pizzeria", [{ topicFilter: "#", qos: 2 }], persistent);
    await store.commit();
    const button = await broker.connect("button");
    button.send({ type: "publish", topicName: "a", payload: text("1"), qos: 2, packetIdentifier: 1 });
    pizzeria.take();
    /** By packet identifier: 1 for a message that was taken, 2 where its PUBREL came, so that the identifier is free. */
    const seen = new Map<number, number>();
    for (let step = 0; step < 5; step++) {
      if (((order >> step) & 1) === 0) await store.commit();
      else answer(pizzeria, seen);
    }
    const isPromised = button.take().some(({ type }) => type === "pubrec");
    const after = await restart(store);
    const back = await after.connect("pizzeria", persistent);
    const comes = back.takePublishes();
    const name = order.toString(2).padStart(5, "0");
    if (seen.size > 0) {
      for (const { packetIdentifier } of comes) expect(seen.get(packetIdentifier), name).toBe(1);
    } else {
      expect(comes.length, name).toBeLessThanOrEqual(1);
      if (isPromised) expect(comes, name).toHaveLength(1);
    }
  }
});

/** Answers PUBLISH by PUBREC (1: taken) and PUBREL by PUBCOMP (2: done). */
function answer(client: TestClient, seen: Map<number, number>): void {
  for (const packet of client.take()) {
    if (packet.type === "publish") {
      seen.set(packet.packetIdentifier, 1);
      client.send({ type: "pubrec", packetIdentifier: packet.packetIdentifier });
    } else if (packet.type === "pubrel") {
      seen.set(packet.packetIdentifier, 2);
      client.send({ type: "pubcomp", packetIdentifier: packet.packetIdentifier });
    }
  }
}

test("QoS 2 that waited is sent under the identifier that was kept, and is gone from the store when it is done", async () => {
  const store = new HeldStore();
  const broker = await start(store);
  const pizzeria = await broker.subscriber("pizzeria", [{ topicFilter: "#", qos: 2 }], persistent);
  pizzeria.lose();
  const button = await broker.connect("button");
  for (const order of ["1", "2"]) {
    button.send({ type: "publish", topicName: "a", payload: text(order), qos: 2, packetIdentifier: Number(order) });
  }
  await store.commit();
  const kept = (await store.disk.load()).sessions.flatMap(({ deliveries }) => deliveries);
  expect(kept).toMatchObject([{ isSent: false }, { isSent: false }]);
  const reopened = new HeldStore(store.disk);
  const after = await start(reopened);
  const back = await after.connect("pizzeria", persistent);
  await reopened.commit();
  const packets = back.takePublishes();
  expect(packets.map(({ packetIdentifier, dup }) => [packetIdentifier, dup])).toEqual(
    kept.map(({ packetIdentifier }) => [packetIdentifier, false]),
  );
  for (const { packetIdentifier } of packets) back.send({ type: "pubrec", packetIdentifier });
  await reopened.commit();
  for (const { packetIdentifier } of packets) back.send({ type: "pubcomp", packetIdentifier });
  await reopened.commit();
  const state = await store.disk.load();
  expect([state.sessions[0]?.deliveries, state.sessions[0]?.released, state.messages.size]).toEqual([[], [], 0]);
});

test("QoS 2 from a client: a repeat after a restart is the same message until its PUBREL", async () => {
  const store = new HeldStore();
  const broker = await start(store);
  const pizzeria = await broker.subscriber("pizzeria", [{ topicFilter: "#", qos: 1 }], persistent);
  const button = await broker.connect("button", persistent);
  const press = { type: "publish", topicName: "a", payload: text("1"), qos: 2, packetIdentifier: 9 } as const;
  button.send(press);
  await store.commit();
  expect(types(button)).toEqual(["connack", "pubrec"]);
  expect(types(pizzeria)).toContain("publish");
  const reopened = new HeldStore(store.disk);
  const after = await start(reopened);
  const again = await after.connect("button", persistent);
  again.send({ ...press, dup: true });
  await reopened.commit();
  expect(types(again)).toEqual(["connack", "pubrec"]);
  const back = await after.connect("pizzeria", persistent);
  expect(back.take().filter(({ type }) => type === "publish")).toHaveLength(1);
  again.send({ type: "pubrel", packetIdentifier: 9 }, press);
  await reopened.commit();
  expect(types(again)).toEqual(["pubcomp", "pubrec"]);
  expect(back.take().filter(({ type }) => type === "publish")).toHaveLength(1);
});

test("expiry counts while nothing runs: of sessions, of messages and of retained ones", async () => {
  const store = new HeldStore();
  const broker = await start(store);
  const v5 = { protocolVersion: 5, cleanStart: false, keepAlive: 0 } as const;
  for (const [name, seconds] of [
    ["short", 60],
    ["long", hour],
  ] as const) {
    const client = await broker.subscriber(name, [{ topicFilter: "a/#", qos: 1 }], {
      ...v5,
      properties: { sessionExpiryInterval: seconds },
    });
    client.connection.lost("gone", 0);
  }
  const button = await broker.connect5("button");
  for (const [topicName, seconds] of [
    ["a/old", 10],
    ["a/new", 1000],
  ] as const) {
    const properties = { messageExpiryInterval: seconds };
    button.send({
      type: "publish",
      topicName,
      payload: text("x"),
      qos: 1,
      packetIdentifier: 1,
      retain: true,
      properties,
    });
    await store.commit();
  }
  const after = await restart(store, 61_000);
  expect(after.eventsOf("session-ended")).toMatchObject([{ clientIdentifier: "short", reason: "expired" }]);
  const short = await after.connect("short", { ...v5, properties: { sessionExpiryInterval: 60 } });
  expect(short.take()).toMatchObject([{ type: "connack", sessionPresent: false }]);
  const long = await after.connect("long", { ...v5, properties: { sessionExpiryInterval: hour } });
  expect(long.take()).toMatchObject([
    { type: "connack", sessionPresent: true },
    { type: "publish", topicName: "a/new", properties: { messageExpiryInterval: 1000 - 61 } },
  ]);
  expect(Array.from(after.broker.retainedMessages(), ({ topicName }) => topicName)).toEqual(["a/new"]);
});

test("a clock that was set back while nothing ran makes nothing younger, and loses nothing", async () => {
  const store = new HeldStore();
  const before = await start(store, 500_000);
  const fields = { protocolVersion: 5, cleanStart: false, properties: { sessionExpiryInterval: 60 } } as const;
  (await before.subscriber("kitchen", [{ topicFilter: "a", qos: 1 }], fields)).lose();
  const button = await before.connect5("button");
  const properties = { messageExpiryInterval: 100 };
  button.publish("a", "x", { qos: 1, retain: true, properties });
  await store.commit();
  const after = await restart(store, 0);
  after.tick(59_000);
  const kitchen = await after.connect("kitchen", fields);
  expect(kitchen.take()).toMatchObject([
    { type: "connack", sessionPresent: true },
    { payload: text("x"), properties: { messageExpiryInterval: 41 } },
  ]);
  after.tick(101_000);
  expect(Array.from(after.broker.retainedMessages())).toEqual([]);
});

test("retained messages survive, the last one of each topic, and one that was removed does not", async () => {
  const store = new HeldStore();
  const broker = await start(store);
  const button = await broker.connect("button");
  const retain = (topicName: string, payload: string): void =>
    button.send({ type: "publish", topicName, payload: text(payload), qos: 0, retain: true });
  retain("a", "old");
  retain("a", "new");
  retain("b", "gone");
  retain("b", "");
  retain("c", "kept");
  expect(broker.broker.deleteRetained("c", 0)).toBe(true);
  await store.commit();
  const after = await restart(store);
  expect(Array.from(after.broker.retainedMessages(), ({ topicName, payload }) => [topicName, payload])).toEqual([
    ["a", text("new")],
  ]);
});

test("a subscription has its options and its identifier after a restart", async () => {
  const store = new HeldStore();
  const before = await start(store);
  const fields = { protocolVersion: 5, cleanStart: false, properties: { sessionExpiryInterval: hour } } as const;
  const options = { qos: 1, noLocal: true, retainAsPublished: true, retainHandling: 1 } as const;
  await before.subscriber("kitchen", [{ topicFilter: "a", ...options }], fields, 77);
  await store.commit();
  const after = await restart(store);
  const kitchen = await after.connect("kitchen", fields);
  kitchen.take();
  kitchen.publish("a", "own", { qos: 1 });
  const button = await after.connect("button");
  button.publish("a", "kept", { qos: 1, retain: true });
  const messages = kitchen.takePublishes();
  expect(messages).toMatchObject([
    { payload: text("kept"), retain: true, properties: { subscriptionIdentifiers: [77] } },
  ]);
  // Retain Handling 1: the subscription is not new.
  kitchen.subscribe([{ topicFilter: "a", ...options }]);
  expect(kitchen.takePublishes()).toEqual([]);
});

test("a clean session costs the store nothing", async () => {
  const store = new HeldStore();
  const broker = await start(store);
  const pizzeria = await broker.subscriber("pizzeria", [{ topicFilter: "#", qos: 2 }]);
  const button = await broker.connect("button");
  button.send({ type: "publish", topicName: "a", payload: text("1"), qos: 2, packetIdentifier: 1 });
  pizzeria.connection.lost("gone", 0);
  await store.commit();
  expect(await store.disk.load()).toMatchObject({ sessions: [], lastNumber: 0 });
});

test("a session that ends is gone from the store, with what waited", async () => {
  const store = new HeldStore();
  const broker = await start(store);
  const pizzeria = await broker.subscriber("pizzeria", [{ topicFilter: "#", qos: 1 }], persistent);
  pizzeria.connection.lost("gone", 0);
  const button = await broker.connect("button");
  button.send({ type: "publish", topicName: "a", payload: text("1"), qos: 1, packetIdentifier: 1 });
  await store.commit();
  expect((await store.disk.load()).sessions).toHaveLength(1);
  await broker.connect("pizzeria", { cleanStart: true });
  await store.commit();
  const state = await store.disk.load();
  expect([state.sessions, state.messages.size]).toEqual([[], 0]);
});

test("a full disk acknowledges nothing that has to be kept, serves what need not be, and goes on when there is room", async () => {
  const store = new HeldStore();
  const broker = await start(store);
  const pizzeria = await broker.subscriber("pizzeria", [{ topicFilter: "orders", qos: 1 }], persistent);
  await store.commit();
  pizzeria.take();
  store.isFull = true;
  const button = await broker.connect("button");
  button.take();
  button.send({ type: "publish", topicName: "orders", payload: text("1"), qos: 1, packetIdentifier: 1 });
  await turn();
  expect([types(button), broker.broker.hasStoreFailed]).toEqual([[], true]);
  // Another connection and another topic are served.
  const other = await broker.connect("other");
  other.take();
  other.send({ type: "publish", topicName: "elsewhere", payload: text("1"), qos: 1, packetIdentifier: 1 });
  expect(types(other)).toEqual(["puback"]);
  store.isFull = false;
  broker.tick(5000);
  await turn();
  await store.commit();
  expect([types(button), broker.broker.hasStoreFailed]).toEqual([["puback"], false]);
});

test("a broker's own publish resolves when it is kept", async () => {
  const store = new HeldStore();
  const broker = await start(store);
  const pizzeria = await broker.subscriber("pizzeria", [{ topicFilter: "a", qos: 1 }], persistent);
  await store.commit();
  pizzeria.connection.lost("gone", 0);
  let isDone = false;
  const done = broker.broker.publish({ principal: undefined, topicName: "a", payload: text("1"), qos: 1 }, 0);
  void done.then(() => (isDone = true));
  await turn();
  expect(isDone).toBe(false);
  await store.commit();
  expect(await done).toMatchObject({ ok: true });
});

test("a shared subscription's message that waited goes on to another member after a restart", async () => {
  const store = new HeldStore();
  const broker = await start(store);
  const filter = [{ topicFilter: "$share/ovens/orders", qos: 1 as const }];
  const one = await broker.subscriber("one", filter, persistent);
  one.connection.lost("gone", 0);
  const button = await broker.connect("button");
  button.send({ type: "publish", topicName: "orders", payload: text("1"), qos: 1, packetIdentifier: 1 });
  await store.commit();
  const after = await restart(store);
  const two = await after.subscriber("two", filter, { keepAlive: 0 });
  after.broker.endSession("one", 0);
  expect(two.take()).toMatchObject([{ type: "publish", topicName: "orders" }]);
});

test("how a connection has ended outlives the broker, and where it was killed, when it last kept something", async () => {
  const store = new HeldStore();
  const broker = await start(store);
  broker.nowMs = 1000;
  const kitchen = await broker.connect("kitchen", persistent);
  await broker.connect("oven", persistent);
  await store.commit();
  broker.nowMs = 5000;
  kitchen.connection.lost("reset", 5000);
  await store.commit();
  const lastEndOf = (one: TestBroker, clientIdentifier: string) => one.broker.connection(clientIdentifier)?.lastEnd;
  const lost = { atMs: 1_005_000, reason: "connection-lost", detail: "reset" };
  expect(lastEndOf(broker, "kitchen")).toEqual(lost);

  // Killed and started again, twice: the oven was connected when something was kept last.
  for (const nowMs of [60_000, 90_000]) {
    const held = new HeldStore(store.disk);
    const after = await start(held, nowMs);
    expect(lastEndOf(after, "kitchen")).toEqual(lost);
    expect(lastEndOf(after, "oven")).toEqual({ atMs: 1_005_000, reason: undefined, detail: "" });
    await held.commit();
  }
});
