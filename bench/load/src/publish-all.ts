/** Publishing before the measured time: so many messages of each publisher, as fast as the target takes them. */

import { setImmediate } from "node:timers/promises";
import type { MqttClient } from "./client.ts";
import { nowMs, pause } from "./clock.ts";
import type { WorkerContext } from "./worker-context.ts";

/** How long the target may take nothing and acknowledge nothing before the rest is given up. */
const patienceMs = 20_000;
const pollMs = 5;
/** Messages of one publisher before the next has its turn. */
const mostInTurn = 64;

/** A publisher, and what is left for it to do. */
interface Sender {
  readonly client: MqttClient;
  /** Publishes one message. */
  send(): void;
  left: number;
}

/**
 * Publishes until nothing is left and everything is acknowledged. No more is under way than a connection takes and the target's
 * Receive Maximum allows (MQTT 5.0 §3.3.4): a target may end the connection of a client that sends more.
 */
export async function publishAll(context: WorkerContext, senders: readonly Sender[]): Promise<void> {
  const { signal, turn } = context;
  const state = (): number => senders.reduce((sum, { left, client }) => sum + left + client.inFlight, 0);
  let last = state();
  let lastMs = nowMs();
  for (;;) {
    for (const sender of senders) {
      for (let n = 0; n < mostInTurn && sender.left > 0 && sender.client.isReady; n++) {
        sender.send();
        sender.left--;
      }
    }
    turn.flush();
    const open = senders.filter(({ client }) => client.isOpen);
    if (signal.aborted || open.every(({ left, client }) => left === 0 && client.inFlight === 0)) return;
    const now = state();
    if (now !== last) [last, lastMs] = [now, nowMs()];
    else if (nowMs() - lastMs > patienceMs) return;
    await (open.some(({ left, client }) => left > 0 && client.isReady) ? setImmediate() : pause(pollMs, signal));
  }
}
