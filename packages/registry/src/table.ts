/**
 * Typed access to one table of the storage, and the pages that lists come in.
 *
 * A key is `SCOPE/PART/PART`: no part has a slash in it, which `checkName` and its siblings see to.
 */

import { decodeRecord, encodeRecord, type Decoder } from "./decode.ts";
import { invalid } from "./errors.ts";
import type { StorageReader, StorageWriter } from "./storage.ts";

/** One page of a list. */
export interface Page<T> {
  readonly items: readonly T[];
  /** What gives the next page; undefined after the last one. */
  readonly nextToken: string | undefined;
}

/** Which page of a list. */
export interface PageOptions {
  /** From 1 to 10,000. Default 250. */
  readonly pageSize?: number | undefined;
  /** `nextToken` of the page before. */
  readonly nextToken?: string | undefined;
  /** From the last to the first. */
  readonly isDescending?: boolean | undefined;
}

const defaultPageSize = 250;
const maximumPageSize = 10_000;
/** Entries that one read of a whole list takes at once. */
const batchSize = 1000;

/** A table of records. */
export class Table<T> {
  readonly #name: string;
  readonly #decoder: Decoder<T>;

  constructor(name: string, decoder: Decoder<T>) {
    this.#name = name;
    this.#decoder = decoder;
  }

  get(reader: StorageReader, ...parts: string[]): T | undefined {
    const key = keyOf(parts);
    const stored = reader.get(this.#name, key);
    return stored === undefined ? undefined : decodeRecord(this.#decoder, stored, `${this.#name}:${key}`);
  }

  /** Throws `ERR_REGISTRY_INVALID` for a record that could not be read again. */
  put(writer: StorageWriter, record: T, ...parts: string[]): void {
    writer.put(this.#name, keyOf(parts), encodeRecord(this.#decoder, record, this.#name));
  }

  delete(writer: StorageWriter, ...parts: string[]): boolean {
    return writer.delete(this.#name, keyOf(parts));
  }

  /** One page of the records under the given parts, by their keys. Throws `ERR_REGISTRY_INVALID` for a wrong token. */
  page(reader: StorageReader, options: PageOptions, ...parts: string[]): Page<T> {
    const { items, nextToken } = pageOfEntries(reader, this.#name, options, parts);
    return {
      items: items.map(({ key, value }) => decodeRecord(this.#decoder, value, `${this.#name}:${key}`)),
      nextToken,
    };
  }

  /** One page of them, each with the last parts of its key. */
  entries(
    reader: StorageReader,
    options: PageOptions,
    ...parts: string[]
  ): Page<{ readonly key: string; readonly record: T }> {
    const { items, nextToken } = pageOfEntries(reader, this.#name, options, parts);
    const start = prefixOf(parts).length;
    return {
      items: items.map(({ key, value }) => ({
        key: key.slice(start),
        record: decodeRecord(this.#decoder, value, `${this.#name}:${key}`),
      })),
      nextToken,
    };
  }

  /** All records under the given parts, by their keys, read as they are asked for. */
  *all(reader: StorageReader, ...parts: string[]): Generator<T> {
    for (const { key, value } of allEntries(reader, this.#name, parts)) {
      yield decodeRecord(this.#decoder, value, `${this.#name}:${key}`);
    }
  }
}

/** A table of keys alone: which belongs to which. */
export class Index {
  readonly #name: string;

  constructor(name: string) {
    this.#name = name;
  }

  has(reader: StorageReader, ...parts: string[]): boolean {
    return reader.get(this.#name, keyOf(parts)) !== undefined;
  }

  add(writer: StorageWriter, ...parts: string[]): void {
    writer.put(this.#name, keyOf(parts), "");
  }

  delete(writer: StorageWriter, ...parts: string[]): boolean {
    return writer.delete(this.#name, keyOf(parts));
  }

  /** The last parts of the keys under the given parts, in order. */
  *all(reader: StorageReader, ...parts: string[]): Generator<string> {
    const start = prefixOf(parts).length;
    for (const { key } of allEntries(reader, this.#name, parts)) yield key.slice(start);
  }

  /** One page of them. */
  page(reader: StorageReader, options: PageOptions, ...parts: string[]): Page<string> {
    const start = prefixOf(parts).length;
    const { items, nextToken } = pageOfEntries(reader, this.#name, options, parts);
    return { items: items.map(({ key }) => key.slice(start)), nextToken };
  }

  /** How many there are, up to `limit`. */
  count(reader: StorageReader, limit: number, ...parts: string[]): number {
    return reader.scan(this.#name, prefixOf(parts), { limit }).length;
  }
}

/** A page over any list that is made in memory, sorted. */
export function pageOfList(sorted: readonly string[], options: PageOptions): Page<string> {
  const { pageSize, after } = readOptions(options);
  const items = options.isDescending === true ? sorted.toReversed() : sorted;
  const isBehind = (item: string, key: string): boolean => (options.isDescending === true ? item < key : item > key);
  const start = after === undefined ? 0 : items.findIndex((item) => isBehind(item, after));
  const page = start < 0 ? [] : items.slice(start, start + pageSize);
  const last = page.at(-1);
  const isLast = start < 0 || start + pageSize >= items.length;
  return { items: page, nextToken: isLast || last === undefined ? undefined : tokenOf(last) };
}

function pageOfEntries(
  reader: StorageReader,
  table: string,
  options: PageOptions,
  parts: readonly string[],
): Page<{ readonly key: string; readonly value: string }> {
  const { pageSize, after } = readOptions(options);
  const prefix = prefixOf(parts);
  const entries = reader.scan(table, prefix, {
    after: after === undefined ? undefined : prefix + after,
    limit: pageSize + 1,
    isDescending: options.isDescending,
  });
  const items = entries.slice(0, pageSize);
  const last = items.at(-1);
  const nextToken =
    entries.length > pageSize && last !== undefined ? tokenOf(last.key.slice(prefix.length)) : undefined;
  return { items, nextToken };
}

function* allEntries(
  reader: StorageReader,
  table: string,
  parts: readonly string[],
): Generator<{ readonly key: string; readonly value: string }> {
  const prefix = prefixOf(parts);
  let after: string | undefined;
  for (;;) {
    const entries = reader.scan(table, prefix, { after, limit: batchSize });
    yield* entries;
    after = entries.at(-1)?.key;
    if (entries.length < batchSize) return;
  }
}

function readOptions({ pageSize = defaultPageSize, nextToken }: PageOptions): {
  readonly pageSize: number;
  readonly after: string | undefined;
} {
  if (!Number.isInteger(pageSize) || pageSize < 1 || pageSize > maximumPageSize) {
    throw invalid("pageSize", String(pageSize), `a whole number from 1 to ${maximumPageSize}`);
  }
  return { pageSize, after: nextToken === undefined ? undefined : afterOfToken(nextToken) };
}

/** A token is the key behind which to go on. It starts with its version, so that another text is refused. */
function tokenOf(after: string): string {
  return `1.${after}`;
}

function afterOfToken(token: string): string {
  if (!token.startsWith("1.")) throw invalid("nextToken", token, "the nextToken of the page before");
  return token.slice(2);
}

function keyOf(parts: readonly string[]): string {
  return parts.join("/");
}

function prefixOf(parts: readonly string[]): string {
  return parts.length === 0 ? "" : `${parts.join("/")}/`;
}
