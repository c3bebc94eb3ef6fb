/** What a worker counts. Only operations that are due in the measured window count, wherever in time they end. */

import { monitorEventLoopDelay, type RecordableHistogram } from "node:perf_hooks";
import { nowMs } from "./clock.ts";
import { makeHistogram, recordMs } from "./latency.ts";
import { Ledger } from "./ledger.ts";
import type { DoneReport, MeasuredWindow, SecondReport } from "./task.ts";

const delayResolutionMs = 5;
/** Kinds of errors that are told apart; the rest is counted together. */
const mostErrorKinds = 50;

/** Counters and histograms of one worker. */
export class Meter {
  readonly #onSecond: (report: SecondReport) => void;
  readonly #histogram = makeHistogram();
  readonly #lag = makeHistogram();
  readonly #errors: Record<string, number> = {};
  readonly #errorsBefore: Record<string, number> = {};
  readonly #delay = monitorEventLoopDelay({ resolution: delayResolutionMs });
  #phases: { name: string; fromMs: number; toMs: number; received: number; histogram: RecordableHistogram }[] = [];
  #fromMs = Number.POSITIVE_INFINITY;
  #toMs = Number.POSITIVE_INFINITY;
  #second = 0;
  #secondEndMs = Number.POSITIVE_INFINITY;
  #secondReceived = 0;
  #secondHistogram = makeHistogram(2);
  #lastArrivalMs = 0;
  #cpuAtStart = 0;
  #startedMs = 0;
  operations = 0;
  sent = 0;
  received = 0;
  readonly ledger: Ledger;

  constructor(devices: number, onSecond: (report: SecondReport) => void) {
    this.ledger = new Ledger(devices);
    this.#onSecond = onSecond;
  }

  /** Sets the window. CPU time and event-loop delay of this thread count from its beginning. */
  begin({ fromMs, toMs, phases }: MeasuredWindow): void {
    this.#fromMs = fromMs;
    this.#toMs = toMs;
    this.#secondEndMs = fromMs + 1000;
    this.#phases = phases.map((phase) => ({ ...phase, received: 0, histogram: makeHistogram() }));
    this.#startGenerator();
    setTimeout(() => this.#startGenerator(), Math.max(1, fromMs - nowMs())).unref();
  }

  #startGenerator(): void {
    this.#delay.enable();
    this.#delay.reset();
    this.#cpuAtStart = threadCpuMicroseconds();
    this.#startedMs = nowMs();
  }

  /** Whether what is due at `dueMs` counts. */
  isMeasured(dueMs: number): boolean {
    return dueMs >= this.#fromMs && dueMs < this.#toMs;
  }

  /** An operation is due at `dueMs` and owes `deliveries`. */
  owe(dueMs: number, deliveries: number): void {
    if (!this.isMeasured(dueMs)) return;
    this.operations++;
    this.sent += deliveries;
  }

  /** An operation was begun at `atMs` that nothing but this generator held back since `dueMs`. */
  began(dueMs: number, atMs: number): void {
    if (this.isMeasured(dueMs)) recordMs(this.#lag, atMs - dueMs);
  }

  /** What was due at `dueMs` is done. */
  arrive(dueMs: number, atMs: number): void {
    if (!this.isMeasured(dueMs)) return;
    const latencyMs = atMs - dueMs;
    this.received++;
    this.#lastArrivalMs = Math.max(this.#lastArrivalMs, atMs);
    recordMs(this.#histogram, latencyMs);
    if (atMs >= this.#secondEndMs) this.#endSecond(atMs);
    this.#secondReceived++;
    recordMs(this.#secondHistogram, latencyMs);
    for (const phase of this.#phases) {
      if (dueMs < phase.fromMs || dueMs >= phase.toMs) continue;
      phase.received++;
      recordMs(phase.histogram, latencyMs);
    }
  }

  /** Records into a phase that is not a part of the time, for instance the reconnects of a storm. */
  arriveIn(name: string, latencyMs: number): void {
    let phase = this.#phases.find((one) => one.name === name);
    if (phase === undefined) {
      phase = { name, fromMs: Infinity, toMs: Infinity, received: 0, histogram: makeHistogram() };
      this.#phases.push(phase);
    }
    phase.received++;
    recordMs(phase.histogram, latencyMs);
  }

  /** Counts a failure of what was due at `dueMs`: before the window it is reported apart. */
  error(kind: string, dueMs: number = nowMs()): void {
    const errors = dueMs < this.#fromMs ? this.#errorsBefore : this.#errors;
    const name = kind in errors || Object.keys(errors).length < mostErrorKinds ? kind : "others";
    errors[name] = (errors[name] ?? 0) + 1;
  }

  /** An operation that was counted as done turned out not to be: a connection that did not last. */
  revoke(dueMs: number): void {
    if (!this.isMeasured(dueMs)) return;
    this.received--;
    this.ledger.failed++;
  }

  /** Ends the measurement. */
  done(): DoneReport {
    this.#endSecond(nowMs());
    this.#delay.disable();
    const elapsedMs = Math.max(1, nowMs() - this.#startedMs);
    return {
      type: "done",
      operations: this.operations,
      sent: this.sent,
      received: this.received,
      ledger: this.ledger.report(),
      errors: this.#errors,
      errorsBeforeWindow: this.#errorsBefore,
      histogram: this.#histogram,
      lag: this.#lag,
      phases: this.#phases.map(({ name, received, histogram }) => ({ name, received, histogram })),
      lastArrivalMs: this.#lastArrivalMs,
      cpuShare: (threadCpuMicroseconds() - this.#cpuAtStart) / 1000 / elapsedMs,
      // The monitor's timer itself is due every `resolution`.
      worstEventLoopDelayMs: Math.max(0, this.#delay.max / 1e6 - delayResolutionMs),
    };
  }

  #endSecond(atMs: number): void {
    if (this.#secondReceived > 0) {
      const { second, received, histogram } = {
        second: this.#second,
        received: this.#secondReceived,
        histogram: this.#secondHistogram,
      };
      this.#onSecond({ type: "second", second, received, histogram });
      this.#secondReceived = 0;
      this.#secondHistogram = makeHistogram(2);
    }
    this.#second = Math.max(0, Math.floor((atMs - this.#fromMs) / 1000));
    this.#secondEndMs = this.#fromMs + (this.#second + 1) * 1000;
  }
}

/** CPU time of the calling thread. */
function threadCpuMicroseconds(): number {
  const { user, system } = process.threadCpuUsage();
  return user + system;
}
