/** Everything that this package throws: one class, told apart by a stable `code`. */

import { Asn1Error } from "@latchkey/asn1";

/** Input that is not what its standard says. */
export type X509MalformedCode =
  /** Not the DER that the type has; `cause` is the `Asn1Error`. */
  | "ERR_X509_MALFORMED"
  /** A version that does not exist, is encoded although it is the default, or lacks what the value has. */
  | "ERR_X509_VERSION"
  /** The algorithm inside what is signed is not the one beside the signature. */
  | "ERR_X509_SIGNATURE_ALGORITHM_MISMATCH"
  | "ERR_X509_DUPLICATE_EXTENSION"
  /** A list that must have at least one element has none. */
  | "ERR_X509_EMPTY_LIST"
  /** An extension whose value breaks the rules of its type. */
  | "ERR_X509_EXTENSION_VALUE"
  /** Octets in a name that its string type does not allow. */
  | "ERR_X509_NAME_STRING"
  | "ERR_X509_GENERAL_NAME"
  | "ERR_X509_EMPTY_ISSUER"
  /** An empty subject beside a subjectAltName that is not critical. */
  | "ERR_X509_EMPTY_SUBJECT"
  /** A PEM block of another kind than asked for, or none of it. */
  | "ERR_X509_PEM_LABEL"
  /** The text of a distinguished name is not RFC 4514. */
  | "ERR_X509_NAME_TEXT";

/** A limit was reached. */
export type X509LimitCode = "ERR_X509_SIZE" | "ERR_X509_LIMIT";

/** Well-formed, but not something that this package does. */
export type X509UnsupportedCode = "ERR_X509_UNSUPPORTED_ENCRYPTION";

/** A check that failed. */
export type X509VerificationCode =
  /** A request is not signed by the key that it asks a certificate for. */
  | "ERR_X509_PROOF_OF_POSSESSION"
  /** A password that does not decrypt a private key. */
  | "ERR_X509_DECRYPTION";

/** The caller's own mistake when issuing. */
export type X509MisuseCode =
  /** The issuer's certificate does not allow it to sign this, or is not of the signing key. */
  "ERR_X509_ISSUER" | "ERR_X509_VALUE";

export type X509ErrorCode =
  | X509MalformedCode
  | X509LimitCode
  | X509UnsupportedCode
  | X509VerificationCode
  | X509MisuseCode;

/** What is known about a fault besides its code. */
export interface X509ErrorDetails {
  /** Octets from the start of the bytes that were passed in, to the wrong element. */
  readonly offset?: number | undefined;
  /** The rule that was broken, such as `RFC 5280 §4.2`. */
  readonly clause?: string | undefined;
  readonly cause?: unknown;
}

/** Why something was refused. Branch on `code`; the message is for people. Never holds a secret. */
export class X509Error extends Error {
  override readonly name = "X509Error";
  readonly code: X509ErrorCode;
  readonly offset: number | undefined;
  readonly clause: string | undefined;

  constructor(code: X509ErrorCode, message: string, details: X509ErrorDetails = {}) {
    const where = details.offset === undefined ? "" : ` at offset ${details.offset}`;
    const why = details.clause === undefined ? "" : ` (${details.clause})`;
    super(`${message}${where}${why}`, "cause" in details ? { cause: details.cause } : undefined);
    this.code = code;
    this.offset = details.offset;
    this.clause = details.clause;
  }
}

/** Runs `read` and turns what the DER reader throws into an X509Error that says what was being read. */
export function reading<T>(what: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw asX509Error(what, error);
  }
}

/** The X509Error for what the DER reader threw; anything else as it is. */
export function asX509Error(what: string, error: unknown): unknown {
  if (!(error instanceof Asn1Error)) return error;
  const isLimit = error.code === "ERR_ASN1_DEPTH" || error.code === "ERR_ASN1_ELEMENTS";
  const { reason, offset, clause } = error;
  const code = isLimit ? "ERR_X509_LIMIT" : "ERR_X509_MALFORMED";
  return new X509Error(code, `${what}: ${reason}`, { offset, clause, cause: error });
}

/** Refuses an empty list where RFC 5280 says SIZE (1..MAX). */
export function refuseEmpty(isEmpty: boolean, what: string, offset: number): void {
  if (isEmpty)
    throw new X509Error("ERR_X509_EMPTY_LIST", `${what} is empty`, { offset, clause: "RFC 5280 SIZE (1..MAX)" });
}
