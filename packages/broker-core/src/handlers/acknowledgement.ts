/** PUBACK, PUBREC, PUBREL and PUBCOMP from a client, MQTT 3.1.1 and 5.0 §3.4 to §3.7 and §4.3. */

import { ReasonCode, type AcknowledgementPacket } from "@latchkey/mqtt-codec";
import type { Client } from "../connection/client.ts";
import type { Connection } from "../connection/connection.ts";
import type { DirectResult } from "../server-publish.ts";

/** Handles one of them. */
export function handleAcknowledgement<Peer, Principal>(
  connection: Connection<Peer, Principal>,
  client: Client<Principal>,
  { type, packetIdentifier, reasonCode }: AcknowledgementPacket,
): void {
  const { session, sender } = client;
  const { outbound, journal } = session;
  switch (type) {
    case "puback": {
      // MQTT-4.4.0-2: one that refuses is done as well; of a shared subscription no other member gets it (MQTT-4.8.2-6).
      const delivery = outbound.acknowledge(packetIdentifier, 1);
      if (delivery !== undefined) {
        journal?.done(delivery);
        connection.context.confirmations.get(delivery.message)?.settle(confirmation(reasonCode));
      }
      sender.sendQueued();
      break;
    }
    case "pubrec":
      handlePubrec(connection, client, packetIdentifier, reasonCode);
      break;
    case "pubrel":
      handlePubrel(connection, client, packetIdentifier);
      break;
    case "pubcomp":
      if (outbound.complete(packetIdentifier)) journal?.completed(packetIdentifier);
      sender.sendQueued();
      break;
  }
}

/** What a client that was sent a message directly says of it. */
function confirmation(reasonCode: number): DirectResult {
  if (reasonCode < ReasonCode.unspecifiedError) return { ok: true };
  const reason = `the client refused the message with reason code 0x${reasonCode.toString(16)}`;
  return { ok: false, cause: "not-confirmed", reason };
}

function handlePubrec<Peer, Principal>(
  connection: Connection<Peer, Principal>,
  { session, sender }: Client<Principal>,
  packetIdentifier: number,
  reasonCode: number,
): void {
  const { outbound, journal } = session;
  if (reasonCode >= 0x80) {
    const delivery = outbound.acknowledge(packetIdentifier, 2);
    if (delivery !== undefined) journal?.done(delivery);
    sender.sendQueued();
    return;
  }
  // MQTT-4.3.3-4. For an identifier that is not known, 5.0 says so; 3.1.1 can only complete the exchange.
  const isKnown = outbound.release(packetIdentifier);
  if (isKnown) journal?.released(packetIdentifier);
  const code = isKnown || connection.version === 4 ? ReasonCode.success : ReasonCode.packetIdentifierNotFound;
  // A client that has PUBREL forgets the identifier, so a restart must not send the message once more.
  const bytes = connection.context.space.acknowledgement("pubrel", packetIdentifier, connection.version, code);
  connection.acknowledgements.send(bytes, isKnown && journal !== undefined ? connection.context.appended : 0, 0);
}

/** PUBREL is answered by PUBCOMP whether its identifier is known or not (MQTT-4.3.3-11): the connection stays. */
function handlePubrel<Peer, Principal>(
  connection: Connection<Peer, Principal>,
  { session }: Client<Principal>,
  packetIdentifier: number,
): void {
  const { version, context, acknowledgements } = connection;
  const isKnown = session.received.delete(packetIdentifier);
  if (isKnown) session.journal?.finished(packetIdentifier);
  const reasonCode = isKnown || version === 4 ? ReasonCode.success : ReasonCode.packetIdentifierNotFound;
  const bytes = context.space.acknowledgement("pubcomp", packetIdentifier, version, reasonCode);
  acknowledgements.send(bytes, context.appended, packetIdentifier);
}
