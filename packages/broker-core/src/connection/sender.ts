/**
 * Sends a connected client what its session owes it: decides each delivery, keeps to the client's Receive Maximum, Maximum Packet
 * Size and topic aliases, and stops where the client does not read.
 */

import { encode, type ProtocolVersion, type QoS } from "@latchkey/mqtt-codec";
import type { Counters, SentDeliveries } from "../counters.ts";
import type { DropLimit } from "../events.ts";
import { LazySet } from "../lazy-set.ts";
import type { Limits } from "../limits.ts";
import type { Decision } from "../ports/authorizer.ts";
import type { Message } from "../routing/message.ts";
import type { BrakedPublisher, Receiver } from "../routing/subscriber.ts";
import type { Delivery } from "../session/outbound-messages.ts";
import type { Session } from "../session/session.ts";
import type { Link } from "./link.ts";
import type { OutputSpace } from "./output-space.ts";
import { ServerTopicAliases } from "./topic-aliases.ts";

/** What a sender needs of its connection and its broker. */
export interface SenderContext {
  readonly session: Session;
  readonly link: Link;
  readonly limits: Limits;
  readonly counters: Counters;
  readonly sent: SentDeliveries;
  readonly version: ProtocolVersion;
  readonly space: OutputSpace;
  /** The client's Receive Maximum. */
  readonly receiveMaximum: number;
  /** The client's Maximum Packet Size. */
  readonly maximumPacketSize: number;
  /** The client's Topic Alias Maximum. */
  readonly topicAliasMaximum: number;
  readonly nowMs: number;
  /** Position in the store up to which everything is committed. */
  readonly committed: number;
  mayReceive(topicName: string): Decision | Promise<Decision>;
  dropped(message: Message, limit: DropLimit): void;
  /** There is output to hand over when the current input is done. */
  hasOutput(): void;
  /** There is more to do in a later turn. */
  later(): void;
  /** There is more to do when the store has committed. */
  waitForStore(): void;
}

/** The sending side of one connected client. */
export class Sender implements Receiver {
  readonly #context: SenderContext;
  readonly #aliases: ServerTopicAliases | undefined;
  readonly #quota: number;
  readonly #sinceMs: number;
  readonly #braked = new LazySet<BrakedPublisher>();
  #brakedSinceMs: number | undefined;
  /**
   * What an asynchronous authorizer was asked about last, and its answer. It is kept here and not with the message, whose next connection
   * may be somebody else's.
   */
  #asked: { readonly message: Message; readonly decision: Decision | Promise<Decision> } | undefined;
  #isAsking = false;
  #isStopped = false;

  constructor(context: SenderContext) {
    this.#context = context;
    const { limits, topicAliasMaximum, version } = context;
    const aliases = version === 5 ? Math.min(topicAliasMaximum, limits.maximumTopicAliasesToClient) : 0;
    this.#aliases = aliases > 0 ? new ServerTopicAliases(aliases) : undefined;
    this.#sinceMs = context.nowMs;
    this.#quota = Math.min(context.receiveMaximum, limits.maximumInFlight);
  }

  get isCongested(): boolean {
    const { link, limits, session } = this.#context;
    return (
      link.waitingOctets > limits.maximumBufferedOctets / 2 ||
      session.outbound.queued > limits.maximumQueuedMessages / 2 ||
      session.outbound.octets > limits.maximumQueuedOctets / 2
    );
  }

  /** Whether something could be sent now. */
  get hasNext(): boolean {
    const { outbound } = this.#context.session;
    return !this.#isStopped && !this.#isAsking && outbound.hasNext(outbound.inFlight < this.#quota);
  }

  sendNow(message: Message, retain: boolean, identifiers: readonly number[] | undefined): "sent" | "waits" | "refused" {
    const { session, link } = this.#context;
    if (session.outbound.isQos0Queued || link.isFull || this.#isAsking) return "waits";
    const decision = this.#context.mayReceive(message.topicName);
    if (decision instanceof Promise) {
      this.#asked = { message, decision };
      return "waits";
    }
    if (decision !== true) return "refused";
    const copy = { message, qos: 0 as const, retain, identifiers, packetIdentifier: 0, dup: false };
    if (!this.#sendCopy(copy)) this.#context.dropped(message, "packet-size");
    return "sent";
  }

  /** Sends what can be sent, within the work of one turn or what is left of it. */
  sendQueued(steps: { left: number } = { left: this.#context.limits.maximumWorkPerTurn }): void {
    if (this.#isStopped || this.#isAsking) return;
    const { session, link } = this.#context;
    const { outbound } = session;
    while (!link.isFull) {
      const delivery = outbound.next(outbound.inFlight < this.#quota, steps, this.#context.nowMs);
      if (delivery === undefined || steps.left <= 0) break;
      steps.left -= 1;
      if (!this.#sendDelivery(delivery)) return;
    }
    if (steps.left <= 0) this.#context.later();
  }

  /** A client came back (MQTT-4.4.0-1): PUBRELs go at once, messages as the client takes them. */
  resume(): void {
    for (const packetIdentifier of this.#context.session.outbound.resume()) {
      const { link, space, version } = this.#context;
      link.write(space.acknowledgement("pubrel", packetIdentifier, version));
      this.#context.hasOutput();
    }
    this.sendQueued();
  }

  brake(publisher: BrakedPublisher): void {
    const { limits, counters } = this.#context;
    const nowMs = this.#context.nowMs;
    this.#brakedSinceMs ??= nowMs;
    if (this.#isStopped || nowMs - this.#brakedSinceMs >= limits.maximumBrakeMs) return;
    if (this.#braked.has(publisher)) return;
    counters.brakes += 1;
    this.#braked.add(publisher);
    publisher.brakes.add(this);
  }

  forget(publisher: BrakedPublisher): void {
    this.#braked.delete(publisher);
  }

  /** Lets publishers go on where the client has read, or has not for too long. */
  checkBrake(nowMs: number): void {
    if (this.#brakedSinceMs === undefined) return;
    const isRelieved = !this.isCongested;
    if (isRelieved || nowMs - this.#brakedSinceMs >= this.#context.limits.maximumBrakeMs) this.#unbrake();
    if (isRelieved) this.#brakedSinceMs = undefined;
  }

  /** The connection is gone. */
  stop(): void {
    this.#isStopped = true;
    this.#unbrake();
  }

  #unbrake(): void {
    for (const publisher of this.#braked) {
      publisher.brakes.delete(this);
      if (publisher.brakes.size === 0) publisher.unbraked();
    }
    this.#braked.clear();
  }

  /** Sends or drops the message that is next; false where it has to wait. */
  #sendDelivery(delivery: Delivery): boolean {
    const { session, limits } = this.#context;
    const { message, qos } = delivery;
    const isRepeat = delivery.isSent;
    const nowMs = this.#context.nowMs;
    if (!isRepeat && message.isExpired(nowMs)) return this.#drop(delivery, "expired");
    if (!isRepeat && nowMs - delivery.queuedMs >= limits.maximumQueuedMs)
      return this.#drop(delivery, "maximumQueuedMs");
    const asked = this.#asked?.message === message ? this.#asked.decision : undefined;
    const decision = asked ?? this.#context.mayReceive(message.topicName);
    if (decision instanceof Promise) return this.#ask(message, decision);
    if (decision !== true) return this.#drop(delivery, undefined);
    if (qos === 2 && !this.#isIdentifierKept(delivery)) return false;
    this.#asked = undefined;
    const { packetIdentifier } = session.outbound.sent(delivery);
    if (qos > 0 && !isRepeat) session.journal?.sent(delivery);
    const { retain, subscriptionIdentifiers: identifiers } = delivery;
    if (this.#sendCopy({ message, qos, retain, identifiers, packetIdentifier, dup: isRepeat })) return true;
    // MQTT-3.1.2-25: what is too large for the client counts as sent and done.
    this.#context.dropped(message, "packet-size");
    if (qos === 0) return true;
    if (session.outbound.acknowledge(packetIdentifier, qos) !== undefined) session.journal?.done(delivery);
    return true;
  }

  /** QoS 2 is sent under an identifier that the store has, or a restart could send it under another one, twice. */
  #isIdentifierKept(delivery: Delivery): boolean {
    const { session } = this.#context;
    if (session.journal === undefined) return true;
    // A retained message was never queued.
    if (delivery.recordNumber === 0) session.recordQueued(delivery);
    if (delivery.sequence <= this.#context.committed) return true;
    this.#context.waitForStore();
    return false;
  }

  #drop(delivery: Delivery, limit: DropLimit | undefined): true {
    const { session } = this.#context;
    this.#asked = undefined;
    session.outbound.drop(delivery);
    if (delivery.qos > 0) session.journal?.done(delivery);
    if (limit !== undefined) this.#context.dropped(delivery.message, limit);
    return true;
  }

  /** Goes on when there is an answer. The promise does not reject. */
  #ask(message: Message, promise: Promise<Decision>): false {
    this.#isAsking = true;
    void promise.then((decision) => {
      this.#asked = { message, decision };
      this.#isAsking = false;
      if (!this.#isStopped) this.#context.later();
    });
    return false;
  }

  /** Encodes and sends one copy; false where it is too large for the client. */
  #sendCopy(copy: Copy): boolean {
    const { message, qos, retain, identifiers, packetIdentifier, dup } = copy;
    const { version, maximumPacketSize } = this.#context;
    const nowMs = this.#context.nowMs;
    let bytes: Uint8Array;
    if (this.#aliases === undefined && (version === 4 || identifiers === undefined)) {
      const receiver = { qos, retain, dup, packetIdentifier };
      bytes =
        qos === 0
          ? message.qos0(version, retain, nowMs)
          : message.encodedFor(version, receiver, nowMs, this.#context.space);
      if (bytes.length > maximumPacketSize) return false;
    } else {
      const alias = this.#aliases?.of(message.topicName);
      const topicName = alias?.isKnown === true ? "" : message.topicName;
      const properties = message.propertiesFor(nowMs, alias?.alias, identifiers);
      const { payload } = message;
      bytes = encode({ type: "publish", topicName, payload, qos, retain, dup, packetIdentifier, properties }, version);
      if (bytes.length > maximumPacketSize) return false;
      if (alias !== undefined) this.#aliases?.sent(message.topicName, alias.alias);
    }
    const { counters } = this.#context;
    counters.messagesSent[qos] += 1;
    if (!dup && !retain && message.publishedMs >= this.#sinceMs) this.#context.sent.add(message.publishedMs);
    this.#context.link.write(bytes);
    this.#context.hasOutput();
    return true;
  }
}

/** One copy of a message as it is sent. */
interface Copy {
  readonly message: Message;
  readonly qos: QoS;
  readonly retain: boolean;
  readonly identifiers: readonly number[] | undefined;
  readonly packetIdentifier: number;
  readonly dup: boolean;
}
