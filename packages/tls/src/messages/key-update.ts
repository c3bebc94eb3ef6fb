/** KeyUpdate (RFC 8446 §4.6.3). */

import { illegalParameter } from "../errors.ts";
import { Reader } from "../reader.ts";

/** Whether the peer asks for an update in return. */
export function readKeyUpdate(body: Uint8Array): boolean {
  const reader = new Reader(body, "KeyUpdate");
  const request = reader.uint8();
  reader.end();
  // RFC 8446 §4.6.3: any other value MUST end the connection with illegal_parameter.
  if (request > 1)
    throw illegalParameter("KeyUpdate asks for something unknown", "RFC 8446 §4.6.3", { found: `${request}` });
  return request === 1;
}

/** The body of a KeyUpdate. */
export function writeKeyUpdate(requestsUpdate: boolean): Uint8Array<ArrayBuffer> {
  return Uint8Array.of(requestsUpdate ? 1 : 0);
}
