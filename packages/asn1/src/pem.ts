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

/**
 * Every block of the text, in order; none where it has none. Time is linear in the text.
 *
 * Throws `ERR_ASN1_PEM_BOUNDARY`, `ERR_ASN1_PEM_BASE64` or `ERR_ASN1_PEM_HEADERS`; the message says which block.
 */
export function decodePem(text: string | Uint8Array): PemBlock[] {
  const source = typeof text === "string" ? text : new TextDecoder().decode(text);
  const blocks: PemBlock[] = [];
  let open: { label: string; offset: number; bodyStart: number } | undefined;
  for (const { 0: line, 1: kind, 2: rest = "", index } of source.matchAll(/^-----(BEGIN|END) (.*)$/gm)) {
    const number = blocks.length + 1;
    const label = /^(.*)-----[ \t]*$/.exec(rest)?.[1];
    if (label === undefined || !isLabel(label)) throw boundaryFault("malformed boundary", number, index);
    if (kind === "BEGIN") {
      if (open !== undefined) throw boundaryFault("no END", number, open.offset);
      open = { label, offset: index, bodyStart: index + line.length };
    } else {
      if (open?.label !== label) throw boundaryFault("END without BEGIN", number, index);
      blocks.push({
        label,
        bytes: readBody(source.slice(open.bodyStart, index), number, open.bodyStart),
        offset: open.offset,
      });
      open = undefined;
    }
  }
  if (open !== undefined) throw boundaryFault("no END", blocks.length + 1, open.offset);
  return blocks;
}

/** The text of one block, lines of 64 characters, ended by a line feed. Throws `ERR_ASN1_VALUE` for an unfit label. */
export function encodePem(label: string, bytes: Uint8Array): string {
  if (!isLabel(label)) throw new Asn1Error("ERR_ASN1_VALUE", `no PEM label: ${label}`);
  const lines = encodeBase64(bytes).match(/.{1,64}/g) ?? [];
  return [`-----BEGIN ${label}-----`, ...lines, `-----END ${label}-----`, ""].join("\n");
}

/** RFC 7468 §3: printable characters without hyphens, in words of one space or hyphen between. */
function isLabel(label: string): boolean {
  return /^(?:[!-,.-~]+(?:[ -][!-,.-~]+)*)?$/.test(label);
}

/** `offset` is where the body starts; a wrong character is pointed at, other faults are the body's. */
function readBody(body: string, number: number, offset: number): Uint8Array<ArrayBuffer> {
  const bytes = decodeBase64(body);
  if (bytes !== undefined) return bytes;
  const wrong = Math.max(0, body.search(/[^A-Za-z0-9+/= \t\r\n]/));
  throw body.includes(":")
    ? malformed("ERR_ASN1_PEM_HEADERS", "headers within the block", number, offset)
    : malformed("ERR_ASN1_PEM_BASE64", "not strict base64", number, offset + wrong);
}

function boundaryFault(message: string, number: number, offset: number): Asn1Error {
  return malformed("ERR_ASN1_PEM_BOUNDARY", message, number, offset);
}

function malformed(code: PemCode, message: string, number: number, offset: number): Asn1Error {
  return new Asn1Error(code, `PEM block ${number}: ${message}`, offset, "RFC 7468 §3");
}
