/** QoS 1 and 2 of MQTT 5.0: PUBACK, PUBREC, PUBREL, PUBCOMP and what comes again, statement by statement. */

import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ConformanceBroker, persistent } from "./conformance-broker.ts";
import { messageText } from "./wire-client.ts";

let broker: ConformanceBroker;
beforeAll(async () => {
  broker = await ConformanceBroker.start();
});
afterAll(() => broker[Symbol.asyncDispose]());

const kept = persistent(5);

describe("from a client", () => {
  test("MQTT-3.3.4-1, MQTT-4.3.2-4, MQTT-4.3.2-5, MQTT-2.2.1-5: PUBACK has the identifier, which is free again, whatever DUP says", async () => {
    const topic = broker.name();
    const subscriber = await broker.subscriber(5, [topic]);
    const publisher = await broker.connect(5);
    for (const [text, dup] of [
      ["one", false],
      ["two", true],
    ] as const) {
      const payload = Buffer.from(text);
      publisher.send({ type: "publish", topicName: topic, payload, qos: 1, dup, packetIdentifier: 777 });
      expect(await publisher.next()).toMatchObject({ type: "puback", packetIdentifier: 777, reasonCode: 0 });
    }
    expect(await subscriber.messages()).toEqual([`${topic} one`, `${topic} two`]);
  });

  test("MQTT-3.3.1-3: DUP of what came is not passed on", async () => {
    const topic = broker.name();
    const subscriber = await broker.subscriber(5, [topic]);
    const publisher = await broker.connect(5);
    await publisher.publish(topic, "x", { qos: 1, dup: true });
    expect(await subscriber.message()).toMatchObject({ dup: false });
  });

  test("MQTT-4.3.3-8, MQTT-4.3.3-10, MQTT-4.3.3-11, MQTT-4.3.3-12, MQTT-2.2.1-5: PUBREC each time, delivered once until PUBREL, PUBCOMP with its identifier", async () => {
    const topic = broker.name();
    const subscriber = await broker.subscriber(5, [topic]);
    const publisher = await broker.connect(5);
    const message = {
      type: "publish",
      topicName: topic,
      payload: Buffer.from("x"),
      qos: 2,
      packetIdentifier: 9,
    } as const;
    publisher.send(message);
    expect(await publisher.next()).toMatchObject({ type: "pubrec", packetIdentifier: 9, reasonCode: 0 });
    publisher.send({ ...message, dup: true });
    expect(await publisher.next()).toMatchObject({ type: "pubrec", packetIdentifier: 9, reasonCode: 0 });
    publisher.send({ type: "pubrel", packetIdentifier: 9 });
    expect(await publisher.next()).toMatchObject({ type: "pubcomp", packetIdentifier: 9, reasonCode: 0 });
    expect(await subscriber.messages()).toEqual([`${topic} x`]);
    publisher.send(message);
    await publisher.take("pubrec");
    expect(await subscriber.messages()).toEqual([`${topic} x`]);
  });

  test("MQTT-4.3.3-11, MQTT-3.7.2-1: PUBREL for an identifier that is not known gets PUBCOMP 0x92, and the connection stays", async () => {
    const client = await broker.connect(5);
    client.send({ type: "pubrel", packetIdentifier: 4711 });
    expect(await client.next()).toMatchObject({ type: "pubcomp", packetIdentifier: 4711, reasonCode: 0x92 });
    expect(await client.drain()).toEqual([]);
  });

  test("MQTT-4.3.3-9: after a PUBREC that refuses, the identifier is new", async () => {
    const topic = broker.name();
    const subscriber = await broker.subscriber(5, [topic]);
    const publisher = await broker.connect(5);
    publisher.send({ type: "publish", topicName: "denied/topic", qos: 2, packetIdentifier: 9 });
    expect(await publisher.next()).toMatchObject({ type: "pubrec", packetIdentifier: 9, reasonCode: 0x87 });
    publisher.send({ type: "publish", topicName: topic, payload: Buffer.from("x"), qos: 2, packetIdentifier: 9 });
    expect(await publisher.next()).toMatchObject({ type: "pubrec", packetIdentifier: 9, reasonCode: 0 });
    expect(await subscriber.messages()).toEqual([`${topic} x`]);
  });

  test.each([1, 2] as const)(
    "MQTT-3.4.2-1, MQTT-3.5.2-1: who publishes for nobody is told 0x10, QoS %i",
    async (qos) => {
      const client = await broker.connect(5);
      expect(await client.publish(broker.name(), "x", { qos })).toBe(0x10);
    },
  );

  test.each([1, 2] as const)(
    "MQTT-4.6.0-2, MQTT-4.6.0-3: answers come in the order of the PUBLISHes, QoS %i",
    async (qos) => {
      const publisher = await broker.connect(5);
      const identifiers = [5, 3, 9, 1, 7];
      const message = { type: "publish", topicName: broker.name(), qos } as const;
      publisher.send(...identifiers.map((packetIdentifier) => ({ ...message, packetIdentifier })));
      const answers = await publisher.drain();
      expect(answers.map((one) => "packetIdentifier" in one && one.packetIdentifier)).toEqual(identifiers);
    },
  );
});

describe("reason strings within the client's Maximum Packet Size; the broker adds no user properties", () => {
  const refusal = async (type: "puback" | "pubrec", maximumPacketSize?: number) => {
    const client = await broker.connect(5, { properties: { maximumPacketSize } });
    const qos = type === "puback" ? 1 : 2;
    client.send({ type: "publish", topicName: "denied/topic", qos, packetIdentifier: 1 });
    const { reasonCode, properties } = await client.take(type);
    return { reasonCode, reasonString: properties?.reasonString, octets: client.lastLength, properties };
  };

  test.each([
    ["MQTT-3.4.2-2, MQTT-3.4.2-3: PUBACK", "puback"],
    ["MQTT-3.5.2-2, MQTT-3.5.2-3: PUBREC", "pubrec"],
  ] as const)("%s", async (_, type) => {
    const whole = await refusal(type);
    expect(whole).toMatchObject({ reasonCode: 0x87, properties: { userProperties: [] } });
    expect(whole.reasonString).toContain("denied/topic");
    expect(await refusal(type, whole.octets)).toEqual(whole);
    const small = await refusal(type, whole.octets - 1);
    expect(small).toMatchObject({ reasonCode: 0x87, reasonString: undefined });
  });

  test("MQTT-3.6.2-2, MQTT-3.6.2-3, MQTT-3.7.2-2, MQTT-3.7.2-3: PUBREL and PUBCOMP have neither", async () => {
    const client = await broker.connect(5);
    client.send({ type: "pubrel", packetIdentifier: 4711 }, { type: "pubrec", packetIdentifier: 4711 });
    for (const type of ["pubcomp", "pubrel"] as const) {
      expect((await client.take(type)).reasonCode).toBe(0x92);
      // First octet, remaining length, identifier, reason code: no property list.
      expect(client.lastLength).toBe(5);
    }
  });
});

describe("to a client", () => {
  test("MQTT-2.2.1-4, MQTT-4.3.2-1, MQTT-4.3.2-2, MQTT-4.3.3-1, MQTT-4.3.3-2: new identifiers, not 0 and not in use, with QoS and DUP 0", async () => {
    const topic = broker.name();
    const subscriber = await broker.subscriber(5, [topic]);
    const publisher = await broker.connect(5);
    const qualities = Array.from({ length: 20 }, (_, index) => (index % 2 === 0 ? 1 : 2));
    for (const qos of qualities) await publisher.publish(topic, `${qos}`, { qos });
    const found = (await subscriber.drain()).filter((one) => one.type === "publish");
    expect(found.map(({ qos, dup }) => ({ qos, dup }))).toEqual(qualities.map((qos) => ({ qos, dup: false })));
    const identifiers = new Set(found.map(({ packetIdentifier }) => packetIdentifier));
    expect(identifiers.size).toBe(20);
    expect(identifiers).not.toContain(0);
  });

  test("MQTT-4.3.2-3, MQTT-3.3.1-1, MQTT-4.4.0-1, MQTT-4.6.0-1: what was not acknowledged comes again with DUP, its identifier and in its order, and only after a reconnect", async () => {
    const topic = broker.name();
    const subscriber = await broker.subscriber(5, [topic], kept);
    const publisher = await broker.connect(5);
    for (const qos of [1, 2, 1, 2, 1] as const) await publisher.publish(topic, `qos ${qos}`, { qos });
    const before = await subscriber.drain();
    expect(before).toHaveLength(5);
    expect(await subscriber.drain()).toEqual([]);
    const acknowledged = before[2];
    const packetIdentifier = acknowledged?.type === "publish" ? acknowledged.packetIdentifier : 0;
    subscriber.send({ type: "puback", packetIdentifier });
    await subscriber.drain();
    await subscriber.cut();
    const back = await broker.connect(5, kept, subscriber.clientIdentifier);
    const expected = before.filter((one) => one !== acknowledged).map((one) => ({ ...one, dup: true }));
    expect(await back.drain()).toEqual(expected);
  });

  test("MQTT-4.3.3-3, MQTT-4.3.3-4, MQTT-4.3.3-5, MQTT-4.3.3-6: PUBLISH until PUBREC, then PUBREL with its identifier until PUBCOMP, never PUBLISH again", async () => {
    const topic = broker.name();
    const subscriber = await broker.subscriber(5, [topic], kept);
    const id = subscriber.clientIdentifier;
    const publisher = await broker.connect(5);
    await publisher.publish(topic, "x", { qos: 2 });
    const { packetIdentifier } = await subscriber.take("publish");
    await subscriber.cut();
    const second = await broker.connect(5, kept, id);
    expect(await second.next()).toMatchObject({ type: "publish", packetIdentifier, dup: true, qos: 2 });
    second.send({ type: "pubrec", packetIdentifier });
    expect(await second.next()).toMatchObject({ type: "pubrel", packetIdentifier, reasonCode: 0 });
    await second.cut();
    const third = await broker.connect(5, kept, id);
    expect(await third.next()).toMatchObject({ type: "pubrel", packetIdentifier });
    // A PUBREC once more gets PUBREL once more.
    third.send({ type: "pubrec", packetIdentifier });
    expect(await third.next()).toMatchObject({ type: "pubrel", packetIdentifier, reasonCode: 0 });
    third.send({ type: "pubcomp", packetIdentifier });
    expect(await third.drain()).toEqual([]);
    await third.cut();
    const fourth = await broker.connect(5, kept, id);
    expect(await fourth.drain()).toEqual([]);
  });

  test("MQTT-4.6.0-4: PUBRELs come in the order of the PUBRECs", async () => {
    const topic = broker.name();
    const subscriber = await broker.subscriber(5, [topic]);
    const publisher = await broker.connect(5);
    for (const text of ["a", "b", "c"]) await publisher.publish(topic, text, { qos: 2 });
    const [first, second, third] = (await subscriber.drain()).filter((one) => one.type === "publish");
    const order = [second, third, first].map((one) => one?.packetIdentifier ?? 0);
    subscriber.send(...order.map((packetIdentifier) => ({ type: "pubrec" as const, packetIdentifier })));
    const pubrels = await subscriber.drain();
    expect(pubrels.map((one) => one.type === "pubrel" && one.packetIdentifier)).toEqual(order);
  });

  test("MQTT-4.4.0-2: PUBACK and PUBREC that refuse acknowledge: nothing comes again", async () => {
    const topic = broker.name();
    const subscriber = await broker.subscriber(5, [topic], kept);
    const publisher = await broker.connect(5);
    await publisher.publish(topic, "one", { qos: 1 });
    await publisher.publish(topic, "two", { qos: 2 });
    const [one, two] = [await subscriber.take("publish"), await subscriber.take("publish")];
    subscriber.send(
      { type: "puback", packetIdentifier: one.packetIdentifier, reasonCode: 0x80 },
      { type: "pubrec", packetIdentifier: two.packetIdentifier, reasonCode: 0x97 },
    );
    // No PUBREL for a message that was refused.
    expect(await subscriber.drain()).toEqual([]);
    await subscriber.cut();
    const back = await broker.connect(5, kept, subscriber.clientIdentifier);
    expect(await back.drain()).toEqual([]);
  });

  test("MQTT-3.5.2-1, MQTT-3.6.2-1: PUBREC for an identifier that is not known gets PUBREL 0x92", async () => {
    const client = await broker.connect(5);
    client.send({ type: "pubrec", packetIdentifier: 4711 });
    expect(await client.next()).toMatchObject({ type: "pubrel", packetIdentifier: 4711, reasonCode: 0x92 });
  });

  test("identifiers that are not known are no fault in PUBACK and PUBCOMP", async () => {
    const topic = broker.name();
    const client = await broker.subscriber(5, [topic]);
    client.send({ type: "puback", packetIdentifier: 1 }, { type: "pubcomp", packetIdentifier: 2 });
    const publisher = await broker.connect(5);
    await publisher.publish(topic, "x", { qos: 1 });
    expect(messageText(await client.message())).toBe(`${topic} x`);
  });
});
