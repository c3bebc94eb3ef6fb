/** Distinguished names as text (RFC 4514): the most specific set first, joined by commas. */

import { decodeOid } from "@latchkey/asn1";
import { attributeTypeOfLabel, attributeTypeOfOid } from "./attribute-types.ts";
import { X509Error } from "./errors.ts";
import { hexText } from "./fingerprint.ts";
import { makeNameOfSets, type Name, type NameAttribute, type NameAttributeInput } from "./name.ts";

/**
 * The RFC 4514 text of a name, for instance `CN=button-1,O=Pizza\, Inc.,C=DE`; empty for the empty name.
 *
 * Control characters and all that the RFC names are escaped, so the text shows where each value ends. A type without
 * a label is written as its identifier with the value in hexadecimal, and so is a value that is no text.
 */
export function nameText(name: Name): string {
  return [...name.rdns]
    .reverse()
    .map((rdn) => rdn.map(attributeToText).join("+"))
    .join(",");
}

/** One attribute as `label=value`. */
export function attributeToText(attribute: NameAttribute): string {
  const label = attributeTypeOfOid(attribute.type)?.label;
  const { text } = attribute;
  if (label === undefined || text === undefined) return `${label ?? decodeOid(attribute.type)}=#${hexValue(attribute)}`;
  return `${label}=${escapeAttributeValue(text)}`;
}

// oxlint-disable-next-line no-control-regex -- control characters are what is looked for
const needsEscape = /^[ #]|[\0-\x1f",+;<=>\\\x7f]| $/;

/**
 * A value with everything escaped that RFC 4514 §2.4 wants escaped, and `=` and control characters too: the form in
 * which AWS IoT policies see values.
 */
export function escapeAttributeValue(text: string): string {
  if (!needsEscape.test(text)) return text;
  const escaped = text
    .replaceAll(/[",+;<>=\\]/g, String.raw`\$&`)
    // oxlint-disable-next-line no-control-regex -- control characters are what is looked for
    .replaceAll(/[\0-\x1f\x7f]/g, (char) => `\\${hexText(Uint8Array.of(char.charCodeAt(0)))}`);
  const start = escaped.startsWith(" ") || escaped.startsWith("#") ? `\\${escaped}` : escaped;
  // A single space is at both ends, and escaped already.
  return start.endsWith(" ") && text !== " " ? `${start.slice(0, -1)}\\ ` : start;
}

/** The BER of the value, as RFC 4514 §2.4 asks. */
function hexValue({ valueTag, value }: NameAttribute): string {
  const length = value.length < 0x80 ? [value.length] : longLength(value.length);
  return hexText(Uint8Array.of(valueTag, ...length)) + hexText(value);
}

function longLength(length: number): number[] {
  const octets: number[] = [];
  for (let rest = length; rest > 0; rest = Math.floor(rest / 256)) octets.unshift(rest % 256);
  return [0x80 | octets.length, ...octets];
}

/**
 * The name that RFC 4514 text says. Values get the string types of their attribute types.
 *
 * Labels are taken in any case, other types as dotted identifiers; values in hexadecimal (`#...`) are not taken. Throws
 * `ERR_X509_NAME_TEXT`, and `ERR_X509_VALUE` for values that their type cannot hold.
 */
export function parseNameText(text: string): Name {
  if (text === "") return makeNameOfSets([]);
  const sets: NameAttributeInput[][] = [];
  let position = 0;
  let set: NameAttributeInput[] = [];
  for (;;) {
    const { attribute, end } = readAttributeText(text, position);
    set.push(attribute);
    const separator = text[end];
    if (separator !== "+") {
      sets.unshift(set);
      set = [];
    }
    if (separator === undefined) return makeNameOfSets(sets);
    position = end + 1;
  }
}

/** `type=value` from `start` to the separator that ends it. */
function readAttributeText(text: string, start: number): { attribute: NameAttributeInput; end: number } {
  const equals = text.indexOf("=", start);
  const type = equals < 0 ? "" : text.slice(start, equals).trim();
  if (attributeTypeOfLabel(type) === undefined && !/^[0-2](?:\.\d+)+$/.test(type)) throw malformedText(start);
  // Everything but plain spaces is percent-encoded, so that spaces can be trimmed and escapes can make up UTF-8.
  const pieces: string[] = [];
  const piece = /\\([0-9a-fA-F]{2})|\\([ "#+,;<=>\\])|([^\\"+,;<>\0])/uy;
  piece.lastIndex = equals + 1;
  let end = piece.lastIndex;
  for (let match = piece.exec(text); match !== null; match = piece.exec(text)) {
    const [, octet, special, plain = ""] = match;
    if (octet !== undefined) pieces.push(`%${octet}`);
    else if (special !== undefined) pieces.push(encodeURIComponent(special));
    else pieces.push(plain === " " || plain === "#" ? plain : percentEncode(plain, end));
    end = piece.lastIndex;
  }
  const value = pieces.join("").trim();
  const separator = text.charAt(end);
  if (value.startsWith("#") || (separator !== "" && separator !== "," && separator !== "+")) throw malformedText(end);
  return { attribute: { type, value: percentDecode(value, equals + 1) }, end };
}

function percentEncode(char: string, at: number): string {
  if (!char.isWellFormed()) throw malformedText(at);
  return encodeURIComponent(char);
}

function percentDecode(value: string, at: number): string {
  try {
    return decodeURIComponent(value);
  } catch {
    throw malformedText(at);
  }
}

function malformedText(offset: number): X509Error {
  return new X509Error("ERR_X509_NAME_TEXT", "not the text of a distinguished name", { offset, clause: "RFC 4514 §3" });
}
