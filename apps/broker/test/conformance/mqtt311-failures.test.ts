/** What ends a connection of MQTT 3.1.1 besides the client: silence, and a fault of the broker. */

import { expect, test } from "vitest";
import { ConformanceBroker } from "./conformance-broker.ts";
import { CoreListener } from "./core-listener.ts";

test("MQTT-3.1.2-24, MQTT-3.1.2-23: silence for one and a half keep alives ends the connection, and the will is published", async () => {
  await using broker = await ConformanceBroker.start();
  const topic = broker.name();
  const watcher = await broker.subscriber(4, [topic]);
  const will = { topicName: topic, payload: Buffer.from("silent") };
  const client = await broker.connect(4, { keepAlive: 1, will });
  const openedMs = performance.now();
  expect(await client.ended()).toEqual([]);
  expect(performance.now() - openedMs).toBeGreaterThan(1400);
  expect(await watcher.message()).toMatchObject({ topicName: topic });
});

test("MQTT-4.8.0-2: a failure while a packet is handled closes the connection it came on, and no other", async () => {
  await using listener = await CoreListener.start({
    authorizer: {
      decide: (_, action, name) => {
        if (action === "publish" && name === "broken") throw new Error("the rights cannot be read");
        return true;
      },
    },
  });
  const bystander = await listener.connect(4);
  const client = await listener.connect(4);
  client.send({ type: "publish", topicName: "broken", qos: 1, packetIdentifier: 1 });
  expect(await client.ended()).toEqual([]);
  expect(await bystander.publish("whole", "x", { qos: 1 })).toBe(0);
});
