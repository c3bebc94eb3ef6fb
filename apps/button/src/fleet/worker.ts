/** One worker thread of a fleet: presses its buttons at their times and tells the main thread what became of each. */

import { parentPort, workerData } from "node:worker_threads";
import { ButtonError } from "../errors.ts";
import { press } from "../press.ts";
import type { WorkerOrder, WorkerResult, WorkerTask } from "./messages.ts";

const task: WorkerTask = workerData;
const port = parentPort;
if (port === null) throw new Error("this is a worker of latchkey-button fleet");

let results: WorkerResult[] = [];
let isStopped = false;
const started = new Promise<void>((resolve) => {
  port.on("message", (order: WorkerOrder) => {
    if (order === "stop") isStopped = true;
    resolve();
  });
});
port.postMessage("ready");
await started;
const report = setInterval(flush, 100);
await pressAll();
clearInterval(report);
flush();
port.close();

function flush(): void {
  if (results.length > 0) port?.postMessage(results);
  results = [];
}

/**
 * Presses begin at their times, or as soon as fewer than the bound are under way, so that a slow broker does not get more and more
 * of them at once. A button that is still awake is pressed again when it has gone to sleep.
 */
async function pressAll(): Promise<void> {
  const startMs = performance.now();
  const underWay = new Set<Promise<void>>();
  const lastPresses = new Map<number, Promise<void>>();
  for (const { button, atMs } of task.presses) {
    const leftMs = atMs - (performance.now() - startMs);
    if (leftMs > 0) await after(leftMs);
    while (underWay.size >= task.maximumUnderWay) await Promise.race(underWay);
    if (isStopped) break;
    const identity = task.buttons[button];
    if (identity === undefined) continue;
    const asleep = lastPresses.get(button) ?? Promise.resolve();
    const one: Promise<void> = asleep
      .then(() => pressOnce(identity, performance.now() - startMs - atMs))
      .finally(() => {
        underWay.delete(one);
        if (lastPresses.get(button) === one) lastPresses.delete(button);
      });
    underWay.add(one);
    lastPresses.set(button, one);
  }
  await Promise.all(underWay);
}

async function pressOnce(button: WorkerTask["buttons"][number], lateMs: number): Promise<void> {
  const startMs = performance.now();
  try {
    await press({ ...task.connection, ...button });
    results.push({ milliseconds: performance.now() - startMs, lateMs, failure: undefined });
  } catch (error) {
    const failure = error instanceof ButtonError ? error.code : "ERR_BUTTON_INTERNAL";
    results.push({ milliseconds: performance.now() - startMs, lateMs, failure });
  }
}

function after(milliseconds: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, milliseconds);
  });
}
