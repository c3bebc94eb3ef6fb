/**
 * CPU time, for tests of how work grows with its input. On a machine that does other work besides the clock runs on; the
 * CPU time of this process does not.
 */

/** Milliseconds of CPU that `act` takes: the least of `attempts`. */
export function cpuMsOf(act: () => unknown, attempts = 1): number {
  let least = Number.POSITIVE_INFINITY;
  for (let attempt = 0; attempt < attempts; attempt++) {
    const start = process.cpuUsage();
    act();
    const { user, system } = process.cpuUsage(start);
    least = Math.min(least, (user + system) / 1000);
  }
  return least;
}

/** Below this a measurement says nothing, in milliseconds. */
const measurableMs = 0.05;

/**
 * How many times as much CPU `large` takes as `small`. Garbage collection and cold code disturb a measurement, so the least
 * of up to eight counts; the first one below `enough` is taken.
 */
export function growthOf(small: () => unknown, large: () => unknown, enough: number): number {
  small();
  let least = Number.POSITIVE_INFINITY;
  for (let attempt = 0; attempt < 8 && least >= enough; attempt++) {
    const base = Math.max(cpuMsOf(small, 3), measurableMs);
    least = Math.min(least, cpuMsOf(large) / base);
  }
  return least;
}
