/**
 * How `asn1`, `crypto` and `x509` make their error classes: one class a package whose instances narrow by `code`.
 *
 * A catalogue is an interface from code to evidence. An error has the evidence of its code as fields of its own, so
 * `if (error.code === "ERR_ASN1_TRUNCATED") error.announced` compiles, and a field of another code does not.
 */

/** What an error may say besides its code and evidence. */
export interface ErrorPlace {
  /** Where the fault starts, counted from the start of the input. The message leaves an offset of 0 out. */
  readonly offset?: number | undefined;
  /** The rule that was broken, such as `RFC 5280 §4.2`. */
  readonly clause?: string | undefined;
  /** The error that led to this one. */
  readonly cause?: unknown;
}

/** An error of one code: evidence as fields. */
export type CodedErrorOf<Evidence, Code extends keyof Evidence> = Error & {
  readonly code: Code;
  /** The message without offset and clause. */
  readonly reason: string;
  readonly offset: number | undefined;
  readonly clause: string | undefined;
} & Readonly<Evidence[Code]>;

/** An error of any code of a catalogue; `switch (error.code)` narrows it. */
export type CodedError<Evidence> = { [Code in keyof Evidence]: CodedErrorOf<Evidence, Code> }[keyof Evidence];

/** The class of such errors; `instanceof` narrows to the union over the codes. */
export interface CodedErrorConstructor<Evidence> {
  readonly prototype: CodedError<Evidence>;
  new <Code extends keyof Evidence>(
    code: Code,
    reason: string,
    details: Evidence[Code] & ErrorPlace,
  ): CodedErrorOf<Evidence, Code>;
}

/** Makes the error class of a catalogue. */
export function codedErrorClass<Evidence>(name: string): CodedErrorConstructor<Evidence> {
  class Coded extends Error {
    constructor(code: keyof Evidence, reason: string, { cause, ...details }: ErrorPlace) {
      const { offset, clause } = details;
      const where = offset === undefined || offset === 0 ? undefined : `at offset ${offset}`;
      const place = [where, clause].filter((part) => part !== undefined).join(", ");
      super(place === "" ? reason : `${reason} (${place})`, cause === undefined ? undefined : { cause });
      Object.assign(this, { code, reason, offset, clause }, details);
    }
  }
  Object.defineProperty(Coded.prototype, "name", { value: name });
  Object.defineProperty(Coded, "name", { value: name });
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the constructor assigns the fields by Object.assign
  return Coded as unknown as CodedErrorConstructor<Evidence>;
}
