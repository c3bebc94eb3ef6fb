/** Clients that read what they are sent lose nothing, however much it is at once. */

import { afterAll, beforeAll, expect, test } from "vitest";
import { ConformanceBroker } from "../conformance/conformance-broker.ts";

let broker: ConformanceBroker;
beforeAll(async () => {
  broker = await ConformanceBroker.start();
});
afterAll(() => broker[Symbol.asyncDispose]());

test.each([
  [200, 20_000],
  [40, 100_000],
])("%i retained messages of %i octets", async (count, octets) => {
  const topic = broker.name();
  const publisher = await broker.connect(4);
  const names = Array.from({ length: count }, (_, index) => `${topic}/${index}`);
  const message = { type: "publish", qos: 1, retain: true, packetIdentifier: 1 } as const;
  for (const topicName of names) publisher.send({ ...message, topicName, payload: Buffer.alloc(octets, "x") });
  for (const _ of names) await publisher.take("puback");
  for (const qos of [0, 1] as const) {
    const reader = await broker.connect(5);
    // What comes before SUBACK counts, too.
    reader.send({ type: "subscribe", packetIdentifier: 1, subscriptions: [{ topicFilter: `${topic}/+`, qos }] });
    const seen = new Set<string>();
    while (seen.size < count) {
      const packet = await reader.next();
      if (packet.type !== "publish") continue;
      expect([packet.qos, packet.payload.length]).toEqual([qos, octets]);
      if (qos === 1) reader.send({ type: "puback", packetIdentifier: packet.packetIdentifier });
      seen.add(packet.topicName);
    }
    expect([...seen].toSorted()).toEqual(names.toSorted());
    await reader.disconnect();
  }
  expect(broker.logged(/"msg":"dropped"/)).toEqual([]);
});

test.each([0, 1] as const)("a fan-in of 400 messages of 60,000 octets, QoS %i", async (qos) => {
  const topic = broker.name();
  const reader = await broker.subscriber(4, [{ topicFilter: `${topic}/+`, qos }]);
  const publishers = await Promise.all(Array.from({ length: 4 }, () => broker.connect(4)));
  for (const [index, publisher] of publishers.entries()) {
    publisher.send(
      ...Array.from({ length: 100 }, (_, number) => {
        const packetIdentifier = qos === 0 ? 0 : number + 1;
        const payload = Buffer.alloc(60_000, number);
        return { type: "publish", topicName: `${topic}/${index}`, payload, qos, packetIdentifier } as const;
      }),
    );
  }
  const seen = new Map<string, number[]>();
  for (let count = 0; count < 400; count++) {
    const { topicName, payload } = await reader.message();
    seen.set(topicName, [...(seen.get(topicName) ?? []), payload[0] ?? -1]);
  }
  const all = Array.from({ length: 100 }, (_, number) => number);
  expect(Array.from(seen.values())).toEqual([all, all, all, all]);
  expect(broker.logged(/"msg":"dropped"/)).toEqual([]);
});
