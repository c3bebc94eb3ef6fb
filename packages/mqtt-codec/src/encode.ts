/** Packets to bytes: into a buffer of their own, into the caller's, or only counted. */

import type { EncodablePacket } from "./packet.ts";
import { isUnsigned, PacketType, type ProtocolVersion, reservedFlags } from "./packet-type.ts";
import { writeAcknowledgement } from "./packets/acknowledgement.ts";
import { writeAuth } from "./packets/auth.ts";
import { writeConnack } from "./packets/connack.ts";
import { writeConnect } from "./packets/connect.ts";
import { writeDisconnect } from "./packets/disconnect.ts";
import { encodePlainPublish } from "./packets/plain-publish.ts";
import { type EncodablePublish, writePublish } from "./packets/publish.ts";
import { writeSuback, writeUnsuback } from "./packets/suback.ts";
import { writeSubscribe, writeUnsubscribe } from "./packets/subscribe.ts";
import { Writer } from "./writer.ts";

/**
 * The octets of a packet in a buffer of their exact size.
 *
 * What 3.1.1 has no place for (properties, reason codes below 0x80 in acknowledgements) is left out there. Throws
 * `MqttEncodeError` where the specification does not allow the packet, or where leaving a field out would change what
 * the packet says.
 */
export function encode(packet: EncodablePacket, protocolVersion: ProtocolVersion): Uint8Array {
  const bytes = new Uint8Array(encodedLength(packet, protocolVersion));
  encodeInto(packet, protocolVersion, bytes, 0);
  return bytes;
}

/** How many octets `encode` would give. Throws as it does. */
export function encodedLength(packet: EncodablePacket, protocolVersion: ProtocolVersion): number {
  const writer = new Writer();
  writer.measure(protocolVersion);
  write(writer, packet);
  return writer.finish();
}

/**
 * Writes a packet into `buffer` from `offset` on and returns the offset behind it.
 *
 * Throws `MqttEncodeError` as `encode` does, and with `ERR_MQTT_CODEC_BUFFER_TOO_SMALL` where the packet does not fit;
 * the content of the buffer from `offset` on is then undefined.
 */
export function encodeInto(
  packet: EncodablePacket,
  protocolVersion: ProtocolVersion,
  buffer: Uint8Array,
  offset: number,
): number {
  if (isPlainCall(packet, protocolVersion, buffer, offset)) {
    const end = encodePlainPublish(packet, protocolVersion, buffer, offset);
    if (end > 0) return end;
  }
  const writer = new Writer();
  writer.open(buffer, offset, protocolVersion);
  const first = write(writer, packet);
  const end = writer.finish();
  buffer[offset] = first;
  return end;
}

/** Whether all arguments are what their types say, and the packet is a PUBLISH. */
function isPlainCall(
  packet: EncodablePacket,
  protocolVersion: ProtocolVersion,
  buffer: Uint8Array,
  offset: number,
): packet is EncodablePublish {
  return (
    packet?.type === "publish" &&
    (protocolVersion === 4 || protocolVersion === 5) &&
    buffer instanceof Uint8Array &&
    isUnsigned(offset, 0xffff_ffff)
  );
}

/** Writes all but the first octet, which it returns. */
function write(writer: Writer, packet: EncodablePacket): number {
  const { type } = writer.object(packet, "packet");
  if (!Object.hasOwn(PacketType, type)) writer.failField("type", type, Object.keys(PacketType).join(", "));
  writer.packetType = type;
  writer.position += 1;
  const place = writer.beginLength();
  const first = packet.type === "publish" ? writePublish(writer, packet) : writeOther(writer, packet);
  writer.endLength(place, "remainingLength");
  return first;
}

function writeOther(writer: Writer, packet: Exclude<EncodablePacket, EncodablePublish>): number {
  writeBody(writer, packet);
  const type = PacketType[packet.type];
  return (type << 4) | reservedFlags(type);
}

function writeBody(writer: Writer, packet: Exclude<EncodablePacket, EncodablePublish>): void {
  switch (packet.type) {
    case "puback":
    case "pubrec":
    case "pubrel":
    case "pubcomp":
      return writeAcknowledgement(writer, packet);
    case "connect":
      return writeConnect(writer, packet);
    case "connack":
      return writeConnack(writer, packet);
    case "subscribe":
      return writeSubscribe(writer, packet);
    case "suback":
      return writeSuback(writer, packet);
    case "unsubscribe":
      return writeUnsubscribe(writer, packet);
    case "unsuback":
      return writeUnsuback(writer, packet);
    case "disconnect":
      return writeDisconnect(writer, packet);
    case "auth":
      return writeAuth(writer, packet);
    default:
      // PINGREQ and PINGRESP have no body.
      return undefined;
  }
}
