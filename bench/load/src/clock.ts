/** One clock for all threads: milliseconds of the machine's monotonic clock, with fractions. */

/**
 * Milliseconds since the machine's start. Comparable between threads and processes of one machine, which `performance.now`
 * is not: it counts from each thread's own beginning, and was seen to drift from this clock by a thousandth.
 */
export function nowMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

/** Resolves when `atMs` has come, never before, which a timer alone does by up to 1 ms; or at once when `signal` aborts. */
export async function pauseUntil(atMs: number, signal: AbortSignal): Promise<void> {
  while (!signal.aborted && nowMs() < atMs) await pause(Math.max(0.01, atMs - nowMs()), signal);
}

/** Resolves after `ms`, or at once when `signal` aborts. */
export function pause(ms: number, signal?: AbortSignal): Promise<void> {
  if (signal?.aborted === true || ms <= 0) return Promise.resolve();
  return new Promise((resolve) => {
    const end = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    signal?.addEventListener("abort", end, { once: true });
  });
}
