/**
 * What a micro suite hands to the runner: a scenario with our side and its peers, each a function that does a whole
 * batch of operations, so that the clock is read far less often than the code under test runs.
 */

/** One side of a comparison. */
export interface Contender {
  /** The package measured, as people install it: `@latchkey/mqtt-codec`, `mqtt-packet`, `bare` for a floor. */
  readonly name: string;
  /**
   * Does one batch and returns how many operations it was, counted from results and never assumed: a run that decodes
   * counts the packets that came out. The runner divides by this number and refuses a batch of none.
   */
  readonly run: () => number | Promise<number>;
}

/** A row of the results: one thing done, by us and by others. */
export interface Scenario {
  /** Fixed fields joined by `/`, for instance `mqtt-codec/decode/publish/qos1/84B`; never renamed once published. */
  readonly scenario: string;
  /** Octets that one operation reads or writes; 0 where the notion means nothing. */
  readonly bytesPerOperation: number;
  readonly subject: Contender;
  /** May be empty: the row is then reported without a ratio. */
  readonly peers: readonly Contender[];
}

/** The scenarios of one package; made when asked for, because peers are slow to load. */
export interface Suite {
  /** The first field of every scenario in it. */
  readonly name: string;
  readonly scenarios: () => Promise<readonly Scenario[]>;
}
