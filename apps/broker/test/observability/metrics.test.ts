import { connect as connectTls } from "node:tls";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pino } from "pino";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { MetricsText } from "../../src/observability/metrics-text.ts";
import { Observability } from "../../src/observability/observability.ts";
import { MqttSession, type Access } from "../mqtt-session.ts";
import { BrokerProcess, everything } from "./running-broker.ts";

describe("the text format", () => {
  test("labels are escaped, a histogram counts up to its end", () => {
    const text = new MetricsText()
      .values("counter", "a_total", "What it is", [[{ label: 'a"b\\c\nd' }, 1.5]])
      .histogram("h_seconds", "How long", [0.1, 1], [2, 0, 3], 40)
      .toString();
    expect(text.split("\n")).toEqual([
      "# HELP a_total What it is",
      "# TYPE a_total counter",
      'a_total{label="a\\"b\\\\c\\nd"} 1.5',
      "# HELP h_seconds How long",
      "# TYPE h_seconds histogram",
      'h_seconds_bucket{le="0.1"} 2',
      'h_seconds_bucket{le="1"} 2',
      'h_seconds_bucket{le="+Inf"} 5',
      "h_seconds_sum 40",
      "h_seconds_count 5",
      "",
    ]);
  });
});

describe("a broker that runs", () => {
  const broker = new BrokerProcess();
  let url = "";
  let access: Access;
  let certificateId = "";
  beforeAll(async () => {
    await broker.start();
    const allowed = {
      Effect: "Deny",
      Action: "iot:Publish",
      Resource: "arn:aws:iot:us-east-1:000000000000:topic/secret",
    };
    const device = await broker.device([everything, allowed]);
    await broker.end("SIGKILL");
    const port = await broker.start("--metrics-port", "0", "--log-level", "silent");
    url = /^metrics (.*)$/m.exec(broker.said.join("\n"))?.[1] ?? "";
    access = { ...device, port };
    certificateId = device.certificateId;
  }, 120_000);
  afterAll(() => broker[Symbol.asyncDispose]());

  /** Metrics by name with labels. */
  async function metrics(): Promise<Map<string, number>> {
    const text = await (await fetch(`${url}/metrics`)).text();
    const samples = new Map<string, number>();
    for (const line of text.trimEnd().split("\n")) {
      if (line.startsWith("# ")) continue;
      const [, name = "", value] = /^([a-z_]+(?:\{(?:[a-z]+="[^"\n\\]*",?)+\})?) ([0-9.e+-]+|\+Inf)$/.exec(line) ?? [];
      expect(name, line).not.toBe("");
      expect(samples.has(name), `${name} twice`).toBe(false);
      samples.set(name, Number(value));
    }
    return samples;
  }

  test("is healthy, ready, and answers nothing else", { timeout: 60_000 }, async () => {
    expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
    const status = async (path: string, method = "GET"): Promise<number> =>
      (await fetch(`${url}${path}`, { method })).status;
    expect([await status("/healthz"), await status("/readyz"), await status("/readyz?x=1", "HEAD")]).toEqual([
      200, 200, 200,
    ]);
    expect([await status("/"), await status("/metrics/"), await status("/metrics", "POST")]).toEqual([404, 404, 405]);
    const { headers } = await fetch(`${url}/metrics`);
    expect(headers.get("content-type")).toBe("text/plain; version=0.0.4; charset=utf-8");
  });

  test("counts what clients do, and names none of them", { timeout: 60_000 }, async () => {
    const before = await metrics();
    let packets = 0;
    let wanted = 0;
    let enough = (): void => {};
    const arrived = (count: number): Promise<void> =>
      new Promise((resolve) => {
        wanted = packets + count;
        enough = resolve;
      });
    const session = await MqttSession.connect(access, "a-secret-name", () => {
      packets += 1;
      if (packets === wanted) enough();
    });
    let some = arrived(1);
    session.send({ type: "subscribe", packetIdentifier: 1, subscriptions: [{ topicFilter: "press", qos: 0 }] });
    await some;
    some = arrived(8);
    const payload = new TextEncoder().encode("one");
    for (const retain of [true, false, false, false]) {
      session.send({ type: "publish", topicName: "press", payload, qos: 1, packetIdentifier: 5, retain });
    }
    await some;
    const during = await metrics();
    session.send({ type: "publish", topicName: "secret", payload: new Uint8Array(0), qos: 0, packetIdentifier: 0 });
    await session.closed;
    const { port, ca } = access;
    const stranger = connectTls({ host: "127.0.0.1", port, servername: "localhost", ca });
    stranger.on("error", () => {});
    await once(stranger, "close");
    await expect.poll(async () => (await metrics()).get("latchkey_connections")).toBe(0);
    const after = await metrics();
    const growth = (name: string, from = before, to = after): number => (to.get(name) ?? 0) - (from.get(name) ?? 0);
    expect(during.get("latchkey_connections")).toBe(1);
    expect(during.get("latchkey_subscriptions")).toBe(1);
    expect(after.get("latchkey_retained_messages")).toBe(1);
    expect(growth('latchkey_messages_total{direction="in",qos="1"}')).toBe(4);
    expect(growth('latchkey_messages_total{direction="out",qos="0"}')).toBe(4);
    expect(growth("latchkey_delivery_seconds_count")).toBe(4);
    expect(growth('latchkey_decisions_total{action="publish",outcome="allowed"}')).toBe(4);
    expect(growth('latchkey_decisions_total{action="publish",outcome="denied"}')).toBe(1);
    expect(growth('latchkey_connections_closed_total{reason="not-authorized"}')).toBe(1);
    expect(growth('latchkey_handshakes_total{result="accepted",code=""}')).toBe(1);
    expect(growth('latchkey_handshakes_total{result="refused",code="ERR_IDENTITY_NO_CERTIFICATE"}')).toBe(1);
    expect(growth('latchkey_octets_total{direction="in"}')).toBeGreaterThan(50);
    expect(after.get("process_resident_memory_bytes")).toBeGreaterThan(1e7);
    expect(after.get('latchkey_event_loop_delay_seconds{quantile="0.5"}')).toBeLessThan(1);
    const text = await (await fetch(`${url}/metrics`)).text();
    expect(text).not.toMatch(/a-secret-name|press|device-1/);
    expect(text).not.toContain(certificateId);
  });

  test(
    "a client that sends its request slowly is closed, and the others are answered",
    { timeout: 60_000 },
    async () => {
      const { hostname, port } = new URL(url);
      const slow = request({ hostname, port, path: "/healthz", method: "POST", headers: { "content-length": "10" } });
      const failed = once(slow, "response");
      slow.flushHeaders();
      expect((await fetch(`${url}/healthz`)).status).toBe(200);
      const [response] = (await failed) as [{ statusCode: number }];
      expect(response.statusCode).toBe(405);
      slow.destroy();
    },
  );
});

test("ready from the broker's start until it drains, and not while sessions cannot be written", async () => {
  const folder = mkdtempSync(join(tmpdir(), "latchkey-ready-"));
  const log = pino({ level: "silent" });
  const metrics = { host: "127.0.0.1", port: 0 };
  await using observed = await Observability.start({ dataDirectory: folder, log, metrics });
  const ready = async (): Promise<[number, string]> => {
    const response = await fetch(`${observed.metricsUrl}/readyz`);
    return [response.status, await response.text()];
  };
  expect(await ready()).toEqual([503, "the broker starts\n"]);
  const broker = { hasStoreFailed: false } as Parameters<Observability["attach"]>[0];
  observed.attach(broker);
  expect(await ready()).toEqual([200, "ready\n"]);
  Object.assign(broker, { hasStoreFailed: true });
  expect(await ready()).toEqual([503, "sessions cannot be written\n"]);
  observed.drain();
  expect(await ready()).toEqual([503, "the broker stops\n"]);
  rmSync(folder, { recursive: true });
});

test(
  "what limits of an address refuse is counted, also after the settings were read again",
  { timeout: 120_000 },
  async () => {
    await using broker = new BrokerProcess();
    const file = join(broker.folder, "latchkey.json");
    const configure = (address: object): void => writeFileSync(file, JSON.stringify({ limits: { address } }));
    configure({});
    await broker.start("--config", file);
    const device = await broker.device([everything]);
    await broker.end("SIGKILL");
    configure({ maximumConnections: 1 });
    const port = await broker.start("--config", file, "--metrics-port", "0");
    const lines = broker.readLog();
    const url = /^metrics (.*)$/m.exec(broker.said.join("\n"))?.[1] ?? "";
    const value = async (name: string): Promise<number> => {
      const text = await (await fetch(`${url}/metrics`)).text();
      return Number(
        text
          .split("\n")
          .find((line) => line.startsWith(`${name} `))
          ?.slice(name.length) ?? -1,
      );
    };
    const session = await MqttSession.connect({ ...device, port }, "a", () => {});
    await expect(MqttSession.connect({ ...device, port }, "b", () => {})).rejects.toThrow();
    expect(await value('latchkey_connections_not_admitted_total{limit="maximumConnectionsOfAddress"}')).toBe(1);
    expect(await value('latchkey_address_limits_total{limit="maximumPublishesPerSecondOfAddress"}')).toBe(0);
    expect(await value('latchkey_principal_limits_total{limit="maximumPublishesPerSecondOfAddress"}')).toBe(-1);

    configure({ maximumConnections: 2, maximumPublishesPerSecond: 1 });
    broker.child.kill("SIGHUP");
    await expect
      .poll(() => lines, { timeout: 30_000 })
      .toContainEqual(expect.objectContaining({ msg: "the configuration was read again" }));
    await MqttSession.connect({ ...device, port }, "b", () => {});
    for (let count = 0; count < 5; count++) {
      session.send({ type: "publish", topicName: "a", payload: new Uint8Array(1), qos: 0, packetIdentifier: 0 });
    }
    await expect
      .poll(() => value('latchkey_address_limits_total{limit="maximumPublishesPerSecondOfAddress"}'), {
        timeout: 30_000,
      })
      .toBeGreaterThan(0);
    await expect
      .poll(() => lines, { timeout: 30_000 })
      .toContainEqual(
        expect.objectContaining({ msg: "an address has reached a limit", address: "127.0.0.1", value: 1 }),
      );
  },
);

test("a metrics port in use ends the start with a sentence", { timeout: 120_000 }, async () => {
  await using first = new BrokerProcess();
  await first.start("--metrics-port", "0");
  const port = /^metrics http:\/\/127\.0\.0\.1:(\d+)$/m.exec(first.said.join("\n"))?.[1] ?? "";
  await using second = new BrokerProcess();
  await expect(second.start("--metrics-port", port)).rejects.toThrow("the broker ended with 1");
});
