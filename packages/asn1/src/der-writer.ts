/**
 * A DER writer. Elements are appended to one growing buffer. The length of a constructed element is written when its
 * body is done; the body then moves only if the length needs more than one octet.
 */

import { isMinimalInteger } from "./der-reader.ts";
import { Asn1Error } from "./errors.ts";
import { checkOid, encodeOid } from "./oid.ts";
import { contextConstructed, Tag, tagName } from "./tag.ts";
import { allowedText, encodeAscii, isIa5, isPrintable } from "./text.ts";
import { generalizedTimeText, isUtcTime } from "./time.ts";

/** What writes the contents of a constructed element. */
export type DerBody = (writer: DerWriter) => void;

/** The encoding that `body` writes: `encodeDer((writer) => writer.sequence((body) => ...))`. */
export function encodeDer(body: DerBody): Uint8Array<ArrayBuffer> {
  const writer = new DerWriter();
  body(writer);
  return writer.finish();
}

/** Elements written one after the other; `encodeDer` makes one and returns what it wrote. */
export class DerWriter {
  #buffer: Uint8Array<ArrayBuffer> = new Uint8Array(256);
  #length = 0;

  /** A copy of what was written. */
  finish(): Uint8Array<ArrayBuffer> {
    return this.#buffer.slice(0, this.#length);
  }

  /** A constructed element, SEQUENCE by default. */
  sequence(body: DerBody, tag: number = Tag.sequence): void {
    this.#reserve(2);
    const start = this.#length;
    this.#buffer[start] = tag;
    this.#length = start + 2;
    body(this);
    this.#closeLength(start + 1);
  }

  /** An explicit tag `[number]` around what `body` writes. */
  explicit(number: number, body: DerBody): void {
    this.sequence(body, contextConstructed(number));
  }

  /** A SET OF the given encodings, in the order of DER: ascending as octet strings (X.690 §11.6). */
  setOf(encodings: readonly Uint8Array[], tag: number = Tag.set): void {
    const sorted = [...encodings].sort(compareBytes);
    this.sequence((writer) => {
      for (const encoding of sorted) writer.encoded(encoding);
    }, tag);
  }

  /** An element that is already encoded, copied as it is. */
  encoded(encoding: Uint8Array): void {
    this.#reserve(encoding.length);
    this.#buffer.set(encoding, this.#length);
    this.#length += encoding.length;
  }

  /** A primitive element with these content octets. */
  primitive(tag: number, content: Uint8Array): void {
    this.sequence((writer) => writer.encoded(content), tag);
  }

  /** A BOOLEAN. */
  boolean(value: boolean, tag: number = Tag.boolean): void {
    this.primitive(tag, Uint8Array.of(value ? 0xff : 0x00));
  }

  /** A BOOLEAN DEFAULT FALSE: nothing for false (X.690 §11.5). */
  booleanDefaultFalse(value: boolean, tag: number = Tag.boolean): void {
    if (value) this.boolean(true, tag);
  }

  /** An INTEGER from a number, or from two's complement octets that are written as they are and so must be minimal. */
  integer(value: number | Uint8Array, tag: number = Tag.integer): void {
    if (typeof value !== "number") {
      if (!isMinimalInteger(value, 0, value.length)) throw refused("the octets are no minimal INTEGER");
      this.primitive(tag, value);
      return;
    }
    if (!Number.isSafeInteger(value)) throw refused(`${value} is no integer that a number holds exactly`);
    const octets: number[] = [];
    let rest = value;
    do {
      octets.unshift(rest & 0xff);
      rest = Math.floor(rest / 256);
      // The sign is the first octet's first bit.
    } while (rest !== ((octets[0] ?? 0) < 0x80 ? 0 : -1));
    this.primitive(tag, Uint8Array.from(octets));
  }

  /** A non-negative INTEGER from a big-endian magnitude of any width. */
  unsignedInteger(magnitude: Uint8Array, tag: number = Tag.integer): void {
    let start = 0;
    while (start < magnitude.length - 1 && magnitude[start] === 0) start++;
    const isSigned = magnitude.length === 0 || (magnitude[start] ?? 0) >= 0x80;
    const content = new Uint8Array(magnitude.length - start + (isSigned ? 1 : 0));
    content.set(magnitude.subarray(start), isSigned ? 1 : 0);
    this.primitive(tag, content);
  }

  /** A BIT STRING; the unused bits of the last octet must be zero. */
  bitString(bytes: Uint8Array, unusedBits: number = 0, tag: number = Tag.bitString): void {
    const stray = (bytes[bytes.length - 1] ?? 0xff) & ((1 << unusedBits) - 1);
    if (unusedBits < 0 || unusedBits > 7 || stray !== 0)
      throw refused(`a BIT STRING with ${unusedBits} unused bits, which must be 0 to 7 and zero`);
    const content = new Uint8Array(bytes.length + 1);
    content[0] = unusedBits;
    content.set(bytes, 1);
    this.primitive(tag, content);
  }

  /** A BIT STRING with named bits: bit 0 is the value's lowest bit; trailing zeros are dropped (X.690 §11.2.2). */
  namedBits(value: number, tag: number = Tag.bitString): void {
    const count = 32 - Math.clz32(value);
    const bytes = new Uint8Array((count + 7) >> 3);
    for (let bit = 0; bit < count; bit++) {
      if (((value >>> bit) & 1) === 1) bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) | (0x80 >> (bit & 7));
    }
    this.bitString(bytes, bytes.length * 8 - count, tag);
  }

  /** An OCTET STRING. */
  octetString(bytes: Uint8Array, tag: number = Tag.octetString): void {
    this.primitive(tag, bytes);
  }

  /** A NULL. */
  null(): void {
    this.primitive(Tag.null, new Uint8Array(0));
  }

  /** An OBJECT IDENTIFIER from its content octets or from dotted text. */
  oid(identifier: Uint8Array | string, tag: number = Tag.objectIdentifier): void {
    const content = typeof identifier === "string" ? encodeOid(identifier) : identifier;
    checkOid(content, 0);
    this.primitive(tag, content);
  }

  /** Seconds since 1970 as RFC 5280 §4.1.2.5 wants: UTCTime for 1950 to 2049, else GeneralizedTime. */
  time(seconds: number): void {
    const text = generalizedTimeText(seconds);
    if (isUtcTime(text)) this.primitive(Tag.utcTime, encodeAscii(text.slice(2)));
    else this.generalizedTime(seconds);
  }

  /** Seconds since 1970 as `YYYYMMDDHHMMSSZ`. */
  generalizedTime(seconds: number, tag: number = Tag.generalizedTime): void {
    this.primitive(tag, encodeAscii(generalizedTimeText(seconds)));
  }

  /** A UTF8String. */
  utf8String(text: string, tag: number = Tag.utf8String): void {
    if (!text.isWellFormed()) throw refused("the text holds half of a surrogate pair, which UTF-8 cannot encode");
    this.primitive(tag, new TextEncoder().encode(text));
  }

  /** A PrintableString. */
  printableString(text: string, tag: number = Tag.printableString): void {
    this.#ascii(tag, text, Tag.printableString, isPrintable);
  }

  /** An IA5String. */
  ia5String(text: string, tag: number = Tag.ia5String): void {
    this.#ascii(tag, text, Tag.ia5String, isIa5);
  }

  #ascii(tag: number, text: string, type: number, isAllowed: (text: string) => boolean): void {
    if (!isAllowed(text)) {
      const wrong = Array.from(text).find((character) => !isAllowed(character)) ?? "";
      throw refused(`${tagName(type)} does not allow ${JSON.stringify(wrong)}, only ${allowedText(type)}`);
    }
    this.primitive(tag, encodeAscii(text));
  }

  /** Writes the length of what follows the octet at `lengthAt`, moving it where the length takes several octets. */
  #closeLength(lengthAt: number): void {
    const length = this.#length - lengthAt - 1;
    if (length < 0x80) {
      this.#buffer[lengthAt] = length;
      return;
    }
    const octets = Math.ceil((32 - Math.clz32(length)) / 8);
    this.#reserve(octets);
    this.#buffer.copyWithin(lengthAt + 1 + octets, lengthAt + 1, this.#length);
    this.#buffer[lengthAt] = 0x80 | octets;
    for (let left = octets, rest = length; left > 0; left--, rest >>>= 8) this.#buffer[lengthAt + left] = rest;
    this.#length += octets;
  }

  #reserve(octets: number): void {
    const wanted = this.#length + octets;
    if (wanted <= this.#buffer.length) return;
    const grown = new Uint8Array(Math.max(wanted, this.#buffer.length * 2));
    grown.set(this.#buffer.subarray(0, this.#length));
    this.#buffer = grown;
  }
}

/** The order of SET OF: octet by octet, the shorter first where one starts the other. */
function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const common = Math.min(a.length, b.length);
  for (let index = 0; index < common; index++) {
    const difference = (a[index] ?? 0) - (b[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}

function refused(message: string): Asn1Error {
  return new Asn1Error("ERR_ASN1_VALUE", message, {});
}
