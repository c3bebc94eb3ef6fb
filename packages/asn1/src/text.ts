/**
 * The string types of X.509 and which octets each may hold (X.680 §41, RFC 5280 §4.1.2.4).
 *
 * TeletexString (T.61) has no text here. Its character set has escape sequences that no program implements in full.
 * Programs that read it as Latin-1 showed names that were different as if they were the same. Callers keep its octets.
 */

import { Tag, tagName } from "./tag.ts";

const printable = /^[A-Za-z0-9 '()+,\-./:=?]*$/;
// oxlint-disable-next-line no-control-regex -- IA5String is all of ASCII, control characters included
const ia5 = /^[\0-\x7f]*$/;
const numeric = /^[0-9 ]*$/;
const visible = /^[ -~]*$/;

/** The text of a string type's content octets, or undefined where they are not valid for the type. */
export function decodeText(tag: number, content: Uint8Array): string | undefined {
  switch (tag) {
    case Tag.utf8String:
      return decodeUtf8(content);
    case Tag.printableString:
      return decodeAscii(content, printable);
    case Tag.numericString:
      return decodeAscii(content, numeric);
    case Tag.ia5String:
      return decodeAscii(content);
    case Tag.visibleString:
      return decodeAscii(content, visible);
    case Tag.bmpString:
      return decodeWide(content, 2);
    case Tag.universalString:
      return decodeWide(content, 4);
    default:
      return undefined;
  }
}

/**
 * The position of the first octet that the type does not allow; for malformed UTF-8, and for an incomplete or impossible
 * character of a wide string, where that character starts. 0 where there is no such octet.
 */
export function malformedAt(tag: number, content: Uint8Array): number {
  const width = tag === Tag.bmpString ? 2 : tag === Tag.universalString ? 4 : 1;
  if (tag === Tag.utf8String) return malformedUtf8At(content);
  for (let start = 0; start < content.length; start += width) {
    if (decodeText(tag, content.subarray(start, start + width)) === undefined) return start;
  }
  return 0;
}

/** What a string type refuses: the octet, its position in the content, and both in words with what is allowed. */
export interface StringFault {
  readonly type: string;
  readonly octet: number;
  readonly position: number;
  readonly reason: string;
}

/** What is wrong with the content octets of a string that `decodeText` refuses. */
export function stringFault(tag: number, content: Uint8Array): StringFault {
  const position = malformedAt(tag, content);
  const octet = content[position] ?? 0;
  const type = tagName(tag);
  const hex = `0x${octet.toString(16).padStart(2, "0")}`;
  const isVisible = octet > 0x20 && octet < 0x7f;
  const shown = isVisible ? `${JSON.stringify(String.fromCharCode(octet))} (${hex})` : `octet ${hex}`;
  const reason = `${type} does not allow ${shown} at position ${position}, only ${allowedText(tag)}`;
  return { type, octet, position, reason };
}

/** What a string type allows, as the end of a sentence. */
export function allowedText(tag: number): string {
  switch (tag) {
    case Tag.printableString:
      return "A-Z, a-z, 0-9, space and '()+,-./:=?";
    case Tag.numericString:
      return "0-9 and space";
    case Tag.ia5String:
      return "ASCII";
    case Tag.visibleString:
      return "visible ASCII and space";
    case Tag.utf8String:
      return "well-formed UTF-8";
    case Tag.bmpString:
      return "characters of two octets, no surrogates";
    default:
      return "characters of four octets";
  }
}

function malformedUtf8At(content: Uint8Array): number {
  let start = 0;
  while (start < content.length) {
    const first = content[start] ?? 0;
    const length = first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
    if (decodeUtf8(content.subarray(start, start + length)) === undefined) return start;
    start += length;
  }
  return 0;
}

/** Octets as text for messages: visible ASCII as it is, everything else as `?`. */
export function visibleText(content: Uint8Array): string {
  return Array.from(content, (octet) => (octet >= 0x20 && octet < 0x7f ? String.fromCharCode(octet) : "?")).join("");
}

/** Whether text can be a PrintableString (X.680 §41.4). */
export function isPrintable(text: string): boolean {
  return printable.test(text);
}

/** Whether text can be an IA5String. */
export function isIa5(text: string): boolean {
  return ia5.test(text);
}

/** The octets of ASCII text. */
export function encodeAscii(text: string): Uint8Array<ArrayBuffer> {
  const octets = new Uint8Array(text.length);
  for (let index = 0; index < text.length; index++) octets[index] = text.charCodeAt(index);
  return octets;
}

/** Up to this length, `String.fromCharCode` is faster than a TextDecoder. */
const shortTextOctets = 64;

function decodeAscii(content: Uint8Array, allowed: RegExp = ia5): string | undefined {
  if (content.length > shortTextOctets) {
    // The decoder turns octets from 0x80 on into characters outside ASCII, which no pattern allows.
    const long = new TextDecoder("latin1").decode(content);
    return allowed.test(long) ? long : undefined;
  }
  let all = 0;
  for (let index = 0; index < content.length; index++) all |= content[index] ?? 0;
  // In one call: a text put together character by character keeps each step in memory.
  const text: string = Reflect.apply(String.fromCharCode, undefined, content);
  return all < 0x80 && (allowed === ia5 || allowed.test(text)) ? text : undefined;
}

function decodeUtf8(content: Uint8Array): string | undefined {
  const text = content.length <= shortTextOctets ? decodeAscii(content) : undefined;
  if (text !== undefined) return text;
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(content);
  } catch {
    return undefined;
  }
}

/** Big-endian code points of 2 or 4 octets; surrogates and numbers over U+10FFFF are refused. */
function decodeWide(content: Uint8Array, width: 2 | 4): string | undefined {
  if (content.length % width !== 0) return undefined;
  const parts: string[] = [];
  for (let start = 0; start < content.length; start += width) {
    let codePoint = 0;
    for (let index = start; index < start + width; index++) codePoint = codePoint * 256 + (content[index] ?? 0);
    if (codePoint > 0x10_ffff || (codePoint >= 0xd800 && codePoint <= 0xdfff)) return undefined;
    parts.push(String.fromCodePoint(codePoint));
  }
  return parts.join("");
}
