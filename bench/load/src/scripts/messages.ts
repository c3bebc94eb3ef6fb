/** Script of fan-in, fan-out, pairs, shared, mixed, soak and storm: connect, subscribe, publish for a time, drain. */

import type { MqttClient } from "../client.ts";
import { nowMs, pause } from "../clock.ts";
import { Publisher, publishBySchedule, publishByWindow } from "../publisher.ts";
import { makeReceiver } from "../receiver.ts";
import { Schedule } from "../schedule.ts";
import type { ClientPlan } from "../task.ts";
import type { WorkerContext } from "../worker-context.ts";

/** Runs one worker's share. */
export async function runMessages(context: WorkerContext): Promise<void> {
  const { task, meter } = context;
  const { settings } = task;
  const clients = new Map<ClientPlan, MqttClient>();
  await openClients(context, clients);
  const startMs = await context.arrive("ready");
  const untilMs = startMs + (Math.max(settings.warmUp, settings.rampUp) + settings.duration) * 1000;
  const publishers = task.clients.flatMap((plan) => {
    const client = clients.get(plan);
    return plan.role === "publisher" && client !== undefined ? [new Publisher(context, client, plan)] : [];
  });
  const storm = settings.scenario === "storm" ? reconnectAll(context, clients) : undefined;
  if (publishers.length > 0) {
    if (settings.closed) await publishByWindow(context, publishers, untilMs);
    else await publishBySchedule(context, publishers, scheduleOf(context, publishers.length, startMs), untilMs);
  } else {
    await pause(untilMs - nowMs(), context.signal);
  }
  await storm;
  await context.arrive("sent");
  for (const [plan, client] of clients) {
    if (!client.isOpen && plan.role !== "idle") meter.error("a connection was gone at the end");
  }
  await Promise.all(Array.from(clients.values(), (client) => client.disconnect()));
}

/** The share of the rate that this worker's publishers have, and its place between the others' messages. */
function scheduleOf(context: WorkerContext, publishers: number, startMs: number): Schedule {
  const { settings, worker, workers, publishers: allPublishers } = context.task;
  const ratePerSecond = (settings.rate * publishers) / allPublishers;
  const offsetMs = (1000 / settings.rate) * (worker / workers);
  return new Schedule({ startMs: startMs + offsetMs, ratePerSecond, rampUpSeconds: settings.rampUp });
}

async function openClients(context: WorkerContext, clients: Map<ClientPlan, MqttClient>): Promise<void> {
  const { task, meter } = context;
  await context.pace({
    count: task.clients.length,
    concurrency: Math.max(1, context.share(task.settings.concurrency)),
    operation: async (k) => {
      const plan = task.clients[k];
      if (plan === undefined) return;
      await context.attempt(async () => {
        const client = await context.connect(plan.device, {
          onLost: (kind) => meter.error(kind),
          ...(plan.role === "subscriber" && { onPublish: makeReceiver(context, plan.device) }),
        });
        clients.set(plan, client);
        if (plan.role === "subscriber") await client.subscribe(plan.topicFilter, plan.qos);
      });
    },
  });
}

/** How often a client that was refused tries again in a storm, as devices do. */
const retryMs = 100;

/** In the second third of the measured time every idle client loses its connection and comes back. */
async function reconnectAll(context: WorkerContext, clients: Map<ClientPlan, MqttClient>): Promise<void> {
  const { window, signal, meter, task } = context;
  const phase = window.phases.find(({ name }) => name === "storm");
  if (phase === undefined) return;
  await pause(phase.fromMs - nowMs(), signal);
  const idle = task.clients.filter((plan) => plan.role === "idle");
  for (const plan of idle) clients.get(plan)?.cut();
  await context.pace({
    count: idle.length,
    concurrency: Math.max(1, idle.length),
    operation: async (k) => {
      const plan = idle[k];
      const lostMs = nowMs();
      if (plan === undefined) return;
      while (!signal.aborted && nowMs() < window.toMs) {
        const client = await context.attempt(() => context.connect(plan.device));
        if (client !== undefined) {
          meter.arriveIn("reconnect", nowMs() - lostMs);
          clients.set(plan, client);
          return;
        }
        await pause(retryMs, signal);
      }
    },
  });
}
