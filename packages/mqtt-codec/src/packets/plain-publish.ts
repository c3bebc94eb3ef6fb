/**
 * Encodes the PUBLISH that nearly all are, with an ASCII topic and no properties, in one go: its length is known before
 * its first octet is written. Every other one goes the general way of `publish.ts`.
 */

import type { ProtocolVersion } from "../packet-type.ts";
import { writePlain } from "../plain-text.ts";
import { MAXIMUM_VARIABLE_BYTE_INTEGER, variableByteIntegerLength, writeVariableByteInteger } from "../writer.ts";
import { type EncodablePublish, isPublishHead, publishFirstOctet } from "./publish.ts";

/**
 * Returns the offset behind the packet, or 0 for a packet that is not plain or not allowed: the general way then writes
 * it or says what is wrong.
 */
export function encodePlainPublish(
  packet: EncodablePublish,
  protocolVersion: ProtocolVersion,
  buffer: Uint8Array,
  offset: number,
): number {
  const { topicName, payload, qos = 0, retain = false, dup = false, packetIdentifier = 0 } = packet;
  if (protocolVersion === 5 && packet.properties !== undefined) return 0;
  if (!isPublishHead(qos, dup, retain, packetIdentifier) || typeof topicName !== "string") return 0;
  const { length } = topicName;
  if (length === 0 || length > 0xffff) return 0;
  if (payload !== undefined && !(payload instanceof Uint8Array)) return 0;
  const payloadLength = payload === undefined ? 0 : payload.length;
  const remainingLength = 2 + length + (qos === 0 ? 0 : 2) + (protocolVersion === 5 ? 1 : 0) + payloadLength;
  const start = offset + 1 + variableByteIntegerLength(remainingLength);
  const end = start + remainingLength;
  if (end > buffer.length || remainingLength > MAXIMUM_VARIABLE_BYTE_INTEGER) return 0;
  let at = start;
  buffer[at++] = length >>> 8;
  buffer[at++] = length;
  if (!writePlain(topicName, buffer, at, true)) return 0;
  at += length;
  buffer[offset] = publishFirstOctet(qos, retain, dup);
  writeVariableByteInteger(remainingLength, buffer, offset + 1);
  if (qos > 0) {
    buffer[at++] = packetIdentifier >>> 8;
    buffer[at++] = packetIdentifier;
  }
  if (protocolVersion === 5) buffer[at++] = 0;
  if (payload !== undefined) buffer.set(payload, at);
  return end;
}
