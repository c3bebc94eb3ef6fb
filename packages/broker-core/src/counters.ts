/** Plain numbers that the broker counts as it works; to be read whenever metrics are collected. */

import type { DropLimit } from "./events.ts";

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
  denied: number;
  /** Now. */
  connections: number;
  /** Now, connected or not. */
  sessions: number;
  /** Now. */
  subscriptions: number;
  /** Now, over all sessions. */
  queuedMessages: number;
  /** Now, over all sessions. */
  queuedOctets: number;
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
      maximumQueuedMs: 0,
      maximumBufferedOctets: 0,
      maximumRetainedMessages: 0,
      maximumRetainedOctets: 0,
      "packet-size": 0,
      expired: 0,
    },
    denied: 0,
    connections: 0,
    sessions: 0,
    subscriptions: 0,
    queuedMessages: 0,
    queuedOctets: 0,
    brakes: 0,
  };
}
