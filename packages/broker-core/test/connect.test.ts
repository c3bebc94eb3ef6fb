/** CONNECT and CONNACK: MQTT 3.1.1 and 5.0 §3.1, §3.2. */

import { encode, type ProtocolVersion } from "@latchkey/mqtt-codec";
import { describe, expect, test } from "vitest";
import { settled, TestBroker, text } from "./client.ts";

const versions: readonly ProtocolVersion[] = [4, 5];
const connect = (protocolVersion: ProtocolVersion, clientIdentifier: string): Uint8Array =>
  encode({ type: "connect", clientIdentifier, cleanStart: true, keepAlive: 0, protocolVersion }, protocolVersion);

describe.each(versions)("version %i", (protocolVersion) => {
  const expiry = protocolVersion === 5 ? { sessionExpiryInterval: 1000 } : undefined;

  test("MQTT-3.1.4-4 (-5), MQTT-3.2.0-1, -2: an allowed client gets one CONNACK 0, before anything else", async () => {
    const test = new TestBroker();
    const first = await test.subscriber("a", ["#"], { protocolVersion, cleanStart: false, properties: expiry });
    first.lose();
    (await test.connect("button")).publish("x", "waits", { qos: 1 });
    const client = await test.connect("a", { protocolVersion, cleanStart: false, properties: expiry });
    expect(client.take().map(({ type }) => type)).toEqual(["connack", "publish"]);
  });

  test("MQTT-3.1.0-1: a first packet that is not CONNECT closes without an answer", () => {
    const test = new TestBroker();
    for (const packet of [{ type: "pingreq" }, { type: "publish", topicName: "a" }] as const) {
      const client = test.open("a", protocolVersion);
      client.send(packet);
      expect(client.take()).toEqual([]);
      expect(client.isClosed).toBe(true);
    }
  });

  test("MQTT-3.1.0-2: a second CONNECT closes", async () => {
    const test = new TestBroker();
    const client = await test.connect("a", { protocolVersion });
    client.take();
    client.sendBytes(connect(protocolVersion, "a"));
    expect(client.isClosed).toBe(true);
    expect(client.take()).toMatchObject(protocolVersion === 5 ? [{ type: "disconnect", reasonCode: 0x82 }] : []);
  });

  test("MQTT-3.2.2-1 to -3: session present tells the truth", async () => {
    const test = new TestBroker();
    const present = async (cleanStart: boolean): Promise<unknown> => {
      const client = await test.connect("a", { protocolVersion, cleanStart, properties: expiry });
      const [connack] = client.take();
      client.lose();
      return connack?.type === "connack" && connack.sessionPresent;
    };
    expect(await present(false)).toBe(false);
    expect(await present(false)).toBe(true);
    expect(await present(true)).toBe(false);
  });

  test("MQTT-3.1.2-4, -6: a clean start ends the earlier session with its subscriptions and messages", async () => {
    const test = new TestBroker();
    const first = await test.subscriber("a", ["#"], { protocolVersion, cleanStart: false, properties: expiry });
    first.lose();
    const button = await test.connect("button");
    button.publish("x", "old", { qos: 1 });
    const second = await test.connect("a", { protocolVersion, cleanStart: true, properties: expiry });
    button.publish("x", "new", { qos: 1 });
    expect(second.messages()).toEqual([]);
    expect(test.eventsOf("session-ended")).toMatchObject([{ clientIdentifier: "a", reason: "clean-start" }]);
  });

  test("MQTT-3.1.4-5 (-6), MQTT-3.2.2-4, -5 (-6, -7): what follows a refused CONNECT is not processed", async () => {
    const test = new TestBroker();
    const kitchen = await test.subscriber("kitchen", ["#"]);
    const client = test.open("stranger", protocolVersion);
    client.sendBytes(
      Buffer.concat([
        connect(protocolVersion, "a"),
        encode({ type: "publish", topicName: "a", payload: text("x") }, protocolVersion),
      ]),
    );
    await settled();
    expect(client.take()).toMatchObject([
      { type: "connack", reasonCode: protocolVersion === 5 ? 0x87 : 5, sessionPresent: false },
    ]);
    expect(client.isClosed).toBe(true);
    expect(kitchen.messages()).toEqual([]);
  });

  test("MQTT-3.1.3-5: client identifiers of 1 to 23 letters and digits are accepted, and longer ones", async () => {
    const test = new TestBroker();
    for (const identifier of ["a", "0123456789abcdefghijABC", "x".repeat(1000)]) {
      const client = await test.connect(identifier, { protocolVersion });
      expect(client.take()).toMatchObject([{ type: "connack", reasonCode: 0 }]);
    }
  });

  test("MQTT-3.1.3-6 (and -7, MQTT-3.2.2-16 of 5.0): a client without an identifier is given one of its own", async () => {
    const test = new TestBroker();
    const one = test.open("a", protocolVersion);
    await one.connect("");
    const two = test.open("b", protocolVersion);
    await two.connect("");
    expect([one.connection.clientIdentifier, two.connection.clientIdentifier]).toEqual(["assigned-1", "assigned-2"]);
    const told = { properties: { assignedClientIdentifier: "assigned-1" } };
    expect(one.take()).toMatchObject([{ type: "connack", reasonCode: 0, ...(protocolVersion === 5 ? told : {}) }]);
  });

  test("MQTT-3.12.4-1: PINGREQ is answered with PINGRESP", async () => {
    const test = new TestBroker();
    const client = await test.connect("a", { protocolVersion });
    client.take();
    client.send({ type: "pingreq" });
    expect(client.take()).toEqual([{ type: "pingresp" }]);
  });

  test("MQTT-3.1.2-24 (-22 of 5.0): one and a half keep alives without a packet close; octets of half a packet are none", async () => {
    const test = new TestBroker();
    const client = await test.connect("a", { protocolVersion, keepAlive: 10 });
    client.take();
    test.tick(14_000);
    client.send({ type: "pingreq" });
    test.nowMs = 20_000;
    client.sendBytes(Uint8Array.of(0x30, 0x10));
    for (let at = 21_000; at < 29_000; at += 1000) {
      test.nowMs = at;
      client.sendBytes(Uint8Array.of(0));
      test.tick(at);
    }
    expect(client.isClosed).toBe(false);
    test.tick(29_000);
    expect(client.isClosed).toBe(true);
    expect(test.lastClosed).toBe("keep-alive-timeout: silent for 15 s");
  });

  test("a client whose packet waits unread is not silent", async () => {
    const test = new TestBroker();
    const client = await test.connect("a", { protocolVersion, keepAlive: 10 });
    client.take();
    // The process was busy: the tick comes first, and the PINGREQ that came long ago is read after it.
    test.nowMs = 60_000;
    test.broker.tick(60_000);
    client.send({ type: "pingreq" });
    test.turn();
    expect(client.isClosed).toBe(false);
    expect(client.take()).toEqual([{ type: "pingresp" }]);
  });
});

test("MQTT-3.1.2-2 of 5.0: a version that nobody has gets CONNACK, 3.1 gets that of 3.1.1", () => {
  const test = new TestBroker();
  for (const [hex, code] of [
    ["100d00044d51545406020000000161", 1],
    ["100f00064d51497364700302000000" + "0161", 1],
  ] as const) {
    const client = test.open("a");
    client.sendBytes(Buffer.from(hex, "hex"));
    expect(client.take()).toMatchObject([{ type: "connack", reasonCode: code }]);
    expect(client.isClosed).toBe(true);
  }
});

test("MQTT-3.1.3-8: an empty identifier without a clean session is refused with 2", () => {
  const test = new TestBroker();
  const client = test.open("a");
  client.sendBytes(Buffer.from("100c00044d51545404000000" + "0000", "hex"));
  expect(client.take()).toMatchObject([{ type: "connack", reasonCode: 2 }]);
  expect(client.isClosed).toBe(true);
});

test("MQTT-3.1.4-1: a malformed CONNECT of 5.0 is told so, one of 3.1.1 is closed", () => {
  const test = new TestBroker();
  // Connect flags with the reserved bit.
  const five = test.open("a", 5);
  five.sendBytes(Buffer.from("100e00044d51545405030000" + "00" + "000161", "hex"));
  expect(five.take()).toMatchObject([{ type: "connack", reasonCode: 0x81 }]);
  const four = test.open("a", 4);
  four.sendBytes(Buffer.from("100d00044d51545404030000" + "000161", "hex"));
  expect(four.take()).toEqual([]);
  expect([five.isClosed, four.isClosed]).toEqual([true, true]);
});

test("MQTT-3.2.2-22: what the broker does not change it does not mention, and it says what it accepts", async () => {
  const test = new TestBroker();
  const client = await test.connect("a", { protocolVersion: 5, keepAlive: 30 });
  expect(client.take()).toMatchObject([
    {
      properties: {
        serverKeepAlive: undefined,
        assignedClientIdentifier: undefined,
        sessionExpiryInterval: undefined,
        receiveMaximum: 100,
        topicAliasMaximum: 16,
        maximumPacketSize: 2_097_152,
        maximumQoS: undefined,
        retainAvailable: undefined,
        responseInformation: undefined,
      },
    },
  ]);
});

test("MQTT-3.1.2-28: no Response Information, asked for or not", async () => {
  const test = new TestBroker();
  for (const requestResponseInformation of [false, true]) {
    const client = await test.connect("a", { protocolVersion: 5, properties: { requestResponseInformation } });
    expect(client.take()).toMatchObject([{ properties: { responseInformation: undefined } }]);
  }
});

test("MQTT-3.2.2-19, -20: the reason string is left out where the client takes only small packets", async () => {
  const test = new TestBroker();
  test.denied.add("a connect a");
  const small = await test.connect("a", { protocolVersion: 5, properties: { maximumPacketSize: 10 } });
  const large = await test.connect("a", { protocolVersion: 5 });
  expect(small.take()).toMatchObject([{ properties: undefined }]);
  expect(large.take()).toMatchObject([{ properties: { reasonString: "not allowed: connect as a" } }]);
});

test("session expiry is capped, and the client is told (MQTT 5.0 §3.2.2.3.2)", async () => {
  const test = new TestBroker({ limits: { maximumSessionExpirySeconds: 60 } });
  const client = await test.connect("a", { protocolVersion: 5, properties: { sessionExpiryInterval: 0xffff_ffff } });
  expect(client.take()).toMatchObject([{ properties: { sessionExpiryInterval: 60 } }]);
});

test("a client identifier that connects too often is slowed down, others are not", async () => {
  const test = new TestBroker({ limits: { maximumConnectsPerSecond: 2 } });
  const codes: unknown[] = [];
  for (let count = 0; count < 3; count++) {
    const client = await test.connect("storm", { protocolVersion: 5 });
    codes.push(...client.take().map((packet) => (packet.type === "connack" ? packet.reasonCode : packet.type)));
  }
  expect(codes).toEqual([0, 0, 0x9f]);
  expect((await test.connect("other")).take()).toMatchObject([{ reasonCode: 0 }]);
  test.nowMs = 1000;
  expect((await test.connect("storm")).take()).toMatchObject([{ reasonCode: 0 }]);
});

test("an authenticator may answer at once: CONNACK then needs no later turn", () => {
  const test = new TestBroker({ authenticator: { authenticate: (peer) => ({ ok: true, principal: peer }) } });
  const client = test.open("a", 5);
  client.sendBytes(connect(5, "a"));
  expect(client.take()).toMatchObject([{ type: "connack", reasonCode: 0 }]);
});

test("a refusal carries the authenticator's code and words", async () => {
  const test = new TestBroker({
    authenticator: {
      authenticate: () => ({ ok: false, reason: "for the log", reasonCode: 0x86, reasonString: "wrong password" }),
    },
  });
  const five = await test.connect("a", { protocolVersion: 5 });
  expect(five.take()).toMatchObject([{ reasonCode: 0x86, properties: { reasonString: "wrong password" } }]);
  expect((await test.connect("a")).take()).toMatchObject([{ reasonCode: 4 }]);
  expect(test.lastClosed).toBe("not-authenticated: for the log");
});

test("an asynchronous authorizer holds packets and deliveries up, and loses none", async () => {
  const asked: string[] = [];
  const test = new TestBroker({
    authorizer: {
      decide: async (principal, action, name) => {
        asked.push(`${principal} ${action} ${name}`);
        await settled();
        return name !== "secret" || { isAllowed: false, reason: "secret" };
      },
    },
  });
  const drained = async (): Promise<void> => {
    for (let round = 0; round < 60; round++) {
      await settled();
      test.turn();
    }
  };
  const kitchen = await test.connect("kitchen", { protocolVersion: 5 });
  await drained();
  kitchen.subscribe(["#", "secret"]);
  await drained();
  expect(kitchen.take()).toMatchObject([{ type: "connack" }, { type: "suback", reasonCodes: [2, 0x87] }]);
  const button = await test.connect("button", { protocolVersion: 5 });
  await drained();
  button.publish("a", "1");
  button.publish("secret", "2", { qos: 1 });
  button.publish("b", "3", { qos: 1, packetIdentifier: 8 });
  await drained();
  expect(button.take()).toMatchObject([
    { type: "connack" },
    { type: "puback", packetIdentifier: 7, reasonCode: 0x87 },
    { type: "puback", packetIdentifier: 8, reasonCode: 0 },
  ]);
  expect(kitchen.messages()).toEqual(["a 1", "b 3"]);
  expect(asked).toContain("kitchen receive b");
});

test("an authenticator that never answers holds nobody up for longer than connectTimeoutMs, whatever the client sends meanwhile", async () => {
  const test = new TestBroker({ authenticator: { authenticate: () => new Promise(() => {}) } });
  const client = test.open("button");
  await client.connect("button");
  client.send({ type: "pingreq" });
  test.tick(test.broker.limits.connectTimeoutMs);
  expect(test.lastClosed).toBe("connect-timeout: no accepted CONNECT in time");
  expect(client.isClosed).toBe(true);
});
