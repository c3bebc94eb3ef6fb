/** UTF-8 by the rules of MQTT (3.1.1 §1.5.3, 5.0 §1.5.4). Checking octets and making text of them are separate steps. */

const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
const encoder = new TextEncoder();

/** In Node `latin1Slice` takes about half the time of TextDecoder for a topic name; elsewhere TextDecoder does both. */
const latin1Slice = globalThis.Buffer?.prototype.latin1Slice;

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
    const length = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    if (lead < 0xc2 || lead > 0xf4 || at + length > end) return at;
    let point = lead & (0x7f >> length);
    for (let next = 1; next < length; next++) {
      const octet = view.getUint8(at + next);
      if ((octet & 0xc0) !== 0x80) return at;
      point = (point << 6) | (octet & 0x3f);
    }
    const isOverlong = point < (length === 2 ? 0x80 : length === 3 ? 0x800 : 0x1_0000);
    if (isOverlong || point > 0x10_ffff || (point >= 0xd800 && point <= 0xdfff)) return at;
    at += length;
  }
  return -1;
}

/** Code points that a receiver may refuse: U+0001 to U+001F, U+007F to U+009F and the non-characters. */
const refusable = /[\p{Cc}\p{Noncharacter_Code_Point}]/u;

/** Octets before the first code point that a receiver may refuse, or -1. */
export function refusableCharacter(text: string): number {
  const index = text.search(refusable);
  return index < 0 ? -1 : utf8Length(text.slice(0, index));
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

/** Writes a string that `utf8Length` accepts, as far as it fits. */
export function writeUtf8(text: string, bytes: Uint8Array, offset: number): void {
  encoder.encodeInto(text, bytes.subarray(offset));
}
