/** SUBACK and UNSUBACK, MQTT 3.1.1 and 5.0 §3.9 and §3.11. */

import type { Encodable } from "../packet-type.ts";
import { readProperties, writeProperties } from "../property-list.ts";
import type { Reader } from "../reader.ts";
import type { Writer } from "../writer.ts";
import type { EncodableReasonProperties, ReasonProperties } from "./acknowledgement.ts";
import { readReasonCode, writeReasonCode } from "./reason.ts";
import { checkCount } from "./subscribe.ts";

export interface SubackPacket {
  readonly type: "suback";
  readonly packetIdentifier: number;
  /** One for each topic filter of the SUBSCRIBE, in its order: the granted QoS, or 0x80 and above for a failure. */
  readonly reasonCodes: readonly number[];
  readonly properties: ReasonProperties | undefined;
}

export interface UnsubackPacket {
  readonly type: "unsuback";
  readonly packetIdentifier: number;
  /** One for each topic filter of the UNSUBSCRIBE, in its order; none in 3.1.1. */
  readonly reasonCodes: readonly number[];
  readonly properties: ReasonProperties | undefined;
}

export type EncodableSuback = WithReasonProperties<
  Encodable<SubackPacket, "type" | "packetIdentifier" | "reasonCodes">
>;
export type EncodableUnsuback = WithReasonProperties<Encodable<UnsubackPacket, "type" | "packetIdentifier">>;

type WithReasonProperties<Packet> = Omit<Packet, "properties"> & {
  readonly properties?: EncodableReasonProperties | undefined;
};

export function readSuback(reader: Reader): SubackPacket {
  const packetIdentifier = reader.packetIdentifier();
  const properties = reader.version === 5 ? readProperties<ReasonProperties>(reader, 9) : undefined;
  return { type: "suback", packetIdentifier, reasonCodes: readReasonCodes(reader, "suback"), properties };
}

export function readUnsuback(reader: Reader): UnsubackPacket {
  const packetIdentifier = reader.packetIdentifier();
  const properties = reader.version === 5 ? readProperties<ReasonProperties>(reader, 11) : undefined;
  const reasonCodes = reader.version === 5 ? readReasonCodes(reader, "unsuback") : [];
  reader.finish();
  return { type: "unsuback", packetIdentifier, reasonCodes, properties };
}

function readReasonCodes(reader: Reader, type: "suback" | "unsuback"): number[] {
  const reasonCodes: number[] = [];
  while (reader.position < reader.end) {
    checkCount(reader, reasonCodes.length);
    reasonCodes.push(readReasonCode(reader, type));
  }
  // A request has at least one topic filter, so its answer has at least one code (MQTT-3.8.4-5, MQTT-3.8.4-6).
  if (reasonCodes.length === 0)
    reader.fail("ERR_MQTT_CODEC_NO_TOPIC_FILTER", reader.position, "MQTT-3.8.4-5", "MQTT-3.8.4-6");
  return reasonCodes;
}

export function writeSuback(writer: Writer, packet: EncodableSuback): number {
  writer.packetIdentifier(packet.packetIdentifier);
  if (writer.version === 5) writeProperties(writer, 9, packet.properties);
  writeReasonCodes(writer, "suback", packet.reasonCodes);
  return 0x90;
}

export function writeUnsuback(writer: Writer, packet: EncodableUnsuback): number {
  const { reasonCodes = [] } = packet;
  writer.packetIdentifier(packet.packetIdentifier);
  if (writer.version === 5) {
    writeProperties(writer, 11, packet.properties);
    writeReasonCodes(writer, "unsuback", reasonCodes);
  }
  return 0xb0;
}

function writeReasonCodes(writer: Writer, type: "suback" | "unsuback", reasonCodes: readonly number[]): void {
  if (reasonCodes.length === 0) writer.fail("ERR_MQTT_CODEC_NO_TOPIC_FILTER", "reasonCodes");
  for (const code of reasonCodes) writeReasonCode(writer, type, code);
}
