/** The caller's own mistakes. What is wrong with a chain is never thrown: it comes as a result, see `failures.ts`. */

/** The stable codes of `ChainError`. */
export type ChainErrorCode =
  /** An option or input outside what is defined: a time that is no number, a limit below one. */
  | "ERR_CHAIN_ARGUMENT"
  /** A trust anchor that is no certificate; `cause` says why. */
  | "ERR_CHAIN_TRUST_ANCHOR"
  /** A reference name that is no DNS name in A-labels, no IP address or no mailbox. */
  | "ERR_CHAIN_REFERENCE_NAME_SYNTAX";

/** Thrown for the caller's own mistakes, and nothing else is. */
export class ChainError extends Error {
  override readonly name = "ChainError";
  readonly code: ChainErrorCode;

  constructor(code: ChainErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
  }
}
