/**
 * A strict DER reader (X.690) over a `Uint8Array`, without copies.
 *
 * A reader is a cursor over one value's contents. Each method takes exactly the type that the caller's schema asks for
 * and moves on, or throws an `Asn1Error` with the offset of the wrong element. Nothing is built ahead: the schema walks,
 * and what it does not ask for is refused by `end()`. Values are views into the given bytes, valid as long as those.
 */

import { Asn1Error, type Asn1MalformedCode } from "./error.ts";
import { checkOid } from "./oid.ts";
import { contextConstructed, Tag } from "./tag.ts";
import { decodeText } from "./text.ts";
import { decodeGeneralizedTime, decodeUtcTime } from "./time.ts";

/** What bounds a reader's work on one input. */
export interface DerLimits {
  /** How deep constructed values may nest; certificates with every extension stay under 16. Default 32. */
  readonly maximumDepth?: number;
  /** How many elements are read in all. Default 1,048,576. */
  readonly maximumElements?: number;
}

export interface DerReaderOptions extends DerLimits {
  /** Added to every reported offset: where `bytes` starts within what the caller calls the input. Default 0. */
  readonly baseOffset?: number;
}

/** One element of any type. */
export interface DerElement {
  /** The identifier octet. */
  readonly tag: number;
  /** The content octets, a view. */
  readonly content: Uint8Array;
  /** Identifier, length and content octets, a view. */
  readonly encoding: Uint8Array;
  /** Where the encoding starts, counted as errors count. */
  readonly offset: number;
  /** Where the content starts, counted likewise. */
  readonly contentOffset: number;
}

/** A BIT STRING's octets, a view, and how many bits of the last octet do not count (they are zero). */
export interface BitString {
  readonly bytes: Uint8Array;
  readonly unusedBits: number;
}

export const defaultMaximumDepth = 32;
export const defaultMaximumElements = 1_048_576;

/** What all readers of one input share. */
interface Budget {
  elementsLeft: number;
  readonly elements: number;
  readonly depth: number;
}

export class DerReader {
  readonly #bytes: Uint8Array;
  readonly #budget: Budget;
  readonly #baseOffset: number;
  readonly #depth: number;
  /** Where this reader's own element starts, header included; equal to the first content octet for the outermost. */
  readonly #start: number;
  readonly #end: number;
  #position: number;
  // The header read last.
  #contentStart = 0;
  #contentEnd = 0;

  /** Reads the elements that `bytes` holds one after the other; usually one. */
  constructor(bytes: Uint8Array, options?: DerReaderOptions, parent?: DerReader) {
    this.#bytes = bytes;
    if (parent === undefined) {
      const elements = options?.maximumElements ?? defaultMaximumElements;
      this.#budget = { elementsLeft: elements, elements, depth: options?.maximumDepth ?? defaultMaximumDepth };
      this.#baseOffset = options?.baseOffset ?? 0;
      this.#depth = 0;
      this.#start = 0;
      this.#position = 0;
      this.#end = bytes.length;
    } else {
      this.#budget = parent.#budget;
      this.#baseOffset = parent.#baseOffset;
      this.#depth = parent.#depth + 1;
      this.#start = parent.#position;
      this.#position = parent.#contentStart;
      this.#end = parent.#contentEnd;
      if (this.#depth > this.#budget.depth) {
        throw new Asn1Error(
          "ERR_ASN1_DEPTH",
          `nested deeper than ${this.#budget.depth}`,
          this.#baseOffset + this.#start,
        );
      }
    }
  }

  /** Where the next element starts, counted as errors count. */
  get offset(): number {
    return this.#baseOffset + this.#position;
  }

  /** Whether everything was read. */
  get isAtEnd(): boolean {
    return this.#position === this.#end;
  }

  /** The whole element that this reader reads within, header included: a view. All bytes for the outermost reader. */
  get encoding(): Uint8Array {
    return this.#bytes.subarray(this.#start, this.#end);
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
    if (this.#position !== this.#end) throw this.#malformed("ERR_ASN1_TRAILING", "more data than the type has");
  }

  /** The contents of a constructed element, SEQUENCE by default. The child shares this reader's limits. */
  sequence(tag: number = Tag.sequence): DerReader {
    this.#header(tag);
    const child = new DerReader(this.#bytes, undefined, this);
    this.#position = this.#contentEnd;
    return child;
  }

  /** The contents of a SET or SET OF. Their order is not judged: DER's order is the writer's duty. */
  set(): DerReader {
    return this.sequence(Tag.set);
  }

  /** The contents of an explicit tag `[number]`, which the caller ends with `end()`. */
  explicit(number: number): DerReader {
    return this.sequence(contextConstructed(number));
  }

  /** The next element, whatever low-number tag it has. Its content is not judged. */
  any(): DerElement {
    const tag = this.#position < this.#end ? (this.#bytes[this.#position] ?? 0) : -1;
    return this.element(tag);
  }

  /** The next element with this identifier octet; its content is not judged. */
  element(tag: number): DerElement {
    if (!isWellFormedTag(tag) && this.nextIs(tag)) throw this.#wrongForm(tag);
    this.#header(tag);
    const start = this.#position;
    this.#position = this.#contentEnd;
    return {
      tag,
      content: this.#bytes.subarray(this.#contentStart, this.#contentEnd),
      encoding: this.#bytes.subarray(start, this.#contentEnd),
      offset: this.#baseOffset + start,
      contentOffset: this.#baseOffset + this.#contentStart,
    };
  }

  /** The content octets of a primitive element, a view; they are not judged. */
  primitive(tag: number): Uint8Array {
    this.#header(tag);
    return this.#take();
  }

  boolean(tag: number = Tag.boolean): boolean {
    this.#header(tag);
    const value = this.#bytes[this.#contentStart];
    // X.690 §11.1: TRUE is one octet of ones.
    if (this.#contentEnd - this.#contentStart !== 1 || (value !== 0x00 && value !== 0xff)) {
      throw this.#malformed("ERR_ASN1_BOOLEAN", "malformed BOOLEAN", "X.690 §11.1");
    }
    this.#position = this.#contentEnd;
    return value === 0xff;
  }

  /** An optional BOOLEAN DEFAULT FALSE. An encoded FALSE is `ERR_ASN1_DEFAULT_ENCODED` (X.690 §11.5). */
  booleanDefaultFalse(tag: number = Tag.boolean): boolean {
    if (!this.nextIs(tag)) return false;
    const start = this.#position;
    if (this.boolean(tag)) return true;
    this.#position = start;
    throw this.#malformed("ERR_ASN1_DEFAULT_ENCODED", "DEFAULT value encoded", "X.690 §11.5");
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
    if (first >= 0x80) throw this.#malformed("ERR_ASN1_INTEGER", "negative INTEGER");
    if (first === 0 && this.#contentEnd - this.#contentStart > 1) this.#contentStart++;
    return this.#take();
  }

  /** An INTEGER from 0 to `maximum` (at most 2^31 - 1). Greater ones are `ERR_ASN1_INTEGER_RANGE`. */
  smallInteger(maximum: number, tag: number = Tag.integer): number {
    const start = this.#position;
    const octets = this.unsignedInteger(tag);
    let value = 0;
    for (let index = 0; index < octets.length && value <= maximum; index++) value = value * 256 + (octets[index] ?? 0);
    if (value > maximum) {
      throw new Asn1Error("ERR_ASN1_INTEGER_RANGE", `INTEGER over ${maximum}`, this.#baseOffset + start);
    }
    return value;
  }

  /** A BIT STRING of any length. Unused bits are zero (X.690 §11.2.1). */
  bitString(tag: number = Tag.bitString): BitString {
    this.#header(tag);
    const length = this.#contentEnd - this.#contentStart;
    const unusedBits = this.#bytes[this.#contentStart] ?? 0;
    const last = this.#bytes[this.#contentEnd - 1] ?? 0;
    if (length === 0 || unusedBits > 7 || (length === 1 ? unusedBits > 0 : (last & ((1 << unusedBits) - 1)) !== 0)) {
      throw this.#malformed("ERR_ASN1_BIT_STRING", "malformed BIT STRING", "X.690 §11.2");
    }
    this.#contentStart++;
    return { bytes: this.#take(), unusedBits };
  }

  /** A BIT STRING of whole octets, as signatures and keys are. A view. */
  octetAlignedBitString(tag: number = Tag.bitString): Uint8Array {
    const start = this.#position;
    const { bytes, unusedBits } = this.bitString(tag);
    if (unusedBits === 0) return bytes;
    this.#position = start;
    throw this.#malformed("ERR_ASN1_BIT_STRING", "unused bits in a string of octets");
  }

  /**
   * A BIT STRING with named bits: bit 0 is the value's lowest bit. DER drops trailing zero bits (X.690 §11.2.2), so
   * the last bit that is there is one. At most 31 bits; later ones are dropped.
   */
  namedBits(tag: number = Tag.bitString): number {
    const start = this.#position;
    const { bytes, unusedBits } = this.bitString(tag);
    if (bytes.length > 0 && (((bytes[bytes.length - 1] ?? 0) >> unusedBits) & 1) === 0) {
      this.#position = start;
      throw this.#malformed("ERR_ASN1_BIT_STRING", "trailing zero bits", "X.690 §11.2.2");
    }
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

  null(tag: number = Tag.null): void {
    this.#header(tag);
    if (this.#contentStart !== this.#contentEnd) throw this.#malformed("ERR_ASN1_NULL", "NULL with content");
    this.#position = this.#contentEnd;
  }

  /** An OBJECT IDENTIFIER's content octets, a view: compare them with `equalBytes`, show them with `decodeOid`. */
  oid(tag: number = Tag.objectIdentifier): Uint8Array {
    this.#header(tag);
    const content = this.#bytes.subarray(this.#contentStart, this.#contentEnd);
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
    const value = decodeText(type, this.#bytes.subarray(this.#contentStart, this.#contentEnd));
    if (value === undefined) throw this.#malformed("ERR_ASN1_STRING", "octets that the string type does not allow");
    this.#position = this.#contentEnd;
    return value;
  }

  #time(tag: number, decode: typeof decodeUtcTime): number {
    this.#header(tag);
    const seconds = decode(this.#bytes, this.#contentStart, this.#contentEnd);
    if (seconds === undefined) throw this.#malformed("ERR_ASN1_TIME", "malformed time", "RFC 5280 §4.1.2.5");
    this.#position = this.#contentEnd;
    return seconds;
  }

  #integerHeader(tag: number): void {
    this.#header(tag);
    const length = this.#contentEnd - this.#contentStart;
    const first = this.#bytes[this.#contentStart] ?? 0;
    // X.690 §8.3.2: the first nine bits are neither all ones nor all zero.
    const isPadded =
      length > 1 && (first === 0 || first === 0xff) && ((this.#bytes[this.#contentStart + 1] ?? 0) ^ first) < 0x80;
    if (length === 0 || isPadded) throw this.#malformed("ERR_ASN1_INTEGER", "INTEGER not minimal", "X.690 §8.3.2");
  }

  /** Moves past the element whose header was read and returns its content. */
  #take(): Uint8Array {
    this.#position = this.#contentEnd;
    return this.#bytes.subarray(this.#contentStart, this.#contentEnd);
  }

  /** Reads the header of the next element, which has this tag, into the content bounds. The position stays. */
  #header(tag: number): void {
    const bytes = this.#bytes;
    const start = this.#position;
    if (start + 2 > this.#end) {
      throw this.#malformed(
        "ERR_ASN1_TRUNCATED",
        start === this.#end ? `no element where ${hex(tag)} belongs` : "cut off",
      );
    }
    if (--this.#budget.elementsLeft < 0) {
      throw new Asn1Error("ERR_ASN1_ELEMENTS", `more than ${this.#budget.elements} elements`, this.offset);
    }
    const actual = bytes[start] ?? 0;
    if (actual !== tag) throw this.#unexpected(actual, tag);
    if ((tag & 0x1f) === 0x1f) throw this.#malformed("ERR_ASN1_HIGH_TAG", "tag number over 30", "X.690 §8.1.2.4");
    const first = bytes[start + 1] ?? 0;
    let length = first;
    let contentStart = start + 2;
    if (first >= 0x80) {
      length = this.#longLength(start, first);
      contentStart += first & 0x7f;
    }
    if (length > this.#end - contentStart) throw this.#malformed("ERR_ASN1_TRUNCATED", "length over what there is");
    this.#contentStart = contentStart;
    this.#contentEnd = contentStart + length;
  }

  #longLength(start: number, first: number): number {
    // X.690 §10.1: the definite form, in the fewest octets.
    if (first === 0x80) throw this.#malformed("ERR_ASN1_INDEFINITE_LENGTH", "indefinite length", "X.690 §10.1");
    const octets = first & 0x7f;
    if (octets > 4) throw this.#malformed("ERR_ASN1_LENGTH", "length of more than 4 octets");
    if (start + 2 + octets > this.#end) throw this.#malformed("ERR_ASN1_TRUNCATED", "cut off within the length");
    let length = 0;
    for (let index = 0; index < octets; index++) length = length * 256 + (this.#bytes[start + 2 + index] ?? 0);
    if (length < 0x80 || length < 256 ** (octets - 1)) {
      throw this.#malformed("ERR_ASN1_LENGTH", "length not minimal", "X.690 §10.1");
    }
    return length;
  }

  #wrongForm(tag: number): Asn1Error {
    if ((tag & 0x1f) === 0x1f) return this.#malformed("ERR_ASN1_HIGH_TAG", "tag number over 30", "X.690 §8.1.2.4");
    return this.#malformed("ERR_ASN1_TAG", `${hex(tag)} is no tag of DER`, "X.690 §10.2");
  }

  #unexpected(actual: number, expected: number): Asn1Error {
    return this.#malformed("ERR_ASN1_TAG", `tag ${hex(actual)} where ${hex(expected)} belongs`);
  }

  #malformed(code: Asn1MalformedCode, message: string, clause?: string): Asn1Error {
    return new Asn1Error(code, message, this.offset, clause);
  }
}

/** X.690 §10.2: strings are primitive; SEQUENCE and SET are constructed; 0x00 ends indefinite lengths only. */
function isWellFormedTag(tag: number): boolean {
  const number = tag & 0x1f;
  if (number === 0x1f) return false;
  if (tag >= 0x40) return true;
  const isConstructed = (tag & 0x20) !== 0;
  // EXTERNAL, EMBEDDED PDV and CHARACTER STRING are sequences.
  const isSequence = number === 0x10 || number === 0x11 || number === 0x08 || number === 0x0b || number === 0x1d;
  return number !== 0 && isConstructed === isSequence;
}

function hex(tag: number): string {
  return tag < 0 ? "one" : `0x${tag.toString(16).padStart(2, "0")}`;
}
