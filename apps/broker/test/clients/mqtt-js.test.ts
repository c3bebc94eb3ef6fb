/** MQTT.js against the broker, both versions of MQTT on both TLS engines. */

import { once } from "node:events";
import { connect, connectAsync, type IClientOptions, type MqttClient } from "mqtt";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { RunningControlPlane } from "../control-plane/running-control-plane.ts";
import { allow, makeDevice, revoke, type DeviceIdentity } from "../data-plane/device-identity.ts";

const patience = { timeout: 20_000 };

describe.each(["node", "latchkey"] as const)("MQTT.js, TLS engine %s", (tls) => {
  let plane: RunningControlPlane;
  let device: DeviceIdentity;
  beforeAll(async () => {
    plane = await RunningControlPlane.start({ tls });
    device = await makeDevice(plane, [
      allow("iot:Connect", "client/js-*"),
      allow("iot:Publish", "topic/js/*"),
      allow("iot:RetainPublish", "topic/js/*"),
      allow("iot:Receive", "topic/js/*"),
      allow("iot:Subscribe", "topicfilter/js/*"),
    ]);
  });
  afterAll(() => plane[Symbol.asyncDispose]());
  const broker = { plane: () => plane, device: () => device };

  describe.each([4, 5] as const)("protocol version %i", (protocolVersion) => speaks(protocolVersion, broker));
});

/** What MQTT.js can do in a version of MQTT. */
function speaks(
  protocolVersion: 4 | 5,
  broker: { plane: () => RunningControlPlane; device: () => DeviceIdentity },
): void {
  const url = (): string => `mqtts://localhost:${broker.plane().mqttPort}`;
  const options = (more: IClientOptions, { cert, key, ca }: DeviceIdentity = broker.device()): IClientOptions => ({
    ...{ cert, key, ca, protocolVersion, reconnectPeriod: 0 },
    ...more,
  });
  const connected = (more: IClientOptions): Promise<MqttClient> => connectAsync(url(), options(more));
  /** What a client gets from now on, as `topic payload qos retain`. */
  const received = (client: MqttClient): string[] => {
    const messages: string[] = [];
    client.on("message", (topic, payload, { qos, retain }) =>
      messages.push(`${topic} ${payload.toString()} ${qos} ${retain}`),
    );
    return messages;
  };

  test("each QoS there and back, and a retained message", async () => {
    const client = await connected({ clientId: `js-round-${protocolVersion}` });
    const messages = received(client);
    expect(await client.subscribeAsync("js/round/#", { qos: 2 })).toMatchObject([{ qos: 2 }]);
    for (const qos of [0, 1, 2] as const) await client.publishAsync(`js/round/${qos}`, "x", { qos });
    await expect.poll(() => messages, patience).toEqual([0, 1, 2].map((qos) => `js/round/${qos} x ${qos} false`));
    await client.publishAsync(`js/kept/${protocolVersion}`, "stays", { qos: 1, retain: true });
    await client.subscribeAsync(`js/kept/${protocolVersion}`, { qos: 1 });
    await expect.poll(() => messages.at(-1), patience).toBe(`js/kept/${protocolVersion} stays 1 true`);
    await client.endAsync();
  });

  test("a will, and none after DISCONNECT", async () => {
    const watcher = await connected({ clientId: `js-watcher-${protocolVersion}` });
    const messages = received(watcher);
    await watcher.subscribeAsync("js/will/+", { qos: 1 });
    const will = (topic: string) => ({ topic, payload: Buffer.from("gone"), qos: 1, retain: false }) as const;
    const leaving = await connected({ clientId: `js-leaving-${protocolVersion}`, will: will("js/will/leaving") });
    await leaving.endAsync();
    const lost = await connected({ clientId: `js-lost-${protocolVersion}`, will: will("js/will/lost") });
    lost.stream.destroy();
    await expect.poll(() => messages, patience).toEqual(["js/will/lost gone 1 false"]);
    lost.end(true);
    await watcher.endAsync();
  });

  test("a session that is kept: it reconnects by itself, and gets what came meanwhile", async () => {
    const kept: IClientOptions = {
      clientId: `js-kept-${protocolVersion}`,
      clean: false,
      reconnectPeriod: 50,
      ...(protocolVersion === 5 && { properties: { sessionExpiryInterval: 600 } }),
    };
    const client = await connected(kept);
    const messages = received(client);
    await client.subscribeAsync("js/meanwhile", { qos: 2 });
    const again = once(client as unknown as NodeJS.EventEmitter, "connect");
    client.stream.destroy();
    const other = await connected({ clientId: `js-other-${protocolVersion}` });
    for (const text of ["1", "2", "3"]) await other.publishAsync("js/meanwhile", text, { qos: 2 });
    const [connack] = (await again) as [{ readonly sessionPresent: boolean }];
    expect(connack.sessionPresent).toBe(true);
    await expect.poll(() => messages, patience).toEqual(["1", "2", "3"].map((text) => `js/meanwhile ${text} 2 false`));
    await Promise.all([client.endAsync(), other.endAsync()]);
  });

  test("what the policy refuses is told: at CONNECT, SUBSCRIBE and, in 5.0, PUBLISH", async () => {
    await expect(connected({ clientId: "other" })).rejects.toThrow(/Not authorized/i);
    const client = await connected({ clientId: `js-denied-${protocolVersion}` });
    await expect(client.subscribeAsync("other", { qos: 1 })).rejects.toThrow(/error|authorized/i);
    if (protocolVersion === 5) {
      await expect(client.publishAsync("other", "x", { qos: 1 })).rejects.toThrow(/Not authorized/i);
      expect(client.connected).toBe(true);
    } else {
      const closed = new Promise<void>((resolve) => client.once("close", resolve));
      client.publish("other", "x", { qos: 1 });
      await closed;
    }
    client.end(true);
  });

  test("a client whose certificate is revoked learns it, and does not hang", async () => {
    const lost = await makeDevice(broker.plane(), [allow("iot:*", "*")]);
    await revoke(broker.plane(), lost);
    const client = connect(url(), options({ clientId: `js-revoked-${protocolVersion}` }, lost));
    const error = await new Promise<Error>((resolve) => client.once("error", resolve));
    expect(error.message).toMatch(/Not authorized/i);
    client.end(true);
  });
}
