import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { runProgram, startProgram } from "@latchkey/tooling-vitest/programs";
import { afterAll, expect, test, vi } from "vitest";

const main = fileURLToPath(new URL("../src/main.ts", import.meta.url));
const command = (words: readonly string[]): string[] => ["--conditions=@latchkey/source", main, ...words];
const bench = (...words: string[]) => runProgram(process.execPath, command(words), { timeoutMs: 120_000 });
const folder = mkdtempSync(join(tmpdir(), "latchkey-load-"));
afterAll(() => rmSync(folder, { recursive: true }));
const read = (file: string) => JSON.parse(readFileSync(file, "utf8"));
// A cold cache makes certificates first.
vi.setConfig({ testTimeout: 130_000 });

test.each([
  [["--scenari", "press"], "--scenari is no flag; did you mean --scenario?"],
  [["--scenario", "press", "--clients", "0"], "--clients is 0: it is a whole number from 1 to 100000"],
  [["--scenario", "press", "--rate", "1e9"], "--rate is 1e9: it is a number from 0 to 5000000"],
  [["--scenario", "press", "--json", join(folder, "absent", "x.json")], "is missing or read-only (ENOENT)"],
  [["--scenario", "press", "--json", folder], "is a folder"],
  [["--scenario", "press", "--url", "https://127.0.0.1:1"], "it has the form mqtts://HOST:PORT or mqtt://HOST:PORT"],
  [["--scenario", "http-press", "--http-url", "x"], "--http-url is x: it has the form https://HOST:PORT"],
  [["--scenario", "press", "--url", "mqtts://127.0.0.1:1"], "cannot be reached by TLS at 127.0.0.1:1: ECONNREFUSED"],
])("%j is refused before anything is measured, with what would be accepted", async (words, message) => {
  const { code, stdout, stderr } = await bench(...words);
  expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
  expect(stderr).toContain(message);
  expect(stderr).not.toContain("    at ");
});

test("a client certificate that is no PEM is named", async () => {
  const file = join(folder, "device.der");
  writeFileSync(file, "0\x82");
  const words = ["--scenario", "press", "--url", "mqtts://127.0.0.1:1", "--certificate", file, "--key", file];
  expect(await bench(...words)).toMatchObject({
    code: 1,
    stderr: expect.stringContaining(`--certificate ${file} is no PEM`),
  });
});

test.each(["SIGINT", "SIGHUP"] as const)("%s ends a run with what was measured until then", async (signal) => {
  const file = join(folder, `${signal}.json`);
  const words = ["--scenario", "pairs", "--publishers", "2", "--rate", "100", "--duration", "60", "--warm-up", "0"];
  const running = startProgram(process.execPath, command([...words, "--no-pin", "--json", file]), {
    timeoutMs: 120_000,
  });
  await running.saw(/ [1-9]\d* of \d+, \d+\/s/);
  running.kill(signal);
  expect((await running.finished).code).toBe(130);
  const { interrupted, results } = read(file);
  expect(interrupted).toBe(true);
  const [{ sent, received, lost }] = results;
  expect(received).toBeGreaterThan(0);
  expect(sent).toBe(received + lost);
});

test("each entry is written when it is there, so that a run that is killed leaves the entries before", async () => {
  const file = join(folder, "killed.json");
  const words = ["--scenario", "pairs", "--publishers", "2", "--rate", "100", "--duration", "3", "--warm-up", "0"];
  const running = startProgram(process.execPath, command([...words, "--workers", "1,2", "--no-pin", "--json", file]), {
    timeoutMs: 120_000,
  });
  await running.saw(/scaling efficiency: 100 %/);
  running.kill("SIGKILL");
  await running.finished;
  expect(read(file)).toMatchObject({ interrupted: true, results: [{ workers: 1, scalingEfficiency: 1 }] });
});
