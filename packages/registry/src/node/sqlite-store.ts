/**
 * The registry in one SQLite file (`node:sqlite`), shared safely between processes: a command may issue a certificate
 * while a broker runs on the same file. Write-ahead log, synchronous FULL: what was acknowledged survives a power cut.
 */

import { statSync } from "node:fs";
import { DatabaseSync, type SQLOutputValue } from "node:sqlite";
import { alreadyExists, notAttached, notFound, RegistryError, type RegistryErrorCode } from "../errors.ts";
import {
  checkAttachmentCount,
  checkPolicyName,
  type CertificateAuthorityRecord,
  type CertificateRecord,
  type CertificateStatus,
  type PolicyRecord,
  type RegistryStore,
} from "../store.ts";

/** "LTKY": tells a registry from any other SQLite file. */
const applicationId = 0x4c54_4b59;
/** Of the tables below; a file with a higher one was made by a newer version and is refused. */
const schemaVersion = 1;
/** How long a statement waits for another process' transaction. */
const busyTimeoutMs = 5000;

const schema = `
  CREATE TABLE authority (certificate_id TEXT PRIMARY KEY, der BLOB NOT NULL, status TEXT NOT NULL, created_at INTEGER NOT NULL) STRICT;
  CREATE TABLE certificate (certificate_id TEXT PRIMARY KEY, der BLOB NOT NULL, status TEXT NOT NULL, created_at INTEGER NOT NULL) STRICT;
  CREATE TABLE policy (policy_name TEXT PRIMARY KEY, document TEXT NOT NULL) STRICT;
  CREATE TABLE attachment (
    certificate_id TEXT NOT NULL REFERENCES certificate, policy_name TEXT NOT NULL REFERENCES policy,
    PRIMARY KEY (certificate_id, policy_name)) STRICT, WITHOUT ROWID;
`;

/**
 * Opens the registry in `file`, which is made where it does not exist; `:memory:` keeps it in memory.
 *
 * Throws `ERR_REGISTRY_CORRUPT` where the file is something else, damaged or newer, and `ERR_REGISTRY_UNAVAILABLE`
 * where it cannot be opened.
 */
export function openSqliteStore(file: string): RegistryStore {
  try {
    return open(file, "shared");
  } catch (error) {
    if (sqliteCode(error) !== sqliteInputOutput) throw registryError(error, file);
  }
  try {
    return open(file, "alone");
  } catch (error) {
    throw registryError(error, file);
  }
}

/**
 * `shared` needs 32 KiB of disk for the index of the write-ahead log, which all processes map. Where a full disk has no room
 * for it, no other process can have it open, and `alone` keeps the index in memory and other processes out.
 */
function open(file: string, access: "shared" | "alone"): SqliteStore {
  const database = new DatabaseSync(file, { timeout: busyTimeoutMs, enableForeignKeyConstraints: true });
  try {
    if (access === "alone") database.exec("PRAGMA locking_mode = EXCLUSIVE");
    prepareFile(database, file);
    return new SqliteStore(database, file === ":memory:" ? undefined : { path: file, inode: statSync(file).ino });
  } catch (error) {
    database.close();
    throw error;
  }
}

/**
 * Checks what the file is before anything is written to it, sets how it is written, and makes the tables of a new one.
 * Exported for tests.
 */
export function prepareFile(database: DatabaseSync, file: string): void {
  const id = pragma(database, "application_id");
  const version = pragma(database, "user_version");
  const isNew = id === 0 && pragma(database, "schema_version") === 0;
  if (!isNew && id !== applicationId) throw new RegistryError("ERR_REGISTRY_CORRUPT", `${file} is not a registry`);
  if (version > schemaVersion) {
    throw new RegistryError("ERR_REGISTRY_CORRUPT", `${file} was made by a newer version (schema ${version})`);
  }
  const [check] = database.prepare("PRAGMA quick_check(1)").all();
  if (check?.["quick_check"] !== "ok") throw new RegistryError("ERR_REGISTRY_CORRUPT", `${file} is damaged`);
  database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL");
  if (!isNew) return;
  database.exec("BEGIN IMMEDIATE");
  // Another process may have made the tables since they were looked for.
  if (pragma(database, "schema_version") === 0) {
    database.exec(`${schema} PRAGMA application_id = ${applicationId}; PRAGMA user_version = ${schemaVersion}`);
  }
  database.exec("COMMIT");
}

class SqliteStore implements RegistryStore {
  readonly #database: DatabaseSync;
  /** The file that was opened, and what it was then. */
  readonly #file: { readonly path: string; readonly inode: number } | undefined;

  constructor(database: DatabaseSync, file: { readonly path: string; readonly inode: number } | undefined) {
    this.#database = database;
    this.#file = file;
  }

  async createCertificateAuthority(record: CertificateAuthorityRecord): Promise<void> {
    const { certificateId, der, status, createdAtSeconds } = record;
    this.#insert(
      certificateId,
      "INSERT INTO authority VALUES (?, ?, ?, ?)",
      certificateId,
      der,
      status,
      createdAtSeconds,
    );
  }

  async certificateAuthorities(): Promise<readonly CertificateAuthorityRecord[]> {
    return this.#all("SELECT * FROM authority ORDER BY rowid").map((row) => ({
      ...certificateColumns(row),
      status: oneOf(row["status"], authorityStatuses),
    }));
  }

  async createCertificate(record: CertificateRecord): Promise<void> {
    const { certificateId, der, status, createdAtSeconds } = record;
    this.#insert(
      certificateId,
      "INSERT INTO certificate VALUES (?, ?, ?, ?)",
      certificateId,
      der,
      status,
      createdAtSeconds,
    );
  }

  async certificate(certificateId: string): Promise<CertificateRecord | undefined> {
    const [row] = this.#all("SELECT * FROM certificate WHERE certificate_id = ?", certificateId);
    return row === undefined ? undefined : certificateRecord(row);
  }

  async certificates(): Promise<readonly CertificateRecord[]> {
    return this.#all("SELECT * FROM certificate ORDER BY rowid").map(certificateRecord);
  }

  async setCertificateStatus(certificateId: string, status: CertificateStatus): Promise<void> {
    const changes = this.#run("UPDATE certificate SET status = ? WHERE certificate_id = ?", status, certificateId);
    if (changes === 0) throw notFound(certificateId);
  }

  async createPolicy({ policyName, document }: PolicyRecord): Promise<void> {
    checkPolicyName(policyName);
    this.#insert(policyName, "INSERT INTO policy VALUES (?, ?)", policyName, document);
  }

  async policy(policyName: string): Promise<PolicyRecord | undefined> {
    const [row] = this.#all("SELECT * FROM policy WHERE policy_name = ?", policyName);
    return row === undefined ? undefined : policyRecord(row);
  }

  async attachPolicy(policyName: string, certificateId: string): Promise<void> {
    this.#transaction(() => {
      if (this.#all("SELECT 1 FROM policy WHERE policy_name = ?", policyName).length === 0) throw notFound(policyName);
      if (this.#all("SELECT 1 FROM certificate WHERE certificate_id = ?", certificateId).length === 0) {
        throw notFound(certificateId);
      }
      const attached = this.#all("SELECT policy_name FROM attachment WHERE certificate_id = ?", certificateId);
      if (attached.some((row) => row["policy_name"] === policyName)) return;
      checkAttachmentCount(certificateId, attached.length);
      this.#run("INSERT INTO attachment VALUES (?, ?)", certificateId, policyName);
    });
  }

  async detachPolicy(policyName: string, certificateId: string): Promise<void> {
    const sql = "DELETE FROM attachment WHERE certificate_id = ? AND policy_name = ?";
    if (this.#run(sql, certificateId, policyName) === 0) throw notAttached(policyName, certificateId);
  }

  async attachedPolicies(certificateId: string): Promise<readonly PolicyRecord[]> {
    const sql =
      "SELECT policy.* FROM policy JOIN attachment USING (policy_name) WHERE certificate_id = ? ORDER BY policy_name";
    return this.#all(sql, certificateId).map(policyRecord);
  }

  version(): number {
    try {
      if (this.#file !== undefined && statSync(this.#file.path).ino !== this.#file.inode) {
        throw new RegistryError("ERR_REGISTRY_UNAVAILABLE", `${this.#file.path} was replaced: open it anew`);
      }
      // data_version counts the commits of other connections, total_changes the rows changed through this one.
      const { others, own } = this.#one(
        "SELECT data_version AS others, total_changes() AS own FROM pragma_data_version",
      );
      return number(others) * 0x1_0000_0000 + number(own);
    } catch (cause) {
      throw registryError(cause, "the registry");
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#database.isOpen) this.#database.close();
  }

  #one(sql: string): Record<string, SQLOutputValue> {
    return this.#all(sql)[0] ?? {};
  }

  #all(sql: string, ...values: (string | number)[]): Record<string, SQLOutputValue>[] {
    try {
      return this.#database.prepare(sql).all(...values);
    } catch (cause) {
      throw registryError(cause, "the registry");
    }
  }

  #run(sql: string, ...values: (string | number | Uint8Array)[]): number {
    try {
      return Number(this.#database.prepare(sql).run(...values).changes);
    } catch (cause) {
      throw registryError(cause, "the registry");
    }
  }

  #insert(key: string, sql: string, ...values: (string | number | Uint8Array)[]): void {
    try {
      this.#database.prepare(sql).run(...values);
    } catch (cause) {
      if (sqliteCode(cause) === sqliteConstraint) throw alreadyExists(key, { cause });
      throw registryError(cause, "the registry");
    }
  }

  #transaction(body: () => void): void {
    this.#database.exec("BEGIN IMMEDIATE");
    try {
      body();
      this.#database.exec("COMMIT");
    } catch (cause) {
      this.#database.exec("ROLLBACK");
      throw cause;
    }
  }
}

const certificateStatuses = ["ACTIVE", "INACTIVE", "REVOKED"] as const;
const authorityStatuses = ["ACTIVE", "INACTIVE"] as const;

function certificateRecord(row: Record<string, SQLOutputValue>): CertificateRecord {
  return { ...certificateColumns(row), status: oneOf(row["status"], certificateStatuses) };
}

function certificateColumns(row: Record<string, SQLOutputValue>): Omit<CertificateRecord, "status"> {
  const der = row["der"];
  if (!(der instanceof Uint8Array)) throw new RegistryError("ERR_REGISTRY_CORRUPT", "a stored certificate is no blob");
  return { certificateId: text(row["certificate_id"]), der, createdAtSeconds: number(row["created_at"]) };
}

function policyRecord(row: Record<string, SQLOutputValue>): PolicyRecord {
  return { policyName: text(row["policy_name"]), document: text(row["document"]) };
}

function oneOf<const T extends string>(value: unknown, allowed: readonly T[]): T {
  const found = allowed.find((one) => one === value);
  if (found === undefined) throw new RegistryError("ERR_REGISTRY_CORRUPT", "a stored status is none that is known");
  return found;
}

function text(value: unknown): string {
  if (typeof value !== "string") throw new RegistryError("ERR_REGISTRY_CORRUPT", "a stored text is no text");
  return value;
}

function number(value: unknown): number {
  if (typeof value !== "number") throw new RegistryError("ERR_REGISTRY_CORRUPT", "a stored number is no number");
  return value;
}

function pragma(database: DatabaseSync, name: string): number {
  return number(database.prepare(`PRAGMA ${name}`).get()?.[name]);
}

/** Primary result codes of SQLite. */
const sqliteInputOutput = 10;
const sqliteCorrupt = 11;
const sqliteFull = 13;
const sqliteConstraint = 19;
const sqliteNotADatabase = 26;

/** The primary result code of an error of SQLite, or undefined where it is another's. */
function sqliteCode(error: unknown): number | undefined {
  if (!(error instanceof Error) || !("errcode" in error) || typeof error.errcode !== "number") return undefined;
  return error.errcode & 0xff;
}

function registryError(cause: unknown, subject: string): unknown {
  if (cause instanceof RegistryError) return cause;
  const sqlite = sqliteCode(cause);
  const isCorrupt = sqlite === sqliteCorrupt || sqlite === sqliteNotADatabase;
  const code: RegistryErrorCode = isCorrupt ? "ERR_REGISTRY_CORRUPT" : "ERR_REGISTRY_UNAVAILABLE";
  const isFull = sqlite === sqliteFull || sqlite === sqliteInputOutput;
  const message = cause instanceof Error ? cause.message : String(cause);
  const why = isFull ? `${message}. Nothing was changed; make room on the disk and try again` : message;
  return new RegistryError(code, isCorrupt ? `${subject} is damaged: ${why}` : `${subject}: ${why}`, { cause });
}
