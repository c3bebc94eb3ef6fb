/**
 * What the broker keeps for one client identifier (MQTT 3.1.1 §3.1.2.4, MQTT 5.0 §4.1): subscriptions, what is owed to the client,
 * and QoS 2 messages of the client that are not released. A session knows no octets; a connection that has it sends.
 */

import type { ProtocolVersion, QoS } from "@latchkey/mqtt-codec";
import type { Deadline } from "../deadlines.ts";
import type { DropLimit } from "../events.ts";
import { LazySet } from "../lazy-set.ts";
import type { ConnectionEnd } from "../server-publish.ts";
import type { Message } from "../routing/message.ts";
import type { Receiver, Subscriber } from "../routing/subscriber.ts";
import type { SessionSubscription } from "../routing/subscription.ts";
import { Delivery, OutboundMessages } from "./outbound-messages.ts";
import { noGroups, type ConnectionGroup } from "./connection-group.ts";
import type { QueueBudget } from "./queue-budget.ts";
import type { SessionJournal } from "./session-journal.ts";
import type { PendingWill } from "./will.ts";

/** What happens to sessions beside their own state. */
export interface SessionSurroundings {
  readonly budget: QueueBudget;
  readonly dropped: (session: Session, message: Message, limit: DropLimit) => void;
}

/** Messages dropped since the last event, by limit. */
export interface DropCount {
  messages: number;
  octets: number;
  topicName: string;
}

/** The state of one client identifier. */
export class Session implements Subscriber {
  readonly clientIdentifier: string;
  protocolVersion: ProtocolVersion;
  /** Seconds that it outlives its connection. */
  expirySeconds: number;
  /** Subscriptions by their filter as the client wrote it. */
  readonly subscriptions: Map<string, SessionSubscription> = new Map();
  readonly outbound: OutboundMessages;
  /** Packet identifiers of QoS 2 messages that were taken over and not released (MQTT-4.3.3-10). */
  readonly received: LazySet<number> = new LazySet();
  receiver: Receiver | undefined;
  /** The principal that connected with it last and, while it is connected, its address. Set by `SessionRegistry.count`. */
  groups: readonly ConnectionGroup[] = noGroups;
  /** Set for a session that a store keeps. */
  journal: SessionJournal | undefined;
  /** A will that waits for its delay. */
  will: PendingWill | undefined;
  /** When it ends, while its client is away. */
  expiry: Deadline | undefined;
  drops: Map<DropLimit, DropCount> | undefined;
  /** Of the last connection. */
  lastEnd: ConnectionEnd | undefined;
  readonly #surroundings: SessionSurroundings;

  constructor(
    clientIdentifier: string,
    protocolVersion: ProtocolVersion,
    expirySeconds: number,
    surroundings: SessionSurroundings,
  ) {
    this.clientIdentifier = clientIdentifier;
    this.protocolVersion = protocolVersion;
    this.expirySeconds = expirySeconds;
    this.#surroundings = surroundings;
    this.outbound = new OutboundMessages(surroundings.budget);
  }

  /** The name of the principal that connected with it last. */
  get owner(): string | undefined {
    return this.groups.find(({ scope }) => scope === "principal")?.name;
  }

  /** Counts subscriptions that it has more, or fewer, for its groups. */
  countSubscriptions(change: number): void {
    for (const group of this.groups) group.subscriptions += change;
  }

  /** As `Subscriber.deliver` says. */
  deliver(
    message: Message,
    qos: QoS,
    retain: boolean,
    identifiers: readonly number[] | undefined,
    group: object | undefined,
    nowMs: number,
  ): boolean {
    const { receiver } = this;
    if (qos === 0) {
      if (receiver === undefined) return false;
      const outcome = receiver.sendNow(message, retain, identifiers);
      if (outcome !== "waits") return outcome === "sent";
    }
    const delivery = new Delivery(message, qos, retain, identifiers, group, nowMs);
    const limit = this.outbound.enqueue(delivery);
    if (limit !== undefined) {
      this.#surroundings.dropped(this, message, limit);
      return false;
    }
    if (qos > 0) this.recordQueued(delivery);
    receiver?.sendQueued();
    return true;
  }

  /** Tells the store, where there is one, of a message that waits; QoS 2 with its identifier (MQTT-4.3.3-2). */
  recordQueued(delivery: Delivery): void {
    if (this.journal === undefined) return;
    if (delivery.qos === 2) this.outbound.reserve(delivery);
    delivery.sequence = this.journal.queued(delivery);
  }
}
