/** Distinguished names as text (RFC 4514): the most specific set first, joined by commas. */

import { decodeOid } from "@latchkey/asn1";
import { attributeTypeOfLabel, attributeTypeOfOid } from "./attribute-types.ts";
import { X509Error } from "./errors.ts";
import { hexText } from "./hex-text.ts";
import { makeNameOfSets, type Name, type NameAttribute, type NameAttributeInput } from "./name.ts";

/**
 * The RFC 4514 text of a name, for instance `CN=button-1,O=Pizza\, Inc.,C=DE`; empty for the empty name.
 *
 * Control characters and all characters that the RFC names are escaped, so the text shows where each value ends. A type
 * without a label is written as its identifier, with the value as DER in hexadecimal; so is a value that is no text.
 * `parseNameText` reads the result.
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

/** The DER of the value, as RFC 4514 §2.4 asks. */
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
 * The name that a text says: RFC 4514, as `nameText` writes it (the most specific set first, commas between), or the form of
 * OpenSSL with slashes (`/C=US/O=Pizza/CN=button-1`, the most general set first). Values get the string types of their
 * attribute types.
 *
 * Labels are read in any case, with the aliases of other programs (`E`, `S`, `G` ...); other types as dotted identifiers,
 * with `OID.` in front or without. A value may stand in quotes, or as hexadecimal DER (`#0c0161`).
 *
 * Throws `ERR_X509_NAME_TEXT`, whose `offset` counts characters, and `ERR_X509_VALUE` for values that their type cannot
 * hold.
 */
export function parseNameText(text: string): Name {
  if (text === "") return makeNameOfSets([]);
  if (text.startsWith("/")) return parseSlashes(text);
  const sets: NameAttributeInput[][] = [];
  let position = 0;
  let set: NameAttributeInput[] = [];
  for (;;) {
    const { attribute, end } = readAttributeText(text, position);
    set.push(attribute);
    const separator = text[end];
    if (separator !== "+") {
      sets.push(set);
      set = [];
    }
    if (separator === undefined) return makeNameOfSets(sets.reverse());
    position = end + 1;
  }
}

/** OpenSSL's one-line form. A slash or a plus sign separates only where a type and `=` follow; `\x2F` is an octet. */
function parseSlashes(text: string): Name {
  const sets: NameAttributeInput[][] = [];
  const separator = /([/+])((?:OID\.)?[A-Za-z][A-Za-z0-9]*|(?:OID\.)?[0-2](?:\.\d+)+)=/gi;
  // A plus sign before something that is no type belongs to the value.
  const starts = [...text.matchAll(separator)].filter(
    ({ 1: sign = "", 2: type = "", index }) => text[index - 1] !== "\\" && (sign === "/" || isType(type)),
  );
  if (starts[0]?.index !== 0) throw malformedText("a type and = belong behind the first slash", 0);
  for (const [number, { 0: whole, 1: sign = "", 2: type = "", index }] of starts.entries()) {
    const start = index + whole.length;
    const raw = text.slice(start, starts[number + 1]?.index ?? text.length);
    const encoded = raw
      .replaceAll("%", "%25")
      .replaceAll(/\\x([0-9a-fA-F]{2})/g, "%$1")
      .replaceAll(/\\(.)/g, (_, character: string) => percentEncode(character, start));
    const attribute = { type: typeOf(type, index + 1), value: percentDecode(encoded, start) };
    if (sign === "+") sets.at(-1)?.push(attribute);
    else sets.push([attribute]);
  }
  return makeNameOfSets(sets);
}

function isType(type: string): boolean {
  return attributeTypeOfLabel(type) !== undefined || /^(?:OID\.)?[0-2](?:\.\d+)+$/i.test(type);
}

/** The type as `makeName` takes it. */
function typeOf(type: string, offset: number): string {
  if (isType(type)) return type.replace(/^OID\./i, "");
  throw malformedText(`${JSON.stringify(type.slice(0, 40))} is no attribute type; CN, O, C or 2.5.4.3 are`, offset);
}

/** `type=value` from `start` to the separator that ends it. */
function readAttributeText(text: string, start: number): { attribute: NameAttributeInput; end: number } {
  const equals = text.indexOf("=", start);
  if (equals < 0) throw malformedText("type=value belongs here", start);
  const type = typeOf(text.slice(start, equals).trim(), start);
  const valueStart = equals + 1;
  const { value, end } =
    readHexadecimal(text, valueStart) ?? readQuoted(text, valueStart) ?? readPlain(text, valueStart);
  const separator = text.charAt(end);
  if (separator !== "" && separator !== "," && separator !== "+") {
    const reason = `${JSON.stringify(separator)} stands unescaped in a value: write \\${separator}`;
    throw malformedText(reason, end);
  }
  return { attribute: { type, value }, end };
}

interface ValueText {
  readonly value: string | Uint8Array;
  /** The position behind the value and the spaces that follow it. */
  readonly end: number;
}

/** `#` and the DER of the value in hexadecimal (RFC 4514 §2.4). */
function readHexadecimal(text: string, start: number): ValueText | undefined {
  const pattern = /[ ]*#([0-9a-fA-F]*)[ ]*/y;
  pattern.lastIndex = start;
  const [whole, digits = ""] = pattern.exec(text) ?? [];
  if (whole === undefined) return undefined;
  if (digits === "" || digits.length % 2 !== 0) throw malformedText("# needs pairs of hexadecimal digits", start);
  const octets = Uint8Array.from({ length: digits.length / 2 }, (_, index) =>
    Number.parseInt(digits.slice(2 * index, 2 * index + 2), 16),
  );
  return { value: octets, end: start + whole.length };
}

/** A value in quotes (RFC 2253 §3), in which only quotes and backslashes need a backslash. */
function readQuoted(text: string, start: number): ValueText | undefined {
  const pattern = /[ ]*"((?:[^"\\\0]|\\[0-9a-fA-F]{2}|\\[ "#+,;<=>\\])*)"[ ]*/y;
  pattern.lastIndex = start;
  const [whole, inner = ""] = pattern.exec(text) ?? [];
  if (whole === undefined) return undefined;
  return { value: unescape(inner, start), end: start + whole.length };
}

/** A value up to the next character that would have to be escaped. */
function readPlain(text: string, start: number): ValueText {
  const pattern = /(?:\\[0-9a-fA-F]{2}|\\[ "#+,;<=>\\]|[^\\"+,;<>\0])*/y;
  pattern.lastIndex = start;
  const whole = pattern.exec(text)?.[0] ?? "";
  return { value: unescape(trimSpaces(whole), start), end: start + whole.length };
}

/** Without the spaces around a value. A space behind a backslash is part of the value. */
function trimSpaces(text: string): string {
  let first = 0;
  let end = text.length;
  while (first < end && text[first] === " ") first++;
  while (end > first && text[end - 1] === " ") end--;
  let backslashes = 0;
  while (text[end - 1 - backslashes] === "\\") backslashes++;
  return text.slice(first, backslashes % 2 === 1 ? end + 1 : end);
}

/** Takes the escapes out: octets of UTF-8 in hexadecimal, or a character behind a backslash. */
function unescape(text: string, offset: number): string {
  const encoded = text.replaceAll(/\\([0-9a-fA-F]{2})|\\(.)|([^\\])/gsu, (_, octet, special, plain) =>
    octet === undefined ? percentEncode(String(special ?? plain), offset) : `%${octet}`,
  );
  return percentDecode(encoded, offset);
}

function percentEncode(character: string, at: number): string {
  if (!character.isWellFormed()) throw malformedText("half of a surrogate pair", at);
  return encodeURIComponent(character);
}

function percentDecode(value: string, at: number): string {
  try {
    return decodeURIComponent(value);
  } catch {
    throw malformedText("the escaped octets are no UTF-8", at);
  }
}

function malformedText(problem: string, offset: number): Error {
  return new X509Error("ERR_X509_NAME_TEXT", `not the text of a distinguished name: ${problem}`, {
    problem,
    offset,
    clause: "RFC 4514 §3",
  });
}
