/** Rate and percentiles of each second, merged over workers. */

import type { RecordableHistogram } from "node:perf_hooks";
import { makeHistogram } from "./latency.ts";
import type { TimelineSecond } from "./result.ts";
import type { SecondReport } from "./task.ts";

/** Seconds that may still get reports of slower workers; older ones are kept as numbers alone. */
const openSeconds = 10;

/** Collects the reports of all workers. */
export class Timeline {
  readonly #open = new Map<number, { received: number; histogram: RecordableHistogram }>();
  readonly #closed = new Map<number, TimelineSecond>();

  /** Adds a worker's second. */
  add({ second, received, histogram }: SecondReport): void {
    if (this.#closed.has(second)) return;
    const entry = this.#open.get(second) ?? { received: 0, histogram: makeHistogram(2) };
    this.#open.set(second, entry);
    entry.received += received;
    entry.histogram.add(histogram);
    for (const old of [...this.#open.keys()]) if (old < second - openSeconds) this.#close(old);
  }

  /** The last second that has been reported, for progress. */
  latest(): TimelineSecond | undefined {
    const last = [...this.#open.keys()].reduce((most, second) => Math.max(most, second), -1);
    const entry = this.#open.get(last);
    return entry === undefined ? undefined : secondOf(last, entry);
  }

  /** All seconds in order; those in which nothing was received have a rate of 0. */
  seconds(): TimelineSecond[] {
    for (const second of [...this.#open.keys()]) this.#close(second);
    const last = [...this.#closed.keys()].reduce((most, second) => Math.max(most, second), -1);
    return Array.from(
      { length: last + 1 },
      (_, second) => this.#closed.get(second) ?? { second, ratePerSecond: 0, p50: null, p99: null },
    );
  }

  #close(second: number): void {
    const entry = this.#open.get(second);
    if (entry === undefined) return;
    this.#open.delete(second);
    this.#closed.set(second, secondOf(second, entry));
  }
}

function secondOf(
  second: number,
  { received, histogram }: { readonly received: number; readonly histogram: RecordableHistogram },
): TimelineSecond {
  const at = (percentile: number): number => histogram.percentile(percentile) / 1000;
  return { second, ratePerSecond: received, p50: at(50), p99: at(99) };
}
