/** Starts the two apps as processes of their own, from their sources, as a user would from a shell. */

import { spawn, type ChildProcess } from "node:child_process";
import { fileURLToPath } from "node:url";

/** What a finished program said. */
export interface Finished {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

const timeoutMs = 30_000;

function start(app: "broker" | "button", words: readonly string[]): ChildProcess {
  const main = fileURLToPath(new URL(`../../${app}/src/main.ts`, import.meta.url));
  return spawn(process.execPath, ["--conditions=@latchkey/source", main, ...words], {
    stdio: ["ignore", "pipe", "pipe"],
  });
}

/** Runs a program to its end. */
export function run(app: "broker" | "button", ...words: string[]): Promise<Finished> {
  const child = start(app, words);
  let stdout = "";
  let stderr = "";
  child.stdout?.on("data", (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr?.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => child.kill("SIGKILL"), timeoutMs);
    child.once("error", reject);
    child.once("close", (code) => {
      clearTimeout(timer);
      resolve({ code, stdout, stderr });
    });
  });
}

/** A broker that is ready. */
export interface RunningProcess {
  readonly port: number;
  /** The log so far, parsed, one object a line. */
  readonly log: readonly Readonly<Record<string, unknown>>[];
  /** SIGTERM, and the exit code. */
  stop(): Promise<number | null>;
}

/** Starts the broker on a free port and waits for its ready line. */
export async function startBroker(...words: string[]): Promise<RunningProcess> {
  const child = start("broker", ["start", "--port", "0", ...words]);
  const log: Record<string, unknown>[] = [];
  let stdout = "";
  let unfinished = "";
  child.stderr?.on("data", (chunk: Buffer) => {
    const lines = (unfinished + chunk.toString()).split("\n");
    unfinished = lines.pop() ?? "";
    for (const line of lines) log.push(parseLine(line));
  });
  const port = await new Promise<number>((resolve, reject) => {
    const timer = setTimeout(() => child.kill("SIGKILL"), timeoutMs);
    child.once("close", () => reject(new Error(`the broker ended: ${JSON.stringify(log)}`)));
    child.stdout?.on("data", (chunk: Buffer) => {
      stdout += chunk.toString();
      const ready = /^ready mqtts:\/\/.*:(\d+)$/m.exec(stdout);
      if (ready === null) return;
      clearTimeout(timer);
      resolve(Number(ready[1]));
    });
  });
  child.removeAllListeners("close");
  return {
    port,
    log,
    stop: () =>
      new Promise((resolve) => {
        if (child.exitCode !== null) resolve(child.exitCode);
        child.once("exit", (code) => resolve(code));
        child.kill("SIGTERM");
      }),
  };
}

function parseLine(line: string): Record<string, unknown> {
  try {
    const parsed: unknown = JSON.parse(line);
    return typeof parsed === "object" && parsed !== null ? { ...parsed } : { msg: line };
  } catch {
    return { msg: line };
  }
}
