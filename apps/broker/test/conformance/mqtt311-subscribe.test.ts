/** SUBSCRIBE, UNSUBSCRIBE and the matching of topics in MQTT 3.1.1, statement by statement. */

import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ConformanceBroker, persistent } from "./conformance-broker.ts";

let broker: ConformanceBroker;
beforeAll(async () => {
  broker = await ConformanceBroker.start();
});
afterAll(() => broker[Symbol.asyncDispose]());

describe("SUBACK", () => {
  test("MQTT-3.8.4-1, MQTT-3.8.4-2, MQTT-2.3.1-7: SUBSCRIBE is answered with its identifier", async () => {
    const client = await broker.connect(4);
    for (const packetIdentifier of [1, 65_535, 1, 256]) {
      client.send({ type: "subscribe", packetIdentifier, subscriptions: [{ topicFilter: broker.name(), qos: 1 }] });
      expect(await client.next()).toMatchObject({ type: "suback", packetIdentifier, reasonCodes: [1] });
    }
  });

  test("MQTT-3.8.4-4, MQTT-3.8.4-5, MQTT-3.9.3-1, MQTT-3.9.3-2: one SUBACK, with a code of 0, 1, 2 or 0x80 for each filter in its order", async () => {
    const topic = broker.name();
    const client = await broker.connect(4);
    const suback = await client.subscribe([
      { topicFilter: `${topic}/2`, qos: 2 },
      { topicFilter: "denied/1", qos: 1 },
      { topicFilter: `${topic}/0`, qos: 0 },
      { topicFilter: `${topic}/1`, qos: 1 },
      { topicFilter: "denied/0", qos: 0 },
    ]);
    expect(suback.reasonCodes).toEqual([2, 0x80, 0, 1, 0x80]);
    const publisher = await broker.connect(4);
    for (const qos of [0, 1, 2]) await publisher.publish(`${topic}/${qos}`, "x", { qos: 1 });
    expect(await client.messages()).toEqual([0, 1, 2].map((qos) => `${topic}/${qos} x`));
  });

  test("MQTT-3.8.3-2: filters with wildcards are served, not refused", async () => {
    const client = await broker.connect(4);
    expect((await client.subscribe(["+", "#", "+/a/#", "/+"])).reasonCodes).toEqual([2, 2, 2, 2]);
  });
});

test("MQTT-3.8.4-6: the delivered QoS is the lower of published and granted", async () => {
  const publisher = await broker.connect(4);
  for (const granted of [0, 1, 2] as const) {
    const topic = broker.name();
    const client = await broker.subscriber(4, [{ topicFilter: topic, qos: granted }]);
    for (const published of [0, 1, 2] as const) {
      await publisher.publish(topic, "x", { qos: published });
      expect(await client.message()).toMatchObject({ qos: Math.min(granted, published) });
    }
  }
});

test("MQTT-3.8.4-3: the same filter again replaces the subscription, sends what is retained again, and loses nothing", async () => {
  const topic = broker.name();
  const publisher = await broker.connect(4);
  await publisher.publish(topic, "retained", { qos: 1, retain: true });
  const client = await broker.subscriber(4, [{ topicFilter: topic, qos: 2 }]);
  expect(await client.message()).toMatchObject({ retain: true, qos: 1 });
  client.send({ type: "subscribe", packetIdentifier: 9, subscriptions: [{ topicFilter: topic, qos: 0 }] });
  // Published while the subscription is replaced: it comes once, with the old QoS or the new one.
  await publisher.publish(topic, "live", { qos: 1 });
  const all = (await client.drain()).filter((one) => one.type === "publish");
  const texts = all.map(({ payload, retain }) => `${Buffer.from(payload).toString()} ${retain}`);
  expect(texts.toSorted()).toEqual(["live false", "retained true"]);
  await publisher.publish(topic, "after", { qos: 2 });
  expect(await client.message()).toMatchObject({ qos: 0, payload: Buffer.from("after") });
  expect(await client.drain()).toEqual([]);
});

test("MQTT-3.3.5-1: overlapping subscriptions are served with the highest QoS of those that match", async () => {
  const topic = broker.name();
  const client = await broker.subscriber(4, [
    { topicFilter: `${topic}/#`, qos: 0 },
    { topicFilter: `${topic}/+`, qos: 2 },
    { topicFilter: `${topic}/a`, qos: 1 },
  ]);
  const publisher = await broker.connect(4);
  await publisher.publish(`${topic}/a`, "x", { qos: 2 });
  expect(await client.message()).toMatchObject({ qos: 2 });
  expect(await client.drain()).toEqual([]);
});

describe("UNSUBSCRIBE", () => {
  test("MQTT-3.10.4-4, MQTT-3.10.4-5, MQTT-2.3.1-7: it is answered with its identifier, also where there was nothing", async () => {
    const client = await broker.connect(4);
    for (const packetIdentifier of [7, 65_535]) {
      client.send({ type: "unsubscribe", packetIdentifier, topicFilters: ["never/subscribed"] });
      expect(await client.next()).toMatchObject({ type: "unsuback", packetIdentifier });
    }
  });

  test("MQTT-3.10.4-1, MQTT-3.10.4-2, MQTT-3.10.4-6: exact filters are removed, several at once, and nothing new is added for them", async () => {
    const topic = broker.name();
    const client = await broker.subscriber(4, [`${topic}/+`, `${topic}/a/#`, `${topic}/b`]);
    const publisher = await broker.connect(4);
    client.send({ type: "unsubscribe", packetIdentifier: 5, topicFilters: [`${topic}/a`, `${topic}/#`] });
    await client.take("unsuback");
    for (const level of ["a", "b", "c"]) await publisher.publish(`${topic}/${level}`, "1", { qos: 1 });
    expect(await client.messages()).toEqual([`${topic}/a 1`, `${topic}/b 1`, `${topic}/c 1`]);
    client.send({ type: "unsubscribe", packetIdentifier: 6, topicFilters: [`${topic}/+`, `${topic}/b`] });
    await client.take("unsuback");
    for (const level of ["a", "b", "c"]) await publisher.publish(`${topic}/${level}`, "2", { qos: 1 });
    expect(await client.messages()).toEqual([`${topic}/a 2`]);
  });

  test("MQTT-3.10.4-3: deliveries of QoS 1 and 2 that were begun are completed", async () => {
    const topic = broker.name();
    const client = await broker.subscriber(4, [topic], persistent(4));
    const publisher = await broker.connect(4);
    await publisher.publish(topic, "one", { qos: 1 });
    await publisher.publish(topic, "two", { qos: 2 });
    const begun = (await client.drain()).map((one) => (one.type === "publish" ? one.packetIdentifier : 0));
    client.send({ type: "unsubscribe", packetIdentifier: 5, topicFilters: [topic] });
    await client.take("unsuback");
    await client.cut();
    const back = await broker.connect(4, persistent(4), client.clientIdentifier);
    expect([await back.message(), await back.message()].map((one) => one.packetIdentifier)).toEqual(begun);
    expect(await back.drain()).toEqual([]);
  });
});

describe("matching", () => {
  test("MQTT-3.3.2-3: what a subscriber gets matches its filter", async () => {
    const topic = broker.name();
    const publisher = await broker.connect(4);
    const names = ["", "/", "/a", "/a/b", "/a/b/c", "/b", "/A"].map((rest) => `${topic}${rest}`);
    for (const [filter, matching] of [
      ["", [""]],
      ["/+", ["/", "/a", "/b", "/A"]],
      ["/#", ["", "/", "/a", "/a/b", "/a/b/c", "/b", "/A"]],
      ["/a/+", ["/a/b"]],
      ["/a/#", ["/a", "/a/b", "/a/b/c"]],
      ["/+/b/#", ["/a/b", "/a/b/c"]],
      ["/+/+/c", ["/a/b/c"]],
    ] as const) {
      const subscriber = await broker.subscriber(4, [{ topicFilter: `${topic}${filter}`, qos: 0 }]);
      for (const name of names) await publisher.publish(name, "x", { qos: 1 });
      expect(await subscriber.messages()).toEqual(matching.map((rest) => `${topic}${rest} x`));
    }
  });

  test("MQTT-4.7.2-1: a filter that begins with a wildcard does not match a topic that begins with $", async () => {
    const topic = broker.name();
    const wild = await broker.subscriber(4, [`+/${topic}`, "#"]);
    await wild.drain();
    const exact = await broker.subscriber(4, [`$own/${topic}`, `$own/+/x`]);
    const publisher = await broker.connect(4);
    await publisher.publish(`$own/${topic}`, "x", { qos: 1 });
    expect(await exact.messages()).toEqual([`$own/${topic} x`]);
    expect(await wild.messages()).toEqual([]);
  });

  test("MQTT-4.7.3-4: names are compared as they are: case, composed characters, empty levels", async () => {
    const topic = broker.name();
    const names = ["é", "e\u0301", "É", "a", "A", "a/", "/a", " a", "ａ"].map((rest) => `${topic}/${rest}`);
    const publisher = await broker.connect(4);
    for (const name of names) {
      const subscriber = await broker.subscriber(4, [{ topicFilter: name, qos: 0 }]);
      for (const other of names) await publisher.publish(other, "x", { qos: 1 });
      expect(await subscriber.messages()).toEqual([`${name} x`]);
    }
  });

  test("MQTT-4.7.3-3: names and filters of 65,535 octets", async () => {
    const longest = "x".repeat(65_535);
    const subscriber = await broker.subscriber(4, [{ topicFilter: longest, qos: 1 }]);
    const publisher = await broker.connect(4);
    await publisher.publish(longest, "x", { qos: 1 });
    expect((await subscriber.message()).topicName).toHaveLength(65_535);
  });
});

test("MQTT-7.0.0-2: nothing beyond the standard is needed to use the broker", async () => {
  const topic = broker.name();
  const subscriber = await broker.connect(4);
  subscriber.send({ type: "subscribe", packetIdentifier: 1, subscriptions: [{ topicFilter: topic, qos: 1 }] });
  await subscriber.take("suback");
  const publisher = await broker.connect(4);
  publisher.send({ type: "publish", topicName: topic, payload: Buffer.from("x"), qos: 1, packetIdentifier: 1 });
  await publisher.take("puback");
  expect(await subscriber.messages()).toEqual([`${topic} x`]);
});
