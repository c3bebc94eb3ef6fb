/** Limits that one certificate has over all its connections, over TLS, HTTPS and after a change of the settings. */

import { request } from "node:https";
import { connectAsync, type MqttClient } from "mqtt";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { RunningControlPlane } from "../control-plane/running-control-plane.ts";
import { allow, makeDevice, type DeviceIdentity } from "../data-plane/device-identity.ts";

let plane: RunningControlPlane;
let fleet: DeviceIdentity;
let other: DeviceIdentity;
const clients: MqttClient[] = [];
beforeAll(async () => {
  plane = await RunningControlPlane.start({ limits: { maximumConnectionsOfPrincipal: 2 } });
  [fleet, other] = [await makeDevice(plane, [allow("iot:*", "*")]), await makeDevice(plane, [allow("iot:*", "*")])];
});
afterEach(async () => {
  await Promise.all(clients.splice(0).map((client) => client.endAsync(true)));
});
afterAll(() => plane[Symbol.asyncDispose]());

async function connect(device: DeviceIdentity, clientId: string): Promise<MqttClient> {
  const { cert, key, ca } = device;
  const options = { cert, key, ca, clientId, protocolVersion: 5, reconnectPeriod: 0 } as const;
  const client = await connectAsync(`mqtts://localhost:${plane.mqttPort}`, options, false);
  clients.push(client);
  return client;
}

function post(device: DeviceIdentity, topic: string): Promise<number> {
  const { cert, key, ca } = device;
  const where = { host: "127.0.0.1", port: plane.portOf("https"), servername: "localhost", path: `/topics/${topic}` };
  return new Promise((resolve, reject) => {
    request({ ...where, method: "POST", cert, key, ca, agent: false }, (answer) => {
      answer.resume();
      resolve(answer.statusCode ?? 0);
    })
      .on("error", reject)
      .end("x");
  });
}

test("a third connection of a certificate is refused, and the log has one line of it, whatever comes after", async () => {
  await connect(fleet, "a");
  await connect(fleet, "b");
  for (const name of ["c", "d", "e"]) await expect(connect(fleet, name)).rejects.toMatchObject({ code: 0x97 });
  await connect(other, "f");
  const lines = (): Record<string, unknown>[] =>
    plane.log
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as Record<string, unknown>)
      .filter(({ msg }) => msg === "a principal has reached a limit");
  await expect.poll(lines, { timeout: 10_000 }).toMatchObject([
    {
      certificateId: fleet.certificateId,
      limit: "maximumConnectionsOfPrincipal",
      value: 2,
      remote: expect.stringMatching(/^127\.0\.0\.1:\d+$/) as string,
    },
  ]);
  await expect(connect(fleet, "g")).rejects.toMatchObject({ code: 0x97 });
  expect(lines()).toHaveLength(1);
});

test("publishes over HTTPS count with those over MQTT: 429 above the rate", async () => {
  await plane.broker.reload({ limits: { maximumPublishesPerSecondOfPrincipal: 1 }, listenerLimits: {} });
  const client = await connect(fleet, "a");
  await client.publishAsync("orders", "x", { qos: 1 });
  // One may have its place again by the time that its handshake is done.
  const statuses = await Promise.all(Array.from({ length: 8 }, () => post(fleet, "orders")));
  expect(statuses).toContain(429);
  expect(await post(other, "orders")).toBe(200);
});
