/** `--profile aws` over sockets: a sample of each kind of deviation. The table of them is tested in `@latchkey/broker-core`. */

import { once } from "node:events";
import { connect as connectTls } from "node:tls";
import { connectAsync, type MqttClient } from "mqtt";
import { afterAll, beforeAll, expect, test } from "vitest";
import { RunningControlPlane } from "./control-plane/running-control-plane.ts";
import { allow, makeDevice, type DeviceIdentity } from "./data-plane/device-identity.ts";

let plane: RunningControlPlane;
let device: DeviceIdentity;
let client: MqttClient;
beforeAll(async () => {
  plane = await RunningControlPlane.start({ profile: "aws" });
  device = await makeDevice(plane, [allow("iot:*", "*")]);
  client = await connected();
});
afterAll(async () => {
  client.end(true);
  await plane[Symbol.asyncDispose]();
});

const connected = async (): Promise<MqttClient> => {
  const { cert, key, ca } = device;
  const options = { cert, key, ca, clientId: "button", protocolVersion: 5, reconnectPeriod: 0 } as const;
  return connectAsync(`mqtts://localhost:${plane.mqttPort}`, options);
};

test("QoS 2 is granted as QoS 1, and Basic Ingest reaches no subscriber", async () => {
  const topics: string[] = [];
  client.on("message", (topic) => topics.push(topic));
  const [granted] = await client.subscribeAsync("a/#", { qos: 2 });
  expect(granted?.qos).toBe(1);
  await client.publishAsync("$aws/rules/orders/a/b", "x", { qos: 1 });
  await client.publishAsync("a", "x", { qos: 1 });
  await client.publishAsync("a/b", "x", { qos: 1 });
  await expect.poll(() => topics).toEqual(["a/b"]);
});

test.each(["$own/topic", "$aws/things/a/shadow/update"])("%s is reserved", async (topic) => {
  await expect(client.publishAsync(topic, "x", { qos: 1 })).rejects.toThrow();
});

test("a client that asks for no server name is refused, and told so", async () => {
  const { cert, key, ca } = device;
  const socket = connectTls({ host: "127.0.0.1", port: plane.mqttPort, cert, key, ca });
  // CONNECT of MQTT 3.1.1.
  socket.write("\u0010\u0012\0\u0004MQTT\u0004\u0002\0\0\0\u0006button", "latin1");
  const [connack] = (await once(socket, "data")) as [Buffer];
  expect([...connack]).toEqual([0x20, 2, 0, 5]);
  socket.destroy();
  expect(plane.log).toContain("no server name (SNI)");
});
