/** Failures that a person at the terminal can mend; everything else is a defect and shows its stack. */

/** Stable codes of `BrokerError`. A wrong word on the command line is `ERR_BROKER_USAGE`, see `@latchkey/command-line`. */
export type BrokerErrorCode =
  /** The data directory cannot be read or written, or what is in it does not fit together. */
  | "ERR_BROKER_DATA_DIRECTORY"
  /** The configuration file cannot be read, or says what is not possible. */
  | "ERR_BROKER_CONFIGURATION"
  /** The address cannot be listened on. */
  | "ERR_BROKER_LISTEN"
  /** What was asked for cannot be written. */
  | "ERR_BROKER_OUTPUT"
  /** The control plane refuses a command, or cannot be asked. The message begins with the exception's name. */
  | "ERR_BROKER_REQUEST"
  /** The broker refuses a device, or ends its connection. */
  | "ERR_BROKER_DEVICE";

/** Ends the process with exit code 1 and its message. */
export class BrokerError extends Error {
  override readonly name = "BrokerError";
  readonly code: BrokerErrorCode;

  constructor(code: BrokerErrorCode, message: string, options?: { readonly cause: unknown }) {
    super(message, options);
    this.code = code;
  }
}
