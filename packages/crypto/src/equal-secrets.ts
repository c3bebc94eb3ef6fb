/**
 * Whether two byte strings are equal, in time that depends on their lengths only: for tags and other secrets (for the rest, `equalBytes` of `@latchkey/asn1`).
 *
 * Bytes of different length are unequal at once. JavaScript engines promise nothing about timing; this avoids the early
 * exit, no more.
 */
export function equalSecrets(left: Uint8Array, right: Uint8Array): boolean {
  if (left.length !== right.length) return false;
  let difference = 0;
  for (let index = 0; index < left.length; index++) difference |= (left[index] ?? 0) ^ (right[index] ?? 0);
  return difference === 0;
}
