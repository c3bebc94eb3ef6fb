/** The tables of the sessions file, and what makes them in a new one. */

import type { DatabaseSync } from "node:sqlite";
import { SessionStoreError } from "../ports/session-store.ts";

/** "LTKS": tells a sessions file from any other SQLite file. */
const applicationId = 0x4c54_4b53;
/** The columns of its message are named as those of `message`. */
const wills = `
  CREATE TABLE will (number INTEGER PRIMARY KEY, client_identifier TEXT NOT NULL, principal TEXT NOT NULL,
    delay_seconds INTEGER NOT NULL, due_at_ms INTEGER, topic_name TEXT NOT NULL, payload BLOB NOT NULL, qos INTEGER NOT NULL,
    retain INTEGER NOT NULL, published_at_ms INTEGER NOT NULL, expiry_seconds INTEGER, publisher TEXT,
    payload_format INTEGER, content_type TEXT, response_topic TEXT, correlation_data BLOB, user_properties TEXT) STRICT;
`;
const schema = `
  CREATE TABLE session (number INTEGER PRIMARY KEY, client_identifier TEXT NOT NULL UNIQUE, protocol_version INTEGER NOT NULL,
    expiry_seconds INTEGER NOT NULL, away_at_ms INTEGER, away_reason TEXT, away_detail TEXT, owner TEXT) STRICT;
  CREATE TABLE subscription (session INTEGER NOT NULL REFERENCES session ON DELETE CASCADE, topic_filter TEXT NOT NULL,
    qos INTEGER NOT NULL, no_local INTEGER NOT NULL, retain_as_published INTEGER NOT NULL, retain_handling INTEGER NOT NULL,
    subscription_identifier INTEGER, PRIMARY KEY (session, topic_filter)) STRICT, WITHOUT ROWID;
  CREATE TABLE message (number INTEGER PRIMARY KEY, topic_name TEXT NOT NULL, payload BLOB NOT NULL, qos INTEGER NOT NULL,
    retain INTEGER NOT NULL, published_at_ms INTEGER NOT NULL, expiry_seconds INTEGER, publisher TEXT,
    payload_format INTEGER, content_type TEXT, response_topic TEXT, correlation_data BLOB, user_properties TEXT) STRICT;
  CREATE TABLE delivery (session INTEGER NOT NULL REFERENCES session ON DELETE CASCADE, number INTEGER NOT NULL,
    message INTEGER NOT NULL, qos INTEGER NOT NULL, retain INTEGER NOT NULL, subscription_identifiers TEXT,
    shared_filter TEXT, queued_at_ms INTEGER NOT NULL, packet_identifier INTEGER NOT NULL,
    is_sent INTEGER NOT NULL, PRIMARY KEY (session, number)) STRICT, WITHOUT ROWID;
  CREATE INDEX delivery_message ON delivery (message);
  CREATE INDEX delivery_packet ON delivery (session, packet_identifier) WHERE packet_identifier > 0;
  CREATE TABLE released (place INTEGER PRIMARY KEY, session INTEGER NOT NULL REFERENCES session ON DELETE CASCADE,
    packet_identifier INTEGER NOT NULL, UNIQUE (session, packet_identifier)) STRICT;
  CREATE TABLE received (session INTEGER NOT NULL REFERENCES session ON DELETE CASCADE, packet_identifier INTEGER NOT NULL,
    PRIMARY KEY (session, packet_identifier)) STRICT, WITHOUT ROWID;
  CREATE TABLE retained (topic_name TEXT PRIMARY KEY, message INTEGER NOT NULL, version INTEGER NOT NULL,
    stored_at_ms INTEGER NOT NULL) STRICT, WITHOUT ROWID;
  CREATE INDEX retained_message ON retained (message);
  CREATE TABLE last_append (at_ms INTEGER NOT NULL) STRICT;
  CREATE TRIGGER delivery_gone AFTER DELETE ON delivery BEGIN
    DELETE FROM message WHERE number = OLD.message AND NOT EXISTS (SELECT 1 FROM delivery WHERE message = OLD.message)
      AND NOT EXISTS (SELECT 1 FROM retained WHERE message = OLD.message);
  END;
  CREATE TRIGGER retained_gone AFTER DELETE ON retained BEGIN
    DELETE FROM message WHERE number = OLD.message AND NOT EXISTS (SELECT 1 FROM delivery WHERE message = OLD.message)
      AND NOT EXISTS (SELECT 1 FROM retained WHERE message = OLD.message);
  END;
  CREATE TRIGGER retained_replaced AFTER UPDATE OF message ON retained WHEN OLD.message <> NEW.message BEGIN
    DELETE FROM message WHERE number = OLD.message AND NOT EXISTS (SELECT 1 FROM delivery WHERE message = OLD.message)
      AND NOT EXISTS (SELECT 1 FROM retained WHERE message = OLD.message);
  END;
`;

/** The newest schema that there is. A file with a higher one was made by a newer version and is refused. */
const schemaVersion = 4;
/** What a file of schema 1 lacks, then what one of schema 2 does, and so on. */
const lacking: readonly string[] = [
  "ALTER TABLE session ADD COLUMN away_reason TEXT; ALTER TABLE session ADD COLUMN away_detail TEXT",
  "ALTER TABLE session ADD COLUMN owner TEXT",
  wills,
];

/**
 * Checks what the file is before anything is written to it, and makes the tables of a new one or what an older one lacks. Throws
 * `ERR_SESSION_STORE_CORRUPT`.
 */
export function prepareSessionFile(database: DatabaseSync, file: string): void {
  const id = pragma(database, "application_id");
  const isNew = id === 0 && pragma(database, "schema_version") === 0;
  if (!isNew && id !== applicationId) {
    throw new SessionStoreError("ERR_SESSION_STORE_CORRUPT", `${file} is not a file of sessions; name another one`);
  }
  const version = pragma(database, "user_version");
  if (version > schemaVersion) {
    throw new SessionStoreError(
      "ERR_SESSION_STORE_CORRUPT",
      `${file} was made by a newer version: it has schema ${version}, this version knows ${schemaVersion}`,
    );
  }
  const [check] = database.prepare("PRAGMA quick_check(1)").all();
  if (check?.["quick_check"] !== "ok") {
    throw new SessionStoreError(
      "ERR_SESSION_STORE_CORRUPT",
      `${file} is damaged; move it away to begin without sessions`,
    );
  }
  database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL");
  if (version === schemaVersion) return;
  database.exec("BEGIN IMMEDIATE");
  try {
    for (const step of version === 0 ? [schema, wills] : lacking.slice(version - 1)) database.exec(step);
    database.exec(`PRAGMA application_id = ${applicationId}; PRAGMA user_version = ${schemaVersion}`);
    database.exec("COMMIT");
  } catch (error) {
    database.exec("ROLLBACK");
    throw error;
  }
}

function pragma(database: DatabaseSync, name: string): number {
  return Number(database.prepare(`PRAGMA ${name}`).get()?.[name] ?? 0);
}
