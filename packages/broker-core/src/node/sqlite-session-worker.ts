/** The thread that owns the sessions file: a commit waits for the disk, and no client should wait for that. */

import { closeSync, openSync, statSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { parentPort, workerData } from "node:worker_threads";
import { type KeptState, SessionStoreError } from "../ports/session-store.ts";
import { prepareSessionFile } from "./session-schema.ts";
import { SessionTables } from "./session-tables.ts";
import type { StoreAnswer, StoreRequest } from "./worker-messages.ts";

/** How long a statement waits for somebody who looks into the file. */
const busyTimeoutMs = 5000;

/** Primary result codes of SQLite. */
const sqliteInputOutput = 10;
const sqliteCorrupt = 11;
const sqliteFull = 13;
const sqliteNotADatabase = 26;

const file = String(workerData);
let database: DatabaseSync | undefined;
let tables: SessionTables | undefined;

parentPort?.on("message", (request: StoreRequest) => {
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a worker thread has no origin
  parentPort?.postMessage(answerTo(request));
});

function answerTo(request: StoreRequest): StoreAnswer {
  try {
    switch (request.type) {
      case "load":
        return { ok: true, state: load() };
      case "append":
        open().append(request.records, request.atMs);
        return { ok: true };
      default:
        database?.close();
        database = undefined;
        tables = undefined;
        return { ok: true };
    }
  } catch (error) {
    const { code, message, isFull } = storeError(error);
    return { ok: false, code, message, isFull };
  }
}

/** A full disk has no room for a new file: there is nothing in it then, and what is appended later waits for room. */
function load(): KeptState {
  const isNew = file === ":memory:" || (statSync(file, { throwIfNoEntry: false })?.size ?? 0) === 0;
  try {
    return open().load();
  } catch (error) {
    if (!isNew || !storeError(error).isFull) throw error;
    return { sessions: [], messages: new Map(), retained: [], wills: [], lastNumber: 0, lastAppendAtMs: undefined };
  }
}

function open(): SessionTables {
  if (tables !== undefined) return tables;
  // SQLite gives its log and index the mode of the file, so nobody but the owner ever reads any of them.
  if (file !== ":memory:") closeSync(openSync(file, "a", 0o600));
  const opened = new DatabaseSync(file, { timeout: busyTimeoutMs, enableForeignKeyConstraints: true });
  try {
    // No other process has a use for sessions that a broker is changing.
    opened.exec("PRAGMA locking_mode = EXCLUSIVE");
    prepareSessionFile(opened, file);
  } catch (error) {
    opened.close();
    throw error;
  }
  database = opened;
  tables = new SessionTables(opened);
  return tables;
}

function storeError(cause: unknown): SessionStoreError {
  if (cause instanceof SessionStoreError) return cause;
  const message = cause instanceof Error ? cause.message : String(cause);
  const code =
    cause instanceof Error && "errcode" in cause && typeof cause.errcode === "number" ? cause.errcode & 0xff : 0;
  if (code === sqliteCorrupt || code === sqliteNotADatabase) {
    return new SessionStoreError("ERR_SESSION_STORE_CORRUPT", `${file} is damaged: ${message}`, { cause });
  }
  const isFull = code === sqliteFull || code === sqliteInputOutput;
  const mend = isFull ? "; make room on the disk, and it goes on" : "";
  return new SessionStoreError("ERR_SESSION_STORE_UNAVAILABLE", `${file}: ${message}${mend}`, { cause, isFull });
}
