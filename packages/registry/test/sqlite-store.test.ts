import { cpSync, mkdtempSync, renameSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterAll, describe, expect, test } from "vitest";
import { openSqliteStore } from "../src/node.ts";
import { prepareFile } from "../src/node/sqlite-store.ts";
import { describeStore } from "./store-conformance.ts";

const folder = mkdtempSync(join(tmpdir(), "latchkey-registry-"));
afterAll(() => rmSync(folder, { recursive: true }));
let count = 0;
const newFile = (): string => join(folder, `registry-${count++}.db`);

describeStore("sqlite in memory", () => openSqliteStore(":memory:"));
describeStore("sqlite in a file", () => openSqliteStore(newFile()));

const certificate = {
  certificateId: "aa",
  der: Uint8Array.of(0x30, 0x00),
  status: "ACTIVE",
  createdAtSeconds: 1,
} as const;

describe("a file", () => {
  test("keeps what was stored", async () => {
    const file = newFile();
    {
      await using store = openSqliteStore(file);
      await store.createCertificate(certificate);
    }
    await using again = openSqliteStore(file);
    expect(await again.certificate("aa")).toEqual(certificate);
  });

  test("serves two stores at once, each of which sees the other's changes by the version", async () => {
    const file = newFile();
    await using one = openSqliteStore(file);
    await using two = openSqliteStore(file);
    const before = one.version();
    await two.createCertificate(certificate);
    expect(one.version()).not.toBe(before);
    expect(await one.certificate("aa")).toEqual(certificate);
  });

  test.each([
    ["text", Buffer.from("this is no database at all, but it is longer than one header of SQLite is".repeat(20))],
    ["a cut-off header", Buffer.from("SQLite format 3\0")],
  ])("that holds %s is refused and left as it was", (_, content) => {
    const file = newFile();
    writeFileSync(file, content);
    expect(() => openSqliteStore(file)).toThrow(expect.objectContaining({ code: "ERR_REGISTRY_CORRUPT" }));
    expect(readFileSync(file)).toEqual(content);
  });

  test("of another program is refused and left as it was", () => {
    const file = newFile();
    const other = new DatabaseSync(file);
    other.exec("CREATE TABLE mine (x)");
    other.close();
    const size = statSync(file).size;
    expect(() => openSqliteStore(file)).toThrow(expect.objectContaining({ code: "ERR_REGISTRY_CORRUPT" }));
    expect(statSync(file).size).toBe(size);
  });

  test("with damaged pages is refused", async () => {
    const file = newFile();
    {
      await using store = openSqliteStore(file);
      await store.createCertificate(certificate);
    }
    const content = readFileSync(file);
    content.fill(0xa5, 4096, 8192);
    writeFileSync(file, content);
    expect(() => openSqliteStore(file)).toThrow(expect.objectContaining({ code: "ERR_REGISTRY_CORRUPT" }));
  });

  test("of a newer version is refused", async () => {
    const file = newFile();
    await openSqliteStore(file)[Symbol.asyncDispose]();
    const newer = new DatabaseSync(file);
    newer.exec("PRAGMA user_version = 2");
    newer.close();
    expect(() => openSqliteStore(file)).toThrow(/newer version/);
  });

  test.each(["removed", "replaced"])("that is %s under an open store makes it unavailable", async (how) => {
    const file = newFile();
    await using store = openSqliteStore(file);
    store.version();
    if (how === "replaced") cpSync(file, `${file}.copy`);
    rmSync(file);
    if (how === "replaced") renameSync(`${file}.copy`, file);
    expect(() => store.version()).toThrow(expect.objectContaining({ code: "ERR_REGISTRY_UNAVAILABLE" }));
  });

  test("in a folder that does not exist is unavailable", () => {
    expect(() => openSqliteStore(join(folder, "none", "registry.db"))).toThrow(
      expect.objectContaining({ code: "ERR_REGISTRY_UNAVAILABLE" }),
    );
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
