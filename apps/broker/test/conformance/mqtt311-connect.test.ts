/** CONNECT, CONNACK, PING and DISCONNECT of MQTT 3.1.1, statement by statement. */

import { octets, packet } from "@latchkey/tooling-vitest/mqtt-octets";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ConformanceBroker, persistent, willOf } from "./conformance-broker.ts";
import type { WireClient } from "./wire-client.ts";

let broker: ConformanceBroker;
beforeAll(async () => {
  broker = await ConformanceBroker.start();
});
afterAll(() => broker[Symbol.asyncDispose]());

const kept = persistent(4);

test("MQTT-3.1.4-4, MQTT-3.2.0-1: CONNACK 0 comes before all else, also where messages wait", async () => {
  const topic = broker.name();
  const away = await broker.subscriber(4, [topic], kept);
  await away.disconnect();
  const publisher = await broker.connect(4);
  await publisher.publish(topic, "waits", { qos: 1 });
  const back = await broker.open(4);
  back.send(
    { type: "connect", clientIdentifier: away.clientIdentifier, keepAlive: 0, cleanStart: false },
    { type: "pingreq" },
  );
  expect(await back.next()).toMatchObject({ type: "connack", reasonCode: 0, sessionPresent: true });
  const rest = [await back.next(), await back.next()].map(({ type }) => type);
  expect(rest.toSorted()).toEqual(["pingresp", "publish"]);
});

test("MQTT-3.2.2-1, MQTT-3.2.2-2, MQTT-3.2.2-3: session present tells the truth", async () => {
  const first = await broker.connect(4, kept);
  expect(first.connack?.sessionPresent).toBe(false);
  await first.disconnect();
  const id = first.clientIdentifier;
  const second = await broker.connect(4, kept, id);
  expect(second.connack?.sessionPresent).toBe(true);
  await second.disconnect();
  const clean = await broker.connect(4, {}, id);
  expect(clean.connack?.sessionPresent).toBe(false);
  await clean.disconnect();
  const last = await broker.connect(4, kept, id);
  expect(last.connack?.sessionPresent).toBe(false);
});

test("MQTT-3.1.2-4, MQTT-3.1.2-5, MQTT-4.1.0-1: a kept session has its subscriptions and what came while it was away", async () => {
  const topic = broker.name();
  const away = await broker.subscriber(4, [topic], kept);
  await away.disconnect();
  const publisher = await broker.connect(4);
  await publisher.publish(topic, "one", { qos: 1 });
  await publisher.publish(topic, "two", { qos: 2 });
  const back = await broker.connect(4, kept, away.clientIdentifier);
  expect([(await back.message()).qos, (await back.message()).qos]).toEqual([1, 2]);
  await publisher.publish(topic, "three", { qos: 0 });
  expect(await back.messages()).toEqual([`${topic} three`]);
});

test("MQTT-3.1.2-6, MQTT-3.1.4-3: a clean session drops the earlier one and ends with its connection", async () => {
  const topic = broker.name();
  const away = await broker.subscriber(4, [topic], kept);
  await away.disconnect();
  const publisher = await broker.connect(4);
  await publisher.publish(topic, "one", { qos: 1 });
  const clean = await broker.connect(4, {}, away.clientIdentifier);
  expect(await clean.drain()).toEqual([]);
  await clean.subscribe([topic]);
  await clean.disconnect();
  await publisher.publish(topic, "two", { qos: 1 });
  const again = await broker.connect(4, kept, away.clientIdentifier);
  expect(again.connack?.sessionPresent).toBe(false);
  expect(await again.drain()).toEqual([]);
});

test("MQTT-4.1.0-2: a session lasts as long as its connection", async () => {
  const topic = broker.name();
  const subscriber = await broker.subscriber(4, [topic]);
  const publisher = await broker.connect(4);
  for (const text of ["one", "two"]) {
    await publisher.publish(topic, text, { qos: 1 });
    await subscriber.message();
  }
  expect(await subscriber.drain()).toEqual([]);
});

test("MQTT-3.1.2.7: a retained message stays when the session of its publisher ends", async () => {
  const topic = broker.name();
  const publisher = await broker.connect(4);
  await publisher.publish(topic, "stays", { qos: 1, retain: true });
  await publisher.disconnect();
  const subscriber = await broker.subscriber(4, [topic]);
  expect(await subscriber.message()).toMatchObject({ retain: true, payload: Buffer.from("stays") });
});

describe("will", () => {
  const cases = ([0, 1, 2] as const).flatMap((qos) => [false, true].map((retain) => ({ qos, retain })));
  test.each(cases)(
    "MQTT-3.1.2-8, MQTT-3.1.2-9, MQTT-3.1.2-16, MQTT-3.1.2-17: published with QoS $qos, retained: $retain",
    async ({ qos, retain }) => {
      const topic = broker.name();
      const watcher = await broker.subscriber(4, [topic]);
      const client = await broker.connect(4, willOf(topic, { qos, retain }));
      await client.cut();
      const expected = { topicName: topic, qos, payload: Buffer.from("gone") };
      // For a subscription that exists RETAIN is 0, whether the will is retained or not.
      expect(await watcher.message()).toMatchObject({ ...expected, retain: false });
      const later = await broker.connect(4);
      await later.subscribe([topic]);
      const found = (await later.drain()).map((one) => one.type === "publish" && one.retain);
      expect(found).toEqual(retain ? [true] : []);
    },
  );

  test("MQTT-3.1.2-10, MQTT-3.14.4-3: DISCONNECT drops it, and it is published once", async () => {
    const topic = broker.name();
    const watcher = await broker.subscriber(4, [topic]);
    const leaving = await broker.connect(4, willOf(topic));
    await leaving.disconnect();
    expect(await watcher.drain()).toEqual([]);
    // The same session comes back without a will: the old one is not published a second time.
    const lost = await broker.connect(4, { ...kept, ...willOf(topic) });
    await lost.cut();
    expect(await watcher.message()).toMatchObject({ topicName: topic });
    const back = await broker.connect(4, kept, lost.clientIdentifier);
    await back.cut();
    const last = await broker.connect(4, willOf(broker.name()), lost.clientIdentifier);
    await last.disconnect();
    expect(await watcher.drain()).toEqual([]);
  });

  test("MQTT-3.1.2-12: without a will nothing is published", async () => {
    const watcher = await broker.subscriber(4, ["#"]);
    await watcher.drain();
    const client = await broker.connect(4, {}, broker.name());
    await client.cut();
    // Its successor is accepted when the broker knows that it has gone.
    await broker.connect(4, {}, client.clientIdentifier);
    expect(await watcher.messages()).toEqual([]);
    await watcher.disconnect();
  });
});

describe("client identifiers", () => {
  test("MQTT-3.1.3-5: 1 to 23 letters and digits are accepted", async () => {
    for (const id of ["a", "0", "ABCDEFGHIJKLMNOPQRSTUVW", "XYZabcdefghijklmnopqrst", "uvwxyz0123456789ABCDEFG"]) {
      const client = await broker.connect(4, {}, id);
      expect(await client.drain()).toEqual([]);
    }
  });

  test("MQTT-3.1.3-6: a client without one is served, and each has its own", async () => {
    const [first, second] = [await broker.connect(4, {}, ""), await broker.connect(4, {}, "")];
    expect(await first.drain()).toEqual([]);
    expect(await second.drain()).toEqual([]);
  });

  test("MQTT-3.1.3-2: the client identifier, and it alone, names the session", async () => {
    const first = await broker.subscriber(4, [broker.name()], kept, "Upper");
    await first.disconnect();
    const other = await broker.connect(4, kept, "upper");
    expect(other.connack?.sessionPresent).toBe(false);
    const same = await broker.connect(4, kept, "Upper");
    expect(same.connack?.sessionPresent).toBe(true);
  });

  test("MQTT-3.1.4-2: a second connection with the same one ends the first, whose will is published", async () => {
    const topic = broker.name();
    const watcher = await broker.subscriber(4, [topic]);
    const first = await broker.connect(4, willOf(topic));
    const second = await broker.connect(4, {}, first.clientIdentifier);
    expect(await first.ended()).toEqual([]);
    expect(await watcher.message()).toMatchObject({ topicName: topic });
    expect(await second.drain()).toEqual([]);
  });
});

test("MQTT-3.1.3-1: will, user name and password are read in their order", async () => {
  const topic = broker.name();
  const watcher = await broker.subscriber(4, [topic]);
  const client = await broker.open(4);
  client.sendOctets(packet(0x10, "MQTT", 4, 0xc6, [0, 0], broker.name(), topic, "last word", "user", "password"));
  expect(await client.next()).toMatchObject({ type: "connack", reasonCode: 0 });
  await client.cut();
  expect((await watcher.message()).payload).toEqual(Buffer.from("last word"));
});

test("MQTT-3.1.4-5, MQTT-3.2.2-4, MQTT-3.2.2-5: what follows a refused CONNECT is not processed", async () => {
  const topic = broker.name();
  const watcher = await broker.subscriber(4, [topic]);
  const client = await broker.open(4);
  client.send(
    { type: "connect", clientIdentifier: "denied", cleanStart: true },
    { type: "publish", topicName: topic, payload: Buffer.from("x"), retain: true },
  );
  expect(await client.ended()).toMatchObject([{ type: "connack", reasonCode: 5, sessionPresent: false }]);
  expect(await watcher.drain()).toEqual([]);
});

test("MQTT-3.12.4-1: each PINGREQ is answered by PINGRESP", async () => {
  const client = await broker.connect(4);
  client.send({ type: "pingreq" }, { type: "pingreq" });
  expect([await client.next(), await client.next()]).toMatchObject([{ type: "pingresp" }, { type: "pingresp" }]);
});

test("MQTT-3.14.4-1, MQTT-3.14.4-2: after DISCONNECT the broker closes, and reads nothing more", async () => {
  const topic = broker.name();
  const watcher = await broker.subscriber(4, [topic]);
  const client: WireClient = await broker.connect(4);
  client.send(
    { type: "disconnect" },
    { type: "publish", topicName: topic, payload: Buffer.from("x") },
    { type: "pingreq" },
  );
  expect(await client.ended()).toEqual([]);
  expect(await watcher.drain()).toEqual([]);
});

test("MQTT-1.5.3-3: U+FEFF is a character like any other, wherever it stands", async () => {
  const topic = `\uFEFF${broker.name()}/\uFEFF`;
  const subscriber = await broker.subscriber(4, [topic]);
  const publisher = await broker.connect(4, {}, `\uFEFF${broker.name()}`);
  await publisher.publish(topic, "x", { qos: 1 });
  await publisher.publish(topic.slice(1), "stripped", { qos: 1 });
  expect((await subscriber.drain()).map((one) => one.type === "publish" && one.topicName)).toEqual([topic]);
});

test("MQTT-2.2.2-1: the broker's own packets have the flags of the table", async () => {
  const topic = broker.name();
  const client = await broker.subscriber(4, [topic]);
  const publisher = await broker.connect(4);
  // The decoder of the client refuses each packet whose flags are not these.
  await publisher.publish(topic, "x", { qos: 2 });
  expect((await client.message()).qos).toBe(2);
  client.sendOctets(packet(0xa2, [0, 9], topic), octets(0xc0, 0));
  expect([await client.next(), await client.next()].map(({ type }) => type)).toEqual(["unsuback", "pingresp"]);
});
