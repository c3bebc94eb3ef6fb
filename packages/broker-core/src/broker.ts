/**
 * The broker's core: it is given connections that a listener accepted, speaks MQTT 3.1.1 and 5.0 with them and routes what they
 * publish. No sockets, clocks or randomness of its own: bytes and the time come in, bytes and events go out.
 */

import { ReasonCode } from "@latchkey/mqtt-codec";
import type { BrokerOptions, ClientConnection, PersistenceOptions } from "./broker-options.ts";
import { ClusterNode } from "./cluster-node.ts";
import { Connection, type BrokerContext } from "./connection/connection.ts";
import { answerMalformed } from "./connection/fault-answers.ts";
import { LimitReports } from "./connection/limit-reports.ts";
import { startingState } from "./connection/starting-state.ts";
import { createCounters, type Counters } from "./counters.ts";
import { Deadlines } from "./deadlines.ts";
import type { DropLimit, PublishedEvent } from "./events.ts";
import { claimsAnswered } from "./handlers/claim-session.ts";
import { connectionEnded } from "./handlers/connection-end.ts";
import { decisionFor } from "./handlers/decision.ts";
import { handlePacket } from "./handlers/dispatch.ts";
import { endConfirmations, sendDirect } from "./handlers/direct-message.ts";
import { countIncomplete, joinAddress, leaveGroups, limitOfPublishing } from "./handlers/group-limits.ts";
import { publishMessage, removeRetained } from "./handlers/publication.ts";
import { askAboutWills, stopUndecidedWills } from "./handlers/will-publication.ts";
import { restoreWills } from "./handlers/will.ts";
import { restore } from "./persistence/restore.ts";
import { SessionPersistence } from "./persistence/session-persistence.ts";
import { storedMessage, type Epoch } from "./persistence/stored-message.ts";
import { directCause, publishFault } from "./handlers/publish-fault.ts";
import { limitsOf, type Limits } from "./limits.ts";
import type { Cluster } from "./ports/cluster.ts";
import type { Transport } from "./ports/transport.ts";
import { Message } from "./routing/message.ts";
import { OtherNodes } from "./routing/other-nodes.ts";
import { RetainedMessages } from "./routing/retained-messages.ts";
import { Router } from "./routing/router.ts";
import {
  messageFields,
  type ConnectionView,
  type DirectMessage,
  type DirectResult,
  type EndSessionOptions,
  type RetainedMessageView,
  type ServerPublish,
  type ServerPublishResult,
  type SessionView,
} from "./server-publish.ts";
import { ConnectionGroups } from "./session/connection-group.ts";
import { QueueBudget } from "./session/queue-budget.ts";
import { SessionRegistry, type SessionRegistryContext } from "./session/session-registry.ts";
import type { Session } from "./session/session.ts";
import { connectionView, retainedView, sessionView } from "./views.ts";

/** A broker. */
export class Broker<Peer, Principal> {
  /** What other nodes use of this broker. */
  readonly cluster: ClusterNode<Peer, Principal>;
  readonly #context: BrokerContext<Peer, Principal>;
  readonly #open = new Set<Connection<Peer, Principal>>();
  /** Connections whose CONNECT was accepted, by client identifier. */
  readonly #clients = new Map<string, Connection<Peer, Principal>>();
  /** Connections that have something to send when the current input is done. */
  readonly #unflushed = new Set<Connection<Peer, Principal>>();
  /** Connections that have work for the next turn, in the order in which they get it. */
  #waiting = new Set<Connection<Peer, Principal>>();
  #suspects: Connection<Peer, Principal>[] = [];
  #isTurnAsked = false;
  readonly #clock: () => number;
  readonly #nextTurn: (work: (nowMs: number) => void) => void;
  /** Sessions with messages dropped since the last tick. */
  readonly #dropping = new Set<Session>();

  constructor(options: BrokerOptions<Peer, Principal>) {
    const isAws = options.profile === "aws";
    const limits = { ...limitsOf(options.profile ?? "standard"), ...options.limits };
    const emit = options.onEvent ?? ((): void => {});
    const counters = createCounters();
    const deadlines = new Deadlines();
    const { cluster, epochMs = Date.now } = options;
    const others = otherNodes(cluster, { epochMs, nowMs: () => this.#context.nowMs });
    const router = new Router(!isAws, !isAws, others);
    const dropped = (session: Session, message: Message, limit: DropLimit): void =>
      this.#countDrop(session, message, limit);
    const groups = new ConnectionGroups(limits, () => this.#context.nowMs);
    const sessions = this.#sessionsOf({ limits, counters, deadlines, router, groups, dropped });
    this.#nextTurn = options.nextTurn ?? ((work) => setTimeout(() => work(this.#context.nowMs), 0));
    const { monotonicMs } = options;
    this.#clock = () => Math.max(this.#context.nowMs, monotonicMs?.() ?? 0);
    this.#context = {
      isAws,
      limits,
      counters,
      deadlines,
      router,
      sessions,
      addressOf: options.addressOf,
      groups,
      readClock: () => {
        this.#context.nowMs = this.#clock();
      },
      limited: new LimitReports(limits, counters.groupLimits),
      dropped,
      emit,
      denial: options.denial ?? "explain",
      authenticator: options.authenticator,
      authorizer: options.authorizer,
      reservedTopics: options.reservedTopics,
      assignClientIdentifier: options.assignClientIdentifier,
      retained: new RetainedMessages(!isAws, { node: cluster?.node ?? 0, hasOthers: cluster !== undefined, epochMs }),
      onPublished: options.onPublished,
      handle: handlePacket,
      malformed: answerMalformed,
      incomplete: countIncomplete,
      ended: connectionEnded,
      takeOver: (clientIdentifier) => this.#takeOver(clientIdentifier),
      hasOutput: (connection) => this.#unflushed.add(connection),
      inputDone: () => this.#flush(),
      later: (connection) => this.#later(connection),
      connected: (connection) => this.#connected(connection),
      closed: (connection) => this.#closed(connection),
      epochMs,
      nowMs: options.persistence?.nowMs ?? 0,
      persistence: options.persistence && this.#persistenceOn(options.persistence, epochMs),
      cluster,
      others,
      ...startingState<Peer, Principal>(),
    };
    this.cluster = new ClusterNode(this.#context);
    this.#restore(options.persistence);
  }

  /** Numbers that the broker counts as it works. They change; read them when they are wanted. */
  get counters(): Readonly<Counters> {
    const { counters, retained } = this.#context;
    counters.retainedMessages = retained.size;
    counters.retainedOctets = retained.octets;
    return counters;
  }

  /** The limits that hold. */
  get limits(): Limits {
    return this.#context.limits;
  }

  /**
   * Sets other limits in place of the profile's; those that are left out are the profile's again. What was agreed at CONNECT, for instance
   * the Receive Maximum, stays for connections that are open.
   */
  changeLimits(limits: Partial<Limits>): void {
    const context = this.#context;
    context.readClock();
    Object.assign(context.limits, limitsOf(context.isAws ? "aws" : "standard"), limits);
    context.groups.changed();
    const { maximumConnectsPerSecond } = context.limits;
    for (const rate of context.connectRates.values()) rate.change(maximumConnectsPerSecond, context.nowMs);
    for (const connection of this.#open) connection.pace.changed();
  }

  /** Has every message that is published reported to another listener than `onPublished`, or to none. */
  reportPublished(listener: ((event: PublishedEvent<Peer, Principal>) => void) | undefined): void {
    this.#context.onPublished = listener;
  }

  /** Takes over an accepted connection. `nowMs` is any clock that only goes forward, the same in all calls. */
  accept(peer: Peer, transport: Transport, nowMs: number): ClientConnection<Peer, Principal> {
    this.#context.nowMs = nowMs;
    const connection = new Connection(this.#context, peer, transport, nowMs);
    this.#open.add(connection);
    joinAddress(connection);
    return connection;
  }

  /** Keeps time: silence, expiry, delayed wills, what is counted. To be called about once a second. */
  tick(nowMs: number): void {
    const context = this.#context;
    context.nowMs = nowMs;
    for (const connection of this.#open) {
      if (connection.checkTime(nowMs)) this.#suspects.push(connection);
      if (context.authorizer.revision === undefined) connection.received = undefined;
    }
    context.deadlines.run(nowMs);
    context.sessions.sweep(nowMs);
    context.groups.sweep();
    context.persistence?.tick();
    this.#reportLimits();
    if (context.connectRates.size > maximumIdleRates) {
      for (const [clientIdentifier, rate] of context.connectRates) {
        if (rate.isUnused(nowMs)) context.connectRates.delete(clientIdentifier);
      }
    }
    // Packets may wait in the sockets if this process was busy: they are read first.
    if (askAboutWills(context) || this.#suspects.length > 0) this.#askTurn();
    this.#flush();
  }

  /** Every connection whose CONNECT was accepted. To end one, call its `end`. */
  connections(): Iterable<ClientConnection<Peer, Principal>> {
    return this.#clients.values();
  }

  /** Publishes a message that did not come over a connection. Resolves when it is kept as its QoS promises. */
  async publish(message: ServerPublish<Principal>, nowMs: number): Promise<ServerPublishResult> {
    const context = this.#context;
    context.nowMs = nowMs;
    const { principal, address, clientIdentifier, topicName, qos = 0 } = message;
    const source = { peer: undefined, clientIdentifier, isAssignedIdentifier: false, principal };
    const fault = publishFault(this.#context, message);
    if (fault !== undefined) return fault;
    if (principal !== undefined) {
      const limit = limitOfPublishing(context, principal, address, source);
      if (limit !== undefined) return limit;
      const actions = message.retain === true ? (["publish", "retain-publish"] as const) : (["publish"] as const);
      for (const action of actions) {
        const decision = decisionFor(context, principal, action, topicName);
        const denial = decision instanceof Promise ? await decision : decision;
        context.counters.decisions[action][denial === true ? "allowed" : "denied"] += 1;
        if (denial === true) continue;
        context.emit({ type: "denied", ...source, principal, action, name: topicName, denial });
        return { ok: false, reasonCode: ReasonCode.notAuthorized, reason: denial.reason };
      }
    }
    const made = new Message(messageFields(message), context.nowMs, true, undefined);
    const result = publishMessage(context, made, source, principal === undefined);
    context.router.congested.length = 0;
    const position = context.appended;
    this.#flush();
    if (qos > 0) await context.persistence?.whenCommitted(position);
    return result;
  }

  /** Whether a message of this topic that retains nothing would reach anybody: a subscriber, another node, or the listener for published messages. */
  isWanted(topicName: string): boolean {
    return this.#context.onPublished !== undefined || this.#context.router.isSubscribed(topicName);
  }

  /**
   * Sends a message to one client, whether it has subscribed to the topic or not, if it may receive it. False where it has no session,
   * may not receive it, or has no room.
   */
  sendTo(clientIdentifier: string, message: Omit<ServerPublish<Principal>, "principal">, nowMs: number): boolean {
    const context = this.#context;
    context.nowMs = nowMs;
    const session = context.sessions.get(clientIdentifier);
    if (session === undefined || publishFault(this.#context, message) !== undefined) return false;
    const fields = messageFields(message);
    const made = new Message(fields, nowMs, true, undefined);
    const isTaken = session.deliver(made, fields.qos, false, undefined, undefined, nowMs);
    this.#flush();
    return isTaken;
  }

  /**
   * Sends a message to one connected client, whether it has subscribed to the topic or not, if it may receive it. With `confirmWithinMs` it
   * is of QoS 1, and the promise resolves with the client's PUBACK, when the client has gone or, at a tick, when that time is over; a message
   * that was not confirmed may still arrive.
   */
  async sendDirect(clientIdentifier: string, message: DirectMessage, nowMs: number): Promise<DirectResult> {
    this.#context.nowMs = nowMs;
    const fault = publishFault(this.#context, message);
    if (fault === undefined) return sendDirect(this.#context, this.#clients.get(clientIdentifier), message);
    return { ok: false, cause: directCause(fault.reasonCode), reason: fault.reason };
  }

  /** The retained message of a topic. */
  retained(topicName: string): RetainedMessageView | undefined {
    const found = this.#context.retained.get(topicName);
    return found === undefined ? undefined : retainedView(found.message, found.storedAtMs, this.#context.nowMs);
  }

  /** All retained messages. */
  *retainedMessages(): Iterable<RetainedMessageView> {
    for (const { message, storedAtMs } of this.#context.retained.all()) {
      yield retainedView(message, storedAtMs, this.#context.nowMs);
    }
  }

  /** Removes a retained message; false where there was none. */
  deleteRetained(topicName: string, nowMs: number): boolean {
    this.#context.nowMs = nowMs;
    const isRemoved = removeRetained(this.#context, topicName);
    this.#flush();
    return isRemoved;
  }

  /** Every session, connected or not. */
  *sessions(): Iterable<SessionView<Principal>> {
    for (const session of this.#context.sessions.all()) {
      yield sessionView(session, this.#clients.get(session.clientIdentifier)?.principal);
    }
  }

  /** A client's connection, or its last one; undefined where it has no session either. */
  connection(clientIdentifier: string): ConnectionView<Peer, Principal> | undefined {
    const session = this.#context.sessions.get(clientIdentifier);
    return session === undefined ? undefined : connectionView(session, this.#clients.get(clientIdentifier));
  }

  /** Ends a session and its connection; false where there is none. The will is published unless it is suppressed, also where its session is over. */
  endSession(clientIdentifier: string, nowMs: number, options: EndSessionOptions = {}): boolean {
    const context = this.#context;
    context.nowMs = nowMs;
    const session = context.sessions.get(clientIdentifier);
    if (options.isWillSuppressed === true) context.undecidedWills.byClient.get(clientIdentifier)?.cancel();
    if (session === undefined) return false;
    const connection = this.#clients.get(clientIdentifier);
    if (options.isWillSuppressed === true) {
      if (connection !== undefined) connection.will = undefined;
      session.will?.cancel();
    }
    connection?.end("administrative", options.detail ?? "ended by the program", nowMs);
    if (options.isSessionKept !== true) context.sessions.end(session, "administrative");
    this.#flush();
    return true;
  }

  /** Closes all connections (0x8B). Wills are published as MQTT demands, to those who are still connected. */
  shutdown(nowMs: number): void {
    this.#context.nowMs = nowMs;
    for (const connection of this.#open) connection.end("server-shutdown", "the broker stops", nowMs);
    stopUndecidedWills(this.#context);
    for (const { settle } of this.#context.confirmations.values()) {
      settle({ ok: false, cause: "not-confirmed", reason: "the broker stops" });
    }
    this.#reportLimits();
    this.#flush();
  }

  /**
   * Resolves when everything that was promised is kept, or the store has failed. Waits up to 2 s for sessions that other nodes are giving away.
   * To be called after `shutdown`.
   */
  async settled(): Promise<void> {
    await claimsAnswered(this.#context, lastClaimsMs);
    await this.#context.persistence?.settled();
  }

  /** Whether a store refuses what is given to it: nothing is acknowledged that has to be kept. */
  get hasStoreFailed(): boolean {
    return this.#context.persistence?.hasFailed ?? false;
  }

  #sessionsOf(parts: Omit<SessionRegistryContext, "budget" | "nowMs" | "ended">): SessionRegistry {
    return new SessionRegistry({
      ...parts,
      budget: new QueueBudget(parts.limits, parts.counters),
      nowMs: () => this.#context.nowMs,
      ended: (clientIdentifier, reason) => this.#context.emit({ type: "session-ended", clientIdentifier, reason }),
    });
  }

  #persistenceOn({ store, kept, onFailed }: PersistenceOptions, epochMs: () => number): SessionPersistence {
    return new SessionPersistence({
      store,
      lastNumber: kept.lastNumber,
      epochMs,
      nowMs: () => this.#context.nowMs,
      onAppended: (position) => (this.#context.appended = position),
      onCommitted: (position) => this.#committed(position),
      onFailed: (error) => onFailed?.(error),
    });
  }

  #restore(options: PersistenceOptions | undefined): void {
    const { persistence, retained, deadlines, nowMs } = this.#context;
    if (persistence === undefined || options === undefined) return;
    restore(this.#context, persistence, options.kept);
    retained.journal = persistence;
    deadlines.run(nowMs);
    restoreWills(this.#context, options.kept);
    persistence.flush();
  }

  /** More is committed: what waited for it goes out. */
  #committed(position: number): void {
    const context = this.#context;
    context.readClock();
    context.committed = position;
    const waiting = Array.from(context.waitsForStore);
    context.waitsForStore.clear();
    for (const connection of waiting) connection.storeCommitted();
    this.#flush();
  }

  #connected(connection: Connection<Peer, Principal>): void {
    if (connection.client === undefined) return;
    for (const group of connection.groups) group.connectionsBeforeConnect -= 1;
    this.#clients.set(connection.client.clientIdentifier, connection);
    this.#context.counters.connections = this.#clients.size;
  }

  #closed(connection: Connection<Peer, Principal>): void {
    this.#open.delete(connection);
    if (this.#context.confirmations.size > 0) endConfirmations(this.#context, connection);
    const { clientIdentifier } = connection;
    leaveGroups(connection);
    if (clientIdentifier === undefined || this.#clients.get(clientIdentifier) !== connection) return;
    this.#clients.delete(clientIdentifier);
    this.#context.counters.connections = this.#clients.size;
  }

  /** Closes the older connection with reason code 0x8E, session taken over (MQTT-3.1.4-3). */
  #takeOver(clientIdentifier: string): void {
    this.#clients.get(clientIdentifier)?.close("taken-over", "the client identifier connected again", 0x8e);
  }

  #later(connection: Connection<Peer, Principal>): void {
    this.#waiting.add(connection);
    this.#askTurn();
  }

  #askTurn(): void {
    if (this.#isTurnAsked) return;
    this.#isTurnAsked = true;
    this.#nextTurn((nowMs) => this.#turn(nowMs));
  }

  /** One turn for each connection that waits for one. */
  #turn(nowMs: number): void {
    this.#isTurnAsked = false;
    this.#context.nowMs = Math.max(nowMs, this.#context.nowMs);
    const suspects = this.#suspects;
    this.#suspects = [];
    for (const connection of suspects) connection.checkSilence(this.#context.nowMs);
    const waiting = this.#waiting;
    this.#waiting = new Set();
    for (const connection of waiting) connection.turn();
    if (askAboutWills(this.#context)) this.#askTurn();
    this.#flush();
  }

  /** One write for each connection that the input concerned. Other nodes come first: an acknowledgement promises what they are to get. */
  #flush(): void {
    this.#context.others?.flush();
    for (const connection of this.#unflushed) connection.flush();
    this.#unflushed.clear();
    this.#context.sent.count(this.#context.counters, this.#clock);
    this.#context.persistence?.flush();
  }

  #countDrop(session: Session, message: Message, limit: DropLimit): void {
    const { topicName, octets } = message;
    const cause = limit === "packet-size" ? "too-large" : "no-room";
    this.#context.confirmations.get(message)?.settle({ ok: false, cause, reason: `the message was dropped: ${limit}` });
    this.#context.counters.messagesDropped[limit] += 1;
    session.drops ??= new Map();
    const count = session.drops.get(limit);
    if (count === undefined) session.drops.set(limit, { messages: 1, octets, topicName });
    else {
      count.messages += 1;
      count.octets += octets;
      count.topicName = topicName;
    }
    this.#dropping.add(session);
  }

  /** One event for each session or principal and limit, however many messages or refusals it was. */
  #reportLimits(): void {
    for (const event of this.#context.limited.take()) this.#context.emit(event);
    for (const session of this.#dropping) {
      const { clientIdentifier, drops } = session;
      session.drops = undefined;
      const source = this.#clients.get(clientIdentifier)?.source() ?? {
        peer: undefined,
        clientIdentifier,
        isAssignedIdentifier: false,
        principal: undefined,
      };
      for (const [limit, counts] of drops ?? []) this.#context.emit({ type: "dropped", ...source, limit, ...counts });
    }
    this.#dropping.clear();
  }
}

function otherNodes(cluster: Cluster | undefined, epoch: Epoch): OtherNodes | undefined {
  return cluster && new OtherNodes(cluster.interest, (message) => storedMessage(epoch, message));
}

const lastClaimsMs = 2000;

/** Client identifiers whose rate is remembered although nothing was taken of it. */
const maximumIdleRates = 1000;
