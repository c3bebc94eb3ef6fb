/** Starts a process for one request and waits for its answer, for its end or for the end of its time. */

import { fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import { ScenarioError } from "./errors.ts";
import type { Answer, Request } from "./request.ts";

const childModule = fileURLToPath(new URL("./child.ts", import.meta.url));

/** How a process is run. */
export interface ProcessOptions {
  /** After this long the process is killed. */
  readonly limitMs: number;
  /** Kills the process. */
  readonly signal?: AbortSignal;
  readonly progress?: (phase: string) => void;
}

/** What to do where the machine has no room for one more process; empty for anything else. */
function adviceFor(error: NodeJS.ErrnoException): string {
  if (error.code === "EMFILE") return ': raise the limit of file descriptors with "ulimit -n"';
  if (error.code === "EAGAIN") return ': raise the limit of processes with "ulimit -u"';
  return "";
}

/** Resolves with the last answer; rejects with a `ScenarioError` that names the scenario. */
export function runInProcess(request: Request, options: ProcessOptions): Promise<Answer> {
  const { limitMs, signal, progress = () => {} } = options;
  const name = request.kind === "measure" ? request.scenario : request.suite;
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(new ScenarioError("ERR_BENCH_INTERRUPTED", name, `${name} was interrupted`));
    // What a contender prints must not get between the rows.
    const child = fork(childModule, [JSON.stringify(request)], { stdio: ["ignore", 2, 2, "ipc"] });
    let last: Answer | undefined;
    let phase = "start";
    let failure: ScenarioError | undefined;
    const end = (code: "ERR_BENCH_TIMEOUT" | "ERR_BENCH_INTERRUPTED", text: string): void => {
      failure ??= new ScenarioError(code, name, text);
      child.kill("SIGKILL");
    };
    const timer = setTimeout(() => {
      end(
        "ERR_BENCH_TIMEOUT",
        `${name} did not end in ${limitMs / 1000} s; it was at: ${phase}. A longer time: --limit SECONDS`,
      );
    }, limitMs);
    const interrupt = (): void => end("ERR_BENCH_INTERRUPTED", `${name} was interrupted`);
    signal?.addEventListener("abort", interrupt);
    child.on("message", (message) => {
      const answer = message as Answer;
      if (answer.kind === "phase") progress((phase = answer.phase));
      else last = answer;
    });
    child.once("error", (error) => {
      failure ??= new ScenarioError(
        "ERR_BENCH_KILLED",
        name,
        `${name}: its process did not start: ${error.message}${adviceFor(error)}`,
      );
    });
    child.once("close", (code, killedBy) => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", interrupt);
      if (last?.kind === "failed") reject(new ScenarioError("ERR_BENCH_THREW", name, `${name} threw: ${last.reason}`));
      else if (last !== undefined) resolve(last);
      else if (failure !== undefined) reject(failure);
      else {
        const how = killedBy === null ? `with exit code ${code}` : `by ${killedBy}`;
        reject(new ScenarioError("ERR_BENCH_KILLED", name, `${name}: its process ended ${how}, at: ${phase}`));
      }
    });
  });
}
