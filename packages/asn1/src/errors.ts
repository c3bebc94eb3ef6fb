/** Everything that this package throws: one class, `Asn1Error`, whose `code` tells what its other fields are. */

import { type CodedError, codedErrorClass, type CodedErrorConstructor, type ErrorPlace } from "./coded-error.ts";

/** The evidence of codes that need none. */
type NoEvidence = object;

/** Evidence of input that is not DER, or not what the caller's schema asked for. */
export interface Asn1MalformedEvidence {
  readonly ERR_ASN1_BIT_STRING: { readonly problem: "empty" | "unused bits" | "not whole octets" };
  /** `found` is the content, of which one octet is wanted: 0x00 or 0xff. */
  readonly ERR_ASN1_BOOLEAN: { readonly found: readonly number[]; readonly octets: number };
  /** A value that equals the DEFAULT of its type, which DER leaves out. */
  readonly ERR_ASN1_DEFAULT_ENCODED: NoEvidence;
  readonly ERR_ASN1_HIGH_TAG: { readonly found: number };
  readonly ERR_ASN1_INDEFINITE_LENGTH: NoEvidence;
  readonly ERR_ASN1_INTEGER: { readonly problem: "empty" | "not minimal" | "negative" };
  /** `octets` is how many octets the length itself takes. */
  readonly ERR_ASN1_LENGTH: { readonly problem: "not minimal" | "over 4 octets"; readonly octets: number };
  /** `octets` is the length of the content, which should be none. */
  readonly ERR_ASN1_NULL: { readonly octets: number };
  readonly ERR_ASN1_OID: {
    readonly problem: "empty" | "ends within an arc" | "padded arc" | "too long";
    readonly octets: number;
    /** The longest that is read, in octets. */
    readonly limit: number;
  };
  /** `position` counts octets from the start of the string's content; `octet` is what stands there. */
  readonly ERR_ASN1_STRING: { readonly type: string; readonly octet: number; readonly position: number };
  /** Identifier octets. `expected` is undefined where any well-formed one would do. */
  readonly ERR_ASN1_TAG: { readonly found: number; readonly expected: number | undefined };
  /** `found` is the content as text, other characters than visible ASCII as `?`. */
  readonly ERR_ASN1_TIME: { readonly found: string; readonly expected: string };
  /** `octets` is how many stand behind the last element that was wanted. */
  readonly ERR_ASN1_TRAILING: { readonly octets: number };
  /** An element announces more octets than there are. Both are 0 where even the header is missing. */
  readonly ERR_ASN1_TRUNCATED: { readonly announced: number; readonly present: number };
}

/** Evidence of text that is not PEM. `block` counts the blocks from 1, those that were passed over too. */
export interface PemEvidence {
  readonly ERR_ASN1_PEM_BASE64: {
    readonly block: number;
    readonly label: string;
    readonly problem: "character" | "padding" | "stray bits";
    /** The wrong character; undefined for the other problems. */
    readonly character: string | undefined;
  };
  readonly ERR_ASN1_PEM_BOUNDARY: {
    readonly block: number;
    readonly label: string;
    readonly problem: "malformed" | "no END" | "END without BEGIN" | "another label at the END";
  };
  /** `headers` are the names of the header lines, for instance `Proc-Type` and `DEK-Info` of an encrypted key. */
  readonly ERR_ASN1_PEM_HEADERS: {
    readonly block: number;
    readonly label: string;
    readonly headers: readonly string[];
    readonly isEncrypted: boolean;
  };
}

/** Evidence of a limit that was reached. */
export interface Asn1LimitEvidence {
  readonly ERR_ASN1_DEPTH: { readonly limit: number };
  readonly ERR_ASN1_ELEMENTS: { readonly limit: number };
  /** `found` is undefined where the number is not exact as a JavaScript number; `octets` is its length. */
  readonly ERR_ASN1_INTEGER_RANGE: {
    readonly found: number | undefined;
    readonly octets: number;
    readonly limit: number;
  };
}

/** Evidence of a value that has no encoding: a caller's mistake. */
export interface Asn1MisuseEvidence {
  readonly ERR_ASN1_VALUE: NoEvidence;
}

/** From each code to the fields that an error with it has. */
export interface Asn1Evidence extends Asn1MalformedEvidence, PemEvidence, Asn1LimitEvidence, Asn1MisuseEvidence {}

/** Input that is not DER, or not what the caller's schema asked for. */
export type Asn1MalformedCode = keyof Asn1MalformedEvidence;
/** Text that is not PEM. */
export type PemCode = keyof PemEvidence;
/** A limit of the reader was reached. */
export type Asn1LimitCode = keyof Asn1LimitEvidence;
/** A caller asked the writer for something that has no encoding. */
export type Asn1MisuseCode = keyof Asn1MisuseEvidence;
/** Every code of this package. */
export type Asn1ErrorCode = keyof Asn1Evidence;

/** Where a fault is, and the rule that it breaks; every `Asn1Error` has these. */
export type Asn1ErrorPlace = ErrorPlace;

/**
 * Thrown by every function of this package, and nothing else is. `code` narrows it: each code has fields of its own.
 *
 * `offset` counts octets from the start of the outermost bytes that were read (characters for PEM text); it is
 * undefined for errors of a writer. `clause` names the rule that was broken, `reason` is the message without both.
 */
export type Asn1Error = CodedError<Asn1Evidence>;
/** The class of `Asn1Error`: for `instanceof`. */
export const Asn1Error: CodedErrorConstructor<Asn1Evidence> =
  /* @__PURE__ */ codedErrorClass<Asn1Evidence>("Asn1Error");
