/** Text that is not well-formed UTF-8 (MQTT-1.5.4-1 of 5.0, MQTT-1.5.3-1 of 3.1.1). */

import { rawString } from "@latchkey/tooling-vitest/mqtt-octets";

/** Text that no receiver may take: an overlong form, a surrogate, what is above U+10FFFF, a lone continuation, a cut sequence. */
export const illFormed: readonly (readonly [string, readonly number[]])[] = [
  ["an overlong form", rawString(0xc0, 0x80)],
  ["a surrogate", rawString(0xed, 0xa0, 0x80)],
  ["what is above U+10FFFF", rawString(0xf4, 0x90, 0x80, 0x80)],
  ["a lone continuation octet", rawString(0x61, 0x80)],
  ["a sequence that is cut off", rawString(0xe2, 0x82)],
];
