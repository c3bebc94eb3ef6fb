import { describe, expect, test } from "vitest";
import { publish, settled, subscribe, TestBroker, text } from "./client.ts";

describe("connecting", () => {
  test("an allowed client gets CONNACK 0 without a session", async () => {
    const test = new TestBroker();
    const client = await test.connect("button");
    expect(client.take()).toMatchObject([{ type: "connack", reasonCode: 0, sessionPresent: false }]);
    expect(test.eventsOf("connected")).toEqual([
      {
        type: "connected",
        peer: "button",
        clientIdentifier: "button",
        isAssignedIdentifier: false,
        principal: "button",
        protocolVersion: 4,
        isSessionPresent: false,
        keepAlive: 0,
      },
    ]);
  });

  test("whoever is not authenticated is refused, and what follows its CONNECT is not read", async () => {
    const test = new TestBroker();
    const kitchen = await test.connect("kitchen");
    kitchen.send(subscribe("#"));
    kitchen.take();
    const client = test.open("stranger");
    client.send(
      { type: "connect", protocolVersion: 4, clientIdentifier: "x", cleanStart: true, keepAlive: 0 },
      publish("a", "b"),
    );
    await settled();
    expect(client.take()).toMatchObject([{ type: "connack", reasonCode: 5 }]);
    expect(client.isClosed).toBe(true);
    expect(kitchen.messages()).toEqual([]);
    expect(test.eventsOf("closed")).toMatchObject([{ reason: "not-authenticated", detail: "unknown certificate" }]);
  });

  test("a failing authenticator refuses", async () => {
    const test = new TestBroker({ authenticator: { authenticate: () => Promise.reject(new Error("disk gone")) } });
    const client = test.open("button");
    await client.connect("button");
    expect(client.isClosed).toBe(true);
    expect(test.eventsOf("closed")).toMatchObject([{ reason: "not-authenticated", detail: "Error: disk gone" }]);
  });

  test("the policy decides on the client identifier and on the will", async () => {
    const test = new TestBroker();
    test.denied.add("button connect other").add("button publish secret").add("button retain-publish seen");
    const will = (topicName: string, retain: boolean) => ({
      will: { topicName, payload: text("bye"), qos: 0 as const, retain },
    });
    for (const [clientIdentifier, fields] of [
      ["other", {}],
      ["button", will("secret", false)],
      ["button", will("seen", true)],
    ] as const) {
      const client = test.open("button");
      await client.connect(clientIdentifier, fields);
      expect(client.take()).toMatchObject([{ type: "connack", reasonCode: 5 }]);
      expect(client.isClosed).toBe(true);
    }
    expect(test.eventsOf("denied").map(({ action, name }) => `${action} ${name}`)).toEqual([
      "connect other",
      "publish secret",
      "retain-publish seen",
    ]);
  });

  test("with parity a refused client is told nothing", async () => {
    const test = new TestBroker({ denial: "parity" });
    test.denied.add("button connect button").add("kitchen subscribe a");
    const client = await test.connect("button");
    expect(client.take()).toEqual([]);
    expect(client.isClosed).toBe(true);
    const kitchen = await test.connect("kitchen");
    kitchen.take();
    kitchen.send(subscribe("a"));
    expect(kitchen.take()).toEqual([]);
    expect(kitchen.isClosed).toBe(true);
  });

  test("the same client identifier takes over, and the old connection's will is published", async () => {
    const test = new TestBroker();
    const kitchen = await test.connect("kitchen");
    kitchen.send(subscribe("#"));
    kitchen.take();
    const will = { topicName: "gone", payload: text("bye"), qos: 0 as const, retain: false };
    const old = await test.connect("button", { will });
    const successor = await test.connect("button");
    expect(old.isClosed).toBe(true);
    expect(successor.isClosed).toBe(false);
    expect(kitchen.messages()).toEqual(["gone bye"]);
    expect(test.eventsOf("closed")).toMatchObject([{ clientIdentifier: "button", reason: "taken-over" }]);
    expect([...test.broker.connections()]).toHaveLength(2);
  });

  test("a client without an identifier is given one", async () => {
    const test = new TestBroker();
    const client = test.open("button");
    await client.connect("");
    expect(client.connection.clientIdentifier).toBe("assigned-1");
  });

  test("MQTT 3.1 and a version that nobody has are refused in words that the client knows (MQTT-3.1.2-2)", () => {
    const test = new TestBroker();
    const three = test.open("button");
    three.sendBytes(Buffer.from("100f00064d51497364700302000000" + "0161", "hex"));
    expect(three.isClosed).toBe(true);
    expect(three.take()).toMatchObject([{ type: "connack", reasonCode: 1 }]);
    const bridge = test.open("bridge");
    bridge.sendBytes(Buffer.from("100d00044d51545484020000000161", "hex"));
    expect(bridge.isClosed).toBe(true);
    expect(bridge.take()).toMatchObject([{ type: "connack", reasonCode: 1 }]);
  });

  test("what arrives while authenticating waits, within a limit", async () => {
    const test = new TestBroker();
    const kitchen = await test.connect("kitchen");
    kitchen.send(subscribe("#"));
    kitchen.take();
    const eager = test.open("button");
    eager.send({ type: "connect", protocolVersion: 4, clientIdentifier: "button", cleanStart: true, keepAlive: 0 });
    eager.send(publish("a", "early"));
    await settled();
    expect(kitchen.messages()).toEqual(["a early"]);
    const flood = test.open("button");
    flood.send({ type: "connect", protocolVersion: 4, clientIdentifier: "flood", cleanStart: true, keepAlive: 0 });
    for (let i = 0; i < 3; i++) flood.sendBytes(new Uint8Array(30_000));
    expect(flood.isClosed).toBe(true);
    expect(test.eventsOf("closed").at(-1)).toMatchObject({
      reason: "limit",
      detail: "maximumOctetsBeforeConnack 65536: 90019 octets came before CONNACK was sent",
    });
  });
});

describe("publishing", () => {
  test("a QoS 1 order reaches its subscriber and is acknowledged", async () => {
    const test = new TestBroker();
    const kitchen = await test.connect("kitchen");
    kitchen.send(subscribe("iotbutton/+"));
    expect(kitchen.take()).toMatchObject([
      { type: "connack" },
      { type: "suback", packetIdentifier: 10, reasonCodes: [1] },
    ]);
    const button = await test.connect("button");
    button.take();
    button.send(publish("iotbutton/G030", "SINGLE", 1));
    expect(button.take()).toMatchObject([{ type: "puback", packetIdentifier: 7 }]);
    expect(kitchen.take()).toMatchObject([
      { type: "publish", topicName: "iotbutton/G030", qos: 1, packetIdentifier: 1, retain: false },
    ]);
    expect(test.published).toMatchObject([{ clientIdentifier: "button", receivers: 1, payloadOctets: 6 }]);
  });

  test("a refused publish closes the connection and reaches nobody", async () => {
    const test = new TestBroker();
    test.denied.add("button publish iotbutton/NEIGHBOUR");
    const kitchen = await test.connect("kitchen");
    kitchen.send(subscribe("#"));
    kitchen.take();
    const button = await test.connect("button");
    button.take();
    button.send(publish("iotbutton/NEIGHBOUR", "SINGLE", 1), publish("iotbutton/BUTTON", "SINGLE", 1));
    expect(button.take()).toEqual([]);
    expect(button.isClosed).toBe(true);
    expect(kitchen.messages()).toEqual([]);
    expect(test.eventsOf("denied")).toMatchObject([{ action: "publish", name: "iotbutton/NEIGHBOUR" }]);
  });

  test("a receiver that may not receive gets nothing and stays connected", async () => {
    const test = new TestBroker();
    test.denied.add("kitchen receive secret");
    const kitchen = await test.connect("kitchen");
    kitchen.send(subscribe("#"));
    kitchen.take();
    const button = await test.connect("button");
    button.send(publish("secret", "0"), publish("secret", "1", 1), publish("open", "2"));
    expect(kitchen.messages()).toEqual(["open 2"]);
    expect(kitchen.isClosed).toBe(false);
  });

  test("a chunk of many packets costs a receiver one write", async () => {
    const test = new TestBroker();
    const kitchen = await test.connect("kitchen");
    kitchen.send(subscribe("#"));
    const button = await test.connect("button");
    kitchen.writes = 0;
    button.writes = 0;
    button.send(...Array.from({ length: 50 }, (_, i) => publish("a", `${i}`, 1)));
    expect(kitchen.writes).toBe(1);
    expect(button.writes).toBe(1);
    expect(kitchen.messages()).toHaveLength(50);
  });

  test("the broker keeps no view of the publisher's chunk", async () => {
    const test = new TestBroker();
    const sleeper = await test.connect("sleeper", { cleanStart: false });
    sleeper.send(subscribe("#"));
    sleeper.connection.lost("asleep", 0);
    const button = await test.connect("button");
    const chunk = Buffer.from([0x30, 0x04, 0x00, 0x01, 0x61, 0x58]);
    const qos1 = Buffer.from([0x32, 0x06, 0x00, 0x01, 0x61, 0x00, 0x01, 0x58]);
    button.sendBytes(Buffer.concat([chunk, qos1]));
    button.sendBytes(qos1);
    qos1.fill(0);
    const back = await test.connect("sleeper", { cleanStart: false });
    expect(back.messages()).toEqual(["a X", "a X"]);
  });
});

describe("sessions", () => {
  const persistent = { cleanStart: false };

  test("an absent client's QoS 1 messages wait for it, and only those", async () => {
    const test = new TestBroker();
    const first = await test.connect("fridge", persistent);
    first.send(subscribe("a/#"));
    first.connection.lost("asleep", 0);
    const button = await test.connect("button");
    button.send(publish("a/b", "lost", 0), publish("a/b", "kept", 1));
    const second = await test.connect("fridge", persistent);
    expect(second.take()).toMatchObject([
      { type: "connack", sessionPresent: true },
      { type: "publish", topicName: "a/b", dup: false },
    ]);
  });

  test("what was not acknowledged is sent again with DUP and the same identifier (MQTT-4.4.0-1)", async () => {
    const test = new TestBroker();
    const first = await test.connect("fridge", persistent);
    first.send(subscribe("#"));
    const button = await test.connect("button");
    button.send(publish("a", "1", 1), publish("a", "2", 1));
    first.send({ type: "puback", packetIdentifier: 1 });
    first.connection.lost("asleep", 0);
    const second = await test.connect("fridge", persistent);
    expect(second.take()).toMatchObject([{ type: "connack" }, { type: "publish", packetIdentifier: 2, dup: true }]);
  });

  test("a clean session ends the kept one (MQTT-3.1.2-6)", async () => {
    const test = new TestBroker();
    const first = await test.connect("fridge", persistent);
    first.send(subscribe("#"));
    first.connection.lost("asleep", 0);
    const clean = await test.connect("fridge");
    expect(clean.take()).toMatchObject([{ type: "connack", sessionPresent: false }]);
    const button = await test.connect("button");
    button.send(publish("a", "x", 1));
    expect(clean.messages()).toEqual([]);
  });

  test("a message that may not be received any more is not delivered to the returning client", async () => {
    const test = new TestBroker();
    const first = await test.connect("fridge", persistent);
    first.send(subscribe("#"));
    first.connection.lost("asleep", 0);
    const button = await test.connect("button");
    button.send(publish("secret", "x", 1), publish("open", "y", 1));
    test.denied.add("fridge receive secret");
    const second = await test.connect("fridge", persistent);
    expect(second.messages()).toEqual(["open y"]);
  });

  test("only so many absent sessions are kept", async () => {
    const test = new TestBroker({ limits: { maximumOfflineSessions: 1 } });
    for (const name of ["one", "two"]) {
      const client = await test.connect(name, persistent);
      client.connection.lost("asleep", 0);
    }
    const two = await test.connect("two", persistent);
    expect(two.take()).toMatchObject([{ sessionPresent: true }]);
    expect((await test.connect("one", persistent)).take()).toMatchObject([{ sessionPresent: false }]);
  });

  test("of the absent sessions the one that is away longest is forgotten, and a return counts anew", async () => {
    const test = new TestBroker({ limits: { maximumOfflineSessions: 2 } });
    for (const name of ["one", "two", "one", "three"]) {
      const client = await test.connect(name, persistent);
      client.connection.lost("asleep", 0);
    }
    const present = async (name: string): Promise<unknown> => (await test.connect(name, persistent)).take();
    expect(await present("one")).toMatchObject([{ sessionPresent: true }]);
    expect(await present("three")).toMatchObject([{ sessionPresent: true }]);
    expect(await present("two")).toMatchObject([{ sessionPresent: false }]);
  });
});

describe("subscribing", () => {
  test("each filter gets its own answer", async () => {
    const test = new TestBroker({ limits: { maximumTopicLevels: 3 } });
    test.denied.add("kitchen subscribe secret/#");
    const kitchen = await test.connect("kitchen");
    kitchen.take();
    const subscriptions = ["a", "secret/#", "a/b/c/d", "$share//a", "a/b/c"].map((topicFilter) => ({
      topicFilter,
      qos: 0 as const,
    }));
    kitchen.send({ type: "subscribe", packetIdentifier: 3, subscriptions });
    expect(kitchen.take()).toMatchObject([
      { type: "suback", packetIdentifier: 3, reasonCodes: [0, 0x80, 0x80, 0x80, 0] },
    ]);
  });

  test("UNSUBSCRIBE ends the deliveries and is acknowledged", async () => {
    const test = new TestBroker();
    const kitchen = await test.connect("kitchen");
    kitchen.send(subscribe("a"));
    kitchen.take();
    kitchen.send({ type: "unsubscribe", packetIdentifier: 4, topicFilters: ["a", "never"] });
    expect(kitchen.take()).toMatchObject([{ type: "unsuback", packetIdentifier: 4 }]);
    (await test.connect("button")).send(publish("a", "x"));
    expect(kitchen.messages()).toEqual([]);
  });

  test("subscriptions are limited in number", async () => {
    const test = new TestBroker({ limits: { maximumSubscriptionsPerSession: 1 } });
    const kitchen = await test.connect("kitchen");
    kitchen.send(subscribe("a"), subscribe("b"), subscribe("a"));
    expect(kitchen.take().flatMap((packet) => (packet.type === "suback" ? packet.reasonCodes : []))).toEqual([
      1, 0x80, 1,
    ]);
  });
});

describe("retained messages", () => {
  test("come with RETAIN to a new subscription, and without it to one that was there", async () => {
    const test = new TestBroker();
    const there = await test.connect("there");
    there.send(subscribe("a/+"));
    there.take();
    const button = await test.connect("button");
    button.send(publish("a/b", "kept", 1, true));
    expect(there.take()).toMatchObject([{ type: "publish", retain: false }]);
    const late = await test.connect("late");
    late.take();
    late.send(subscribe("a/#"));
    expect(late.take()).toMatchObject([
      { type: "suback" },
      { type: "publish", topicName: "a/b", retain: true, qos: 1 },
    ]);
  });

  test("an empty payload removes one (MQTT-3.3.1-10)", async () => {
    const test = new TestBroker();
    const button = await test.connect("button");
    button.send(publish("a", "kept", 0, true), publish("a", "", 0, true));
    const late = await test.connect("late");
    late.send(subscribe("a"));
    expect(late.messages()).toEqual([]);
  });
});

describe("time", () => {
  test("silence for one and a half keep-alives ends a connection (MQTT-3.1.2-24)", async () => {
    const test = new TestBroker();
    const client = await test.connect("button", { keepAlive: 10 });
    client.take();
    test.nowMs = 14_000;
    client.send({ type: "pingreq" });
    expect(client.take()).toMatchObject([{ type: "pingresp" }]);
    test.tick(28_999);
    expect(client.isClosed).toBe(false);
    test.tick(29_000);
    expect(client.isClosed).toBe(true);
    expect(test.eventsOf("closed")).toMatchObject([{ reason: "keep-alive-timeout" }]);
  });

  test("a connection without a CONNECT ends", () => {
    const test = new TestBroker();
    const client = test.open("button");
    test.tick(9999);
    expect(client.isClosed).toBe(false);
    test.tick(10_000);
    expect(client.isClosed).toBe(true);
  });
});

test("events say which client identifiers the broker made up", async () => {
  const test = new TestBroker({ profile: "aws" });
  const client = test.open("button");
  await client.connect("");
  client.connection.lost("reset", 0);
  expect(test.events).toMatchObject([
    { type: "connected", clientIdentifier: "assigned-1", isAssignedIdentifier: true, peer: "button" },
    { type: "closed", clientIdentifier: "assigned-1", isAssignedIdentifier: true, peer: "button" },
  ]);
});

test("each authenticated principal is released once, accepted or not", async () => {
  const released: string[] = [];
  let answer: (() => void) | undefined;
  const test = new TestBroker({
    authenticator: {
      authenticate: async (peer) => {
        if (peer === "slow") await new Promise<void>((resolve) => (answer = resolve));
        return peer === "stranger" ? { ok: false, reason: "unknown" } : { ok: true, principal: peer };
      },
      release: (principal) => released.push(principal),
    },
  });
  const accepted = await test.connect("accepted");
  accepted.connection.lost("reset", 0);
  accepted.connection.lost("again", 0);
  test.denied.add("denied connect denied");
  await test.connect("denied");
  await test.connect("stranger");
  const slow = await test.connect("slow");
  slow.connection.lost("impatient", 0);
  answer?.();
  await settled();
  expect(released).toEqual(["accepted", "denied", "slow"]);
});
