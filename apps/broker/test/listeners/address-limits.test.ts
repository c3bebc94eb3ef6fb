/** Limits that one address has over all its connections, whatever their certificates, over TLS, HTTPS and after a change of the settings. */

import { once } from "node:events";
import { request } from "node:https";
import { connect as connectTls, type TLSSocket } from "node:tls";
import type { Limits } from "@latchkey/broker-core";
import { connectAsync, type MqttClient } from "mqtt";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { RunningControlPlane } from "../control-plane/running-control-plane.ts";
import { allow, makeDevice, type DeviceIdentity } from "../data-plane/device-identity.ts";

let plane: RunningControlPlane;
let first: DeviceIdentity;
let second: DeviceIdentity;
const clients: MqttClient[] = [];
const sockets: TLSSocket[] = [];
beforeAll(async () => {
  plane = await RunningControlPlane.start();
  [first, second] = [await makeDevice(plane, [allow("iot:*", "*")]), await makeDevice(plane, [allow("iot:*", "*")])];
});
afterEach(async () => {
  await Promise.all(clients.splice(0).map((client) => client.endAsync(true)));
  for (const socket of sockets.splice(0)) socket.destroy();
});
afterAll(() => plane[Symbol.asyncDispose]());

/** All addresses of 127.0.0.0/8 are this machine's. */
type Address = "127.0.0.1" | "127.0.0.2";

const limit = (limits: Partial<Limits>): Promise<void> => plane.broker.reload({ limits, listenerLimits: {} });

async function connect(device: DeviceIdentity, clientId: string, localAddress: Address): Promise<MqttClient> {
  const { cert, key, ca } = device;
  const options = { cert, key, ca, clientId, protocolVersion: 5, reconnectPeriod: 0, localAddress } as const;
  const client = await connectAsync(`mqtts://127.0.0.1:${plane.mqttPort}`, options, false);
  clients.push(client);
  return client;
}

/** A connection that does not say what it wants. */
async function connectSilently({ cert, key, ca }: DeviceIdentity, localAddress: Address): Promise<TLSSocket> {
  const where = { host: "127.0.0.1", port: plane.mqttPort, servername: "localhost", localAddress };
  const socket = connectTls({ ...where, cert, key, ca });
  sockets.push(socket);
  socket.on("error", () => {});
  socket.resume();
  await once(socket, "secureConnect");
  return socket;
}

function post({ cert, key, ca }: DeviceIdentity, localAddress: Address): Promise<number> {
  const where = { host: "127.0.0.1", port: plane.portOf("https"), servername: "localhost", path: "/topics/orders" };
  return new Promise((resolve, reject) => {
    request({ ...where, method: "POST", cert, key, ca, agent: false, localAddress }, (answer) => {
      answer.resume();
      resolve(answer.statusCode ?? 0);
    })
      .on("error", reject)
      .end("x");
  });
}

const reached = (limitName: string): Record<string, unknown>[] =>
  plane.log
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as Record<string, unknown>)
    .filter(({ msg, limit: name }) => String(msg).startsWith("an address has reached") && name === limitName);

test("connections: one more is refused whatever its certificate, and the log has one line of it", async () => {
  await limit({ maximumConnectionsOfAddress: 2 });
  await connect(first, "a", "127.0.0.1");
  await connect(second, "b", "127.0.0.1");
  for (const name of ["c", "d", "e"]) {
    await expect(connect(second, name, "127.0.0.1")).rejects.toMatchObject({ code: 0x97 });
  }
  await connect(second, "f", "127.0.0.2");
  await expect
    .poll(() => reached("maximumConnectionsOfAddress"), { timeout: 10_000 })
    .toMatchObject([{ address: "127.0.0.1", value: 2, remote: expect.stringMatching(/^127\.0\.0\.1:\d+$/) as string }]);
});

test("connections without CONNECT: one more is closed, and one that connects makes room", async () => {
  await limit({ maximumConnectionsBeforeConnectOfAddress: 2 });
  const held = [await connectSilently(first, "127.0.0.1"), await connectSilently(second, "127.0.0.1")];
  const ended = await connectSilently(second, "127.0.0.1");
  if (!ended.closed) await once(ended, "close");
  expect(held.map(({ closed }) => closed)).toEqual([false, false]);
  await connect(second, "a", "127.0.0.2");
  held[0]?.destroy();
  const again = async (): Promise<boolean> => {
    const client = await connect(first, "b", "127.0.0.1").catch(() => undefined);
    return client?.connected ?? false;
  };
  await expect.poll(again, { timeout: 30_000 }).toBe(true);
});

test("publishes over HTTPS count with those over MQTT: 429 above the rate", async () => {
  await limit({ maximumPublishesPerSecondOfAddress: 1 });
  const client = await connect(first, "a", "127.0.0.1");
  await client.publishAsync("orders", "x", { qos: 1 });
  // One may have its place again by the time that its handshake is done.
  expect(await Promise.all(Array.from({ length: 8 }, () => post(second, "127.0.0.1")))).toContain(429);
  expect(await post(second, "127.0.0.2")).toBe(200);
});

test("octets: all connections of the address wait together, and others are served meanwhile", async () => {
  await limit({ maximumOctetsPerSecondOfAddress: 100_000 });
  const [one, two, other] = [
    await connect(first, "a", "127.0.0.1"),
    await connect(second, "b", "127.0.0.1"),
    await connect(second, "c", "127.0.0.2"),
  ];
  const order: string[] = [];
  const publish = async (client: MqttClient, name: string, octets: number): Promise<void> => {
    await client.publishAsync("orders", "x".repeat(octets), { qos: 1 });
    order.push(name);
  };
  await publish(one, "a", 100_000);
  // Two seconds' worth, at least.
  await Promise.all([publish(two, "b", 300_000), publish(other, "c", 300_000)]);
  expect(order).toEqual(["a", "c", "b"]);
  await expect.poll(() => reached("maximumOctetsPerSecondOfAddress"), { timeout: 10_000 }).not.toEqual([]);
});

test("subscriptions: one more, over all clients of the address, is refused", async () => {
  await limit({ maximumSubscriptionsOfAddress: 2 });
  const [one, two, other] = [
    await connect(first, "a", "127.0.0.1"),
    await connect(second, "b", "127.0.0.1"),
    await connect(second, "c", "127.0.0.2"),
  ];
  const subscribe = (client: MqttClient, topic: string): Promise<unknown> => client.subscribeAsync(topic, { qos: 1 });
  await subscribe(one, "1");
  await subscribe(two, "2");
  await expect(subscribe(two, "3")).rejects.toThrow(/quota/i);
  await subscribe(other, "3");
});
