/** Errors of the report and of the comparison. */

/** Codes of `ResultFileError`. */
export type ResultFileErrorCode =
  | "ERR_RESULT_FILE_UNREADABLE"
  | "ERR_RESULT_FILE_NOT_JSON"
  | "ERR_RESULT_FILE_SHAPE"
  /** More than the report takes: octets, entries or points. */
  | "ERR_RESULT_FILE_LIMIT";

/** A file that is no result file. */
export class ResultFileError extends Error {
  override readonly name = "ResultFileError";
  readonly code: ResultFileErrorCode;
  readonly file: string;
  /** Where in the file, for instance `results[3].scenario`; empty for the whole of it. */
  readonly at: string;

  constructor(code: ResultFileErrorCode, file: string, at: string, message: string, options?: ErrorOptions) {
    super(`${file}${at === "" ? "" : `, ${at}`}: ${message}`, options);
    this.code = code;
    this.file = file;
    this.at = at;
  }
}
