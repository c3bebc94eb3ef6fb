/** Octets as keys of maps and sets. */

/** A string that is equal exactly for equal octets: one character each. Never to be shown. */
export function octetKey(octets: Uint8Array): string {
  let key = "";
  for (let index = 0; index < octets.length; index++) key += String.fromCharCode(octets[index] ?? 0);
  return key;
}
