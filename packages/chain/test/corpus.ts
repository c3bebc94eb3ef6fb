/** Reading corpora: PEM and base64 into bytes, and what a difference from a corpus looks like. */

import { decodeBase64, decodePem } from "@latchkey/asn1";

/** The bytes of the first PEM block. */
export function pemBytes(text: string): Uint8Array {
  return decodePem(text)[0]!.bytes;
}

export function base64Bytes(text: string): Uint8Array {
  return decodeBase64(text)!;
}

/** A difference from a corpus that is wanted: what is expected there, what comes here, and why. */
export interface CorpusException {
  readonly id: string;
  readonly expected: string;
  readonly actual: string;
  readonly reason: string;
}
