/**
 * When operations are due.
 *
 * A schedule is fixed before the run and never waits for the target: operation k is due at a time that depends on nothing
 * but k. Latency counts from that time, so a target that stalls is charged for every operation that was due in its stall
 * and not only for the one that was under way (coordinated omission).
 */

/** How operations follow each other. */
export interface ScheduleOptions {
  /** When the first operation is due, on the clock of `nowMs`. */
  readonly startMs: number;
  readonly ratePerSecond: number;
  /** Seconds in which the rate grows from 0 to `ratePerSecond`, in a straight line. */
  readonly rampUpSeconds: number;
}

/** The times at which operations are due. */
export class Schedule {
  readonly #startMs: number;
  readonly #ratePerMs: number;
  readonly #rampUpMs: number;
  /** Operations that are due within the ramp: half of what the full rate would give. */
  readonly #countInRamp: number;

  constructor({ startMs, ratePerSecond, rampUpSeconds }: ScheduleOptions) {
    this.#startMs = startMs;
    this.#ratePerMs = ratePerSecond / 1000;
    this.#rampUpMs = rampUpSeconds * 1000;
    this.#countInRamp = (this.#ratePerMs * this.#rampUpMs) / 2;
  }

  /** Operations that are due before the full rate is reached. */
  get countInRamp(): number {
    return Math.ceil(this.#countInRamp);
  }

  /** When operation `k` (0 is the first) is due. */
  dueMs(k: number): number {
    // In the ramp k = rate * t^2 / (2 * ramp); behind it k = countInRamp + rate * (t - ramp).
    const elapsedMs =
      k < this.#countInRamp
        ? Math.sqrt((2 * this.#rampUpMs * k) / this.#ratePerMs)
        : this.#rampUpMs + (k - this.#countInRamp) / this.#ratePerMs;
    return this.#startMs + elapsedMs;
  }
}
