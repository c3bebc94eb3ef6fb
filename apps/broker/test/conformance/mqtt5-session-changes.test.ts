/** Sessions of MQTT 5.0 that are taken up with other properties, or in the other version, while messages are on their way. */

import type { EncodableConnect } from "@latchkey/mqtt-codec";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ConformanceBroker, persistent, willOf } from "./conformance-broker.ts";
import { messageText, type WireClient } from "./wire-client.ts";

let broker: ConformanceBroker;
beforeAll(async () => {
  broker = await ConformanceBroker.start();
});
afterAll(() => broker[Symbol.asyncDispose]());

/** A persistent session with these properties, clean or as it was left. */
function kept(properties: NonNullable<EncodableConnect["properties"]> = {}): Partial<EncodableConnect> {
  return { cleanStart: false, properties: { sessionExpiryInterval: 1000, ...properties } };
}

/** A client with such a session whose connection broke when it had these messages, and had acknowledged none. */
async function brokenWith(
  topic: string,
  messages: readonly { readonly payload: string; readonly qos: 1 | 2 }[],
  properties: NonNullable<EncodableConnect["properties"]> = {},
): Promise<WireClient> {
  const client = await broker.subscriber(5, [topic], kept(properties));
  const publisher = await broker.connect(5);
  for (const { payload, qos } of messages) await publisher.publish(topic, payload, { qos });
  for (const _ of messages) await client.take("publish");
  await client.cut();
  return client;
}

test("MQTT-3.3.4-9, MQTT-4.4.0-1: a smaller Receive Maximum holds for what is sent again", async () => {
  const topic = broker.name();
  const messages = (["0", "1", "2", "3"] as const).map(
    (payload, index) => ({ payload, qos: index % 2 === 0 ? 1 : 2 }) as const,
  );
  const { clientIdentifier } = await brokenWith(topic, messages);
  const back = await broker.connect(5, kept({ receiveMaximum: 2 }), clientIdentifier);
  const [first, second] = [await back.take("publish"), await back.take("publish")];
  expect([first, second].map(messageText)).toEqual([`${topic} 0`, `${topic} 1`]);
  expect(await back.drain()).toEqual([]);
  back.send({ type: "puback", packetIdentifier: first.packetIdentifier });
  const third = await back.take("publish");
  expect([messageText(third), third.dup]).toEqual([`${topic} 2`, true]);
  // PUBREC gives no slot back, PUBCOMP does.
  back.send({ type: "pubrec", packetIdentifier: second.packetIdentifier });
  await back.take("pubrel");
  expect(await back.drain()).toEqual([]);
  back.send({ type: "pubcomp", packetIdentifier: second.packetIdentifier });
  expect(messageText(await back.take("publish"))).toBe(`${topic} 3`);
});

test("MQTT-3.1.2-24, MQTT-3.1.2-25: what became too large for the client does not hold up what comes behind it", async () => {
  const topic = broker.name();
  const messages = [
    { payload: "x".repeat(500), qos: 2 },
    { payload: "small", qos: 1 },
  ] as const;
  const { clientIdentifier } = await brokenWith(topic, messages);
  const back = await broker.connect(5, kept({ maximumPacketSize: 100, receiveMaximum: 1 }), clientIdentifier);
  expect(messageText(await back.message())).toBe(`${topic} small`);
});

test.each([2, 4, 5, 15])(
  "MQTT-3.1.2-24: a client that takes %i octets gets no CONNACK that is larger",
  async (maximumPacketSize) => {
    const topic = broker.name();
    const watcher = await broker.subscriber(5, [topic]);
    const client = await broker.open(5);
    const clientIdentifier = broker.name();
    const fields = { ...kept({ maximumPacketSize }), ...willOf(topic) };
    client.send({ type: "connect", clientIdentifier, keepAlive: 0, cleanStart: false, ...fields });
    const answers = await client.ended();
    expect(answers).toMatchObject(maximumPacketSize < 5 ? [] : [{ type: "connack", reasonCode: 0x95 }]);
    // It was never connected: no session, and no will.
    expect((await broker.connect(5, kept(), clientIdentifier)).connack?.sessionPresent).toBe(false);
    expect(await watcher.drain()).toEqual([]);
  },
);

test("MQTT-3.1.2-24: a client that was refused for it has not taken over the session", async () => {
  const first = await broker.connect(5, kept());
  const second = await broker.open(5);
  const { clientIdentifier } = first;
  second.send({ type: "connect", clientIdentifier, keepAlive: 0, cleanStart: true, ...kept({ maximumPacketSize: 3 }) });
  expect(await second.ended()).toEqual([]);
  expect(await first.drain()).toEqual([]);
});

test("MQTT-4.6.0-4: after a reconnect PUBRELs come in the order of the PUBRECs, not of the messages", async () => {
  const topic = broker.name();
  const client = await broker.subscriber(5, [topic], kept());
  const publisher = await broker.connect(5);
  for (const payload of ["0", "1", "2"]) await publisher.publish(topic, payload, { qos: 2 });
  const identifiers: number[] = [];
  for (let index = 0; index < 3; index++) identifiers.push((await client.take("publish")).packetIdentifier);
  const [first = 0, second = 0, third = 0] = identifiers;
  for (const packetIdentifier of [second, first]) client.send({ type: "pubrec", packetIdentifier });
  for (const packetIdentifier of [second, first]) {
    expect(await client.take("pubrel")).toMatchObject({ packetIdentifier });
  }
  await client.cut();
  const back = await broker.connect(5, kept(), client.clientIdentifier);
  const again = [await back.next(), await back.next(), await back.next()];
  const released = again.filter((packet) => packet.type === "pubrel");
  expect(released.map(({ packetIdentifier }) => packetIdentifier)).toEqual([second, first]);
  expect(again.filter((packet) => packet.type === "publish")).toMatchObject([{ packetIdentifier: third, dup: true }]);
});

test("MQTT-4.4.0-1, MQTT-4.3.3-8: an exchange of QoS 2 that began in 3.1.1 ends in 5.0, and the other way round", async () => {
  for (const [before, after] of [
    [4, 5],
    [5, 4],
  ] as const) {
    const topic = broker.name();
    const client = await broker.subscriber(before, [topic], persistent(before));
    const publisher = await broker.connect(5);
    const properties = { userProperties: [["a", "b"]] } as const;
    await publisher.publish(topic, "x", { qos: 2, properties });
    const { packetIdentifier } = await client.take("publish");
    client.send({ type: "pubrec", packetIdentifier });
    await client.take("pubrel");
    await client.cut();
    const back = await broker.connect(after, persistent(after), client.clientIdentifier);
    expect(await back.take("pubrel")).toMatchObject({ packetIdentifier });
    back.send({ type: "pubcomp", packetIdentifier });
    await publisher.publish(topic, "next", { qos: 2 });
    expect(messageText(await back.message())).toBe(`${topic} next`);
  }
});

test("MQTT-3.3.2-7: aliases are of one connection: what is sent again has its topic name", async () => {
  const topic = broker.name();
  const messages = (["0", "1"] as const).map((payload) => ({ payload, qos: 1 }) as const);
  const { clientIdentifier } = await brokenWith(topic, messages, { topicAliasMaximum: 3 });
  const back = await broker.connect(5, kept(), clientIdentifier);
  for (const payload of ["0", "1"]) {
    const again = await back.take("publish");
    expect([messageText(again), again.properties?.topicAlias]).toEqual([`${topic} ${payload}`, undefined]);
  }
});

test("MQTT-3.8.3-3: No Local holds for the client's own will, too, when its session is taken up", async () => {
  const topic = broker.name();
  const client = await broker.subscriber(5, [{ topicFilter: topic, qos: 1, noLocal: true }], {
    ...kept(),
    ...willOf(topic),
  });
  const watcher = await broker.subscriber(5, [topic]);
  await client.cut();
  expect(messageText(await watcher.message())).toBe(`${topic} gone`);
  const back = await broker.connect(5, kept(), client.clientIdentifier);
  expect(await back.drain()).toEqual([]);
});

test("MQTT-3.10.4-2: what is in flight when its subscription ends is completed, also over a reconnect", async () => {
  const topic = broker.name();
  const client = await broker.subscriber(5, [topic], kept());
  const publisher = await broker.connect(5);
  await publisher.publish(topic, "x", { qos: 2 });
  const { packetIdentifier } = await client.take("publish");
  client.send({ type: "unsubscribe", packetIdentifier: 77, topicFilters: [topic] });
  await client.take("unsuback");
  await client.cut();
  const back = await broker.connect(5, kept(), client.clientIdentifier);
  expect(await back.take("publish")).toMatchObject({ packetIdentifier, dup: true });
  back.send({ type: "pubrec", packetIdentifier });
  expect(await back.take("pubrel")).toMatchObject({ packetIdentifier, reasonCode: 0 });
});
