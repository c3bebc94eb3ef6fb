/** From the figures of several rounds to one entry: medians, and the ratio round by round. */

import { median } from "@latchkey/bench-results";
import { errorsOf } from "./figures.ts";
import type { Figures, Generator, Latency, LedgerCounts, Phase, RatioFigure } from "./result.ts";

/**
 * The figures of all rounds: medians of costs, rates and latencies; sums of counts, so that `sent` is still `received` + `lost`;
 * time, memory and process series of the round whose rate is the median.
 */
export function combineFigures(rounds: readonly [Figures, ...Figures[]]): Figures {
  if (rounds.length === 1) return rounds[0];
  const typical =
    rounds.toSorted((a, b) => (a.ratePerSecond ?? 0) - (b.ratePerSecond ?? 0))[(rounds.length - 1) >> 1] ?? rounds[0];
  const sum = (pick: (figures: Figures) => number): number => rounds.reduce((total, one) => total + pick(one), 0);
  const counted = (name: keyof LedgerCounts): number => sum(({ ledger }) => ledger[name]);
  return {
    ...typical,
    cpuMicrosecondsPerMessage: medianOrNull(rounds.map((one) => one.cpuMicrosecondsPerMessage)),
    cpuMicrosecondsPerHandshake: medianOrNull(rounds.map((one) => one.cpuMicrosecondsPerHandshake)),
    kilobytesPerConnection: medianOrNull(rounds.map((one) => one.kilobytesPerConnection)),
    ratePerSecond: medianOrNull(rounds.map((one) => one.ratePerSecond)),
    latencyMs: medianLatency(rounds.map(({ latencyMs }) => latencyMs)),
    durationSeconds: sum((one) => one.durationSeconds),
    operations: sum((one) => one.operations),
    sent: sum((one) => one.sent),
    received: sum((one) => one.received),
    lost: sum((one) => one.lost),
    duplicates: sum((one) => one.duplicates),
    ledger: {
      notSent: counted("notSent"),
      missing: counted("missing"),
      failed: counted("failed"),
      unfinished: counted("unfinished"),
      outsideWindow: counted("outsideWindow"),
      unexpected: counted("unexpected"),
    },
    errors: errorsOf(rounds.map((one) => one.errors)),
    errorsBeforeWindow: errorsOf(rounds.map((one) => one.errorsBeforeWindow)),
    generator: generatorOf(rounds.flatMap(({ generator }) => generator ?? [])),
    phases: typical.phases.map((phase) => medianPhase(phase, rounds)),
  };
}

function generatorOf(all: readonly Generator[]): Generator | null {
  if (all.length === 0) return null;
  return {
    cpuShare: median(all.map(({ cpuShare }) => cpuShare)),
    cpuMicrosecondsPerOperation: median(all.map((one) => one.cpuMicrosecondsPerOperation)),
    worstEventLoopDelayMs: Math.max(...all.map(({ worstEventLoopDelayMs }) => worstEventLoopDelayMs)),
    scheduleLagMs: median(all.map(({ scheduleLagMs }) => scheduleLagMs)),
    bottleneck: bottleneckOfRounds(all),
  };
}

/** In how many rounds the generator was the bottleneck, with the sentence of the first of them; null where it was in none. */
function bottleneckOfRounds(all: readonly Generator[]): string | null {
  const sentences = all.flatMap(({ bottleneck }) => bottleneck ?? []);
  const [first] = sentences;
  if (first === undefined) return null;
  return `In ${sentences.length} of ${all.length} rounds: ${first}`;
}

function medianPhase(phase: Phase, rounds: readonly Figures[]): Phase {
  const all = rounds.flatMap(({ phases }) => phases.filter(({ name }) => name === phase.name));
  return {
    ...phase,
    received: all.reduce((total, one) => total + one.received, 0),
    ratePerSecond: medianOrNull(all.map(({ ratePerSecond }) => ratePerSecond)),
    latencyMs: medianLatency(all.map(({ latencyMs }) => latencyMs)),
  };
}

function medianOrNull(values: readonly (number | null)[]): number | null {
  const known = values.filter((value) => value !== null);
  return known.length === 0 ? null : median(known);
}

function medianLatency(all: readonly (Latency | null)[]): Latency | null {
  const known = all.filter((latency) => latency !== null);
  const [first] = known;
  if (first === undefined) return null;
  const of = (pick: (latency: Latency) => number): number => median(known.map(pick));
  // Percentiles that not every round has enough samples for are left out.
  const shared = first.percentiles.filter(([percentile]) =>
    known.every(({ percentiles }) => percentiles.some(([one]) => one === percentile)),
  );
  return {
    p50: of(({ p50 }) => p50),
    p90: of(({ p90 }) => p90),
    p99: of(({ p99 }) => p99),
    p999: of(({ p999 }) => p999),
    max: of(({ max }) => max),
    mean: of(({ mean }) => mean),
    percentiles: shared.map(([percentile]) => [
      percentile,
      median(
        known.flatMap(({ percentiles }) => percentiles.filter(([one]) => one === percentile).map(([, value]) => value)),
      ),
    ]),
  };
}

/** How our cost compares with a peer's. */
export interface Comparison {
  readonly ratio: number | null;
  readonly ratioSpread: readonly [number, number] | null;
}

/** The median of the rounds' ratios with the least and the greatest; null where a side's cost is not known. */
export function compareRounds(ours: readonly Figures[], peers: readonly Figures[], figure: RatioFigure): Comparison {
  const ratios = ours.flatMap((own, round) => {
    const cost = own[figure];
    const peerCost = peers[round]?.[figure] ?? null;
    return cost === null || peerCost === null || peerCost <= 0 ? [] : [cost / peerCost];
  });
  if (ratios.length === 0) return { ratio: null, ratioSpread: null };
  return { ratio: median(ratios), ratioSpread: [Math.min(...ratios), Math.max(...ratios)] };
}
