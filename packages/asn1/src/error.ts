/** The one error of this package: what was wrong, and where. */

/** Input that is not DER, or not what the caller's schema asked for. */
export type Asn1MalformedCode =
  | "ERR_ASN1_BIT_STRING"
  | "ERR_ASN1_BOOLEAN"
  | "ERR_ASN1_DEFAULT_ENCODED"
  | "ERR_ASN1_HIGH_TAG"
  | "ERR_ASN1_INDEFINITE_LENGTH"
  | "ERR_ASN1_INTEGER"
  | "ERR_ASN1_LENGTH"
  | "ERR_ASN1_NULL"
  | "ERR_ASN1_OID"
  | "ERR_ASN1_STRING"
  | "ERR_ASN1_TAG"
  | "ERR_ASN1_TIME"
  | "ERR_ASN1_TRAILING"
  | "ERR_ASN1_TRUNCATED";

/** Text that is not PEM. */
export type PemCode = "ERR_ASN1_PEM_BASE64" | "ERR_ASN1_PEM_BOUNDARY" | "ERR_ASN1_PEM_HEADERS";

/** A limit of the reader was reached. */
export type Asn1LimitCode = "ERR_ASN1_DEPTH" | "ERR_ASN1_ELEMENTS" | "ERR_ASN1_INTEGER_RANGE";

/** A caller asked the writer for something that has no encoding. */
export type Asn1MisuseCode = "ERR_ASN1_VALUE";

export type Asn1ErrorCode = Asn1MalformedCode | PemCode | Asn1LimitCode | Asn1MisuseCode;

/**
 * Thrown by every function of this package, and nothing else is.
 *
 * `offset` counts octets from the start of the outermost bytes that were read (characters for PEM text); it is
 * undefined for errors of a writer. `clause` names the rule that was broken.
 */
export class Asn1Error extends Error {
  override readonly name = "Asn1Error";
  readonly code: Asn1ErrorCode;
  /** The message without offset and clause. */
  readonly reason: string;
  readonly offset: number | undefined;
  readonly clause: string | undefined;

  constructor(code: Asn1ErrorCode, reason: string, offset?: number, clause?: string) {
    super(offset === undefined ? reason : `${reason} at offset ${offset}${clause === undefined ? "" : ` (${clause})`}`);
    this.code = code;
    this.reason = reason;
    this.offset = offset;
    this.clause = clause;
  }
}
