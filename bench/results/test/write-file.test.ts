import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { checkResultFile } from "../src/index.ts";

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
