/** Latencies in histograms of `perf_hooks`: recorded in microseconds, merged over workers, reported in milliseconds. */

import { createHistogram, type RecordableHistogram } from "node:perf_hooks";
import type { Latency } from "./result.ts";

/** An hour: what takes longer is recorded as an hour. */
const greatestMicroseconds = 3_600_000_000;

/** Three significant digits for the whole run; two for a second of the timeline, an eighth of the memory. */
export function makeHistogram(figures: 2 | 3 = 3): RecordableHistogram {
  return createHistogram({ lowest: 1, highest: greatestMicroseconds, figures });
}

/** Records a latency. A histogram takes whole numbers from 1 on, so less than a microsecond counts as one. */
export function recordMs(histogram: RecordableHistogram, milliseconds: number): void {
  histogram.record(Math.min(greatestMicroseconds, Math.max(1, Math.round(milliseconds * 1000))));
}

/** The percentiles that are kept for plots: each step halves what is above it, down to one in a million. */
const plottedPercentiles = [
  0, 10, 20, 30, 40, 50, 60, 70, 75, 80, 85, 90, 92.5, 95, 97.5, 98, 99, 99.5, 99.75, 99.9, 99.95, 99.99, 99.995,
  99.999, 99.9999, 100,
];

/** What a histogram says, or null where nothing was recorded. */
export function latencyOf(histogram: RecordableHistogram): Latency | null {
  if (histogram.count === 0) return null;
  const at = (percentile: number): number =>
    percentile === 0 ? histogram.min / 1000 : Math.min(histogram.percentile(percentile), histogram.max) / 1000;
  return {
    p50: at(50),
    p90: at(90),
    p99: at(99),
    p999: at(99.9),
    max: histogram.max / 1000,
    mean: histogram.mean / 1000,
    // A percentile that lies beyond the last sample says nothing that the greatest value does not.
    percentiles: plottedPercentiles
      .filter((percentile) => percentile === 100 || (1 - percentile / 100) * histogram.count >= 0.999)
      .map((percentile) => [percentile, at(percentile)] as const),
  };
}
