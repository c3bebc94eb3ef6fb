/** Errors of the runner. */

/** Codes of `ScenarioError`. */
export type ScenarioErrorCode = "ERR_BENCH_THREW" | "ERR_BENCH_KILLED" | "ERR_BENCH_TIMEOUT" | "ERR_BENCH_INTERRUPTED";

/** A scenario, or the list of a suite, gave no result. */
export class ScenarioError extends Error {
  override readonly name = "ScenarioError";
  readonly code: ScenarioErrorCode;
  /** The scenario or the suite. */
  readonly scenario: string;

  constructor(code: ScenarioErrorCode, scenario: string, message: string) {
    super(message);
    this.code = code;
    this.scenario = scenario;
  }
}
