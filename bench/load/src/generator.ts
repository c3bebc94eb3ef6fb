/** Whether the generator itself was the bottleneck: then the result says more about the bench than about the target. */

import type { Generator, Latency } from "./result.ts";

/** A worker that uses more than this of a core has no time left for what is due. */
const busyShare = 0.9;
/** Delays below this are the machine's ordinary noise. */
const noiseMs = 5;

/** Failures that the machine of the generator causes, and what to do about them. */
const ownFailures: ReadonlyMap<string, string> = new Map([
  ["EMFILE", 'no file descriptors left: raise the limit with "ulimit -n"'],
  ["ENFILE", "no file descriptors left on the whole machine"],
  ["EADDRNOTAVAIL", "no local ports left: lower the rate, or widen net.ipv4.ip_local_port_range"],
  ["ENOBUFS", "no memory left for sockets"],
]);

/** A sentence that says why the generator was the bottleneck, or null. `errors` are failures by kind. */
export function bottleneckOf(
  generator: Omit<Generator, "bottleneck">,
  latency: Latency | null,
  errors: Readonly<Record<string, number>>,
): string | null {
  const { cpuShare, worstEventLoopDelayMs, scheduleLagMs } = generator;
  for (const [kind, why] of ownFailures) {
    const count = errors[kind] ?? 0;
    if (count > 0)
      return `The generator was the bottleneck: ${count} operations failed, since it had ${why} (${kind}).`;
  }
  if (cpuShare > busyShare) {
    const share = Math.round(cpuShare * 100);
    return `The generator was the bottleneck: its busiest worker used ${share} % of a core. Lower the rate, or add --workers.`;
  }
  if (latency === null) return null;
  if (scheduleLagMs > noiseMs && scheduleLagMs > latency.p99 / 2) {
    return (
      `The generator was the bottleneck: 1 in 100 operations was begun ${scheduleLagMs.toFixed(1)} ms late by its own fault, ` +
      `and the 99th percentile of the latency is ${latency.p99.toFixed(1)} ms. Lower the rate, or add --workers.`
    );
  }
  if (
    worstEventLoopDelayMs > 4 * noiseMs &&
    worstEventLoopDelayMs > latency.p99 &&
    worstEventLoopDelayMs > latency.max / 2
  ) {
    return (
      `The generator was the bottleneck for the slowest operations: its event loop stood still for ${worstEventLoopDelayMs.toFixed(0)} ms, ` +
      `and the greatest latency is ${latency.max.toFixed(0)} ms. The greatest values are not the target's.`
    );
  }
  return null;
}
