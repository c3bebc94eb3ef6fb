/**
 * The string types of X.509 and which octets each may hold (X.680 §41, RFC 5280 §4.1.2.4).
 *
 * TeletexString is refused as text: its octets mean what nobody implements, and guessing Latin-1 has let names differ
 * from what they seem to be. Callers keep it as bytes.
 */

import { Tag } from "./tag.ts";

/** The text of a string type's content octets, or undefined where they are not valid for the type. */
export function decodeText(tag: number, content: Uint8Array): string | undefined {
  switch (tag) {
    case Tag.utf8String:
      return decodeUtf8(content);
    case Tag.printableString:
      return decodeAscii(content, isPrintableCharacter);
    case Tag.numericString:
      return decodeAscii(content, (octet) => octet === 0x20 || (octet >= 0x30 && octet <= 0x39));
    case Tag.ia5String:
      return decodeAscii(content, (octet) => octet < 0x80);
    case Tag.visibleString:
      return decodeAscii(content, (octet) => octet >= 0x20 && octet < 0x7f);
    case Tag.bmpString:
      return decodeWide(content, 2);
    case Tag.universalString:
      return decodeWide(content, 4);
    default:
      return undefined;
  }
}

/** Whether text can be a PrintableString. */
export function isPrintable(text: string): boolean {
  for (let index = 0; index < text.length; index++) if (!isPrintableCharacter(text.charCodeAt(index))) return false;
  return true;
}

/** Whether text can be an IA5String. */
export function isIa5(text: string): boolean {
  for (let index = 0; index < text.length; index++) if (text.charCodeAt(index) > 0x7f) return false;
  return true;
}

/** The octets of ASCII text. */
export function encodeAscii(text: string): Uint8Array<ArrayBuffer> {
  const octets = new Uint8Array(text.length);
  for (let index = 0; index < text.length; index++) octets[index] = text.charCodeAt(index);
  return octets;
}

/** X.680 §41.4: letters, digits, space and `' ( ) + , - . / : = ?`. */
function isPrintableCharacter(code: number): boolean {
  if ((code >= 0x61 && code <= 0x7a) || (code >= 0x41 && code <= 0x5a)) return true;
  if (code >= 0x27 && code <= 0x3a) return code !== 0x2a;
  return code === 0x20 || code === 0x3d || code === 0x3f;
}

/** Texts up to this length are put together character by character, which is faster than a TextDecoder's call. */
const shortTextOctets = 64;

function decodeAscii(content: Uint8Array, isAllowed: (octet: number) => boolean): string | undefined {
  for (let index = 0; index < content.length; index++) if (!isAllowed(content[index] ?? 0)) return undefined;
  return content.length <= shortTextOctets ? asciiText(content) : new TextDecoder().decode(content);
}

function asciiText(content: Uint8Array): string {
  let text = "";
  for (let index = 0; index < content.length; index++) text += String.fromCharCode(content[index] ?? 0);
  return text;
}

function decodeUtf8(content: Uint8Array): string | undefined {
  let isAscii = content.length <= shortTextOctets;
  for (let index = 0; isAscii && index < content.length; index++) isAscii = (content[index] ?? 0x80) < 0x80;
  if (isAscii) return asciiText(content);
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
