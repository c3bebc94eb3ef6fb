/** What ends a run of the bench with a message for a person. */

/** Whose fault it is. */
export type LoadErrorCode =
  /** A flag or a scenario file that cannot be used. */
  | "ERR_LOAD_USAGE"
  /** A program is missing, or the machine's limits are too low. */
  | "ERR_LOAD_MACHINE"
  /** A target did not start, cannot be reached, or ended by itself. */
  | "ERR_LOAD_TARGET"
  /** A worker thread of the generator failed. */
  | "ERR_LOAD_WORKER";

/** An error whose message says what was found, what is accepted and what to do. */
export class LoadError extends Error {
  override readonly name = "LoadError";
  readonly code: LoadErrorCode;

  constructor(code: LoadErrorCode, message: string, options?: { readonly cause: unknown }) {
    super(message, options);
    this.code = code;
  }
}

/** The stack of anything that was thrown, for a defect; its text where it has none. */
export function stackOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

/** The text of anything that was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
