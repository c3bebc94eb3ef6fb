/** Script of press and http-press, the article's button: connect, publish one message, leave. */

import type { Socket } from "node:net";
import { ClientFailure, failureKind, openSocket, type Endpoint } from "../client.ts";
import { endpointOfUrl } from "../target/url-target.ts";
import { nowMs } from "../clock.ts";
import { Publisher } from "../publisher.ts";
import { Schedule } from "../schedule.ts";
import { topicRoot } from "../target/target.ts";
import type { WorkerContext } from "../worker-context.ts";

const timeoutMs = 20_000;

/** Runs one worker's share of the presses; `press` does one and gives when the target had the message. */
async function runPresses(
  context: WorkerContext,
  press: (device: number, dueMs: number) => Promise<number>,
  endpoint: Endpoint = context.task.endpoint,
): Promise<void> {
  const { rate, rampUp, warmUp, duration, concurrency, clients } = context.task.settings;
  const own = context.share(clients);
  const firstDevice = context.shareStart(clients);
  await context.prepare(firstDevice, own, endpoint.tls);
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
        await context.measure(dueMs, () => press(device, dueMs));
        free.push(device);
      },
    });
  }
  await context.arrive("sent");
}

/** A press by MQTT: the latency ends with PUBACK or PUBCOMP; with QoS 0 when the target has closed after DISCONNECT. */
export function runMqttPresses(context: WorkerContext): Promise<void> {
  const { qos } = context.task.settings;
  return runPresses(context, async (device, dueMs) => {
    const { promise: acknowledged, resolve, reject } = Promise.withResolvers<number>();
    acknowledged.catch(() => {});
    const client = await context.connect(device, {
      onAcknowledged: () => resolve(nowMs()),
      onLost: (kind) => reject(new ClientFailure(kind)),
    });
    const plan = { device, role: "publisher", qos, topicGroup: "press", receivers: 1, topicFilter: "" } as const;
    new Publisher(context, client, plan).publish(dueMs);
    const acknowledgedMs = qos > 0 ? await acknowledged : undefined;
    await client.disconnect();
    return acknowledgedMs ?? nowMs();
  });
}

/** A press by HTTPS, as AWS IoT takes it: POST /topics/TOPIC?qos=N over mutual TLS. */
export function runHttpPresses(context: WorkerContext): Promise<void> {
  const { task } = context;
  const { qos, payload } = task.settings;
  const url = new URL(task.httpUrl ?? "");
  const listener = endpointOfUrl(url, task.settings);
  // A target that the bench started is at an address, and its server name is not in the URL.
  const isSameHost = listener.host === task.endpoint.host && task.endpoint.tls !== undefined;
  const endpoint = isSameHost ? { ...listener, tls: task.endpoint.tls } : listener;
  const body = Buffer.alloc(payload, ".");
  return runPresses(
    context,
    async (device) => {
      const socket = await openSocket(endpoint, context.secureContext(device, endpoint.tls), timeoutMs);
      const topic = [topicRoot, context.clientIdentifier(device), "press"].map(encodeURIComponent).join("/");
      const head =
        `POST /topics/${topic}?qos=${qos} HTTP/1.1\r\nHost: ${url.host}\r\n` +
        `Content-Type: application/octet-stream\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n`;
      socket.write(Buffer.concat([Buffer.from(head), body]));
      const status = await statusOf(socket);
      if (status !== 200) throw new ClientFailure(`HTTP ${status}`);
      return nowMs();
    },
    endpoint,
  );
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
