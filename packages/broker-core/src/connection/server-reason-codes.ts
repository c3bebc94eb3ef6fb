/** What a client is told when the broker ends its connection. */

import type { CloseReason } from "../events.ts";

/** The DISCONNECT for an MQTT 5.0 client whose connection the broker ends. */
export const serverReasonCodes: { readonly [Reason in CloseReason]?: number } = {
  "taken-over": 0x8e,
  "not-authorized": 0x87,
  "storage-failure": 0x83,
  administrative: 0x98,
  "server-shutdown": 0x8b,
};
