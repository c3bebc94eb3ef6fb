/** Publishing and reading over HTTPS with a client certificate, as devices do it. */

import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { Agent, request as httpsRequest } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect as connectTls, type TLSSocket } from "node:tls";
import { findProgram, runProgram } from "@latchkey/tooling-vitest/programs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { MqttDevice } from "../control-plane/mqtt-device.ts";
import { RunningControlPlane } from "../control-plane/running-control-plane.ts";
import { allow, makeDevice, revoke, type DeviceIdentity } from "./device-identity.ts";

interface Answer {
  readonly status: number;
  readonly errorType: string | undefined;
  readonly body: string;
  readonly connection: string | undefined;
}

interface Request {
  readonly method?: string;
  readonly path: string;
  readonly body?: string | Buffer;
  readonly headers?: Record<string, string>;
  readonly agent?: Agent;
  readonly port?: number;
  readonly ALPNProtocols?: readonly string[];
}

function send(
  plane: RunningControlPlane,
  device: Partial<DeviceIdentity>,
  { method = "POST", body, agent, ...more }: Request,
): Promise<Answer> {
  const { cert, key, ca } = device;
  const options = {
    host: "127.0.0.1",
    port: plane.portOf("https"),
    servername: "localhost",
    method,
    cert,
    key,
    ca,
    ...more,
  };
  return new Promise((resolve, reject) => {
    const outgoing = httpsRequest({ ...options, agent: agent ?? false } as object, (incoming) => {
      let text = "";
      incoming.on("data", (chunk: Buffer) => (text += chunk.toString()));
      incoming.on("end", () =>
        resolve({
          status: incoming.statusCode ?? 0,
          errorType: incoming.headers["x-amzn-errortype"] as string | undefined,
          body: text,
          connection: incoming.headers.connection,
        }),
      );
    });
    outgoing.on("error", reject).end(body);
  });
}

function secure(plane: RunningControlPlane, device: DeviceIdentity, options: object = {}): TLSSocket {
  const { cert, key, ca } = device;
  const socket = connectTls({
    host: "127.0.0.1",
    port: plane.portOf("https"),
    servername: "localhost",
    cert,
    key,
    ca,
    ...options,
  });
  socket.on("error", () => {});
  return socket;
}

/** Writes octets, and reads until the server ends the connection. */
function sendOctets(socket: TLSSocket, octets: string): Promise<string> {
  return new Promise((resolve) => {
    let answer = "";
    socket.on("data", (chunk: Buffer) => (answer += chunk.toString()));
    socket.on("close", () => resolve(answer));
    socket.write(octets);
  });
}

describe.each(["node", "latchkey"] as const)("HTTPS for devices on the TLS engine %s", (tls) => {
  let plane: RunningControlPlane;
  /** May publish to its topic, and may not connect. */
  let button: DeviceIdentity;
  beforeAll(async () => {
    plane = await RunningControlPlane.start({ tls });
    button = await makeDevice(plane, [
      allow("iot:Publish", "topic/iotbutton/G03X", "topic/${iot:Connection.Thing.ThingName}/*"),
    ]);
  });
  afterAll(() => plane[Symbol.asyncDispose]());

  test.each(["/topics/iotbutton/G03X?qos=1", "/topics/iotbutton%2FG03X?qos=1", "/topics/iotbutton/G03X"])(
    "POST %s publishes the body as it is, without iot:Connect",
    async (path) => {
      await using kitchen = await MqttDevice.connect(plane, `kitchen-${tls}`);
      await kitchen.subscribe("iotbutton/+");
      const answer = await send(plane, button, { path, body: '{"clickType":"SINGLE"}' });
      expect(answer).toMatchObject({ status: 200, errorType: undefined });
      expect(JSON.parse(answer.body)).toEqual({ message: "OK", traceId: expect.any(String) as string });
      expect(await kitchen.nextMessage()).toEqual({ topic: "iotbutton/G03X", payload: '{"clickType":"SINGLE"}' });
    },
  );

  test("a body that comes in chunks, and an empty one, are whole payloads", async () => {
    await using kitchen = await MqttDevice.connect(plane, `chunks-${tls}`);
    await kitchen.subscribe("iotbutton/+");
    const socket = secure(plane, button);
    const head = "POST /topics/iotbutton/G03X HTTP/1.1\r\nhost: localhost\r\n";
    const answers = sendOctets(socket, `${head}transfer-encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n`);
    expect((await kitchen.nextMessage()).payload).toBe("abc");
    socket.write(`${head}content-length: 0\r\nconnection: close\r\n\r\n`);
    expect((await kitchen.nextMessage()).payload).toBe("");
    expect((await answers).match(/HTTP\/1.1 200 OK/g)).toHaveLength(2);
  });

  test("a topic that no policy allows is 403, says why, and is a decision", async () => {
    const answer = await send(plane, button, { path: "/topics/iotbutton/G03Y?qos=1", body: "{}" });
    expect(answer).toMatchObject({ status: 403, errorType: "ForbiddenException" });
    expect(answer.body).toContain("iotbutton/G03Y");
    await expect
      .poll(() => plane.log, { timeout: 30_000 })
      .toMatch(
        /"remote":"127\.0\.0\.1:\d+","certificateId":"[0-9a-f]{64}",.*"action":"publish","name":"iotbutton\/G03Y".*"denied"/,
      );
  });

  test("a thing variable has no value on HTTPS", async () => {
    expect(await send(plane, button, { path: "/topics/lamp/x", body: "" })).toMatchObject({ status: 403 });
  });

  test.each([
    ["POST", "/topics/$SYS/x", 403, "ForbiddenException"],
    ["POST", "/topics/", 400, "InvalidRequestException"],
    ["POST", "/topics/a/../b", 400, "InvalidRequestException"],
    ["POST", "/topics/a%00b", 400, "InvalidRequestException"],
    ["POST", "/topics/iotbutton/%23", 400, "InvalidRequestException"],
    ["POST", "/topics/iotbutton/G03X?qos=2", 400, "InvalidRequestException"],
    ["POST", "/topics/iotbutton/G03X?qos=1&qos=0", 400, "InvalidRequestException"],
    ["POST", "/topics/iotbutton/G03X?qos=1&responseTopic=a%2F%23", 400, "InvalidRequestException"],
    ["POST", "/topics/iotbutton/G03X?qos=1&responseTopic=", 400, "InvalidRequestException"],
    ["GET", "/topics/iotbutton/G03X", 405, "MethodNotAllowedException"],
    ["GET", "/things/lamp/shadow", 404, "UnknownOperationException"],
    ["DELETE", "/connections/kitchen", 404, "UnknownOperationException"],
    ["GET", "/latchkey/sessions", 404, "UnknownOperationException"],
    ["GET", "/policies", 404, "UnknownOperationException"],
  ])("%s %s is %i %s", async (method, path, status, errorType) => {
    const answer = await send(plane, button, { method, path });
    expect(answer).toMatchObject({ status, errorType });
    expect(JSON.parse(answer.body)).toEqual({ __type: errorType, message: expect.any(String) as string });
  });

  test("user properties that MQTT cannot carry are 400, and are not kept for those who subscribe later", async () => {
    const headers = { "x-amz-mqtt5-user-properties": Buffer.from('[{"a":"\\ud800"}]').toString("base64") };
    const answer = await send(plane, button, { path: "/topics/iotbutton/G03X?qos=1", body: "{}", headers });
    expect(answer).toMatchObject({ status: 400, errorType: "InvalidRequestException" });
    expect(answer.body).toContain("userProperties");
  });

  test("128 KiB are published, an octet more is 413", async () => {
    const path = "/topics/iotbutton/G03X";
    expect(await send(plane, button, { path, body: Buffer.alloc(131_072) })).toMatchObject({ status: 200 });
    expect(await send(plane, button, { path, body: Buffer.alloc(131_073) })).toMatchObject({
      status: 413,
      errorType: "RequestEntityTooLargeException",
    });
  });

  test("retained messages are read with iot:GetRetainedMessage and iot:ListRetainedMessages alone", async () => {
    const writer = await makeDevice(plane, [
      allow("iot:Publish", "topic/menu"),
      allow("iot:RetainPublish", "topic/menu"),
    ]);
    const reader = await makeDevice(plane, [
      allow("iot:GetRetainedMessage", "topic/menu"),
      allow("iot:ListRetainedMessages", "*"),
    ]);
    const path = "/topics/menu?qos=1&retain=true";
    expect(await send(plane, button, { path, body: "x" })).toMatchObject({ status: 403 });
    expect(await send(plane, writer, { path, body: "margherita" })).toMatchObject({ status: 200 });
    const get = { method: "GET", path: "/retainedMessage/menu" };
    const list = { method: "GET", path: "/retainedMessage" };
    expect(JSON.parse((await send(plane, reader, get)).body)).toMatchObject({
      topic: "menu",
      payload: Buffer.from("margherita").toString("base64"),
    });
    expect(JSON.parse((await send(plane, reader, list)).body)).toMatchObject({ retainedTopics: [{ topic: "menu" }] });
    for (const one of [get, list]) {
      expect(await send(plane, writer, one)).toMatchObject({ status: 403, errorType: "ForbiddenException" });
    }
    expect(await send(plane, reader, { ...get, path: "/retainedMessage/other" })).toMatchObject({ status: 403 });
  });

  test("without a certificate, and with one that is revoked, the answer is 401 and the connection ends", async () => {
    const { ca } = button;
    const nobody = await send(plane, { ca }, { path: "/topics/iotbutton/G03X", body: "x" });
    expect(nobody).toMatchObject({ status: 401, errorType: "UnauthorizedException", connection: "close" });
    const lost = await makeDevice(plane, [allow("iot:Publish", "topic/a")]);
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const publish = { path: "/topics/a", body: "x", agent };
    expect(await send(plane, lost, publish)).toMatchObject({ status: 200 });
    await revoke(plane, lost);
    // On the connection that is open, as soon as the change has arrived, and on a new one.
    await expect
      .poll(() => send(plane, lost, publish), { timeout: 30_000 })
      .toMatchObject({ status: 401, connection: "close" });
    agent.destroy();
    const again = await send(plane, lost, { path: "/topics/a", body: "x" });
    expect(again).toMatchObject({ status: 401 });
    expect(again.body).toContain("REVOKED");
  });

  test("one connection serves many requests, also when they are sent at once", async () => {
    const socket = secure(plane, button);
    const one = "POST /topics/iotbutton/G03X HTTP/1.1\r\nhost: localhost\r\ncontent-length: 1\r\n\r\nx";
    const last = one.replace("content-length", "connection: close\r\ncontent-length");
    const answers = await sendOctets(socket, one.repeat(99) + last);
    expect(answers.match(/HTTP\/1.1 200 OK/g)).toHaveLength(100);
  });

  test.each([
    ["a header of 20 KB", `GET / HTTP/1.1\r\nhost: x\r\nx: ${"a".repeat(20_000)}\r\n\r\n`, 431],
    ["no HTTP", "\u0010\u0012\0\u0004MQTT\u0004\u0002\0\0\0\u0006button\r\n\r\n", 400],
    [
      "a request that never ends",
      "POST /topics/iotbutton/G03X HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\n\r\nab",
      408,
    ],
    ["nothing at all", "", 408],
    ["two lengths", "POST /topics/a HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\nab", 400],
  ])("%s is answered and ends the connection", async (_, octets, status) => {
    const answer = await sendOctets(secure(plane, button), octets);
    expect(answer).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    expect(JSON.parse(answer.slice(answer.indexOf("\r\n\r\n") + 4))).toHaveProperty("message");
  });

  test("on the shared port ALPN selects the protocol, and HTTP is spoken where nothing was asked for", async () => {
    const request = { path: "/topics/iotbutton/G03X", body: "x", port: plane.portOf("alpn") };
    for (const ALPNProtocols of [["x-amzn-http-ca"], ["http/1.1"], []]) {
      expect(await send(plane, button, { ...request, ALPNProtocols })).toMatchObject({ status: 200 });
    }
    for (const name of ["x-amzn-mqtt-ca", "mqtt"]) {
      const socket = secure(plane, button, { port: plane.portOf("alpn"), ALPNProtocols: [name] });
      // CONNECT of MQTT 3.1.1; this device may not connect.
      socket.write("\u0010\u0012\0\u0004MQTT\u0004\u0002\0\0\0\u0006button", "latin1");
      const [connack] = (await once(socket, "data")) as [Buffer];
      expect([...connack]).toEqual([0x20, 2, 0, 5]);
      socket.destroy();
    }
  });

  const curl = findProgram("curl");
  test.skipIf(curl.path === undefined)(`curl (${curl.path ?? curl.skipReason}) orders a pizza`, async () => {
    const folder = mkdtempSync(join(tmpdir(), "latchkey-curl-"));
    try {
      const file = (name: "cert" | "key" | "ca"): string => {
        writeFileSync(join(folder, name), button[name]);
        return join(folder, name);
      };
      const words = ["--cert", file("cert"), "--key", file("key"), "--cacert", file("ca"), "--silent", "--show-error"];
      const url = `https://localhost:${plane.portOf("https")}/topics/iotbutton%2FG03X?qos=1`;
      const { stdout } = await runProgram(curl.path ?? "", [...words, "--data-binary", "pizza", url]);
      expect(JSON.parse(stdout)).toMatchObject({ message: "OK" });
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

describe("a client that is refused", () => {
  const connect = "\u0010\u0012\0\u0004MQTT\u0004\u0002\0\0\0\u0006button";

  test.each(["node", "latchkey"] as const)("%s, explain: MQTT says it by CONNACK 5", async (tls) => {
    await using plane = await RunningControlPlane.start({ tls });
    const device = await makeDevice(plane, [allow("iot:Connect", "*")]);
    await revoke(plane, device);
    const socket = secure(plane, device, { port: plane.mqttPort });
    expect([...Buffer.from(await sendOctets(socket, connect), "latin1")]).toEqual([0x20, 2, 0, 5]);
  });

  test("explain: one that asks for nothing is let go, on MQTT and HTTPS; the others have their own time", async () => {
    const anHour = 3_600_000;
    await using plane = await RunningControlPlane.start({
      listenerLimits: { refusedTimeoutMs: 100 },
      limits: { connectTimeoutMs: anHour },
      requestTimeoutMs: anHour,
    });
    const refused = await makeDevice(plane, [allow("iot:Connect", "*")]);
    await revoke(plane, refused);
    const device = await makeDevice(plane, [allow("iot:Connect", "*")]);
    const accepted = secure(plane, device, { port: plane.mqttPort });
    const withoutCertificate = secure(plane, device, { cert: undefined, key: undefined });
    await Promise.all([accepted, withoutCertificate].map((socket) => once(socket, "secureConnect")));
    for (const service of ["mqtts", "https"] as const) {
      const socket = secure(plane, refused, { port: plane.portOf(service) });
      socket.resume();
      await once(socket, "close");
    }
    await expect
      .poll(() => plane.log, { timeout: 30_000 })
      .toMatch(/"detail":"it was refused and sent no CONNECT in time"/);
    accepted.write(connect, "latin1");
    expect([...((await once(accepted, "data")) as [Buffer])[0]]).toEqual([0x20, 2, 0, 0]);
    expect(await sendOctets(withoutCertificate, "GET / HTTP/1.1\r\nhost: x\r\n\r\n")).toMatch(/^HTTP\/1.1 401 /);
  });

  test("parity: the engine of ours says it by an alert, on MQTT and HTTPS", async () => {
    await using plane = await RunningControlPlane.start({ tls: "latchkey", denial: "parity" });
    const device = await makeDevice(plane, [allow("iot:Publish", "topic/a")]);
    const denied = await send(plane, device, { path: "/topics/b", body: "x" });
    expect(denied).toMatchObject({ status: 403, errorType: "ForbiddenException" });
    expect(JSON.parse(denied.body)).toMatchObject({ message: "Forbidden" });
    await revoke(plane, device);
    for (const service of ["mqtts", "https"] as const) {
      const socket = secure(plane, device, { port: plane.portOf(service) });
      let reason = "";
      socket.on("error", (error) => (reason = error.message));
      expect(await sendOctets(socket, connect)).toBe("");
      expect(reason).toContain("certificate revoked");
    }
  });

  test("connections above the limit of an address are cut and logged, the others are served", async () => {
    await using plane = await RunningControlPlane.start({ listenerLimits: { maximumConnectionsOfAddress: 1 } });
    const device = await makeDevice(plane, [allow("iot:Publish", "topic/a")]);
    const socket = secure(plane, device);
    await once(socket, "secureConnect");
    await expect(send(plane, device, { path: "/topics/a", body: "x" })).rejects.toThrow();
    await expect.poll(() => plane.log, { timeout: 30_000 }).toMatch(/"limit":"maximumConnectionsOfAddress","value":1/);
    socket.end();
    await once(socket, "close");
    await expect
      .poll(() => send(plane, device, { path: "/topics/a", body: "x" }).catch(() => undefined), { timeout: 30_000 })
      .toMatchObject({ status: 200 });
  });
});
