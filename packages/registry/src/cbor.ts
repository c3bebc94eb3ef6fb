/**
 * CBOR (RFC 8949) as far as messages of fleet provisioning need it: what JSON can say without fractions, in both directions.
 *
 * Read are integers, texts, lists, maps with texts as keys, false, true, null and undefined, of definite and of indefinite length.
 * Octet strings, floating point numbers and tags are refused. Written is the preferred serialization (§4.1).
 */

/** What can be written: a member that is undefined is left out. */
export type CborValue = string | number | { readonly [name: string]: CborValue | undefined };

/** Lists and maps inside each other. A request of fleet provisioning has two. */
const maximumDepth = 8;

/** Ends the reading; `readCbor` gives undefined then. */
class Malformed extends Error {}

/** The one value that the octets are, or undefined where they are none, or more. */
export function readCbor(octets: Uint8Array): { readonly value: unknown } | undefined {
  const reader = new Reader(octets);
  try {
    const value = reader.item(0);
    return reader.isAtEnd ? { value } : undefined;
  } catch (error) {
    if (error instanceof Malformed) return undefined;
    throw error;
  }
}

/** The octets of a value. Numbers are whole, from 0 to 2^32 - 1. */
export function writeCbor(value: CborValue): Uint8Array {
  const octets: number[] = [];
  write(value, octets);
  return Uint8Array.from(octets);
}

/** One for all texts: a message may have tens of thousands of them. */
const utf8 = /* @__PURE__ */ new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Major types, §3.1, in the upper three bits of an initial octet. */
const majorType = { unsigned: 0, negative: 1, text: 3, list: 4, map: 5, simple: 7 } as const;
/** "Additional information" that says: of indefinite length, and in a break code, its end. */
const indefinite = 31;
const breakCode = 0xff;

class Reader {
  readonly #octets: Uint8Array;
  #at = 0;

  constructor(octets: Uint8Array) {
    this.#octets = octets;
  }

  get isAtEnd(): boolean {
    return this.#at === this.#octets.length;
  }

  item(depth: number): unknown {
    if (depth > maximumDepth) throw new Malformed();
    const initial = this.#octet();
    const information = initial & 0x1f;
    switch (initial >> 5) {
      case majorType.unsigned:
        return this.#argument(information);
      case majorType.negative:
        return -1 - this.#argument(information);
      case majorType.text:
        return this.#text(information);
      case majorType.list:
        return this.#list(information, depth);
      case majorType.map:
        return this.#map(information, depth);
      case majorType.simple:
        return simpleValue(information);
      default:
        throw new Malformed();
    }
  }

  /** The text that follows: in one piece, or in pieces of definite length (§3.2.3), each of which is UTF-8 alone. */
  #text(information: number): string {
    if (information !== indefinite) return this.#piece(information);
    let text = "";
    while (!this.#isBreak()) {
      const initial = this.#octet();
      if (initial >> 5 !== majorType.text || (initial & 0x1f) === indefinite) throw new Malformed();
      text += this.#piece(initial & 0x1f);
    }
    return text;
  }

  #piece(information: number): string {
    const length = this.#argument(information);
    if (length > this.#octets.length - this.#at) throw new Malformed();
    const octets = this.#octets.subarray(this.#at, this.#at + length);
    this.#at += length;
    try {
      return utf8.decode(octets);
    } catch {
      throw new Malformed();
    }
  }

  #list(information: number, depth: number): readonly unknown[] {
    const items: unknown[] = [];
    for (const _ of this.#entries(information)) items.push(this.item(depth + 1));
    return items;
  }

  /** Keys that come twice make a map invalid (§5.6). */
  #map(information: number, depth: number): Readonly<Record<string, unknown>> {
    const members = new Map<string, unknown>();
    for (const _ of this.#entries(information)) {
      const name = this.item(depth + 1);
      if (typeof name !== "string" || members.has(name)) throw new Malformed();
      members.set(name, this.item(depth + 1));
    }
    return Object.fromEntries(members);
  }

  /** One turn for each entry of a list or map. */
  *#entries(information: number): Generator<void> {
    if (information === indefinite) {
      while (!this.#isBreak()) yield;
      return;
    }
    const count = this.#argument(information);
    // Each entry has an octet at least.
    if (count > this.#octets.length - this.#at) throw new Malformed();
    for (let i = 0; i < count; i++) yield;
  }

  /** The number in the initial octet or behind it, §3. */
  #argument(information: number): number {
    if (information < 24) return information;
    const length = [1, 2, 4, 8][information - 24];
    if (length === undefined) throw new Malformed();
    let value = 0;
    for (let i = 0; i < length; i++) value = value * 256 + this.#octet();
    if (!Number.isSafeInteger(value)) throw new Malformed();
    return value;
  }

  #isBreak(): boolean {
    if (this.#octets[this.#at] !== breakCode) return false;
    this.#at++;
    return true;
  }

  #octet(): number {
    const octet = this.#octets[this.#at++];
    if (octet === undefined) throw new Malformed();
    return octet;
  }
}

/** §3.3: the four that JSON's users know. */
function simpleValue(information: number): unknown {
  switch (information) {
    case 20:
      return false;
    case 21:
      return true;
    case 22:
      return null;
    case 23:
      return undefined;
    default:
      throw new Malformed();
  }
}

function write(value: CborValue, octets: number[]): void {
  if (typeof value === "number") {
    writeHead(majorType.unsigned, value, octets);
    return;
  }
  if (typeof value === "string") {
    const text = new TextEncoder().encode(value);
    writeHead(majorType.text, text.length, octets);
    for (const octet of text) octets.push(octet);
    return;
  }
  const members = Object.entries(value).flatMap(([name, member]) =>
    member === undefined ? [] : [[name, member] as const],
  );
  writeHead(majorType.map, members.length, octets);
  for (const [name, member] of members) {
    write(name, octets);
    write(member, octets);
  }
}

/** The shortest form of an initial octet with its argument. */
function writeHead(type: number, argument: number, octets: number[]): void {
  const initial = type << 5;
  if (argument < 24) octets.push(initial | argument);
  else if (argument < 0x100) octets.push(initial | 24, argument);
  else if (argument < 0x1_0000) octets.push(initial | 25, argument >> 8, argument & 0xff);
  else octets.push(initial | 26, ...[24, 16, 8, 0].map((shift) => (argument >>> shift) & 0xff));
}
