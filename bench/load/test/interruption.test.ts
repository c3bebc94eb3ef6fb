import { existsSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test, vi } from "vitest";
import { endBenches, expectBalance, newFile, readFile, startBench, startTestBroker } from "./run-bench.ts";

afterAll(endBenches);

vi.setConfig({ testTimeout: 130_000 });

const isLinux = process.platform === "linux";

/** The processes that a bench has started: those whose parent it is. */
function childrenOf(pid: number): number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      try {
        const stat = readFileSync(`/proc/${name}/stat`, "utf8");
        return Number(stat.replace(/^.*\) /s, "").split(" ")[1]) === pid ? [Number(name)] : [];
      } catch {
        return [];
      }
    });
}

/** Whether a process runs and is not only waiting to be forgotten. */
function isRunning(pid: number): boolean {
  try {
    return !/^\d+ \(.*\) Z/s.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch {
    return false;
  }
}

/** TCP ports that a process listens on. */
function portsOf(pid: number): string[] {
  const inodes = new Set(
    readdirSync(`/proc/${pid}/fd`).flatMap((fd) => {
      try {
        return /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/fd/${fd}`))?.[1] ?? [];
      } catch {
        return [];
      }
    }),
  );
  return listeners().flatMap(({ address, inode }) => (inodes.has(inode) ? [address] : []));
}

/** Everything on this machine that listens. */
function listeners(): { address: string; inode: string }[] {
  const lines = readFileSync("/proc/net/tcp", "utf8").split("\n").slice(1);
  return lines.flatMap((line) => {
    const fields = line.trim().split(/\s+/);
    const [, address, , state] = fields;
    return address !== undefined && state === "0A" ? [{ address, inode: fields[9] ?? "" }] : [];
  });
}

/** The folders of a bench for temporary files. */
function foldersOf(pid: number): string[] {
  return ["/dev/shm", tmpdir()].flatMap((parent) =>
    existsSync(parent)
      ? readdirSync(parent).flatMap((name) => (name.startsWith(`latchkey-bench-${pid}-`) ? [join(parent, name)] : []))
      : [],
  );
}

const load = ["--publishers", "2", "--rate", "100", "--no-pin"];
const peers = ["--compare", "node-tls,aedes"];

interface Case {
  readonly name: string;
  readonly words: readonly string[];
  /** Seen when the run is where it is to be ended. */
  readonly moment: RegExp;
  /** Entries that the file has, at least. */
  readonly entries: number;
  /** Processes that the bench has started by then, at least. */
  readonly targets: number;
}

const cases: readonly Case[] = [
  {
    name: "in the warm-up",
    words: ["--scenario", "pairs", ...load, "--warm-up", "600", "--duration", "60"],
    moment: /preparing, 4 connections/,
    ...{ entries: 0, targets: 1 },
  },
  {
    name: "in the ramp-up",
    words: ["--scenario", "pairs", ...load, "--ramp-up", "600", "--duration", "60"],
    moment: /preparing, 4 connections/,
    ...{ entries: 0, targets: 1 },
  },
  {
    name: "in the measured time",
    words: ["--scenario", "pairs", ...load, "--warm-up", "0", "--duration", "60"],
    moment: / [1-9]\d* of \d+, \d+\/s/,
    ...{ entries: 1, targets: 1 },
  },
  {
    name: "in the second round of a comparison",
    words: ["--scenario", "connect", "--clients", "20", ...peers, "--duration", "6", "--rounds", "40", "--no-pin"],
    moment: /(node-tls|aedes) 1\/40: [1-9]/,
    ...{ entries: 2, targets: 1 },
  },
];

test
  .skipIf(!isLinux)
  .each(
    cases.flatMap((one) =>
      (one.name === "in the measured time" ? (["SIGINT", "SIGTERM", "SIGHUP"] as const) : (["SIGINT"] as const)).map(
        (signal) => ({ ...one, signal }),
      ),
    ),
  )("$signal $name ends with what was measured, 130, and nothing is left", async (one) => {
  const file = newFile();
  const bench = startBench(...one.words, "--json", file);
  await bench.saw(one.moment);
  const { pid = 0 } = bench;
  const targets = childrenOf(pid);
  expect(targets.length).toBeGreaterThanOrEqual(one.targets);
  const ports = targets.flatMap(portsOf);
  expect(ports.length).toBeGreaterThanOrEqual(one.targets);
  expect(foldersOf(pid)).toHaveLength(1);
  bench.kill(one.signal);
  const { code, stderr } = await bench.finished;
  expect({ code, stderr }).toMatchObject({ code: 130 });
  expect(stderr).not.toContain("    at ");
  for (const target of targets) await vi.waitFor(() => expect(isRunning(target)).toBe(false), { timeout: 20_000 });
  expect(foldersOf(pid)).toEqual([]);
  const open = listeners().map(({ address }) => address);
  expect(ports.filter((port) => open.includes(port))).toEqual([]);
  const { interrupted, results } = readFile(file);
  expect(interrupted).toBe(true);
  expect(results.length).toBeGreaterThanOrEqual(one.entries);
  for (const result of results) {
    expectBalance(result);
    expect(result.received).toBeGreaterThan(0);
  }
});

test("a second Ctrl-C does not wait for what the first began", async () => {
  const bench = startBench("--scenario", "pairs", ...load, "--duration", "60", "--url", await startTestBroker());
  await bench.saw(/ 4 connections/);
  bench.kill("SIGINT");
  await bench.saw(/a second Ctrl-C ends at once/);
  bench.kill("SIGINT");
  expect(await bench.finished).toMatchObject({ code: 130 });
});

test.skipIf(!isLinux)(
  "a target that is killed fails what it broke, and what was then given up is unfinished",
  async () => {
    const file = newFile();
    const words = ["--scenario", "press", "--clients", "10", "--rate", "50", "--duration", "60", "--warm-up", "0"];
    const bench = startBench(...words, "--no-pin", "--json", file);
    await bench.saw(/ [1-9]\d* of \d+, \d+\/s/);
    const [target] = childrenOf(bench.pid ?? 0);
    if (target === undefined) throw new Error("no target");
    process.kill(target, "SIGKILL");
    const { code, stderr } = await bench.finished;
    expect({ code, stderr }).toMatchObject({ code: 1, stderr: expect.stringContaining("latchkey ended by SIGKILL") });
    const { interrupted, results } = readFile(file);
    expect(interrupted).toBe(true);
    const [result] = results;
    if (result === undefined) throw new Error("no entry");
    expectBalance(result);
    expect(result.received).toBeGreaterThan(0);
    const named = Object.values(result.errors).reduce((sum, count) => sum + count, 0);
    expect(named).toBe(result.ledger.failed);
    expect(result.notes.join()).toContain("the run ended early: latchkey ended by SIGKILL");
  },
);
