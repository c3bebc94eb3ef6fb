import { existsSync, lstatSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { checkResultFile, WriteError, writeWholeFile } from "../src/index.ts";

const folder = mkdtempSync(join(tmpdir(), "latchkey-results-"));
afterAll(() => rmSync(folder, { recursive: true }));

test("a place where a result file can be written is accepted, and nothing is written there", () => {
  checkResultFile(join(folder, "result.json"));
  expect(readdirSync(folder)).toEqual([]);
});

test.each([
  ["", "the name of the result file is empty"],
  [folder, "is a folder: name a file in it"],
  [join(folder, "absent", "x.json"), `the folder ${join(folder, "absent")} is missing or read-only (ENOENT)`],
])("%j is refused with what to change", (path, message) => {
  expect(() => checkResultFile(path)).toThrow(message);
});

test("a link to a file stays a link, and its file gets the text", () => {
  const [file, link] = [join(folder, "real.json"), join(folder, "link.json")];
  writeWholeFile(file, "old");
  symlinkSync(file, link);
  writeWholeFile(link, "new");
  expect(lstatSync(link).isSymbolicLink()).toBe(true);
  expect(readFileSync(file, "utf8")).toBe("new");
  expect(readdirSync(folder).toSorted()).toEqual(["link.json", "real.json"]);
});

test.skipIf(!existsSync("/dev/full"))("a device is written to, and what it refuses is said with what to do", () => {
  writeWholeFile("/dev/null", "text");
  const expected = /^\/dev\/full cannot be written: ENOSPC.*: the disk is full: free some space/;
  expect(() => writeWholeFile("/dev/full", "text")).toThrow(WriteError);
  expect(() => writeWholeFile("/dev/full", "text")).toThrow(expected);
  for (const device of ["/dev/null", "/dev/full"]) expect(statSync(device).isCharacterDevice()).toBe(true);
});

test("a folder that went away is named", () => {
  expect(() => writeWholeFile(join(folder, "absent", "x.json"), "text")).toThrow(/x\.json cannot be written: ENOENT/);
});
