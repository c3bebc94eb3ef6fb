/** Object identifiers under id-ce (2.5.29), whose last arc is one octet. */

/** Content octets of 2.5.29 and an arc below 128. */
export function idCe(arc: number): Uint8Array {
  return Uint8Array.of(0x55, 0x1d, arc);
}

/** Identifiers under id-pe (1.3.6.1.5.5.7.1). */
export function idPe(arc: number): Uint8Array {
  return Uint8Array.of(0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x01, arc);
}
