/** The result file of `bench/micro`: what `--json FILE` writes and what the report and the comparison read. */

import type { Machine } from "./machine.ts";
import type { Interval } from "./statistics.ts";

/** A whole file. It is written again after each scenario, so it is valid at any moment. */
export interface MicroFile {
  /** The machine in one line. */
  readonly machine: string;
  /** `process.version`. */
  readonly node: string;
  /** The commit that was measured, with `+` behind it where the working tree differs. */
  readonly revision: string;
  /** ISO 8601, when the run began. */
  readonly date: string;
  readonly results: readonly MicroResult[];
  readonly kind: "micro";
  /** The machine in fields, as it was when the run began. */
  readonly environment: Machine;
  /** Scenarios that gave no result, and why. */
  readonly failures: readonly { readonly scenario: string; readonly reason: string }[];
  /** False until every chosen scenario was measured: a run that was ended early leaves it false. */
  readonly complete: boolean;
}

/** A scenario of ours against one peer, or alone. */
export interface MicroResult {
  readonly scenario: string;
  readonly subject: string;
  /** Median over the rounds. */
  readonly opsPerSecond: number;
  /** Interquartile range of the subject's rounds as a share of the median. */
  readonly spread: number;
  readonly bytesPerOperation: number;
  readonly peer: string | null;
  readonly peerOpsPerSecond: number | null;
  /** Median of the rounds' ratios, above 1 where the subject is faster. */
  readonly ratio: number | null;
  /** 95 % confidence interval of `ratio`; null without a peer and where there were too few rounds. */
  readonly ratioInterval: Interval | null;
  /** 95 % confidence interval of `opsPerSecond`; null where there were too few rounds. */
  readonly opsInterval: Interval | null;
  /** As `spread`, of the peer. */
  readonly peerSpread: number | null;
  /** What one operation is, in the singular: `packet`, `certificate`. */
  readonly unit: string;
  readonly subjectVersion: string;
  readonly peerVersion: string | null;
  readonly rounds: number;
  readonly samples: Samples;
  readonly peerSamples: Samples | null;
  /** What makes the row doubtful, in words; mostly empty. */
  readonly warnings: readonly string[];
  /** What our side noticed of itself beside its rate, in words: its memory, the longest wait of the event loop; mostly empty. */
  readonly notes: readonly string[];
}

/** The timed calls of one side, over all rounds. Each call is a batch; its time is divided by its operations. */
export interface Samples {
  readonly count: number;
  readonly nanosecondsPerOperation: {
    readonly min: number;
    readonly p50: number;
    readonly p75: number;
    readonly p99: number;
    readonly max: number;
  };
}
