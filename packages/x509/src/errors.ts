/** Everything that this package throws: one class, `X509Error`, whose `code` tells what its other fields are. */

import { Asn1Error, type Asn1ErrorCode } from "@latchkey/asn1";
import { type CodedError, codedErrorClass, type CodedErrorConstructor, type ErrorPlace } from "@latchkey/asn1/internal";
import type { CryptoErrorCode } from "@latchkey/crypto";
import type { ToleranceCode } from "./tolerance.ts";

/** The code says it all. */
type NoEvidence = object;

/** Evidence of input that is not what its standard says. */
export interface X509MalformedEvidence {
  /** `structure` is not the DER that its type has; `cause` is the `Asn1Error`, `problem` its code. */
  readonly ERR_X509_MALFORMED: { readonly structure: string; readonly problem: Asn1ErrorCode };
  /** A version that does not exist, is encoded although it is the default, or lacks what the value has. */
  readonly ERR_X509_VERSION: { readonly structure: string; readonly version: number };
  /** The algorithm inside what is signed is not the one beside the signature. Both as hexadecimal DER. */
  readonly ERR_X509_SIGNATURE_ALGORITHM_MISMATCH: { readonly inside: string; readonly outside: string };
  /** `extension` is the dotted object identifier. */
  readonly ERR_X509_DUPLICATE_EXTENSION: { readonly extension: string };
  /** A list that must have at least one element has none. */
  readonly ERR_X509_EMPTY_LIST: { readonly list: string };
  /** An extension whose value breaks the rules of its type. */
  readonly ERR_X509_EXTENSION_VALUE: { readonly extension: string };
  /** An octet in a name that its string type does not allow; `position` counts from the start of the value. */
  readonly ERR_X509_NAME_STRING: {
    readonly attribute: string;
    readonly type: string;
    readonly octet: number;
    readonly position: number;
  };
  readonly ERR_X509_GENERAL_NAME: { readonly found: string; readonly allowed: string };
  readonly ERR_X509_EMPTY_ISSUER: NoEvidence;
  /** An empty subject beside a subjectAltName that is not critical. */
  readonly ERR_X509_EMPTY_SUBJECT: NoEvidence;
  /** The labels of the PEM blocks that were found, and those that would do. */
  readonly ERR_X509_PEM_LABEL: { readonly found: readonly string[]; readonly wanted: readonly string[] };
  /** The text of a distinguished name cannot be read; `offset` counts characters. */
  readonly ERR_X509_NAME_TEXT: { readonly problem: string };
}

/** Evidence of a limit that was reached. */
export interface X509LimitEvidence {
  /** Octets. */
  readonly ERR_X509_SIZE: { readonly found: number; readonly limit: number };
  /** `what` is counted; `found` is undefined where counting stopped at the limit. */
  readonly ERR_X509_LIMIT: { readonly what: string; readonly found: number | undefined; readonly limit: number };
}

/** Evidence of something well-formed that this package does not do. */
export interface X509UnsupportedEvidence {
  readonly ERR_X509_UNSUPPORTED_ENCRYPTION: { readonly found: string; readonly supported: string };
}

/** Evidence of a check that failed. */
export interface X509VerificationEvidence {
  /** A request is not signed by the key that it asks a certificate for; `problem` is the code of the `CryptoError`. */
  readonly ERR_X509_PROOF_OF_POSSESSION: { readonly problem: CryptoErrorCode };
  /** An encrypted private key without its password, or with another. */
  readonly ERR_X509_DECRYPTION: { readonly problem: "password missing" | "password wrong" };
}

/** Evidence of the caller's own mistake when issuing. */
export interface X509MisuseEvidence {
  /** The issuer's certificate does not allow it to sign this, or is not of the signing key. */
  readonly ERR_X509_ISSUER: { readonly problem: string };
  readonly ERR_X509_VALUE: NoEvidence;
}

interface AllEvidence
  extends
    X509MalformedEvidence,
    X509LimitEvidence,
    X509UnsupportedEvidence,
    X509VerificationEvidence,
    X509MisuseEvidence {}

/** From each code to the fields that an error with it has. `tolerance` is the one that would read the input, if any. */
export type X509Evidence = {
  readonly [Code in keyof AllEvidence]: AllEvidence[Code] & { readonly tolerance?: ToleranceCode | undefined };
};

/** Input that is not what its standard says. */
export type X509MalformedCode = keyof X509MalformedEvidence;
/** A limit was reached. */
export type X509LimitCode = keyof X509LimitEvidence;
/** Well-formed, but not something that this package does. */
export type X509UnsupportedCode = keyof X509UnsupportedEvidence;
/** A check that failed. */
export type X509VerificationCode = keyof X509VerificationEvidence;
/** The caller's own mistake when issuing. */
export type X509MisuseCode = keyof X509MisuseEvidence;
/** Every code of this package. */
export type X509ErrorCode = keyof X509Evidence;

/** Where a fault is, and the rule that it breaks, such as `RFC 5280 §4.2`; every `X509Error` has these. */
export type X509ErrorDetails = ErrorPlace;

/**
 * Why something was refused. `code` narrows it: each code has fields of its own. `offset` counts octets from the start of
 * the bytes that were passed in. The message is for people. Nothing in it is ever a secret.
 */
export type X509Error = CodedError<X509Evidence>;
/** The class of `X509Error`: for `instanceof`. */
export const X509Error: CodedErrorConstructor<X509Evidence> =
  /* @__PURE__ */ codedErrorClass<X509Evidence>("X509Error");

/** A reason that says which tolerance would read the input. */
export function tolerable(reason: string, tolerance: ToleranceCode): string {
  return `${reason}; the tolerance ${tolerance} reads it`;
}

/** Runs `read` and turns what the DER reader throws into an X509Error that says what was being read. */
export function reading<T>(structure: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw asX509Error(structure, error);
  }
}

/** The X509Error for what the DER reader threw; anything else as it is. */
export function asX509Error(structure: string, error: unknown): unknown {
  if (!(error instanceof Asn1Error)) return error;
  const { offset, clause } = error;
  const place = { offset, clause, cause: error };
  const reason = `${structure}: ${error.reason}`;
  switch (error.code) {
    case "ERR_ASN1_DEPTH":
      return new X509Error("ERR_X509_LIMIT", reason, {
        what: "nesting",
        found: undefined,
        limit: error.limit,
        ...place,
      });
    case "ERR_ASN1_ELEMENTS":
      return new X509Error("ERR_X509_LIMIT", reason, {
        what: "elements",
        found: undefined,
        limit: error.limit,
        ...place,
      });
    case "ERR_ASN1_INTEGER_RANGE":
      return new X509Error("ERR_X509_LIMIT", reason, {
        what: `a number in ${structure}`,
        found: error.found,
        limit: error.limit,
        ...place,
      });
    case "ERR_ASN1_BOOLEAN":
      return error.octets === 1 ? malformed(structure, error, "booleanTrue") : malformed(structure, error);
    case "ERR_ASN1_DEFAULT_ENCODED":
      return malformed(structure, error, "defaultWrittenOut");
    default:
      return malformed(structure, error);
  }
}

function malformed(structure: string, error: Asn1Error, tolerance?: ToleranceCode): Error {
  const reason = `${structure}: ${error.reason}`;
  return new X509Error("ERR_X509_MALFORMED", tolerance === undefined ? reason : tolerable(reason, tolerance), {
    structure,
    problem: error.code,
    tolerance,
    offset: error.offset,
    clause: error.clause,
    cause: error,
  });
}

/** Refuses an empty list where its type says SIZE (1..MAX): by default RFC 5280's. */
export function refuseEmpty(isEmpty: boolean, list: string, offset: number, clause = "RFC 5280 SIZE (1..MAX)"): void {
  if (!isEmpty) return;
  throw new X509Error("ERR_X509_EMPTY_LIST", `${list} is empty; it has at least one element`, { list, offset, clause });
}

/** A version that does not exist, or that does not have what stands there. */
export function versionFault(
  structure: string,
  version: number,
  reason: string,
  offset: number,
  clause: string,
): Error {
  return new X509Error("ERR_X509_VERSION", `${structure} of version ${version}: ${reason}`, {
    structure,
    version,
    offset,
    clause,
  });
}

/** Refuses the value of an extension that breaks a rule of its type. */
export function extensionFault(extension: string, reason: string, offset: number, clause: string): Error {
  return new X509Error("ERR_X509_EXTENSION_VALUE", `${extension}: ${reason}`, { extension, offset, clause });
}
