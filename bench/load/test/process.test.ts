import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { startProgram } from "@latchkey/tooling-vitest/programs";
import { expect, test, vi } from "vitest";

const source = fileURLToPath(new URL("../src/target/process.ts", import.meta.url));

/** A program that starts a target in a folder, as the bench does, says both, and then does `last`. */
const starter = (last: string): string => `
  import { makeRunFolder, startProcess } from ${JSON.stringify(source)};
  const folder = makeRunFolder();
  const { pid } = await startProcess({
    name: "sleeper", path: "/bin/sh", words: ["-c", "echo ready; exec sleep 300"], cores: undefined, ready: /ready/,
  });
  console.log(JSON.stringify({ pid, folder }) + ";");
  ${last}
`;
const start = async (last: string) => {
  const words = ["--conditions=@latchkey/source", "--input-type=module", "--eval", starter(last)];
  const started = startProgram(process.execPath, words);
  const { pid, folder } = JSON.parse((await started.saw(/\{.*\};/)).match(/\{.*\}(?=;)/)?.[0] ?? "");
  return { started, pid, folder };
};

/** False for a process that has ended and that nobody has waited for yet (Z), too. */
function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  const { stdout } = spawnSync("ps", ["-o", "stat=", "-p", String(pid)], { encoding: "utf8" });
  return stdout.trim() !== "" && !stdout.startsWith("Z");
}
const isGone = (pid: number) => vi.waitFor(() => expect(isRunning(pid)).toBe(false), { timeout: 20_000 });

test("an end without clean-up, as after a second Ctrl-C, leaves neither the target nor its folder", async () => {
  const { started, pid, folder } = await start("process.exit(130);");
  expect(await started.finished).toMatchObject({ code: 130 });
  await isGone(pid);
  expect(existsSync(folder)).toBe(false);
});

test.skipIf(process.platform !== "linux")(
  "a bench that is killed takes its target with it, and the next one removes its folder",
  async () => {
    const { started, pid, folder } = await start("setInterval(() => {}, 1000);");
    expect(isRunning(pid)).toBe(true);
    started.kill("SIGKILL");
    await started.finished;
    await isGone(pid);
    const next = await start("process.exit(0);");
    await next.started.finished;
    expect(existsSync(folder)).toBe(false);
  },
);
