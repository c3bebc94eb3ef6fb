/**
 * What is owed to one client: messages that wait, messages in flight with their identifiers, and retained messages that a new
 * subscription asked for (MQTT 3.1.1 and 5.0 §4.3, §4.4). It decides the order; a connection takes and sends.
 */

import type { QoS } from "@latchkey/mqtt-codec";
import { LazySet } from "../lazy-set.ts";
import type { Message } from "../routing/message.ts";
import type { RetainedMessage } from "../routing/retained-messages.ts";
import type { SessionSubscription } from "../routing/subscription.ts";
import type { QueueBudget, QueueLimit } from "./queue-budget.ts";
import { noGroups, type ConnectionGroup } from "./connection-group.ts";
import { Queue } from "./queue.ts";

/** One copy of a message for one session. */
export class Delivery {
  readonly message: Message;
  /** The lower of published and granted (MQTT-3.8.4-8). */
  readonly qos: QoS;
  /** The RETAIN flag to send. */
  readonly retain: boolean;
  readonly subscriptionIdentifiers: readonly number[] | undefined;
  /** The shared subscription it was chosen for. */
  readonly group: object | undefined;
  readonly queuedMs: number;
  /** 0 until it has one: when it is sent, or where a store keeps QoS 2, when it is queued. */
  packetIdentifier = 0;
  /** Whether it was sent, so that the next time is a repeat. */
  isSent = false;
  /** Its number in a store; 0 for none. */
  recordNumber = 0;
  /** Position in the store that has to be committed before it may be sent; 0 for none. */
  sequence = 0;

  constructor(
    message: Message,
    qos: QoS,
    retain: boolean,
    subscriptionIdentifiers: readonly number[] | undefined,
    group: object | undefined,
    queuedMs: number,
  ) {
    this.message = message;
    this.qos = qos;
    this.retain = retain;
    this.subscriptionIdentifiers = subscriptionIdentifiers;
    this.group = group;
    this.queuedMs = queuedMs;
  }
}

/** Retained messages that are still to be sent for one subscription. */
interface RetainedCursor {
  readonly subscription: SessionSubscription;
  readonly messages: Iterator<RetainedMessage | undefined>;
  /** Messages that were stored after the subscription come as live ones. */
  readonly lastPlace: number;
}

/** Of clients that were sent nothing but QoS 0. Never written to. */
const nothingInFlight: Map<number, Delivery> = new Map();

/** All that is owed to one client. */
export class OutboundMessages {
  readonly #budget: QueueBudget;
  /** QoS 1 and 2, in the order of publishing. */
  readonly #queue = new Queue<Delivery>();
  /** QoS 0, only while the client is connected and full. */
  readonly #queue0 = new Queue<Delivery>();
  /** In flight on an earlier connection, to be sent again on this one. */
  readonly #resend = new Queue<Delivery>();
  /** Sent and not acknowledged, in the order of sending: QoS 1 until PUBACK, QoS 2 until PUBREC. */
  #inFlight = nothingInFlight;
  /** Identifiers of messages that wait: a store knows them already. */
  readonly #reserved = new LazySet<number>();
  /** QoS 2 after PUBREC, until PUBCOMP, in the order of the PUBRECs. The message is not needed any more. */
  readonly #released = new LazySet<number>();
  readonly #retained = new Queue<RetainedCursor>();
  /** A retained message that was taken out of its cursor and could not be sent yet. */
  #nextRetained: Delivery | undefined;
  #lastPacketIdentifier = 0;
  #octets = 0;
  #groups = noGroups;

  constructor(budget: QueueBudget) {
    this.#budget = budget;
  }

  /** Whose use this is counted for. */
  set groups(groups: readonly ConnectionGroup[]) {
    for (const group of this.#groups) group.queuedOctets -= this.#octets;
    this.#groups = groups;
    for (const group of groups) group.queuedOctets += this.#octets;
  }

  /** Messages that wait. */
  get queued(): number {
    return this.#queue.size + this.#queue0.size;
  }

  /** Octets of what waits and of what is in flight. */
  get octets(): number {
    return this.#octets;
  }

  /** What counts against the client's Receive Maximum, but not what is still to be sent again. */
  get inFlight(): number {
    return this.#inFlight.size + this.#released.size - this.#resend.size;
  }

  /** Whether a QoS 0 message has to queue: others do, or retained messages are still to come, which were published before it. */
  get isQos0Queued(): boolean {
    return this.#queue0.size > 0 || this.#retained.size > 0 || this.#nextRetained !== undefined;
  }

  /** Whether anything can be sent, given whether the client takes more of QoS 1 and 2. */
  hasNext(hasQuota: boolean): boolean {
    if (this.#queue0.size > 0 || this.#retained.size > 0) return true;
    const { qos = 0 } = this.#nextRetained ?? {};
    if (this.#nextRetained !== undefined && qos === 0) return true;
    return hasQuota && (this.#resend.size > 0 || this.#nextRetained !== undefined || this.#queue.size > 0);
  }

  /** Puts a message at the end; the limit that was reached where it is lost instead. */
  enqueue(delivery: Delivery): QueueLimit | undefined {
    const { octets } = delivery.message;
    const limit = this.#budget.exceeded(this.queued, this.#octets, octets, this.#groups);
    if (limit !== undefined) return limit;
    delivery.message.keep();
    this.#added(delivery);
    (delivery.qos === 0 ? this.#queue0 : this.#queue).push(delivery);
    return undefined;
  }

  /** Has retained messages sent for a subscription. A second time for the same filter replaces the first. */
  addRetained(
    subscription: SessionSubscription,
    messages: Iterator<RetainedMessage | undefined>,
    lastPlace: number,
  ): void {
    this.#retained.takeWhere((cursor) => cursor.subscription.topicFilter === subscription.topicFilter);
    this.#retained.push({ subscription, messages, lastPlace });
  }

  /** Ends what a subscription asked for. */
  dropRetained(topicFilter: string): void {
    this.#retained.takeWhere((cursor) => cursor.subscription.topicFilter === topicFilter);
  }

  /**
   * The next message to send, which stays first until `sent` or `drop` is called with it; undefined where nothing can be sent. `steps`
   * counts down the work of finding it; at 0 there may be more later.
   */
  next(hasQuota: boolean, steps: { left: number }, nowMs: number): Delivery | undefined {
    if (hasQuota) {
      for (let first = this.#resend.first; first !== undefined; first = this.#resend.first) {
        if (this.#inFlight.get(first.packetIdentifier) === first) return first;
        this.#resend.take();
      }
    }
    this.#nextRetained ??= this.#findRetained(steps, nowMs);
    if (this.#nextRetained !== undefined && (hasQuota || this.#nextRetained.qos === 0)) return this.#nextRetained;
    if (this.#queue0.first !== undefined) return this.#queue0.first;
    if (!hasQuota || this.#nextRetained !== undefined || this.#retained.size > 0) return undefined;
    return this.#queue.first;
  }

  /** Takes out the message that `next` gave: it is sent, with an identifier where it needs one. Gives the identifier. */
  sent(delivery: Delivery): { readonly packetIdentifier: number; readonly isRepeat: boolean } {
    if (this.#resend.first === delivery) {
      this.#resend.take();
      return { packetIdentifier: delivery.packetIdentifier, isRepeat: true };
    }
    this.#takeOut(delivery);
    if (delivery.qos === 0) return { packetIdentifier: 0, isRepeat: false };
    if (delivery.packetIdentifier === 0) delivery.packetIdentifier = this.#freePacketIdentifier();
    this.#reserved.delete(delivery.packetIdentifier);
    delivery.isSent = true;
    this.#isInFlight(delivery);
    return { packetIdentifier: delivery.packetIdentifier, isRepeat: false };
  }

  #isInFlight(delivery: Delivery): void {
    if (this.#inFlight === nothingInFlight) this.#inFlight = new Map();
    this.#inFlight.set(delivery.packetIdentifier, delivery);
  }

  /** Gives a message that waits its identifier ahead of its sending. */
  reserve(delivery: Delivery): void {
    delivery.packetIdentifier = this.#freePacketIdentifier();
    this.#reserved.add(delivery.packetIdentifier);
  }

  /** MQTT-2.2.1-3. There are fewer messages than identifiers: `maximumInFlight` and `maximumQueuedMessages` bound them. */
  #freePacketIdentifier(): number {
    do {
      this.#lastPacketIdentifier = (this.#lastPacketIdentifier % 0xffff) + 1;
    } while (
      this.#inFlight.has(this.#lastPacketIdentifier) ||
      this.#released.has(this.#lastPacketIdentifier) ||
      this.#reserved.has(this.#lastPacketIdentifier)
    );
    return this.#lastPacketIdentifier;
  }

  /** Takes out the message that `next` gave, without sending it. */
  drop(delivery: Delivery): void {
    if (this.#resend.first === delivery) {
      this.#resend.take();
      this.#inFlight.delete(delivery.packetIdentifier);
      this.#removed(delivery);
      return;
    }
    this.#takeOut(delivery);
    if (delivery.qos > 0) this.#removed(delivery);
  }

  /** PUBACK, or a PUBREC that refuses: the message is done; undefined where it is not in flight with this QoS. */
  acknowledge(packetIdentifier: number, qos: 1 | 2): Delivery | undefined {
    const delivery = this.#inFlight.get(packetIdentifier);
    if (delivery?.qos !== qos) return undefined;
    this.#inFlight.delete(packetIdentifier);
    this.#removed(delivery);
    return delivery;
  }

  /** PUBREC: from now on PUBREL is owed in place of the message (MQTT-4.3.3-4); false for an unknown identifier. */
  release(packetIdentifier: number): boolean {
    if (this.#released.has(packetIdentifier)) return true;
    if (this.acknowledge(packetIdentifier, 2) === undefined) return false;
    this.#released.add(packetIdentifier);
    return true;
  }

  /** PUBCOMP; false for an unknown identifier. */
  complete(packetIdentifier: number): boolean {
    return this.#released.delete(packetIdentifier);
  }

  /** A client came back: everything in flight is to be sent again (MQTT-4.4.0-1). Gives the PUBRELs. */
  resume(): Iterable<number> {
    this.#resend.clear();
    for (const delivery of this.#inFlight.values()) this.#resend.push(delivery);
    return this.#released;
  }

  /** The connection is gone: QoS 0 messages were only for it. */
  suspend(): void {
    for (let first = this.#queue0.take(); first !== undefined; first = this.#queue0.take()) this.#removed(first);
    this.#resend.clear();
  }

  /** Drops the messages at the head of the queue that are too old; gives them. */
  takeStale(isStale: (delivery: Delivery) => boolean): Delivery[] {
    const stale: Delivery[] = [];
    for (let first = this.#queue.first; first !== undefined && isStale(first); first = this.#queue.first) {
      this.#queue.take();
      this.#removed(first);
      stale.push(first);
    }
    return stale;
  }

  /** Takes out what waits for a shared subscription and was not sent yet. */
  takeOfGroup(group: object): Delivery[] {
    const taken = this.#queue.takeWhere((delivery) => delivery.group === group);
    for (const delivery of taken) this.#removed(delivery);
    return taken;
  }

  /** Everything that waits or is in flight, as a store keeps it. */
  *all(): Iterable<Delivery> {
    yield* this.#inFlight.values();
    yield* this.#queue;
  }

  get released(): Iterable<number> {
    return this.#released;
  }

  /** Puts back what a store kept. */
  restore(delivery: Delivery): void {
    this.#added(delivery);
    if (delivery.isSent) {
      this.#isInFlight(delivery);
    } else {
      this.#queue.push(delivery);
      if (delivery.packetIdentifier > 0) this.#reserved.add(delivery.packetIdentifier);
    }
    this.#lastPacketIdentifier = Math.max(this.#lastPacketIdentifier, delivery.packetIdentifier);
  }

  /** Puts back an identifier that PUBREL is owed for. */
  restoreReleased(packetIdentifier: number): void {
    this.#released.add(packetIdentifier);
    this.#lastPacketIdentifier = Math.max(this.#lastPacketIdentifier, packetIdentifier);
  }

  /** Forgets everything, and gives back what shared subscriptions may hand to others: all but QoS 2 that was begun (MQTT-4.8.2-5). */
  clear(): Delivery[] {
    const all = Array.from(this.all());
    this.suspend();
    for (const delivery of all) this.#removed(delivery);
    this.#queue.clear();
    this.#inFlight = nothingInFlight;
    this.#released.clear();
    this.#reserved.clear();
    this.#retained.clear();
    this.#nextRetained = undefined;
    return all.filter(({ group, qos, isSent }) => group !== undefined && (qos === 1 || !isSent));
  }

  #findRetained(steps: { left: number }, nowMs: number): Delivery | undefined {
    for (let cursor = this.#retained.first; cursor !== undefined; cursor = this.#retained.first) {
      const { subscription, messages, lastPlace } = cursor;
      while (steps.left > 0) {
        steps.left -= 1;
        const { done = false, value } = messages.next();
        if (done) break;
        if (value === undefined || value.place > lastPlace || value.message.isExpired(nowMs)) continue;
        const { qos, subscriptionIdentifier } = subscription;
        const identifiers = subscriptionIdentifier === undefined ? undefined : [subscriptionIdentifier];
        const lower = value.message.qos < qos ? value.message.qos : qos;
        return new Delivery(value.message, lower, true, identifiers, undefined, nowMs);
      }
      if (steps.left === 0) return undefined;
      this.#retained.take();
    }
    return undefined;
  }

  /** Takes a delivery that is first somewhere out of its place. QoS 1 and 2 go on being counted. */
  #takeOut(delivery: Delivery): void {
    if (this.#nextRetained === delivery) {
      this.#nextRetained = undefined;
      if (delivery.qos > 0) this.#added(delivery);
    } else if (this.#queue0.first === delivery) {
      this.#queue0.take();
      this.#removed(delivery);
    } else if (this.#queue.first === delivery) {
      this.#queue.take();
    }
  }

  #added({ message: { octets } }: Delivery): void {
    this.#octets += octets;
    for (const group of this.#groups) group.queuedOctets += octets;
    this.#budget.added(octets);
  }

  #removed({ message: { octets }, packetIdentifier }: Delivery): void {
    this.#reserved.delete(packetIdentifier);
    this.#octets -= octets;
    for (const group of this.#groups) group.queuedOctets -= octets;
    this.#budget.removed(octets);
  }
}
