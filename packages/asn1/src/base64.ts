/** Base64 (RFC 4648 §4), strict: the standard alphabet, full padding, unused bits zero. White space is skipped. */

/** The octets that the text says, or undefined where it is not strict base64. */
export function decodeBase64(text: string): Uint8Array<ArrayBuffer> | undefined {
  const compact = text.replaceAll(/[ \t\r\n]+/g, "");
  // The platform's decoder is lenient, so the alphabet and the place of the padding are checked before.
  if (compact.length % 4 !== 0 || /[^A-Za-z0-9+/]/.test(compact.replace(/={1,2}$/, ""))) return undefined;
  const binary = atob(compact);
  const octets = new Uint8Array(binary.length);
  for (let index = 0; index < binary.length; index++) octets[index] = binary.charCodeAt(index);
  // The unused bits are zero if and only if the encoder makes the same last group from the octets.
  const last = compact.slice(-4);
  return last === encodeBase64(octets.subarray((compact.length / 4 - 1) * 3)) ? octets : undefined;
}

/** Why `decodeBase64` does not read a text, and at which character. */
export interface Base64Fault {
  readonly problem: "character" | "padding" | "stray bits";
  readonly position: number;
  /** The wrong character; undefined for the other problems. */
  readonly character: string | undefined;
}

/** What is wrong with a text that `decodeBase64` does not read. */
export function base64Fault(text: string): Base64Fault {
  const position = text.search(/[^A-Za-z0-9+/= \t\r\n]/);
  if (position >= 0)
    return { problem: "character", position, character: String.fromCodePoint(text.codePointAt(position) ?? 0) };
  const compact = text.replaceAll(/[ \t\r\n]+/g, "");
  const isPadded = compact.length % 4 === 0 && !compact.replace(/={1,2}$/, "").includes("=");
  return { problem: isPadded ? "stray bits" : "padding", position: text.trimEnd().length, character: undefined };
}

/** Base64 of the octets, without line breaks. */
export function encodeBase64(octets: Uint8Array): string {
  let binary = "";
  for (let index = 0; index < octets.length; index++) binary += String.fromCharCode(octets[index] ?? 0);
  return btoa(binary);
}
