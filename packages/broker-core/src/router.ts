/**
 * Sessions, subscriptions and retained messages of a whole broker: who has which session, and to whom a message goes.
 *
 * All of it is in memory. A session belongs to at most one receiver at a time (MQTT-3.1.4-2). The session of an absent
 * client is kept while there is room.
 */

import { matchesTopicFilter } from "@latchkey/mqtt-codec";
import type { Limits } from "./limits.ts";
import { Session, type Message } from "./session.ts";
import { SubscriptionTree } from "./subscription-tree.ts";

/** A connection as the router sees it. */
export interface Receiver {
  /** Sends a message, or queues it in the receiver's session. */
  deliver(message: Message, qos: 0 | 1, retain: boolean): void;
  /** Ends because another connection has the client identifier now; calls `release`. */
  endForSuccessor(): void;
}

/** A retained message and the QoS that it was published with. */
export interface RetainedMessage {
  readonly message: Message;
  readonly qos: 0 | 1;
}

/** One broker's routing state. */
export class Router<R extends Receiver> {
  readonly #limits: Limits;
  readonly #onQueueFull: (session: Session, message: Message) => void;
  readonly #receivers = new Map<Session, R>();
  readonly #sessions = new Map<string, Session>();
  /** Sessions without a receiver, the longest away first. */
  readonly #away = new Set<Session>();
  readonly #subscriptions = new SubscriptionTree<Session>();
  readonly #retained = new Map<string, RetainedMessage>();

  /** `onQueueFull` is called with each message that is lost because an absent client's queue is full. */
  constructor(limits: Limits, onQueueFull: (session: Session, message: Message) => void) {
    this.#limits = limits;
    this.#onQueueFull = onQueueFull;
  }

  /** All receivers that have a session. */
  receivers(): Iterable<R> {
    return this.#receivers.values();
  }

  /**
   * Gives a receiver the session of its client identifier, after ending the one that had it. `wasPresent` is what CONNACK
   * says (MQTT-3.2.2-2).
   */
  takeSession(receiver: R, clientIdentifier: string, isClean: boolean): { session: Session; wasPresent: boolean } {
    const holder = this.#sessions.get(clientIdentifier);
    if (holder !== undefined) this.#receivers.get(holder)?.endForSuccessor();
    const kept = this.#sessions.get(clientIdentifier);
    if (kept !== undefined && isClean) this.#discard(kept);
    const session = kept === undefined || isClean ? new Session(clientIdentifier, isClean, this.#limits) : kept;
    this.#sessions.set(clientIdentifier, session);
    this.#away.delete(session);
    this.#receivers.set(session, receiver);
    return { session, wasPresent: session === kept };
  }

  /** A receiver is gone. Its session ends with it if it is clean, and waits for the client otherwise. */
  release(session: Session): void {
    this.#receivers.delete(session);
    if (session.isClean) {
      this.#discard(session);
      return;
    }
    this.#away.add(session);
    const [longestAway] = this.#away;
    if (this.#away.size > this.#limits.maximumOfflineSessions && longestAway !== undefined) this.#discard(longestAway);
  }

  /** Hands one session over to the program that runs the broker. */
  sessions(): Iterable<Session> {
    return this.#sessions.values();
  }

  /** Whether a session has a connection. */
  receiverOf(session: Session): R | undefined {
    return this.#receivers.get(session);
  }

  session(clientIdentifier: string): Session | undefined {
    return this.#sessions.get(clientIdentifier);
  }

  /** Ends a session that has no receiver. */
  discard(session: Session): void {
    this.#discard(session);
  }

  retainedMessages(): ReadonlyMap<string, RetainedMessage> {
    return this.#retained;
  }

  removeRetained(topicName: string): boolean {
    return this.#retained.delete(topicName);
  }

  /** Subscribes, and gives the retained messages whose topics match (MQTT-3.3.1-6). */
  subscribe(session: Session, topicFilter: string, qos: 0 | 1): RetainedMessage[] {
    session.subscriptions.set(topicFilter, qos);
    this.#subscriptions.add(topicFilter, session, qos);
    return [...this.#retained.values()].filter(({ message }) => matchesTopicFilter(topicFilter, message.topicName));
  }

  /** Ends a subscription, if there is one. */
  unsubscribe(session: Session, topicFilter: string): void {
    session.subscriptions.delete(topicFilter);
    this.#subscriptions.remove(topicFilter, session);
  }

  /** Hands a message to all subscribers of its topic and gives their number. */
  route(message: Message, qos: 0 | 1): number {
    const matched = this.#subscriptions.match(message.topicName);
    for (const [session, granted] of matched) {
      const deliveredQos = qos === 1 ? granted : 0;
      const receiver = this.#receivers.get(session);
      if (receiver !== undefined) receiver.deliver(message, deliveredQos, false);
      else if (deliveredQos === 1 && !session.enqueue({ message, retain: false })) this.#onQueueFull(session, message);
    }
    return matched.size;
  }

  /** Keeps, replaces or (empty payload) removes the message that a topic retains; false where there is no room. */
  retain(message: Message, qos: 0 | 1): boolean {
    if (message.payloadOctets === 0) {
      this.#retained.delete(message.topicName);
      return true;
    }
    const isNew = !this.#retained.has(message.topicName);
    if (isNew && this.#retained.size >= this.#limits.maximumRetainedMessages) return false;
    this.#retained.set(message.topicName, { message, qos });
    return true;
  }

  #discard(session: Session): void {
    for (const topicFilter of session.subscriptions.keys()) this.#subscriptions.remove(topicFilter, session);
    session.subscriptions.clear();
    this.#away.delete(session);
    this.#sessions.delete(session.clientIdentifier);
  }
}
