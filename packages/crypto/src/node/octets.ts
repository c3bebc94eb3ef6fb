/** The same bytes as a plain Uint8Array, without a copy: a Buffer's own methods would surprise. */
export function octets(buffer: Buffer): Uint8Array {
  return new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.length);
}
