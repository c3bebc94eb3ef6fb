/** Whether a broker runs on a data directory of this machine: files in which it says where it listens outlive a broker that was killed. */

import { existsSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";

/** The file in a data directory that its broker keeps locked: the system gives the lock back when the process ends, however it ends. */
export const brokerLockFile = "broker.lock.db";

/** Looks whether the lock is held, without waiting. Where that cannot be found out, true: then the connection tells. */
export function isBrokerRunning(dataDirectory: string): boolean {
  const file = join(dataDirectory, brokerLockFile);
  if (!existsSync(file)) return false;
  let lock: DatabaseSync | undefined;
  try {
    lock = new DatabaseSync(file, { readOnly: true, timeout: 0 });
    // A reader is let in unless somebody has the file for himself; the lock of a reader ends with the statement.
    lock.exec("SELECT count(*) FROM sqlite_schema");
    return false;
  } catch {
    return true;
  } finally {
    lock?.close();
  }
}
