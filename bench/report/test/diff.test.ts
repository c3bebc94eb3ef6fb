import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { runProgram } from "@latchkey/tooling-vitest/programs";
import { afterAll, expect, test } from "vitest";
import { loadFile, microFile, microRow } from "./sample-files.ts";

const main = fileURLToPath(new URL("../src/diff.ts", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "latchkey-diff-"));
afterAll(() => rmSync(folder, { recursive: true }));
const diff = (...words: string[]) => runProgram(process.execPath, ["--conditions=@latchkey/source", main, ...words]);

function written(name: string, content: unknown): string {
  const path = join(folder, name);
  writeFileSync(path, typeof content === "string" ? content : JSON.stringify(content));
  return path;
}

const old = written("old.json", microFile([microRow("a/b", "peer", 4), microRow("a/c", "peer", 4)]));
const worse = written("worse.json", microFile([microRow("a/b", "peer", 3), microRow("a/c", "peer", 4)]));

test("a loss is printed, and is an exit code only with --fail", async () => {
  const { code, stdout } = await diff(old, worse);
  expect(code).toBe(0);
  expect(stdout).toContain(
    "loss  a/b (@latchkey/policy to peer): ratio 4 → 3, 25.0 % worse (3.92 to 4.08 → 2.94 to 3.06)",
  );
  expect(stdout).toContain("4 figures: 2 losses, 0 gains, 2 within the noise");
  expect((await diff(old, worse, "--fail")).code).toBe(1);
});

test("a gain, and no change, are no failures", async () => {
  expect(await diff(worse, old, "--fail")).toMatchObject({ code: 0, stdout: expect.stringContaining("gain  a/b") });
  expect(await diff(old, old, "--fail", "--all")).toMatchObject({
    code: 0,
    stdout: expect.stringContaining("same  a/c"),
  });
});

test("a higher floor lets a change pass", async () => {
  expect(await diff(old, worse, "--fail", "--floor", "30")).toMatchObject({ code: 0 });
});

test.each([
  ["one file", [old], "Two files are needed"],
  ["a missing file", [old, join(folder, "none.json")], "none.json: cannot be read"],
  ["no JSON", [old, written("text.json", "{")], "is no JSON"],
  [
    "another shape",
    [old, written("shape.json", { results: [{ scenario: 7 }] })],
    "results[0].scenario: a text is expected",
  ],
  ["no results", [old, written("empty.json", [])], "an object is expected"],
  ["another kind", [old, written("load.json", loadFile())], "two of one kind"],
  ["a strange floor", [old, worse, "--floor", "much"], "from 0 to below 100"],
])("%s is refused with what would be accepted", async (_, words, text) => {
  expect(await diff(...words)).toMatchObject({ code: 2, stderr: expect.stringContaining(text) });
});

test.skipIf(!existsSync("/dev/full"))(
  "a comparison that cannot be written is an error, not an empty success",
  async () => {
    const words = [process.execPath, "--conditions=@latchkey/source", main, old, old]
      .map((word) => `'${word}'`)
      .join(" ");
    expect(await runProgram("/bin/sh", ["-c", `exec ${words} >/dev/full`])).toEqual(
      expect.objectContaining({
        code: 2,
        stderr: expect.stringContaining("standard output cannot be written: ENOSPC"),
      }),
    );
  },
);
