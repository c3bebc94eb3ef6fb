/**
 * PEM (RFC 7468): labelled blocks of base64 in text.
 *
 * Lines of any length and white space are taken, as the RFC recommends to parsers; text outside the blocks is passed
 * over. Everything else is an error: another alphabet, wrong padding, headers within a block (the old encrypted form),
 * a block without its end, an end without its block.
 */

import { decodeBase64, encodeBase64 } from "./base64.ts";
import { Asn1Error, type PemCode } from "./error.ts";

/** One block. */
export interface PemBlock {
  /** What stands between BEGIN and the dashes, for instance `CERTIFICATE`. */
  readonly label: string;
  /** The decoded content, a copy of its own. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Where the block's BEGIN line starts in the text. */
  readonly offset: number;
}

const begin = "-----BEGIN ";
const ending = "-----END ";
const dashes = "-----";

/**
 * Every block of the text, in order; none where it has none. Time is linear in the text.
 *
 * Throws `ERR_ASN1_PEM_BOUNDARY`, `ERR_ASN1_PEM_BASE64` or `ERR_ASN1_PEM_HEADERS`; the message says which block.
 */
export function decodePem(text: string | Uint8Array): PemBlock[] {
  const source = typeof text === "string" ? text : new TextDecoder().decode(text);
  const blocks: PemBlock[] = [];
  let position = 0;
  for (;;) {
    const start = boundary(source, position);
    if (start < 0) return blocks;
    const number = blocks.length + 1;
    if (!source.startsWith(begin, start)) throw malformed("ERR_ASN1_PEM_BOUNDARY", "END without BEGIN", number, start);
    const { label, lineEnd } = readBoundary(source, start, begin, number);
    const end = boundary(source, lineEnd);
    if (end < 0 || !source.startsWith(ending, end))
      throw malformed("ERR_ASN1_PEM_BOUNDARY", "block without END", number, start);
    const close = readBoundary(source, end, ending, number);
    if (close.label !== label)
      throw malformed("ERR_ASN1_PEM_BOUNDARY", `BEGIN ${label} ends as ${close.label}`, number, end);
    const bytes = decodeBase64(source, lineEnd, end);
    if (typeof bytes === "number") throw wrongCharacter(source, bytes, end, number);
    blocks.push({ label, bytes, offset: start });
    position = close.lineEnd;
  }
}

/** The text of one block, lines of 64 characters, ended by a line feed. Throws `ERR_ASN1_VALUE` for an unfit label. */
export function encodePem(label: string, bytes: Uint8Array): string {
  if (!isLabel(label)) throw new Asn1Error("ERR_ASN1_VALUE", `"${label}" cannot label a PEM block`);
  const lines = encodeBase64(bytes).match(/.{1,64}/g) ?? [];
  return `${[`${begin}${label}${dashes}`, ...lines, `${ending}${label}${dashes}`].join("\n")}\n`;
}

/** The next line that starts as a BEGIN or END line, or -1. */
function boundary(text: string, from: number): number {
  for (let at = text.indexOf(dashes, from); at >= 0; at = text.indexOf(dashes, at + dashes.length)) {
    const before = at === 0 ? "\n" : text.charAt(at - 1);
    if (before !== "\n" && before !== "\r") continue;
    if (text.startsWith(begin, at) || text.startsWith(ending, at)) return at;
  }
  return -1;
}

/** The label of a boundary line and where the line ends. */
function readBoundary(text: string, at: number, prefix: string, number: number): { label: string; lineEnd: number } {
  let lineEnd = at;
  while (lineEnd < text.length && text.charAt(lineEnd) !== "\n" && text.charAt(lineEnd) !== "\r") lineEnd++;
  const line = text.slice(at + prefix.length, lineEnd).trimEnd();
  const label = line.slice(0, -dashes.length);
  if (!line.endsWith(dashes) || !isLabel(label)) {
    throw malformed("ERR_ASN1_PEM_BOUNDARY", "malformed boundary line", number, at);
  }
  return { label, lineEnd };
}

/** RFC 7468 §3: printable characters without hyphens, in words of one space or hyphen between. */
function isLabel(label: string): boolean {
  return label === "" || /^[!-,.-~]+(?:[ -][!-,.-~]+)*$/.test(label);
}

function wrongCharacter(text: string, at: number, end: number, number: number): Asn1Error {
  const [line = ""] = text.slice(at, end).split("\n", 1);
  return line.includes(":")
    ? malformed("ERR_ASN1_PEM_HEADERS", "headers within the block", number, at)
    : malformed("ERR_ASN1_PEM_BASE64", "not strict base64", number, at);
}

function malformed(code: PemCode, message: string, number: number, offset: number): Asn1Error {
  return new Asn1Error(code, `PEM block ${number}: ${message}`, offset, "RFC 7468 §3");
}
