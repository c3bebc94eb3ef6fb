/** A client that says all it has to say and leaves at once loses nothing of it, and its will is not published. */

import { encode } from "@latchkey/mqtt-codec";
import { connectAsync, type MqttClient } from "mqtt";
import { expect, test } from "vitest";
import { BrokerProcess, everything } from "../observability/running-broker.ts";

const count = 5500;

test.each([
  ["a clean session", { clean: true }],
  ["a session that is kept", { clean: false, properties: { sessionExpiryInterval: 60 } }],
])("messages of QoS 0 and DISCONNECT behind each other, with %s", async (_, session) => {
  // In a process of its own: in one process the end never overtakes what is handled in later turns.
  await using broker = new BrokerProcess();
  const port = await broker.start();
  const { cert, key, ca } = await broker.device([everything]);
  const join = (clientId: string, more: object): Promise<MqttClient> =>
    connectAsync(`mqtts://localhost:${port}`, {
      ...{ cert, key, ca, clientId, protocolVersion: 5, reconnectPeriod: 0 },
      ...more,
    });
  const kitchen = await join("kitchen", {});
  const received: string[] = [];
  kitchen.on("message", (topic) => received.push(topic));
  await kitchen.subscribeAsync(["p/#", "gone"]);
  const will = { topic: "gone", payload: Buffer.from("bye"), qos: 1, retain: false };
  const { stream } = await join("button", { ...session, will });
  // Each of its own topic, so that each is decided about, and short, so that all are read before most are handled.
  const presses = Array.from({ length: count }, (__, index) => `p/${index}`);
  const packets = presses.map((topicName) => encode({ type: "publish", topicName, payload: Buffer.alloc(0) }, 5));
  stream.write(Buffer.concat([...packets, encode({ type: "disconnect" }, 5)]));
  stream.end();
  await expect.poll(() => received.length, { timeout: 20_000 }).toBe(count);
  // What the will's delivery would come before.
  await kitchen.publishAsync("p/last", "", { qos: 1 });
  await expect.poll(() => received.length, { timeout: 20_000 }).toBe(count + 1);
  expect(received).toEqual([...presses, "p/last"]);
  await kitchen.endAsync();
});
