/** What can be wrong with a document: stable codes, each with the place where it happened. */

/** A place in a document, as a JSON path and as a position in its text. */
export interface Location {
  /** JSON path from the root, such as `$.Statement[0].Condition.StringEquals["iot:ClientId"]`. */
  readonly path: string;
  /** Line, counted from 1. */
  readonly line: number;
  /** Column in UTF-16 code units, counted from 1. */
  readonly column: number;
}

/** A JSON type, as messages name it. */
export type JsonType = "array" | "boolean" | "null" | "number" | "object" | "string";

/** The fields of each fault's code, beside its place and its message. Texts stand whole, as they were found. */
export interface DocumentFaults {
  /** Not JSON (RFC 8259): the rest of the document was not read. */
  readonly ERR_POLICY_JSON: object;
  /** The same member twice in one object: readers disagree about which counts. */
  readonly ERR_POLICY_DUPLICATE_MEMBER: { readonly member: string };
  /** Objects and arrays nested deeper than any valid document; `limit` in levels. */
  readonly ERR_POLICY_DEPTH: { readonly limit: number };
  /** More characters, white space not counted, than the limit. */
  readonly ERR_POLICY_SIZE: { readonly found: number; readonly limit: number };
  /** A value of the wrong JSON type. */
  readonly ERR_POLICY_TYPE: { readonly found: JsonType; readonly allowed: readonly JsonType[] };
  /** A member that the grammar does not know. */
  readonly ERR_POLICY_UNKNOWN_ELEMENT: { readonly member: string; readonly allowed: readonly string[] };
  /** A member that has to be there and is not: one of `allowed`. */
  readonly ERR_POLICY_MISSING_ELEMENT: { readonly allowed: readonly string[] };
  /** Two members that exclude each other, such as Action and NotAction. */
  readonly ERR_POLICY_CONFLICTING_ELEMENTS: { readonly members: readonly [string, string] };
  /** A list that has to hold something and is empty. */
  readonly ERR_POLICY_EMPTY: { readonly member: string };
  readonly ERR_POLICY_VERSION: { readonly found: string; readonly allowed: readonly string[] };
  readonly ERR_POLICY_EFFECT: { readonly found: string; readonly allowed: readonly string[] };
  /** An action that is neither `*` nor `service:name`. */
  readonly ERR_POLICY_ACTION: { readonly found: string };
  /** A resource that is neither `*` nor an ARN. */
  readonly ERR_POLICY_RESOURCE: { readonly found: string };
  /** A condition operator that IAM does not know, or a prefix or suffix that does not go with it. `allowed` has neither. */
  readonly ERR_POLICY_OPERATOR: { readonly found: string; readonly allowed: readonly string[] };
  /**
   * A value that cannot be read as what it has to be: not a number, a date, an address ... `allowed` lists the values where
   * they can be counted.
   */
  readonly ERR_POLICY_VALUE: { readonly found: string; readonly allowed?: readonly string[] };
  /** More faults than are reported: the list ends here. */
  readonly ERR_POLICY_TOO_MANY_ERRORS: { readonly limit: number };
}

/** Stable names of the faults; messages are for people and may change. */
export type PolicyErrorCode = keyof DocumentFaults;

/** One fault of a document; `code` tells which further fields it has. */
export type DocumentError = {
  [Code in PolicyErrorCode]: Location & { readonly code: Code; readonly message: string } & DocumentFaults[Code];
}[PolicyErrorCode];

/** Thrown by the throwing forms; holds every fault that was found. */
export class PolicyError extends Error {
  override readonly name: string = "PolicyError";
  /** Code of the first fault. */
  readonly code: PolicyErrorCode;
  /** All faults in the order of the text. */
  readonly errors: readonly [DocumentError, ...DocumentError[]];

  constructor(errors: readonly [DocumentError, ...DocumentError[]]) {
    const [first, ...others] = errors;
    const more = others.length === 0 ? "" : ` (and ${others.length} more)`;
    super(`${first.line}:${first.column} ${first.path}: ${first.message}${more}`);
    this.code = first.code;
    this.errors = errors;
  }
}

/** How many faults one document may report. */
const maximumErrors = 100;

/** Collects the faults of one document, up to a limit. */
export class ErrorList {
  readonly found: DocumentError[] = [];

  add(at: Location, fault: Fault): void {
    const { path, line, column } = at;
    if (this.found.length < maximumErrors) this.found.push({ path, line, column, ...fault });
    else if (this.found.length === maximumErrors) {
      const message = `more than ${maximumErrors} faults: the others are not listed`;
      const code = "ERR_POLICY_TOO_MANY_ERRORS";
      this.found.push({ path, line, column, code, message, limit: maximumErrors });
    }
  }
}

/** A fault without its place. */
type Fault = {
  [Code in PolicyErrorCode]: { readonly code: Code; readonly message: string } & DocumentFaults[Code];
}[PolicyErrorCode];

/** Stable names of the faults of a request. */
export type PolicyRequestErrorCode =
  /** An action without its service, such as `Publish` for `iot:Publish`. */
  | "ERR_POLICY_REQUEST_ACTION"
  /** A resource that is neither `*` nor a whole ARN, such as `topic/a`. */
  | "ERR_POLICY_REQUEST_RESOURCE";

/** Thrown by `decide` and `explain` for a request that no policy could be about: a caller's mistake, not a denial. */
export class PolicyRequestError extends Error {
  override readonly name: string = "PolicyRequestError";
  readonly code: PolicyRequestErrorCode;
  /** The action or the resource that was given. */
  readonly found: string;

  constructor(code: PolicyRequestErrorCode, found: string, message: string) {
    super(message);
    this.code = code;
    this.found = found;
  }
}

/** A text for a message, cut where it is long. */
export function shorten(text: string): string {
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
}
