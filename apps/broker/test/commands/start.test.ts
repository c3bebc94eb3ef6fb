/** What `latchkey start` says: what it has made and where, at the first start alone; for people in a terminal, as JSON in a pipe. */

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { findProgram, startProgram } from "@latchkey/tooling-vitest/programs";
import { afterAll, beforeAll, expect, test } from "vitest";

const main = fileURLToPath(new URL("../../src/main.ts", import.meta.url));
let scratch: string;
beforeAll(() => {
  scratch = mkdtempSync(join(tmpdir(), "latchkey-start-"));
});
afterAll(() => rmSync(scratch, { recursive: true }));

const wordsFor = (data: string): string[] => [
  "--conditions=@latchkey/source",
  main,
  "start",
  "--port",
  "0",
  "--data",
  data,
];

test("in a pipe the log is JSON, and only the first start tells of a new directory", async () => {
  const data = join(scratch, "piped");
  const starts: (readonly string[])[] = [];
  for (let start = 0; start < 2; start++) {
    const broker = startProgram(process.execPath, wordsFor(data));
    await broker.saw(/ready mqtts/);
    broker.kill("SIGTERM");
    const { code, stderr } = await broker.finished;
    expect(code).toBe(0);
    const lines = stderr
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as { msg: string; directory?: string });
    starts.push(lines.map(({ msg, directory = "" }) => `${msg} ${directory}`));
  }
  const [first = [], second = []] = starts;
  expect(first).toContainEqual(expect.stringMatching(/^made a data directory: .*server-ca\.pem.*device-ca\.pem/));
  expect(first).toContainEqual(expect.stringContaining(` ${data}`));
  expect(first).toContainEqual(expect.stringContaining(`latchkey certificate create --data ${data} --out`));
  expect(first).toContainEqual(expect.stringMatching(/^made an access key of the control plane/));
  expect(second.filter((line) => line.startsWith("made "))).toEqual([]);
});

test("in a terminal it is lines for people", async ({ skip }) => {
  const program = findProgram("script");
  if (program.path === undefined) return skip(program.skipReason);
  const data = join(scratch, "terminal");
  const line = [process.execPath, ...wordsFor(data)].map((word) => `'${word}'`).join(" ");
  const broker = startProgram("/usr/bin/env", [
    "script",
    "-qec",
    `stty cols 100 rows 40; NO_COLOR=1 ${line}`,
    "/dev/null",
  ]);
  await broker.saw(/ready mqtts/);
  const shown = await broker.saw(/\d\d:\d\d:\d\d info +made a data directory: [^\r\n]*/);
  expect(shown).toContain(data);
  // The terminal sends it to the broker, which stops as it should.
  broker.kill("SIGTERM");
  await broker.finished;
});
