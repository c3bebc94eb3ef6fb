/** DISCONNECT, take-over, and how connections and sessions end: MQTT 3.1.1 and 5.0 §3.14, §4.1, §4.13. */

import { describe, expect, test } from "vitest";
import { TestBroker, text } from "./client.ts";

const persistent = { protocolVersion: 5, cleanStart: false, properties: { sessionExpiryInterval: 100 } } as const;

describe("take-over", () => {
  test("MQTT-3.1.4-3 of 5.0: the older connection is told 0x8E and closed; delivery goes on to the newer one", async () => {
    const test = new TestBroker();
    const old = await test.subscriber("a", ["#"], persistent);
    const button = await test.connect("button");
    const successor = await test.connect("a", persistent);
    expect(old.take()).toMatchObject([{ type: "disconnect", reasonCode: 0x8e }]);
    expect([old.isClosed, successor.isClosed]).toEqual([true, false]);
    button.publish("x", "1", { qos: 1 });
    expect(successor.take()).toMatchObject([{ type: "connack", sessionPresent: true }, { type: "publish" }]);
    expect(test.eventsOf("closed")).toMatchObject([{ reason: "taken-over" }]);
  });

  test("MQTT-3.1.4-2 of 3.1.1: the older connection is closed, which 3.1.1 has no word for", async () => {
    const test = new TestBroker();
    const old = await test.connect("a");
    old.take();
    await test.connect("a");
    expect(old.take()).toEqual([]);
    expect(old.isClosed).toBe(true);
  });

  test("a client that took over itself a thousand times leaves one connection and one session", async () => {
    const test = new TestBroker();
    for (let count = 0; count < 1000; count++) await test.connect("a", persistent);
    expect([...test.broker.connections()]).toHaveLength(1);
    expect([...test.broker.sessions()]).toHaveLength(1);
    expect(test.broker.counters).toMatchObject({ connections: 1, sessions: 1 });
  });
});

describe("session expiry", () => {
  test("MQTT-3.1.2-23, MQTT-4.1.0-2: a session lasts as long as it was asked for, and no longer", async () => {
    const test = new TestBroker();
    const first = await test.subscriber("a", ["#"], persistent);
    first.lose();
    test.tick(99_000);
    expect([...test.broker.sessions()]).toHaveLength(1);
    const second = await test.connect("a", persistent);
    expect(second.take()).toMatchObject([{ sessionPresent: true }]);
    test.tick(500_000);
    expect([...test.broker.sessions()]).toHaveLength(1);
    second.lose();
    test.tick(600_000);
    expect([...test.broker.sessions()]).toEqual([]);
    expect(test.eventsOf("session-ended")).toEqual([
      { type: "session-ended", clientIdentifier: "a", reason: "expired" },
    ]);
    expect((await test.connect("a", persistent)).take()).toMatchObject([{ sessionPresent: false }]);
  });

  test("clean start and expiry are two things: a clean session can outlive its connection, a resumed one can end with it", async () => {
    const test = new TestBroker();
    const clean = await test.subscriber("a", ["#"], { ...persistent, cleanStart: true });
    clean.lose();
    const resumed = await test.connect("a", { protocolVersion: 5, cleanStart: false });
    expect(resumed.take()).toMatchObject([{ sessionPresent: true }]);
    resumed.lose();
    expect([...test.broker.sessions()]).toEqual([]);
  });

  test("DISCONNECT may change the expiry, but not raise it from 0", async () => {
    const test = new TestBroker();
    const one = await test.connect5("one", persistent);
    one.send({ type: "disconnect", properties: { sessionExpiryInterval: 1 } });
    test.tick(1000);
    expect([...test.broker.sessions()]).toEqual([]);
    const two = await test.connect5("two");
    two.send({ type: "disconnect", properties: { sessionExpiryInterval: 1 } });
    expect(two.take()).toMatchObject([{ type: "disconnect", reasonCode: 0x82 }]);
    expect([...test.broker.sessions()]).toEqual([]);
  });

  test("an assigned client identifier finds its session, too", async () => {
    const test = new TestBroker();
    const first = test.open("a", 5);
    await first.connect("", { properties: { sessionExpiryInterval: 100 } });
    first.lose();
    expect((await test.connect("assigned-1", persistent)).take()).toMatchObject([{ sessionPresent: true }]);
  });

  test("sessions with random client identifiers do not pile up: the one that is away longest ends", async () => {
    const test = new TestBroker({ limits: { maximumOfflineSessions: 3 } });
    for (let count = 0; count < 50; count++) (await test.connect(`random-${count}`, persistent)).lose();
    expect([...test.broker.sessions()].map(({ clientIdentifier }) => clientIdentifier)).toEqual([
      "random-47",
      "random-48",
      "random-49",
    ]);
    expect(test.eventsOf("session-ended")).toHaveLength(47);
    expect(test.broker.counters.sessions).toBe(3);
  });
});

describe("the end of a connection", () => {
  test("MQTT-3.14.4-2, -3: DISCONNECT closes, and nothing after it is read", async () => {
    const test = new TestBroker();
    const kitchen = await test.subscriber("kitchen", ["#"]);
    const button = await test.connect("button", { will: { topicName: "gone", payload: text("bye") } });
    button.send({ type: "disconnect" }, { type: "publish", topicName: "a", payload: text("after") });
    expect(button.isClosed).toBe(true);
    expect(kitchen.messages()).toEqual([]);
    expect(test.lastClosed).toBe("client-disconnect: ");
  });

  test("MQTT-4.13.1-1, MQTT-4.8.0-1: a malformed packet closes, in 5.0 with its reason code", async () => {
    const test = new TestBroker();
    for (const [hex, code] of [
      ["3601" + "00", 0x81],
      ["9002" + "0001", 0x82],
      ["32050001610000", 0x82],
    ] as const) {
      const five = await test.connect5("five");
      five.sendBytes(Buffer.from(hex, "hex"));
      expect(five.take(), hex).toMatchObject([{ type: "disconnect", reasonCode: code }]);
      const four = await test.connect("four");
      four.take();
      four.sendBytes(Buffer.from(hex, "hex"));
      expect(four.take()).toEqual([]);
      expect([five.isClosed, four.isClosed]).toEqual([true, true]);
    }
  });

  test("MQTT-3.2.2-15: a packet above the Maximum Packet Size ends with 0x95", async () => {
    const test = new TestBroker({ limits: { maximumPacketSize: 100 } });
    const client = await test.connect5("a");
    client.publish("a", "x".repeat(200));
    expect(client.take()).toMatchObject([{ type: "disconnect", reasonCode: 0x95 }]);
  });

  test("MQTT-3.14.0-1: no DISCONNECT before a CONNACK that accepted", async () => {
    const test = new TestBroker();
    const client = test.open("a", 5);
    client.connection.end("server-shutdown", "", 0);
    expect(client.take()).toEqual([]);
  });

  test("the broker says why it ends: shutdown 0x8B, an operator 0x98, silence 0x8D", async () => {
    const test = new TestBroker();
    const ended = await test.connect5("ended");
    ended.connection.end("administrative", "revoked", 0);
    expect(ended.take()).toMatchObject([{ reasonCode: 0x98, properties: { reasonString: "revoked" } }]);
    const silent = await test.connect5("silent", { keepAlive: 1 });
    const stopped = await test.connect5("stopped");
    test.tick(1500);
    expect(silent.take()).toMatchObject([{ reasonCode: 0x8d }]);
    test.broker.shutdown(1500);
    expect(stopped.take()).toMatchObject([{ reasonCode: 0x8b }]);
  });

  test("MQTT-3.1.2-29, MQTT-3.14.2-3: without problem information reasons stay in DISCONNECT; a small client gets none", async () => {
    const test = new TestBroker();
    test.denied.add("a publish secret").add("a subscribe secret");
    const properties = { requestProblemInformation: false };
    const client = await test.connect5("a", { properties });
    client.publish("secret", "", { qos: 1 });
    client.subscribe(["secret"]);
    expect(client.take()).toMatchObject([
      { type: "puback", reasonCode: 0x87, properties: undefined },
      { type: "suback", reasonCodes: [0x87], properties: undefined },
    ]);
    client.connection.end("administrative", "said", 0);
    expect(client.take()).toMatchObject([{ type: "disconnect", properties: { reasonString: "said" } }]);
    const small = await test.connect5("a", { properties: { maximumPacketSize: 20 } });
    small.publish("secret", "", { qos: 1 });
    small.subscribe(["secret"]);
    small.connection.end("administrative", "too long to be said here", 0);
    expect(small.take().map((packet) => [packet.type, "properties" in packet && packet.properties])).toEqual([
      ["puback", undefined],
      ["suback", undefined],
      ["disconnect", undefined],
    ]);
  });
});

describe("the control plane", () => {
  test("sees sessions and ends them", async () => {
    const test = new TestBroker();
    const kitchen = await test.subscriber("kitchen", ["a/#"], persistent);
    const away = await test.subscriber("away", ["a/#"], persistent);
    away.lose();
    const button = await test.connect("button", { will: { topicName: "a/gone", payload: text("bye") } });
    button.publish("a/b", "x", { qos: 1 });
    expect([...test.broker.sessions()]).toMatchObject([
      { clientIdentifier: "kitchen", isConnected: true, principal: "kitchen", queuedMessages: 0, inFlight: 1 },
      { clientIdentifier: "away", isConnected: false, principal: undefined, queuedMessages: 1, inFlight: 0 },
      { clientIdentifier: "button", isConnected: true, subscriptions: [] },
    ]);
    kitchen.take();
    expect(test.broker.endSession("button", 0, { isWillSuppressed: true, detail: "not you" })).toBe(true);
    expect(test.lastClosed).toBe("administrative: not you");
    expect(kitchen.take()).toEqual([]);
    expect(test.broker.endSession("kitchen", 0, { isSessionKept: true })).toBe(true);
    expect(kitchen.isClosed).toBe(true);
    expect(test.broker.endSession("away", 0)).toBe(true);
    expect(test.broker.endSession("away", 0)).toBe(false);
    expect([...test.broker.sessions()].map(({ clientIdentifier }) => clientIdentifier)).toEqual(["kitchen"]);
  });

  test("sees a client's connection, and how the last one ended", async () => {
    const test = new TestBroker();
    test.nowMs = 5000;
    const expiry = { properties: { sessionExpiryInterval: 600 }, cleanStart: false, keepAlive: 30 };
    const kitchen = await test.connect5("kitchen", expiry);
    await test.connect("brief");
    expect(test.broker.connection("kitchen")).toEqual({
      clientIdentifier: "kitchen",
      sessionExpirySeconds: 600,
      connection: { peer: "kitchen", principal: "kitchen", keepAliveSeconds: 30, connectedAtMs: 5000 },
      lastEnd: undefined,
    });
    test.nowMs = 8000;
    kitchen.lose();
    const away = { clientIdentifier: "kitchen", sessionExpirySeconds: 600, connection: undefined };
    const lastEnd = { atMs: 8000, reason: "connection-lost", detail: "reset" };
    expect(test.broker.connection("kitchen")).toEqual({ ...away, lastEnd });
    test.nowMs = 9000;
    await test.connect5("kitchen", expiry);
    expect(test.broker.connection("kitchen")).toMatchObject({
      connection: { connectedAtMs: 9000 },
      lastEnd: undefined,
    });
    await test.connect5("kitchen", expiry);
    expect(test.broker.connection("kitchen")).toMatchObject({ connection: { peer: "kitchen" }, lastEnd: undefined });
    test.broker.endSession("brief", 9000, { isSessionKept: true });
    expect(test.broker.connection("brief")).toBeUndefined();
    expect(test.broker.connection("nobody")).toBeUndefined();
  });

  test("publishes for a principal, or in the broker's own name", async () => {
    const test = new TestBroker();
    test.denied.add("https publish secret").add("https retain-publish kept");
    const kitchen = await test.subscriber("kitchen", ["#", "$SYS/#"]);
    const message = { principal: "https", topicName: "a", payload: text("x"), qos: 1 } as const;
    expect(await test.broker.publish(message, 0)).toEqual({ ok: true, receivers: 1 });
    expect(await test.broker.publish({ ...message, topicName: "secret" }, 0)).toEqual({
      ok: false,
      reasonCode: 0x87,
      reason: "listed as denied",
    });
    expect(await test.broker.publish({ ...message, topicName: "kept", retain: true }, 0)).toMatchObject({ ok: false });
    expect(await test.broker.publish({ ...message, topicName: "a/+" }, 0)).toMatchObject({ reasonCode: 0x90 });
    expect(await test.broker.publish({ ...message, topicName: "$SYS/a" }, 0)).toMatchObject({ reasonCode: 0x90 });
    expect(await test.broker.publish({ topicName: "$SYS/a", payload: text("own") }, 0)).toMatchObject({ ok: true });
    expect(kitchen.messages()).toEqual(["a x", "$SYS/a own"]);
    expect(test.eventsOf("denied")).toHaveLength(2);
  });

  test("sends one client a message without a subscription, if it may receive it", async () => {
    const test = new TestBroker();
    test.denied.add("kitchen receive secret");
    const kitchen = await test.connect("kitchen");
    kitchen.take();
    expect(test.broker.sendTo("kitchen", { topicName: "direct", payload: text("x") }, 0)).toBe(true);
    expect(test.broker.sendTo("kitchen", { topicName: "secret", payload: text("x") }, 0)).toBe(false);
    expect(test.broker.sendTo("nobody", { topicName: "direct", payload: text("x") }, 0)).toBe(false);
    expect(kitchen.messages()).toEqual(["direct x"]);
  });

  test("gets what clients publish to reserved topics, and answers", async () => {
    const requests: string[] = [];
    const test = new TestBroker({
      reservedTopics: ({ topicName, payload, clientIdentifier }) => {
        if (topicName === "$aws/routed") return "routed";
        if (!topicName.startsWith("$aws/certificates/create/")) return "refused";
        requests.push(`${clientIdentifier} ${topicName} ${Buffer.from(payload).toString()}`);
        void test.broker.publish({ topicName: `${topicName}/accepted`, payload: text("{}"), qos: 1 }, 0);
        return "taken";
      },
    });
    const claim = await test.subscriber("claim", ["$aws/#"], { protocolVersion: 5 });
    claim.publish("$aws/certificates/create/json", "{}", { qos: 1 });
    claim.publish("$aws/routed", "", { qos: 1, packetIdentifier: 8 });
    claim.publish("$aws/other", "", { qos: 1, packetIdentifier: 9 });
    expect(requests).toEqual(["claim $aws/certificates/create/json {}"]);
    const received = claim.take();
    expect(received.filter(({ type }) => type === "puback")).toMatchObject([
      { packetIdentifier: 7, reasonCode: 0 },
      { packetIdentifier: 8, reasonCode: 0 },
      { packetIdentifier: 9, reasonCode: 0x90 },
    ]);
    expect(received.filter(({ type }) => type === "publish")).toMatchObject([
      { topicName: "$aws/certificates/create/json/accepted" },
      { topicName: "$aws/routed" },
    ]);
  });
});
