/** Who subscribes, as the router sees it. */

import type { QoS } from "@latchkey/mqtt-codec";
import type { LazySet } from "../lazy-set.ts";
import type { Message } from "./message.ts";
import type { SessionSubscription } from "./subscription.ts";

/** A connection that messages are sent to. */
export interface Receiver {
  /** Whether much waits for the client. */
  readonly isCongested: boolean;
  /** Sends a QoS 0 message at once; `waits` where it has to go through the queue. */
  sendNow(message: Message, retain: boolean, identifiers: readonly number[] | undefined): "sent" | "waits" | "refused";
  /** Something is in the queue. */
  sendQueued(): void;
  /** Does not read from a publisher until this client has read, for at most `maximumBrakeMs`. */
  brake(publisher: BrakedPublisher): void;
  /** The publisher is gone. */
  forget(publisher: BrakedPublisher): void;
}

/** A connection whose messages fill a receiver faster than that one reads. */
export interface BrakedPublisher {
  readonly brakes: LazySet<Receiver>;
  /** The last brake is released. */
  unbraked(): void;
}

/** A session. */
export interface Subscriber {
  readonly clientIdentifier: string;
  readonly subscriptions: Map<string, SessionSubscription>;
  /** Undefined while the client is away. */
  readonly receiver: Receiver | undefined;
  /**
   * Takes a message for the client: sends it, or has it wait. False where the client gets it at no time: it may not receive it, its
   * queue is full (which is counted), or it is away and the message is of QoS 0.
   */
  deliver(
    message: Message,
    qos: QoS,
    retain: boolean,
    identifiers: readonly number[] | undefined,
    group: object | undefined,
    nowMs: number,
  ): boolean;
}
