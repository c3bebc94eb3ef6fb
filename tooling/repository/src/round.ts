/** One round of `npm run dev`: turbo's run of build and tests, with a line for each task that starts. */

import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { machineEnvironment } from "./machine.ts";

/** What became of a round. */
export interface Round {
  /** How many tasks ran; the others had not changed. */
  readonly started: number;
  readonly failed: readonly FailedTask[];
  /** What turbo complained about where it failed without a failed task: no such thing as a test result. */
  readonly complaint: string | undefined;
}

/** A task that failed. */
export interface FailedTask {
  /** As turbo names it: `@latchkey/asn1#test`. */
  readonly name: string;
  /** What it printed. */
  readonly output: string;
}

/** A line of `turbo --json`: of turbo itself, or of the task that `source` names. */
interface Line {
  readonly source: string;
  readonly text: string;
}

/** Runs what changed. When `signal` is aborted, turbo ends the tasks that it started, and the round is over. */
export async function runRound(root: string, signal: AbortSignal, print: (line: string) => void): Promise<Round> {
  const turbo = spawn("turbo", ["run", "build", "test", "--continue", "--output-logs=new-only", "--json"], {
    cwd: root,
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, ...machineEnvironment() },
  });
  const stop = (): void => void turbo.kill("SIGINT");
  signal.addEventListener("abort", stop);
  if (signal.aborted) stop();
  const outputs = new Map<string, string[]>();
  const complaints: string[] = [];
  let started = 0;
  let failedNames: string[] = [];
  turbo.stderr.setEncoding("utf8").on("data", (text: string) => complaints.push(text.trimEnd()));
  createInterface({ input: turbo.stdout }).on("line", (json) => {
    const { source, text }: Line = JSON.parse(json);
    if (!source.includes("#")) {
      const names = /^Failed:\s+(.+)$/u.exec(text)?.[1];
      if (names !== undefined) failedNames = names.split(", ");
    } else if (/^cache (?:miss|bypass)/u.test(text)) {
      started++;
      print(source);
    } else {
      const lines = outputs.get(source) ?? [];
      outputs.set(source, lines);
      lines.push(text);
    }
  });
  const status = await new Promise<number | null>((resolve, reject) => {
    turbo.once("error", reject);
    turbo.once("close", resolve);
  });
  signal.removeEventListener("abort", stop);
  return {
    started,
    failed: failedNames.map((name) => ({ name, output: (outputs.get(name) ?? []).join("\n") })),
    complaint: status === 0 || failedNames.length > 0 ? undefined : complaints.join("\n"),
  };
}
