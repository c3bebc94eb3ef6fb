/** UTF-8 as MQTT wants it (1.5.3 in 3.1.1, 1.5.4 in 5.0): checked strictly, made into text apart from the check. */

const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

type Slice = (this: Uint8Array, start: number, end: number) => string;

/** In Node `latin1Slice` takes about half the time of TextDecoder for a topic name; elsewhere TextDecoder does both. */
const latin1Slice: Slice | undefined = findLatin1Slice();

function findLatin1Slice(): Slice | undefined {
  const slice = globalThis.Buffer?.prototype.latin1Slice;
  return isSlice(slice) ? slice : undefined;
}

function isSlice(value: unknown): value is Slice {
  return typeof value === "function";
}

/** Text of octets that are all below 0x80. */
export function asciiText(bytes: Uint8Array, start: number, end: number): string {
  return latin1Slice === undefined ? decoder.decode(bytes.subarray(start, end)) : latin1Slice.call(bytes, start, end);
}

/** Text of octets that `invalidUtf8` found nothing wrong with; U+FEFF is kept. */
export function utf8Text(bytes: Uint8Array, start: number, end: number): string {
  return decoder.decode(bytes.subarray(start, end));
}

/**
 * Offset of the first sequence that is not well-formed UTF-8 by RFC 3629 (overlong forms, surrogates, above U+10FFFF,
 * cut off), or -1.
 */
export function invalidUtf8(view: DataView, start: number, end: number): number {
  let at = start;
  while (at < end) {
    const lead = view.getUint8(at);
    if (lead < 0x80) {
      at += 1;
      continue;
    }
    const length = sequenceLength(lead);
    if (length === 0 || at + length > end) return at;
    const second = view.getUint8(at + 1);
    if (second < lowestSecond(lead) || second > highestSecond(lead)) return at;
    for (let next = 2; next < length; next++) {
      if ((view.getUint8(at + next) & 0xc0) !== 0x80) return at;
    }
    at += length;
  }
  return -1;
}

function sequenceLength(lead: number): number {
  if (lead < 0xc2) return 0;
  if (lead < 0xe0) return 2;
  if (lead < 0xf0) return 3;
  return lead < 0xf5 ? 4 : 0;
}

/** RFC 3629 §4: E0 and F0 need more than the lowest continuation, or the form is overlong. */
function lowestSecond(lead: number): number {
  if (lead === 0xe0) return 0xa0;
  return lead === 0xf0 ? 0x90 : 0x80;
}

/** RFC 3629 §4: ED would reach the surrogates, F4 would pass U+10FFFF. */
function highestSecond(lead: number): number {
  if (lead === 0xed) return 0x9f;
  return lead === 0xf4 ? 0x8f : 0xbf;
}

/**
 * Offset of the first code point that a receiver may refuse (U+0001 to U+001F, U+007F to U+009F, the non-characters)
 * in well-formed UTF-8, or -1.
 */
export function refusableCharacter(view: DataView, start: number, end: number): number {
  for (let at = start; at < end; at++) {
    const octet = view.getUint8(at);
    if (octet < 0x20 || octet === 0x7f) return at;
    if (octet === 0xc2 && view.getUint8(at + 1) < 0xa0) return at;
    if (octet === 0xef) {
      const low = (view.getUint8(at + 1) << 8) | view.getUint8(at + 2);
      if (low >= 0xb790 && low <= 0xb7af) return at;
      if (low >= 0xbfbe) return at;
    }
    if (octet >= 0xf0 && (view.getUint8(at + 1) & 0x0f) === 0x0f && view.getUint16(at + 2) >= 0xbfbe) return at;
  }
  return -1;
}

/** Octets that a string takes as UTF-8, or -1 where it holds a lone surrogate or U+0000. */
export function utf8Length(text: string): number {
  let length = text.length;
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index);
    if (unit === 0) return -1;
    if (unit < 0x80) continue;
    if (unit < 0x800) {
      length += 1;
    } else if (unit < 0xd800 || unit > 0xdfff) {
      length += 2;
    } else {
      const next = unit < 0xdc00 && index + 1 < text.length ? text.charCodeAt(index + 1) : 0;
      if (next < 0xdc00 || next > 0xdfff) return -1;
      length += 2;
      index += 1;
    }
  }
  return length;
}

/** Writes a string that `utf8Length` accepts and returns the offset behind it. */
export function writeUtf8(text: string, bytes: Uint8Array, offset: number): number {
  let at = offset;
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index);
    if (unit < 0x80) {
      bytes[at++] = unit;
    } else if (unit < 0x800) {
      bytes[at++] = 0xc0 | (unit >> 6);
      bytes[at++] = 0x80 | (unit & 0x3f);
    } else if (unit < 0xd800 || unit > 0xdfff) {
      bytes[at++] = 0xe0 | (unit >> 12);
      bytes[at++] = 0x80 | ((unit >> 6) & 0x3f);
      bytes[at++] = 0x80 | (unit & 0x3f);
    } else {
      index += 1;
      const point = 0x10000 + ((unit & 0x3ff) << 10) + (text.charCodeAt(index) & 0x3ff);
      bytes[at++] = 0xf0 | (point >> 18);
      bytes[at++] = 0x80 | ((point >> 12) & 0x3f);
      bytes[at++] = 0x80 | ((point >> 6) & 0x3f);
      bytes[at++] = 0x80 | (point & 0x3f);
    }
  }
  return at;
}
