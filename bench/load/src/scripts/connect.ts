/** Script of connect: opens connections, holds them for a time, counts those that are still there. */

import { openSocket, type MqttClient } from "../client.ts";
import { nowMs, pause } from "../clock.ts";
import { Schedule } from "../schedule.ts";
import type { WorkerContext } from "../worker-context.ts";
import type { Socket } from "node:net";

const timeoutMs = 20_000;

/** Runs one worker's share. */
export async function runConnect(context: WorkerContext): Promise<void> {
  const { task, meter } = context;
  const { rate, rampUp, concurrency, clients, duration } = task.settings;
  const own = context.share(clients);
  const firstDevice = context.shareStart(clients);
  const held: { readonly client: MqttClient | Socket; readonly dueMs: number }[] = [];
  await context.prepare(firstDevice, own);
  const startMs = await context.arrive("ready");
  await context.pace({
    count: own,
    concurrency: Math.max(1, context.share(concurrency)),
    schedule:
      rate === 0 ? undefined : new Schedule({ startMs, ratePerSecond: (rate * own) / clients, rampUpSeconds: rampUp }),
    operation: async (k, dueMs) => {
      await context.measure(dueMs, async () => {
        const device = firstDevice + k;
        const client = task.speaks === "tls" ? await holdSocket(context, device) : await context.connect(device);
        held.push({ client, dueMs });
        return nowMs();
      });
    },
  });
  await context.arrive("held");
  await pause(duration * 1000, context.signal);
  for (const { client, dueMs } of held) {
    const isThere = "isOpen" in client ? client.isOpen : !client.destroyed;
    if (isThere) continue;
    // A connection that did not last is lost, although it was opened.
    meter.revoke(dueMs);
    meter.error("closed by the target while it was held", dueMs);
  }
  await context.arrive("sent");
  await Promise.all(held.map(({ client }) => ("disconnect" in client ? client.disconnect() : end(client))));
}

/** A connection to a server that knows no MQTT. */
async function holdSocket(context: WorkerContext, device: number): Promise<Socket> {
  const socket = await openSocket(context.task.endpoint, context.secureContext(device), timeoutMs);
  context.connections++;
  socket.once("close", () => context.connections--);
  socket.on("error", () => socket.destroy());
  socket.resume();
  return socket;
}

function end(socket: Socket): Promise<void> {
  if (socket.destroyed) return Promise.resolve();
  return new Promise((resolve) => {
    const timer = setTimeout(() => socket.destroy(), timeoutMs);
    socket.once("close", () => {
      clearTimeout(timer);
      resolve();
    });
    socket.end();
  });
}
