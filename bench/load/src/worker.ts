/** Worker thread of the generator: runs the script of its scenario with its share of the clients. */

import { parentPort, workerData } from "node:worker_threads";
import { stackOf } from "./errors.ts";
import { runConnect } from "./scripts/connect.ts";
import { runControlPlane } from "./scripts/control-plane.ts";
import { runHandshakes } from "./scripts/handshake.ts";
import { runMessages } from "./scripts/messages.ts";
import { runOffline } from "./scripts/offline.ts";
import { runHttpPresses, runMqttPresses } from "./scripts/press.ts";
import { runRetained } from "./scripts/retained.ts";
import type { ScenarioName } from "./settings.ts";
import type { FromWorker, WorkerTask } from "./task.ts";
import { WorkerContext } from "./worker-context.ts";

const scripts: Readonly<Record<ScenarioName, (context: WorkerContext) => Promise<void>>> = {
  handshake: runHandshakes,
  connect: runConnect,
  "fan-in": runMessages,
  "fan-out": runMessages,
  pairs: runMessages,
  shared: runMessages,
  mixed: runMessages,
  soak: runMessages,
  storm: runMessages,
  press: runMqttPresses,
  "http-press": runHttpPresses,
  retained: runRetained,
  offline: runOffline,
  "control-plane": runControlPlane,
};

if (parentPort === null) throw new Error("worker.ts is started by run-round.ts");
const port = parentPort;
// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- written by run-round.ts
const task = workerData as WorkerTask;
const context = new WorkerContext(task, port);
try {
  await scripts[task.settings.scenario](context);
  context.finish();
} catch (error) {
  const message: FromWorker = {
    type: "failed",
    message: stackOf(error),
  };
  port.postMessage(message);
}
