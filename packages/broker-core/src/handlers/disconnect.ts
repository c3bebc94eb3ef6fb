/** DISCONNECT from a client, MQTT 3.1.1 and 5.0 §3.14. */

import { ReasonCode, type DisconnectPacket } from "@latchkey/mqtt-codec";
import type { Client } from "../connection/client.ts";
import type { Connection } from "../connection/connection.ts";

/** Handles a DISCONNECT. */
export function handleDisconnect<Peer, Principal>(
  connection: Connection<Peer, Principal>,
  client: Client<Principal>,
  { reasonCode, properties }: DisconnectPacket,
): void {
  const interval = properties?.sessionExpiryInterval;
  if (interval !== undefined) {
    // MQTT 5.0 §3.14.2.2.2: an expiry of 0 cannot be raised any more.
    if (interval > 0 && client.sessionExpirySeconds === 0) {
      connection.close("protocol-error", "DISCONNECT raises a session expiry of 0", ReasonCode.protocolError);
      return;
    }
    client.session.expirySeconds = Math.min(interval, connection.context.limits.maximumSessionExpirySeconds);
  }
  // MQTT-3.14.4-3: only a normal one deletes the will.
  if (reasonCode === ReasonCode.normalDisconnection) connection.will = undefined;
  const detail = reasonCode === ReasonCode.normalDisconnection ? "" : `reason code 0x${reasonCode.toString(16)}`;
  connection.close("client-disconnect", detail);
}
