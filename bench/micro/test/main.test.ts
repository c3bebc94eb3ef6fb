import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { runProgram, startProgram } from "@latchkey/tooling-vitest/programs";
import { afterAll, beforeAll, expect, test, vi } from "vitest";

const main = fileURLToPath(new URL("../src/main.ts", import.meta.url));
const command = (words: readonly string[]): string[] => ["--conditions=@latchkey/source", main, ...words];
const bench = (...words: string[]) => runProgram(process.execPath, command(words), { timeoutMs: 120_000 });
const folder = mkdtempSync(join(tmpdir(), "latchkey-bench-"));
afterAll(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true });
});
const read = (file: string) => JSON.parse(readFileSync(file, "utf8"));
/** The worktrees of the repository that lie in this test's folder, where `--compare` makes its own. */
const worktrees = async () => {
  const { stdout } = await runProgram("git", ["worktree", "list", "--porcelain"], { cwd: dirname(main) });
  return stdout.split("\n").filter((line) => line.includes(folder));
};
// Each test starts a process for each suite.
vi.setConfig({ testTimeout: 130_000 });
beforeAll(() => vi.stubEnv("TMPDIR", folder));

test("--filter and --json give the rows that match, in the shape of result files", async () => {
  const file = join(folder, "results.json");
  const { code, stdout } = await bench("--smoke", "--filter", "crypto/verify/p256/node", "--json", file);
  expect(code).toBe(0);
  expect(stdout).toMatch(/kernel .* load/);
  expect(stdout).toMatch(/crypto\/verify\/p256\/node .* signatures\/s .*x .*bare Node 24/);
  const written = read(file);
  expect(Object.keys(written).slice(0, 5)).toEqual(["machine", "node", "revision", "date", "results"]);
  expect(written).toMatchObject({
    kind: "micro",
    complete: true,
    failures: [],
    machine: written.environment.description,
  });
  expect(written.results).toEqual([
    {
      scenario: "crypto/verify/p256/node",
      subject: "@latchkey/crypto",
      opsPerSecond: expect.any(Number),
      spread: expect.any(Number),
      bytesPerOperation: expect.any(Number),
      peer: "bare",
      peerOpsPerSecond: expect.any(Number),
      ratio: expect.any(Number),
      ratioInterval: null,
      opsInterval: null,
      peerSpread: expect.any(Number),
      unit: "signature",
      subjectVersion: "0.0.0",
      peerVersion: `Node ${process.versions.node}`,
      rounds: 1,
      samples: expect.objectContaining({ count: expect.any(Number) }),
      peerSamples: expect.objectContaining({ count: expect.any(Number) }),
      warnings: expect.any(Array),
      notes: [],
    },
  ]);
});

test("a filter that matches nothing is an error that lists what there is", async () => {
  const { code, stderr } = await bench("--filter", "no/such/scenario");
  expect(code).toBe(1);
  expect(stderr).toContain("crypto/verify/p256/node");
});

test.each([
  [["--limit", "soon"], "a number of seconds"],
  [["--compare", "no-such-revision", "--filter", "asn1/"], "no commit of this repository"],
  [["--frobnicate"], "--frobnicate"],
])("%j is refused with what would be accepted", async (words, text) => {
  const { code, stderr } = await bench(...words);
  expect(code).toBe(2);
  expect(stderr).toContain(text);
});

test("a run that is killed leaves a valid file with the rows until then", async () => {
  const file = join(folder, "killed.json");
  const running = startProgram(process.execPath, command(["--smoke", "--json", file]), { timeoutMs: 120_000 });
  await running.saw(/\n\S+\/\S+ .*\/s [^]*\n\S+\/\S+ .*\/s /);
  running.kill("SIGKILL");
  await running.finished;
  const { complete, results } = read(file);
  expect(complete).toBe(false);
  expect(results.length).toBeGreaterThan(0);
  // It may have been killed while it wrote the file that takes the other's place.
  for (const name of readdirSync(folder)) if (name.endsWith(".tmp")) rmSync(join(folder, name));
});

test("Ctrl-C ends a measurement with what was measured, and says so", async () => {
  const file = join(folder, "interrupted.json");
  const running = startProgram(process.execPath, command(["--filter", "asn1/", "--json", file]), {
    timeoutMs: 120_000,
  });
  await running.saw(/1 of 1 left/);
  running.kill("SIGINT");
  expect(await running.finished).toMatchObject({
    code: 130,
    stderr: expect.stringContaining("interrupted after 0 of 1"),
  });
  expect(read(file)).toMatchObject({ complete: false, results: [] });
});

test("--compare measures another revision in place of the peers, and leaves no worktree", async () => {
  const file = join(folder, "compare.json");
  const words = ["--smoke", "--filter", "policy/decide/article", "--compare", "HEAD", "--json", file];
  expect(await bench(...words)).toMatchObject({ code: 0 });
  const { results, revision } = read(file);
  const peerVersion = revision.replace("+", "");
  expect(results).toMatchObject([
    { scenario: "policy/decide/article", peer: `@latchkey/policy@${peerVersion}`, peerVersion },
    { scenario: "policy/decide/article/4096-clients", peer: `@latchkey/policy@${peerVersion}` },
  ]);
  expect(await worktrees()).toEqual([]);
  expect(readdirSync(folder).filter((name) => !name.endsWith(".json"))).toEqual([]);
});

test("--compare leaves no worktree after Ctrl-C either", async () => {
  const words = ["--filter", "policy/decide/article", "--compare", "HEAD"];
  const running = startProgram(process.execPath, command(words), { timeoutMs: 120_000 });
  await running.saw(/of 2 left/);
  expect(await worktrees()).toHaveLength(1);
  running.kill("SIGINT");
  expect((await running.finished).code).toBe(130);
  expect(await worktrees()).toEqual([]);
  expect(readdirSync(folder).filter((name) => !name.endsWith(".json"))).toEqual([]);
});

test.skipIf(!existsSync("/dev/full"))(
  "a full disk costs the file and not the rows, and is said with what to do",
  async () => {
    const words = ["--smoke", "--filter", "crypto/verify/p256/node", "--json", "/dev/full"];
    const { code, stdout, stderr } = await bench(...words);
    expect({ code, stdout }).toEqual({ code: 1, stdout: expect.stringContaining("signatures/s") });
    expect(stderr).toMatch(/^the rows above are whole, and the file is not: \/dev\/full cannot be written: ENOSPC/m);
    expect(stderr).not.toContain("    at ");
  },
);

test.skipIf(!existsSync("/dev/full"))("a full disk under standard output ends the run in words", async () => {
  const file = join(folder, "no-output.json");
  const words = [process.execPath, ...command(["--smoke", "--filter", "asn1/", "--json", file])];
  const line = `exec ${words.map((word) => `'${word}'`).join(" ")} >/dev/full`;
  const { code, stderr } = await runProgram("/bin/sh", ["-c", line], { timeoutMs: 120_000 });
  expect({ code, stderr }).toEqual({
    code: 1,
    stderr: expect.stringMatching(/ended after .*: standard output cannot/),
  });
  expect(stderr).not.toContain("    at ");
  expect(read(file)).toMatchObject({ complete: false });
});

test("what a row notices of itself stands under it and in the file", async () => {
  const file = join(folder, "notes.json");
  const { code, stdout } = await bench("--smoke", "--filter", "registry/change/10000-connections", "--json", file);
  expect(code).toBe(0);
  expect(stdout).toMatch(/^ {4}note: the event loop waited at most \d+\.\d ms$/m);
  expect(read(file).results).toMatchObject([{ notes: [expect.stringContaining("the event loop waited at most")] }]);
});
