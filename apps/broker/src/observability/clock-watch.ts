/**
 * Notices that the clock of the system was set. Timers of the broker do not depend on it, but the validity of certificates and of signed
 * requests does, and so does what expires while no broker runs. An operator who looks for the cause of a refusal finds it here.
 */

import type { Logger } from "pino";

/** A clock that is slewed gains or loses less than a millisecond a second; less than this is not worth a line. */
const leastMs = 2000;

/** Compares the clock of the system with one that only goes on. */
export class ClockWatch {
  readonly #log: Logger;
  #offsetMs: number;

  /** `epochMs`: milliseconds since 1970; `nowMs`: of a clock that is never set. */
  constructor(log: Logger, epochMs: number, nowMs: number) {
    this.#log = log;
    this.#offsetMs = epochMs - nowMs;
  }

  /** Writes a line where the clock was set since the last call. */
  look(epochMs: number, nowMs: number): void {
    const offsetMs = epochMs - nowMs;
    const setByMs = Math.round(offsetMs - this.#offsetMs);
    if (Math.abs(setByMs) < leastMs) return;
    this.#offsetMs = offsetMs;
    this.#log.warn({ setByMs }, "the clock of the system was set, or the machine slept");
  }
}
