/** Publishers: a schedule in an open loop, or a window of messages under way in a closed one. */

import { setImmediate, setTimeout } from "node:timers/promises";
import { preparePublish, type PreparedPublish, type QoS } from "@latchkey/mqtt-codec";
import type { MqttClient } from "./client.ts";
import { nowMs } from "./clock.ts";
import { topicRoot } from "./target/target.ts";
import type { Schedule } from "./schedule.ts";
import { writeStamp } from "./stamp.ts";
import type { ClientPlan } from "./task.ts";
import { burn, type WorkerContext } from "./worker-context.ts";

/** A client that publishes stamped messages. */
export class Publisher {
  readonly client: MqttClient;
  readonly device: number;
  /** How many clients receive each message. */
  readonly receivers: number;
  readonly #context: WorkerContext;
  readonly #qos: QoS;
  readonly #topics: PreparedPublish[];
  readonly #isRetained: boolean;
  #sequence = 0;

  constructor(context: WorkerContext, client: MqttClient, plan: ClientPlan, isRetained = false) {
    const { topics, payload } = context.task.settings;
    this.#context = context;
    this.client = client;
    this.device = plan.device;
    this.receivers = plan.receivers;
    this.#qos = plan.qos;
    this.#isRetained = isRetained;
    const octets = new Uint8Array(payload).fill(0x2e);
    this.#topics = Array.from({ length: topics }, (_, topic) =>
      preparePublish({
        topicName: `${topicRoot}/${context.clientIdentifier(plan.device)}/${plan.topicGroup}/t${topic}`,
        payload: octets,
      }),
    );
  }

  /** Messages published so far. */
  get published(): number {
    return this.#sequence;
  }

  /** Queues the next message, which was due at `dueMs`, and notes to whom it is owed. It goes out with the turn. */
  publishOwed(dueMs: number): void {
    const { meter } = this.#context;
    const sequence = this.#sequence;
    this.publish(dueMs);
    if (meter.isMeasured(dueMs)) meter.ledger.owe(this.device, sequence, sequence + 1, this.receivers);
  }

  /** Queues the next message, which was due at `dueMs`. It goes out with the turn. */
  publish(dueMs: number): void {
    const { version, task } = this.#context;
    const sequence = this.#sequence++;
    const prepared = this.#topics[sequence % this.#topics.length];
    if (prepared === undefined) return;
    const octets = Buffer.allocUnsafe(prepared.encodedLength(version, this.#qos));
    const packetIdentifier = this.#qos === 0 ? 0 : this.client.takePacketIdentifier();
    prepared.encodeInto(version, { qos: this.#qos, retain: this.#isRetained, packetIdentifier }, octets, 0);
    writeStamp(octets, octets.length - task.settings.payload, dueMs, this.device, sequence, task.runNumber);
    this.client.queue(octets);
  }
}

/** How long messages that were due may wait for a target that does not take them, after the last one was due. */
const backlogTimeoutMs = 5000;

/**
 * Publishes by a schedule until `untilMs`: message k is publisher k mod n's. A publisher whose connection takes no more
 * keeps its messages due, and they go out when it does; what is never taken is lost.
 */
export async function publishBySchedule(
  context: WorkerContext,
  publishers: readonly Publisher[],
  schedule: Schedule,
  untilMs: number,
): Promise<void> {
  const { meter, signal, turn } = context;
  const { burden } = context.task.settings;
  /** Messages of each publisher that were due and have not been published. */
  const behind = publishers.map(() => 0);
  let isAnyBehind = false;
  let k = 0;
  const sendDue = (atMs: number): void => {
    isAnyBehind = isAnyBehind && catchUp(publishers, behind, schedule);
    for (let dueMs = schedule.dueMs(k); dueMs <= atMs && dueMs < untilMs; dueMs = schedule.dueMs(++k)) {
      const index = k % publishers.length;
      const publisher = publishers[index];
      if (publisher === undefined) continue;
      meter.owe(dueMs, publisher.receivers);
      if (behind[index] === 0 && publisher.client.isReady) {
        publisher.publishOwed(dueMs);
        meter.began(dueMs, nowMs());
      } else {
        behind[index] = (behind[index] ?? 0) + 1;
        isAnyBehind = true;
      }
    }
  };
  while (!signal.aborted) {
    const atMs = nowMs();
    sendDue(atMs);
    turn.flush();
    if (burden > 0) burn(burden);
    if (atMs >= untilMs && (!isAnyBehind || atMs >= untilMs + backlogTimeoutMs)) break;
    const nextMs = isAnyBehind ? 1 : Math.min(schedule.dueMs(k), untilMs) - nowMs();
    await setTimeout(Math.max(0, Math.min(nextMs, 50)));
  }
  publishers.forEach((publisher, index) => {
    for (let n = 0; n < (behind[index] ?? 0); n++) {
      const dueMs = schedule.dueMs(index + (publisher.published + n) * publishers.length);
      if (meter.isMeasured(dueMs)) meter.ledger.notSent += publisher.receivers;
      if (!signal.aborted) meter.error("not taken by the target", dueMs);
    }
  });
}

/** Publishes what is behind where connections take it. Gives whether anything still is. */
function catchUp(publishers: readonly Publisher[], behind: number[], schedule: Schedule): boolean {
  let isAnyBehind = false;
  publishers.forEach((publisher, index) => {
    let count = behind[index] ?? 0;
    while (count > 0 && publisher.client.isReady) {
      publisher.publishOwed(schedule.dueMs(index + publisher.published * publishers.length));
      count--;
    }
    behind[index] = count;
    if (count > 0) isAnyBehind = true;
  });
  return isAnyBehind;
}

/** After this long without a message received, what is under way counts as lost and no longer fills the window. */
const windowTimeoutMs = 1000;

/**
 * Publishes as fast as the target takes it: each publisher keeps `window` messages under way, counted from their
 * publishing to their receipt by all receivers.
 */
export async function publishByWindow(
  context: WorkerContext,
  publishers: readonly Publisher[],
  untilMs: number,
): Promise<void> {
  const { meter, signal, turn, receivedByDevice } = context;
  const { window, burden } = context.task.settings;
  const given = publishers.map(() => 0);
  const lastReceived = publishers.map(() => 0);
  const lastProgressMs = publishers.map(() => nowMs());
  while (!signal.aborted) {
    const atMs = nowMs();
    if (atMs >= untilMs) break;
    let isAnySent = false;
    publishers.forEach((publisher, index) => {
      const received = Atomics.load(receivedByDevice, publisher.device) / publisher.receivers;
      if (received !== lastReceived[index]) {
        lastReceived[index] = received;
        lastProgressMs[index] = atMs;
      } else if (atMs - (lastProgressMs[index] ?? 0) > windowTimeoutMs) {
        given[index] = publisher.published - received;
        lastProgressMs[index] = atMs;
      }
      while (publisher.client.isReady && publisher.published - (given[index] ?? 0) - received < window) {
        meter.owe(atMs, publisher.receivers);
        publisher.publishOwed(atMs);
        isAnySent = true;
      }
    });
    turn.flush();
    if (burden > 0) burn(burden);
    await (isAnySent ? setImmediate() : setTimeout(1));
  }
}
