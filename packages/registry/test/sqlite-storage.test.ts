import { cpSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setImmediate as nextTurn } from "node:timers/promises";
import { findProgram, runProgram } from "@latchkey/tooling-vitest/programs";
import { afterAll, afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Change, Storage } from "../src/index.ts";
import { openSqliteStorage, watchChanges } from "../src/node.ts";
import { prepareFile } from "../src/node/sqlite-storage.ts";
import { describeStorage, testAsSortedMap } from "./storage-conformance.ts";

const folder = mkdtempSync(join(tmpdir(), "latchkey-registry-"));
afterAll(() => rmSync(folder, { recursive: true }));
let count = 0;
const newFile = (): string => join(folder, `registry-${count++}.db`);
const put = (key: string) => (writer: { put(table: string, key: string, value: string): void }) =>
  writer.put("t", key, "1");

describeStorage("sqlite in memory", () => openSqliteStorage(":memory:"));
describeStorage("sqlite in a file", () => openSqliteStorage(newFile()));
// `storage.corpora.test.ts` has more runs.
testAsSortedMap("sqlite in memory", () => openSqliteStorage(":memory:"), 20);
testAsSortedMap("sqlite in a file", () => openSqliteStorage(newFile()), 2);

describe("a file", () => {
  test("keeps what was stored", async () => {
    const file = newFile();
    {
      await using storage = openSqliteStorage(file);
      await storage.write(put("a"));
    }
    await using again = openSqliteStorage(file);
    expect(again.read((reader) => reader.get("t", "a"))).toBe("1");
  });

  test("and what SQLite puts beside it are for the owner only, whatever the umask is; an existing file keeps its mode", async () => {
    const file = newFile();
    const umask = process.umask(0);
    try {
      const modes = (path: string): string[] =>
        ["", "-wal", "-shm"].map((end) => (statSync(`${path}${end}`).mode & 0o777).toString(8));
      await using storage = openSqliteStorage(file);
      await storage.write(put("a"));
      expect(modes(file)).toEqual(["600", "600", "600"]);
      const shared = newFile();
      writeFileSync(shared, "", { mode: 0o640 });
      await using other = openSqliteStorage(shared);
      await other.write(put("a"));
      expect(modes(shared)).toEqual(["640", "640", "640"]);
    } finally {
      process.umask(umask);
    }
  });

  test("takes little more room than its records: one as long as a certificate's fits into a page beside others", async () => {
    const file = newFile();
    const value = "1".repeat(1100);
    {
      await using storage = openSqliteStorage(file);
      await storage.write((writer) => {
        for (let index = 0; index < 500; index++) writer.put("t", `key-${index}`, value);
      });
    }
    expect(statSync(file).size).toBeLessThan(1.8 * 500 * value.length);
  });

  test("serves two storages at once, each of which sees the other's changes in the feed", async () => {
    const file = newFile();
    await using one = openSqliteStorage(file);
    await using two = openSqliteStorage(file);
    expect(one.sequence()).toBe(0);
    await two.write((writer) => writer.announce("policy", ["p"]));
    expect(one.sequence()).toBe(1);
    await one.write((writer) => writer.announce("thing", ["t"]));
    expect(two.changesAfter(0, 9)).toMatchObject({ changes: [{ kind: "policy" }, { sequence: 2, kind: "thing" }] });
    expect(two.sequence()).toBe(2);
  });

  test("is looked at once a turn where that is asked for: others' changes count from the next turn on, own ones at once", async () => {
    const file = newFile();
    await using one = openSqliteStorage(file, { isLookedAtOnceATurn: true });
    await using two = openSqliteStorage(file);
    const announce = (storage: Storage): Promise<void> => storage.write((writer) => writer.announce("policy", ["p"]));
    await nextTurn();
    expect(one.sequence()).toBe(0);
    await announce(two);
    expect(one.sequence()).toBe(0);
    await nextTurn();
    expect(one.sequence()).toBe(1);
    await announce(one);
    expect(one.sequence()).toBe(2);
    await announce(two);
    // Who has read the change has its number, too.
    expect(one.changesAfter(2, 9)).toMatchObject({ changes: [{ sequence: 3 }] });
    expect(one.sequence()).toBe(3);
    await announce(two);
    await announce(one);
    expect(one.sequence()).toBe(5);
    await nextTurn();
    rmSync(file);
    expect(() => one.sequence()).toThrow(expect.objectContaining({ code: "ERR_REGISTRY_UNAVAILABLE" }));
  });

  test.each([
    ["text", Buffer.from("this is no database at all, but it is longer than one header of SQLite is".repeat(20))],
    ["a cut-off header", Buffer.from("SQLite format 3\0")],
  ])("that holds %s is refused and left as it was", (_, content) => {
    const file = newFile();
    writeFileSync(file, content);
    expect(() => openSqliteStorage(file)).toThrow(expect.objectContaining({ code: "ERR_REGISTRY_CORRUPT" }));
    expect(readFileSync(file)).toEqual(content);
  });

  test("of another program is refused and left as it was", () => {
    const file = newFile();
    const other = new DatabaseSync(file);
    other.exec("CREATE TABLE mine (x)");
    other.close();
    const size = statSync(file).size;
    expect(() => openSqliteStorage(file)).toThrow(expect.objectContaining({ code: "ERR_REGISTRY_CORRUPT" }));
    expect(statSync(file).size).toBe(size);
  });

  test("with damaged pages is refused", async () => {
    const file = newFile();
    {
      await using storage = openSqliteStorage(file);
      await storage.write((writer) => {
        for (let i = 0; i < 500; i++) writer.put("t", `key-${i}`, "x".repeat(100));
      });
    }
    const content = readFileSync(file);
    content.fill(0xa5, 4096, 8192);
    writeFileSync(file, content);
    expect(() => openSqliteStorage(file)).toThrow(expect.objectContaining({ code: "ERR_REGISTRY_CORRUPT" }));
  });

  test("of the next version is refused, with both versions in the message", async () => {
    const file = newFile();
    await openSqliteStorage(file)[Symbol.asyncDispose]();
    const newer = new DatabaseSync(file);
    newer.exec("PRAGMA user_version = 4");
    newer.close();
    expect(() => openSqliteStorage(file)).toThrow(/newer version: it has schema 4, this version knows 3/);
  });

  test.each(["removed", "replaced"])("that is %s under an open storage makes it unavailable", async (how) => {
    const file = newFile();
    await using storage = openSqliteStorage(file);
    if (how === "replaced") cpSync(file, `${file}.copy`);
    rmSync(file);
    if (how === "replaced") renameSync(`${file}.copy`, file);
    expect(() => storage.sequence()).toThrow(expect.objectContaining({ code: "ERR_REGISTRY_UNAVAILABLE" }));
    await expect(storage.write(put("a"))).rejects.toMatchObject({ code: "ERR_REGISTRY_UNAVAILABLE" });
  });

  test("in a folder that does not exist is unavailable", () => {
    expect(() => openSqliteStorage(join(folder, "none", "registry.db"))).toThrow(
      expect.objectContaining({ code: "ERR_REGISTRY_UNAVAILABLE" }),
    );
  });

  test("that is locked by another process for longer than it waits is unavailable, and changes nothing", async () => {
    const file = newFile();
    await using storage = openSqliteStorage(file, { busyTimeoutMs: 1 });
    const other = new DatabaseSync(file);
    other.exec("BEGIN IMMEDIATE");
    await expect(storage.write(put("a"))).rejects.toMatchObject({ code: "ERR_REGISTRY_UNAVAILABLE" });
    other.exec("ROLLBACK");
    await storage.write(put("b"));
    expect(storage.read((reader) => reader.scan("t", "", { limit: 9 }).length)).toBe(1);
    other.close();
  });
});

test("what was acknowledged survives a power cut: the log is written ahead and synchronous FULL", () => {
  const file = newFile();
  const database = new DatabaseSync(file);
  prepareFile(database, file);
  expect(database.prepare("PRAGMA synchronous").get()).toEqual({ synchronous: 2 });
  expect(database.prepare("PRAGMA journal_mode").get()).toEqual({ journal_mode: "wal" });
  database.close();
});

describe("watching", () => {
  test.each([false, true])(
    "brings the changes of this and of another process once each, in their order (isLookedAtOnceATurn %s)",
    async (isLookedAtOnceATurn) => {
      const file = newFile();
      await using one = openSqliteStorage(file, { isLookedAtOnceATurn });
      await using two = openSqliteStorage(file);
      await one.write((writer) => writer.announce("account", []));
      const seen: number[] = [];
      const seenAll = Promise.withResolvers<void>();
      const watcher = watchChanges(one, {
        everyMs: 5,
        onChanges: (changes: readonly Change[]) => {
          seen.push(...changes.map(({ sequence }) => sequence));
          if (seen.length >= 6) seenAll.resolve();
        },
        onReset: () => expect.unreachable(),
        onError: (error) => seenAll.reject(error),
      });
      for (let i = 0; i < 3; i++) {
        await one.write((writer) => writer.announce("thing", []));
        await two.write((writer) => writer.announce("policy", []));
      }
      await seenAll.promise;
      expect(seen).toEqual([2, 3, 4, 5, 6, 7]);
      watcher[Symbol.dispose]();
    },
  );

  test("says that the feed cannot be read, and goes on", async () => {
    const file = newFile();
    const storage = openSqliteStorage(file);
    const failed = Promise.withResolvers<unknown>();
    const watcher = watchChanges(storage, {
      everyMs: 5,
      onChanges: () => {},
      onReset: () => {},
      onError: (error) => failed.resolve(error),
    });
    rmSync(file);
    expect(await failed.promise).toMatchObject({ code: "ERR_REGISTRY_UNAVAILABLE" });
    watcher[Symbol.dispose]();
    await storage[Symbol.asyncDispose]();
  });
});

const mount = findProgram("mount");
const isRoot = process.getuid?.() === 0;

describe.skipIf(!isRoot || mount.path === undefined)(
  `a small disk (${isRoot ? mount.skipReason : "needs root"})`,
  () => {
    let disk: string;
    beforeEach(async () => {
      disk = join(folder, `disk-${count++}`);
      mkdirSync(disk);
      expect(await runProgram(mount.path ?? "", ["-t", "tmpfs", "-o", "size=2m", "tmpfs", disk])).toMatchObject({
        code: 0,
      });
    });
    afterEach(() => runProgram("/bin/umount", [disk]));

    /** Writes until the disk has no room. */
    function fill(): string[] {
      const files: string[] = [];
      try {
        for (;;) {
          const file = join(disk, `fill-${files.length}`);
          writeFileSync(file, Buffer.alloc(4096));
          files.push(file);
        }
      } catch {
        return files;
      }
    }

    test("that is full refuses writes by name, loses nothing, and goes on once there is room", async () => {
      const storage = openSqliteStorage(join(disk, "registry.db"));
      await storage.write(put("before"));
      const files = fill();
      const large = storage.write((writer) => {
        for (let i = 0; i < 200; i++) writer.put("t", `large-${i}`, "x".repeat(4096));
      });
      await expect(large).rejects.toMatchObject({
        code: "ERR_REGISTRY_UNAVAILABLE",
        evidence: { isFull: true },
        message: expect.stringContaining("Nothing was changed; make room on the disk"),
      });
      const keys = (): string[] => storage.read((reader) => reader.scan("t", "", { limit: 9 }).map(({ key }) => key));
      expect(keys()).toEqual(["before"]);
      for (const file of files) rmSync(file);
      await storage.write(put("after"));
      expect(keys()).toEqual(["after", "before"]);
      await storage[Symbol.asyncDispose]();
    });

    test("that has no room for a new file says so", async () => {
      const files = fill();
      // Room for the file's first pages and not for its tables.
      for (const file of files.slice(0, 8)) rmSync(file);
      expect(() => openSqliteStorage(join(disk, "registry.db"))).toThrow(
        expect.objectContaining({
          code: "ERR_REGISTRY_UNAVAILABLE",
          evidence: expect.objectContaining({ isFull: true }),
          message: expect.stringContaining("make room on the disk"),
        }),
      );
    });

    test("that is full can be opened and read", async () => {
      const file = join(disk, "registry.db");
      const first = openSqliteStorage(file);
      await first.write(put("before"));
      await first[Symbol.asyncDispose]();
      fill();
      await using again = openSqliteStorage(file);
      expect(again.read((reader) => reader.get("t", "before"))).toBe("1");
    });

    test("that is read-only refuses writes by name", async () => {
      const file = join(disk, "registry.db");
      const storage = openSqliteStorage(file);
      await storage.write(put("before"));
      expect(await runProgram(mount.path ?? "", ["-o", "remount,ro", disk])).toMatchObject({ code: 32 });
      await storage[Symbol.asyncDispose]();
      expect(await runProgram(mount.path ?? "", ["-o", "remount,ro", disk])).toMatchObject({ code: 0 });
      expect(() => openSqliteStorage(file)).toThrow(expect.objectContaining({ code: "ERR_REGISTRY_UNAVAILABLE" }));
    });
  },
);

test.each([
  ["touches", "{"],
  ["touches", "[1]"],
  ["kind", "no such kind"],
])("a change whose %s is %j is named as damage", async (column, value) => {
  const file = newFile();
  await using storage = openSqliteStorage(file);
  await storage.write((writer) => writer.announce("policy", ["p"]));
  const database = new DatabaseSync(file);
  database.prepare(`UPDATE change SET ${column} = ?`).run(value);
  database.close();
  expect(() => storage.changesAfter(0, 9)).toThrow(expect.objectContaining({ code: "ERR_REGISTRY_CORRUPT" }));
  expect(storage.sequence()).toBe(1);
});
