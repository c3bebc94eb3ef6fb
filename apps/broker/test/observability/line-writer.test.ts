import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runProgram } from "@latchkey/tooling-vitest/programs";
import { afterAll, describe, expect, test } from "vitest";
import { LineWriter } from "../../src/observability/line-writer.ts";

const folder = mkdtempSync(join(tmpdir(), "latchkey-lines-"));
afterAll(() => rmSync(folder, { recursive: true }));
let files = 0;
const newFile = (): string => join(folder, `log-${files++}`);
const writerOn = (destination: string, maximumCharacters = 1000): LineWriter =>
  new LineWriter({ destination, maximumCharacters, droppedLine: (count) => `${count} missing\n` });
const written = (file: string): Promise<string[]> =>
  expect
    .poll(() => readFileSync(file, "utf8"))
    .toMatch(/end\n$/)
    .then(() => readFileSync(file, "utf8").split("\n"));

describe("on a file", () => {
  test("lines come in their order, beside what was there", async () => {
    const file = newFile();
    writeFileSync(file, "before\n");
    const writer = writerOn(file, 1e6);
    for (let n = 0; n < 20_000; n++) writer.write(`${n}\n`);
    writer.write("end\n");
    expect(await written(file)).toEqual(["before", ...Array.from({ length: 20_000 }, (_, n) => String(n)), "end", ""]);
  });

  test("beyond the bound they are dropped, and one line at that place says how many", async () => {
    const file = newFile();
    const writer = writerOn(file, 10);
    for (const line of ["one\n", "two\n", "three\n", "four\n", "five\n"]) writer.write(line);
    await expect.poll(() => readFileSync(file, "utf8")).toBe("one\ntwo\n3 missing\n");
    writer.write("end\n");
    expect(await written(file)).toEqual(["one", "two", "3 missing", "end", ""]);
    expect(writer.dropped).toBe(3);
  });

  test("that was renamed, a new one is begun when it is opened again", async () => {
    const file = newFile();
    const writer = writerOn(file);
    writer.write("one\n");
    await expect.poll(() => readFileSync(file, "utf8")).toBe("one\n");
    renameSync(file, `${file}.1`);
    writer.reopen();
    writer.write("end\n");
    expect(await written(file)).toEqual(["end", ""]);
    expect(readFileSync(`${file}.1`, "utf8")).toBe("one\n");
  });

  test("a flush at the end leaves nothing behind", () => {
    const file = newFile();
    const writer = writerOn(file);
    writer.write("one\n");
    writer.write("end\n");
    writer.flushSync();
    expect(readFileSync(file, "utf8")).toBe("one\nend\n");
  });
});

describe("a process that logs", () => {
  const module = new URL("../../src/observability/open-log.ts", import.meta.url).href;
  const run = (body: string): string[] => [
    "--conditions=@latchkey/source",
    "--input-type=module",
    "-e",
    `import { openLog } from ${JSON.stringify(module)};
     const { log } = openLog({ level: "info" });
     for (let n = 0; n < 1000; n++) log.info({ n }, "line");
     ${body}`,
  ];
  const lineNumbers = (stderr: string): unknown[] =>
    stderr
      .split("\n")
      .filter((line) => line.includes('"n":'))
      .map((line) => (JSON.parse(line) as { n: number }).n);
  const all = Array.from({ length: 1000 }, (_, n) => n);

  test.each([
    ["ends", "", 0],
    ["calls exit", "process.exit(3);", 3],
  ])("and %s has written every line", async (_, body, code) => {
    const finished = await runProgram(process.execPath, run(body));
    expect(finished.code).toBe(code);
    expect(lineNumbers(finished.stderr)).toEqual(all);
  });

  test("and crashes has written every line, and last why", async () => {
    const { code, stderr } = await runProgram(
      process.execPath,
      run(`setTimeout(() => { throw new Error("a defect"); }, 1);`),
    );
    expect(code).toBe(1);
    expect(lineNumbers(stderr)).toEqual(all);
    expect(stderr).toMatch(/\{"level":60,[^\n]*a defect[^\n]*"msg":"crashed"\}/);
  });

  test("and whose reader is gone goes on", async () => {
    const child = spawn(process.execPath, run(`setTimeout(() => { log.info("more"); process.exit(3); }, 50);`), {
      stdio: ["ignore", "ignore", "pipe"],
    });
    child.stderr?.destroy();
    expect(await once(child, "exit")).toEqual([3, null]);
  });
});
