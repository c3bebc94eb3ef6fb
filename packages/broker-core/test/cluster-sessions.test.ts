/** Sessions that move between several brokers, with their clients. */

import { beforeEach, describe, expect, test } from "vitest";
import { MemorySessionStore } from "../src/index.ts";
import { at, Bridge, type Node } from "./bridge.ts";
import { persistent, settled, type TestClient, text } from "./client.ts";

let bridge: Bridge;
let [one, two]: Node[] = [];
beforeEach(() => {
  bridge = new Bridge();
  [one, two] = [bridge.add(), bridge.add()];
});

describe("a session that another node has", () => {
  test("comes with its subscriptions, what waits and what is in flight; its connection there ends with 0x8E", async () => {
    const there = await at(one).subscriber("fridge", ["a", "b"], persistent(5));
    const button = await at(one).connect("button");
    button.publish("a", "in flight", { qos: 1 });
    button.publish("b", "released", { qos: 2, packetIdentifier: 8 });
    const [first, second] = there.takePublishes();
    there.send({ type: "pubrec", packetIdentifier: second?.packetIdentifier ?? 0 });
    there.send({ type: "publish", topicName: "c", qos: 2, packetIdentifier: 3, payload: text("begun") });
    there.take();
    bridge.letThrough();

    const here = at(two).open("fridge", 5);
    await here.connect("fridge", persistent(5));
    expect(there.take()).toMatchObject([{ type: "disconnect", reasonCode: 0x8e }]);
    expect(there.isClosed).toBe(true);
    expect(here.take()).toMatchObject([
      { type: "connack", sessionPresent: true },
      { type: "pubrel", packetIdentifier: second?.packetIdentifier },
      { type: "publish", dup: true, packetIdentifier: first?.packetIdentifier, payload: text("in flight") },
    ]);
    // MQTT-4.3.3-10: a repeat is acknowledged and not published again.
    const watcher = await at(two).subscriber("watcher", ["c"]);
    here.send({ type: "publish", topicName: "c", qos: 2, packetIdentifier: 3, dup: true, payload: text("begun") });
    expect(here.take()).toMatchObject([{ type: "pubrec", packetIdentifier: 3 }]);
    expect(watcher.messages()).toEqual([]);
    bridge.letThrough();
    button.publish("a", "later", { qos: 1, packetIdentifier: 9 });
    bridge.letThrough();
    expect(here.messages()).toEqual(["a later"]);
    expect(Array.from(at(one).broker.sessions(), ({ clientIdentifier }) => clientIdentifier)).toEqual(["button"]);
  });

  test("loses nothing of what waited while its client was away", async () => {
    const fridge = await at(one).subscriber("fridge", ["a"], persistent(4));
    fridge.lose();
    const button = await at(one).connect("button");
    for (const payload of ["1", "2", "3"]) button.publish("a", payload, { qos: 1 });
    const here = await at(two).connect("fridge", persistent(4));
    expect(here.take()).toMatchObject([{ type: "connack", sessionPresent: true }, {}, {}, {}]);
    expect(at(one).broker.counters).toMatchObject({ sessions: 1, queuedMessages: 0, queuedOctets: 0 });
  });

  test("ends there with a clean start, and its will that waits is published; resumed in time it is not (MQTT-3.1.3-9)", async () => {
    for (const cleanStart of [false, true]) {
      const watcher = await at(one).subscriber("watcher", ["wills"]);
      const will = { topicName: "wills", payload: text("gone"), properties: { willDelayInterval: 100 } };
      const there = await at(one).connect("fridge", { ...persistent(5), will });
      there.lose();
      const here = await at(two).connect("fridge", { ...persistent(5), cleanStart });
      expect(here.take()).toMatchObject([{ type: "connack", sessionPresent: !cleanStart }]);
      at(one).tick(200_000);
      expect(watcher.messages()).toEqual(cleanStart ? ["wills gone"] : []);
      here.lose();
    }
  });

  test("is not answered for until it is here, and what the client sends meanwhile waits", async () => {
    (await at(one).subscriber("fridge", ["a"], persistent(5))).lose();
    bridge.areClaimsHeld = true;
    const here = at(two).open("fridge", 5);
    await here.connect("fridge", persistent(5));
    here.publish("a", "own", { qos: 1 });
    await settled();
    expect(here.take()).toEqual([]);
    await bridge.letClaimsGo();
    expect(here.take().map(({ type }) => type)).toEqual(["connack", "publish", "puback"]);
  });

  test("where the others do not answer the client is refused with 0x88, and may come again", async () => {
    (await at(one).subscriber("fridge", ["a"], persistent(5))).lose();
    bridge.isCut = true;
    const refused = await at(two).connect("fridge", persistent(5));
    expect(refused.take()).toMatchObject([{ type: "connack", reasonCode: 0x88 }]);
    expect(at(two).lastClosed).toContain("the other nodes do not answer");
    bridge.isCut = false;
    expect((await at(two).connect("fridge", persistent(5))).take()).toMatchObject([{ sessionPresent: true }]);
  });

  describe("where the others never answer", () => {
    const late = async (): Promise<TestClient> => {
      bridge.areClaimsHeld = true;
      const refused = at(two).open("fridge", 5);
      await refused.connect("fridge", persistent(5));
      at(two).tick(5000);
      await settled();
      expect(refused.take()).toMatchObject([{ type: "connack", reasonCode: 0x88 }]);
      expect(at(two).lastClosed).toContain("no answer within claimTimeoutMs 5000");
      return refused;
    };

    test("the client is refused with 0x88, and let in when it comes again and they do answer", async () => {
      await late();
      bridge.areClaimsHeld = false;
      expect((await at(two).connect("fridge", persistent(5))).take()).toMatchObject([{ reasonCode: 0 }]);
    });

    test("a session that comes late is here when its client comes again", async () => {
      (await at(one).subscriber("fridge", ["a"], persistent(5))).lose();
      await late();
      await bridge.letClaimsGo();
      expect(at(two).broker.connection("fridge")).toMatchObject({ connection: undefined });
      expect((await at(two).connect("fridge", persistent(5))).take()).toMatchObject([{ sessionPresent: true }]);
    });

    test("one that comes after its client was let in without it is gone: the client was told so", async () => {
      await late();
      bridge.areClaimsHeld = false;
      const clean = await at(two).connect("fridge", { cleanStart: true });
      expect(clean.take()).toMatchObject([{ sessionPresent: false }]);
      clean.lose();
      (await at(one).subscriber("fridge", ["a"], persistent(5))).lose();
      await bridge.letClaimsGo();
      expect(at(two).broker.connection("fridge")).toBeUndefined();
    });

    test("a time that the cluster sets holds", async () => {
      const joined = new Bridge();
      const node = joined.add({}, 500);
      joined.areClaimsHeld = true;
      const client = at(node).open("fridge", 4);
      await client.connect("fridge");
      at(node).tick(499);
      await settled();
      expect(client.take()).toEqual([]);
      at(node).tick(500);
      await settled();
      const serverUnavailable = 3;
      expect(client.take()).toMatchObject([{ type: "connack", reasonCode: serverUnavailable }]);
    });

    test("a broker that ends waits for what may come late", async () => {
      const store = new MemorySessionStore();
      const joined = new Bridge();
      const [from, to] = [joined.add(), joined.add({ persistence: { store, kept: await store.load(), nowMs: 0 } })];
      (await at(from).subscriber("fridge", ["a"], persistent(5))).lose();
      joined.areClaimsHeld = true;
      await at(to).open("fridge", 5).connect("fridge", persistent(5));
      at(to).tick(5000);
      await settled();
      at(to).broker.shutdown(6000);
      const ended = at(to).broker.settled();
      await joined.letClaimsGo();
      await ended;
      expect((await store.load()).sessions).toMatchObject([{ clientIdentifier: "fridge" }]);
    });
  });

  test("stays here where its client has gone before it came", async () => {
    (await at(one).subscriber("fridge", ["a"], persistent(5))).lose();
    bridge.areClaimsHeld = true;
    const gone = at(two).open("fridge", 5);
    await gone.connect("fridge", persistent(5));
    gone.lose();
    await bridge.letClaimsGo();
    expect(at(two).broker.connection("fridge")).toMatchObject({ connection: undefined, sessionExpirySeconds: 1000 });
    expect((await at(two).connect("fridge", persistent(5))).take()).toMatchObject([{ sessionPresent: true }]);
  });

  test("goes to the second of two connections that come at once; the first one ends", async () => {
    (await at(one).subscriber("fridge", ["a"], persistent(5))).lose();
    bridge.areClaimsHeld = true;
    const clients = [at(two).open("fridge", 5), at(two).open("fridge", 5)];
    for (const client of clients) await client.connect("fridge", persistent(5));
    await bridge.letClaimsGo();
    await settled();
    expect(clients.map((client) => client.take().map((packet) => packet.type))).toEqual([
      ["connack", "disconnect"],
      ["connack"],
    ]);
    expect(Array.from(at(two).broker.sessions())).toMatchObject([
      { isConnected: true, subscriptions: [{ topicFilter: "a" }] },
    ]);
  });

  test("is in the store of its new node, and in that of the old one no more", async () => {
    const stores = [new MemorySessionStore(), new MemorySessionStore()];
    const joined = new Bridge();
    const nodes = [];
    for (const store of stores) nodes.push(joined.add({ persistence: { store, kept: await store.load(), nowMs: 0 } }));
    const fridge = await at(nodes[0]).subscriber("fridge", ["a"], persistent(4));
    fridge.lose();
    for (const [index, qos] of ([1, 2] as const).entries()) {
      await at(nodes[0]).broker.publish({ topicName: "a", payload: text(`${index}`), qos }, 0);
    }
    (await at(nodes[1]).connect("fridge", persistent(4))).lose();
    for (const node of nodes) await at(node).broker.settled();
    const kept = await Promise.all(stores.map((store) => store.load()));
    expect(kept[0]?.sessions).toEqual([]);
    expect(kept[0]?.messages.size).toBe(0);
    expect(kept[1]?.sessions).toMatchObject([
      { clientIdentifier: "fridge", subscriptions: [{ topicFilter: "a" }], deliveries: [{ qos: 1 }, { qos: 2 }] },
    ]);
    expect(kept[1]?.messages.size).toBe(2);
  });

  test("a node that starts again tells the others what its kept sessions want", async () => {
    const store = new MemorySessionStore();
    const joined = new Bridge();
    const before = joined.add({ persistence: { store, kept: await store.load(), nowMs: 0 } });
    await at(before).subscriber("fridge", ["a", "$share/cooks/b"], persistent(4));
    await at(before).broker.settled();
    const again = new Bridge();
    again.add();
    again.add({ persistence: { store, kept: await store.load(), nowMs: 0 } });
    expect(again.passing).toMatchObject([
      { type: "interest", topicFilter: "a", isWanted: true },
      { type: "interest", topicFilter: "$share/cooks/b", isWanted: true },
    ]);
  });
});

test.each([false, true])(
  "a CONNECT refused for its CONNACK takes no session over, with clean start %s",
  async (cleanStart) => {
    const kitchen = await at(one).subscriber("kitchen", ["wills"]);
    const fridge = await at(one).connect("fridge", {
      ...persistent(5),
      will: { topicName: "wills", payload: text("gone") },
    });
    const other = at(two).open("fridge", 5);
    await other.connect("fridge", { cleanStart, properties: { maximumPacketSize: 10 } });
    bridge.letThrough();
    expect(other.isClosed).toBe(true);
    expect(at(two).lastClosed).toContain("the client's Maximum Packet Size is 10 octets");
    expect([fridge.isClosed, kitchen.messages()]).toEqual([false, []]);
    expect(at(one).broker.connection("fridge")).toBeDefined();
  },
);
