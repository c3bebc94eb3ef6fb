import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { installedVersion, revisionOf, writeResultFile } from "../src/index.ts";

const folder = mkdtempSync(join(tmpdir(), "latchkey-results-"));
afterAll(() => rmSync(folder, { recursive: true }));

test("a version is that of the package as it is installed for the file that imports it", () => {
  expect(installedVersion("fast-check", import.meta.url)).toBe("4.10.2");
  expect(installedVersion("no-such-package-of-ours", import.meta.url)).toBeNull();
});

test("outside a checkout the revision is unknown", () => {
  expect(revisionOf(folder)).toBe("unknown");
});

test("a result file is put in place whole, and nothing else is left", () => {
  const file = join(folder, "results.json");
  writeResultFile(file, { results: [1] });
  writeResultFile(file, { results: [1, 2] });
  expect(JSON.parse(readFileSync(file, "utf8"))).toEqual({ results: [1, 2] });
  expect(readdirSync(folder)).toEqual(["results.json"]);
});
