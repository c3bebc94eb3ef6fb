/** Through a real process, since what counts is what a shell and a person see. */

import { fileURLToPath } from "node:url";
import { runProgram, type Finished } from "@latchkey/tooling-vitest/programs";
import { expect, test } from "vitest";

const program = fileURLToPath(new URL("./program.ts", import.meta.url));

function run(...words: string[]): Promise<Finished> {
  return runProgram(process.execPath, [program, ...words], { timeoutMs: 60_000 });
}

test.each([
  [[], 'ERR_TOOL_USAGE: "tool" needs a command: cut, bake. See tool --help'],
  [["--oven", "3"], 'ERR_TOOL_USAGE: "tool" needs a command before --oven: cut, bake. See tool --help'],
  [["bkae"], 'ERR_TOOL_USAGE: "tool bkae" is not a command. Did you mean bake? Commands: cut, bake.'],
  [["__proto__"], 'ERR_TOOL_USAGE: "tool __proto__" is not a command. Commands: cut, bake.'],
  [
    ["bake", "--otu", "x"],
    'ERR_TOOL_USAGE: --otu is not an option of "tool bake". Did you mean --out? Options: --out, --heat, --slow.',
  ],
  [["bake", "-o", "x"], 'ERR_TOOL_USAGE: -o is not an option of "tool bake". Options: --out, --heat, --slow.'],
  [["bake"], 'ERR_TOOL_USAGE: --out is missing in "tool bake": Where it goes'],
  [["bake", "--out"], "ERR_TOOL_USAGE: --out needs a value: Where it goes"],
  [["bake", "--out", "--slow"], "ERR_TOOL_USAGE: --out needs a value: Where it goes"],
  [["bake", "--out="], "ERR_TOOL_USAGE: --out is empty: Where it goes"],
  [
    ["bake", "--out", "a", "--heat", "loud"],
    'ERR_TOOL_USAGE: --heat "loud" is not possible. Did you mean low? Possible values: low, high.',
  ],
  [["bake", "now", "--out", "a"], 'ERR_TOOL_USAGE: "tool bake" has no use for "now". Options: --out, --heat, --slow.'],
  [["bake", "--out", "a", "--slow=no"], 'ERR_TOOL_USAGE: --slow takes no value: leave "=no" away, or the whole option'],
  [["cut"], "ERR_TOOL_BLUNT: the knife is blunt"],
  [["cut", "--fast"], "ERR_TOOL_BLUNT: the knife slips: hold it"],
])("%j is refused in one line", async (words, line) => {
  expect(await run(...words)).toEqual({ code: 1, stdout: "", stderr: `${line}\n` });
});

test("what is asked for is done; of an option given twice the last counts", async () => {
  const { code, stdout } = await run("bake", "--out", "a", "--out=-", "--heat", "high", "--slow");
  expect({ code, stdout }).toEqual({ code: 0, stdout: '{"out":"-","heat":"high","slow":true}\n' });
});

test("help has the command as typed and no colours in a pipe", async () => {
  const { code, stdout } = await run("bake", "--help");
  expect(code).toBe(0);
  expect(stdout).toContain("USAGE tool bake [OPTIONS] --out=<out>");
  expect(stdout.includes("\u001B")).toBe(false);
  expect((await run("--help")).stdout).toContain("cut|bake");
  expect(await run("help")).toEqual(await run("--help"));
});

test("--version prints the version", async () => {
  expect(await run("--version")).toEqual({ code: 0, stdout: "0.0.0\n", stderr: "" });
});

test.each([
  ["closed standard output", ">&-"],
  ["a full disk under standard output", ">/dev/full"],
])("%s is no stack trace", async (_, redirection) => {
  const command = `${process.execPath} ${program} --help ${redirection}`;
  const { stderr } = await runProgram("/bin/sh", ["-c", command], { timeoutMs: 60_000 });
  expect(stderr).not.toMatch(/^\s+at /m);
  if (redirection === ">/dev/full")
    expect(stderr).toMatch(/^ERR_TOOL_OUTPUT: standard output cannot be written: .*ENOSPC/);
});

test("a defect shows its stack", async () => {
  const { code, stderr } = await run("cut", "--deep");
  expect(code).toBe(1);
  expect(stderr).toMatch(/Error: not sharp[^]*\n\s+at /);
});
