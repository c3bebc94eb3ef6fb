/** A store that forgets with its process: for tests, and the model that other stores are held to. */

import type {
  KeptSession,
  KeptState,
  KeptWill,
  SessionRecord,
  SessionStore,
  StoredDelivery,
  StoredMessage,
  StoredSession,
} from "../ports/session-store.ts";
import type { SessionSubscription } from "../routing/subscription.ts";

interface Entry {
  fields: StoredSession;
  readonly subscriptions: Map<string, SessionSubscription>;
  readonly deliveries: Map<number, StoredDelivery>;
  readonly released: Set<number>;
  readonly received: Set<number>;
}

interface Retained {
  readonly message: number;
  readonly version: number;
  readonly storedAtMs: number;
}

/** Keeps records in this object. */
export class MemorySessionStore implements SessionStore {
  readonly #sessions = new Map<number, Entry>();
  readonly #messages = new Map<number, StoredMessage>();
  readonly #retained = new Map<string, Retained>();
  readonly #wills = new Map<number, KeptWill>();
  #lastAppendAtMs: number | undefined;

  async load(): Promise<KeptState> {
    const sessions: KeptSession[] = Array.from(this.#sessions, ([session, entry]) => ({
      session,
      ...entry.fields,
      subscriptions: Array.from(entry.subscriptions.values()),
      deliveries: Array.from(entry.deliveries.values()),
      released: Array.from(entry.released),
      received: Array.from(entry.received),
    }));
    const retained = Array.from(this.#retained.values());
    const used = new Set(retained.map(({ message }) => message));
    let lastNumber = Math.max(0, ...this.#wills.keys());
    for (const { session, deliveries } of sessions) {
      lastNumber = Math.max(lastNumber, session);
      for (const { message, delivery } of deliveries) {
        used.add(message);
        lastNumber = Math.max(lastNumber, delivery);
      }
    }
    for (const message of this.#messages.keys()) {
      if (used.has(message)) lastNumber = Math.max(lastNumber, message);
      else this.#messages.delete(message);
    }
    const wills = Array.from(this.#wills.values());
    const messages = new Map(this.#messages);
    return { sessions, messages, retained, wills, lastNumber, lastAppendAtMs: this.#lastAppendAtMs };
  }

  async append(records: readonly SessionRecord[], atMs: number): Promise<void> {
    for (const record of records) this.#apply(record);
    this.#lastAppendAtMs = atMs;
  }

  async close(): Promise<void> {}

  #apply(record: SessionRecord): void {
    switch (record.kind) {
      case "session":
        this.#putSession(record);
        return;
      case "message": {
        const { kind: _, message, ...fields } = record;
        this.#messages.set(message, fields);
        return;
      }
      case "retained":
        this.#retain(record);
        return;
      case "retained-deleted":
        this.#retained.delete(record.topicName);
        return;
      case "will": {
        const { kind: _, ...will } = record;
        this.#wills.set(record.will, will);
        return;
      }
      case "will-waits": {
        const will = this.#wills.get(record.will);
        if (will !== undefined) this.#wills.set(record.will, { ...will, dueAtMs: record.dueAtMs });
        return;
      }
      case "will-gone":
        this.#wills.delete(record.will);
        return;
      case "session-ended":
        this.#sessions.delete(record.session);
        return;
      default: {
        const entry = this.#sessions.get(record.session);
        if (entry !== undefined) applyTo(entry, record);
      }
    }
  }

  #putSession(record: SessionRecord & { kind: "session" }): void {
    const { kind: _, session, ...fields } = record;
    const entry = this.#sessions.get(session);
    if (entry !== undefined) {
      entry.fields = fields;
      return;
    }
    const empty = { subscriptions: new Map(), deliveries: new Map(), released: new Set<number>() };
    this.#sessions.set(session, { fields, ...empty, received: new Set() });
  }

  #retain({ topicName, message, version, storedAtMs }: SessionRecord & { kind: "retained" }): void {
    if ((this.#retained.get(topicName)?.version ?? 0) > version) return;
    this.#retained.set(topicName, { message, version, storedAtMs });
  }
}

type RecordOfSession = Exclude<
  SessionRecord,
  {
    kind:
      | "session"
      | "session-ended"
      | "message"
      | "retained"
      | "retained-deleted"
      | "will"
      | "will-waits"
      | "will-gone";
  }
>;

function applyTo(entry: Entry, record: RecordOfSession): void {
  switch (record.kind) {
    case "subscribed": {
      const { kind: _, session: __, ...subscription } = record;
      entry.subscriptions.set(record.topicFilter, subscription);
      return;
    }
    case "unsubscribed":
      entry.subscriptions.delete(record.topicFilter);
      return;
    case "queued": {
      const { kind: _, session: __, ...delivery } = record;
      entry.deliveries.set(record.delivery, delivery);
      return;
    }
    case "sent": {
      const delivery = entry.deliveries.get(record.delivery);
      if (delivery === undefined) return;
      entry.deliveries.set(record.delivery, {
        ...delivery,
        packetIdentifier: record.packetIdentifier,
        isSent: true,
      });
      return;
    }
    case "done":
      entry.deliveries.delete(record.delivery);
      return;
    case "released":
      for (const [number, { packetIdentifier }] of entry.deliveries) {
        if (packetIdentifier === record.packetIdentifier) entry.deliveries.delete(number);
      }
      entry.released.add(record.packetIdentifier);
      return;
    case "completed":
      entry.released.delete(record.packetIdentifier);
      return;
    case "received":
      entry.received.add(record.packetIdentifier);
      return;
    case "finished":
      entry.received.delete(record.packetIdentifier);
      return;
    default:
  }
}
