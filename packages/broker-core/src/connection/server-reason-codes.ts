/** Reason codes of connections that the broker ends. */

import type { CloseReason } from "../events.ts";

/** The reason code of the DISCONNECT that an MQTT 5.0 client gets. MQTT 3.1.1 has no DISCONNECT from the server. */
export const serverReasonCodes: { readonly [Reason in CloseReason]?: number } = {
  "taken-over": 0x8e,
  "not-authorized": 0x87,
  "storage-failure": 0x83,
  administrative: 0x98,
  "server-shutdown": 0x8b,
  "maximum-connect-time": 0xa0,
  "authentication-expired": 0xa0,
};
