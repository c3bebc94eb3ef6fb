/** Base64 (RFC 4648 §4), strict: the standard alphabet, full padding, unused bits zero. White space is skipped. */

const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const skip = 64;
const invalid = 255;

/** Six-bit values by character code; `skip` for white space, `invalid` for the rest. */
const values: Uint8Array = /* @__PURE__ */ makeValues();

function makeValues(): Uint8Array {
  const table = new Uint8Array(128).fill(invalid);
  for (let value = 0; value < 64; value++) table[alphabet.charCodeAt(value)] = value;
  for (const space of [0x20, 0x09, 0x0a, 0x0d]) table[space] = skip;
  return table;
}

/**
 * The octets that `text` between `start` and `end` says.
 *
 * Returns the offset of the first wrong character instead where it is not strict base64.
 */
export function decodeBase64(text: string, start: number, end: number): Uint8Array<ArrayBuffer> | number {
  const octets = new Uint8Array(Math.ceil(((end - start) * 3) / 4));
  let length = 0;
  let bits = 0;
  let count = 0;
  let position = start;
  for (; position < end; position++) {
    const value = values[text.charCodeAt(position)] ?? invalid;
    if (value < 64) {
      bits = (bits << 6) | value;
      if ((++count & 3) === 0) {
        octets[length++] = bits >> 16;
        octets[length++] = bits >> 8;
        octets[length++] = bits;
        bits = 0;
      }
    } else if (value === invalid) {
      break;
    }
  }
  const partial = count & 3;
  if (partial === 1) return position;
  let padding = partial === 0 ? 0 : 4 - partial;
  const firstPadding = position;
  for (; position < end; position++) {
    const code = text.charCodeAt(position);
    if (code === 0x3d && padding > 0) padding--;
    else if (values[code] !== skip) return position;
  }
  if (padding > 0) return position;
  if (partial === 2) {
    if ((bits & 0x0f) !== 0) return firstPadding;
    octets[length++] = bits >> 4;
  } else if (partial === 3) {
    if ((bits & 0x03) !== 0) return firstPadding;
    octets[length++] = bits >> 10;
    octets[length++] = bits >> 2;
  }
  return octets.subarray(0, length);
}

/** Base64 of the octets, without line breaks. */
export function encodeBase64(octets: Uint8Array): string {
  const parts: string[] = [];
  for (let index = 0; index < octets.length; index += 3) {
    const left = octets.length - index;
    const group = ((octets[index] ?? 0) << 16) | ((octets[index + 1] ?? 0) << 8) | (octets[index + 2] ?? 0);
    parts.push(
      alphabet.charAt(group >> 18) +
        alphabet.charAt((group >> 12) & 63) +
        (left > 1 ? alphabet.charAt((group >> 6) & 63) : "=") +
        (left > 2 ? alphabet.charAt(group & 63) : "="),
    );
  }
  return parts.join("");
}
