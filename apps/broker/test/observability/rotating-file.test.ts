import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findProgram, runProgram } from "@latchkey/tooling-vitest/programs";
import { afterAll, afterEach, beforeEach, describe, expect, test } from "vitest";
import { RotatingFile } from "../../src/observability/rotating-file.ts";

let folder: string;
let failures: unknown[];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "latchkey-rotating-"));
  failures = [];
});
afterEach(() => rmSync(folder, { recursive: true }));

function fileIn(directory: string, maximumOctets: number, maximumFiles = 3): RotatingFile {
  const onFailed = (error: unknown): void => void failures.push(error);
  return new RotatingFile({ file: join(directory, "lines"), maximumOctets, maximumFiles, onFailed });
}
const text = (name: string): string => readFileSync(join(folder, name), "utf8");

test("lines are added to what is there, for the owner only", async () => {
  {
    await using file = fileIn(folder, 1000);
    file.write("one\n");
    file.write("two\n");
  }
  {
    await using file = fileIn(folder, 1000);
    file.write("three\n");
  }
  expect(text("lines")).toBe("one\ntwo\nthree\n");
  expect(statSync(join(folder, "lines")).mode & 0o777).toBe(0o600);
});

test("a line that a crash has cut off is ended before the next", async () => {
  writeFileSync(join(folder, "lines"), "one\ntw");
  for (const line of ["three\n", "four\n"]) {
    await using file = fileIn(folder, 1000);
    file.write(line);
  }
  expect(text("lines")).toBe("one\ntw\nthree\nfour\n");
});

test("without a line there is no file", async () => {
  await fileIn(folder, 1000)[Symbol.asyncDispose]();
  expect(readdirSync(folder)).toEqual([]);
});

test("neither the size nor the number of files grows beyond its bound, and the newest are kept", async () => {
  for (let n = 100; n < 200; n++) {
    await using file = fileIn(folder, 40);
    file.write(`line ${n}\n`);
  }
  expect(readdirSync(folder).toSorted()).toEqual(["lines", "lines.1", "lines.2"]);
  expect(text("lines.2") + text("lines.1") + text("lines")).toMatch(/^(?:line 1[89]\d\n)+line 199\n$/);
  for (const name of readdirSync(folder)) expect(text(name).length).toBeLessThanOrEqual(40);
});

test("a file that was renamed by somebody else is begun anew when it is opened again", async () => {
  await using file = fileIn(folder, 1000);
  file.write("one\n");
  await expect.poll(() => existsSync(join(folder, "lines")) && text("lines")).toBe("one\n");
  renameSync(join(folder, "lines"), join(folder, "old"));
  file.reopen();
  file.write("two\n");
  await expect.poll(() => existsSync(join(folder, "lines")) && text("lines")).toBe("two\n");
  expect(text("old")).toBe("one\n");
});

test("what comes faster than it is written is bounded and counted", async () => {
  const file = fileIn(folder, 1e9);
  const line = `${"x".repeat(1023)}\n`;
  for (let n = 0; n < 5000; n++) file.write(line);
  await file[Symbol.asyncDispose]();
  expect(file.lost).toBeGreaterThan(3000);
  expect(statSync(join(folder, "lines")).size).toBe((5000 - file.lost) * 1024);
});

const mount = findProgram("mount");

// Only root can mount a disk to fill.
describe.skipIf(process.getuid?.() !== 0 || mount.path === undefined)("on a full disk", () => {
  const disk = mkdtempSync(join(tmpdir(), "latchkey-rotating-disk-"));
  afterAll(async () => {
    await runProgram("/bin/umount", [disk]);
    rmSync(disk, { recursive: true });
  });

  test("lines are lost and counted, with one report, and it goes on when there is room", async () => {
    expect(await runProgram(mount.path ?? "", ["-t", "tmpfs", "-o", "size=64k", "tmpfs", disk])).toMatchObject({
      code: 0,
    });
    mkdirSync(join(disk, "logs"));
    const file = fileIn(join(disk, "logs"), 1e6);
    try {
      writeFileSync(join(disk, "ballast"), Buffer.alloc(64 * 1024));
    } catch {
      // The disk is full, as wanted.
    }
    file.write(`${"x".repeat(8000)}\n`);
    await expect.poll(() => file.lost).toBe(1);
    file.write(`${"x".repeat(8000)}\n`);
    await expect.poll(() => file.lost).toBe(2);
    expect(failures).toMatchObject([{ code: "ENOSPC" }]);
    rmSync(join(disk, "ballast"));
    file.write("again\n");
    await file[Symbol.asyncDispose]();
    expect(readFileSync(join(disk, "logs", "lines"), "utf8")).toMatch(/(?:^|\n)again\n$/);
    expect(file.lost).toBe(2);
  });
});
