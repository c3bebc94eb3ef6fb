/** Script of press and http-press, the article's button: connect, publish one message, leave. */

import type { Socket } from "node:net";
import { ClientFailure, failureKind, openSocket } from "../client.ts";
import { nowMs } from "../clock.ts";
import { Publisher } from "../publisher.ts";
import { Schedule } from "../schedule.ts";
import { topicRoot } from "../target/target.ts";
import type { WorkerContext } from "../worker-context.ts";

const timeoutMs = 20_000;

/** Runs one worker's share of the presses; `press` does one and resolves when the target has the message. */
async function runPresses(
  context: WorkerContext,
  press: (device: number, dueMs: number) => Promise<void>,
): Promise<void> {
  const { meter, task } = context;
  const { rate, rampUp, warmUp, duration, concurrency, clients } = task.settings;
  const own = context.share(clients);
  const firstDevice = context.shareStart(clients);
  const startMs = await context.arrive("ready");
  if (own > 0) {
    /** Devices that are not in a press: a button cannot be pressed twice at once, its second connection would end the first. */
    const free = Array.from({ length: own }, (_, index) => firstDevice + index);
    await context.pace({
      count: Number.POSITIVE_INFINITY,
      untilMs: startMs + (Math.max(warmUp, rampUp) + duration) * 1000,
      concurrency: Math.min(own, Math.max(1, context.share(concurrency))),
      schedule:
        rate === 0
          ? undefined
          : new Schedule({ startMs, ratePerSecond: (rate * own) / clients, rampUpSeconds: rampUp }),
      operation: async (_k, dueMs) => {
        const device = free.shift() ?? firstDevice;
        meter.owe(dueMs, 1);
        await context.attempt(() => press(device, dueMs));
        free.push(device);
      },
    });
  }
  await context.arrive("sent");
}

/** A press by MQTT: the latency ends with PUBACK or PUBCOMP; with QoS 0 when the target has closed after DISCONNECT. */
export function runMqttPresses(context: WorkerContext): Promise<void> {
  const { meter, task } = context;
  const { qos } = task.settings;
  return runPresses(context, async (device, dueMs) => {
    const { promise: acknowledged, resolve, reject } = Promise.withResolvers<number>();
    acknowledged.catch(() => {});
    const client = await context.connect(device, {
      onAcknowledged: () => resolve(nowMs()),
      onLost: (kind) => reject(new ClientFailure(kind)),
    });
    const plan = { device, role: "publisher", qos, topicGroup: "press", receivers: 1, topicFilter: "" } as const;
    new Publisher(context, client, plan).publish(dueMs);
    if (qos > 0) meter.arrive(dueMs, await acknowledged);
    await client.disconnect();
    if (qos === 0) meter.arrive(dueMs, nowMs());
  });
}

/** A press by HTTPS, as AWS IoT takes it: POST /topics/TOPIC?qos=N over mutual TLS. */
export function runHttpPresses(context: WorkerContext): Promise<void> {
  const { meter, task } = context;
  const { qos, payload } = task.settings;
  const url = new URL(task.httpUrl ?? "");
  const endpoint = { ...task.endpoint, host: url.hostname, port: Number(url.port) };
  const body = Buffer.alloc(payload, ".");
  return runPresses(context, async (device, dueMs) => {
    const socket = await openSocket(endpoint, context.secureContext(device), timeoutMs);
    const topic = [topicRoot, context.clientIdentifier(device), "press"].map(encodeURIComponent).join("/");
    const head =
      `POST /topics/${topic}?qos=${qos} HTTP/1.1\r\nHost: ${url.host}\r\n` +
      `Content-Type: application/octet-stream\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n`;
    socket.write(Buffer.concat([Buffer.from(head), body]));
    const status = await statusOf(socket);
    if (status !== 200) throw new ClientFailure(`HTTP ${status}`);
    meter.arrive(dueMs, nowMs());
  });
}

/** Octets of an answer that are looked at. */
const mostAnswerOctets = 64 * 1024;

/** Reads an answer to its end and gives its status. */
function statusOf(socket: Socket): Promise<number> {
  return new Promise((resolve, reject) => {
    let answer = "";
    const fail = (kind: string): void => {
      clearTimeout(timer);
      socket.destroy();
      reject(new ClientFailure(kind));
    };
    const timer = setTimeout(() => fail("timeout of the answer"), timeoutMs);
    socket.on("data", (chunk: Buffer) => {
      if (answer.length < mostAnswerOctets) answer += chunk.toString("latin1");
    });
    socket.once("error", (error) => fail(failureKind(error)));
    socket.once("close", () => {
      clearTimeout(timer);
      const status = /^HTTP\/1\.1 (\d{3}) /.exec(answer)?.[1];
      if (status === undefined) fail("closed without an answer");
      else resolve(Number(status));
    });
  });
}
