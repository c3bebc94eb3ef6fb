/**
 * Encodes the PUBLISH that nearly all are, with an ASCII topic and no properties, in one go: its length is known before
 * its first octet is written. Every other one goes the general way of `publish.ts`.
 */

import type { EncodedTopic } from "../encoded-topic.ts";
import { isQoS, type ProtocolVersion } from "../packet-type.ts";
import {
  isPacketIdentifier,
  MAXIMUM_VARIABLE_BYTE_INTEGER,
  specialUnit,
  variableByteIntegerLength,
  wildcardUnit,
  writeVariableByteInteger,
} from "../writer.ts";
import { type EncodablePublish, publishFirstOctet } from "./publish.ts";

/** Returns the offset behind the packet, or 0 for a packet that is not plain or not allowed; then nothing is written. */
export function encodePlainPublish(
  packet: EncodablePublish,
  protocolVersion: ProtocolVersion,
  buffer: Uint8Array,
  offset: number,
  memory: EncodedTopic | undefined,
): number {
  const { topicName, payload, qos = 0, dup = false, packetIdentifier = 0 } = packet;
  const propertyLength = protocolVersion === 5 ? 1 : 0;
  if (protocolVersion === 5 && packet.properties !== undefined) return 0;
  if (qos === 0 ? dup || packetIdentifier !== 0 : !isQoS(qos) || !isPacketIdentifier(packetIdentifier)) return 0;
  const { length } = topicName;
  if (length === 0 || length > 0xffff) return 0;
  if (payload !== undefined && !(payload instanceof Uint8Array)) return 0;
  const payloadLength = payload === undefined ? 0 : payload.length;
  const remainingLength = 2 + length + (qos === 0 ? 0 : 2) + propertyLength + payloadLength;
  const start = offset + 1 + variableByteIntegerLength(remainingLength);
  const end = start + remainingLength;
  if (end > buffer.length || remainingLength > MAXIMUM_VARIABLE_BYTE_INTEGER) return 0;
  if (memory !== undefined && memory.topicName === topicName) {
    buffer.set(memory.octets, start);
  } else {
    if (!writePlainTopic(topicName, buffer, start)) return 0;
    memory?.remember(topicName, buffer, start, start + 2 + length);
  }
  buffer[offset] = publishFirstOctet(qos, packet.retain ?? false, dup);
  writeVariableByteInteger(remainingLength, buffer, offset + 1);
  let at = start + 2 + length;
  if (qos > 0) {
    buffer[at++] = packetIdentifier >>> 8;
    buffer[at++] = packetIdentifier;
  }
  if (protocolVersion === 5) buffer[at++] = 0;
  if (payload !== undefined) buffer.set(payload, at);
  return end;
}

/** Length and octets of an ASCII topic name; false where it is something else. */
function writePlainTopic(topicName: string, buffer: Uint8Array, start: number): boolean {
  const { length } = topicName;
  buffer[start] = length >>> 8;
  buffer[start + 1] = length;
  let wrong = 0;
  for (let index = 0; index < length; index++) {
    const unit = topicName.charCodeAt(index);
    buffer[start + 2 + index] = unit;
    wrong |= specialUnit(unit) | wildcardUnit(unit);
  }
  return wrong >= 0;
}
