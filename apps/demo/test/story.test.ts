import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { stripVTControlCharacters } from "node:util";
import { terminalOf, widthOf } from "@latchkey/command-line";
import { runProgram, startProgram } from "@latchkey/tooling-vitest/programs";
import { expect, test } from "vitest";
import { tellStory, type KeptStory } from "../src/story.ts";

test("the story is told to its good end, in a terminal of 80 columns, and leaves nothing behind", async () => {
  let text = "";
  const kept: KeptStory[] = [];
  const isGood = await tellStory({
    terminal: terminalOf({ isTTY: true, columns: 80 }, {}),
    write: (piece) => (text += piece),
    isSlow: false,
    onEnd: async (running) => {
      kept.push(running);
      expect(existsSync(running.folder)).toBe(true);
    },
  });
  const plain = stripVTControlCharacters(text);
  expect([isGood, plain]).toEqual([true, expect.stringContaining("Every step did what the article says.")]);
  expect(text).not.toBe(plain);
  const tooWide = plain.split("\n").filter((line) => widthOf(line) > 80);
  expect(tooWide).toEqual([]);

  for (const serialNumber of ["G030JF055364XVRB", "G030JF051234A5BC", "G030JF052345MARG"]) {
    expect(plain).toContain(`✓ pizzeria     reads iotbutton/${serialNumber}`);
  }
  expect(plain).toMatch(/✗ refused      by policy \(implicit-deny\)/);
  expect(plain).toMatch(/stands\s+for topic\/iotbutton\/G030JF051234A5BC here/);
  expect(plain).toMatch(/is REVOKED, and\s+only ACTIVE ones may connect/);
  expect(plain.match(/^ {3}✗ (policy|certificate|handshake) /gm)?.length).toBeGreaterThanOrEqual(13);
  expect(plain).toMatch(/✗ attacks\s+(\d+) of \1 refused/);
  expect(kept.map(({ folder }) => existsSync(folder))).toEqual([false]);
}, 120_000);

test("in a pipe it is plain; with --keep it stays, and the commands that it prints work", async () => {
  const main = fileURLToPath(new URL("../src/main.ts", import.meta.url));
  const root = fileURLToPath(new URL("../../..", import.meta.url));
  const demo = startProgram(process.execPath, ["--conditions=@latchkey/source", main, "--keep"], {
    timeoutMs: 110_000,
  });
  try {
    await demo.saw(/Orders appear here/);
    const command = (await demo.saw(/# Press a button\n.*/)).split("\n")[1] ?? "";
    const neighbour = (await demo.saw(/# Order on the neighbour's account\n.*/)).split("\n")[1] ?? "";
    const inShell = (line: string) => runProgram("/bin/sh", ["-c", line], { cwd: root });
    expect(await inShell(command)).toMatchObject({
      code: 0,
      stdout: expect.stringContaining("acknowledged: iotbutton/"),
    });
    await demo.saw(/✓ iotbutton\/G030JF051234A5BC \{"serialNumber":"G030JF051234A5BC",/);
    expect(await inShell(neighbour)).toMatchObject({ code: 1, stderr: expect.stringContaining("ERR_BUTTON_") });
    expect(command).toContain(" --device ");
    const folder = /--device (\S+)\/G030/.exec(command)?.[1] ?? "";
    expect(existsSync(folder)).toBe(true);
    demo.kill("SIGINT");
    const { code, stdout } = await demo.finished;
    expect(code).toBe(0);
    expect(stdout).toBe(stripVTControlCharacters(stdout));
    expect(existsSync(folder)).toBe(false);
  } finally {
    demo.kill("SIGTERM");
  }
}, 120_000);
