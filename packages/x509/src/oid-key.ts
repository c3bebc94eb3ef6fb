/** Object identifiers as keys of maps: their octets as a string, never their numbers. */

/** The octets of an object identifier as a string, one character an octet. */
export function oidKey(oid: Uint8Array): string {
  let key = "";
  for (let index = 0; index < oid.length; index++) key += String.fromCharCode(oid[index] ?? 0);
  return key;
}
