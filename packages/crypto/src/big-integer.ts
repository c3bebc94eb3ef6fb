/** Octets to BigInt and back (OS2IP and I2OSP of RFC 8017 §4). */

/** The unsigned number that `octets` say, most significant first. */
export function toBigInt(octets: Uint8Array): bigint {
  let hexadecimal = "0x0";
  for (const octet of octets) hexadecimal += octet.toString(16).padStart(2, "0");
  return BigInt(hexadecimal);
}

/** `value`, which must fit, in `length` octets, most significant first. */
export function fromBigInt(value: bigint, length: number): Uint8Array {
  const hexadecimal = value.toString(16).padStart(length * 2, "0");
  const octets = new Uint8Array(length);
  for (let index = 0; index < length; index++) {
    octets[index] = Number.parseInt(hexadecimal.slice(2 * index, 2 * index + 2), 16);
  }
  return octets;
}
