/** Records into the tables of a sessions file, and back. */

import type { DatabaseSync, SQLInputValue, SQLOutputValue, StatementSync } from "node:sqlite";
import type { CloseReason } from "../events.ts";
import type {
  KeptSession,
  KeptState,
  KeptWill,
  SessionRecord,
  StoredDelivery,
  StoredMessage,
} from "../ports/session-store.ts";
import type { SessionSubscription } from "../routing/subscription.ts";

/** Statements for one kind of record each; prepared once, because that costs more than most of them. */
export class SessionTables {
  readonly #database: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();
  /** Whether messages that nothing used when the file was opened are removed. */
  #isSwept = false;

  constructor(database: DatabaseSync) {
    this.#database = database;
  }

  /** Applies records in one transaction. Throws SQLite's error, and then nothing of them is kept. */
  append(records: readonly SessionRecord[], atMs: number): void {
    this.#database.exec("BEGIN IMMEDIATE");
    try {
      if (!this.#isSwept) this.#run(deleteUnused);
      for (const record of records) this.#apply(record);
      this.#run("DELETE FROM last_append");
      this.#run("INSERT INTO last_append VALUES (?)", atMs);
      this.#database.exec("COMMIT");
      this.#isSwept = true;
    } catch (error) {
      // A full disk may have ended the transaction already.
      if (this.#database.isTransaction) this.#database.exec("ROLLBACK");
      throw error;
    }
  }

  /** Everything that is kept. Only read, so that a full disk does not matter. */
  load(): KeptState {
    const messages = new Map<number, StoredMessage>();
    const used = "number IN (SELECT message FROM delivery UNION SELECT message FROM retained)";
    for (const row of this.#rows(`SELECT * FROM message WHERE ${used}`)) {
      messages.set(Number(row["number"]), messageOf(row));
    }
    const subscriptions = this.#bySession("SELECT * FROM subscription", subscriptionOf);
    const deliveries = this.#bySession("SELECT * FROM delivery ORDER BY session, number", deliveryOf);
    const released = this.#bySession("SELECT * FROM released ORDER BY place", packetIdentifierOf);
    const received = this.#bySession("SELECT * FROM received", packetIdentifierOf);
    const sessions = this.#rows("SELECT * FROM session").map((row): KeptSession => {
      const session = Number(row["number"]);
      return {
        session,
        clientIdentifier: String(row["client_identifier"]),
        protocolVersion: Number(row["protocol_version"]) === 5 ? 5 : 4,
        expirySeconds: Number(row["expiry_seconds"]),
        awayAtMs: numberOf(row["away_at_ms"]),
        awayReason: reasonOf(row["away_reason"]),
        awayDetail: textOf(row["away_detail"]),
        owner: textOf(row["owner"]),
        subscriptions: subscriptions.get(session) ?? [],
        deliveries: deliveries.get(session) ?? [],
        released: released.get(session) ?? [],
        received: received.get(session) ?? [],
      };
    });
    const retained = this.#rows("SELECT * FROM retained").map((row) => ({
      message: Number(row["message"]),
      version: Number(row["version"]),
      storedAtMs: Number(row["stored_at_ms"]),
    }));
    const [last] = this.#rows(
      `SELECT max((SELECT ifnull(max(number), 0) FROM session), (SELECT ifnull(max(number), 0) FROM message),
        (SELECT ifnull(max(number), 0) FROM delivery), (SELECT ifnull(max(number), 0) FROM will)) AS number, (SELECT at_ms FROM last_append) AS at_ms`,
    );
    return {
      sessions,
      messages,
      retained,
      wills: this.#rows("SELECT * FROM will").map(willOf),
      lastNumber: Number(last?.["number"] ?? 0),
      lastAppendAtMs: numberOf(last?.["at_ms"]),
    };
  }

  #apply(record: SessionRecord): void {
    switch (record.kind) {
      case "session":
        this.#putSession(record);
        return;
      case "session-ended":
        this.#run("DELETE FROM session WHERE number = ?", record.session);
        return;
      case "message":
        this.#insertMessage(record);
        return;
      case "retained": {
        const { topicName, message, version, storedAtMs } = record;
        this.#run(
          `INSERT INTO retained VALUES (?, ?, ?, ?) ON CONFLICT (topic_name) DO UPDATE SET message = excluded.message,
            version = excluded.version, stored_at_ms = excluded.stored_at_ms WHERE excluded.version >= version`,
          topicName,
          message,
          version,
          storedAtMs,
        );
        return;
      }
      case "retained-deleted":
        this.#run("DELETE FROM retained WHERE topic_name = ?", record.topicName);
        return;
      case "will":
      case "will-waits":
      case "will-gone":
        this.#applyWill(record);
        return;
      case "subscribed":
        this.#insertSubscription(record.session, record);
        return;
      case "unsubscribed":
        this.#run(
          "DELETE FROM subscription WHERE session = ? AND topic_filter = ?",
          record.session,
          record.topicFilter,
        );
        return;
      case "queued":
        this.#insertDelivery(record.session, record);
        return;
      default:
        this.#applyProgress(record);
    }
  }

  #putSession(record: SessionRecord & { kind: "session" }): void {
    const { session, clientIdentifier, protocolVersion, expirySeconds } = record;
    // A client identifier has one session.
    this.#run("DELETE FROM session WHERE client_identifier = ? AND number <> ?", clientIdentifier, session);
    this.#run(
      `INSERT INTO session VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (number) DO UPDATE SET
        protocol_version = excluded.protocol_version, expiry_seconds = excluded.expiry_seconds, owner = excluded.owner,
        away_at_ms = excluded.away_at_ms, away_reason = excluded.away_reason, away_detail = excluded.away_detail`,
      session,
      clientIdentifier,
      protocolVersion,
      expirySeconds,
      record.awayAtMs ?? null,
      record.awayReason ?? null,
      record.awayDetail ?? null,
      record.owner ?? null,
    );
  }

  /** How far deliveries have come. */
  #applyProgress(
    record: SessionRecord & { kind: "sent" | "done" | "released" | "completed" | "received" | "finished" },
  ): void {
    const { session } = record;
    switch (record.kind) {
      case "sent":
        this.#run(
          "UPDATE delivery SET packet_identifier = ?, is_sent = 1 WHERE session = ? AND number = ?",
          record.packetIdentifier,
          session,
          record.delivery,
        );
        return;
      case "done":
        this.#run("DELETE FROM delivery WHERE session = ? AND number = ?", session, record.delivery);
        return;
      case "released":
        this.#run(
          "DELETE FROM delivery WHERE session = ? AND packet_identifier = ? AND packet_identifier > 0",
          session,
          record.packetIdentifier,
        );
        this.#run(
          "INSERT OR IGNORE INTO released (session, packet_identifier) SELECT number, ? FROM session WHERE number = ?",
          record.packetIdentifier,
          session,
        );
        return;
      case "completed":
        this.#run("DELETE FROM released WHERE session = ? AND packet_identifier = ?", session, record.packetIdentifier);
        return;
      case "received":
        this.#run(
          "INSERT OR IGNORE INTO received SELECT number, ? FROM session WHERE number = ?",
          record.packetIdentifier,
          session,
        );
        return;
      default:
        this.#run("DELETE FROM received WHERE session = ? AND packet_identifier = ?", session, record.packetIdentifier);
    }
  }

  #applyWill(record: SessionRecord & { kind: "will" | "will-waits" | "will-gone" }): void {
    switch (record.kind) {
      case "will": {
        const { will, clientIdentifier, principal, delaySeconds, dueAtMs } = record;
        const own = [will, clientIdentifier, principal, delaySeconds, dueAtMs ?? null];
        this.#run(
          "INSERT OR REPLACE INTO will VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
          ...own,
          ...messageValues(record),
        );
        return;
      }
      case "will-waits":
        this.#run("UPDATE will SET due_at_ms = ? WHERE number = ?", record.dueAtMs, record.will);
        return;
      default:
        this.#run("DELETE FROM will WHERE number = ?", record.will);
    }
  }

  #insertMessage(message: StoredMessage & { readonly message: number }): void {
    this.#run(
      "INSERT OR IGNORE INTO message VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
      message.message,
      ...messageValues(message),
    );
  }

  #insertSubscription(session: number, subscription: SessionSubscription): void {
    this.#run(
      "INSERT OR REPLACE INTO subscription SELECT number, ?, ?, ?, ?, ?, ? FROM session WHERE number = ?",
      subscription.topicFilter,
      subscription.qos,
      subscription.noLocal ? 1 : 0,
      subscription.retainAsPublished ? 1 : 0,
      subscription.retainHandling,
      subscription.subscriptionIdentifier ?? null,
      session,
    );
  }

  #insertDelivery(session: number, delivery: StoredDelivery): void {
    this.#run(
      "INSERT OR IGNORE INTO delivery SELECT number, ?, ?, ?, ?, ?, ?, ?, ?, ? FROM session WHERE number = ?",
      delivery.delivery,
      delivery.message,
      delivery.qos,
      delivery.retain ? 1 : 0,
      delivery.subscriptionIdentifiers === undefined ? null : JSON.stringify(delivery.subscriptionIdentifiers),
      delivery.sharedFilter ?? null,
      delivery.queuedAtMs,
      delivery.packetIdentifier,
      delivery.isSent ? 1 : 0,
      session,
    );
  }

  #run(sql: string, ...values: SQLInputValue[]): void {
    this.#statement(sql).run(...values);
  }

  #rows(sql: string): Record<string, SQLOutputValue>[] {
    return this.#statement(sql).all();
  }

  #statement(sql: string): StatementSync {
    let statement = this.#statements.get(sql);
    if (statement === undefined) this.#statements.set(sql, (statement = this.#database.prepare(sql)));
    return statement;
  }

  #bySession<Value>(sql: string, valueOf: (row: Row) => Value): Map<number, Value[]> {
    const bySession = new Map<number, Value[]>();
    for (const row of this.#rows(sql)) {
      const session = Number(row["session"]);
      const values = bySession.get(session);
      if (values === undefined) bySession.set(session, [valueOf(row)]);
      else values.push(valueOf(row));
    }
    return bySession;
  }
}

function messageValues(message: StoredMessage): readonly SQLInputValue[] {
  return [
    message.topicName,
    message.payload,
    message.qos,
    message.retain ? 1 : 0,
    message.publishedAtMs,
    message.expirySeconds ?? null,
    message.publisher ?? null,
    message.payloadFormatIndicator ?? null,
    message.contentType ?? null,
    message.responseTopic ?? null,
    message.correlationData ?? null,
    message.userProperties === undefined ? null : JSON.stringify(message.userProperties),
  ];
}

function willOf(row: Row): KeptWill {
  return {
    will: Number(row["number"]),
    clientIdentifier: String(row["client_identifier"]),
    principal: String(row["principal"]),
    delaySeconds: Number(row["delay_seconds"]),
    dueAtMs: numberOf(row["due_at_ms"]),
    ...messageOf(row),
  };
}

const deleteUnused =
  "DELETE FROM message WHERE number NOT IN (SELECT message FROM delivery UNION SELECT message FROM retained)";

type Row = Record<string, SQLOutputValue>;

function subscriptionOf(row: Row): SessionSubscription {
  return {
    topicFilter: String(row["topic_filter"]),
    qos: qosOf(row["qos"]),
    noLocal: row["no_local"] === 1,
    retainAsPublished: row["retain_as_published"] === 1,
    retainHandling: qosOf(row["retain_handling"]),
    subscriptionIdentifier: numberOf(row["subscription_identifier"]),
  };
}

function deliveryOf(row: Row): StoredDelivery {
  const identifiers = textOf(row["subscription_identifiers"]);
  return {
    delivery: Number(row["number"]),
    message: Number(row["message"]),
    qos: row["qos"] === 2 ? 2 : 1,
    retain: row["retain"] === 1,
    subscriptionIdentifiers: identifiers === undefined ? undefined : numbersOf(identifiers),
    sharedFilter: textOf(row["shared_filter"]),
    queuedAtMs: Number(row["queued_at_ms"]),
    packetIdentifier: Number(row["packet_identifier"]),
    isSent: row["is_sent"] === 1,
  };
}

function messageOf(row: Row): StoredMessage {
  const format = row["payload_format"];
  const properties = textOf(row["user_properties"]);
  return {
    topicName: String(row["topic_name"]),
    payload: octetsOf(row["payload"]) ?? new Uint8Array(0),
    qos: qosOf(row["qos"]),
    retain: row["retain"] === 1,
    publishedAtMs: Number(row["published_at_ms"]),
    expirySeconds: numberOf(row["expiry_seconds"]),
    publisher: textOf(row["publisher"]),
    payloadFormatIndicator: format === 0 || format === 1 ? format : undefined,
    contentType: textOf(row["content_type"]),
    responseTopic: textOf(row["response_topic"]),
    correlationData: octetsOf(row["correlation_data"]),
    userProperties: properties === undefined ? undefined : userPropertiesOf(properties),
  };
}

const closeReasons: Readonly<Record<CloseReason, true>> = {
  "client-disconnect": true,
  "connection-lost": true,
  "taken-over": true,
  "keep-alive-timeout": true,
  "connect-timeout": true,
  "maximum-connect-time": true,
  "authentication-expired": true,
  "malformed-packet": true,
  "protocol-error": true,
  "not-authenticated": true,
  "not-authorized": true,
  limit: true,
  "storage-failure": true,
  administrative: true,
  "server-shutdown": true,
};

function reasonOf(value: SQLOutputValue | undefined): CloseReason | undefined {
  return isReason(value) ? value : undefined;
}

function isReason(value: unknown): value is CloseReason {
  return typeof value === "string" && Object.hasOwn(closeReasons, value);
}

function packetIdentifierOf(row: Row): number {
  return Number(row["packet_identifier"]);
}

function qosOf(value: SQLOutputValue | undefined): 0 | 1 | 2 {
  return value === 1 || value === 2 ? value : 0;
}

function numberOf(value: SQLOutputValue | undefined): number | undefined {
  return typeof value === "number" ? value : undefined;
}

function textOf(value: SQLOutputValue | undefined): string | undefined {
  return typeof value === "string" ? value : undefined;
}

function octetsOf(value: SQLOutputValue | undefined): Uint8Array | undefined {
  return value instanceof Uint8Array ? value : undefined;
}

function numbersOf(json: string): number[] {
  const value: unknown = JSON.parse(json);
  return Array.isArray(value) ? value.filter((one) => typeof one === "number") : [];
}

function userPropertiesOf(json: string): (readonly [string, string])[] {
  const value: unknown = JSON.parse(json);
  if (!Array.isArray(value)) return [];
  return value.flatMap((pair: unknown) => {
    if (!Array.isArray(pair)) return [];
    const [name, text]: unknown[] = pair;
    return typeof name === "string" && typeof text === "string" ? [[name, text] as const] : [];
  });
}
