/** Script of offline: subscribers go away, messages are queued for them, then they come back and get what waited. */

import type { MqttClient } from "../client.ts";
import { nowMs } from "../clock.ts";
import { publishAll } from "../publish-all.ts";
import { Publisher } from "../publisher.ts";
import { makeReceiver } from "../receiver.ts";
import type { WorkerContext } from "../worker-context.ts";

/** Runs one worker's share. Latency counts from when the client that comes back began to connect. */
export async function runOffline(context: WorkerContext): Promise<void> {
  const { task, meter } = context;
  const { settings } = task;
  const subscribers = task.clients.filter(({ role }) => role === "subscriber");
  const concurrency = Math.max(1, context.share(settings.concurrency));

  /** Sessions that were made; a subscriber that could not make one is counted as an error, and is owed nothing. */
  const absent: typeof subscribers = [];
  await context.pace({
    count: subscribers.length,
    concurrency,
    operation: async (k) => {
      const plan = subscribers[k];
      if (plan === undefined) return;
      await context.attempt(async () => {
        // A session of an earlier round would bring its messages along.
        await (await context.connect(plan.device)).disconnect();
        const client = await context.connect(plan.device, { cleanStart: false });
        await client.subscribe(plan.topicFilter, plan.qos);
        await client.disconnect();
        absent.push(plan);
      });
    },
  });
  await context.arrive("absent");

  const publishers: Publisher[] = [];
  for (const plan of task.clients.filter(({ role }) => role === "publisher")) {
    await context.attempt(async () => {
      const client = await context.connect(plan.device, { onLost: (kind) => meter.error(kind) });
      publishers.push(new Publisher(context, client, plan));
    });
  }
  await publishAll(
    context,
    publishers.map((publisher) => ({
      client: publisher.client,
      send: () => publisher.publish(nowMs()),
      left: settings.count,
    })),
  );
  await context.arrive("ready");

  const back: MqttClient[] = [];
  await context.pace({
    count: absent.length,
    concurrency,
    operation: async (k) => {
      const plan = absent[k];
      if (plan === undefined) return;
      const connectMs = nowMs();
      for (let n = 0; n < settings.count; n++) meter.owe(connectMs, 1);
      // Subscriber n + i is the partner of publisher i.
      if (meter.isMeasured(connectMs)) meter.ledger.owe(plan.device - task.publishers, 0, settings.count, 1);
      await context.attempt(async () => {
        back.push(
          await context.connect(plan.device, {
            cleanStart: false,
            onPublish: makeReceiver(context, plan.device, () => connectMs),
            onLost: (kind) => meter.error(kind),
          }),
        );
      });
    },
  });
  await context.arrive("sent");
  await Promise.all([...back, ...publishers.map(({ client }) => client)].map((client) => client.disconnect()));
  for (const plan of absent) await context.attempt(async () => (await context.connect(plan.device)).disconnect());
}
