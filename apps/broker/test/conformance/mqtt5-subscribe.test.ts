/** SUBSCRIBE, UNSUBSCRIBE, shared subscriptions and the matching of topics in MQTT 5.0, statement by statement. */

import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ConformanceBroker, persistent } from "./conformance-broker.ts";
import { messageText, type WireClient } from "./wire-client.ts";

let broker: ConformanceBroker;
beforeAll(async () => {
  broker = await ConformanceBroker.start();
});
afterAll(() => broker[Symbol.asyncDispose]());

const kept = persistent(5);

describe("SUBACK", () => {
  test("MQTT-3.8.4-1, MQTT-3.8.4-2, MQTT-2.2.1-6: SUBSCRIBE is answered with its identifier", async () => {
    const client = await broker.connect(5);
    for (const packetIdentifier of [1, 65_535, 1, 256]) {
      client.send({ type: "subscribe", packetIdentifier, subscriptions: [{ topicFilter: broker.name(), qos: 1 }] });
      expect(await client.next()).toMatchObject({ type: "suback", packetIdentifier, reasonCodes: [1] });
    }
  });

  test("MQTT-3.8.4-5, MQTT-3.8.4-6, MQTT-3.8.4-7, MQTT-3.9.3-1, MQTT-3.9.3-2: one SUBACK, with the granted QoS or the refusal of each filter in its order", async () => {
    const topic = broker.name();
    const client = await broker.connect(5);
    const suback = await client.subscribe([
      { topicFilter: `${topic}/2`, qos: 2 },
      { topicFilter: "denied/1", qos: 1 },
      { topicFilter: `${topic}/0`, qos: 0 },
      { topicFilter: `${topic}/1`, qos: 1 },
    ]);
    expect(suback.reasonCodes).toEqual([2, 0x87, 0, 1]);
    const publisher = await broker.connect(5);
    for (const qos of [0, 1, 2]) await publisher.publish(`${topic}/${qos}`, "x", { qos: 1 });
    expect(await client.messages()).toEqual([0, 1, 2].map((qos) => `${topic}/${qos} x`));
  });

  test("MQTT-3.9.2-1, MQTT-3.9.2-2: it has no reason string that the client's Maximum Packet Size forbids, and no user property", async () => {
    const refusal = async (maximumPacketSize?: number) => {
      const client = await broker.connect(5, { properties: { maximumPacketSize } });
      const { reasonCodes, properties } = await client.subscribe(["denied/topic"]);
      return { reasonCodes, properties, octets: client.lastLength };
    };
    const whole = await refusal();
    expect(whole).toMatchObject({ reasonCodes: [0x87], properties: { userProperties: [] } });
    expect(whole.properties?.reasonString).toContain("denied/topic");
    expect(await refusal(whole.octets)).toEqual(whole);
    const small = await refusal(whole.octets - 1);
    expect([small.reasonCodes, small.properties?.reasonString]).toEqual([[0x87], undefined]);
  });
});

test("MQTT-3.8.4-8: the delivered QoS is the lower of published and granted", async () => {
  const publisher = await broker.connect(5);
  for (const granted of [0, 1, 2] as const) {
    const topic = broker.name();
    const client = await broker.subscriber(5, [{ topicFilter: topic, qos: granted }]);
    for (const published of [0, 1, 2] as const) {
      await publisher.publish(topic, "x", { qos: published });
      expect(await client.message()).toMatchObject({ qos: Math.min(granted, published) });
    }
  }
});

test("MQTT-3.8.4-3, MQTT-3.8.4-4: the same filter again replaces the options, sends what is retained again, and loses nothing", async () => {
  const topic = broker.name();
  const publisher = await broker.connect(5);
  await publisher.publish(topic, "retained", { qos: 1, retain: true });
  const client = await broker.subscriber(5, [{ topicFilter: topic, qos: 2 }]);
  expect(await client.message()).toMatchObject({ retain: true, qos: 1 });
  client.send({ type: "subscribe", packetIdentifier: 9, subscriptions: [{ topicFilter: topic, qos: 0 }] });
  await publisher.publish(topic, "live", { qos: 1 });
  const all = (await client.drain()).filter((one) => one.type === "publish");
  const texts = all.map(({ payload, retain }) => `${Buffer.from(payload).toString()} ${retain}`);
  expect(texts.toSorted()).toEqual(["live false", "retained true"]);
  await publisher.publish(topic, "after", { qos: 2 });
  expect(await client.message()).toMatchObject({ qos: 0, payload: Buffer.from("after") });
  expect(await client.drain()).toEqual([]);
});

test("MQTT-3.8.3-3: No Local keeps a client's own messages from it, and no others", async () => {
  const topic = broker.name();
  const client = await broker.subscriber(5, [{ topicFilter: topic, qos: 1, noLocal: true }]);
  const other = await broker.connect(5);
  await client.publish(topic, "own", { qos: 1 });
  await other.publish(topic, "another's", { qos: 1 });
  expect(await client.messages()).toEqual([`${topic} another's`]);
});

describe("overlapping subscriptions", () => {
  test("MQTT-3.3.4-2, MQTT-3.3.4-3, MQTT-3.3.4-4, MQTT-3.3.4-5: the highest QoS, and all identifiers of those that match", async () => {
    const topic = broker.name();
    const client = await broker.connect(5);
    await client.subscribe([{ topicFilter: `${topic}/#`, qos: 0 }], 3);
    await client.subscribe([{ topicFilter: `${topic}/+`, qos: 2 }], 268_435_455);
    await client.subscribe([{ topicFilter: `${topic}/a`, qos: 1 }]);
    await client.subscribe([{ topicFilter: `${topic}/b`, qos: 1 }], 4);
    const publisher = await broker.connect(5);
    await publisher.publish(`${topic}/a`, "x", { qos: 2 });
    const message = await client.message();
    expect(message.qos).toBe(2);
    expect(message.properties?.subscriptionIdentifiers.toSorted((a, b) => a - b)).toEqual([3, 268_435_455]);
    expect(await client.drain()).toEqual([]);
  });
});

describe("UNSUBSCRIBE", () => {
  test("MQTT-3.10.4-4, MQTT-3.10.4-5, MQTT-2.2.1-6, MQTT-3.11.3-1, MQTT-3.11.3-2: UNSUBACK has its identifier and a code for each filter in its order, 0x11 where there was nothing", async () => {
    const topic = broker.name();
    const client = await broker.subscriber(5, [topic]);
    const topicFilters = ["never", topic, "never/either"];
    client.send({ type: "unsubscribe", packetIdentifier: 65_535, topicFilters });
    const expected = { type: "unsuback", packetIdentifier: 65_535, reasonCodes: [0x11, 0, 0x11] };
    expect(await client.next()).toMatchObject(expected);
  });

  test("MQTT-3.11.2-1, MQTT-3.11.2-2: it has no reason string and no user property, so none is too large", async () => {
    const client = await broker.connect(5);
    client.send({ type: "unsubscribe", packetIdentifier: 1, topicFilters: ["never"] });
    await client.take("unsuback");
    // First octet, remaining length, identifier, property length 0, reason code.
    expect(client.lastLength).toBe(6);
  });

  test("MQTT-3.10.4-1, MQTT-3.10.4-2, MQTT-3.10.4-6: exact filters are removed, several at once, and nothing new is added for them", async () => {
    const topic = broker.name();
    const client = await broker.subscriber(5, [`${topic}/+`, `${topic}/a/#`, `${topic}/b`]);
    const publisher = await broker.connect(5);
    client.send({ type: "unsubscribe", packetIdentifier: 5, topicFilters: [`${topic}/a`, `${topic}/#`] });
    expect((await client.take("unsuback")).reasonCodes).toEqual([0x11, 0x11]);
    client.send({ type: "unsubscribe", packetIdentifier: 6, topicFilters: [`${topic}/+`, `${topic}/b`] });
    expect((await client.take("unsuback")).reasonCodes).toEqual([0, 0]);
    for (const level of ["a", "b", "c"]) await publisher.publish(`${topic}/${level}`, "x", { qos: 1 });
    expect(await client.messages()).toEqual([`${topic}/a x`]);
  });

  test("MQTT-3.10.4-3: deliveries of QoS 1 and 2 that were begun are completed", async () => {
    const topic = broker.name();
    const client = await broker.subscriber(5, [topic], kept);
    const publisher = await broker.connect(5);
    await publisher.publish(topic, "one", { qos: 1 });
    await publisher.publish(topic, "two", { qos: 2 });
    const begun = (await client.drain()).map((one) => (one.type === "publish" ? one.packetIdentifier : 0));
    client.send({ type: "unsubscribe", packetIdentifier: 5, topicFilters: [topic] });
    await client.take("unsuback");
    await client.cut();
    const back = await broker.connect(5, kept, client.clientIdentifier);
    expect([await back.message(), await back.message()].map((one) => one.packetIdentifier)).toEqual(begun);
    expect(await back.drain()).toEqual([]);
  });
});

describe("shared subscriptions", () => {
  const members = async (filter: string, fields = {}): Promise<[WireClient, WireClient]> => [
    await broker.subscriber(5, [{ topicFilter: filter, qos: 2 }], fields),
    await broker.subscriber(5, [{ topicFilter: filter, qos: 2 }], fields),
  ];

  test("MQTT-4.8.2-1, MQTT-4.8.2-2: each message goes to one member of a group, and to each group", async () => {
    const topic = broker.name();
    const [first, second] = await members(`$share/group/${topic}/#`);
    const other = await broker.subscriber(5, [{ topicFilter: `$share/other/${topic}/#`, qos: 1 }]);
    const publisher = await broker.connect(5);
    const texts = Array.from({ length: 20 }, (_, index) => `${topic}/a ${index}`);
    for (const text of texts) await publisher.publish(`${topic}/a`, text.split(" ")[1] ?? "", { qos: 1 });
    const [ofFirst, ofSecond] = [await first.messages(), await second.messages()];
    expect(ofFirst.length).toBeGreaterThan(0);
    expect(ofSecond.length).toBeGreaterThan(0);
    expect([...ofFirst, ...ofSecond].toSorted()).toEqual(texts.toSorted());
    expect(await other.messages()).toEqual(texts);
  });

  test("MQTT-4.8.2-3: the QoS of the member that was chosen holds", async () => {
    const topic = broker.name();
    await broker.subscriber(5, [{ topicFilter: topic, qos: 2 }]);
    const member = await broker.subscriber(5, [{ topicFilter: `$share/group/${topic}`, qos: 0 }]);
    const publisher = await broker.connect(5);
    await publisher.publish(topic, "x", { qos: 2 });
    expect(await member.message()).toMatchObject({ qos: 0 });
  });

  /** A member that has a QoS 2 message without having answered it, and the other one. */
  const begun = async (topic: string): Promise<{ chosen: WireClient; other: WireClient }> => {
    const [first, second] = await members(`$share/group/${topic}`, kept);
    const publisher = await broker.connect(5);
    await publisher.publish(topic, "begun", { qos: 2 });
    const ofFirst = await first.messages();
    expect([...ofFirst, ...(await second.messages())]).toEqual([`${topic} begun`]);
    return ofFirst.length > 0 ? { chosen: first, other: second } : { chosen: second, other: first };
  };

  test("MQTT-4.8.2-4: QoS 2 that was begun is finished with its member when it comes back", async () => {
    const { chosen, other } = await begun(broker.name());
    await chosen.cut();
    expect(await other.drain()).toEqual([]);
    const back = await broker.connect(5, kept, chosen.clientIdentifier);
    expect(await back.message()).toMatchObject({ qos: 2, dup: true });
    expect(await other.drain()).toEqual([]);
  });

  test("MQTT-4.8.2-5: and goes to no other where its session ends first", async () => {
    const { chosen, other } = await begun(broker.name());
    await chosen.disconnect(0, 0);
    expect(await other.drain()).toEqual([]);
    expect((await broker.connect(5, kept, chosen.clientIdentifier)).connack?.sessionPresent).toBe(false);
  });

  test("MQTT-4.8.2-6: a message that a member refuses goes to no other", async () => {
    const topic = broker.name();
    const [first, second] = await members(`$share/group/${topic}`);
    const publisher = await broker.connect(5);
    for (const qos of [1, 2] as const) {
      await publisher.publish(topic, `${qos}`, { qos });
      const ofFirst = (await first.drain()).filter((one) => one.type === "publish");
      const ofSecond = (await second.drain()).filter((one) => one.type === "publish");
      const [message] = [...ofFirst, ...ofSecond];
      const [chosen, other] = ofFirst.length > 0 ? [first, second] : [second, first];
      const { packetIdentifier = 0 } = message ?? {};
      chosen.send({ type: qos === 1 ? "puback" : "pubrec", packetIdentifier, reasonCode: 0x83 });
      expect(await chosen.drain()).toEqual([]);
      expect(await other.drain()).toEqual([]);
    }
  });
});

describe("matching", () => {
  test("MQTT-3.3.2-3: what a subscriber gets matches its filter", async () => {
    const topic = broker.name();
    const publisher = await broker.connect(5);
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
      const subscriber = await broker.subscriber(5, [{ topicFilter: `${topic}${filter}`, qos: 0 }]);
      for (const name of names) await publisher.publish(name, "x", { qos: 1 });
      expect(await subscriber.messages()).toEqual(matching.map((rest) => `${topic}${rest} x`));
    }
  });

  test("MQTT-4.7.2-1: a filter that begins with a wildcard does not match a topic that begins with $", async () => {
    const topic = broker.name();
    const wild = await broker.subscriber(5, [`+/${topic}`, "#"]);
    await wild.drain();
    const exact = await broker.subscriber(5, [`$own/${topic}`]);
    const publisher = await broker.connect(5);
    await publisher.publish(`$own/${topic}`, "x", { qos: 1 });
    expect(messageText(await exact.message())).toBe(`$own/${topic} x`);
    expect(await wild.messages()).toEqual([]);
  });

  test("MQTT-4.7.3-4: names are compared as they are: case, composed characters, empty levels", async () => {
    const topic = broker.name();
    const names = ["é", "e\u0301", "É", "a", "A", "a/", "/a", " a", "ａ"].map((rest) => `${topic}/${rest}`);
    const publisher = await broker.connect(5);
    for (const name of names) {
      const subscriber = await broker.subscriber(5, [{ topicFilter: name, qos: 0 }]);
      for (const other of names) await publisher.publish(other, "x", { qos: 1 });
      expect(await subscriber.messages()).toEqual([`${name} x`]);
    }
  });

  test("MQTT-4.7.3-3: names and filters of 65,535 octets", async () => {
    const longest = "x".repeat(65_535);
    const subscriber = await broker.subscriber(5, [{ topicFilter: longest, qos: 1 }]);
    const publisher = await broker.connect(5);
    await publisher.publish(longest, "x", { qos: 1 });
    expect((await subscriber.message()).topicName).toHaveLength(65_535);
  });
});
