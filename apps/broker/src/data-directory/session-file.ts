/** Sessions and retained messages that outlive the process: `sessions.db` in the data directory. */

import { join } from "node:path";
import { messageOf } from "@latchkey/command-line";
import { type PersistenceOptions, SessionStoreError } from "@latchkey/broker-core";
import { openSqliteSessionStore } from "@latchkey/broker-core/node";
import type { Logger } from "pino";
import { BrokerError } from "../errors.ts";

/** What a broker keeps its sessions in. */
export interface SessionFile extends AsyncDisposable {
  readonly persistence: PersistenceOptions;
}

/** Opens the file and reads what it kept. Throws `ERR_BROKER_DATA_DIRECTORY`. */
export async function openSessionFile(directory: string, log: Logger): Promise<SessionFile> {
  const store = openSqliteSessionStore(join(directory, "sessions.db"));
  try {
    const kept = await store.load();
    let failures = 0;
    const onFailed = (error: unknown): void => {
      failures += 1;
      // It is tried again each second: a line for the first time, and then one a minute.
      if (failures % 60 !== 1) return;
      log.error(
        { reason: messageOf(error), failures },
        "sessions cannot be stored: nothing is acknowledged that has to be kept, until they can",
      );
    };
    log.info({ sessions: kept.sessions.length, retained: kept.retained.length }, "sessions read");
    return {
      persistence: { store, kept, nowMs: performance.now(), onFailed },
      [Symbol.asyncDispose]: () => store.close(),
    };
  } catch (cause) {
    await store.close().catch(() => {});
    if (!(cause instanceof SessionStoreError)) throw cause;
    throw new BrokerError("ERR_BROKER_DATA_DIRECTORY", cause.message, { cause });
  }
}
