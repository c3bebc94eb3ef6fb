/**
 * The storage port: ordered tables of text under text keys, transactions over all of them, and the change feed.
 *
 * An adapter knows nothing of certificates or policies. What a table holds is in `records/`, the rules are in the modules
 * above them, so that every adapter keeps the same rules. Keys are ASCII, not empty, and ordered by their octets.
 */

import type { Change, ChangeBatch, ChangeKind } from "./changes.ts";

/** The tables. A new one needs no change of an adapter. */
export type TableName = string;

/** One entry of a table. */
export interface StorageEntry {
  readonly key: string;
  readonly value: string;
}

/** Which entries a scan gives. */
export interface ScanOptions {
  /** Only keys behind this one; it need not exist. */
  readonly after?: string | undefined;
  /** At most so many. */
  readonly limit: number;
  /** From the last key to the first; `after` then gives only keys before it. */
  readonly isDescending?: boolean | undefined;
}

/** What a transaction sees: all that was committed before it, and its own writes. */
export interface StorageReader {
  get(table: TableName, key: string): string | undefined;
  /** Entries whose key begins with `prefix`, in the order of the keys. */
  scan(table: TableName, prefix: string, options: ScanOptions): readonly StorageEntry[];
}

/** A transaction that may write. */
export interface StorageWriter extends StorageReader {
  put(table: TableName, key: string, value: string): void;
  /** False where there was no such entry. */
  delete(table: TableName, key: string): boolean;
  /** Adds a change to the feed, in the order of the calls. It is seen when the transaction is committed. */
  announce(kind: ChangeKind, touches: readonly string[]): void;
}

/** What an adapter implements. */
export interface Storage extends AsyncDisposable {
  /** Runs `body` on one state. Throws what `body` throws, and `ERR_REGISTRY_UNAVAILABLE`. */
  read<T>(body: (reader: StorageReader) => T): T;

  /**
   * Runs `body` alone. What it wrote is kept, durably, when the promise resolves. Where `body` throws, or the commit fails, nothing of
   * it is kept and the promise rejects.
   */
  write<T>(body: (writer: StorageWriter) => T): Promise<T>;

  /** The sequence number of the last committed change, by any process; 0 before the first. Cheap. */
  sequence(): number;

  /** Committed changes behind `sequence`, oldest first, at most `limit`. */
  changesAfter(sequence: number, limit: number): ChangeBatch;

  /** Calls `listener` after each commit of this adapter. Gives a function that ends it. */
  onCommit(listener: (changes: readonly Change[]) => void): () => void;
}
