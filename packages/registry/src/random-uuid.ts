/** Identifiers that are not guessed: version 4 UUIDs (RFC 9562 §5.4). */

import type { CryptoProvider } from "@latchkey/crypto";
import { hexText } from "@latchkey/x509";

/** A random UUID in its text form. */
export function randomUuid(provider: Pick<CryptoProvider, "randomBytes">): string {
  const octets = Uint8Array.from(provider.randomBytes(16));
  octets[6] = ((octets[6] ?? 0) & 0x0f) | 0x40;
  octets[8] = ((octets[8] ?? 0) & 0x3f) | 0x80;
  const text = hexText(octets);
  return [text.slice(0, 8), text.slice(8, 12), text.slice(12, 16), text.slice(16, 20), text.slice(20)].join("-");
}
