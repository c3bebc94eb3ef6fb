/**
 * What a micro suite hands to the runner: scenarios with our side and its peers, each a function that does a whole batch
 * of operations, so that the clock is read far less often than the code under test runs.
 */

/** How many operations a batch was. */
export type Batch = number | TimedBatch;

/** A batch that times itself, because only a part of what it does is to count. */
interface TimedBatch {
  readonly operations: number;
  readonly milliseconds: number;
}

/** One side of a comparison. */
export interface Contender {
  /**
   * The package measured, as people install it: `@latchkey/mqtt-codec`, `mqtt-packet`. Its version is looked up by the
   * first word; `bare` is a floor written in the suite itself, with Node alone.
   */
  readonly name: string;
  /** Called once before the first `run`, not timed: starts workers, opens what `run` uses. */
  readonly setup?: () => void | Promise<void>;
  /**
   * Does one batch and returns how many operations it was, counted from results and never assumed: a run that decodes
   * counts the packets that came out. The runner divides by this number and refuses a batch of none. A batch should
   * last 10 microseconds or more. Where a part of the batch belongs to neither side, it returns a `TimedBatch`.
   */
  readonly run: () => Batch | Promise<Batch>;
  /** Called once after the last `run`, also where a run failed: ends workers, closes what `setup` opened. */
  readonly teardown?: () => void | Promise<void>;
  /** Called after that: what is to stand under the row of our side, for instance how much memory it took. */
  readonly notes?: () => readonly string[];
}

/** A row of the results: one thing done, by us and by others. */
export interface Scenario {
  /** What one operation is, in the singular: `packet`, `certificate`. Default `operation`. */
  readonly unit?: string;
  /** Octets that one operation reads or writes; 0 where the notion means nothing. */
  readonly bytesPerOperation: number;
  readonly subject: Contender;
  /** May be empty: the row is then reported without a ratio. */
  readonly peers: readonly Contender[];
}

/** The scenarios of one package, in `suites/NAME.ts`. */
export interface Suite {
  /** The first field of every scenario in it, and the name of its file. */
  readonly name: string;
  /**
   * Makers of scenarios by name. A name has fixed fields joined by `/`, for instance `mqtt-codec/decode/publish/qos1/84B`,
   * and does not change once published. A maker runs in a process of its own, so no scenario runs what another prepared.
   */
  readonly scenarios: Readonly<Record<string, () => Scenario | Promise<Scenario>>>;
}
