/**
 * Two locks of a data directory, each a file that SQLite locks: the system gives it back when the process ends, however
 * it ends.
 *
 * `lock.db` is held while files of the directory are read and made, so that two processes never make them at once.
 * `broker.lock.db` is held by the broker that runs on the directory.
 */

import { DatabaseSync } from "node:sqlite";

/** A lock that is held. Disposing gives it back. */
export type DirectoryLock = Disposable;

/**
 * Takes the lock of `file`. Waits `timeoutMs` for another process; then throws what SQLite throws, for which
 * `isLockedByAnother` is true.
 */
export function takeLock(file: string, timeoutMs: number): DirectoryLock {
  const lock = new DatabaseSync(file, { timeout: timeoutMs });
  try {
    // With its journal in memory SQLite writes nothing for the lock, so that a full disk does not refuse it.
    lock.exec("PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE");
  } catch (error) {
    lock.close();
    throw error;
  }
  return { [Symbol.dispose]: () => lock.close() };
}

/** Whether a lock was refused because another process has it. */
export function isLockedByAnother(error: unknown): boolean {
  return error instanceof Error && "errcode" in error && error.errcode === sqliteBusy;
}

/** Result code of SQLite: another connection has the lock. */
const sqliteBusy = 5;
