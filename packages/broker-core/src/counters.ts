/** Plain numbers that the broker counts as it works; to be read whenever metrics are collected. */

import type { DropLimit } from "./events.ts";
import type { Action } from "./ports/authorizer.ts";
import type { GroupLimit } from "./session/connection-group.ts";

/** Milliseconds that deliveries are sorted by. */
export const deliveryBoundsMs: readonly number[] = [1, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000];

/** What the authorizer answered. */
export interface DecisionCounts {
  allowed: number;
  denied: number;
}

/** Counts since the broker was made, unless it says otherwise. */
export interface Counters {
  packetsReceived: number;
  octetsReceived: number;
  octetsSent: number;
  /** PUBLISH packets that were accepted from clients, by QoS. */
  readonly messagesReceived: [qos0: number, qos1: number, qos2: number];
  /** PUBLISH packets that were sent to clients, by QoS, repeats included. */
  readonly messagesSent: [qos0: number, qos1: number, qos2: number];
  readonly messagesDropped: Record<DropLimit, number>;
  /** Times that a limit of one principal or of one address refused something or slowed a client down. */
  readonly groupLimits: Record<GroupLimit, number>;
  /** Answers of the authorizer by action, remembered ones included. */
  readonly decisions: Readonly<Record<Action, DecisionCounts>>;
  /**
   * Live messages that were sent, by the time since their PUBLISH was read: at each place those up to the bound of
   * `deliveryBoundsMs` there, at the end those above all. Retained messages, repeats, and what was published before the client
   * connected are left out.
   */
  readonly deliveries: number[];
  /** Milliseconds of all of `deliveries`. */
  deliveryMs: number;
  /** Now. */
  connections: number;
  /** Now, connected or not. */
  sessions: number;
  /** Now. */
  subscriptions: number;
  /** Now: memory of packets that have come in part. */
  incompleteOctets: number;
  /** Now, over all sessions. */
  queuedMessages: number;
  /** Now, over all sessions. */
  queuedOctets: number;
  /** Now. */
  retainedMessages: number;
  /** Now. */
  retainedOctets: number;
  /** Wills that were not published for another reason than a refusal: an event `will-dropped` each. */
  willsDropped: number;
  /** Times that a publisher was not read from because a receiver was full. */
  brakes: number;
}

/** Counters at zero. */
export function createCounters(): Counters {
  return {
    packetsReceived: 0,
    octetsReceived: 0,
    octetsSent: 0,
    messagesReceived: [0, 0, 0],
    messagesSent: [0, 0, 0],
    messagesDropped: {
      maximumQueuedMessages: 0,
      maximumQueuedOctets: 0,
      maximumQueuedOctetsOfAll: 0,
      maximumQueuedOctetsOfPrincipal: 0,
      maximumQueuedOctetsOfAddress: 0,
      maximumQueuedMs: 0,
      maximumBufferedOctets: 0,
      maximumRetainedMessages: 0,
      maximumRetainedOctets: 0,
      "packet-size": 0,
      expired: 0,
    },
    groupLimits: {
      maximumConnectionsOfPrincipal: 0,
      maximumConnectsPerSecondOfPrincipal: 0,
      maximumSubscriptionsOfPrincipal: 0,
      maximumQueuedOctetsOfPrincipal: 0,
      maximumIncompleteOctetsOfPrincipal: 0,
      maximumPublishesPerSecondOfPrincipal: 0,
      maximumOctetsPerSecondOfPrincipal: 0,
      maximumConnectionsOfAddress: 0,
      maximumConnectionsBeforeConnectOfAddress: 0,
      maximumConnectsPerSecondOfAddress: 0,
      maximumSubscriptionsOfAddress: 0,
      maximumQueuedOctetsOfAddress: 0,
      maximumIncompleteOctetsOfAddress: 0,
      maximumPublishesPerSecondOfAddress: 0,
      maximumOctetsPerSecondOfAddress: 0,
    },
    decisions: {
      connect: { allowed: 0, denied: 0 },
      publish: { allowed: 0, denied: 0 },
      "retain-publish": { allowed: 0, denied: 0 },
      subscribe: { allowed: 0, denied: 0 },
      receive: { allowed: 0, denied: 0 },
    },
    deliveries: Array.from({ length: deliveryBoundsMs.length + 1 }, () => 0),
    deliveryMs: 0,
    connections: 0,
    sessions: 0,
    subscriptions: 0,
    incompleteOctets: 0,
    queuedMessages: 0,
    queuedOctets: 0,
    retainedMessages: 0,
    retainedOctets: 0,
    willsDropped: 0,
    brakes: 0,
  };
}

/**
 * Deliveries since the last look at the clock, by when their messages were published. The clock is looked at when an input is done: the time
 * of an input stands still while it is handled, and to ask for each copy would cost more than counting it.
 */
export class SentDeliveries {
  readonly #publishedMs: number[] = [];
  readonly #counts: number[] = [];

  add(publishedMs: number): void {
    const last = this.#publishedMs.length - 1;
    if (last >= 0 && this.#publishedMs[last] === publishedMs) {
      this.#counts[last] = (this.#counts[last] ?? 0) + 1;
      return;
    }
    this.#publishedMs.push(publishedMs);
    this.#counts.push(1);
  }

  /** Counts them, and begins anew. */
  count(counters: Counters, clock: () => number): void {
    if (this.#counts.length === 0) return;
    const nowMs = clock();
    for (const [index, publishedMs] of this.#publishedMs.entries()) {
      const count = this.#counts[index] ?? 0;
      const ms = Math.max(0, nowMs - publishedMs);
      let place = 0;
      while (ms > (deliveryBoundsMs[place] ?? Number.POSITIVE_INFINITY)) place++;
      counters.deliveries[place] = (counters.deliveries[place] ?? 0) + count;
      counters.deliveryMs += ms * count;
    }
    this.#publishedMs.length = 0;
    this.#counts.length = 0;
  }
}
