import { chmodSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openSqliteSessionStore } from "../src/node.ts";
import { prepareSessionFile } from "../src/node/session-schema.ts";
import { messageRecord, queuedRecord, sessionRecord, willRecord } from "./session-store-conformance.ts";

let folder: string;
let file: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "latchkey-sessions-"));
  file = join(folder, "sessions.db");
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

const modeOf = (path: string): string => (statSync(path).mode & 0o777).toString(8);

test("the file, its log and nothing else are the owner's alone, whatever the folder's mode", async () => {
  chmodSync(folder, 0o777);
  const store = openSqliteSessionStore(file);
  await store.load();
  await store.append([sessionRecord(1)], 1);
  expect([modeOf(file), modeOf(`${file}-wal`)]).toEqual(["600", "600"]);
  await store.close();
});

test("a file that is something else, damaged or newer is refused by name and left as it is", async () => {
  const refusal = async (): Promise<unknown> => {
    const store = openSqliteSessionStore(file);
    try {
      return await store.load().catch((error: unknown) => error);
    } finally {
      await store.close();
    }
  };
  writeFileSync(file, "no database at all, but a text that is long enough to be looked at");
  expect(await refusal()).toMatchObject({ code: "ERR_SESSION_STORE_CORRUPT", message: expect.stringContaining(file) });
  rmSync(file);
  const other = new DatabaseSync(file);
  other.exec("CREATE TABLE pizza (name TEXT)");
  other.close();
  expect(await refusal()).toMatchObject({ message: `${file} is not a file of sessions; name another one` });
  rmSync(file);
  const own = openSqliteSessionStore(file);
  await own.load();
  await own.close();
  const newer = new DatabaseSync(file);
  newer.exec("PRAGMA user_version = 9");
  newer.close();
  expect(await refusal()).toMatchObject({ message: expect.stringContaining("has schema 9, this version knows 4") });
});

test("a file of schema 1, which did not have the reason of an absence, is opened with all that is in it", async () => {
  const own = openSqliteSessionStore(file);
  await own.load();
  await own.append([sessionRecord(1, 5000, "connection-lost"), sessionRecord(2)], 6000);
  await own.close();
  const older = new DatabaseSync(file);
  for (const column of ["away_reason", "away_detail", "owner"]) older.exec(`ALTER TABLE session DROP COLUMN ${column}`);
  older.exec("DROP TABLE will; PRAGMA user_version = 1");
  older.close();
  const store = openSqliteSessionStore(file);
  const absences = async (): Promise<unknown> =>
    (await store.load()).sessions.map(({ awayAtMs, awayReason, awayDetail }) => [awayAtMs, awayReason, awayDetail]);
  expect(await absences()).toEqual([
    [5000, undefined, undefined],
    [undefined, undefined, undefined],
  ]);
  await store.append([sessionRecord(2, 7000, "keep-alive-timeout")], 7000);
  await store.close();
  const again = openSqliteSessionStore(file);
  expect((await again.load()).sessions[1]).toMatchObject({ awayAtMs: 7000, awayReason: "keep-alive-timeout" });
  await again.close();
});

test("what was appended survives a power cut: the log is written ahead and synchronous FULL", () => {
  const database = new DatabaseSync(file);
  prepareSessionFile(database, file);
  expect(database.prepare("PRAGMA synchronous").get()).toEqual({ synchronous: 2 });
  expect(database.prepare("PRAGMA journal_mode").get()).toEqual({ journal_mode: "wal" });
  database.close();
});

test("a file of schema 2, which did not have whose a session is, is opened with all that is in it", async () => {
  const own = openSqliteSessionStore(file);
  await own.load();
  await own.append([sessionRecord(1), messageRecord(2), queuedRecord(1, 3, 2)], 5);
  await own.close();
  const older = new DatabaseSync(file);
  older.exec("ALTER TABLE session DROP COLUMN owner; DROP TABLE will; PRAGMA user_version = 2");
  older.close();
  const again = openSqliteSessionStore(file);
  expect(await again.load()).toMatchObject({
    sessions: [{ clientIdentifier: "client-1", deliveries: [{ message: 2 }] }],
  });
  await again.append([sessionRecord(4), willRecord(5)], 6);
  expect((await again.load()).sessions.map(({ owner }) => owner)).toEqual([undefined, "principal"]);
  expect((await again.load()).wills).toMatchObject([{ will: 5 }]);
  await again.close();
});

test("a batch that cannot be applied is not kept in part, and the next one is", async () => {
  const store = openSqliteSessionStore(file);
  await store.load();
  const broken = { ...messageRecord(3), topicName: undefined } as unknown as ReturnType<typeof messageRecord>;
  await expect(store.append([sessionRecord(1), broken], 1)).rejects.toMatchObject({
    code: "ERR_SESSION_STORE_UNAVAILABLE",
  });
  await store.append([sessionRecord(2), messageRecord(4), queuedRecord(2, 5, 4)], 2);
  await store.close();
  const again = openSqliteSessionStore(file);
  expect((await again.load()).sessions.map(({ session }) => session)).toEqual([2]);
  await again.close();
});

test("a folder that does not exist is named", async () => {
  const store = openSqliteSessionStore(join(folder, "none", "sessions.db"));
  await expect(store.load()).rejects.toMatchObject({
    code: "ERR_SESSION_STORE_UNAVAILABLE",
    message: expect.stringContaining(join(folder, "none")),
  });
  await store.close();
});

test("a view goes to the thread without the buffer around it", async () => {
  const store = openSqliteSessionStore(file);
  await store.load();
  const around = new Uint8Array(1000).fill(1);
  const record = { ...messageRecord(3), payload: around.subarray(10, 13) } as ReturnType<typeof messageRecord>;
  await store.append([sessionRecord(1), record, queuedRecord(1, 4, 3)], 1);
  await store.close();
  const again = openSqliteSessionStore(file);
  const payload = (await again.load()).messages.get(3)?.payload;
  expect(Array.from(payload ?? [])).toEqual([1, 1, 1]);
  await again.close();
});
