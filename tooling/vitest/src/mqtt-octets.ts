/** MQTT packets written octet by octet, so that they can be wrong. */

/** An octet, a length-prefixed UTF-8 string, or raw octets. */
export type Part = number | string | readonly number[] | Uint8Array;

const text = new TextEncoder();

/** All parts behind each other. */
export function octets(...parts: readonly Part[]): Uint8Array {
  const out: number[] = [];
  for (const part of parts) {
    if (typeof part === "number") {
      out.push(part);
    } else if (typeof part === "string") {
      const encoded = text.encode(part);
      out.push(encoded.length >> 8, encoded.length & 0xff);
      for (const octet of encoded) out.push(octet);
    } else {
      for (const octet of part) out.push(octet);
    }
  }
  return Uint8Array.from(out);
}

/** A length-prefixed string of octets that need not be UTF-8. */
export function rawString(...raw: readonly number[]): number[] {
  return [raw.length >> 8, raw.length & 0xff, ...raw];
}

/** A length as MQTT writes it, in 1 to 4 octets. */
export function variableByteInteger(value: number): number[] {
  const out: number[] = [];
  let left = value;
  while (left > 0x7f) {
    out.push((left & 0x7f) | 0x80);
    left >>= 7;
  }
  return [...out, left];
}

/** A packet: first octet, remaining length, body. */
export function packet(first: number, ...parts: readonly Part[]): Uint8Array {
  const body = octets(...parts);
  return octets(first, variableByteInteger(body.length), body);
}

/** A property list with its length. */
export function properties(...parts: readonly Part[]): number[] {
  const body = octets(...parts);
  return [...variableByteInteger(body.length), ...body];
}

/** The property list without properties. */
export const none: readonly number[] = [0];
