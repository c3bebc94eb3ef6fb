/** From what workers and samplers reported to the figures of a result. */

import { bottleneckOf } from "./generator.ts";
import { latencyOf, makeHistogram } from "./latency.ts";
import { settle } from "./ledger.ts";
import type { Figures, MemorySample, Phase, ProcessSeries, TimelineSecond } from "./result.ts";
import { scenarios } from "./scenario.ts";
import type { Settings } from "./settings.ts";
import type { DoneReport, MeasuredWindow } from "./task.ts";

/** What one round gave. */
export interface RoundRecord {
  readonly settings: Settings;
  readonly window: MeasuredWindow;
  /** When the last operation was done or given up, or when the round was aborted. */
  readonly endMs: number;
  readonly reports: readonly DoneReport[];
  readonly timeline: readonly TimelineSecond[];
  readonly targetCpuMicroseconds: number | null;
  readonly generatorCpuMicroseconds: number;
  readonly memory: readonly MemorySample[];
  readonly kilobytesPerConnection: number | null;
  readonly processes: readonly ProcessSeries[];
}

/** The kind of error where what was counted at the sending is not what the ledger has. */
const unbalanced = "counters and ledger differ";

/** The figures of one round. */
export function figuresOf(record: RoundRecord): Figures {
  const { settings, window, reports, targetCpuMicroseconds, endMs } = record;
  const { unit, isTimed } = scenarios[settings.scenario];
  const operations = sum(reports, "operations");
  const sent = sum(reports, "sent");
  const { settlement, delivered } = settle(reports.map(({ ledger }) => ledger));
  const { notSent, missing, failed, unfinished, outsideWindow, unexpected, repeated } = settlement;
  const isByMessage = unit === "messages";
  const received = isByMessage ? delivered : sum(reports, "received");
  const lost = notSent + missing + failed + unfinished;
  const latencyMs = latencyOf(merged(reports.map(({ histogram }) => histogram)));
  const lag = latencyOf(merged(reports.map((report) => report.lag)));
  const lastArrivalMs = Math.max(0, ...reports.map((report) => report.lastArrivalMs));
  const durationSeconds = isTimed
    ? Math.min(endMs, window.toMs) / 1000 - window.fromMs / 1000
    : Math.max(0.001, ((lastArrivalMs > 0 ? lastArrivalMs : endMs) - window.fromMs) / 1000);
  const cpuOf = (isCounted: boolean): number | null =>
    isCounted && targetCpuMicroseconds !== null && received > 0 ? targetCpuMicroseconds / received : null;
  const errors = errorsOf(reports.map((report) => report.errors));
  const errorsBeforeWindow = errorsOf(reports.map((report) => report.errorsBeforeWindow));
  const generator = {
    cpuShare: Math.max(0, ...reports.map(({ cpuShare }) => cpuShare)),
    cpuMicrosecondsPerOperation: operations === 0 ? 0 : record.generatorCpuMicroseconds / operations,
    worstEventLoopDelayMs: Math.max(0, ...reports.map(({ worstEventLoopDelayMs }) => worstEventLoopDelayMs)),
    scheduleLagMs: lag?.p99 ?? 0,
  };
  return {
    cpuMicrosecondsPerMessage: cpuOf(unit === "messages" || unit === "presses" || unit === "calls"),
    cpuMicrosecondsPerHandshake: cpuOf(unit === "handshakes" || unit === "connections"),
    kilobytesPerConnection: record.kilobytesPerConnection,
    ratePerSecond: sent === 0 ? null : received / durationSeconds,
    latencyMs,
    durationSeconds,
    operations,
    sent,
    received,
    lost,
    duplicates: repeated,
    ledger: { notSent, missing, failed, unfinished, outsideWindow, unexpected },
    errors: {
      ...errors,
      // Can only be where a worker did not report, or by a defect of the bench.
      ...(sent !== received + lost && { [unbalanced]: Math.abs(sent - received - lost) }),
    },
    errorsBeforeWindow,
    generator: { ...generator, bottleneck: bottleneckOf(generator, latencyMs, errorsOf([errors, errorsBeforeWindow])) },
    timeline: record.timeline,
    phases: phasesOf(window, reports),
    memory: record.memory,
    processes: record.processes,
  };
}

function sum(reports: readonly DoneReport[], field: "operations" | "sent" | "received"): number {
  return reports.reduce((total, report) => total + report[field], 0);
}

function merged(histograms: readonly DoneReport["histogram"][]): DoneReport["histogram"] {
  const all = makeHistogram();
  for (const histogram of histograms) all.add(histogram);
  return all;
}

/** Adds up counts by kind. */
export function errorsOf(all: readonly Readonly<Record<string, number>>[]): Record<string, number> {
  const errors: Record<string, number> = {};
  for (const one of all) {
    for (const [kind, count] of Object.entries(one)) errors[kind] = (errors[kind] ?? 0) + count;
  }
  return errors;
}

function phasesOf(window: MeasuredWindow, reports: readonly DoneReport[]): Phase[] {
  const names = [...new Set(reports.flatMap(({ phases }) => phases.map(({ name }) => name)))];
  return names.map((name) => {
    const parts = reports.flatMap(({ phases }) => phases.filter((phase) => phase.name === name));
    const received = parts.reduce((total, part) => total + part.received, 0);
    const span = window.phases.find((phase) => phase.name === name);
    const durationSeconds = span === undefined ? 0 : (span.toMs - span.fromMs) / 1000;
    return {
      name,
      durationSeconds,
      received,
      ratePerSecond: durationSeconds === 0 ? null : received / durationSeconds,
      latencyMs: latencyOf(merged(parts.map(({ histogram }) => histogram))),
    };
  });
}
