/** SIGHUP, SIGTERM and a second SIGTERM, on a broker that is a process of its own. */

import { once } from "node:events";
import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { connect as connectTls, type TLSSocket } from "node:tls";
import { encode, PacketDecoder, type Packet } from "@latchkey/mqtt-codec";
import { connectAsync } from "mqtt";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { type Access, MqttSession } from "../mqtt-session.ts";
import { BrokerProcess, everything } from "../observability/running-broker.ts";

vi.setConfig({ testTimeout: 180_000, hookTimeout: 180_000 });

let broker: BrokerProcess;
let access: Omit<Access, "port">;
let file: string;
beforeEach(async () => {
  broker = new BrokerProcess();
  file = join(broker.folder, "latchkey.json");
  await broker.start();
  access = await broker.device([everything]);
  await broker.end("SIGKILL");
});
afterEach(() => broker[Symbol.asyncDispose]());

const configure = (value: object): void => writeFileSync(file, JSON.stringify(value));

/** Connects with MQTT 5.0, and gives what arrives. */
async function connect5(port: number, clientIdentifier: string): Promise<{ socket: TLSSocket; packets: Packet[] }> {
  const socket = connectTls({ host: "127.0.0.1", port, servername: "localhost", ...access });
  const decoder = new PacketDecoder({ receives: "server-packets", protocolVersion: 5 });
  const packets: Packet[] = [];
  socket.on("error", () => {});
  socket.on("data", (chunk) => {
    decoder.push(chunk);
    for (let packet = decoder.next(); packet !== undefined; packet = decoder.next()) packets.push(packet);
  });
  await once(socket, "secureConnect");
  socket.write(encode({ type: "connect", protocolVersion: 5, clientIdentifier, cleanStart: true, keepAlive: 0 }, 5));
  await expect.poll(() => packets[0]?.type, { timeout: 30_000 }).toBe("connack");
  return { socket, packets };
}

test("SIGHUP: limits, level, certificate and log file change, and what cannot change is named", async () => {
  const logFile = join(broker.folder, "broker.log");
  const lines = (path = logFile): Record<string, unknown>[] =>
    existsSync(path)
      ? readFileSync(path, "utf8")
          .trimEnd()
          .split("\n")
          .map((line) => JSON.parse(line) as Record<string, unknown>)
      : [];
  const said = (msg: string): Promise<void> =>
    expect.poll(() => lines(), { timeout: 30_000 }).toContainEqual(expect.objectContaining({ msg }));
  configure({ log: { file: logFile, level: "info" } });
  const port = await broker.start("--config", file);
  const shown = async (): Promise<string> => {
    const socket = connectTls({ host: "127.0.0.1", port, servername: "localhost", ...access });
    await once(socket, "secureConnect");
    const { fingerprint256 } = socket.getPeerCertificate();
    socket.destroy();
    return fingerprint256;
  };
  const before = await shown();
  const first = await MqttSession.connect({ ...access, port }, "first", () => {});
  await said("connected");

  renameSync(logFile, `${logFile}.1`);
  rmSync(join(broker.data, "server.pem"));
  configure({
    log: { file: logFile, level: "debug" },
    denial: "parity",
    names: ["other.example"],
    limits: {
      connection: { maximumPayloadOctets: 10 },
      process: { maximumConnections: 5 },
      client: { maximumConnectsPerSecond: 0 },
    },
  });
  broker.child.kill("SIGHUP");
  await said("the configuration was read again");
  expect(lines()).toContainEqual(
    expect.objectContaining({ msg: "these settings change with the next start alone", settings: ["names", "denial"] }),
  );
  expect(lines(`${logFile}.1`)).toContainEqual(expect.objectContaining({ msg: "connected" }));
  expect(await shown()).not.toBe(before);
  first.send({ type: "publish", topicName: "a", payload: new Uint8Array(5), qos: 0, packetIdentifier: 0 });
  await said("published");
  first.send({ type: "publish", topicName: "a", payload: new Uint8Array(11), qos: 0, packetIdentifier: 0 });
  await first.closed;
  const open: MqttSession[] = [];
  for (let n = 0; n < 5; n++) open.push(await MqttSession.connect({ ...access, port }, `open-${n}`, () => {}));
  await expect(MqttSession.connect({ ...access, port }, "too many", () => {})).rejects.toThrow();

  // A wrong file changes nothing.
  configure({ log: { level: "loud" } });
  broker.child.kill("SIGHUP");
  await said("the configuration stays as it was");
  expect(lines()).toContainEqual(
    expect.objectContaining({ msg: "the configuration stays as it was", reason: expect.stringContaining("log.level") }),
  );
  await expect(MqttSession.connect({ ...access, port }, "too many", () => {})).rejects.toThrow();

  // What is left out has its default again.
  configure({ log: { file: logFile } });
  broker.child.kill("SIGHUP");
  await expect
    .poll(() => lines().filter(({ msg }) => msg === "the configuration was read again").length, { timeout: 30_000 })
    .toBe(2);
  await MqttSession.connect({ ...access, port }, "one more", () => {});
  expect(await broker.end("SIGTERM")).toBe(0);
});

test("SIGHUP: MQTT without TLS goes on as it was started, whatever the file says of it, and the log names it", async () => {
  const { certificateId } = await broker.device([everything]);
  const plain = { port: 0, certificate: certificateId };
  configure({ plain });
  await broker.start("--config", file);
  const lines = broker.readLog();
  const plainPort = Number(/^ready mqtt:.*:(\d+)$/m.exec(broker.said.join("\n"))?.[1]);
  const isServed = async (): Promise<boolean> => {
    const client = await connectAsync(`mqtt://127.0.0.1:${plainPort}`, { reconnectPeriod: 0 });
    await client.publishAsync("a", "x", { qos: 1 });
    await client.endAsync();
    return true;
  };
  const said = (msg: string): unknown[] => lines.filter((line) => line["msg"] === msg);
  const reload = async (value: object, msg: string): Promise<void> => {
    const before = said(msg).length;
    configure(value);
    broker.child.kill("SIGHUP");
    await expect.poll(() => said(msg).length, { timeout: 30_000 }).toBe(before + 1);
    expect(await isServed()).toBe(true);
  };
  const named = "these settings change with the next start alone";
  const { certificateId: other } = await broker.device([everything]);
  await reload({ plain: { ...plain, certificate: other } }, named);
  await reload({}, named);
  const listeners = { settings: ["host, port, https, alpn or plain"] };
  expect(said(named)).toMatchObject([listeners, listeners]);
  await reload({ plain: { ...plain, host: "0.0.0.0" } }, "the configuration stays as it was");
  await reload({ plain: { port: 0 } }, "the configuration stays as it was");
  await reload({ plain }, "the configuration was read again");
  expect(said(named)).toHaveLength(2);
  // A revocation is no setting.
  await broker.latchkey("certificate", "revoke", "--certificate", certificateId);
  await expect(isServed()).rejects.toThrow();
});

test("SIGHUP without a configuration file never ends the process", async () => {
  const port = await broker.start();
  const lines = broker.readLog();
  for (let n = 0; n < 3; n++) broker.child.kill("SIGHUP");
  const reread = (): number => lines.filter(({ msg }) => msg === "the configuration was read again").length;
  await expect.poll(reread, { timeout: 30_000 }).toBeGreaterThanOrEqual(1);
  await MqttSession.connect({ ...access, port }, "still there", () => {});
});

test("SIGTERM: clients are told 0x8B, and sessions are there after the next start", async () => {
  const port = await broker.start();
  const kept = await MqttSession.connect({ ...access, port }, "kept", () => {});
  kept.send({ type: "subscribe", packetIdentifier: 1, subscriptions: [{ topicFilter: "a", qos: 1 }] });
  const { packets } = await connect5(port, "other");
  const exited = once(broker.child, "exit");
  broker.child.kill("SIGTERM");
  await expect.poll(() => packets.at(-1), { timeout: 30_000 }).toMatchObject({ type: "disconnect", reasonCode: 0x8b });
  expect(await exited).toEqual([0, null]);
  const again = await broker.start();
  const back = await MqttSession.connect({ ...access, port: again }, "kept", () => {});
  expect(back.isSessionPresent).toBe(true);
});

/** A connection that the broker cannot end at once: what waits for a client that reads nothing has two seconds to go out. */
async function connectUnread(port: number): Promise<void> {
  const publisher = await MqttSession.connect({ ...access, port }, "publisher", () => {});
  for (let n = 0; n < 10; n++) {
    const payload = new Uint8Array(1_500_000);
    publisher.send({ type: "publish", topicName: `large/${n}`, payload, qos: 0, packetIdentifier: 0, retain: true });
  }
  const { socket, packets } = await connect5(port, "reads nothing");
  socket.write(
    encode({ type: "subscribe", packetIdentifier: 1, subscriptions: [{ topicFilter: "large/#", qos: 0 }] }, 5),
  );
  await expect.poll(() => packets.some(({ type }) => type === "publish"), { timeout: 30_000 }).toBe(true);
  socket.pause();
}

test("/readyz says 503 from SIGTERM on until the broker has ended", async () => {
  const port = await broker.start("--metrics-port", "0");
  const url = /^metrics (.*)$/m.exec(broker.said.join("\n"))?.[1] ?? "";
  const readiness = async (): Promise<string> => {
    const response = await fetch(`${url}/readyz`);
    return `${response.status} ${(await response.text()).trim()}`;
  };
  await connectUnread(port);
  expect(await readiness()).toBe("200 ready");
  const exited = once(broker.child, "exit");
  broker.child.kill("SIGTERM");
  const answers = new Set<string>();
  for (let answer: string | undefined = ""; answer !== undefined;) {
    answer = await readiness().catch(() => undefined);
    if (answer !== undefined) answers.add(answer);
  }
  expect(await exited).toEqual([0, null]);
  // The first is what it says before the signal has arrived.
  answers.delete("200 ready");
  expect([...answers]).toEqual(["503 the broker stops"]);
});

test("a second SIGTERM ends at once", async () => {
  const port = await broker.start();
  const lines = broker.readLog();
  await connectUnread(port);
  const exited = once(broker.child, "exit");
  broker.child.kill("SIGTERM");
  await expect
    .poll(() => lines, { timeout: 30_000, interval: 5 })
    .toContainEqual(expect.objectContaining({ msg: "stopping" }));
  broker.child.kill("SIGTERM");
  expect(await exited).toEqual([1, null]);
});

test("start --check says what is wrong, or that all is well, and starts nothing", async () => {
  configure({ port: 0, limits: { process: { maximumConnections: 1 } } });
  expect(await broker.latchkey("start", "--check", "--config", file)).toBe("the settings can be used\n");
  configure({ limits: { process: { maximumConections: 1 } } });
  await expect(broker.latchkey("start", "--check", "--config", file)).rejects.toThrow(
    /^ERR_BROKER_CONFIGURATION: .*limits\.process\.maximumConections is not a setting\. Did you mean maximumConnections\?/,
  );
  await expect(broker.latchkey("start", "--check", "--port", "x")).rejects.toThrow(/^ERR_BROKER_USAGE: --port "x"/);
});
