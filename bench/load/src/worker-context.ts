/** What a script of a worker thread works with: its task, its clients' identities, barriers, pace and meter. */

import { createSecureContext, type SecureContext } from "node:tls";
import { setImmediate } from "node:timers/promises";
import type { MessagePort } from "node:worker_threads";
import type { ProtocolVersion } from "@latchkey/mqtt-codec";
import {
  ClientFailure,
  failureKind,
  MqttClient,
  openSocket,
  WriteTurn,
  type ClientOptions,
  type Endpoint,
} from "./client.ts";
import { nowMs, pause, pauseUntil } from "./clock.ts";
import { deviceName, DeviceReader } from "./identities.ts";
import { Meter } from "./meter.ts";
import type { Schedule } from "./schedule.ts";
import type { Barrier, FromWorker, MeasuredWindow, ToWorker, WorkerTask } from "./task.ts";

/** How long a handshake or the answer to a packet may take. */
const operationTimeoutMs = 20_000;
const liveIntervalMs = 100;
/** How long operations that are under way may take to end after a stop. */
const stopGraceMs = 1500;
/** TLS contexts that are made before other work has its turn. */
const contextsPerTurn = 20;

/** The context of one worker. */
export class WorkerContext {
  readonly task: WorkerTask;
  readonly meter: Meter;
  readonly turn = new WriteTurn();
  readonly version: ProtocolVersion;
  /** Aborts when the run is to end early. */
  readonly signal: AbortSignal;
  /** Connections that are open; reported for memory over connections. */
  connections = 0;
  readonly #port: MessagePort;
  readonly #devices: DeviceReader;
  readonly #secureContexts = new Map<number, SecureContext>();
  readonly #waiting = new Map<Barrier, (atMs: number) => void>();
  readonly #abort = new AbortController();
  readonly #live: NodeJS.Timeout;
  readonly receivedByDevice: Int32Array;
  #isFinished = false;

  constructor(task: WorkerTask, port: MessagePort) {
    this.task = task;
    this.version = task.settings.mqtt === "5" ? 5 : 4;
    this.signal = this.#abort.signal;
    this.receivedByDevice = new Int32Array(task.receivedByDevice);
    this.#port = port;
    this.#devices = new DeviceReader(task.devicesFolder, task.keyType);
    this.meter = new Meter(this.receivedByDevice.length, (report) => this.#post(report));
    port.on("message", (message: ToWorker) => this.#hear(message));
    this.#live = setInterval(() => this.#postLive(), liveIntervalMs);
  }

  /** Waits at a barrier until all workers have reached it; gives the time at which what follows begins. */
  arrive(barrier: Barrier): Promise<number> {
    if (this.signal.aborted) return Promise.resolve(nowMs());
    const { promise, resolve } = Promise.withResolvers<number>();
    this.#waiting.set(barrier, resolve);
    this.#postLive();
    this.#post({ type: "reached", barrier });
    return promise;
  }

  /** Reports the share of the result. */
  finish(): void {
    if (this.#isFinished) return;
    this.#isFinished = true;
    clearInterval(this.#live);
    this.#post(this.meter.done());
    this.#port.removeAllListeners("message");
    this.#port.unref();
  }

  /** Does `operation` for k from 0 to `count`, by a schedule or as soon as fewer than `concurrency` are under way. */
  async pace(options: {
    readonly count: number;
    readonly concurrency: number;
    /** Operations that are due from here on are left out. */
    readonly untilMs?: number;
    readonly schedule?: Schedule | undefined;
    readonly operation: (k: number, dueMs: number) => Promise<void>;
  }): Promise<void> {
    const { count, concurrency, untilMs = Number.POSITIVE_INFINITY, schedule, operation } = options;
    const underWay = new Set<Promise<void>>();
    for (let k = 0; k < count && !this.signal.aborted; k++) {
      let dueMs = schedule?.dueMs(k) ?? nowMs();
      if (dueMs >= untilMs) break;
      const waitMs = dueMs - nowMs();
      if (waitMs > 0) await pause(waitMs, this.signal);
      if (this.signal.aborted) break;
      const mustWait = underWay.size >= concurrency;
      while (underWay.size >= concurrency) await Promise.race(underWay);
      if (schedule === undefined) dueMs = nowMs();
      else if (!mustWait) this.meter.began(dueMs, nowMs());
      if (schedule === undefined && dueMs >= untilMs) break;
      this.#burden();
      const running: Promise<void> = operation(k, dueMs).finally(() => underWay.delete(running));
      underWay.add(running);
    }
    await Promise.all(underWay);
  }

  /** Wastes the time that `--burden` asks for. */
  #burden(): void {
    const { burden } = this.task.settings;
    if (burden > 0) burn(burden);
  }

  /** The share of this worker of a number: the shares of all workers add up to it. */
  share(total: number): number {
    const { worker, workers } = this.task;
    return Math.floor((total * (worker + 1)) / workers) - Math.floor((total * worker) / workers);
  }

  /** The first of this worker's share. */
  shareStart(total: number): number {
    return Math.floor((total * this.task.worker) / this.task.workers);
  }

  /** The TLS context of a device, made once. */
  secureContext(device: number, tls: Endpoint["tls"] = this.task.endpoint.tls): SecureContext | undefined {
    const { roots, identity } = this.task;
    if (tls === undefined) return undefined;
    const slot = identity === undefined ? device : -1;
    let context = this.#secureContexts.get(slot);
    if (context === undefined) {
      const { certificate, privateKey } = identity ?? this.#devices.device(device);
      const version = tls.version === undefined ? undefined : (`TLSv${tls.version}` as const);
      context = createSecureContext({
        cert: certificate,
        key: privateKey,
        ...(roots !== undefined && { ca: roots }),
        ...(version !== undefined && { minVersion: version, maxVersion: version }),
      });
      this.#secureContexts.set(slot, context);
    }
    return context;
  }

  /** The client identifier of a device: its certificate's name. RSA devices repeat, and so do their names. */
  clientIdentifier(device: number): string {
    const { identity } = this.task;
    return identity === undefined ? this.#devices.device(device).commonName : deviceName(device);
  }

  /** Connects a device by TCP or TLS, then by CONNECT. Rejects with `ClientFailure`. */
  async connect(device: number, options: Partial<ClientOptions> = {}): Promise<MqttClient> {
    const socket = await openSocket(this.task.endpoint, this.secureContext(device), operationTimeoutMs);
    const client = await MqttClient.connect(socket, this.turn, {
      clientIdentifier: this.clientIdentifier(device),
      protocolVersion: this.version,
      timeoutMs: operationTimeoutMs,
      ...options,
    });
    this.connections++;
    client.socket.once("close", () => this.connections--);
    return client;
  }

  /**
   * Runs `operation`, which was due at `dueMs`; a failure is counted and gives undefined. Anything but a `ClientFailure` is a fault
   * of the bench.
   */
  async attempt<T>(operation: () => Promise<T>, dueMs?: number): Promise<T | undefined> {
    try {
      return await operation();
    } catch (error) {
      if (!(error instanceof ClientFailure)) throw error;
      if (!this.signal.aborted) this.meter.error(failureKind(error), dueMs);
      return undefined;
    }
  }

  /** Runs an operation that counts. It gives when it was done; one that fails or never ends is lost. */
  async measure(dueMs: number, operation: () => Promise<number>): Promise<void> {
    const { meter } = this;
    const { ledger } = meter;
    const isMeasured = meter.isMeasured(dueMs);
    meter.owe(dueMs, 1);
    if (isMeasured) ledger.unfinished++;
    const doneMs = await this.attempt(operation, dueMs);
    // What fails when the run is being ended fails by that: it was under way, and its error is named nowhere.
    if (doneMs === undefined && this.signal.aborted) return;
    if (isMeasured) ledger.unfinished--;
    if (doneMs !== undefined) meter.arrive(dueMs, doneMs);
    else if (isMeasured) ledger.failed++;
  }

  /** Makes the TLS contexts of `count` devices from `first` on, so that no first handshake of a client pays for its own. */
  async prepare(first: number, count: number, tls: Endpoint["tls"] = this.task.endpoint.tls): Promise<void> {
    for (let n = 0; n < count && !this.signal.aborted; n++) {
      this.secureContext(first + n, tls);
      if (n % contextsPerTurn === contextsPerTurn - 1) await setImmediate();
    }
  }

  #hear(message: ToWorker): void {
    if (message.type === "stop") {
      this.#abort.abort();
      // An operation that the target does not answer must not keep back what was measured.
      setTimeout(() => this.finish(), stopGraceMs).unref();
      for (const resolve of this.#waiting.values()) resolve(nowMs());
      this.#waiting.clear();
      return;
    }
    if (message.barrier === "ready") this.meter.begin(message.window);
    this.window = message.window;
    const { barrier, atMs } = message;
    // What is begun before the measured time would not count.
    void pauseUntil(atMs, this.signal).then(() => {
      this.#waiting.get(barrier)?.(atMs);
      this.#waiting.delete(barrier);
    });
  }

  /** What is measured; set when the first barrier was passed. */
  window: MeasuredWindow = { fromMs: Infinity, toMs: Infinity, phases: [] };

  #postLive(): void {
    const { sent, received } = this.meter;
    this.#post({ type: "live", connections: this.connections, sent, received });
  }

  #post(message: FromWorker): void {
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a port between threads has no origin
    this.#port.postMessage(message);
  }
}

/** Keeps the thread busy. */
export function burn(milliseconds: number): void {
  const endMs = nowMs() + milliseconds;
  while (nowMs() < endMs);
}
