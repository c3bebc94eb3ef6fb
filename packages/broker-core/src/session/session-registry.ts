/**
 * All sessions by client identifier: who has one, which ones wait for their client, and when they end. A session belongs to at most
 * one connection (MQTT-3.1.4-2, MQTT-3.1.4-3 of 5.0).
 */

import type { ProtocolVersion } from "@latchkey/mqtt-codec";
import type { Counters } from "../counters.ts";
import type { Deadlines } from "../deadlines.ts";
import type { SessionEndReason } from "../events.ts";
import type { Limits } from "../limits.ts";
import type { Router } from "../routing/router.ts";
import { filterParts } from "../routing/subscription.ts";
import { noGroups, type ConnectionGroup, type ConnectionGroups } from "./connection-group.ts";
import { Session, type SessionSurroundings } from "./session.ts";

/** What the registry needs of its broker. */
export interface SessionRegistryContext extends SessionSurroundings {
  readonly limits: Limits;
  readonly counters: Counters;
  readonly deadlines: Deadlines;
  readonly router: Router;
  readonly groups: ConnectionGroups;
  /** The latest time that the broker was given. */
  readonly nowMs: () => number;
  readonly ended: (clientIdentifier: string, reason: SessionEndReason) => void;
}

/** The sessions of one broker. */
export class SessionRegistry {
  readonly #context: SessionRegistryContext;
  readonly #sessions = new Map<string, Session>();
  /** Sessions without a connection, the longest away first. */
  readonly #away = new Set<Session>();
  /** Where the search for old messages goes on. */
  #swept: Iterator<Session, undefined> | undefined;

  constructor(context: SessionRegistryContext) {
    this.#context = context;
  }

  get(clientIdentifier: string): Session | undefined {
    return this.#sessions.get(clientIdentifier);
  }

  all(): Iterable<Session> {
    return this.#sessions.values();
  }

  create(clientIdentifier: string, protocolVersion: ProtocolVersion, expirySeconds: number): Session {
    const session = new Session(clientIdentifier, protocolVersion, expirySeconds, this.#context);
    this.#sessions.set(clientIdentifier, session);
    this.#context.counters.sessions = this.#sessions.size;
    return session;
  }

  /** Counts a session for other groups than before. */
  count(session: Session, groups: readonly ConnectionGroup[]): void {
    const before = session.groups;
    if (before === groups) return;
    const { size } = session.subscriptions;
    session.countSubscriptions(-size);
    session.groups = groups;
    session.outbound.groups = groups;
    session.countSubscriptions(size);
    for (const group of groups) group.sessions += 1;
    for (const group of before) {
      group.sessions -= 1;
      this.#context.groups.released(group);
    }
  }

  /** A connection has the session now: its expiry does not count. */
  attach(session: Session): void {
    this.#away.delete(session);
    this.#context.deadlines.cancel(session.expiry);
    session.expiry = undefined;
  }

  /** The session's connection is gone. It ends now or after its expiry (MQTT-3.1.2-23), unless too many are away. */
  detach(session: Session, awayMs: number = 0): void {
    const { deadlines, limits } = this.#context;
    const nowMs = this.#context.nowMs();
    session.outbound.suspend();
    if (session.expirySeconds === 0) {
      this.end(session, undefined);
      return;
    }
    this.#away.add(session);
    this.count(
      session,
      session.groups.filter(({ scope }) => scope === "principal"),
    );
    const expiresMs = nowMs - awayMs + session.expirySeconds * 1000;
    session.expiry = deadlines.add(expiresMs, () => this.end(session, "expired"));
    for (const [topicFilter] of session.subscriptions) {
      const parts = topicFilter.startsWith("$share/") ? filterParts(topicFilter) : undefined;
      if (parts?.group !== undefined) this.#handOver(session, topicFilter, parts.filter, parts.group);
    }
    const [longestAway] = this.#away;
    if (this.#away.size > limits.maximumOfflineSessions && longestAway !== undefined) {
      this.end(longestAway, "maximumOfflineSessions");
    }
  }

  /**
   * Ends a session and publishes the will that waits for its end (MQTT-3.1.2-8). `reason` is undefined where the session ends together with its
   * connection: then there is no event.
   */
  end(session: Session, reason: SessionEndReason | undefined): void {
    if (!this.#takeOut(session)) return;
    this.#context.router.redispatch(session.outbound.clear(), session, this.#context.nowMs());
    session.journal?.ended();
    session.journal = undefined;
    if (reason !== undefined) this.#context.ended(session.clientIdentifier, reason);
    session.will?.publish();
  }

  /** Another node has the session now: what it had to do is done there. */
  remove(session: Session): void {
    if (!this.#takeOut(session)) return;
    session.outbound.clear();
    session.journal?.ended();
    session.journal = undefined;
  }

  #takeOut(session: Session): boolean {
    if (this.#sessions.get(session.clientIdentifier) !== session) return false;
    const { router, deadlines, counters } = this.#context;
    this.#sessions.delete(session.clientIdentifier);
    this.#away.delete(session);
    deadlines.cancel(session.expiry);
    counters.sessions = this.#sessions.size;
    this.count(session, noGroups);
    for (const topicFilter of Array.from(session.subscriptions.keys())) {
      const parts = filterParts(topicFilter);
      if (parts !== undefined) router.unsubscribe(session, topicFilter, parts);
    }
    counters.subscriptions = router.subscriptions;
    return true;
  }

  /** Drops what waits for too long, for some sessions at each call, so that a call stays short. */
  sweep(nowMs: number): void {
    const { maximumQueuedMs } = this.#context.limits;
    for (let count = 0; count < sessionsPerSweep; count++) {
      this.#swept ??= this.#sessions.values();
      const { value: session }: IteratorResult<Session, undefined> = this.#swept.next();
      if (session === undefined) {
        this.#swept = undefined;
        return;
      }
      const stale = session.outbound.takeStale(
        ({ message, queuedMs }) => message.isExpired(nowMs) || nowMs - queuedMs >= maximumQueuedMs,
      );
      for (const delivery of stale) {
        session.journal?.done(delivery);
        const limit = delivery.message.isExpired(nowMs) ? "expired" : "maximumQueuedMs";
        this.#context.dropped(session, delivery.message, limit);
      }
    }
  }

  /** What waits for a shared subscription goes to another member, if one is connected. */
  #handOver(session: Session, topicFilter: string, filter: string, name: string): void {
    const group = this.#context.router.group(filter, name);
    if (group === undefined || !session.subscriptions.has(topicFilter)) return;
    if (!Array.from(group.members.keys()).some(({ receiver }) => receiver !== undefined)) return;
    const taken = session.outbound.takeOfGroup(group);
    for (const delivery of taken) session.journal?.done(delivery);
    this.#context.router.redispatch(taken, session, this.#context.nowMs());
  }
}

const sessionsPerSweep = 200;
