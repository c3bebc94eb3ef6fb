/** CONNECT and CONNACK of MQTT 5.0, statement by statement. */

import { none, packet, properties } from "@latchkey/tooling-vitest/mqtt-octets";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ConformanceBroker, persistent, willOf } from "./conformance-broker.ts";
import { CoreListener } from "./core-listener.ts";

let broker: ConformanceBroker;
beforeAll(async () => {
  broker = await ConformanceBroker.start();
});
afterAll(() => broker[Symbol.asyncDispose]());

const kept = persistent(5);

test("MQTT-3.1.4-5, MQTT-3.2.0-1, MQTT-3.2.0-2, MQTT-3.2.2-1: one CONNACK 0 comes before all else, also where messages wait", async () => {
  const topic = broker.name();
  const away = await broker.subscriber(5, [topic], kept);
  await away.disconnect();
  const publisher = await broker.connect(5);
  await publisher.publish(topic, "waits", { qos: 1 });
  const back = await broker.open(5);
  back.send(
    { type: "connect", clientIdentifier: away.clientIdentifier, keepAlive: 0, cleanStart: false },
    { type: "pingreq" },
  );
  expect(await back.next()).toMatchObject({ type: "connack", reasonCode: 0, sessionPresent: true });
  const rest = [await back.next(), await back.next()].map(({ type }) => type);
  expect(rest.toSorted()).toEqual(["pingresp", "publish"]);
});

test("MQTT-3.1.2-5, MQTT-3.1.2-6, MQTT-3.2.2-2, MQTT-3.2.2-3: session present tells the truth", async () => {
  const first = await broker.connect(5, kept);
  expect(first.connack?.sessionPresent).toBe(false);
  await first.disconnect();
  const id = first.clientIdentifier;
  const second = await broker.connect(5, kept, id);
  expect(second.connack?.sessionPresent).toBe(true);
  await second.disconnect();
  const clean = await broker.connect(5, { ...kept, cleanStart: true }, id);
  expect(clean.connack?.sessionPresent).toBe(false);
});

test("MQTT-3.1.2-4, MQTT-3.1.4-4: Clean Start drops the session that was there, and begins anew", async () => {
  const topic = broker.name();
  const away = await broker.subscriber(5, [topic], kept);
  await away.disconnect();
  const publisher = await broker.connect(5);
  await publisher.publish(topic, "old", { qos: 1 });
  const clean = await broker.connect(5, { ...kept, cleanStart: true }, away.clientIdentifier);
  await publisher.publish(topic, "new", { qos: 1 });
  expect(await clean.drain()).toEqual([]);
});

test("MQTT-3.1.2-23, MQTT-4.1.0-1, MQTT-4.5.0-1: a session with an expiry is kept, with what came meanwhile", async () => {
  const topic = broker.name();
  const away = await broker.subscriber(5, [topic], kept);
  await away.disconnect();
  const publisher = await broker.connect(5);
  await publisher.publish(topic, "one", { qos: 1 });
  await publisher.publish(topic, "two", { qos: 2 });
  const back = await broker.connect(5, kept, away.clientIdentifier);
  expect(await back.messages()).toEqual([`${topic} one`, `${topic} two`]);
});

test("MQTT-4.1.0-2: without an expiry it ends with the connection", async () => {
  const first = await broker.subscriber(5, [broker.name()], { cleanStart: false });
  await first.disconnect();
  const second = await broker.connect(5, { cleanStart: false }, first.clientIdentifier);
  expect(second.connack?.sessionPresent).toBe(false);
});

describe("will", () => {
  const cases = ([0, 1, 2] as const).flatMap((qos) => [false, true].map((retain) => ({ qos, retain })));
  test.each(cases)(
    "MQTT-3.1.2-7, MQTT-3.1.2-8, MQTT-3.1.2-14, MQTT-3.1.2-15: published with QoS $qos, retained: $retain",
    async ({ qos, retain }) => {
      const topic = broker.name();
      const watcher = await broker.subscriber(5, [topic]);
      const client = await broker.connect(5, willOf(topic, { qos, retain }));
      await client.cut();
      expect(await watcher.message()).toMatchObject({ qos, payload: Buffer.from("gone"), retain: false });
      const later = await broker.connect(5);
      await later.subscribe([topic]);
      const found = (await later.drain()).map((one) => one.type === "publish" && one.retain);
      expect(found).toEqual(retain ? [true] : []);
    },
  );

  test("MQTT-3.1.2-10, MQTT-3.14.4-3: DISCONNECT 0 drops it, and DISCONNECT 4 publishes it", async () => {
    const topic = broker.name();
    const watcher = await broker.subscriber(5, [topic]);
    const leaving = await broker.connect(5, willOf(topic));
    await leaving.disconnect();
    expect(await watcher.drain()).toEqual([]);
    const asking = await broker.connect(5, willOf(topic));
    await asking.disconnect(0x04);
    expect(await watcher.message()).toMatchObject({ topicName: topic });
  });

  test("MQTT-3.1.3-10: its properties go with it, user properties in their order", async () => {
    const topic = broker.name();
    const watcher = await broker.subscriber(5, [topic]);
    const list = {
      payloadFormatIndicator: 1,
      contentType: "text/plain",
      responseTopic: "answers",
      correlationData: Buffer.from([1, 2]),
      userProperties: [
        ["b", "1"],
        ["a", "2"],
        ["b", "3"],
      ],
    } as const;
    const client = await broker.connect(5, { will: { ...willOf(topic).will, properties: list } });
    await client.cut();
    const { properties: found } = await watcher.message();
    expect(found).toMatchObject({ ...list, correlationData: Uint8Array.of(1, 2) });
  });

  test("MQTT-3.1.2-8: it waits for its delay where the session lasts, and Clean Start sends it at once", async () => {
    const topic = broker.name();
    const watcher = await broker.subscriber(5, [topic]);
    const properties = { willDelayInterval: 1000 };
    const client = await broker.connect(5, { ...kept, will: { ...willOf(topic).will, properties } });
    await client.cut();
    expect(await watcher.drain()).toEqual([]);
    await broker.connect(5, {}, client.clientIdentifier);
    expect(await watcher.message()).toMatchObject({ topicName: topic });
  });

  test("MQTT-3.1.3-9, MQTT-3.1.2-10: a client that comes back in time has sent no will", async () => {
    const topic = broker.name();
    const watcher = await broker.subscriber(5, [topic]);
    const properties = { willDelayInterval: 1000 };
    const client = await broker.connect(5, { ...kept, will: { ...willOf(topic).will, properties } });
    await client.cut();
    const back = await broker.connect(5, kept, client.clientIdentifier);
    expect(back.connack?.sessionPresent).toBe(true);
    await back.disconnect(0, 0);
    expect(await watcher.drain()).toEqual([]);
  });
});

describe("client identifiers", () => {
  test("MQTT-3.1.3-5: 1 to 23 letters and digits are accepted", async () => {
    for (const id of ["a", "0", "ABCDEFGHIJKLMNOPQRSTUVW", "XYZabcdefghijklmnopqrst", "uvwxyz0123456789ABCDEFG"]) {
      const client = await broker.connect(5, {}, id);
      expect(client.connack?.properties?.assignedClientIdentifier).toBeUndefined();
    }
  });

  test("MQTT-3.1.3-6, MQTT-3.1.3-7, MQTT-3.2.2-16: a client without one is given one that no session has, and finds its session by it", async () => {
    const [first, second] = [await broker.connect(5, kept, ""), await broker.connect(5, kept, "")];
    const given = [first, second].map(({ connack }) => connack?.properties?.assignedClientIdentifier ?? "");
    expect(new Set([...given, ""]).size).toBe(3);
    await first.disconnect();
    const back = await broker.connect(5, kept, given[0]);
    expect(back.connack?.sessionPresent).toBe(true);
  });

  test("MQTT-3.1.3-2: the client identifier, and it alone, names the session", async () => {
    const first = await broker.connect(5, kept, "Upper");
    await first.disconnect();
    expect((await broker.connect(5, kept, "upper")).connack?.sessionPresent).toBe(false);
    expect((await broker.connect(5, kept, "Upper")).connack?.sessionPresent).toBe(true);
  });

  test("MQTT-3.1.4-3: a second connection with the same one ends the first with DISCONNECT 0x8E, and its will is published", async () => {
    const topic = broker.name();
    const watcher = await broker.subscriber(5, [topic]);
    const first = await broker.connect(5, willOf(topic));
    const second = await broker.connect(5, {}, first.clientIdentifier);
    expect(await first.ended()).toMatchObject([{ type: "disconnect", reasonCode: 0x8e }]);
    expect(await watcher.message()).toMatchObject({ topicName: topic });
    expect(await second.drain()).toEqual([]);
  });

  test("MQTT-3.1.3-8: one that is too long for the broker is refused with 0x85", async () => {
    await using listener = await CoreListener.start({ limits: { maximumClientIdentifierOctets: 23 } });
    const client = await listener.open(5);
    expect(await client.connect("x".repeat(24))).toMatchObject({ reasonCode: 0x85, sessionPresent: false });
    expect(await client.ended()).toEqual([]);
  });
});

test("MQTT-3.1.3-1: will properties, topic and payload, user name and password are read in their order", async () => {
  const topic = broker.name();
  const watcher = await broker.subscriber(5, [topic]);
  const client = await broker.open(5);
  const list = properties(3, "text/plain");
  const payload = [broker.name(), list, topic, "last word", "user", "password"] as const;
  client.sendOctets(packet(0x10, "MQTT", 5, 0xc6, [0, 0], none, ...payload));
  expect(await client.next()).toMatchObject({ type: "connack", reasonCode: 0 });
  await client.cut();
  const expected = { payload: Buffer.from("last word"), properties: { contentType: "text/plain" } };
  expect(await watcher.message()).toMatchObject(expected);
});

test("MQTT-3.1.2-19: a password without a user name is allowed", async () => {
  const client = await broker.open(5);
  client.sendOctets(packet(0x10, "MQTT", 5, 0x42, [0, 0], none, broker.name(), "password"));
  expect(await client.next()).toMatchObject({ type: "connack", reasonCode: 0 });
});

test("MQTT-3.1.4-2, MQTT-3.1.4-6, MQTT-3.2.2-6, MQTT-3.2.2-7, MQTT-3.2.2-8: a client that the policy refuses gets 0x87, and nothing after it is processed", async () => {
  const topic = broker.name();
  const watcher = await broker.subscriber(5, [topic]);
  const client = await broker.open(5);
  client.send(
    { type: "connect", clientIdentifier: "denied", cleanStart: true },
    { type: "publish", topicName: topic, payload: Buffer.from("x"), retain: true },
  );
  expect(await client.ended()).toMatchObject([{ type: "connack", reasonCode: 0x87, sessionPresent: false }]);
  expect(await watcher.drain()).toEqual([]);
});

test("MQTT-3.1.2-28: no Response Information, asked for or not", async () => {
  for (const requestResponseInformation of [false, true]) {
    const client = await broker.connect(5, { properties: { requestResponseInformation } });
    expect(client.connack?.properties?.responseInformation).toBeUndefined();
  }
});

test("MQTT-3.2.2-19, MQTT-3.2.2-20: CONNACK has no reason string and no user property that the client's Maximum Packet Size forbids", async () => {
  const refused = async (maximumPacketSize?: number) => {
    const client = await broker.open(5);
    const connack = await client.connect("denied", { properties: { maximumPacketSize } });
    return { reasonString: connack.properties?.reasonString, octets: client.lastLength };
  };
  const whole = await refused();
  expect(whole.reasonString).toContain("not allowed");
  expect(await refused(whole.octets)).toEqual(whole);
  expect(await refused(whole.octets - 1)).toMatchObject({ reasonString: undefined });
});

test("MQTT-3.2.2-22: a keep alive that the broker leaves as it is, it does not mention", async () => {
  const client = await broker.connect(5, { keepAlive: 77 });
  expect(client.connack?.properties?.serverKeepAlive).toBeUndefined();
});

test("MQTT-3.1.2-21, MQTT-3.2.2-21: one that it caps is in CONNACK", async () => {
  await using listener = await CoreListener.start({ limits: { maximumKeepAliveSeconds: 60 } });
  expect((await listener.connect(5, { keepAlive: 77 })).connack?.properties?.serverKeepAlive).toBe(60);
  expect((await listener.connect(5, { keepAlive: 60 })).connack?.properties?.serverKeepAlive).toBeUndefined();
});

test("MQTT-1.5.4-3: U+FEFF is a character like any other, wherever it stands", async () => {
  const topic = `\uFEFF${broker.name()}/\uFEFF`;
  const subscriber = await broker.subscriber(5, [topic]);
  const publisher = await broker.connect(5, {}, `\uFEFF${broker.name()}`);
  await publisher.publish(topic, "x", { qos: 1 });
  await publisher.publish(topic.slice(1), "stripped", { qos: 1 });
  expect((await subscriber.drain()).map((one) => one.type === "publish" && one.topicName)).toEqual([topic]);
});

test.each([
  ["topic", { topicName: "x".repeat(101), payload: Buffer.from("gone") }, 0x90],
  ["payload", { topicName: "a", payload: Buffer.alloc(11) }, 0x95],
] as const)(
  "MQTT-3.1.4-2: a will whose %s is too large for the broker is refused, and the client is told",
  async (_, will, code) => {
    await using listener = await CoreListener.start({ limits: { maximumTopicOctets: 100, maximumPayloadOctets: 10 } });
    for (const [version, reasonCode] of [
      [5, code],
      [4, 5],
    ] as const) {
      const client = await listener.open(version);
      expect(await client.connect("a", { will })).toMatchObject({ reasonCode, sessionPresent: false });
      expect(await client.ended()).toEqual([]);
    }
  },
);

describe("a broker without QoS 2 (profile aws)", () => {
  const start = () => CoreListener.start({ profile: "aws" });

  test("MQTT-3.2.2-9, MQTT-3.2.2-10: CONNACK says Maximum QoS 1, and SUBSCRIBE with QoS 2 is granted 1", async () => {
    await using listener = await start();
    const client = await listener.connect(5);
    expect(client.connack?.properties?.maximumQoS).toBe(1);
    expect((await client.subscribe(["a"])).reasonCodes).toEqual([1]);
  });

  test("MQTT-3.2.2-11: PUBLISH with QoS 2 gets DISCONNECT 0x9B", async () => {
    await using listener = await start();
    const client = await listener.connect(5);
    client.send({ type: "publish", topicName: "a", qos: 2, packetIdentifier: 1 });
    expect(await client.ended()).toMatchObject([{ type: "disconnect", reasonCode: 0x9b }]);
  });

  test("MQTT-3.2.2-12: a will with QoS 2 is refused with 0x9B", async () => {
    await using listener = await start();
    const client = await listener.open(5);
    expect(await client.connect("a", willOf("a", { qos: 2 }))).toMatchObject({ reasonCode: 0x9b });
    expect(await client.ended()).toEqual([]);
  });
});
