/** Which handler a packet goes to, and which packets a client may send in which state. */

import { ReasonCode, type Packet } from "@latchkey/mqtt-codec";
import type { Connection } from "../connection/connection.ts";
import { handleAcknowledgement } from "./acknowledgement.ts";
import { handleAuth } from "./auth.ts";
import { handleConnect } from "./connect.ts";
import { handleDisconnect } from "./disconnect.ts";
import { handlePublish } from "./publish.ts";
import { handleSubscribe, handleUnsubscribe } from "./subscribe.ts";

/** Handles one packet. The decoder has refused a first packet that is not CONNECT, and a second CONNECT (MQTT-3.1.0-1, -2). */
export function handlePacket<Peer, Principal>(connection: Connection<Peer, Principal>, packet: Packet): void {
  if (packet.type === "connect") {
    handleConnect(connection, packet);
    return;
  }
  if (packet.type === "auth") {
    handleAuth(connection, packet);
    return;
  }
  const { client } = connection;
  if (client === undefined) {
    // MQTT-3.1.2-30: until CONNACK only AUTH and DISCONNECT.
    if (packet.type === "disconnect") connection.close("client-disconnect", "before CONNACK");
    else connection.close("protocol-error", `${packet.type} before CONNACK`);
    return;
  }
  switch (packet.type) {
    case "publish":
      handlePublish(connection, client, packet);
      break;
    case "puback":
    case "pubrec":
    case "pubrel":
    case "pubcomp":
      handleAcknowledgement(connection, client, packet);
      break;
    case "subscribe":
      handleSubscribe(connection, client, packet);
      break;
    case "unsubscribe":
      handleUnsubscribe(connection, client, packet);
      break;
    case "pingreq":
      connection.send({ type: "pingresp" });
      break;
    case "disconnect":
      handleDisconnect(connection, client, packet);
      break;
    default:
      connection.close("protocol-error", `a client does not send ${packet.type}`, ReasonCode.protocolError);
  }
}
