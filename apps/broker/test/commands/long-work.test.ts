/** What is seen of long work: in a terminal, in a terminal that can do nothing, in a pipe. */

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { findProgram, startProgram, type Started } from "@latchkey/tooling-vitest/programs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

const worker = fileURLToPath(new URL("./long-worker.ts", import.meta.url));
let scratch: string;
let next = 0;
beforeAll(() => {
  scratch = mkdtempSync(join(tmpdir(), "latchkey-long-work-"));
});
afterAll(() => rmSync(scratch, { recursive: true }));

/** The work ends when `finish` is called. */
interface Work extends Started {
  readonly finish: () => void;
}

function start(kind: "stays" | "passes", before: string | undefined, ...more: string[]): Work {
  const file = join(scratch, `end-${next++}`);
  const words = ["--conditions=@latchkey/source", worker, kind, file, ...more];
  const finish = (): void => writeFileSync(file, "");
  if (before === undefined) return { ...startProgram(process.execPath, words), finish };
  const line = [process.execPath, ...words].map((word) => `'${word}'`).join(" ");
  // Everything that the terminal shows is the standard output of `script`.
  return { ...startProgram("/usr/bin/env", ["script", "-qec", `${before} ${line}`, "/dev/null"]), finish };
}

describe("in a terminal", () => {
  const terminal = "stty cols 80 rows 24; NO_COLOR=1";

  test.skipIf(findProgram("script").path === undefined)(
    "a line moves with the work and stands at its end",
    async () => {
      const work = start("stays", terminal);
      await work.saw(/working: step \d+/);
      work.finish();
      const { stdout } = await work.finished;
      expect(stdout).toMatch(/✔ working\r\n.*the result\r\n/);
      // oxlint-disable-next-line no-control-regex -- colours are what must not be there
      expect(stdout).not.toMatch(/\u001B\[\d*m/);
    },
  );

  test.skipIf(findProgram("script").path === undefined)("a failure is given on, and not told twice", async () => {
    const work = start("stays", terminal, "fails");
    await work.saw(/working: step \d+/);
    work.finish();
    const { stdout } = await work.finished;
    expect(stdout).toMatch(/✖ working/);
    expect(stdout.match(/it did not work/g)).toHaveLength(1);
  });

  test.skipIf(findProgram("script").path === undefined)(
    "a passing line appears for long work, and goes away",
    async () => {
      const work = start("passes", terminal);
      await work.saw(/working: step \d+/);
      work.finish();
      const { stdout } = await work.finished;
      // Behind the last of it the cursor goes up again, and the line is erased.
      const last = stdout.slice(stdout.lastIndexOf("working"));
      expect(last).toContain("\u001B[1A\u001B[2K");
      expect(last).toMatch(/the result\r\n/);
      const short = start("passes", terminal);
      short.finish();
      expect((await short.finished).stdout).toBe("the result\r\n");
    },
  );

  test.skipIf(findProgram("script").path === undefined).each(["TERM=dumb", "stty cols 0;"])(
    "no line moves with %s",
    async (before) => {
      const work = start("stays", before);
      await work.saw(/working/);
      work.finish();
      expect((await work.finished).stdout).toBe("working\r\nthe result\r\n");
    },
  );
});

test("in a pipe there is one plain line, and none for what passes", async () => {
  const work = start("stays", undefined);
  await work.saw(/working/);
  work.finish();
  expect(await work.finished).toEqual({ code: 0, stdout: "the result\n", stderr: "working\n" });
  const passing = start("passes", undefined);
  passing.finish();
  expect(await passing.finished).toEqual({ code: 0, stdout: "the result\n", stderr: "" });
});
