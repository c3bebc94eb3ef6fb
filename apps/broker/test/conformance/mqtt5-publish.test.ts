/** PUBLISH of MQTT 5.0, its properties and its flow, statement by statement. */

import { none, octets, packet, properties } from "@latchkey/tooling-vitest/mqtt-octets";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ConformanceBroker, persistent } from "./conformance-broker.ts";
import { CoreListener } from "./core-listener.ts";
import { messageText } from "./wire-client.ts";

let broker: ConformanceBroker;
beforeAll(async () => {
  broker = await ConformanceBroker.start();
});
afterAll(() => broker[Symbol.asyncDispose]());

const kept = persistent(5);

test("MQTT-2.2.1-2, MQTT-2.2.2-1, MQTT-4.3.1-1, MQTT-3.3.4-1: QoS 0 goes out with QoS 0, DUP 0, no identifier and a property length, and is not answered", async () => {
  const topic = broker.name();
  const subscriber = await broker.subscriber(5, [topic]);
  const publisher = await broker.connect(5);
  publisher.sendOctets(packet(0x30, topic, none, [0, 1, 0x78]));
  expect(await publisher.drain()).toEqual([]);
  const expected = { qos: 0, dup: false, packetIdentifier: 0, payload: Buffer.from([0, 1, 0x78]) };
  expect(await subscriber.message()).toMatchObject(expected);
  // First octet, remaining length, topic with its length, property length 0, payload.
  expect(subscriber.lastLength).toBe(2 + 2 + topic.length + 1 + 3);
});

describe("properties", () => {
  test("MQTT-3.3.2-4, MQTT-3.3.2-15, MQTT-3.3.2-16, MQTT-3.3.2-17, MQTT-3.3.2-18, MQTT-3.3.2-20: they pass unaltered, user properties in their order", async () => {
    const list = {
      payloadFormatIndicator: 0,
      responseTopic: "answers/é",
      correlationData: Uint8Array.of(0, 255, 1),
      contentType: "application/x-own",
      userProperties: [
        ["z", "1"],
        ["a", ""],
        ["", "3"],
        ["z", "1"],
        ["a", "\uFEFF"],
      ],
    } as const;
    for (const payloadFormatIndicator of [0, 1] as const) {
      const topic = broker.name();
      const subscriber = await broker.subscriber(5, [topic]);
      const publisher = await broker.connect(5);
      await publisher.publish(topic, "x", { qos: 1, properties: { ...list, payloadFormatIndicator } });
      const { properties: found } = await subscriber.message();
      expect(found).toMatchObject({ ...list, payloadFormatIndicator });
    }
  });

  test("MQTT-3.3.2-17, MQTT-3.3.2-18: and so do those of a retained message and of one that waited", async () => {
    const topic = broker.name();
    const userProperties = [
      ["b", "1"],
      ["a", "2"],
    ] as const;
    const away = await broker.subscriber(5, [topic], kept);
    await away.disconnect();
    const publisher = await broker.connect(5);
    await publisher.publish(topic, "x", { qos: 1, retain: true, properties: { userProperties } });
    const back = await broker.connect(5, kept, away.clientIdentifier);
    const fresh = await broker.subscriber(5, [topic]);
    for (const client of [back, fresh]) {
      expect((await client.message()).properties?.userProperties).toEqual(userProperties);
    }
  });

  test("MQTT-3.3.2-6: Message Expiry Interval goes on to a subscriber that is there", async () => {
    const topic = broker.name();
    const subscriber = await broker.subscriber(5, [topic]);
    const publisher = await broker.connect(5);
    await publisher.publish(topic, "x", { qos: 1, properties: { messageExpiryInterval: 500 } });
    expect((await subscriber.message()).properties?.messageExpiryInterval).toBeOneOf([499, 500]);
  });
});

describe("retained messages", () => {
  test("MQTT-3.3.1-5, MQTT-3.3.1-8, MQTT-3.3.1-9: RETAIN 1 replaces what is retained, RETAIN 0 does not touch it", async () => {
    const topic = broker.name();
    const publisher = await broker.connect(5);
    await publisher.publish(topic, "old", { qos: 2, retain: true });
    await publisher.publish(topic, "new", { qos: 1, retain: true });
    await publisher.publish(topic, "passes", { qos: 1 });
    await publisher.publish(topic, "", { qos: 1 });
    const subscriber = await broker.subscriber(5, [topic]);
    expect(await subscriber.message()).toMatchObject({ retain: true, qos: 1, payload: Buffer.from("new") });
    expect(await subscriber.drain()).toEqual([]);
  });

  test("MQTT-3.3.1-6, MQTT-3.3.1-7: an empty one is delivered, removes what was there, and is not stored", async () => {
    const topic = broker.name();
    const publisher = await broker.connect(5);
    await publisher.publish(topic, "x", { qos: 1, retain: true });
    const present = await broker.subscriber(5, [topic]);
    await present.message();
    await publisher.publish(topic, "", { qos: 1, retain: true });
    expect(await present.messages()).toEqual([`${topic} `]);
    const later = await broker.subscriber(5, [topic]);
    expect(await later.drain()).toEqual([]);
  });

  test("MQTT-3.3.1-9, MQTT-3.3.1-10, MQTT-3.3.1-11: Retain Handling 0 sends them each time, 1 for a new subscription, 2 never", async () => {
    const topic = broker.name();
    const publisher = await broker.connect(5);
    await publisher.publish(topic, "x", { qos: 1, retain: true });
    for (const [retainHandling, times] of [
      [0, [1, 1]],
      [1, [1, 0]],
      [2, [0, 0]],
    ] as const) {
      const subscriber = await broker.connect(5);
      const seen: number[] = [];
      for (const _ of times) {
        await subscriber.subscribe([{ topicFilter: topic, qos: 1, retainHandling }]);
        seen.push((await subscriber.drain()).length);
      }
      expect(seen).toEqual(times);
    }
  });

  test("MQTT-3.3.1-12, MQTT-3.3.1-13: Retain As Published 0 clears RETAIN, 1 keeps it", async () => {
    const topic = broker.name();
    const [cleared, kept] = [
      await broker.subscriber(5, [{ topicFilter: topic, qos: 1 }]),
      await broker.subscriber(5, [{ topicFilter: topic, qos: 1, retainAsPublished: true }]),
    ];
    const publisher = await broker.connect(5);
    for (const retain of [true, false]) {
      await publisher.publish(topic, "x", { qos: 1, retain });
      expect([(await cleared.message()).retain, (await kept.message()).retain]).toEqual([false, retain]);
    }
  });
});

describe("topic aliases", () => {
  test("MQTT-3.3.2-12, MQTT-3.3.2-9: aliases from 1 to the maximum stand for their topics, and can be set anew", async () => {
    const topic = broker.name();
    const subscriber = await broker.subscriber(5, [`${topic}/+`]);
    const publisher = await broker.connect(5);
    const maximum = publisher.connack?.properties?.topicAliasMaximum ?? 0;
    expect(maximum).toBeGreaterThan(1);
    for (const topicAlias of [1, maximum]) {
      const list = { topicAlias };
      await publisher.publish(`${topic}/a${topicAlias}`, "set", { qos: 1, properties: list });
      await publisher.publish("", "used", { qos: 1, properties: list });
    }
    await publisher.publish(`${topic}/b`, "anew", { qos: 1, properties: { topicAlias: 1 } });
    await publisher.publish("", "used", { qos: 1, properties: { topicAlias: 1 } });
    expect(await subscriber.messages()).toEqual([
      `${topic}/a1 set`,
      `${topic}/a1 used`,
      `${topic}/a${maximum} set`,
      `${topic}/a${maximum} used`,
      `${topic}/b anew`,
      `${topic}/b used`,
    ]);
  });

  test("MQTT-3.2.2-17: one above the maximum gets DISCONNECT 0x94", async () => {
    const client = await broker.connect(5);
    const topicAlias = (client.connack?.properties?.topicAliasMaximum ?? 0) + 1;
    client.send({ type: "publish", topicName: "a", properties: { topicAlias } });
    expect(await client.ended()).toMatchObject([{ type: "disconnect", reasonCode: 0x94 }]);
  });

  test("MQTT-3.2.2-18: where the maximum is 0, each topic alias gets 0x94", async () => {
    await using listener = await CoreListener.start({ limits: { topicAliasMaximum: 0 } });
    const client = await listener.connect(5);
    expect(client.connack?.properties?.topicAliasMaximum ?? 0).toBe(0);
    client.send({ type: "publish", topicName: "a", properties: { topicAlias: 1 } });
    expect(await client.ended()).toMatchObject([{ type: "disconnect", reasonCode: 0x94 }]);
  });

  test("MQTT-3.3.2-7: they end with the connection, also where the session goes on", async () => {
    const first = await broker.connect(5, kept);
    await first.publish(broker.name(), "x", { qos: 1, properties: { topicAlias: 1 } });
    await first.disconnect();
    const second = await broker.connect(5, kept, first.clientIdentifier);
    second.send({ type: "publish", topicName: "", properties: { topicAlias: 1 } });
    expect(await second.ended()).toMatchObject([{ type: "disconnect", reasonCode: 0x82 }]);
  });

  test("MQTT-3.1.2-26, MQTT-3.3.2-11, MQTT-3.3.2-10: the broker sets no more than the client allows, and each stands for its topic", async () => {
    const topic = broker.name();
    const subscriber = await broker.connect(5, { properties: { topicAliasMaximum: 2 } });
    await subscriber.subscribe([{ topicFilter: `${topic}/+`, qos: 0 }]);
    const publisher = await broker.connect(5);
    const names = ["a", "b", "c", "a", "b", "c"].map((level) => `${topic}/${level}`);
    const known = new Map<number, string>();
    for (const name of names) {
      await publisher.publish(name, "x", { qos: 1 });
      const { topicName, properties: found } = await subscriber.message();
      const alias = found?.topicAlias;
      expect(alias ?? 1).toBeLessThanOrEqual(2);
      if (alias !== undefined && topicName !== "") known.set(alias, topicName);
      expect(topicName === "" ? known.get(alias ?? 0) : topicName).toBe(name);
    }
    expect(known.size).toBe(2);
  });

  test("MQTT-3.1.2-27: none where the client allows none", async () => {
    const topic = broker.name();
    const publisher = await broker.connect(5);
    for (const topicAliasMaximum of [undefined, 0]) {
      const subscriber = await broker.subscriber(5, [topic], { properties: { topicAliasMaximum } });
      await publisher.publish(topic, "x", { qos: 1 });
      await publisher.publish(topic, "x", { qos: 1 });
      for (const one of [await subscriber.message(), await subscriber.message()]) {
        expect([one.topicName, one.properties?.topicAlias]).toEqual([topic, undefined]);
      }
    }
  });
});

describe("Maximum Packet Size", () => {
  test("MQTT-3.1.2-24, MQTT-3.1.2-25: a message that is too large for one client is dropped for it alone, and counts as sent", async () => {
    const topic = broker.name();
    const list = { maximumPacketSize: 100, receiveMaximum: 1 };
    const small = await broker.subscriber(5, [topic], { properties: list });
    const large = await broker.subscriber(5, [topic]);
    const publisher = await broker.connect(5);
    for (const qos of [0, 1, 2] as const) await publisher.publish(topic, "x".repeat(100), { qos });
    await publisher.publish(topic, "small", { qos: 1 });
    expect(messageText(await small.message())).toBe(`${topic} small`);
    expect(await large.messages()).toHaveLength(4);
  });

  test("MQTT-3.2.2-15: a client that sends more than the broker takes gets DISCONNECT 0x95 for the header alone", async () => {
    const client = await broker.connect(5);
    const maximum = client.connack?.properties?.maximumPacketSize ?? 0;
    expect(maximum).toBe(2 * 1024 * 1024);
    client.sendOctets(octets(0x30, [0x80, 0x80, 0x80, 0x01]));
    expect(await client.ended()).toMatchObject([{ type: "disconnect", reasonCode: 0x95 }]);
  });
});

describe("flow control", () => {
  test("MQTT-3.3.4-9, MQTT-3.3.4-10, MQTT-4.9.0-1, MQTT-4.9.0-2, MQTT-4.9.0-3: no more than the client's Receive Maximum is in flight, and all else goes on", async () => {
    const topic = broker.name();
    const subscriber = await broker.subscriber(5, [topic], { properties: { receiveMaximum: 2 } });
    const publisher = await broker.connect(5);
    for (const text of ["1", "2", "3", "4"]) await publisher.publish(topic, text, { qos: 2 });
    const [first, second, ...more] = (await subscriber.drain()).filter((one) => one.type === "publish");
    if (first === undefined || second === undefined) throw new Error("two messages are allowed");
    expect(more).toEqual([]);
    // QoS 0, SUBACK and PUBREL are not counted.
    await publisher.publish(topic, "0", { qos: 0 });
    expect(messageText(await subscriber.take("publish"))).toBe(`${topic} 0`);
    await subscriber.subscribe([broker.name()]);
    subscriber.send({ type: "pubrec", packetIdentifier: first.packetIdentifier });
    expect(await subscriber.drain()).toMatchObject([{ type: "pubrel" }]);
    subscriber.send({ type: "pubcomp", packetIdentifier: first.packetIdentifier });
    expect(await subscriber.messages()).toEqual([`${topic} 3`]);
    // A PUBREC that refuses ends the exchange.
    subscriber.send({ type: "pubrec", packetIdentifier: second.packetIdentifier, reasonCode: 0x80 });
    expect(await subscriber.messages()).toEqual([`${topic} 4`]);
  });

  test("MQTT-3.3.4-9: the quota holds for what is sent again, too", async () => {
    const topic = broker.name();
    const list = { properties: { sessionExpiryInterval: 1000, receiveMaximum: 5 }, cleanStart: false } as const;
    const subscriber = await broker.subscriber(5, [topic], list);
    const publisher = await broker.connect(5);
    for (const text of ["1", "2", "3"]) await publisher.publish(topic, text, { qos: 1 });
    expect(await subscriber.messages()).toHaveLength(3);
    await subscriber.cut();
    const one = { properties: { sessionExpiryInterval: 1000, receiveMaximum: 1 }, cleanStart: false } as const;
    const back = await broker.connect(5, one, subscriber.clientIdentifier);
    for (const text of ["1", "2", "3"]) {
      const [found, ...more] = (await back.drain()).filter((one) => one.type === "publish");
      expect([Buffer.from(found?.payload ?? []).toString(), more.length]).toEqual([text, 0]);
      back.send({ type: "puback", packetIdentifier: found?.packetIdentifier ?? 0 });
    }
  });

  test("MQTT-3.3.4-7, MQTT-3.3.4-8: a client that goes above the broker's gets DISCONNECT 0x93; a repeat takes no second place", async () => {
    const client = await broker.connect(5);
    const maximum = client.connack?.properties?.receiveMaximum ?? 0;
    const message = { type: "publish", topicName: broker.name(), qos: 2 } as const;
    for (let packetIdentifier = 1; packetIdentifier <= maximum; packetIdentifier++) {
      client.send({ ...message, packetIdentifier });
      await client.take("pubrec");
    }
    client.send({ ...message, packetIdentifier: maximum, dup: true });
    await client.take("pubrec");
    client.send({ ...message, packetIdentifier: maximum + 1 });
    expect(await client.ended()).toMatchObject([{ type: "disconnect", reasonCode: 0x93 }]);
  });
});

describe("order", () => {
  test.each([0, 1, 2] as const)(
    "MQTT-4.6.0-5, MQTT-4.6.0-6: messages of one publisher and topic come in their order, QoS %i",
    async (qos) => {
      const topic = broker.name();
      const subscriber = await broker.subscriber(5, [topic]);
      const publisher = await broker.connect(5);
      const texts = Array.from({ length: 50 }, (_, index) => `${index}`);
      const list = properties(3, "text/plain");
      publisher.sendOctets(
        ...texts.map((text, index) =>
          packet(0x30 | (qos << 1), topic, qos === 0 ? [] : [0, index + 1], list, Buffer.from(text)),
        ),
      );
      const seen: string[] = [];
      for (const _ of texts) seen.push(Buffer.from((await subscriber.take("publish")).payload).toString());
      expect(seen).toEqual(texts);
    },
  );
});
