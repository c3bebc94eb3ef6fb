import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { programNames } from "@latchkey/tooling-vitest/programs";
import { expect, test } from "vitest";

const root = fileURLToPath(new URL("../../../", import.meta.url));
const files = execFileSync("git", ["ls-files", "--", "*.ts"], { cwd: root, encoding: "utf8" }).trim().split("\n");

/** The programs that a text starts by a name that stands in it. */
function programsIn(text: string): string[] {
  const calls = text.matchAll(/\b(?:spawn|spawnSync|execFile|execFileSync|runProgram|startProgram)\(\s*"([^"]+)"/gu);
  return Array.from(calls, ([, name = ""]) => basename(name));
}

test("every program that a test starts by name is in the table, so that CI installs it", () => {
  /** Every Linux has the first three; `npm ci` brings the others. */
  const present = new Set<string>(["sh", "env", "sed", "turbo", "tsc"]);
  const started = files
    .filter((path) => /\/test\/|^bench\/|^tooling\//u.test(path))
    .flatMap((path) => programsIn(readFileSync(join(root, path), "utf8")).map((name) => [name, path] as const));
  // The search sees programs at all.
  expect(started.map(([name]) => name)).toEqual(expect.arrayContaining(["ps", "tar", "git"]));
  const known = new Set<string>(programNames);
  expect(started.filter(([name]) => !known.has(name) && !present.has(name))).toEqual([]);
});

test("CI reads the whole table: a program and its package stand in one line", () => {
  const table = readFileSync(join(root, "tooling/vitest/src/programs.ts"), "utf8");
  const reader = /sed -nE '([^']+)' tooling\/vitest\/src\/programs\.ts/u.exec(
    readFileSync(join(root, ".ci/run"), "utf8"),
  );
  const found = execFileSync("sed", ["-nE", reader?.[1] ?? ""], { input: table, encoding: "utf8" });
  const names: string[] = found
    .trim()
    .split("\n")
    .map((pair) => pair.replace(/:.*/u, ""));
  expect(names.sort()).toEqual([...programNames].sort());
});
