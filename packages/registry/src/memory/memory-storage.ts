/** A registry that lives and dies with its process: for tests, demonstrations and short-lived brokers. */

import { keptChanges, type Change, type ChangeBatch, type ChangeKind } from "../changes.ts";
import type { ScanOptions, Storage, StorageEntry, StorageReader, StorageWriter } from "../storage.ts";
import { SortedMap } from "./sorted-map.ts";

/** A new, empty storage in memory. */
export function createMemoryStorage(): Storage {
  return new MemoryStorage();
}

class MemoryStorage implements Storage, StorageReader {
  readonly #tables = new Map<string, SortedMap>();
  readonly #listeners = new Set<(changes: readonly Change[]) => void>();
  #changes: Change[] = [];
  #sequence = 0;

  read<T>(body: (reader: StorageReader) => T): T {
    return body(this);
  }

  async write<T>(body: (writer: StorageWriter) => T): Promise<T> {
    /** What undoes each write, in the order of the writes. */
    const undo: (() => void)[] = [];
    const announced: Change[] = [];
    const writer: StorageWriter = {
      get: (table, key) => this.get(table, key),
      scan: (table, prefix, options) => this.scan(table, prefix, options),
      put: (table, key, value) => {
        const before = this.get(table, key);
        this.#put(table, key, value);
        undo.push(() => (before === undefined ? this.#delete(table, key) : this.#put(table, key, before)));
      },
      delete: (table, key) => {
        const before = this.get(table, key);
        if (before === undefined) return false;
        this.#delete(table, key);
        undo.push(() => this.#put(table, key, before));
        return true;
      },
      announce: (kind: ChangeKind, touches) => {
        announced.push({ sequence: this.#sequence + announced.length + 1, kind, touches: [...touches] });
      },
    };
    let result: T;
    try {
      result = body(writer);
    } catch (error) {
      for (const step of undo.reverse()) step();
      throw error;
    }
    this.#sequence += announced.length;
    for (const change of announced) this.#changes.push(change);
    if (this.#changes.length > 2 * keptChanges) this.#changes = this.#changes.slice(-keptChanges);
    if (announced.length > 0) for (const listener of this.#listeners) listener(announced);
    return result;
  }

  get(table: string, key: string): string | undefined {
    return this.#tables.get(table)?.get(key);
  }

  scan(table: string, prefix: string, { after, limit, isDescending }: ScanOptions): readonly StorageEntry[] {
    const found = this.#tables.get(table);
    const entries: StorageEntry[] = [];
    if (found === undefined || limit <= 0) return entries;
    const isBehind = after !== undefined && after >= prefix;
    // Keys are ASCII, so this is behind every key with the prefix.
    const end = `${prefix}\u007F`;
    const inOrder =
      isDescending === true
        ? found.before(after !== undefined && after < end ? after : end)
        : found.from(isBehind ? after : prefix);
    for (const [key, value] of inOrder) {
      if (!key.startsWith(prefix)) break;
      if (isDescending !== true && isBehind && key === after) continue;
      entries.push({ key, value });
      if (entries.length === limit) break;
    }
    return entries;
  }

  sequence(): number {
    return this.#sequence;
  }

  changesAfter(sequence: number, limit: number): ChangeBatch {
    const first = this.#changes[0]?.sequence ?? this.#sequence + 1;
    if (sequence < first - 1 || sequence > this.#sequence) return { isComplete: false, sequence: this.#sequence };
    const start = sequence - first + 1;
    return { isComplete: true, changes: this.#changes.slice(start, start + limit) };
  }

  onCommit(listener: (changes: readonly Change[]) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listeners.clear();
  }

  #put(table: string, key: string, value: string): void {
    let found = this.#tables.get(table);
    if (found === undefined) this.#tables.set(table, (found = new SortedMap()));
    found.set(key, value);
  }

  #delete(table: string, key: string): void {
    this.#tables.get(table)?.delete(key);
  }
}
