/**
 * PEM (RFC 7468): labelled blocks of base64 in text.
 *
 * Lines of any length and white space are read, as the RFC recommends; so are indented blocks, a byte order mark and NUL
 * octets behind the END line, which editors, YAML files and C programs leave. Text outside the blocks is ignored. Everything
 * else is an error: another alphabet, wrong padding, headers within a block (the old encrypted form), a block without its
 * END line, an END line without its block.
 */

import { base64Fault, decodeBase64, encodeBase64 } from "./base64.ts";
import { Asn1Error, type PemEvidence } from "./errors.ts";

/** One block. */
export interface PemBlock {
  /** What stands between BEGIN and the dashes, for instance `CERTIFICATE`. */
  readonly label: string;
  /** The decoded content, a copy of its own. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Where the block's BEGIN line starts in the text. */
  readonly offset: number;
}

/** A block that was found and is not decoded yet. */
export interface PemSection {
  readonly label: string;
  /** Where the block's BEGIN line starts in the text. */
  readonly offset: number;
  /** Decodes the content. Throws `ERR_ASN1_PEM_BASE64` or `ERR_ASN1_PEM_HEADERS`. */
  readonly decode: () => Uint8Array<ArrayBuffer>;
}

/**
 * Every block of the text, in order; none where it has none. Time is linear in the text.
 *
 * Throws `ERR_ASN1_PEM_BOUNDARY`, `ERR_ASN1_PEM_BASE64` or `ERR_ASN1_PEM_HEADERS`; the message says which block. To pass
 * over blocks of other kinds, whatever they hold, use `findPemSections`.
 */
export function decodePem(text: string | Uint8Array): PemBlock[] {
  return findPemSections(text).map(({ label, offset, decode }) => ({ label, bytes: decode(), offset }));
}

/** The boundary of a block that was begun. */
interface OpenBlock {
  readonly label: string;
  readonly offset: number;
  readonly bodyStart: number;
}

/**
 * Every block of the text, in order, not decoded: a block of another kind may hold anything, for instance headers or the
 * checksum of OpenPGP. Time is linear in the text. Octets are UTF-8, or UTF-16 where they start with its mark.
 *
 * Throws `ERR_ASN1_PEM_BOUNDARY` for a wrong boundary of a block whose label `isWanted` accepts; blocks of other labels
 * that have a wrong boundary are left out. Default: every label is wanted.
 */
export function findPemSections(
  text: string | Uint8Array,
  isWanted: (label: string) => boolean = () => true,
): PemSection[] {
  const source = typeof text === "string" ? text : decodeFile(text);
  const sections: PemSection[] = [];
  let block = 0;
  let open: OpenBlock | undefined;
  const refuse = (problem: BoundaryProblem, label: string, offset: number): void => {
    if (isWanted(label)) throw boundaryFault(problem, label, Math.max(1, block), offset);
  };
  for (const match of source.matchAll(boundaryLine)) {
    const [line, before = "", kind, rest = ""] = match;
    const offset = match.index + before.length;
    const label = /^(.*?)-----[ \t\0]*$/.exec(rest)?.[1];
    if (label === undefined || !isLabel(label)) {
      if (kind === "BEGIN") block++;
      refuse("malformed", /^[^-]*/.exec(rest)?.[0] ?? "", offset);
    } else if (kind === "BEGIN") {
      if (open !== undefined) refuse("no END", open.label, open.offset);
      block++;
      open = { label, offset, bodyStart: match.index + line.length };
    } else {
      if (open === undefined) refuse("END without BEGIN", label, offset);
      else if (open.label === label) sections.push(makeSection(source.slice(open.bodyStart, match.index), open, block));
      else if (isWanted(open.label) || isWanted(label)) {
        throw boundaryFault("another label at the END", open.label, block, open.offset);
      }
      open = undefined;
    }
  }
  if (open !== undefined) refuse("no END", open.label, open.offset);
  return sections;
}

/** A line that starts with five dashes and BEGIN or END, perhaps indented, perhaps behind the byte order mark. */
const boundaryLine = /^(\ufeff?[ \t]*)-----(BEGIN|END) (.*)$/gm;

/** Text of a file. A byte order mark tells UTF-16, which Windows tools write, from UTF-8. */
function decodeFile(octets: Uint8Array): string {
  const [first, second] = octets;
  const encoding = first === 0xff && second === 0xfe ? "utf-16le" : first === 0xfe && second === 0xff ? "utf-16be" : "";
  return new TextDecoder(encoding === "" ? "utf-8" : encoding).decode(octets);
}

/** The text of one block, lines of 64 characters, ended by a line feed. Throws `ERR_ASN1_VALUE` for an unfit label. */
export function encodePem(label: string, bytes: Uint8Array): string {
  if (!isLabel(label)) throw new Asn1Error("ERR_ASN1_VALUE", `${JSON.stringify(label)} is no label of PEM`, {});
  const lines = encodeBase64(bytes).match(/.{1,64}/g) ?? [];
  return [`-----BEGIN ${label}-----`, ...lines, `-----END ${label}-----`, ""].join("\n");
}

/** RFC 7468 §3: printable characters without hyphens, in words of one space or hyphen between. */
function isLabel(label: string): boolean {
  return /^(?:[!-,.-~]+(?:[ -][!-,.-~]+)*)?$/.test(label);
}

function makeSection(body: string, { label, offset, bodyStart }: OpenBlock, block: number): PemSection {
  return { label, offset, decode: () => readBody(body, { label, block, bodyStart }) };
}

interface BodyPlace {
  readonly label: string;
  readonly block: number;
  /** Where the body starts. */
  readonly bodyStart: number;
}

function readBody(body: string, { label, block, bodyStart }: BodyPlace): Uint8Array<ArrayBuffer> {
  const bytes = decodeBase64(body);
  if (bytes !== undefined) return bytes;
  const headers = Array.from(body.matchAll(/^[ \t]*([A-Za-z][A-Za-z0-9-]*):/gm), ([, name = ""]) => name);
  const clause = "RFC 7468 §3";
  if (headers.length > 0) {
    const isEncrypted = headers.includes("DEK-Info") || /^[ \t]*Proc-Type:.*ENCRYPTED/m.test(body);
    const what = isEncrypted ? "encrypted in the old form of OpenSSL, with headers" : "headers within the block";
    const reason = `PEM block ${block} (${label}): ${what} (${headers.slice(0, 4).join(", ")})`;
    throw new Asn1Error("ERR_ASN1_PEM_HEADERS", reason, {
      block,
      label,
      headers,
      isEncrypted,
      offset: bodyStart,
      clause,
    });
  }
  const { problem, position, character } = base64Fault(body);
  const what = character === undefined ? problem : `${problem} ${JSON.stringify(character)}`;
  throw new Asn1Error("ERR_ASN1_PEM_BASE64", `PEM block ${block} (${label}): wrong ${what} in the base64`, {
    block,
    label,
    problem,
    character,
    offset: bodyStart + position,
    clause,
  });
}

type BoundaryProblem = PemEvidence["ERR_ASN1_PEM_BOUNDARY"]["problem"];

const boundaryReasons: Readonly<Record<BoundaryProblem, string>> = {
  malformed: "a BEGIN or END line of another form than -----BEGIN LABEL----- on a line of its own",
  "no END": "no END line",
  "END without BEGIN": "an END line without its BEGIN line",
  "another label at the END": "the END line has another label than the BEGIN line",
};

function boundaryFault(problem: BoundaryProblem, label: string, block: number, offset: number): Asn1Error {
  const reason = `PEM block ${block} (${label}): ${boundaryReasons[problem]}`;
  return new Asn1Error("ERR_ASN1_PEM_BOUNDARY", reason, { block, label, problem, offset, clause: "RFC 7468 §3" });
}
