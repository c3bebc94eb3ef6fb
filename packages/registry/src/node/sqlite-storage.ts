/**
 * The registry in one SQLite file (`node:sqlite`), shared safely between processes: a command may issue a certificate
 * while a broker runs on the same file. Write-ahead log, synchronous FULL: what was acknowledged survives a power cut.
 */

import { closeSync, openSync, statSync } from "node:fs";
import { DatabaseSync, type StatementSync } from "node:sqlite";
import { keptChanges, type Change, type ChangeBatch, type ChangeKind } from "../changes.ts";
import { RegistryError } from "../errors.ts";
import type { ScanOptions, Storage, StorageEntry, StorageReader, StorageWriter } from "../storage.ts";
import { migrate, schemaVersion } from "./migrations.ts";
import { isInputOutputError, registryError } from "./sqlite-errors.ts";

/** "LTKY": tells a registry from any other SQLite file. */
const applicationId = 0x4c54_4b59;
/** How long a statement waits for another process' transaction, unless the caller says otherwise. */
const defaultBusyTimeoutMs = 5000;
/** After so many changes the oldest ones are removed from the feed. */
const pruneEvery = 1000;

/**
 * Of a new file. A record of a certificate has some 1,100 octets, of which a page of SQLite's default (4,096) keeps 1,000 and puts the
 * rest into a page of its own: that file is twice as large, and to read a certificate takes three times as long.
 */
const pageOctets = 8192;

/** What SQLite calls a database without a file. */
const inMemory = ":memory:";

/** How a file is opened. */
export interface SqliteStorageOptions {
  /** Milliseconds for which a statement waits for another process' transaction. Default 5,000. */
  readonly busyTimeoutMs?: number | undefined;
  /**
   * Whether `sequence` looks at the file once in a turn of the event loop, for a server that asks for each of many connections: what another
   * process commits counts from the next turn on, and what this one commits at once. Default false: each call looks.
   */
  readonly isLookedAtOnceATurn?: boolean | undefined;
}

/**
 * Opens the registry in `file`, which is made where it does not exist, readable by its owner only; `:memory:` keeps it in memory. A file
 * of an older version is migrated.
 *
 * Throws `ERR_REGISTRY_CORRUPT` where the file is something else, damaged or newer, and `ERR_REGISTRY_UNAVAILABLE`
 * where it cannot be opened.
 */
export function openSqliteStorage(file: string, options: SqliteStorageOptions = {}): Storage {
  makeFile(file);
  try {
    return open(file, "shared", options);
  } catch (error) {
    if (!isInputOutputError(error)) throw registryError(error, file);
  }
  try {
    return open(file, "alone", options);
  } catch (error) {
    throw registryError(error, file);
  }
}

/**
 * SQLite makes a new file readable by everybody, and gives the files that it puts beside it the mode of the first. So the file is there
 * with its own mode before SQLite opens it; the mode of one that exists is its owner's business.
 */
function makeFile(file: string): void {
  if (file === inMemory) return;
  try {
    closeSync(openSync(file, "a", 0o600));
  } catch (error) {
    throw registryError(error, file);
  }
}

/**
 * `shared` needs 32 KiB of disk for the index of the write-ahead log, which all processes map. Where a full disk has no
 * room for it, no other process can have it open, and `alone` keeps the index in memory and other processes out.
 */
function open(file: string, access: "shared" | "alone", options: SqliteStorageOptions): SqliteStorage {
  const { busyTimeoutMs = defaultBusyTimeoutMs, isLookedAtOnceATurn = false } = options;
  const database = new DatabaseSync(file, { timeout: busyTimeoutMs, enableForeignKeyConstraints: true });
  try {
    if (access === "alone") database.exec("PRAGMA locking_mode = EXCLUSIVE");
    prepareFile(database, file);
    return new SqliteStorage(database, file, isLookedAtOnceATurn);
  } catch (error) {
    database.close();
    throw error;
  }
}

/**
 * Checks what the file is before anything is written to it, sets how it is written, and makes or migrates its tables.
 * Exported for tests.
 */
export function prepareFile(database: DatabaseSync, file: string): void {
  const id = pragma(database, "application_id");
  const isNew = id === 0 && pragma(database, "schema_version") === 0;
  if (!isNew && id !== applicationId) {
    throw new RegistryError("ERR_REGISTRY_CORRUPT", `${file} is not a registry`, { file });
  }
  const version = pragma(database, "user_version");
  if (version > schemaVersion) {
    throw new RegistryError(
      "ERR_REGISTRY_CORRUPT",
      `${file} was made by a newer version: it has schema ${version}, this version knows ${schemaVersion}`,
      { file },
    );
  }
  const [check] = database.prepare("PRAGMA quick_check(1)").all();
  if (check?.["quick_check"] !== "ok") throw new RegistryError("ERR_REGISTRY_CORRUPT", `${file} is damaged`, { file });
  if (isNew) database.exec(`PRAGMA page_size = ${pageOctets}`);
  database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL");
  if (version === schemaVersion) return;
  database.exec("BEGIN IMMEDIATE");
  try {
    // Another process may have made the tables since they were looked for.
    const current = pragma(database, "user_version");
    if (current < schemaVersion) {
      let statements: Statements | undefined;
      const writer = writerOn(() => (statements ??= new Statements(database)), []);
      migrate(database, current, writer);
      database.exec(`PRAGMA application_id = ${applicationId}; PRAGMA user_version = ${schemaVersion}`);
    }
    database.exec("COMMIT");
  } catch (error) {
    // A full disk has rolled back already; its error is the one to give.
    if (database.isTransaction) database.exec("ROLLBACK");
    throw error;
  }
}

/**
 * Prepared once; preparing costs more than most of them.
 *
 * The limits are expressions: SQLite plans by a limit that is a parameter alone, so it prepares such a statement anew for each execution,
 * which doubles what a scan costs.
 */
class Statements {
  readonly get: StatementSync;
  readonly put: StatementSync;
  readonly delete: StatementSync;
  readonly scan: StatementSync;
  readonly scanDescending: StatementSync;
  readonly sequence: StatementSync;
  readonly addChange: StatementSync;
  readonly changesAfter: StatementSync;
  readonly firstChange: StatementSync;
  readonly prune: StatementSync;
  readonly dataVersion: StatementSync;

  constructor(database: DatabaseSync) {
    this.get = database.prepare("SELECT value FROM entry WHERE table_name = ? AND key = ?");
    this.put = database.prepare(
      "INSERT INTO entry VALUES (?, ?, ?) ON CONFLICT (table_name, key) DO UPDATE SET value = excluded.value",
    );
    this.delete = database.prepare("DELETE FROM entry WHERE table_name = ? AND key = ?");
    this.scan = database.prepare(
      "SELECT key, value FROM entry WHERE table_name = ? AND key >= ? AND key > ? AND key < ? ORDER BY key LIMIT ? + 0",
    );
    this.scanDescending = database.prepare(
      "SELECT key, value FROM entry WHERE table_name = ? AND key >= ? AND key < ? ORDER BY key DESC LIMIT ? + 0",
    );
    this.sequence = database.prepare("SELECT coalesce(max(sequence), 0) AS sequence FROM change");
    this.addChange = database.prepare("INSERT INTO change VALUES (?, ?, ?)");
    this.changesAfter = database.prepare("SELECT * FROM change WHERE sequence > ? ORDER BY sequence LIMIT ? + 0");
    this.firstChange = database.prepare("SELECT min(sequence) AS sequence FROM change");
    this.prune = database.prepare("DELETE FROM change WHERE sequence <= ?");
    this.dataVersion = database.prepare("PRAGMA data_version");
  }
}

function readerOn(statements: () => Statements): StorageReader {
  return {
    get: (table, key) => {
      const value = statements().get.get(table, key)?.["value"];
      return value === undefined ? undefined : textOf(value);
    },
    scan: (table, prefix, { after, limit, isDescending }: ScanOptions): readonly StorageEntry[] => {
      // Keys are ASCII, so this is behind every key with the prefix. A comparison with "" is true for every key.
      const end = `${prefix}\u007F`;
      const rows =
        isDescending === true
          ? statements().scanDescending.all(table, prefix, after !== undefined && after < end ? after : end, limit)
          : statements().scan.all(table, prefix, after ?? "", end, limit);
      return rows.map((row) => ({ key: textOf(row["key"]), value: textOf(row["value"]) }));
    },
  };
}

/** `announced` gets the changes of the transaction. */
function writerOn(statements: () => Statements, announced: Change[]): StorageWriter {
  let next: number | undefined;
  return {
    ...readerOn(statements),
    put: (table, key, value) => {
      statements().put.run(table, key, value);
    },
    delete: (table, key) => Number(statements().delete.run(table, key).changes) > 0,
    announce: (kind: ChangeKind, touches) => {
      const sequence = next ?? numberOf(statements().sequence.get()?.["sequence"]) + 1;
      next = sequence + 1;
      statements().addChange.run(sequence, kind, JSON.stringify(touches));
      if (sequence % pruneEvery === 0) statements().prune.run(sequence - keptChanges);
      announced.push({ sequence, kind, touches: [...touches] });
    },
  };
}

class SqliteStorage implements Storage {
  readonly #database: DatabaseSync;
  readonly #statements: Statements;
  readonly #reader: StorageReader;
  readonly #file: string;
  /** Of the file that was opened; undefined for one in memory. */
  readonly #inode: number | undefined;
  readonly #listeners = new Set<(changes: readonly Change[]) => void>();
  #isInTransaction = false;
  /** The last sequence that was read, and the version of the data then. */
  #known: { readonly dataVersion: number; sequence: number } | undefined;
  readonly #isLookedAtOnceATurn: boolean;
  /** Whether `#known` is of this turn. */
  #isLooked = false;
  readonly #endTurn = (): void => {
    this.#isLooked = false;
  };

  constructor(database: DatabaseSync, file: string, isLookedAtOnceATurn: boolean) {
    this.#isLookedAtOnceATurn = isLookedAtOnceATurn;
    this.#database = database;
    this.#statements = new Statements(database);
    this.#reader = readerOn(() => this.#statements);
    this.#file = file;
    this.#inode = file === inMemory ? undefined : statSync(file).ino;
  }

  read<T>(body: (reader: StorageReader) => T): T {
    // Within a transaction of its own a read sees one state, whatever other processes commit meanwhile.
    if (this.#isInTransaction) return body(this.#reader);
    this.#run("BEGIN");
    this.#isInTransaction = true;
    try {
      return this.#mapErrors(() => body(this.#reader));
    } finally {
      this.#isInTransaction = false;
      // A failed statement may have ended the transaction already; its error is the one to give.
      if (this.#database.isTransaction) this.#run("COMMIT");
    }
  }

  async write<T>(body: (writer: StorageWriter) => T): Promise<T> {
    this.#checkFile();
    this.#run("BEGIN IMMEDIATE");
    this.#isInTransaction = true;
    const announced: Change[] = [];
    let result: T;
    try {
      result = this.#mapErrors(() => body(writerOn(() => this.#statements, announced)));
      this.#run("COMMIT");
    } catch (error) {
      // A failed statement may have rolled back already.
      if (this.#database.isTransaction) this.#database.exec("ROLLBACK");
      throw error;
    } finally {
      this.#isInTransaction = false;
    }
    const last = announced.at(-1);
    if (last !== undefined) {
      if (this.#known !== undefined) this.#known.sequence = Math.max(this.#known.sequence, last.sequence);
      for (const listener of this.#listeners) listener(announced);
    }
    return result;
  }

  sequence(): number {
    if (this.#isLooked && this.#known !== undefined) return this.#known.sequence;
    return this.#mapErrors(() => {
      this.#checkFile();
      // data_version counts the commits of other connections; while it stands still, so does what they wrote.
      const dataVersion = numberOf(this.#statements.dataVersion.get()?.["data_version"]);
      if (this.#known?.dataVersion !== dataVersion) {
        this.#known = { dataVersion, sequence: numberOf(this.#statements.sequence.get()?.["sequence"]) };
      }
      if (this.#isLookedAtOnceATurn) {
        this.#isLooked = true;
        setImmediate(this.#endTurn);
      }
      return this.#known.sequence;
    });
  }

  changesAfter(sequence: number, limit: number): ChangeBatch {
    const isWriting = this.#isInTransaction;
    return this.read(() => {
      const last = numberOf(this.#statements.sequence.get()?.["sequence"]);
      // A reader that has got these changes must not be told of an older number.
      if (this.#known !== undefined && !isWriting) this.#known.sequence = last;
      const first = this.#statements.firstChange.get()?.["sequence"];
      const reachesBack = sequence === last || (typeof first === "number" && sequence >= first - 1);
      if (!reachesBack || sequence > last) return { isComplete: false, sequence: last };
      const changes = this.#statements.changesAfter.all(sequence, limit).map((row) => ({
        sequence: numberOf(row["sequence"]),
        kind: changeKindOf(row["kind"]),
        touches: touchesOf(row["touches"]),
      }));
      return { isComplete: true, changes };
    });
  }

  onCommit(listener: (changes: readonly Change[]) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listeners.clear();
    this.#isLooked = false;
    if (this.#database.isOpen) this.#database.close();
  }

  /** A file that was removed or replaced is another registry: nothing may be written to the old one. */
  #checkFile(): void {
    if (this.#inode === undefined) return;
    let inode: number | undefined;
    try {
      inode = statSync(this.#file).ino;
    } catch (cause) {
      throw registryError(cause, this.#file);
    }
    if (inode === this.#inode) return;
    throw new RegistryError("ERR_REGISTRY_UNAVAILABLE", `${this.#file} was replaced: open it anew`, {
      file: this.#file,
      isFull: false,
    });
  }

  #run(sql: string): void {
    this.#mapErrors(() => this.#database.exec(sql));
  }

  #mapErrors<T>(body: () => T): T {
    try {
      return body();
    } catch (cause) {
      // A refusal of the rules above is none of SQLite's.
      if (cause instanceof Error && "errcode" in cause) throw registryError(cause, this.#file);
      throw cause;
    }
  }
}

const changeKinds: readonly ChangeKind[] = [
  "account",
  "certificate",
  "certificate-registered",
  "certificate-authority",
  "policy",
  "policy-attachment",
  "thing",
  "thing-type",
  "thing-group",
  "provisioning-template",
  "endpoint",
];

function changeKindOf(value: unknown): ChangeKind {
  return changeKinds.find((kind) => kind === value) ?? damaged("a change");
}

function touchesOf(value: unknown): readonly string[] {
  let touches: unknown;
  try {
    touches = JSON.parse(textOf(value));
  } catch {
    return damaged("a change");
  }
  if (Array.isArray(touches) && touches.every((one): one is string => typeof one === "string")) return touches;
  return damaged("a change");
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : damaged("a text");
}

function numberOf(value: unknown): number {
  return typeof value === "number" ? value : damaged("a number");
}

function damaged(what: string): never {
  throw new RegistryError("ERR_REGISTRY_CORRUPT", `${what} in the file is not what was written`, { file: undefined });
}

function pragma(database: DatabaseSync, name: string): number {
  return numberOf(database.prepare(`PRAGMA ${name}`).get()?.[name]);
}
