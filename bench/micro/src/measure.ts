/**
 * Times contenders side by side.
 *
 * Machines drift: a figure taken a minute after its peer's compares two machines. So each round runs one sample of every
 * contender, in rotating order, the ratio is taken round by round, and medians are reported. tinybench does the timing:
 * each contender is the one task of a `Bench`, and a sample is one run of that task.
 */

import {
  type Interval,
  intervalOfMedian,
  median,
  type MicroResult,
  quantile,
  type Samples,
} from "@latchkey/bench-results";
import { Bench, type FnReturnedObject, type Task } from "tinybench";
import type { Batch, Contender, Scenario } from "./scenario.ts";

/** How long and how often to measure. */
export interface Effort {
  readonly rounds: number;
  /** A sample repeats the contender's batch for this long, at least once. */
  readonly sampleMs: number;
  /** Rounds before the measured ones, until the rates are steady: at least and at most. */
  readonly leastWarmUpRounds: number;
  readonly mostWarmUpRounds: number;
  /** Where a batch takes seconds: warm-up, and the measured rounds above `LEAST_ROUNDS`, end after so long. */
  readonly longestWarmUpMs: number;
  readonly longestMs: number;
}

export const fullEffort: Effort = {
  rounds: 25,
  sampleMs: 60,
  leastWarmUpRounds: 10,
  mostWarmUpRounds: 50,
  longestWarmUpMs: 20_000,
  longestMs: 60_000,
};
/** Enough to see that every scenario runs; its figures mean nothing. */
export const smokeEffort: Effort = {
  rounds: 1,
  sampleMs: 1,
  leastWarmUpRounds: 0,
  mostWarmUpRounds: 0,
  longestWarmUpMs: 0,
  longestMs: 0,
};

/** Fewer rounds give no interval. */
const LEAST_ROUNDS = 6;

/** What `measureScenario` needs besides the scenario. */
export interface MeasureOptions {
  readonly effort: Effort;
  /** The version of a contender's package. Default: none. */
  readonly versionOf?: (contender: Contender) => string;
  /** Called now and then with what is going on. */
  readonly progress?: (phase: string) => void;
  /** A clock in milliseconds. Default `performance.now`. */
  readonly now?: () => number;
}

/** Rates of so many rounds are compared with those of as many rounds before. */
const STEADY_WINDOW = 5;
/** A rate is steady where the medians of both windows differ by less than this share. */
const STEADY_TOLERANCE = 0.03;
/** An interval wider than this share of its ratio is warned of. */
const WIDE_INTERVAL = 0.1;
/** The clock has steps of about 50 ns: a batch has to be much longer. */
const SHORTEST_BATCH_NS = 2000;

/**
 * Measures a scenario; gives one result a peer, or a single one without a peer. Contenders are set up first and torn
 * down at the end, also where one of them throws.
 */
export async function measureScenario(
  name: string,
  scenario: Scenario,
  options: MeasureOptions,
): Promise<MicroResult[]> {
  const { effort, progress = () => {}, versionOf = () => "", now = () => performance.now() } = options;
  const contenders = [scenario.subject, ...scenario.peers];
  const sides: Side[] = [];
  const started: Contender[] = [];
  try {
    for (const contender of contenders) {
      progress(`set up ${contender.name}`);
      started.push(contender);
      await contender.setup?.();
      sides.push(await Side.of(contender, effort.sampleMs, now));
    }
    await warmUp(sides, effort, progress, now);
    for (const side of sides) side.begin();
    const end = now() + effort.longestMs;
    for (let round = 0; round < effort.rounds && (round < LEAST_ROUNDS || now() < end); round++) {
      progress(`round ${round + 1} of ${effort.rounds}`);
      await sampleAll(sides, round);
    }
  } finally {
    await tearDown(started);
  }
  return rowsOf(name, scenario, sides, versionOf);
}

async function tearDown(contenders: readonly Contender[]): Promise<void> {
  const ends = await Promise.allSettled(contenders.map(async (contender) => contender.teardown?.()));
  for (const end of ends) if (end.status === "rejected") throw end.reason;
}

/** Rounds that are not counted, until no side gets faster or slower any more or the effort's bound is reached. */
async function warmUp(
  sides: readonly Side[],
  effort: Effort,
  progress: (phase: string) => void,
  now: () => number,
): Promise<void> {
  const end = now() + effort.longestWarmUpMs;
  for (let round = 0; round < effort.mostWarmUpRounds && now() < end; round++) {
    if (round >= effort.leastWarmUpRounds && sides.every((side) => isSteady(side.rates))) return;
    progress(`warm up, round ${round + 1} of at most ${effort.mostWarmUpRounds}`);
    await sampleAll(sides, round);
  }
  for (const side of sides) side.isSteady = effort.mostWarmUpRounds === 0 || isSteady(side.rates);
}

/** Whether the last rates are no longer moving: the medians of the last five and of the five before differ by under 3 %. */
export function isSteady(rates: readonly number[]): boolean {
  if (rates.length < 2 * STEADY_WINDOW) return false;
  const last = median(rates.slice(-STEADY_WINDOW));
  const before = median(rates.slice(-2 * STEADY_WINDOW, -STEADY_WINDOW));
  return Math.abs(last / before - 1) < STEADY_TOLERANCE;
}

/** One sample of every side; each round begins with another one. */
async function sampleAll(sides: readonly Side[], round: number): Promise<void> {
  for (let step = 0; step < sides.length; step++) await sides[(round + step) % sides.length]?.sample();
}

/** A contender as a tinybench task that counts its operations. */
class Side {
  /** Operations per second, one a round. */
  rates: number[] = [];
  isSteady = true;
  readonly contender: Contender;
  /** Nanoseconds per operation of each timed call. */
  #calls: number[] = [];
  #shortestCallNs = Infinity;
  #operations = 0;
  readonly #task: Task;

  private constructor(contender: Contender, isAsync: boolean, sampleMs: number, now: () => number) {
    this.contender = contender;
    const bench = new Bench({ time: sampleMs, iterations: 1, warmup: false, retainSamples: true, throws: true, now });
    const count = (batch: Batch): FnReturnedObject | undefined => {
      const { operations, milliseconds } = checked(contender, batch);
      this.#operations += operations;
      return milliseconds === undefined ? undefined : { overriddenDuration: milliseconds };
    };
    const run = isAsync
      ? async (): Promise<FnReturnedObject | undefined> => count(await contender.run())
      : (): FnReturnedObject | undefined => {
          const batch = contender.run();
          if (batch instanceof Promise)
            throw new Error(`${contender.name} returned a promise, and its operations the first time`);
          return count(batch);
        };
    bench.add(contender.name, run, { async: isAsync });
    const task = bench.getTask(contender.name);
    if (task === undefined) throw new Error(`tinybench did not take the task ${contender.name}`);
    this.#task = task;
  }

  /** Runs the contender once, to see that it works and whether it returns a promise. */
  static async of(contender: Contender, sampleMs: number, now: () => number): Promise<Side> {
    const first = contender.run();
    checked(contender, await first);
    return new Side(contender, first instanceof Promise, sampleMs, now);
  }

  /** Forgets the warm-up. */
  begin(): void {
    this.rates = [];
    this.#calls = [];
    this.#shortestCallNs = Infinity;
  }

  async sample(): Promise<void> {
    this.#operations = 0;
    this.#task.reset();
    await this.#task.run();
    const result = this.#task.result;
    if (result.state === "errored") throw result.error;
    if (result.state !== "completed") throw new Error(`${this.contender.name}: tinybench gave no statistics`);
    const { samples = [], p50 } = result.latency;
    const operationsPerCall = this.#operations / samples.length;
    this.rates.push((this.#operations / result.totalTime) * 1000);
    this.#shortestCallNs = Math.min(this.#shortestCallNs, p50 * 1e6);
    for (const milliseconds of samples) this.#calls.push((milliseconds * 1e6) / operationsPerCall);
  }

  samples(): Samples {
    const sorted = this.#calls.toSorted((a, b) => a - b);
    const at = (share: number): number => sorted[Math.round((sorted.length - 1) * share)] ?? Number.NaN;
    const nanosecondsPerOperation = { min: at(0), p50: at(0.5), p75: at(0.75), p99: at(0.99), max: at(1) };
    return { count: sorted.length, nanosecondsPerOperation };
  }

  spread(): number {
    return (quantile(this.rates, 0.75) - quantile(this.rates, 0.25)) / median(this.rates);
  }

  warnings(): string[] {
    const { name } = this.contender;
    const warnings: string[] = [];
    if (!this.isSteady) warnings.push(`the rate of ${name} was not steady after the longest warm-up`);
    if (this.#shortestCallNs < SHORTEST_BATCH_NS) {
      warnings.push(`a batch of ${name} lasts ${this.#shortestCallNs.toFixed(0)} ns, too short for the clock`);
    }
    return warnings;
  }
}

function checked(contender: Contender, batch: Batch): { readonly operations: number; readonly milliseconds?: number } {
  const { name } = contender;
  const timed = typeof batch === "number" ? { operations: batch } : batch;
  const { operations } = timed;
  if (!(operations > 0 && Number.isFinite(operations))) {
    throw new Error(`${name} did no operation in its batch: it returned ${operations}, and more than 0 is needed`);
  }
  if ("milliseconds" in timed && !(timed.milliseconds > 0 && Number.isFinite(timed.milliseconds))) {
    throw new Error(`${name} says that its batch took ${timed.milliseconds} ms, and more than 0 is needed`);
  }
  return timed;
}

function rowsOf(
  name: string,
  scenario: Scenario,
  [subject, ...peers]: readonly Side[],
  versionOf: (contender: Contender) => string,
): MicroResult[] {
  if (subject === undefined) return [];
  const common = {
    scenario: name,
    subject: subject.contender.name,
    opsPerSecond: median(subject.rates),
    spread: subject.spread(),
    bytesPerOperation: scenario.bytesPerOperation,
  };
  const details = {
    opsInterval: intervalOfMedian(subject.rates),
    unit: scenario.unit ?? "operation",
    subjectVersion: versionOf(subject.contender),
    rounds: subject.rates.length,
    samples: subject.samples(),
    notes: subject.contender.notes?.() ?? [],
  };
  if (peers.length === 0) {
    const none = { peer: null, peerOpsPerSecond: null, ratio: null, ratioInterval: null };
    const nothing = { peerSpread: null, peerVersion: null, peerSamples: null };
    return [{ ...common, ...none, ...details, ...nothing, warnings: subject.warnings() }];
  }
  return peers.map((peer) => {
    const ratios = peer.rates.map((rate, round) => (subject.rates[round] ?? Number.NaN) / rate);
    const ratio = median(ratios);
    const ratioInterval = intervalOfMedian(ratios);
    return {
      ...common,
      peer: peer.contender.name,
      peerOpsPerSecond: median(peer.rates),
      ratio,
      ratioInterval,
      ...details,
      peerSpread: peer.spread(),
      peerVersion: versionOf(peer.contender),
      peerSamples: peer.samples(),
      warnings: [...subject.warnings(), ...peer.warnings(), ...wideInterval(ratio, ratioInterval)],
    };
  });
}

function wideInterval(ratio: number, interval: Interval | null): string[] {
  if (interval === null) return [];
  const width = (interval[1] - interval[0]) / ratio;
  if (width <= WIDE_INTERVAL) return [];
  return [`the 95 % interval of the ratio is ${(width * 100).toFixed(0)} % wide: measure again on a quieter machine`];
}
