/** Packets that answer a client, with a text for people where it has room. */

import {
  encode,
  encodedLength,
  type EncodablePacket,
  type ProtocolVersion,
  type UserProperty,
} from "@latchkey/mqtt-codec";

/** Makes an answer, with a Reason String or without. */
export type MakeAnswer = (
  properties: { reasonString: string; userProperties: readonly UserProperty[] } | undefined,
) => EncodablePacket;

/** A Reason String for people; longer ones are cut. */
const maximumReasonLength = 1024;

/**
 * Encodes an answer with its Reason String, or without it where it makes the packet too large (MQTT-3.1.2-29, MQTT-3.4.2-2 and their
 * like); undefined where even so it is too large.
 */
export function encodedAnswer(
  make: MakeAnswer,
  reasonString: string | undefined,
  version: ProtocolVersion,
  maximumPacketSize: number,
): Uint8Array | undefined {
  if (version === 5 && reasonString !== undefined) {
    const packet = make({ reasonString: reasonString.slice(0, maximumReasonLength), userProperties: [] });
    if (encodedLength(packet, 5) <= maximumPacketSize) return encode(packet, 5);
  }
  const packet = make(undefined);
  return encodedLength(packet, version) <= maximumPacketSize ? encode(packet, version) : undefined;
}
