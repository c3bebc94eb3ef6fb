/** The words of the command line: what is refused before anything is done, and what a shell completes. */

import { fileURLToPath } from "node:url";
import { runProgram } from "@latchkey/tooling-vitest/programs";
import { expect, test } from "vitest";
import { done, main, run } from "./commands/broker-commands.ts";

/** A JSON file that is no object with a key, a file that is no JSON, one that is no PEM. */
const wrongFile = fileURLToPath(new URL("../package.json", import.meta.url));

test.each([
  [["certificate", "shwo"], /certificate shwo" is not a command\. Did you mean show\?/],
  [["policy", "lits"], /Did you mean list\?/],
  [["thing", "list", "--endpoint", "nowhere"], /--endpoint "nowhere" is no URL/],
  [["thing", "list", "--endpoint", "http://127.0.0.1:1"], /needs an access key/],
  [["doctor"], /needs DEVICE/i],
  [["thing", "list", "--endpoint", "ftp://127.0.0.1"], /--endpoint "ftp:\/\/127.0.0.1" is no URL: http:/],
  [["thing", "list", "--endpoint", "http://127.0.0.1", "--credentials", main], /--credentials .* is no JSON object/],
  [["thing", "list", "--endpoint", "http://127.0.0.1", "--credentials", wrongFile], /with accessKeyId and secretAcc/],
  [["thing", "list", "--json=no"], /--json takes no value/],
])("%j is refused in a line", async (words, message) => {
  const { code, stdout, stderr } = await run(words);
  expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
  expect(stderr).toMatch(message);
  expect(stderr.trim().split("\n")).toHaveLength(1);
});

test("the completion of bash completes commands and options", async () => {
  const script = done(await run(["completion"]));
  const complete = async (line: string): Promise<string[]> => {
    const words = line.split(" ");
    const shell = `${script}
COMP_WORDS=(${words.map((word) => `'${word}'`).join(" ")}); COMP_CWORD=${words.length - 1}; _latchkey; echo "\${COMPREPLY[@]}"`;
    return (await runProgram("/bin/bash", ["-c", shell])).stdout.trim().split(" ");
  };
  expect(await complete("latchkey cert")).toEqual(["certificate"]);
  expect(await complete("latchkey certificate de")).toEqual(["describe", "deactivate", "delete"]);
  expect(await complete("latchkey policy version create --def")).toEqual(["--default"]);
  expect(await complete("latchkey start --no-c")).toEqual(["--no-control"]);
});
