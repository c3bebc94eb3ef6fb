/**
 * One client's connection, from its first octet to its end: what comes in is decoded and handled packet by packet, within the work of a
 * turn; every way to end it goes through `close`, once. What a packet means is not known here (`handlers/`).
 */

import { encode, MqttCodecError, type EncodablePacket, type Packet, type ProtocolVersion } from "@latchkey/mqtt-codec";
import type { Counters, SentDeliveries } from "../counters.ts";
import type { Deadlines } from "../deadlines.ts";
import type { BrokerEvent, CloseReason, DropLimit, EventSource, PublishedEvent } from "../events.ts";
import { limitText, type Limits } from "../limits.ts";
import type { Cluster } from "../ports/cluster.ts";
import type { Authenticator } from "../ports/authenticator.ts";
import type { Action, Authorizer, Decision, Denial } from "../ports/authorizer.ts";
import type { SessionPersistence } from "../persistence/session-persistence.ts";
import type { ReservedTopics } from "../ports/reserved-topics.ts";
import type { Transport } from "../ports/transport.ts";
import { LazySet } from "../lazy-set.ts";
import type { Message } from "../routing/message.ts";
import type { OtherNodes } from "../routing/other-nodes.ts";
import type { RetainedMessages } from "../routing/retained-messages.ts";
import type { Router } from "../routing/router.ts";
import type { BrakedPublisher, Receiver } from "../routing/subscriber.ts";
import type { Confirmation } from "../session/confirmation.ts";
import { noGroups, type ConnectionGroup, type ConnectionGroups } from "../session/connection-group.ts";
import type { OpenClaims } from "../session/open-claims.ts";
import type { SessionRegistry } from "../session/session-registry.ts";
import type { Session } from "../session/session.ts";
import type { StoredWill, UndecidedWills } from "../session/will.ts";
import { Acknowledgements, type AcknowledgementsContext } from "./acknowledgements.ts";
import { encodedAnswer, type MakeAnswer } from "./answer.ts";
import { refusalOf } from "./refusal.ts";
import { timeOver, type AnswerOptions, type Client, type ConnectionState, type Exchange } from "./client.ts";
import { Input } from "./input.ts";
import type { LimitReports } from "./limit-reports.ts";
import { Link } from "./link.ts";
import type { OutputSpace } from "./output-space.ts";
import { Pace } from "./pace.ts";
import type { Rate } from "./rate.ts";
import { serverReasonCodes } from "./server-reason-codes.ts";

/** What all connections of one broker share. */
export interface BrokerContext<Peer, Principal> {
  readonly isAws: boolean;
  readonly denial: "explain" | "parity";
  readonly limits: Limits;
  readonly counters: Counters;
  readonly sent: SentDeliveries;
  readonly deadlines: Deadlines;
  readonly authenticator: Authenticator<Peer, Principal>;
  readonly authorizer: Authorizer<Principal>;
  readonly reservedTopics: ReservedTopics<Peer, Principal> | undefined;
  readonly assignClientIdentifier: () => string;
  readonly router: Router;
  readonly sessions: SessionRegistry;
  readonly addressOf: ((peer: Peer) => string | undefined) | undefined;
  readonly groups: ConnectionGroups;
  /** Limits of groups that were reached. */
  readonly limited: LimitReports<Peer, Principal>;
  readonly retained: RetainedMessages;
  /** CONNECTs by client identifier. */
  readonly connectRates: Map<string, Rate>;
  readonly emit: (event: BrokerEvent<Peer, Principal>) => void;
  onPublished: ((event: PublishedEvent<Peer, Principal>) => void) | undefined;
  readonly handle: (connection: Connection<Peer, Principal>, packet: Packet) => void;
  /** The fault of a packet that cannot be decoded. */
  readonly malformed: (connection: Connection<Peer, Principal>, error: MqttCodecError) => void;
  /** Counts the memory of a packet that has come in part, and closes where it is too much. */
  readonly incomplete: (connection: Connection<Peer, Principal>, octets: number) => void;
  /** Ends the connection that has this client identifier, if any. */
  readonly takeOver: (clientIdentifier: string) => void;
  /** The connection ended: what becomes of its session and its will. */
  readonly ended: (connection: Connection<Peer, Principal>, will: StoredWill | undefined) => void;
  readonly dropped: (session: Session, message: Message, limit: DropLimit) => void;
  /** The connection wants to hand over what it has when the current input is done. */
  readonly hasOutput: (connection: Connection<Peer, Principal>) => void;
  readonly inputDone: () => void;
  /** CONNECT is accepted: the connection has its client from now on. */
  readonly connected: (connection: Connection<Peer, Principal>) => void;
  /** The connection has work for a later turn. */
  readonly later: (connection: Connection<Peer, Principal>) => void;
  readonly closed: (connection: Connection<Peer, Principal>) => void;
  /** Milliseconds since 1970. */
  readonly epochMs: () => number;
  /** The latest time that the broker was given, or has read where it has a clock. */
  nowMs: number;
  /** Reads the clock, where there is one: something happens that is no input. */
  readonly readClock: () => void;
  /** Positions in the store: what is committed, and what was appended last. Both 0 without a store. */
  committed: number;
  appended: number;
  readonly persistence: SessionPersistence | undefined;
  /** Undefined where this broker is the only one. */
  readonly cluster: Cluster | undefined;
  readonly others: OtherNodes | undefined;
  readonly claims: OpenClaims;
  readonly undecidedWills: UndecidedWills;
  /** Connections that have something to do when more is committed. */
  readonly waitsForStore: Set<Connection<Peer, Principal>>;
  /** Where packets are written that go out soon. */
  readonly space: OutputSpace;
  /** Messages that somebody waits for. */
  readonly confirmations: Map<Message, Confirmation>;
}

/** Octets that may wait undecoded before the transport is paused. */
const maximumBacklogOctets = 64 * 1024;

/** Acknowledgements that may wait for the store before the client is not read from. */
const maximumHeldAcknowledgements = 1000;

/** For what came before the end of the network connection: a client may be slowed down, or its authenticator may not answer. */
const maximumLostMs = 10_000;

/** A connection that a broker accepted. Its transport reports input with `receive` and its end with `lost`. */
export class Connection<Peer, Principal> implements BrakedPublisher, AcknowledgementsContext {
  readonly peer: Peer;
  readonly context: BrokerContext<Peer, Principal>;
  readonly link: Link;
  readonly acknowledgements: Acknowledgements;
  state: ConnectionState = "awaiting-connect";
  version: ProtocolVersion = 4;
  client: Client<Principal> | undefined;
  /** Who and what CONNECT says, before it is accepted. */
  identity: { clientIdentifier: string; isAssignedIdentifier: boolean } | undefined;
  /** Set from a successful authentication on, before CONNECT is accepted. */
  knownPrincipal: Principal | undefined;
  /** Those that it is counted for: its address, and its principal from the moment on in which it may connect. */
  groups: readonly ConnectionGroup[] = noGroups;
  exchange: Exchange<Principal> | undefined;
  will: StoredWill | undefined;
  /** Of the will in the store; 0 for none. */
  willNumber = 0;
  answers: AnswerOptions = { maximumPacketSize: Number.MAX_SAFE_INTEGER, hasProblemInformation: true };
  /** The last topic that the client was allowed to publish to, and until when that holds. */
  lastPublish: { topicName: string; revision: number; retain: boolean } | undefined;
  /** What the client may receive, and may not, by topic; until the authorizer's revision changes. */
  received: Map<string, boolean> | undefined;
  receivedRevision = 0;
  /** Work that the current turn may still do. */
  workLeft = 0;
  readonly brakes: LazySet<Receiver> = new LazySet();
  readonly pace: Pace<Peer, Principal>;
  readonly #input: Input;
  /** Octets of memory of a packet that has come in part, as far as they are counted. */
  incompleteOctets = 0;
  readonly #openedMs: number;
  #lastPacketMs: number;
  /** Something asynchronous has to be answered before the next packet. */
  #holds = 0;
  #isWorking = false;
  /** How the network connection ended, and how long what came before may take. */
  #lost: { readonly detail: string; readonly untilMs: number } | undefined;

  constructor(context: BrokerContext<Peer, Principal>, peer: Peer, transport: Transport, nowMs: number) {
    const { limits, counters } = context;
    this.context = context;
    this.peer = peer;
    this.link = new Link(transport, limits, counters, nowMs);
    this.acknowledgements = new Acknowledgements(this);
    this.pace = new Pace(this, nowMs);
    this.#openedMs = nowMs;
    this.#lastPacketMs = nowMs;
    this.#input = new Input(limits.maximumPacketSize);
  }

  /** Undefined until CONNECT was accepted. */
  get principal(): Principal | undefined {
    return this.client?.principal;
  }

  /** Undefined until CONNECT was accepted. */
  get clientIdentifier(): string | undefined {
    return this.client?.clientIdentifier;
  }

  get committed(): number {
    return this.context.committed;
  }

  waitForStore(): void {
    this.context.waitsForStore.add(this);
  }

  /** Takes what the network brought. The chunk must not be written to afterwards. */
  receive(chunk: Uint8Array, nowMs: number): void {
    if (this.state === "closed") return;
    this.context.nowMs = nowMs;
    this.context.counters.octetsReceived += chunk.length;
    this.#input.push(chunk);
    if (this.client === undefined) this.#checkBeforeConnack();
    this.pace.take("octets", chunk.length);
    this.work();
    this.context.inputDone();
  }

  /** The transport has so many octets of something that has come in part. */
  held(octets: number, nowMs: number): void {
    if (this.state === "closed") return;
    this.context.nowMs = nowMs;
    this.#input.heldOctets = octets;
    if (this.client === undefined) this.#checkBeforeConnack();
    this.work();
    this.context.inputDone();
  }

  /** The transport has room again for what is to be sent. */
  drained(nowMs: number): void {
    if (this.state === "closed") return;
    this.context.nowMs = nowMs;
    this.link.handOver();
    this.client?.sender.sendQueued();
    this.client?.sender.checkBrake(nowMs);
    this.work();
    this.context.inputDone();
  }

  /** The network connection ended. `detail` says how, for the log. Packets that have come are handled first: DISCONNECT may be the last. */
  lost(detail: string, nowMs: number): void {
    if (this.state === "closed") return;
    this.context.nowMs = nowMs;
    this.#lost ??= { detail, untilMs: nowMs + maximumLostMs };
    this.link.close();
    this.work();
    this.context.inputDone();
  }

  /** Ends the connection for a reason of the broker's or its operator's. The will is published (MQTT-3.1.2-8). */
  end(reason: CloseReason, detail: string, nowMs: number): void {
    this.context.nowMs = nowMs;
    this.close(reason, detail, serverReasonCodes[reason]);
    this.context.inputDone();
  }

  /** Handles what has come, within the work of one turn. */
  work(): void {
    if (this.#isWorking) return;
    this.#isWorking = true;
    const { limits } = this.context;
    this.workLeft = limits.maximumWorkPerTurn;
    let packets = 0;
    try {
      while (this.#mayRead()) {
        if (packets >= limits.maximumPacketsPerTurn || this.workLeft <= 0) {
          this.context.later(this);
          break;
        }
        const packet = this.#input.next();
        if (packet === undefined) {
          if (this.#lost !== undefined) this.close("connection-lost", this.#lost.detail);
          break;
        }
        packets += 1;
        this.workLeft -= 1;
        this.#lastPacketMs = this.context.nowMs;
        this.context.handle(this, packet);
      }
    } catch (error) {
      if (!(error instanceof MqttCodecError)) throw error;
      this.context.malformed(this, error);
    } finally {
      this.#isWorking = false;
      this.context.counters.packetsReceived += packets;
    }
    const { incompleteOctets } = this.#input;
    if (incompleteOctets !== this.incompleteOctets) this.context.incomplete(this, incompleteOctets);
    this.#pauseOrResume();
  }

  /** Waits with the next packet until a value is there. What is there already is used at once. Without `failed` the promise must not reject. */
  hold<Value>(value: Value | Promise<Value>, use: (value: Value) => void, failed?: (cause: unknown) => void): void {
    if (!(value instanceof Promise)) {
      use(value);
      return;
    }
    this.#holds += 1;
    const settled = (act: () => void): void => {
      this.#holds -= 1;
      this.context.readClock();
      act();
      if (this.state !== "closed") this.work();
      this.context.inputDone();
    };
    void value.then(
      (result) => settled(() => use(result)),
      failed && ((cause: unknown) => settled(() => failed(cause))),
    );
  }

  unbraked(): void {
    if (this.state !== "closed") this.context.later(this);
  }

  /** Hands over what was collected, and goes on with what had to wait for it. */
  flush(): void {
    this.link.handOver();
    const sender = this.client?.sender;
    if (sender === undefined) return;
    if (sender.hasNext && !this.link.isFull) this.context.later(this);
    sender.checkBrake(this.context.nowMs);
  }

  /** Another turn: goes on where the last one stopped. */
  turn(): void {
    if (this.state === "closed") return;
    this.client?.sender.sendQueued();
    this.work();
  }

  /** What it waits for may be committed to the store. */
  storeCommitted(): void {
    if (this.state === "closed") return;
    this.acknowledgements.release();
    this.client?.sender.sendQueued();
    this.work();
  }

  /** Closes if the client has been silent, or has read nothing, for too long. True where silence is to be looked at once more. */
  checkTime(nowMs: number): boolean {
    const { limits } = this.context;
    this.link.handOver();
    const unreadMs = this.link.unreadMs(nowMs);
    this.client?.sender.checkBrake(nowMs);
    if (unreadMs >= limits.maximumUnreadMs) {
      const waiting = `${this.link.waitingOctets} octets wait, and none was read for ${Math.round(unreadMs / 1000)} s`;
      this.close("limit", `${limitText(limits, "maximumUnreadMs")}: ${waiting}`);
      return false;
    }
    const over = this.client && timeOver(this.client, limits, nowMs);
    if (over !== undefined) this.close(over.reason, over.detail, serverReasonCodes[over.reason]);
    else if (this.#lost !== undefined && nowMs >= this.#lost.untilMs) this.close("connection-lost", this.#lost.detail);
    if (this.state === "closed") return false;
    // What waits here unread is not the client's silence.
    if (this.client !== undefined && (this.#input.waitingOctets > 0 || this.#input.hasMore)) this.#lastPacketMs = nowMs;
    return this.#silenceDetail(nowMs) !== undefined;
  }

  /** Closes a client that is silent still, after everything that had come was read. */
  checkSilence(nowMs: number): void {
    const detail = this.state === "closed" ? undefined : this.#silenceDetail(nowMs);
    // A CONNECT that the broker has not answered in time is given up, whatever came behind it.
    const isUnanswered = this.state !== "connected" && this.#holds > 0;
    if (detail === undefined || (this.#input.hasMore && !isUnanswered)) return;
    if (this.state !== "connected") this.close("connect-timeout", detail);
    else this.close("keep-alive-timeout", detail, 0x8d);
  }

  #silenceDetail(nowMs: number): string | undefined {
    if (this.client === undefined || this.state === "accepted") {
      const isLate = nowMs - this.#openedMs >= this.context.limits.connectTimeoutMs;
      return isLate ? "no accepted CONNECT in time" : undefined;
    }
    const silence = nowMs - this.#lastPacketMs;
    // MQTT-3.1.2-24, 5.0 MQTT-3.1.2-22: one and a half times.
    const silenceMs = this.client.keepAliveSeconds * 1500;
    return silenceMs > 0 && silence >= silenceMs ? `silent for ${Math.round(silence / 1000)} s` : undefined;
  }

  write(bytes: Uint8Array): void {
    if (this.state === "closed") return;
    this.link.write(bytes);
    this.context.hasOutput(this);
  }

  send(packet: EncodablePacket): void {
    this.write(encode(packet, this.version));
  }

  /** As `encodedAnswer`. A Reason String is left out where the client or the denial mode wants none, unless it is always allowed. */
  encodeAnswer(make: MakeAnswer, reasonString: string | undefined, isAlwaysAllowed = false): Uint8Array | undefined {
    const { version, answers, context } = this;
    const isTold = context.denial === "explain" && (answers.hasProblemInformation || isAlwaysAllowed);
    return encodedAnswer(make, isTold ? reasonString : undefined, version, answers.maximumPacketSize);
  }

  /** Asks the authorizer, and reports a refusal. Throws what the authorizer throws (`decisionOn` does not). */
  decide(action: Action, name: string): Decision | Promise<Decision> {
    const principal = this.client?.principal ?? this.knownPrincipal;
    if (principal === undefined) return notConnected;
    const { authorizer, nowMs } = this.context;
    const decision = authorizer.decide(principal, action, name, nowMs);
    if (decision === true) {
      this.context.counters.decisions[action].allowed += 1;
      return true;
    }
    if (decision instanceof Promise) return this.#decided(principal, action, name, decision);
    return this.#report(principal, action, name, decision);
  }

  /** The same where it has refused without being asked to the end. */
  refuse(action: Action, name: string, denial: Denial): Decision {
    const principal = this.client?.principal ?? this.knownPrincipal;
    return principal === undefined ? notConnected : this.#report(principal, action, name, denial);
  }

  /** Apart from `decide`, whose every call would otherwise make what these functions need. */
  #decided(principal: Principal, action: Action, name: string, decision: Promise<Decision>): Promise<Decision> {
    return decision.catch(refusalOf).then((answer) => this.#report(principal, action, name, answer));
  }

  #report(principal: Principal, action: Action, name: string, decision: Decision): Decision {
    this.context.counters.decisions[action][decision === true ? "allowed" : "denied"] += 1;
    if (decision === true) return true;
    this.context.emit({ type: "denied", ...this.source(), principal, action, name, denial: decision });
    return decision;
  }

  /** Which connection an event belongs to. */
  source(): EventSource<Peer, Principal> {
    const { clientIdentifier, principal, isAssignedIdentifier } = this.client ?? {
      clientIdentifier: this.identity?.clientIdentifier,
      principal: this.knownPrincipal,
      isAssignedIdentifier: this.identity?.isAssignedIdentifier ?? false,
    };
    return { peer: this.peer, clientIdentifier, isAssignedIdentifier, principal };
  }

  /** Ends the connection. An MQTT 5.0 client that had its CONNACK gets a DISCONNECT with the reason code, if there is one (MQTT-3.14.0-1). */
  close(reason: CloseReason, detail: string, reasonCode?: number, reasonString?: string): void {
    if (this.state === "closed") return;
    if (reasonCode !== undefined && this.state === "connected" && this.version === 5) {
      const bytes = this.encodeAnswer(
        (properties) => ({ type: "disconnect", reasonCode, properties }),
        reasonString ?? detail,
        true,
      );
      if (bytes !== undefined) this.link.write(bytes);
    }
    const { will } = this;
    this.state = "closed";
    this.will = undefined;
    this.context.others?.flush();
    this.link.close();
    this.#input.clear();
    this.pace.end();
    for (const receiver of this.brakes) receiver.forget(this);
    this.brakes.clear();
    this.client?.sender.stop();
    this.context.closed(this);
    const isKnown = this.client !== undefined;
    if (this.client !== undefined) {
      this.client.session.lastEnd = { atMs: this.context.epochMs(), reason, detail };
    }
    this.context.emit({
      type: "closed",
      ...(isKnown ? this.source() : { ...this.source(), principal: undefined, clientIdentifier: undefined }),
      reason,
      detail,
    });
    this.context.ended(this, will);
  }

  #checkBeforeConnack(): void {
    const { maximumOctetsBeforeConnack: limit } = this.context.limits;
    const count = this.#input.takenOctets + this.#input.heldOctets;
    if (count <= limit) return;
    this.close("limit", `maximumOctetsBeforeConnack ${limit}: ${count} octets came before CONNACK was sent`);
  }

  /** Whether the next packet may be handled now. Who does not read its answers is not read from, either. */
  #mayRead(): boolean {
    if (this.state === "closed" || this.#holds > 0 || this.brakes.size > 0) return false;
    if (this.pace.isSlowed || this.acknowledgements.held > maximumHeldAcknowledgements) return false;
    if (!this.link.isFull) return true;
    this.context.others?.flush();
    this.link.handOver();
    return !this.link.isFull;
  }

  #pauseOrResume(): void {
    if (this.state === "closed") return;
    const isStopped = this.#holds > 0 || this.brakes.size > 0 || this.pace.isSlowed || this.link.isFull;
    // While CONNECT is decided the octets that may come are counted instead.
    const isCounted = this.client === undefined && this.#holds > 0;
    this.link.setPaused((isStopped && !isCounted) || this.#input.waitingOctets > maximumBacklogOctets);
  }
}

const notConnected: Denial = { isAllowed: false, reason: "not connected" };
