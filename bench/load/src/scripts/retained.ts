/** Script of retained: publishers leave retained messages; then subscribers come and get all of them at once. */

import type { MqttClient } from "../client.ts";
import { nowMs } from "../clock.ts";
import { publishAll } from "../publish-all.ts";
import { Publisher } from "../publisher.ts";
import { makeReceiver } from "../receiver.ts";
import { topicRoot } from "../target/target.ts";
import type { WorkerContext } from "../worker-context.ts";

/** Runs one worker's share. */
export async function runRetained(context: WorkerContext): Promise<void> {
  const { task, meter } = context;
  const { settings } = task;
  const publishers = await openPublishers(context);
  await publishAll(
    context,
    publishers.map((publisher) => ({
      client: publisher.client,
      send: () => publisher.publish(nowMs()),
      left: settings.topics,
    })),
  );
  await context.arrive("ready");

  const all = task.publishers * settings.topics;
  /** The publishers of all workers: `plan` gives them the first devices. */
  const devices = Array.from({ length: task.publishers }, (_, device) => device);
  const subscribers: MqttClient[] = [];
  const plans = task.clients.filter(({ role }) => role === "subscriber");
  await context.pace({
    count: plans.length,
    concurrency: Math.max(1, context.share(settings.concurrency)),
    operation: async (k) => {
      const plan = plans[k];
      if (plan === undefined) return;
      await context.attempt(async () => {
        let subscribedMs = 0;
        const client = await context.connect(plan.device, {
          onPublish: makeReceiver(context, plan.device, () => subscribedMs),
        });
        subscribers.push(client);
        subscribedMs = nowMs();
        for (let n = 0; n < all; n++) meter.owe(subscribedMs, 1);
        if (meter.isMeasured(subscribedMs))
          for (const device of devices) meter.ledger.owe(device, 0, settings.topics, 1);
        await client.subscribe(plan.topicFilter, plan.qos);
      });
    },
  });
  await context.arrive("sent");
  await Promise.all(subscribers.map((client) => client.disconnect()));
  await forget(context, publishers);
}

async function openPublishers(context: WorkerContext): Promise<Publisher[]> {
  const plans = context.task.clients.filter(({ role }) => role === "publisher");
  const publishers: Publisher[] = [];
  for (const plan of plans) {
    await context.attempt(async () => {
      const client = await context.connect(plan.device, { onLost: (kind) => context.meter.error(kind) });
      publishers.push(new Publisher(context, client, plan, true));
    });
  }
  return publishers;
}

/** Removes the retained messages: an empty one takes the place of each (MQTT-3.3.1-10). */
async function forget(context: WorkerContext, publishers: readonly Publisher[]): Promise<void> {
  const { topics } = context.task.settings;
  await publishAll(
    context,
    publishers.map(({ client, device }) => {
      let topic = 0;
      const send = (): void =>
        client.send({
          type: "publish",
          topicName: `${topicRoot}/${context.clientIdentifier(device)}/retained/t${topic++}`,
          payload: new Uint8Array(0),
          retain: true,
          qos: 1,
          packetIdentifier: client.takePacketIdentifier(),
        });
      return { client, send, left: topics };
    }),
  );
  await Promise.all(publishers.map(({ client }) => client.disconnect()));
}
