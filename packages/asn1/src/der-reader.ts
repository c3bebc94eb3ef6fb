/**
 * A strict DER reader (X.690) over a `Uint8Array`, without copies.
 *
 * A reader is a cursor over one value's contents. Each method takes exactly the type that the caller's schema asks for
 * and moves on, or throws an `Asn1Error` with the offset of the wrong element. Nothing is built ahead: the schema walks,
 * and what it does not ask for is refused by `end()`. Values are views into the given bytes, valid as long as those.
 */

import { Asn1Error, type Asn1ErrorCode } from "./error.ts";
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
  readonly depth: number;
  readonly baseOffset: number;
}

export class DerReader {
  readonly #bytes: Uint8Array;
  readonly #budget: Budget;
  #depth: number;
  /** Where this reader's own element starts, header included; equal to the first content octet for the outermost. */
  readonly #start: number;
  #end: number;
  #position: number;
  // The header read last, which faults are reported at.
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

  /** Where the next element starts, counted as errors count. */
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

  /** What was read since `offset`, counted as errors count: a view. */
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
    if (!this.isAtEnd) throw this.#malformed("ERR_ASN1_TRAILING", "trailing data");
  }

  /** The contents of a constructed element, SEQUENCE by default. The child shares this reader's limits. */
  sequence(tag: number = Tag.sequence): DerReader {
    this.#header(tag);
    const child = new DerReader(this.#bytes, undefined, this);
    this.#position = this.#contentEnd;
    return child;
  }

  /**
   * Goes into a constructed element without making a reader for it; what comes back is for `leave`. For lists of many
   * small elements.
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

  /** The contents of a SET or SET OF. Their order is not judged: DER's order is the writer's duty. */
  set(): DerReader {
    return this.sequence(Tag.set);
  }

  /** The contents of an explicit tag `[number]`, which the caller ends with `end()`. */
  explicit(number: number): DerReader {
    return this.sequence(contextConstructed(number));
  }

  /** The identifier octet of the next element, which is in the form that DER has; 0 at the end. */
  get nextTag(): number {
    this.#headerStart = this.#position;
    if (this.isAtEnd) return 0;
    const tag = this.#bytes[this.#position] ?? 0;
    if (isWellFormedTag(tag)) return tag;
    const code = (tag & 0x1f) === 0x1f ? "ERR_ASN1_HIGH_TAG" : "ERR_ASN1_TAG";
    throw this.#malformed(code, `${hex(tag)} is no tag of DER`, "X.690 §10.2");
  }

  /** The next element, whatever low-number tag it has. Its content is not judged. */
  any(): DerElement {
    return this.element(this.nextTag);
  }

  /** The next element with this identifier octet; its content is not judged. */
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
    if (this.boolean(tag)) return true;
    throw this.#malformed("ERR_ASN1_DEFAULT_ENCODED", "DEFAULT encoded", "X.690 §11.5");
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
    const octets = this.unsignedInteger(tag);
    let value = 0;
    for (let index = 0; index < octets.length && value <= maximum; index++) value = value * 256 + (octets[index] ?? 0);
    if (value > maximum) throw this.#malformed("ERR_ASN1_INTEGER_RANGE", `INTEGER over ${maximum}`);
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
    const { bytes, unusedBits } = this.bitString(tag);
    if (unusedBits === 0) return bytes;
    throw this.#malformed("ERR_ASN1_BIT_STRING", "unused bits");
  }

  /**
   * A BIT STRING with named bits: bit 0 is the value's lowest bit. At most 31 bits; later ones are dropped.
   *
   * Trailing zero bits, which DER wants dropped (X.690 §11.2.2), are taken, as everybody does.
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

  null(tag: number = Tag.null): void {
    this.#header(tag);
    if (this.#contentStart !== this.#contentEnd) throw this.#malformed("ERR_ASN1_NULL", "NULL with content");
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
    if (value === undefined) throw this.#malformed("ERR_ASN1_STRING", "malformed string");
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
    if (!isMinimalInteger(this.#bytes, this.#contentStart, this.#contentEnd)) {
      throw this.#malformed("ERR_ASN1_INTEGER", "INTEGER not minimal", "X.690 §8.3.2");
    }
  }

  #checkDepth(): void {
    if (this.#depth <= this.#budget.depth) return;
    throw this.#malformed("ERR_ASN1_DEPTH", "nested too deep");
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
      throw this.#malformed("ERR_ASN1_TRUNCATED", `cut off where ${hex(tag)} belongs`);
    }
    if (--this.#budget.elementsLeft < 0) {
      throw this.#malformed("ERR_ASN1_ELEMENTS", "too many elements");
    }
    const actual = bytes[start] ?? 0;
    if (actual !== tag) throw this.#malformed("ERR_ASN1_TAG", `tag ${hex(actual)} where ${hex(tag)} belongs`);
    const first = bytes[start + 1] ?? 0;
    let length = first;
    let contentStart = start + 2;
    if (first >= 0x80) {
      length = this.#longLength(start, first);
      contentStart += first & 0x7f;
    }
    if (length > this.#end - contentStart) throw this.#malformed("ERR_ASN1_TRUNCATED", "cut off");
    this.#contentStart = contentStart;
    this.#contentEnd = contentStart + length;
  }

  #longLength(start: number, first: number): number {
    // X.690 §10.1: the definite form, in the fewest octets.
    if (first === 0x80) throw this.#malformed("ERR_ASN1_INDEFINITE_LENGTH", "indefinite length", "X.690 §10.1");
    const octets = Math.min(first & 0x7f, 5);
    if (start + 2 + octets > this.#end) throw this.#malformed("ERR_ASN1_TRUNCATED", "cut off");
    let length = 0;
    for (let index = 0; index < octets; index++) length = length * 256 + (this.#bytes[start + 2 + index] ?? 0);
    if (octets > 4 || length < 0x80 || length < 256 ** (octets - 1)) {
      throw this.#malformed("ERR_ASN1_LENGTH", "length not minimal, or over 4 octets", "X.690 §10.1");
    }
    return length;
  }

  /** A fault of the element whose header was read last. */
  #malformed(code: Asn1ErrorCode, message: string, clause?: string): Asn1Error {
    return new Asn1Error(code, message, this.#budget.baseOffset + this.#headerStart, clause);
  }
}

function makeBudget(options: DerReaderOptions = {}): Budget {
  const {
    maximumElements: elementsLeft = defaultMaximumElements,
    maximumDepth: depth = defaultMaximumDepth,
    baseOffset = 0,
  } = options;
  return { elementsLeft, depth, baseOffset };
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
