/** MQTT over WebSocket, with a client certificate and with a signed URL. */

import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { encode, PacketDecoder, type Packet } from "@latchkey/mqtt-codec";
import { connectAsync, type IClientOptions, type MqttClient } from "mqtt";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { WebSocket, type ClientOptions } from "ws";
import { RunningControlPlane } from "../control-plane/running-control-plane.ts";
import { presigned, type SigningOptions } from "../control-plane/signed-request.ts";
import { withoutExpiry } from "./signed-websocket.ts";
import { allow, makeDevice, revoke, type DeviceIdentity } from "./device-identity.ts";

/** Signs the URL of a WebSocket: as a GET over HTTPS of the same host. */
async function signedUrl(
  plane: RunningControlPlane,
  options: Partial<SigningOptions> = {},
  path = "/mqtt",
): Promise<string> {
  const url = `https://localhost:${plane.portOf("https")}${path}`;
  const signed = await presigned({ url }, { key: plane.administrator, service: "iotdevicegateway", ...options });
  return signed.replace("https:", "wss:");
}

function nextMessage(client: MqttClient): Promise<{ readonly topic: string; readonly octets: number }> {
  return new Promise((resolve) =>
    client.once("message", (topic, payload) => resolve({ topic, octets: payload.length })),
  );
}

const connectPacket = encode(
  { type: "connect", protocolVersion: 4, clientIdentifier: "frames", cleanStart: true, keepAlive: 0 },
  4,
);

describe.each(["node", "latchkey"] as const)("MQTT over WebSocket on the TLS engine %s", (tls) => {
  let plane: RunningControlPlane;
  let device: DeviceIdentity;
  let ca: string;
  beforeAll(async () => {
    plane = await RunningControlPlane.start({ tls });
    const client = "client/${iot:Connection.Thing.ThingName}";
    device = await makeDevice(plane, [
      allow("iot:Connect", "client/browser*", "client/frames", client),
      allow("iot:Publish", "topic/orders/*"),
      allow("iot:RetainPublish", "topic/orders/*"),
      allow("iot:Receive", "topic/orders/*"),
      allow("iot:Subscribe", "topicfilter/orders/*"),
    ]);
    ca = readFileSync(join(plane.directory, "server-ca.pem"), "utf8");
  });
  afterAll(() => plane[Symbol.asyncDispose]());

  const url = (path = "/mqtt"): string => `wss://localhost:${plane.portOf("https")}${path}`;
  const open = (options: ClientOptions = {}, target = url(), protocols: string | string[] = "mqtt"): WebSocket =>
    new WebSocket(target, protocols, { ca, cert: device.cert, key: device.key, ...options });
  /** The status with which the server refuses. */
  const refused = (socket: WebSocket): Promise<number | undefined> =>
    new Promise((resolve, reject) => {
      socket.on("error", () => {});
      socket.once("open", () => reject(new Error("it was let in")));
      socket.once("unexpected-response", (_, response) => {
        response.resume();
        resolve(response.statusCode);
        socket.terminate();
      });
    });
  const connected = (options: IClientOptions, target = url()): Promise<MqttClient> =>
    connectAsync(target, { ca, reconnectPeriod: 0, ...options });

  test.each([4, 5] as const)("MQTT.js, protocol version %i, with a client certificate", async (protocolVersion) => {
    const { cert, key } = device;
    const client = await connected({ cert, key, protocolVersion, clientId: `browser-${protocolVersion}` });
    const message = nextMessage(client);
    await client.subscribeAsync("orders/+", { qos: 1 });
    await client.publishAsync("orders/1", Buffer.alloc(100_000, "x"), { qos: 1 });
    expect(await message).toEqual({ topic: "orders/1", octets: 100_000 });
    await client.endAsync();
  });

  test("packets may be cut anywhere, and many may come in one frame (MQTT-6.0.0-2); mqtt is the subprotocol (MQTT-6.0.0-4)", async () => {
    const socket = open();
    await once(socket, "open");
    expect(socket.protocol).toBe("mqtt");
    const packets: Packet[] = [];
    const decoder = new PacketDecoder({ receives: "server-packets", protocolVersion: 4 });
    socket.on("message", (data: Buffer) => {
      decoder.push(data);
      for (let packet = decoder.next(); packet !== undefined; packet = decoder.next()) packets.push(packet);
    });
    for (const octet of connectPacket) socket.send(Buffer.of(octet));
    await expect.poll(() => packets.map(({ type }) => type)).toEqual(["connack"]);
    const ping = encode({ type: "pingreq" }, 4);
    socket.send(Buffer.concat([ping, ping, ping]));
    await expect.poll(() => packets.length).toBe(4);
    socket.close();
    await once(socket, "close");
  });

  test("frames of a message that does not come whole count: before CONNACK, and afterwards for their address", async () => {
    await plane.broker.reload({ limits: { maximumIncompleteOctetsOfAddress: 300_000 }, listenerLimits: {} });
    const early = open();
    await once(early, "open");
    early.send(Buffer.alloc(100_000), { fin: false });
    await once(early, "close");
    await expect.poll(() => plane.log, { timeout: 10_000 }).toContain('"detail":"maximumOctetsBeforeConnack 65536: ');
    const socket = open();
    await once(socket, "open");
    socket.send(connectPacket);
    await once(socket, "message");
    // Whole messages make room again.
    const topicName = "orders/1";
    const publish = encode(
      { type: "publish", topicName, payload: Buffer.alloc(200_000), qos: 1, packetIdentifier: 1 },
      4,
    );
    for (let count = 0; count < 3; count++) {
      for (let at = 0; at < publish.length; at += 50_000) {
        socket.send(publish.subarray(at, at + 50_000), { fin: at + 50_000 >= publish.length });
      }
      await once(socket, "message");
    }
    socket.send(Buffer.alloc(400_000), { fin: false });
    await once(socket, "close");
    await expect
      .poll(() => plane.log, { timeout: 10_000 })
      .toContain('"detail":"maximumIncompleteOctetsOfAddress 300000"');
    await plane.broker.reload({ limits: {}, listenerLimits: {} });
  });

  test("a text frame closes the connection (MQTT-6.0.0-1), and so does a frame above the largest packet", async () => {
    for (const [data, code] of [
      ["text", 1003],
      [Buffer.alloc(3 * 1024 * 1024), 1009],
    ] as const) {
      const socket = open();
      socket.on("error", () => {});
      await once(socket, "open");
      socket.send(data);
      expect((await once(socket, "close"))[0]).toBe(code);
    }
  });

  test("messages of any size arrive whole, live and retained, up to the largest packet", async () => {
    const { cert, key } = device;
    const client = await connected({ cert, key, protocolVersion: 5, clientId: "browser-large" });
    const largest = 2 * 1024 * 1024;
    await client.subscribeAsync("orders/live", { qos: 1 });
    // Around the lengths at which a frame's header grows, a TLS record ends, and the packet is as large as it may be.
    for (const octets of [125, 126, 4096, 16_384, 65_535, 65_536, 200_000, largest - 100]) {
      const payload = Buffer.alloc(octets, "x");
      const live = nextMessage(client);
      await client.publishAsync("orders/live", payload, { qos: 1 });
      expect(await live).toEqual({ topic: "orders/live", octets });
      await client.publishAsync("orders/retained", payload, { qos: 1, retain: true });
      const retained = nextMessage(client);
      await client.subscribeAsync("orders/retained", { qos: 1 });
      expect(await retained).toEqual({ topic: "orders/retained", octets });
      await client.unsubscribeAsync("orders/retained");
    }
    await client.publishAsync("orders/retained", "", { qos: 1, retain: true });
    await client.endAsync();
  });

  test("a ping frame is answered, before CONNECT and after it; a pong that nobody asked for is no fault", async () => {
    const socket = open();
    await once(socket, "open");
    socket.ping("one");
    expect(String((await once(socket, "pong"))[0])).toBe("one");
    socket.send(connectPacket);
    await once(socket, "message");
    socket.pong("unasked");
    socket.ping("two");
    expect(String((await once(socket, "pong"))[0])).toBe("two");
    socket.close();
    await once(socket, "close");
  });

  test("a certificate that is revoked ends its connections", async () => {
    const lost = await makeDevice(plane, [allow("iot:*", "*")]);
    const { cert, key } = lost;
    const client = await connected({ cert, key, clientId: "lost-later" });
    const closed = new Promise<void>((resolve) => client.once("close", resolve));
    await revoke(plane, lost);
    await closed;
    client.end(true);
  });

  test("delivery goes on to the client that takes a client identifier over", async () => {
    const { cert, key } = device;
    const options = { cert, key, clean: false, clientId: "browser-twice" } as const;
    const first = await connected(options);
    await first.subscribeAsync("orders/+", { qos: 1 });
    const ended = new Promise<void>((resolve) => first.once("close", resolve));
    const second = await connected(options);
    await ended;
    first.end(true);
    const message = nextMessage(second);
    await second.publishAsync("orders/2", "x", { qos: 1 });
    expect(await message).toEqual({ topic: "orders/2", octets: 1 });
    second.end(true);
  });

  test.each([
    ["another path", "/", ["mqtt"], 404],
    ["another subprotocol (MQTT-6.0.0-3)", "/mqtt", ["soap"], 400],
    ["no subprotocol (MQTT-6.0.0-3)", "/mqtt", [], 400],
  ])("%s is refused", async (_, path, protocols, status) => {
    expect(await refused(open({}, url(path), protocols))).toBe(status);
  });

  test("a certificate that is refused is told so by CONNACK, and a signature does not help it", async () => {
    const lost = await makeDevice(plane, [allow("iot:Connect", "*")]);
    await revoke(plane, lost);
    const { cert, key } = lost;
    for (const target of [url(), await signedUrl(plane)]) {
      await expect(connected({ cert, key, clientId: "lost" }, target)).rejects.toThrow(/Not authorized/i);
    }
  });

  describe("with a signed URL and no certificate", () => {
    const asProgram = async (options: Partial<SigningOptions>, clientId: string): Promise<MqttClient> =>
      connected({ clientId, protocolVersion: 5 }, await signedUrl(plane, options));

    test("an administrator may do everything but use the broker's own topics", async () => {
      const client = await asProgram({}, "console");
      const message = nextMessage(client);
      await client.subscribeAsync("anything/#", { qos: 1 });
      await client.publishAsync("anything/at/all", "x", { qos: 1 });
      expect(await message).toMatchObject({ topic: "anything/at/all" });
      await expect(client.publishAsync("$aws/things/a/shadow/update", "x", { qos: 1 })).rejects.toThrow();
      client.end(true);
    });

    test("a reader may subscribe and not publish, and a key that is revoked ends its connections", async () => {
      const key = await plane.createKey("reader");
      const client = await asProgram({ key }, "watcher");
      await client.subscribeAsync("orders/#", { qos: 1 });
      await expect(client.publishAsync("orders/1", "x", { qos: 1 })).rejects.toThrow(/Not authorized/i);
      const closed = new Promise<void>((resolve) => client.once("close", resolve));
      await plane.revokeKey(key);
      await closed;
      client.end(true);
    });

    test("the URL that AWS's device SDKs sign, which does not say when it ends, is good for five minutes", async () => {
      const at = (ageMs: number): string => {
        const host = `localhost:${plane.portOf("https")}`;
        return withoutExpiry(host, plane.administrator, new Date(Date.now() - ageMs));
      };
      const client = await connected({ clientId: "sdk" }, at(0));
      await client.endAsync();
      expect(await refused(open({ cert: undefined, key: undefined }, at(6 * 60_000)))).toBe(403);
    });

    test.each([
      ["no signature", async () => url(), undefined],
      [
        "a wrong secret",
        () => signedUrl(plane, { key: { ...plane.administrator, secretAccessKey: "x".repeat(40) } }),
        403,
      ],
      [
        "a key that is not known",
        () => signedUrl(plane, { key: { ...plane.administrator, accessKeyId: "LKIAUNKNOWN" } }),
        403,
      ],
      ["another service", () => signedUrl(plane, { service: "iot" }), 403],
      ["another region", () => signedUrl(plane, { region: "eu-west-1" }), 403],
      ["a signature of yesterday", () => signedUrl(plane, { date: new Date(Date.now() - 86_400_000) }), 403],
      [
        "a signature for another path",
        async () => (await signedUrl(plane, {}, "/other")).replace("/other", "/mqtt"),
        403,
      ],
    ])("%s is refused", async (_, make, status) => {
      const target = await make();
      if (status === undefined)
        await expect(connected({ clientId: "nobody" }, target)).rejects.toThrow(/Not authorized/i);
      else expect(await refused(open({ cert: undefined, key: undefined }, target))).toBe(status);
    });

    test("no log line has a signature", () => {
      expect(plane.log).not.toMatch(/X-Amz-Signature|Signature=/i);
      expect(plane.log).toContain('"accessKeyId"');
    });
  });
});
