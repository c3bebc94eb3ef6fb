/**
 * The result file of `bench/load`: what `--json FILE` writes and what `bench/report` reads.
 *
 * Units are in the names. A figure that was not measured is null, never 0: a target behind a URL has no CPU time here,
 * a scenario without messages has no cost of a message.
 */

import type { Machine } from "@latchkey/bench-results";

/** A whole file. */
export interface LoadFile {
  readonly kind: "load";
  /** The machine in one line. */
  readonly machine: string;
  /** The machine in fields, as it was when the run began. */
  readonly environment: Machine;
  /** `process.version` of the generator. */
  readonly node: string;
  /** The commit that was measured, with `+` behind it where the working tree differs. */
  readonly revision: string;
  /** ISO 8601, when the run began. */
  readonly date: string;
  /** The settings in effect, by flag name; what a scenario file said is in here. */
  readonly flags: Readonly<Record<string, string | number | boolean | null>>;
  /** True where the run was ended by Ctrl-C or by a target's end: the entries hold what was measured until then. */
  readonly interrupted: boolean;
  readonly results: readonly LoadResult[];
}

/** One scenario against one target, compared with one peer or with none. The figures are medians of the rounds. */
export interface LoadResult extends Figures {
  /** Fixed fields joined by `/`, for instance `fan-in/qos0/tls`, `handshake/full/tls13/p256`; never renamed once published. */
  readonly scenario: string;
  /** `latchkey`, `latchkey-tls`, `mosquitto`, `aedes`, `node-tls`, or the URL. */
  readonly target: string;
  readonly targetVersion: string;
  readonly peer: string | null;
  readonly peerVersion: string | null;
  readonly rounds: number;
  /** Worker threads of the generator. */
  readonly workers: number;
  /** The rate of a worker, divided by the rate of a worker at the sweep's first count; null outside a sweep. */
  readonly scalingEfficiency: number | null;
  /** The peer's figures under the same load; null without a peer, and where the peer cannot do the scenario. */
  readonly peerFigures: Figures | null;
  /** Median over the rounds of (our cost / the peer's cost): below 1 where ours is cheaper. */
  readonly ratio: number | null;
  /** Least and greatest ratio of a round. */
  readonly ratioSpread: readonly [number, number] | null;
  /** The figure that `ratio` is of. */
  readonly ratioOf: RatioFigure | null;
  /** `not supported by TARGET: why`, for the target or for the peer; null where both did the scenario. */
  readonly notSupported: string | null;
  /** What a reader has to know to believe the figures: pinning, reused keys, a target that ended early. */
  readonly notes: readonly string[];
}

/** Costs that can be compared; in all of them less is better. */
export type RatioFigure = "cpuMicrosecondsPerMessage" | "cpuMicrosecondsPerHandshake" | "kilobytesPerConnection";

/** What was measured against one target. */
export interface Figures {
  /** CPU time of the target's processes, divided by the messages that were received. */
  readonly cpuMicrosecondsPerMessage: number | null;
  /** CPU time of the target's processes, divided by the handshakes that ended well. */
  readonly cpuMicrosecondsPerHandshake: number | null;
  /** Growth of the target's resident memory, divided by the connections held; 1 kilobyte is 1,024 octets. */
  readonly kilobytesPerConnection: number | null;
  /** Messages received, handshakes or presses done, each second of the measured time. Null where nothing was due in it. */
  readonly ratePerSecond: number | null;
  /** Null where nothing was received. */
  readonly latencyMs: Latency | null;
  /** The measured time, without warm-up. */
  readonly durationSeconds: number;
  /** Operations that the generator began: PUBLISH packets, handshakes, presses. */
  readonly operations: number;
  /** Deliveries owed in the measured time: in `fan-out` each PUBLISH counts once for each subscriber. `sent` = `received` + `lost`. */
  readonly sent: number;
  readonly received: number;
  readonly lost: number;
  /** Messages that arrived more than once; not in `received`. */
  readonly duplicates: number;
  /** What `lost` consists of, and what arrived beside what was owed. */
  readonly ledger: LedgerCounts;
  /** Failures in the measured time by kind, for instance `ECONNRESET`, `CONNACK 5`, `closed by the target`. */
  readonly errors: Readonly<Record<string, number>>;
  /** Failures in preparation, warm-up and ramp-up; no other figure counts them. */
  readonly errorsBeforeWindow: Readonly<Record<string, number>>;
  /** Null where nothing was run. */
  readonly generator: Generator | null;
  /** One entry each second of the measured time. */
  readonly timeline: readonly TimelineSecond[];
  /** Parts of the run that have percentiles of their own: `before`, `storm`, `after`. Mostly empty. */
  readonly phases: readonly Phase[];
  /** Resident memory over connections, for `connect`; empty elsewhere. */
  readonly memory: readonly MemorySample[];
  /** The target's processes over time; empty where the target is not local. */
  readonly processes: readonly ProcessSeries[];
}

/** Each message and operation by its identity: `lost` = `notSent` + `missing` + `failed` + `unfinished`. */
export interface LedgerCounts {
  /** Deliveries that were due and that no connection to the target took. */
  readonly notSent: number;
  /** Deliveries that were sent and did not arrive, among them those under way when the run was ended early. */
  readonly missing: number;
  /** Handshakes, connections, presses and calls that ended with an error. */
  readonly failed: number;
  /** The same, under way when the run was ended early. */
  readonly unfinished: number;
  /** Messages that arrived in the run and were due before the measured time. */
  readonly outsideWindow: number;
  /** Deliveries that were not owed: of another run, or to a receiver too many. */
  readonly unexpected: number;
}

/** Latency, counted from when an operation was due (open loop) or from when it began (`--closed`). */
export interface Latency {
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
  readonly p999: number;
  readonly max: number;
  readonly mean: number;
  /** Pairs of percentile and milliseconds, ascending, for plots on a logarithmic axis of 1 / (1 - percentile). */
  readonly percentiles: readonly (readonly [percentile: number, milliseconds: number])[];
}

/** What the generator itself did: a result is the target's only where the generator had time left. */
export interface Generator {
  /** CPU time of the busiest worker thread as a share of the measured time: 1 is a whole core. */
  readonly cpuShare: number;
  /** CPU time of the whole generator, divided by the operations. */
  readonly cpuMicrosecondsPerOperation: number;
  readonly worstEventLoopDelayMs: number;
  /** How late operations were begun although nothing held them back but the generator, 99th percentile. */
  readonly scheduleLagMs: number;
  /** A sentence where the generator was the bottleneck, else null. */
  readonly bottleneck: string | null;
}

/** A second of the measured time. */
export interface TimelineSecond {
  /** Whole seconds since the measured time began. */
  readonly second: number;
  readonly ratePerSecond: number;
  /** Milliseconds; null where nothing was received in that second. */
  readonly p50: number | null;
  readonly p99: number | null;
}

/** A named part of the run. */
export interface Phase {
  readonly name: string;
  readonly durationSeconds: number;
  readonly received: number;
  readonly ratePerSecond: number | null;
  readonly latencyMs: Latency | null;
}

/** The target's resident memory while so many connections were held. */
export interface MemorySample {
  readonly connections: number;
  readonly residentKilobytes: number;
}

/** One process of a local target. */
export interface ProcessSeries {
  readonly pid: number;
  readonly name: string;
  readonly samples: readonly ProcessSample[];
}

/** CPU and memory of a process at a moment. */
export interface ProcessSample {
  /** Seconds since the measured time began; negative in warm-up. */
  readonly second: number;
  /** CPU time since the sample before, as a share of that time: 1 is a whole core. */
  readonly cpuShare: number;
  readonly residentKilobytes: number;
}
