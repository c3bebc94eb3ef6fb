/** How long the event loop keeps work waiting: percentiles of the last whole minute, and until there is one, since the start. */

import { monitorEventLoopDelay } from "node:perf_hooks";

/** Seconds by percentile, as a fraction: `0.5`, `0.9`, `0.99`, and `1` for the longest. */
export type DelayPercentiles = ReadonlyMap<number, number>;

const percentiles = [0.5, 0.9, 0.99, 1] as const;
/** Milliseconds between two looks; each counts what it was late by. */
const resolutionMs = 10;
const windowMs = 60_000;

/** Watches the event loop until it is disposed. */
export class EventLoopDelay implements Disposable {
  readonly #histogram: ReturnType<typeof monitorEventLoopDelay> = monitorEventLoopDelay({ resolution: resolutionMs });
  readonly #timer: NodeJS.Timeout;
  #lastMinute: DelayPercentiles | undefined;

  constructor() {
    this.#histogram.enable();
    this.#timer = setInterval(() => {
      this.#lastMinute = this.#read();
      this.#histogram.reset();
    }, windowMs).unref();
  }

  /** The percentiles. */
  get percentiles(): DelayPercentiles {
    return this.#lastMinute ?? this.#read();
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
    this.#histogram.disable();
  }

  /** The histogram has nanoseconds between two looks, which are `resolutionMs` apart when nothing is late. */
  #read(): DelayPercentiles {
    return new Map(
      percentiles.map((fraction) => {
        const nanoseconds = this.#histogram.percentile(fraction * 100);
        return [fraction, Math.max(0, nanoseconds / 1e9 - resolutionMs / 1000)];
      }),
    );
  }
}
