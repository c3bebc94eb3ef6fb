import { expect, test, vi } from "vitest";
import { smokeEffort } from "../src/measure.ts";
import type { Request } from "../src/request.ts";
import { runInProcess } from "../src/run-in-process.ts";

const suite = new URL("./fixtures/odd.ts", import.meta.url).href;
const limitMs = 30_000;
// Each test starts a process.
vi.setConfig({ testTimeout: 2 * limitMs });

function request(name: string): Request {
  return { kind: "measure", suite, scenario: `odd/${name}`, effort: smokeEffort };
}

test("a suite is listed without making its scenarios", async () => {
  const answer = await runInProcess({ kind: "list", suite }, { limitMs });
  expect(answer).toMatchObject({ kind: "scenarios", names: expect.arrayContaining(["odd/works", "odd/maker-throws"]) });
});

test("a scenario is measured, and says what it is at", async () => {
  const phases: string[] = [];
  const answer = await runInProcess(request("works"), { limitMs, progress: (phase) => phases.push(phase) });
  expect(answer).toMatchObject({ kind: "rows", rows: [{ scenario: "odd/works", subject: "odd" }] });
  expect(phases).toEqual(["prepare", "set up odd", "round 1 of 1"]);
});

test("what a contender prints does not get between the rows", async () => {
  expect(await runInProcess(request("prints"), { limitMs })).toMatchObject({ kind: "rows" });
});

test.each([
  ["throws", "ERR_BENCH_THREW", "out of dough"],
  ["rejects", "ERR_BENCH_THREW", "out of cheese"],
  ["maker-throws", "ERR_BENCH_THREW", "no fixture"],
  ["nothing", "ERR_BENCH_THREW", "did no operation"],
  ["missing", "ERR_BENCH_THREW", "has no scenario odd/missing"],
  ["killed", "ERR_BENCH_KILLED", "by SIGKILL, at: set up odd"],
  ["exits", "ERR_BENCH_KILLED", "with exit code 7"],
  // Its teardown ends the worker and says so, which is the failure.
  ["worker", "ERR_BENCH_THREW", "the worker was ended"],
])("%s is an error that names the scenario: %s", async (name, code, text) => {
  await expect(runInProcess(request(name), { limitMs })).rejects.toMatchObject({
    code,
    scenario: `odd/${name}`,
    message: expect.stringMatching(new RegExp(`^odd/${name}[^]*${text}`)),
  });
});

test.each(["hangs", "never-resolves"])("%s is killed at the end of its time", async (name) => {
  const failure = { code: "ERR_BENCH_TIMEOUT", message: expect.stringContaining("--limit SECONDS") };
  await expect(runInProcess(request(name), { limitMs: 1500 })).rejects.toMatchObject(failure);
});

test("an interruption ends the process", async () => {
  const interruption = new AbortController();
  const running = runInProcess(request("hangs"), {
    limitMs,
    signal: interruption.signal,
    progress: () => interruption.abort(),
  });
  await expect(running).rejects.toMatchObject({ code: "ERR_BENCH_INTERRUPTED" });
});
