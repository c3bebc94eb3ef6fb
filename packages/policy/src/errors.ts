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

/** Stable names of the faults; messages are for people and may change. */
export type PolicyErrorCode =
  /** Not JSON (RFC 8259): the rest of the document was not read. */
  | "ERR_POLICY_JSON"
  /** The same member twice in one object: readers disagree about which counts. */
  | "ERR_POLICY_DUPLICATE_MEMBER"
  /** Objects and arrays nested deeper than any valid document. */
  | "ERR_POLICY_DEPTH"
  /** More characters, white space not counted, than the limit. */
  | "ERR_POLICY_SIZE"
  /** A value of the wrong JSON type. */
  | "ERR_POLICY_TYPE"
  /** A member that the grammar does not know. */
  | "ERR_POLICY_UNKNOWN_ELEMENT"
  /** A member that has to be there and is not. */
  | "ERR_POLICY_MISSING_ELEMENT"
  /** Two members that exclude each other, such as Action and NotAction. */
  | "ERR_POLICY_CONFLICTING_ELEMENTS"
  /** A list that has to hold something and is empty. */
  | "ERR_POLICY_EMPTY"
  | "ERR_POLICY_VERSION"
  | "ERR_POLICY_EFFECT"
  /** An action that is neither `*` nor `service:name`. */
  | "ERR_POLICY_ACTION"
  /** A resource that is neither `*` nor an ARN. */
  | "ERR_POLICY_RESOURCE"
  /** A condition operator that IAM does not know, or a prefix or suffix that does not go with it. */
  | "ERR_POLICY_OPERATOR"
  /** A condition value that its operator cannot read: not a number, a date, an address ... */
  | "ERR_POLICY_VALUE"
  /** More faults than are reported: the list ends here. */
  | "ERR_POLICY_TOO_MANY_ERRORS";

/** One fault of a document. */
export interface DocumentError extends Location {
  readonly code: PolicyErrorCode;
  readonly message: string;
}

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

  add(code: PolicyErrorCode, at: Location, message: string): void {
    const { path, line, column } = at;
    if (this.found.length < maximumErrors) this.found.push({ code, path, line, column, message });
    else if (this.found.length === maximumErrors) {
      const text = `more than ${maximumErrors} faults: the others are not listed`;
      this.found.push({ code: "ERR_POLICY_TOO_MANY_ERRORS", path, line, column, message: text });
    }
  }
}

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
