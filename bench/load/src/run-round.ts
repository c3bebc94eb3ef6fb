/** One scenario, once, against one running target: starts the workers, leads them from barrier to barrier, measures. */

import { Worker } from "node:worker_threads";
import { nowMs, pause } from "./clock.ts";
import { LoadError, stackOf } from "./errors.ts";
import type { Authorities, PemPair } from "./identities.ts";
import { MemoryOverConnections } from "./memory-over-connections.ts";
import type { Figures, TimelineSecond } from "./result.ts";
import { figuresOf } from "./figures.ts";
import { scenarios } from "./scenario.ts";
import type { Settings } from "./settings.ts";
import { ProcessSampler } from "./target/process-sampler.ts";
import type { Target } from "./target/target.ts";
import { assignClients } from "./assign-clients.ts";
import type { Barrier, DoneReport, FromWorker, LiveReport, MeasuredWindow, ToWorker, WorkerTask } from "./task.ts";
import { Timeline } from "./timeline.ts";

/** What a round needs. */
export interface RoundOptions {
  readonly settings: Settings;
  readonly workers: number;
  readonly target: Target;
  readonly authorities: Authorities;
  readonly identity: PemPair | undefined;
  /** Aborts the round: what was measured until then is the result. */
  readonly signal: AbortSignal;
  readonly onProgress: (progress: RoundProgress) => void;
}

/** What a round looks like while it runs. */
export interface RoundProgress {
  /** Seconds since the measured time began; negative in preparation and warm-up. */
  readonly second: number;
  readonly connections: number;
  readonly sent: number;
  readonly received: number;
  readonly latest: TimelineSecond | undefined;
}

/** How long workers may take to hand in what they have after a stop. */
const stopTimeoutMs = 4000;
const progressIntervalMs = 1000;
/** The time between the last worker's arrival at a barrier and what follows: every worker has heard of it by then. */
const goMs = 30;
/** Messages that are under way may take so long without one arriving, and so long in all. */
const drainIdleMs = 2000;
const drainLimitMs = 60_000;

/**
 * Runs a round. Gives undefined where it was aborted before anything was measured. Throws `ERR_LOAD_WORKER` where a worker
 * fails.
 */
export async function runRound(options: RoundOptions): Promise<Figures | undefined> {
  const round = new Round(options);
  try {
    return await round.run();
  } finally {
    await round.end();
  }
}

class Round {
  readonly #options: RoundOptions;
  readonly #workers: Worker[] = [];
  readonly #live = new Map<number, LiveReport>();
  readonly #done: DoneReport[] = [];
  readonly #reached = new Map<Barrier, number>();
  readonly #timeline = new Timeline();
  readonly #sampler: ProcessSampler;
  readonly #memory: MemoryOverConnections;
  readonly #finished = Promise.withResolvers<void>();
  readonly #progress: NodeJS.Timeout;
  /** Fires when the measured time begins. */
  #begin: NodeJS.Timeout | undefined;
  #window: MeasuredWindow | undefined;
  #cpuBegin: number | null = null;
  #cpuEnd: number | null = null;
  #generatorCpuBegin = process.cpuUsage();
  #endMs: number | undefined;

  constructor(options: RoundOptions) {
    this.#options = options;
    this.#sampler = new ProcessSampler(options.target.processes);
    this.#memory = new MemoryOverConnections(
      () => this.#sampler.totalResidentKilobytes(),
      () => this.#sum("connections"),
      options.settings.scenario === "connect",
    );
    this.#progress = setInterval(() => this.#tell(), progressIntervalMs);
    this.#finished.promise.catch(() => {});
  }

  async run(): Promise<Figures | undefined> {
    const { signal } = this.#options;
    for (const task of makeTasks(this.#options)) this.#start(task);
    const stop = (): void => this.#stop();
    signal.addEventListener("abort", stop, { once: true });
    if (signal.aborted) stop();
    try {
      await this.#finished.promise;
    } finally {
      signal.removeEventListener("abort", stop);
    }
    this.#tell();
    const window = this.#window;
    const endMs = this.#endMs ?? nowMs();
    if (window === undefined || endMs <= window.fromMs) return undefined;
    const generatorCpu = process.cpuUsage(this.#generatorCpuBegin);
    return figuresOf({
      settings: this.#options.settings,
      window,
      endMs,
      reports: this.#done,
      timeline: this.#timeline.seconds(),
      // A target that ended took its CPU time with it.
      targetCpuMicroseconds: this.#cpuBegin === null || this.#cpuEnd === null ? null : this.#cpuEnd - this.#cpuBegin,
      generatorCpuMicroseconds: generatorCpu.user + generatorCpu.system,
      memory: this.#memory.samples(),
      kilobytesPerConnection: this.#memory.kilobytesPerConnection(),
      processes: this.#sampler.stop(),
    });
  }

  async end(): Promise<void> {
    clearInterval(this.#progress);
    clearTimeout(this.#begin);
    this.#memory.stop();
    this.#sampler.stop();
    await Promise.all(this.#workers.map((worker) => worker.terminate()));
  }

  #start(task: WorkerTask): void {
    const worker = new Worker(new URL("./worker.ts", import.meta.url), { workerData: task });
    this.#workers.push(worker);
    const fail = (message: string): void => {
      this.#finished.reject(
        new LoadError("ERR_LOAD_WORKER", `worker ${task.worker} of the generator failed: ${message}`),
      );
    };
    worker.on("error", (error) => fail(stackOf(error)));
    worker.on("message", (message: FromWorker) => {
      if (message.type === "failed") fail(message.message);
      else this.#hear(task.worker, message);
    });
  }

  #hear(worker: number, message: Exclude<FromWorker, { readonly type: "failed" }>): void {
    switch (message.type) {
      case "live":
        this.#live.set(worker, message);
        break;
      case "second":
        this.#timeline.add(message);
        break;
      case "done":
        this.#done.push(message);
        if (this.#done.length === this.#workers.length) this.#finished.resolve();
        break;
      case "reached": {
        const count = (this.#reached.get(message.barrier) ?? 0) + 1;
        this.#reached.set(message.barrier, count);
        if (count < this.#workers.length) break;
        this.#pass(message.barrier).catch((error: unknown) => this.#finished.reject(error));
      }
    }
  }

  /** All workers have reached a barrier. */
  async #pass(barrier: Barrier): Promise<void> {
    let atMs = nowMs() + goMs;
    if (barrier === "ready") {
      this.#window = windowOf(this.#options.settings, atMs);
      const { fromMs } = this.#window;
      this.#begin = setTimeout(() => this.#beginMeasuring(fromMs), Math.max(0, fromMs - nowMs()));
    } else if (barrier === "held") {
      this.#memory.stop();
      this.#cpuEnd = this.#sampler.totalCpuMicroseconds();
      this.#endMs = nowMs();
    } else if (barrier === "sent") {
      await this.#drain();
      this.#cpuEnd ??= this.#sampler.totalCpuMicroseconds();
      this.#endMs ??= nowMs();
      atMs = nowMs();
    }
    const window = this.#window ?? { fromMs: Infinity, toMs: Infinity, phases: [] };
    this.#send({ type: "go", barrier, atMs, window });
  }

  #beginMeasuring(fromMs: number): void {
    this.#sampler.measureFrom(fromMs);
    this.#cpuBegin = this.#sampler.totalCpuMicroseconds();
    this.#generatorCpuBegin = process.cpuUsage();
    this.#memory.start();
  }

  /** Waits for what is under way: until all has arrived, or nothing more does. */
  async #drain(): Promise<void> {
    const untilMs = nowMs() + drainLimitMs;
    let received = this.#sum("received");
    let lastArrivalMs = nowMs();
    while (this.#sum("received") < this.#sum("sent") && !this.#options.signal.aborted) {
      await pause(20, this.#options.signal);
      const next = this.#sum("received");
      if (next !== received) lastArrivalMs = nowMs();
      received = next;
      if (nowMs() - lastArrivalMs > drainIdleMs || nowMs() > untilMs) return;
    }
  }

  #stop(): void {
    this.#endMs ??= nowMs();
    this.#cpuEnd ??= this.#sampler.totalCpuMicroseconds();
    this.#send({ type: "stop" });
    setTimeout(() => this.#finished.resolve(), stopTimeoutMs).unref();
  }

  #send(message: ToWorker): void {
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a worker thread has no origin
    for (const worker of this.#workers) worker.postMessage(message);
  }

  #sum(field: "connections" | "sent" | "received"): number {
    return [...this.#live.values()].reduce((sum, report) => sum + report[field], 0);
  }

  #tell(): void {
    this.#options.onProgress({
      second: this.#window === undefined ? -1 : (nowMs() - this.#window.fromMs) / 1000,
      connections: this.#sum("connections"),
      sent: this.#sum("sent"),
      received: this.#sum("received"),
      latest: this.#timeline.latest(),
    });
  }
}

/** What is measured of a round whose load begins at `startMs`. */
function windowOf({ scenario, warmUp, rampUp, duration }: Settings, startMs: number): MeasuredWindow {
  if (!scenarios[scenario].isTimed) {
    return { fromMs: startMs + rampUp * 1000, toMs: Number.POSITIVE_INFINITY, phases: [] };
  }
  const fromMs = startMs + Math.max(warmUp, rampUp) * 1000;
  const toMs = fromMs + duration * 1000;
  const third = (toMs - fromMs) / 3;
  const names = scenario === "storm" ? ["before", "storm", "after"] : [];
  const phases = names.map((name, index) => ({
    name,
    fromMs: fromMs + index * third,
    toMs: fromMs + (index + 1) * third,
  }));
  return { fromMs, toMs, phases };
}

function makeTasks({ settings, workers, target, authorities, identity }: RoundOptions): WorkerTask[] {
  const plan = scenarios[settings.scenario].plan(settings);
  const devices = Math.max(1, scenarios[settings.scenario].devices(settings));
  const receivedByDevice = new SharedArrayBuffer(devices * Int32Array.BYTES_PER_ELEMENT);
  const runNumber = Math.floor(Math.random() * 0xffff_ffff);
  return assignClients(plan, workers).map((clients, worker) => ({
    settings,
    runNumber,
    worker,
    workers,
    endpoint: target.endpoint,
    roots: target.roots,
    speaks: target.speaks,
    httpUrl: target.httpUrl,
    controlPlaneUrl: target.controlPlaneUrl,
    controlPlaneCredentials: target.controlPlaneCredentials,
    devicesFolder: authorities.folder,
    keyType: authorities.keyType,
    identity,
    clients,
    publishers: plan.filter(({ role }) => role === "publisher").length,
    receivedByDevice,
  }));
}
