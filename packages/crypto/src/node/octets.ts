/** The same bytes as a plain Uint8Array, without a copy: some methods of a Buffer do other things than those of a Uint8Array. */
export function octets(buffer: Buffer): Uint8Array {
  return new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.length);
}
