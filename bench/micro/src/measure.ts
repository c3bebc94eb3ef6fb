/**
 * Times contenders side by side.
 *
 * Machines drift: a figure taken a minute after its peer's compares two machines. So each round runs one sample of
 * every contender, in rotating order, the ratio is taken round by round, and medians are reported. A sample repeats
 * the contender's batch until it has lasted long enough for the clock.
 */

import type { Contender, Scenario } from "./scenario.ts";

/** How long and how often to measure. */
export interface Effort {
  readonly rounds: number;
  readonly warmUpMs: number;
  readonly sampleMs: number;
}

export const fullEffort: Effort = { rounds: 15, warmUpMs: 300, sampleMs: 60 };
/** Enough to see that every scenario runs; its figures mean nothing. */
export const smokeEffort: Effort = { rounds: 1, warmUpMs: 0, sampleMs: 1 };

/** One entry of the results, in the shape that result files have; one a peer. */
export interface Result {
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
}

/** Measures a scenario; gives one result a peer, or a single one without a peer. */
export async function measureScenario(scenario: Scenario, effort: Effort): Promise<Result[]> {
  const contenders = [scenario.subject, ...scenario.peers];
  for (const contender of contenders) await sample(contender, effort.warmUpMs);
  const rates = contenders.map((): number[] => []);
  for (let round = 0; round < effort.rounds; round++) {
    for (let step = 0; step < contenders.length; step++) {
      const index = (round + step) % contenders.length;
      const contender = contenders[index];
      if (contender !== undefined) rates[index]?.push(await sample(contender, effort.sampleMs));
    }
  }
  const [ours = [], ...theirs] = rates;
  const common = {
    scenario: scenario.scenario,
    subject: scenario.subject.name,
    opsPerSecond: quantile(ours, 0.5),
    spread: (quantile(ours, 0.75) - quantile(ours, 0.25)) / quantile(ours, 0.5),
    bytesPerOperation: scenario.bytesPerOperation,
  };
  if (theirs.length === 0) return [{ ...common, peer: null, peerOpsPerSecond: null, ratio: null }];
  return theirs.map((peerRates, index) => ({
    ...common,
    peer: scenario.peers[index]?.name ?? null,
    peerOpsPerSecond: quantile(peerRates, 0.5),
    ratio: quantile(
      peerRates.map((rate, round) => (ours[round] ?? Number.NaN) / rate),
      0.5,
    ),
  }));
}

/** Runs batches for at least `milliseconds` and returns operations per second. */
async function sample(contender: Contender, milliseconds: number): Promise<number> {
  const start = performance.now();
  let operations = 0;
  let elapsed = 0;
  do {
    const batch = contender.run();
    const done = typeof batch === "number" ? batch : await batch;
    if (!(done > 0)) throw new Error(`${contender.name} did no operation in its batch`);
    operations += done;
    elapsed = performance.now() - start;
  } while (elapsed < milliseconds);
  return (operations / elapsed) * 1000;
}

/** Linear between the two nearest ranks. */
function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const position = (sorted.length - 1) * share;
  const below = sorted[Math.floor(position)] ?? Number.NaN;
  const above = sorted[Math.ceil(position)] ?? Number.NaN;
  return below + (above - below) * (position - Math.floor(position));
}
