/** Between the core and a store: what happens becomes records, and what was kept becomes sessions again. */

import type { Message } from "../routing/message.ts";
import type { RetainedJournal, RetainedMessage } from "../routing/retained-messages.ts";
import { SharedGroup } from "../routing/shared-subscriptions.ts";
import type { SessionRecord, SessionStore, StoredSession } from "../ports/session-store.ts";
import type { Delivery } from "../session/outbound-messages.ts";
import type { SessionJournal } from "../session/session-journal.ts";
import type { Session } from "../session/session.ts";
import { GroupCommit } from "./group-commit.ts";
import { epochOf, storedMessage } from "./stored-message.ts";

/** What it needs of its broker. */
export interface SessionPersistenceContext {
  readonly store: SessionStore;
  /** The highest number that is in use in the store. */
  readonly lastNumber: number;
  /** Milliseconds since 1970. */
  readonly epochMs: () => number;
  /** The latest time that the broker was given. */
  readonly nowMs: () => number;
  readonly onAppended: (position: number) => void;
  readonly onCommitted: (position: number) => void;
  readonly onFailed: (error: unknown) => void;
}

/** How often records are tried again after the store has failed, and how often an idle store keeps the time. */
const retryMs = 1000;
const touchMs = 30_000;

/** Keeps what clients were promised. */
export class SessionPersistence implements RetainedJournal {
  readonly #context: SessionPersistenceContext;
  readonly #commits: GroupCommit;
  #lastNumber: number;
  /** The numbers of messages that are in the store, or on their way. */
  readonly #messages = new WeakMap<Message, { readonly number: number; group: number }>();
  #nextTouchMs = 0;
  #nextRetryMs = 0;

  constructor(context: SessionPersistenceContext) {
    this.#context = context;
    this.#lastNumber = context.lastNumber;
    const commits: GroupCommit = new GroupCommit({
      store: context.store,
      epochMs: context.epochMs,
      onCommitted: () => context.onCommitted(commits.committed),
      onFailed: (error) => {
        this.#nextRetryMs = context.nowMs() + retryMs;
        context.onFailed(error);
      },
    });
    this.#commits = commits;
  }

  /** Whether the store refused what was given to it last: nothing is acknowledged that has to be kept. */
  get hasFailed(): boolean {
    return this.#commits.hasFailed;
  }

  /** The journal of a session that is kept from now on. `number` is the one it has in the store already. */
  journalOf(session: Session, number: number = this.nextNumber()): SessionJournal {
    return new StoredSessionJournal(this, session, number);
  }

  /** A message came out of the store. */
  isKept(message: Message, number: number): void {
    this.#messages.set(message, { number, group: 0 });
  }

  /** Starts to commit what was gathered. */
  flush(): void {
    this.#commits.flush();
  }

  /** Keeps time. */
  tick(): void {
    const nowMs = this.#context.nowMs();
    if (this.#commits.hasFailed && nowMs >= this.#nextRetryMs) this.#commits.retry();
    if (nowMs < this.#nextTouchMs) return;
    this.#nextTouchMs = nowMs + touchMs;
    this.#commits.touch();
  }

  /** Resolves when everything is committed, or the store has failed. */
  settled(): Promise<void> {
    return this.#commits.settled();
  }

  /** Resolves when a position is committed. */
  whenCommitted(position: number): Promise<void> {
    return this.#commits.whenCommitted(position);
  }

  /** Resolves with true when a position is committed, or with false when the store refuses what leads up to it. */
  whenDecided(position: number): Promise<boolean> {
    return this.#commits.whenDecided(position);
  }

  retained({ message, version, storedAtMs }: RetainedMessage): void {
    const number = this.numberOf(message);
    this.append({ kind: "retained", topicName: message.topicName, message: number, version, storedAtMs });
  }

  retainedDeleted(topicName: string): void {
    this.append({ kind: "retained-deleted", topicName });
  }

  /** Gives the position of the record. */
  append(record: SessionRecord): number {
    const position = this.#commits.append(record);
    this.#context.onAppended(position);
    return position;
  }

  appendDone(session: number, delivery: number): void {
    this.#context.onAppended(this.#commits.appendDone(session, delivery));
  }

  /** The number of a message, which is appended where a store may not have it. */
  numberOf(message: Message): number {
    const known = this.#messages.get(message);
    const { group } = this.#commits;
    if (known !== undefined && known.group === group) return known.number;
    const number = known?.number ?? this.nextNumber();
    this.#messages.set(message, { number, group });
    this.append({ kind: "message", message: number, ...storedMessage(this.#context, message) });
    return number;
  }

  /** Milliseconds since 1970, now. */
  get epochNow(): number {
    return Math.round(this.#context.epochMs());
  }

  /** Milliseconds since 1970 at a time of the broker's clock. */
  epochOf(ms: number): number {
    return epochOf(this.#context, ms);
  }

  /** A number that nothing in the store has. */
  nextNumber(): number {
    this.#lastNumber += 1;
    return this.#lastNumber;
  }
}

/** The journal of one session. */
class StoredSessionJournal implements SessionJournal {
  readonly #persistence: SessionPersistence;
  readonly #session: Session;
  readonly #number: number;

  constructor(persistence: SessionPersistence, session: Session, number: number) {
    this.#persistence = persistence;
    this.#session = session;
    this.#number = number;
  }

  queued(delivery: Delivery): number {
    const { message, qos, retain, subscriptionIdentifiers, group, queuedMs, packetIdentifier, isSent } = delivery;
    const number = this.#persistence.numberOf(message);
    delivery.recordNumber = this.#persistence.nextNumber();
    return this.#persistence.append({
      kind: "queued",
      session: this.#number,
      delivery: delivery.recordNumber,
      message: number,
      qos: qos === 2 ? 2 : 1,
      retain,
      subscriptionIdentifiers,
      sharedFilter: group instanceof SharedGroup ? group.topicFilter : undefined,
      queuedAtMs: this.#persistence.epochOf(queuedMs),
      packetIdentifier,
      isSent,
    });
  }

  sent(delivery: Delivery): void {
    // A retained message of QoS 1 was never queued.
    if (delivery.recordNumber === 0) {
      this.queued(delivery);
      return;
    }
    const { recordNumber, packetIdentifier } = delivery;
    this.#append({ kind: "sent", session: this.#number, delivery: recordNumber, packetIdentifier });
  }

  done({ recordNumber }: Delivery): void {
    this.#persistence.appendDone(this.#number, recordNumber);
  }

  released(packetIdentifier: number): void {
    this.#append({ kind: "released", session: this.#number, packetIdentifier });
  }

  completed(packetIdentifier: number): void {
    this.#append({ kind: "completed", session: this.#number, packetIdentifier });
  }

  received(packetIdentifier: number): void {
    this.#append({ kind: "received", session: this.#number, packetIdentifier });
  }

  finished(packetIdentifier: number): void {
    this.#append({ kind: "finished", session: this.#number, packetIdentifier });
  }

  subscribed(subscription: Parameters<SessionJournal["subscribed"]>[0]): void {
    this.#append({ kind: "subscribed", session: this.#number, ...subscription });
  }

  unsubscribed(topicFilter: string): void {
    this.#append({ kind: "unsubscribed", session: this.#number, topicFilter });
  }

  attached(expirySeconds: number): void {
    this.#state(expirySeconds, { awayAtMs: undefined, awayReason: undefined, awayDetail: undefined });
  }

  detached(expirySeconds: number): void {
    const { lastEnd } = this.#session;
    this.#state(expirySeconds, {
      awayAtMs: lastEnd === undefined ? this.#persistence.epochNow : Math.round(lastEnd.atMs),
      awayReason: lastEnd?.reason,
      awayDetail: lastEnd?.reason && lastEnd.detail,
    });
  }

  ended(): void {
    this.#append({ kind: "session-ended", session: this.#number });
  }

  #state(expirySeconds: number, away: Pick<StoredSession, "awayAtMs" | "awayReason" | "awayDetail">): void {
    const { clientIdentifier, protocolVersion, owner } = this.#session;
    this.#append({
      kind: "session",
      session: this.#number,
      clientIdentifier,
      protocolVersion,
      expirySeconds,
      ...away,
      owner,
    });
  }

  #append(record: SessionRecord): void {
    this.#persistence.append(record);
  }
}
