/**
 * A strict DER reader (X.690) over a `Uint8Array`, without copies.
 *
 * A reader is a cursor over one value's contents. Each method reads exactly one type and moves behind it, or throws an
 * `Asn1Error` with the offset of the wrong element. No tree is built: the caller asks for one element after the other, and
 * `end()` refuses elements that were not asked for. Values are views into the given bytes, valid as long as those.
 */

import { type Budget, type DerReaderOptions, makeBudget } from "./der-options.ts";
import { Asn1Error, type Asn1ErrorCode, type Asn1Evidence } from "./errors.ts";
import { checkOid } from "./oid.ts";
import { contextConstructed, Tag, tagName } from "./tag.ts";
import { decodeText, stringFault, visibleText } from "./text.ts";
import { decodeGeneralizedTime, decodeUtcTime } from "./time.ts";

/** One element of any type. */
export interface DerElement {
  /** The identifier octet. */
  readonly tag: number;
  /** The content octets, a view. */
  readonly content: Uint8Array;
  /** Identifier, length and content octets, a view. */
  readonly encoding: Uint8Array;
  /** Where the encoding starts, as an offset of an error. */
  readonly offset: number;
  /** Where the content starts, as an offset of an error. */
  readonly contentOffset: number;
}

/** A BIT STRING's octets, a view, and how many bits of the last octet do not count (they are zero). */
export interface BitString {
  readonly bytes: Uint8Array;
  readonly unusedBits: number;
}

/** A cursor over the elements that some bytes hold: see the head of this file. */
export class DerReader {
  readonly #bytes: Uint8Array;
  readonly #budget: Budget;
  #depth: number;
  /** Where this reader's own element starts, header included; equal to the first content octet for the outermost. */
  readonly #start: number;
  #end: number;
  #position: number;
  // Where the header that was read last starts: errors are reported there.
  #headerStart = 0;
  #contentStart = 0;
  #contentEnd = 0;

  /** Reads the elements that `bytes` holds one after the other; usually one. */
  constructor(bytes: Uint8Array, options?: DerReaderOptions, parent?: DerReader) {
    this.#bytes = bytes;
    this.#budget = parent === undefined ? makeBudget(options) : parent.#budget;
    this.#depth = parent === undefined ? 0 : parent.#depth + 1;
    this.#start = parent === undefined ? 0 : parent.#position;
    this.#position = parent === undefined ? 0 : parent.#contentStart;
    this.#end = parent === undefined ? bytes.length : parent.#contentEnd;
    this.#headerStart = this.#start;
    this.#checkDepth();
  }

  /** Where the next element starts, as an offset of an error. */
  get offset(): number {
    return this.#budget.baseOffset + this.#position;
  }

  /** Whether everything was read. */
  get isAtEnd(): boolean {
    return this.#position === this.#end;
  }

  /** The whole element that this reader reads within, header included: a view. All bytes for the outermost reader. */
  get encoding(): Uint8Array {
    return this.#bytes.subarray(this.#start, this.#end);
  }

  /** What was read since `offset`, as an offset of an error: a view. */
  since(offset: number): Uint8Array {
    return this.#bytes.subarray(offset - this.#budget.baseOffset, this.#position);
  }

  /** What was not read yet, a view. */
  get rest(): Uint8Array {
    return this.#bytes.subarray(this.#position, this.#end);
  }

  /** Whether there is a next element and it has this identifier octet. */
  nextIs(tag: number): boolean {
    return this.#position < this.#end && this.#bytes[this.#position] === tag;
  }

  /** Refuses what was not read: `ERR_ASN1_TRAILING`. */
  end(): void {
    this.#headerStart = this.#position;
    if (this.isAtEnd) return;
    const octets = this.#end - this.#position;
    throw this.#malformed("ERR_ASN1_TRAILING", `${count(octets)} too many behind the last element`, { octets });
  }

  /** The contents of a constructed element, SEQUENCE by default. The child shares this reader's limits. */
  sequence(tag: number = Tag.sequence): DerReader {
    this.#header(tag);
    const child = new DerReader(this.#bytes, undefined, this);
    this.#position = this.#contentEnd;
    return child;
  }

  /**
   * Goes into a constructed element without making a reader for it, which is faster in lists of many small elements.
   * Pass the result to `leave`.
   */
  enter(tag: number = Tag.sequence): number {
    this.#header(tag);
    const outerEnd = this.#end;
    this.#position = this.#contentStart;
    this.#end = this.#contentEnd;
    this.#depth++;
    this.#checkDepth();
    return outerEnd;
  }

  /** Goes back to what was read before `enter`, refusing what was not read since: `ERR_ASN1_TRAILING`. */
  leave(outerEnd: number): void {
    this.end();
    this.#end = outerEnd;
    this.#depth--;
  }

  /** The contents of a SET or SET OF. Their order is not checked: certificates in use have wrong ones. */
  set(): DerReader {
    return this.sequence(Tag.set);
  }

  /** The contents of an explicit tag `[number]`, which the caller ends with `end()`. */
  explicit(number: number): DerReader {
    return this.sequence(contextConstructed(number));
  }

  /** The identifier octet of the next element, whose form is checked; 0 at the end. */
  get nextTag(): number {
    this.#headerStart = this.#position;
    if (this.isAtEnd) return 0;
    const tag = this.#bytes[this.#position] ?? 0;
    if (isWellFormedTag(tag)) return tag;
    if ((tag & 0x1f) === 0x1f) {
      const reason = `identifier octet ${hex(tag)} starts a tag number over 30, which is not read`;
      throw this.#malformed("ERR_ASN1_HIGH_TAG", reason, { found: tag });
    }
    const reason = `identifier octet ${hex(tag)} does not occur in DER`;
    throw this.#malformed("ERR_ASN1_TAG", reason, { found: tag, expected: undefined, clause: "X.690 §10.2" });
  }

  /**
   * Whether the options tolerate a fault of this name here. A schema asks before it refuses something that has one
   * meaning only.
   */
  tolerates(name: string, offset: number = this.offset): boolean {
    return this.#budget.tolerate !== undefined && this.#budget.tolerate(name, offset);
  }

  /** The next element, whatever low-number tag it has. Its content is not checked. */
  any(): DerElement {
    return this.element(this.nextTag);
  }

  /** The next element with this identifier octet; its content is not checked. */
  element(tag: number): DerElement {
    this.#header(tag);
    const start = this.#position;
    this.#position = this.#contentEnd;
    return {
      tag,
      content: this.#content,
      encoding: this.#bytes.subarray(start, this.#contentEnd),
      offset: this.#budget.baseOffset + start,
      contentOffset: this.#budget.baseOffset + this.#contentStart,
    };
  }

  /** The content octets of a primitive element, a view; they are not checked. */
  primitive(tag: number): Uint8Array {
    this.#header(tag);
    return this.#take();
  }

  /** A BOOLEAN: one octet, 0x00 or 0xff. Where `booleanTrue` is tolerated, all but 0x00 is true, as in BER. */
  boolean(tag: number = Tag.boolean): boolean {
    this.#header(tag);
    const value = this.#bytes[this.#contentStart] ?? 0;
    const octets = this.#contentEnd - this.#contentStart;
    // X.690 §11.1: TRUE is one octet of ones.
    const isWrong = octets !== 1 || (value !== 0x00 && value !== 0xff);
    if (isWrong && !(octets === 1 && this.tolerates("booleanTrue"))) {
      const found = [...this.#content.subarray(0, 4)];
      const text = octets === 1 ? hex(value) : `${count(octets)} of content`;
      const reason = `BOOLEAN with ${text}; it has one octet, 0x00 for FALSE or 0xff for TRUE`;
      throw this.#malformed("ERR_ASN1_BOOLEAN", reason, { found, octets, clause: "X.690 §11.1" });
    }
    this.#position = this.#contentEnd;
    return value !== 0x00;
  }

  /**
   * An optional BOOLEAN DEFAULT FALSE. A FALSE that is written out is `ERR_ASN1_DEFAULT_ENCODED` (X.690 §11.5) unless
   * `defaultWrittenOut` is tolerated.
   */
  booleanDefaultFalse(tag: number = Tag.boolean): boolean {
    if (!this.nextIs(tag)) return false;
    const { offset } = this;
    if (this.boolean(tag)) return true;
    if (this.tolerates("defaultWrittenOut", offset)) return false;
    const reason = "FALSE is written out; it is the default, which DER leaves out";
    throw this.#malformed("ERR_ASN1_DEFAULT_ENCODED", reason, { clause: "X.690 §11.5" });
  }

  /** An INTEGER's content: two's complement, big-endian, minimal, at least one octet. A view. */
  integer(tag: number = Tag.integer): Uint8Array {
    this.#integerHeader(tag);
    return this.#take();
  }

  /** A non-negative INTEGER's magnitude: big-endian, without the sign octet; `[0]` for zero. A view. */
  unsignedInteger(tag: number = Tag.integer): Uint8Array {
    this.#integerHeader(tag);
    const first = this.#bytes[this.#contentStart] ?? 0;
    if (first >= 0x80) {
      throw this.#malformed("ERR_ASN1_INTEGER", "negative INTEGER where none may be negative", { problem: "negative" });
    }
    if (first === 0 && this.#contentEnd - this.#contentStart > 1) this.#contentStart++;
    return this.#take();
  }

  /** An INTEGER from 0 to `maximum` (at most 2^53 - 1). Greater ones are `ERR_ASN1_INTEGER_RANGE`. */
  smallInteger(maximum: number, tag: number = Tag.integer): number {
    const octets = this.unsignedInteger(tag);
    let value = 0;
    for (let index = 0; index < octets.length && value <= Number.MAX_SAFE_INTEGER; index++) {
      value = value * 256 + (octets[index] ?? 0);
    }
    if (value <= maximum) return value;
    const found = Number.isSafeInteger(value) ? value : undefined;
    throw this.#malformed(
      "ERR_ASN1_INTEGER_RANGE",
      `INTEGER ${found ?? `of ${count(octets.length)}`} over ${maximum}`,
      {
        found,
        octets: octets.length,
        limit: maximum,
      },
    );
  }

  /** A BIT STRING of any length. Unused bits are zero (X.690 §11.2.1). */
  bitString(tag: number = Tag.bitString): BitString {
    this.#header(tag);
    const length = this.#contentEnd - this.#contentStart;
    const unusedBits = this.#bytes[this.#contentStart] ?? 0;
    const last = this.#bytes[this.#contentEnd - 1] ?? 0;
    if (length === 0 || unusedBits > 7 || (length === 1 ? unusedBits > 0 : (last & ((1 << unusedBits) - 1)) !== 0)) {
      const clause = "X.690 §11.2";
      if (length === 0) {
        const reason = "BIT STRING without the octet that counts its unused bits";
        throw this.#malformed("ERR_ASN1_BIT_STRING", reason, { problem: "empty", clause });
      }
      const reason = `BIT STRING with ${unusedBits} unused bits, which are not all zero or not all there`;
      throw this.#malformed("ERR_ASN1_BIT_STRING", reason, { problem: "unused bits", clause });
    }
    this.#contentStart++;
    return { bytes: this.#take(), unusedBits };
  }

  /** A BIT STRING of whole octets, as signatures and keys are. A view. */
  octetAlignedBitString(tag: number = Tag.bitString): Uint8Array {
    const { bytes, unusedBits } = this.bitString(tag);
    if (unusedBits === 0) return bytes;
    const reason = `BIT STRING with ${unusedBits} unused bits where whole octets belong`;
    throw this.#malformed("ERR_ASN1_BIT_STRING", reason, { problem: "not whole octets" });
  }

  /**
   * A BIT STRING with named bits: bit 0 is the value's lowest bit. At most 31 bits; later ones are dropped.
   *
   * Trailing zero bits, which DER wants dropped (X.690 §11.2.2), are read, as Go, OpenSSL and BoringSSL do.
   */
  namedBits(tag: number = Tag.bitString): number {
    const { bytes } = this.bitString(tag);
    let value = 0;
    for (let bit = 0; bit < Math.min(31, bytes.length * 8); bit++) {
      if (((bytes[bit >> 3] ?? 0) & (0x80 >> (bit & 7))) !== 0) value |= 1 << bit;
    }
    return value;
  }

  /** An OCTET STRING's octets, a view. */
  octetString(tag: number = Tag.octetString): Uint8Array {
    return this.primitive(tag);
  }

  /** A NULL, which has no content. */
  null(tag: number = Tag.null): void {
    this.#header(tag);
    const octets = this.#contentEnd - this.#contentStart;
    if (octets > 0) throw this.#malformed("ERR_ASN1_NULL", `NULL with ${count(octets)} of content`, { octets });
    this.#position = this.#contentEnd;
  }

  /** An OBJECT IDENTIFIER's content octets, a view: compare them with `equalBytes`, show them with `decodeOid`. */
  oid(tag: number = Tag.objectIdentifier): Uint8Array {
    this.#header(tag);
    const content = this.#content;
    checkOid(content, this.offset);
    this.#position = this.#contentEnd;
    return content;
  }

  /** A UTCTime or a GeneralizedTime in the form of RFC 5280 §4.1.2.5, as seconds since 1970. */
  time(): number {
    return this.nextIs(Tag.utcTime) ? this.#time(Tag.utcTime, decodeUtcTime) : this.generalizedTime();
  }

  /** A GeneralizedTime `YYYYMMDDHHMMSSZ`, as seconds since 1970. */
  generalizedTime(tag: number = Tag.generalizedTime): number {
    return this.#time(tag, decodeGeneralizedTime);
  }

  /** The text of a string type; `tag` where it is implicitly tagged. */
  text(type: number, tag: number = type): string {
    this.#header(tag);
    const value = decodeText(type, this.#content);
    if (value === undefined) {
      const { reason, ...evidence } = stringFault(type, this.#content);
      throw this.#malformed("ERR_ASN1_STRING", reason, evidence);
    }
    this.#position = this.#contentEnd;
    return value;
  }

  #time(tag: number, decode: typeof decodeUtcTime): number {
    this.#header(tag);
    const seconds = decode(this.#bytes, this.#contentStart, this.#contentEnd);
    if (seconds === undefined) {
      const found = visibleText(this.#content.subarray(0, 32));
      const expected = tag === Tag.utcTime ? "YYMMDDHHMMSSZ" : "YYYYMMDDHHMMSSZ";
      const reason = `"${found}" is not a time of the form ${expected}, with a date that exists`;
      throw this.#malformed("ERR_ASN1_TIME", reason, { found, expected, clause: "RFC 5280 §4.1.2.5" });
    }
    this.#position = this.#contentEnd;
    return seconds;
  }

  #integerHeader(tag: number): void {
    this.#header(tag);
    if (!isMinimalInteger(this.#bytes, this.#contentStart, this.#contentEnd)) {
      const isEmpty = this.#contentStart === this.#contentEnd;
      throw this.#malformed(
        "ERR_ASN1_INTEGER",
        isEmpty ? "INTEGER without content" : "INTEGER with an octet too many",
        {
          problem: isEmpty ? "empty" : "not minimal",
          clause: "X.690 §8.3.2",
        },
      );
    }
  }

  #checkDepth(): void {
    if (this.#depth <= this.#budget.depth) return;
    const limit = this.#budget.depth;
    throw this.#malformed("ERR_ASN1_DEPTH", `elements nest deeper than the ${limit} levels allowed`, { limit });
  }

  /** The content of the element whose header was read. */
  get #content(): Uint8Array {
    return this.#bytes.subarray(this.#contentStart, this.#contentEnd);
  }

  /** Moves past the element whose header was read and returns its content. */
  #take(): Uint8Array {
    this.#position = this.#contentEnd;
    return this.#content;
  }

  /** Reads the header of the next element, which has this tag, into the content bounds. The position stays. */
  #header(tag: number): void {
    const bytes = this.#bytes;
    const start = this.#position;
    this.#headerStart = start;
    if (start + 2 > this.#end) {
      const reason = `nothing follows where ${tagName(tag)} belongs`;
      throw this.#malformed("ERR_ASN1_TRUNCATED", reason, { announced: 0, present: 0 });
    }
    if (--this.#budget.elementsLeft < 0) {
      const limit = this.#budget.elements;
      throw this.#malformed("ERR_ASN1_ELEMENTS", `more than the ${limit} elements allowed`, { limit });
    }
    const actual = bytes[start] ?? 0;
    if (actual !== tag) {
      const reason = `${tagName(actual)} where ${tagName(tag)} belongs`;
      throw this.#malformed("ERR_ASN1_TAG", reason, { found: actual, expected: tag });
    }
    const first = bytes[start + 1] ?? 0;
    let length = first;
    let contentStart = start + 2;
    if (first >= 0x80) {
      length = this.#longLength(start, first);
      contentStart += first & 0x7f;
    }
    if (length > this.#end - contentStart) throw this.#truncated(tag, length, this.#end - contentStart);
    this.#contentStart = contentStart;
    this.#contentEnd = contentStart + length;
  }

  #longLength(start: number, first: number): number {
    const clause = "X.690 §10.1";
    // X.690 §10.1: the definite form, in the fewest octets.
    if (first === 0x80) {
      const reason = "indefinite length, which is BER: DER says how long an element is";
      throw this.#malformed("ERR_ASN1_INDEFINITE_LENGTH", reason, { clause });
    }
    const octets = Math.min(first & 0x7f, 5);
    const present = this.#end - start - 2;
    if (octets > present) {
      const reason = `a length of ${count(octets)} of which ${present} are present`;
      throw this.#malformed("ERR_ASN1_TRUNCATED", reason, { announced: octets, present });
    }
    let length = 0;
    for (let index = 0; index < octets; index++) length = length * 256 + (this.#bytes[start + 2 + index] ?? 0);
    if (octets > 4) {
      const reason = `a length of ${first & 0x7f} octets, more than the 4 allowed`;
      throw this.#malformed("ERR_ASN1_LENGTH", reason, { problem: "over 4 octets", octets: first & 0x7f, clause });
    }
    if (length < 0x80 || length < 256 ** (octets - 1)) {
      const reason = `the length ${length} in ${count(octets)} more than it needs`;
      throw this.#malformed("ERR_ASN1_LENGTH", reason, { problem: "not minimal", octets, clause });
    }
    return length;
  }

  #truncated(tag: number, announced: number, present: number): Error {
    const reason = `${tagName(tag)} is cut off: ${count(announced)} announced, ${present} present`;
    return this.#malformed("ERR_ASN1_TRUNCATED", reason, { announced, present });
  }

  /** A fault of the element whose header was read last. */
  #malformed<Code extends Asn1ErrorCode>(
    code: Code,
    reason: string,
    details: Asn1Evidence[Code] & { readonly clause?: string },
  ): Error {
    return new Asn1Error(code, reason, { ...details, offset: this.#budget.baseOffset + this.#headerStart });
  }
}

function count(octets: number): string {
  return octets === 1 ? "1 octet" : `${octets} octets`;
}

/** X.690 §8.3.2: at least one octet, and the first nine bits neither all ones nor all zero. */
export function isMinimalInteger(bytes: Uint8Array, start: number, end: number): boolean {
  const first = bytes[start] ?? 0;
  const isPadded = end - start > 1 && (first === 0 || first === 0xff) && ((bytes[start + 1] ?? 0) ^ first) < 0x80;
  return end > start && !isPadded;
}

/** X.690 §10.2: strings are primitive; SEQUENCE and SET are constructed; 0x00 ends indefinite lengths only. */
function isWellFormedTag(tag: number): boolean {
  const number = tag & 0x1f;
  if (tag >= 0x40) return number !== 0x1f;
  const isConstructed = (tag & 0x20) !== 0;
  // EXTERNAL, EMBEDDED PDV and CHARACTER STRING are sequences.
  const isSequence = number === 0x10 || number === 0x11 || number === 0x08 || number === 0x0b || number === 0x1d;
  return number !== 0 && number !== 0x1f && isConstructed === isSequence;
}

function hex(tag: number): string {
  return `0x${tag.toString(16).padStart(2, "0")}`;
}
