/** The UTF-8 check beside the runtime's own decoder. */

import { expect } from "vitest";
import { invalidUtf8 } from "../src/utf8.ts";

const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

function isValid(bytes: Uint8Array): boolean {
  try {
    strict.decode(bytes);
    return true;
  } catch {
    return false;
  }
}

/** Both accept the octets, or both refuse them, and the octets before the fault are valid. */
export function checkUtf8(bytes: Uint8Array): void {
  const invalid = invalidUtf8(new DataView(bytes.buffer), 0, bytes.length);
  if (invalid < 0 !== isValid(bytes)) expect([...bytes]).toBe(isValid(bytes) ? "valid" : "invalid");
  if (invalid >= 0 && !isValid(bytes.slice(0, invalid))) expect(invalid).toBe("the first fault");
}
