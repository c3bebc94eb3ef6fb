/**
 * What the broker keeps for one client identifier: its subscriptions and the QoS 1 messages that are owed to it
 * (MQTT 3.1.1 §3.1.2.4). A session knows no sockets; a connection that has it takes messages out.
 */

import { preparePublish, type PreparedPublish } from "@latchkey/mqtt-codec";
import { Queue } from "./queue.ts";

/** A message on its way. */
export interface Message {
  readonly topicName: string;
  readonly payload: Uint8Array;
  readonly payloadOctets: number;
  /** Its PUBLISH, encoded once for all receivers. Holds a copy of the payload. */
  readonly prepared: PreparedPublish;
}

/** A message from what a publisher sent; the payload is copied, since it may be a view of a large chunk. */
export function createMessage(topicName: string, payload: Uint8Array): Message {
  const copy = payload.slice();
  return {
    topicName,
    payload: copy,
    payloadOctets: copy.length,
    prepared: preparePublish({ topicName, payload: copy }),
  };
}

/** A QoS 1 message that is owed to a client. */
export interface OwedMessage {
  readonly message: Message;
  /** Set where it is sent because a new subscription found it retained (MQTT-3.3.1-8). */
  readonly retain: boolean;
}

/** How far a session may grow. */
export interface SessionLimits {
  readonly maximumInFlight: number;
  readonly maximumQueuedMessages: number;
}

/** The state of one client identifier. */
export class Session {
  readonly clientIdentifier: string;
  /** Ends with its connection (CleanSession 1). */
  readonly isClean: boolean;
  /** Granted QoS by topic filter. */
  readonly subscriptions: Map<string, 0 | 1> = new Map();
  readonly #limits: SessionLimits;
  /** Sent and not acknowledged, by packet identifier, in the order of sending. */
  readonly #inFlight = new Map<number, OwedMessage>();
  readonly #queue = new Queue<OwedMessage>();
  #lastPacketIdentifier = 0;

  constructor(clientIdentifier: string, isClean: boolean, limits: SessionLimits) {
    this.clientIdentifier = clientIdentifier;
    this.isClean = isClean;
    this.#limits = limits;
  }

  /** Whether the queue takes another message. */
  get hasRoom(): boolean {
    return this.#queue.size < this.#limits.maximumQueuedMessages;
  }

  get queued(): number {
    return this.#queue.size;
  }

  /** Puts a message at the end of the queue; false where the queue is full and the message is lost. */
  enqueue(owed: OwedMessage): boolean {
    if (!this.hasRoom) return false;
    this.#queue.push(owed);
    return true;
  }

  /**
   * Takes the next message to send and gives it a packet identifier that no other message in flight has
   * (MQTT-2.3.1-4); undefined where nothing waits or enough is in flight.
   */
  takeNext(): { readonly packetIdentifier: number; readonly owed: OwedMessage } | undefined {
    if (this.#inFlight.size >= this.#limits.maximumInFlight) return undefined;
    const owed = this.#queue.take();
    if (owed === undefined) return undefined;
    do {
      this.#lastPacketIdentifier = (this.#lastPacketIdentifier % 0xffff) + 1;
    } while (this.#inFlight.has(this.#lastPacketIdentifier));
    this.#inFlight.set(this.#lastPacketIdentifier, owed);
    return { packetIdentifier: this.#lastPacketIdentifier, owed };
  }

  /** Forgets a message that the client acknowledged; false where no such one was in flight. */
  acknowledge(packetIdentifier: number): boolean {
    return this.#inFlight.delete(packetIdentifier);
  }

  /** What a returning client is sent again, with the identifiers and in the order of before (MQTT-4.4.0-1). */
  inFlight(): Iterable<readonly [number, OwedMessage]> {
    return this.#inFlight;
  }
}
