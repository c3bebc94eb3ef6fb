import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findProgram, runProgram, type Finished } from "@latchkey/tooling-vitest/programs";
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { bottleneckOf } from "../src/generator.ts";
import { benchWords, endBenches, expectBalance, newFile, readFile } from "./run-bench.ts";

afterAll(endBenches);

vi.setConfig({ testTimeout: 130_000 });

const load = ["--scenario", "pairs", "--publishers", "2", "--rate", "50", "--duration", "0.5", "--warm-up", "0"];
const scratch = mkdtempSync(join(tmpdir(), "latchkey-limits-"));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

/** Runs the bench behind words of a shell. */
const shell = (before: string, words: readonly string[], after = ""): Promise<Finished> => {
  const quoted = [process.execPath, ...benchWords(...words, "--no-pin")].map((word) => `'${word}'`).join(" ");
  return runProgram("/bin/sh", ["-c", `${before} exec ${quoted} ${after}`], { timeoutMs: 120_000 });
};

describe.skipIf(process.platform !== "linux")("too few file descriptors", () => {
  test.each([
    ["messages", load, 'run "ulimit -n 212"'],
    // 5 presses are under way at a time, of 500 buttons.
    ["presses", ["--scenario", "press", "--clients", "500", "--concurrency", "5"], 'run "ulimit -n 213"'],
    ["handshakes", ["--scenario", "handshake", "--concurrency", "300"], 'run "ulimit -n 508"'],
    ["workers", [...load, "--workers", "1,64"], 'run "ulimit -n 527"'],
  ])("for %s are named before anything is started", async (_name, words, advice) => {
    const file = newFile();
    const { code, stdout, stderr } = await shell("ulimit -n 100;", [...words, "--json", file]);
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    expect(stderr).toMatch(/^ERR_LOAD_MACHINE: \d+ connections at a time need \d+ file descriptors/m);
    expect(stderr).toContain(advice);
    expect(existsSync(file)).toBe(false);
  });

  test("the number that is named is enough", async () => {
    expect(await shell("ulimit -n 212;", load)).toMatchObject({ code: 0 });
  });
});

test("failures that the generator's own machine causes are not the target's", () => {
  const idle = { cpuShare: 0.1, cpuMicrosecondsPerOperation: 1, worstEventLoopDelayMs: 0, scheduleLagMs: 0 };
  expect(bottleneckOf(idle, null, { ECONNREFUSED: 3 })).toBeNull();
  expect(bottleneckOf(idle, null, { EADDRNOTAVAIL: 3 })).toBe(
    "The generator was the bottleneck: 3 operations failed, since it had no local ports left: lower the rate, or widen " +
      "net.ipv4.ip_local_port_range (EADDRNOTAVAIL).",
  );
  expect(bottleneckOf(idle, null, { EMFILE: 1 })).toContain("no file descriptors left");
});

describe.skipIf(!existsSync("/dev/full"))("a full device", () => {
  test("as the result file is named, stays what it is, and the figures are on standard output", async () => {
    const { code, stdout, stderr } = await shell("", [...load, "--json", "/dev/full"]);
    expect({ code, stdout }).toEqual({ code: 1, stdout: expect.stringContaining("sent 25 = received 25 + lost 0") });
    expect(stderr).toMatch(
      /^ERR_LOAD_MACHINE: the figures above are whole, and the file is not: \/dev\/full cannot be/m,
    );
    expect(stderr).toContain("the disk is full");
    expect(stderr).not.toContain("    at ");
    expect(statSync("/dev/full").isCharacterDevice()).toBe(true);
  });

  test("as standard output ends the run with a sentence, and the file has what was measured", async () => {
    const file = newFile();
    const words = [...load, "--workers", "1,2", "--json", file];
    const { code, stderr } = await shell("", words, ">/dev/full");
    expect({ code, stderr }).toMatchObject({ code: 1 });
    expect(stderr).toMatch(/^ERR_LOAD_MACHINE: the run was ended early: standard output cannot be written: ENOSPC/m);
    const { interrupted, results } = readFile(file);
    expect(interrupted).toBe(true);
    expect(results[0]).toMatchObject({ workers: 1, received: 25 });
  });
});

const mount = findProgram("mount");
const unshare = findProgram("unshare");
const cannotMount = process.getuid?.() !== 0 || mount.path === undefined || unshare.path === undefined;

// Only root can mount a small disk.
describe.skipIf(cannotMount)("a small disk", () => {
  const disk = join(scratch, "disk");
  beforeAll(async () => {
    mkdirSync(disk);
    const options = ["-t", "tmpfs", "-o", "size=12k", "tmpfs", disk];
    expect(await runProgram(mount.path ?? "", options)).toMatchObject({ code: 0 });
  });
  afterEach(() => {
    for (const name of readdirSync(disk)) rmSync(join(disk, name));
  });
  afterAll(() => runProgram("/bin/umount", [disk]));

  test("that has room for the first entry keeps it as one of a run that did not end, and no draft", async () => {
    const file = join(disk, "result.json");
    const { code, stdout, stderr } = await shell("", [...load, "--workers", "1,2,3,4", "--json", file]);
    expect(code).toBe(1);
    expect(stdout.match(/received \d+ \+ lost 0/g)).toHaveLength(4);
    expect(stderr).toMatch(/^ERR_LOAD_MACHINE: .* ENOSPC.* the disk is full.*; it still has what it had before$/m);
    expect(readdirSync(disk)).toEqual(["result.json"]);
    const { interrupted, results } = readFile(file);
    expect(interrupted).toBe(true);
    expect(results.length).toBeGreaterThan(0);
    expect(results.length).toBeLessThan(4);
    for (const result of results) expectBalance(result);
  });

  test("that has no room at all leaves no file", async () => {
    expect(() => writeFileSync(join(disk, "other"), Buffer.alloc(16 * 1024))).toThrow("ENOSPC");
    const { code, stderr } = await shell("", [...load, "--json", join(disk, "result.json")]);
    expect(code).toBe(1);
    expect(stderr).toContain("the disk is full: free some space, or name a file on another one");
    expect(readdirSync(disk)).toEqual(["other"]);
  });

  /** /dev/shm of 64 KiB for this one process. */
  const smallMemory = (words: readonly string[], before = ""): Promise<Finished> =>
    runProgram(
      unshare.path ?? "",
      [
        ...["--mount", "/bin/sh", "-c"],
        `mount -t tmpfs -o size=64k tmpfs /dev/shm && ${before} exec "$0" "$@"`,
        process.execPath,
        ...benchWords(...words, "--no-pin"),
      ],
      { timeoutMs: 120_000 },
    );

  test("in the place of /dev/shm is passed over", async () => {
    expect(await smallMemory(load)).toMatchObject({ code: 0 });
  });

  test("in the place of /dev/shm and of the temporary folder ends in words", async () => {
    const file = newFile();
    const { code, stdout, stderr } = await smallMemory([...load, "--json", file], `TMPDIR='${disk}'`);
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    expect(stderr).toMatch(/^ERR_LOAD_MACHINE: the registry of the target cannot be made: .*; make room on the disk/m);
    expect(stderr).not.toContain("    at ");
    expect(existsSync(file)).toBe(false);
    expect(readFileSync("/proc/mounts", "utf8")).toContain(disk);
  });
});
