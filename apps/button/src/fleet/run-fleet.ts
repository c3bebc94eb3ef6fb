/** Presses the buttons of a fleet from worker threads, and counts. */

import { Worker } from "node:worker_threads";
import type { FleetButton } from "./identities.ts";
import { Latencies } from "./latencies.ts";
import type { WorkerOrder, WorkerResult, WorkerTask } from "./messages.ts";
import { poissonTimes } from "./schedule.ts";

/** What a fleet is to do. */
export interface FleetOptions {
  readonly buttons: readonly FleetButton[];
  readonly connection: WorkerTask["connection"];
  /** How many presses in all; buttons take turns. */
  readonly presses: number;
  readonly perSecond: number;
  readonly workers: number;
  /** Called some times a second. */
  readonly onProgress: (result: FleetResult) => void;
}

/** What has become of a fleet's presses so far. */
export interface FleetResult {
  readonly done: number;
  readonly acknowledged: number;
  /** How many failed, by code. */
  readonly failures: ReadonlyMap<string, number>;
  /** From waking to the acknowledgement. */
  readonly latencies: Latencies;
  /** How late the latest press began, in milliseconds: large where this machine cannot keep the rate. */
  readonly latestMs: number;
  readonly elapsedMs: number;
}

/** Presses under way at once in one worker. */
const maximumUnderWay = 500;

/** Runs a fleet to its end, or until the signal: then no new press begins. Rejects where a worker breaks. */
export async function runFleet(options: FleetOptions, signal: AbortSignal): Promise<FleetResult> {
  const workers = tasksOf(options).map(
    (workerData) => new Worker(new URL("./worker.ts", import.meta.url), { workerData }),
  );
  const tell = (order: WorkerOrder): void => {
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a worker of node, not a window
    for (const worker of workers) worker.postMessage(order);
  };
  const stop = (): void => tell("stop");
  signal.addEventListener("abort", stop, { once: true });
  try {
    await Promise.all(workers.map(untilReady));
    const counter = new Counter();
    tell("start");
    await Promise.all(
      workers.map(
        (worker) =>
          new Promise<void>((resolve, reject) => {
            worker.on("message", (results: readonly WorkerResult[]) => {
              for (const result of results) counter.add(result);
              options.onProgress(counter.result());
            });
            worker.once("error", reject);
            worker.once("exit", () => resolve());
          }),
      ),
    );
    return counter.result();
  } finally {
    signal.removeEventListener("abort", stop);
    await Promise.all(workers.map((worker) => worker.terminate()));
  }
}

/** Loading takes a worker longer than a press: the clock begins when all are ready. */
function untilReady(worker: Worker): Promise<void> {
  return new Promise((resolve, reject) => {
    worker.once("message", () => resolve());
    worker.once("error", reject);
  });
}

/** Shares buttons and presses among the workers: a button's presses are all in one worker. */
function tasksOf({ buttons, connection, presses, perSecond, workers }: FleetOptions): WorkerTask[] {
  const times = poissonTimes(presses, perSecond, Math.random);
  const tasks = Array.from({ length: workers }, () => ({
    connection,
    buttons: [] as FleetButton[],
    presses: [] as { readonly button: number; readonly atMs: number }[],
    maximumUnderWay,
  }));
  for (const [index, button] of buttons.entries()) tasks[index % workers]?.buttons.push(button);
  for (const [index, atMs] of times.entries()) {
    const button = index % buttons.length;
    tasks[button % workers]?.presses.push({ button: Math.floor(button / workers), atMs });
  }
  return tasks;
}

class Counter {
  readonly #latencies = new Latencies();
  readonly #failures = new Map<string, number>();
  readonly #startMs = performance.now();
  #done = 0;
  #latestMs = 0;

  add({ milliseconds, lateMs, failure }: WorkerResult): void {
    this.#done++;
    this.#latestMs = Math.max(this.#latestMs, lateMs);
    if (failure === undefined) this.#latencies.add(milliseconds);
    else this.#failures.set(failure, (this.#failures.get(failure) ?? 0) + 1);
  }

  result(): FleetResult {
    return {
      done: this.#done,
      acknowledged: this.#latencies.count,
      failures: this.#failures,
      latencies: this.#latencies,
      latestMs: this.#latestMs,
      elapsedMs: performance.now() - this.#startMs,
    };
  }
}
