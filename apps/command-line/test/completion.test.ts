/** Completion by the shells themselves, as they do it when a person presses Tab. */

import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { findProgram, type Program, runProgram } from "@latchkey/tooling-vitest/programs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

const program = fileURLToPath(new URL("./completed-program.ts", import.meta.url));

type Shell = "bash" | "zsh" | "fish";

let scratch: string;
beforeAll(async () => {
  scratch = mkdtempSync(join(tmpdir(), "latchkey-completion-"));
  mkdirSync(join(scratch, "home"));
  writeFileSync(join(scratch, "cake.txt"), "");
  for (const shell of ["bash", "zsh", "fish"]) {
    const { stdout } = await runProgram(process.execPath, [program, "completion", "--shell", shell]);
    writeFileSync(join(scratch, `my-tool.${shell}`), stdout);
  }
});
afterAll(() => rmSync(scratch, { recursive: true }));

const shells: Readonly<Record<Shell, Program>> = {
  bash: findProgram("bash"),
  zsh: findProgram("zsh"),
  fish: findProgram("fish"),
};

/** What the shell offers for the last word of the line, in order. */
type Complete = (line: string) => Promise<string[]>;

const complete: Readonly<Record<Shell, Complete>> = {
  // What readline does, as far as it is bash's own: the function is called, and `-o default` gives files.
  bash: (line) => {
    const words = line.split(" ");
    const setUp = `COMP_WORDS=(${words.map((word) => `'${word}'`).join(" ")}); COMP_CWORD=${words.length - 1}`;
    const files = `[ \${#COMPREPLY[@]} -gt 0 ] || COMPREPLY=($(compgen -f -- "\${COMP_WORDS[COMP_CWORD]}"))`;
    return lines("bash", [
      "-c",
      `source my-tool.bash; ${setUp}; _my_tool; ${files}; printf '%s\\n' "\${COMPREPLY[@]}"`,
    ]);
  },
  zsh: (line) => byZsh("source ./my-tool.zsh", line),
  fish: (line) => lines("fish", ["--no-config", "-c", `source my-tool.fish; complete -C '${line}'`]),
};

/** Types a line and Tab into zsh on a terminal of its own, whose `compadd` writes down what it would offer. */
async function byZsh(loading: string, line: string): Promise<string[]> {
  writeFileSync(join(scratch, "offered"), "");
  const inside = `
PS1=''
${loading}
compadd() {
  local -a found
  # _files asks compadd itself what matches, which is no offer yet.
  if [[ " \${(j: :)@[1,(i)(-|--)]} " == *\\ -[a-zA-Z]#[OAD]\\ * ]]; then builtin compadd "$@"; return; fi
  builtin compadd -A found "$@"
  print -rl -- $found >> ${scratch}/offered
  (( $#found ))
}
comppostfuncs=(exit)
print set-up
`;
  writeFileSync(join(scratch, "inside.zsh"), inside);
  const outside = `
zmodload zsh/zpty
zpty shell zsh -f -i -o extendedglob
zpty -w shell 'source ./inside.zsh'
zpty -r shell heard '*set-up*'
zpty -w -n shell '${line}'$'\\t'
while zpty -r shell heard; do :; done
`;
  await lines("zsh", ["-f", "-c", outside]);
  return readFileSync(join(scratch, "offered"), "utf8")
    .split("\n")
    .filter((offer) => offer !== "");
}

async function lines(shell: Shell, words: readonly string[]): Promise<string[]> {
  const home = [`HOME=${join(scratch, "home")}`, "TERM=dumb", "LC_ALL=C.UTF-8"];
  const { code, stdout, stderr } = await runProgram("/usr/bin/env", [...home, shells[shell].path ?? "", ...words], {
    cwd: scratch,
  });
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  return stdout.split("\n").filter((offer) => offer !== "");
}

describe.each(["bash", "zsh", "fish"] as const)("%s", (shell) => {
  const { path, skipReason } = shells[shell];

  test.skipIf(path === undefined).each([
    ["my-tool ba", ["bake"]],
    ["my-tool pantry sh", ["shelf"]],
    ["my-tool pantry l", ["list", "lock"]],
    // Of two commands with one name only what follows this one.
    ["my-tool pantry shelf l", ["list", "list-all"]],
    ["my-tool pantry list --", ["--help", "--json"]],
    ["my-tool bake --", ["--heat", "--help", "--no-light", "--out", "--slow"]],
    ["my-tool bake --slow --no", ["--no-light"]],
    // The value of an option: one of its own, or a file.
    ["my-tool bake --heat ", ["high", "low"]],
    ["my-tool bake --out ca", ["cake.txt"]],
    // A value that is a command's name elsewhere, and a word that is none.
    ["my-tool bake --out pantry --h", ["--heat", "--help"]],
    ["my-tool look cake --d", ["--deep"]],
    ["my-tool completion --shell ", ["bash", "fish", "zsh"]],
  ])(`completes %j${path === undefined ? `: ${skipReason}` : ""}`, async (line, offered) => {
    expect((await complete[shell](line)).sort()).toEqual(offered);
  });
});

test.skipIf(shells.zsh.path === undefined)("zsh finds the script in a folder of fpath, too", async () => {
  const folder = join(scratch, "functions");
  mkdirSync(folder);
  writeFileSync(join(folder, "_my-tool"), readFileSync(join(scratch, "my-tool.zsh")));
  const loading = `fpath=(${folder} $fpath); autoload -U compinit; compinit -D`;
  expect(await byZsh(loading, "my-tool pantry shelf l")).toEqual(["list", "list-all"]);
});
