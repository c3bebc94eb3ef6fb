/**
 * Sessions in one SQLite file, owned by a thread: write-ahead log, synchronous FULL, one transaction a batch. What was appended
 * survives a killed process and a power cut.
 */

import { Worker } from "node:worker_threads";
import { type KeptState, type SessionRecord, type SessionStore, SessionStoreError } from "../ports/session-store.ts";
import type { StoreAnswer, StoreRequest } from "./worker-messages.ts";

/** Opens `file`, which is made where it does not exist, readable by its owner only; `:memory:` keeps it in memory. */
export function openSqliteSessionStore(file: string): SessionStore {
  return new SqliteSessionStore(file);
}

class SqliteSessionStore implements SessionStore {
  readonly #worker: Worker;
  /** The one request that is under way. */
  #waiting: { readonly resolve: (answer: StoreAnswer) => void; readonly reject: (error: Error) => void } | undefined;
  #fault: SessionStoreError | undefined;

  constructor(file: string) {
    const extension = import.meta.url.endsWith(".ts") ? "ts" : "js";
    this.#worker = new Worker(new URL(`./sqlite-session-worker.${extension}`, import.meta.url), { workerData: file });
    this.#worker.on("message", (answer: StoreAnswer) => {
      const waiting = this.#waiting;
      this.#waiting = undefined;
      waiting?.resolve(answer);
    });
    this.#worker.on("error", (cause: unknown) => this.#end(cause));
    this.#worker.on("exit", () => this.#end(undefined));
  }

  async load(): Promise<KeptState> {
    const answer = await this.#ask({ type: "load" });
    if (answer.state === undefined) throw this.#lost(undefined);
    return answer.state;
  }

  async append(records: readonly SessionRecord[], atMs: number): Promise<void> {
    await this.#ask({ type: "append", records: records.map(detached), atMs });
  }

  async close(): Promise<void> {
    if (this.#fault !== undefined) return;
    await this.#ask({ type: "close" });
    await this.#worker.terminate();
  }

  async #ask(request: StoreRequest): Promise<StoreAnswer & { ok: true }> {
    if (this.#fault !== undefined) throw this.#fault;
    if (this.#waiting !== undefined) throw new RangeError("a store is asked one thing at a time");
    const answer = await new Promise<StoreAnswer>((resolve, reject) => {
      this.#waiting = { resolve, reject };
      // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a worker thread has no origin
      this.#worker.postMessage(request);
    });
    if (answer.ok) return answer;
    throw new SessionStoreError(answer.code, answer.message, { isFull: answer.isFull });
  }

  #end(cause: unknown): void {
    this.#fault ??= this.#lost(cause);
    this.#waiting?.reject(this.#fault);
    this.#waiting = undefined;
  }

  #lost(cause: unknown): SessionStoreError {
    return new SessionStoreError("ERR_SESSION_STORE_UNAVAILABLE", "the thread of the sessions file has ended", {
      cause,
    });
  }
}

/** A view would take its whole buffer along to the thread. */
function detached(record: SessionRecord): SessionRecord {
  if (record.kind !== "message" && record.kind !== "will") return record;
  const { payload, correlationData } = record;
  if (isWhole(payload) && (correlationData === undefined || isWhole(correlationData))) return record;
  return {
    ...record,
    payload: Uint8Array.from(payload),
    correlationData: correlationData && Uint8Array.from(correlationData),
  };
}

function isWhole(octets: Uint8Array): boolean {
  return octets.byteLength === octets.buffer.byteLength && octets.constructor === Uint8Array;
}
