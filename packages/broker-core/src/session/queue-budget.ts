/**
 * Room for what waits, shared by all sessions of a broker.
 *
 * A session may hold as much as is free at that moment (the dynamic threshold of packet switches). So one long queue takes at most half
 * of the room, and n long queues take n/(n+1) of it: there is always some left for another session. The check compares two numbers,
 * and no message of another session is dropped to make room.
 */

import type { Counters } from "../counters.ts";
import type { Limits } from "../limits.ts";
import type { ConnectionGroup } from "./connection-group.ts";

/** The limits that a queue can reach. */
export type QueueLimit =
  | "maximumQueuedMessages"
  | "maximumQueuedOctets"
  | "maximumQueuedOctetsOfAll"
  | "maximumQueuedOctetsOfPrincipal"
  | "maximumQueuedOctetsOfAddress";

/** The room of one broker. */
export class QueueBudget {
  readonly #limits: Limits;
  readonly #counters: Counters;

  constructor(limits: Limits, counters: Counters) {
    this.#limits = limits;
    this.#counters = counters;
  }

  /** Which limit keeps a session with this much from taking a message of this size; undefined where it has room. */
  exceeded(messages: number, octets: number, size: number, groups: readonly ConnectionGroup[]): QueueLimit | undefined {
    const limits = this.#limits;
    if (messages >= limits.maximumQueuedMessages) return "maximumQueuedMessages";
    // One message is always taken, however large: it passed the limit on packets.
    if (octets > 0 && octets + size > limits.maximumQueuedOctets) return "maximumQueuedOctets";
    for (const group of groups) {
      if (group.queuedOctets > 0 && group.queuedOctets + size > group.maximumQueuedOctets)
        return group.limits.queuedOctets;
    }
    const free = limits.maximumQueuedOctetsOfAll - this.#counters.queuedOctets;
    return octets + size > free ? "maximumQueuedOctetsOfAll" : undefined;
  }

  added(octets: number): void {
    this.#counters.queuedMessages += 1;
    this.#counters.queuedOctets += octets;
  }

  removed(octets: number): void {
    this.#counters.queuedMessages -= 1;
    this.#counters.queuedOctets -= octets;
  }
}
