/** PUBLISH, its acknowledgements and the order of messages in MQTT 3.1.1, statement by statement. */

import { packet } from "@latchkey/tooling-vitest/mqtt-octets";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ConformanceBroker, persistent } from "./conformance-broker.ts";
import { messageText } from "./wire-client.ts";

let broker: ConformanceBroker;
beforeAll(async () => {
  broker = await ConformanceBroker.start();
});
afterAll(() => broker[Symbol.asyncDispose]());

const kept = persistent(4);

test("MQTT-2.3.1-5, MQTT-4.3.1-1, MQTT-3.3.4-1: QoS 0 goes out with QoS 0 and DUP 0, without an identifier, and is not answered", async () => {
  const topic = broker.name();
  const subscriber = await broker.subscriber(4, [topic]);
  const publisher = await broker.connect(4);
  // The payload begins with two octets that would be an identifier.
  publisher.sendOctets(packet(0x30, topic, [0, 1, 0x78]));
  expect(await publisher.drain()).toEqual([]);
  const expected = { qos: 0, dup: false, packetIdentifier: 0, payload: Buffer.from([0, 1, 0x78]) };
  expect(await subscriber.message()).toMatchObject(expected);
});

describe("QoS 1 from a client", () => {
  test("MQTT-3.3.4-1, MQTT-4.3.2-2, MQTT-2.3.1-6: PUBACK has the identifier, which is free again, whatever DUP says", async () => {
    const topic = broker.name();
    const subscriber = await broker.subscriber(4, [topic]);
    const publisher = await broker.connect(4);
    for (const [text, dup] of [
      ["one", false],
      ["two", true],
    ] as const) {
      publisher.send({
        type: "publish",
        topicName: topic,
        payload: Buffer.from(text),
        qos: 1,
        dup,
        packetIdentifier: 777,
      });
      expect(await publisher.next()).toMatchObject({ type: "puback", packetIdentifier: 777 });
    }
    expect(await subscriber.messages()).toEqual([`${topic} one`, `${topic} two`]);
  });

  test("MQTT-3.3.1-3: DUP of what came is not passed on", async () => {
    const topic = broker.name();
    const subscriber = await broker.subscriber(4, [topic]);
    const publisher = await broker.connect(4);
    await publisher.publish(topic, "x", { qos: 1, dup: true });
    expect(await subscriber.message()).toMatchObject({ dup: false });
  });

  test("MQTT-4.6.0-2: PUBACKs come in the order of the PUBLISHes", async () => {
    const publisher = await broker.connect(4);
    const identifiers = [5, 3, 9, 1, 7];
    const message = { type: "publish", topicName: broker.name(), qos: 1 } as const;
    publisher.send(...identifiers.map((packetIdentifier) => ({ ...message, packetIdentifier })));
    const answers = await publisher.drain();
    expect(answers.map((one) => one.type === "puback" && one.packetIdentifier)).toEqual(identifiers);
  });
});

describe("QoS 2 from a client", () => {
  test("MQTT-3.3.4-1, MQTT-4.3.3-2, MQTT-2.3.1-6: PUBREC each time, delivered once until PUBREL, PUBCOMP with its identifier", async () => {
    const topic = broker.name();
    const subscriber = await broker.subscriber(4, [topic]);
    const publisher = await broker.connect(4);
    const message = { type: "publish", topicName: topic, payload: Buffer.from("x"), qos: 2 } as const;
    publisher.send({ ...message, packetIdentifier: 9 });
    expect(await publisher.next()).toMatchObject({ type: "pubrec", packetIdentifier: 9 });
    publisher.send({ ...message, packetIdentifier: 9, dup: true });
    expect(await publisher.next()).toMatchObject({ type: "pubrec", packetIdentifier: 9 });
    publisher.send({ type: "pubrel", packetIdentifier: 9 });
    expect(await publisher.next()).toMatchObject({ type: "pubcomp", packetIdentifier: 9 });
    // A PUBREL that is repeated is answered again.
    publisher.send({ type: "pubrel", packetIdentifier: 9 });
    expect(await publisher.next()).toMatchObject({ type: "pubcomp", packetIdentifier: 9 });
    expect(await subscriber.messages()).toEqual([`${topic} x`]);
    publisher.send({ ...message, packetIdentifier: 9 });
    await publisher.take("pubrec");
    expect(await subscriber.messages()).toEqual([`${topic} x`]);
  });

  test("MQTT-4.3.3-2: the exchange goes on over a reconnect, and delivers once", async () => {
    const topic = broker.name();
    const subscriber = await broker.subscriber(4, [topic]);
    const publisher = await broker.connect(4, kept);
    const message = { type: "publish", topicName: topic, payload: Buffer.from("x"), qos: 2 } as const;
    publisher.send({ ...message, packetIdentifier: 4 });
    await publisher.take("pubrec");
    await publisher.cut();
    const back = await broker.connect(4, kept, publisher.clientIdentifier);
    back.send({ ...message, packetIdentifier: 4, dup: true });
    await back.take("pubrec");
    back.send({ type: "pubrel", packetIdentifier: 4 });
    await back.take("pubcomp");
    expect(await subscriber.messages()).toEqual([`${topic} x`]);
  });

  test("MQTT-4.6.0-3: PUBRECs come in the order of the PUBLISHes", async () => {
    const publisher = await broker.connect(4);
    const identifiers = [5, 3, 9, 1, 7];
    const message = { type: "publish", topicName: broker.name(), qos: 2 } as const;
    publisher.send(...identifiers.map((packetIdentifier) => ({ ...message, packetIdentifier })));
    const answers = await publisher.drain();
    expect(answers.map((one) => one.type === "pubrec" && one.packetIdentifier)).toEqual(identifiers);
  });
});

describe("QoS 1 and 2 to a client", () => {
  test("MQTT-2.3.1-2, MQTT-2.3.1-4, MQTT-4.3.2-1: new identifiers, not 0 and not in use, DUP 0", async () => {
    const topic = broker.name();
    const subscriber = await broker.subscriber(4, [topic]);
    const publisher = await broker.connect(4);
    for (let count = 0; count < 20; count++) await publisher.publish(topic, `${count}`, { qos: count % 2 ? 1 : 2 });
    const identifiers = new Set<number>();
    for (const one of await subscriber.drain()) {
      if (one.type !== "publish") throw new Error(one.type);
      expect(one).toMatchObject({ dup: false });
      expect(one.packetIdentifier).toBeGreaterThan(0);
      identifiers.add(one.packetIdentifier);
    }
    expect(identifiers.size).toBe(20);
  });

  test("MQTT-2.3.1-3: an identifier is not given out again until the message is acknowledged, and is free then", async () => {
    const topic = broker.name();
    const subscriber = await broker.subscriber(4, [topic]);
    const publisher = await broker.connect(4);
    await publisher.publish(topic, "held", { qos: 1 });
    const held = await subscriber.take("publish");
    const given = new Set<number>();
    for (let count = 0; count < 5; count++) {
      await publisher.publish(topic, `${count}`, { qos: 1 });
      given.add((await subscriber.message()).packetIdentifier);
    }
    expect(given).not.toContain(held.packetIdentifier);
    subscriber.send({ type: "puback", packetIdentifier: held.packetIdentifier });
    expect(await subscriber.drain()).toEqual([]);
  });

  test("MQTT-4.3.3-1: PUBLISH until PUBREC, then PUBREL with its identifier until PUBCOMP, over reconnects; never PUBLISH again", async () => {
    const topic = broker.name();
    const subscriber = await broker.subscriber(4, [topic], kept);
    const id = subscriber.clientIdentifier;
    const publisher = await broker.connect(4);
    await publisher.publish(topic, "x", { qos: 2 });
    const first = await subscriber.take("publish");
    expect(first).toMatchObject({ qos: 2, dup: false });
    const { packetIdentifier } = first;
    await subscriber.cut();
    const second = await broker.connect(4, kept, id);
    expect(await second.next()).toMatchObject({ type: "publish", packetIdentifier, dup: true, qos: 2 });
    second.send({ type: "pubrec", packetIdentifier });
    expect(await second.next()).toMatchObject({ type: "pubrel", packetIdentifier });
    await second.cut();
    const third = await broker.connect(4, kept, id);
    expect(await third.next()).toMatchObject({ type: "pubrel", packetIdentifier });
    third.send({ type: "pubcomp", packetIdentifier });
    expect(await third.drain()).toEqual([]);
    await third.cut();
    const fourth = await broker.connect(4, kept, id);
    expect(await fourth.drain()).toEqual([]);
  });

  test("MQTT-3.3.1-1, MQTT-4.4.0-1, MQTT-4.6.0-1, MQTT-2.3.1-3: what was not acknowledged comes again with DUP, its identifier and in its order", async () => {
    const topic = broker.name();
    const subscriber = await broker.subscriber(4, [topic], kept);
    const publisher = await broker.connect(4);
    for (const qos of [1, 2, 1, 2, 1] as const) await publisher.publish(topic, `qos ${qos}`, { qos });
    const before = await subscriber.drain();
    await subscriber.cut();
    await publisher.publish(topic, "later", { qos: 1 });
    const back = await broker.connect(4, kept, subscriber.clientIdentifier);
    const again = await back.drain();
    expect(again.slice(0, 5)).toEqual(before.map((one) => ({ ...one, dup: true })));
    expect(again.slice(5)).toMatchObject([{ qos: 1, payload: Buffer.from("later") }]);
  });

  test("MQTT-4.6.0-4: PUBRELs come in the order of the PUBRECs", async () => {
    const topic = broker.name();
    const subscriber = await broker.subscriber(4, [topic]);
    const publisher = await broker.connect(4);
    for (const text of ["a", "b", "c"]) await publisher.publish(topic, text, { qos: 2 });
    const identifiers = (await subscriber.drain()).map((one) => (one.type === "publish" ? one.packetIdentifier : 0));
    const [first = 0, second = 0, third = 0] = identifiers;
    const order = [second, third, first];
    subscriber.send(...order.map((packetIdentifier) => ({ type: "pubrec" as const, packetIdentifier })));
    const pubrels = await subscriber.drain();
    expect(pubrels.map((one) => one.type === "pubrel" && one.packetIdentifier)).toEqual(order);
  });
});

describe("retained messages", () => {
  test("MQTT-3.3.1-5, MQTT-3.3.1-6, MQTT-3.3.1-8: the last one of each topic goes to a new subscription, with its QoS and RETAIN 1", async () => {
    const topic = broker.name();
    const publisher = await broker.connect(4);
    for (const qos of [0, 1, 2] as const) {
      await publisher.publish(`${topic}/${qos}`, "old", { qos, retain: true });
      await publisher.publish(`${topic}/${qos}`, "new", { qos, retain: true });
    }
    const subscriber = await broker.subscriber(4, [`${topic}/+`]);
    const found = await subscriber.drain();
    const summary = found.map((one) =>
      one.type === "publish" ? `${messageText(one)} ${one.qos} ${one.retain}` : one.type,
    );
    expect(summary.toSorted()).toEqual([0, 1, 2].map((qos) => `${topic}/${qos} new ${qos} true`));
  });

  test("MQTT-3.3.1-7: one of QoS 0 replaces one of QoS 1", async () => {
    const topic = broker.name();
    const publisher = await broker.connect(4);
    await publisher.publish(topic, "old", { qos: 1, retain: true });
    await publisher.publish(topic, "new", { qos: 0, retain: true });
    const subscriber = await broker.subscriber(4, [topic]);
    expect(await subscriber.messages()).toEqual([`${topic} new`]);
  });

  test("MQTT-3.3.1-9: a subscription that exists gets it with RETAIN 0", async () => {
    const topic = broker.name();
    const subscriber = await broker.subscriber(4, [topic]);
    const publisher = await broker.connect(4);
    await publisher.publish(topic, "x", { qos: 1, retain: true });
    expect(await subscriber.message()).toMatchObject({ retain: false });
  });

  test("MQTT-3.3.1-10, MQTT-3.3.1-11: an empty one is delivered, removes what was there, and is not stored", async () => {
    const topic = broker.name();
    const publisher = await broker.connect(4);
    await publisher.publish(topic, "x", { qos: 1, retain: true });
    const present = await broker.subscriber(4, [topic]);
    await present.message();
    await publisher.publish(topic, "", { qos: 1, retain: true });
    expect(await present.messages()).toEqual([`${topic} `]);
    const later = await broker.subscriber(4, [topic]);
    expect(await later.drain()).toEqual([]);
  });

  test("MQTT-3.3.1-12: with RETAIN 0 nothing is stored and nothing removed", async () => {
    const topic = broker.name();
    const publisher = await broker.connect(4);
    await publisher.publish(topic, "stays", { qos: 1, retain: true });
    await publisher.publish(topic, "passes", { qos: 1 });
    await publisher.publish(topic, "", { qos: 1 });
    const subscriber = await broker.subscriber(4, [topic]);
    expect(await subscriber.messages()).toEqual([`${topic} stays`]);
  });
});

describe("order", () => {
  test.each([0, 1, 2] as const)(
    "MQTT-4.6.0-5, MQTT-4.6.0-6: messages of one publisher and topic come in their order, QoS %i",
    async (qos) => {
      const topic = broker.name();
      const subscriber = await broker.subscriber(4, [topic]);
      const publisher = await broker.connect(4);
      const texts = Array.from({ length: 50 }, (_, index) => `${index}`);
      publisher.send(
        ...texts.map((text, index) => ({
          type: "publish" as const,
          topicName: topic,
          payload: Buffer.from(text),
          qos,
          packetIdentifier: qos === 0 ? 0 : index + 1,
        })),
      );
      const seen: string[] = [];
      for (const _ of texts) seen.push(Buffer.from((await subscriber.take("publish")).payload).toString());
      expect(seen).toEqual(texts);
    },
  );

  test("MQTT-4.5.0-1: a message is kept for each session that has subscribed, connected or not", async () => {
    const topic = broker.name();
    const [first, second] = [
      await broker.subscriber(4, [topic], kept),
      await broker.subscriber(4, [`${topic}/#`], kept),
    ];
    await second.disconnect();
    const publisher = await broker.connect(4);
    await publisher.publish(topic, "x", { qos: 1 });
    expect(await first.messages()).toEqual([`${topic} x`]);
    const back = await broker.connect(4, kept, second.clientIdentifier);
    expect(await back.messages()).toEqual([`${topic} x`]);
  });
});

test("MQTT-3.3.5-2: a PUBLISH that the policy forbids closes the connection, and is not acknowledged", async () => {
  const watcher = await broker.subscriber(4, ["#"]);
  await watcher.drain();
  for (const qos of [0, 1, 2] as const) {
    const client = await broker.connect(4);
    const packetIdentifier = qos === 0 ? 0 : 5;
    client.send({ type: "publish", topicName: "denied/topic", payload: Buffer.from("x"), qos, packetIdentifier });
    expect(await client.ended()).toEqual([]);
  }
  expect(await watcher.messages()).toEqual([]);
});
