/** SUBACK and UNSUBACK, MQTT 3.1.1 and 5.0 §3.9 and §3.11. */

import type { Encodable } from "../packet-type.ts";
import { readProperties, writeProperties } from "../property-list.ts";
import { propertyLists, type ReasonProperties } from "../property.ts";
import type { Reader } from "../reader.ts";
import type { Writer } from "../writer.ts";
import type { EncodableReasonProperties } from "./acknowledgement.ts";
import { checkOmittedCode, readReasonCode, writeReasonCode } from "./reason.ts";
import { checkCount } from "./subscribe.ts";

/** A SUBACK. */
export interface SubackPacket {
  readonly type: "suback";
  readonly packetIdentifier: number;
  /** One for each topic filter of the SUBSCRIBE, in its order: the granted QoS, or a failure, 0x80 and above. */
  readonly reasonCodes: readonly number[];
  readonly properties: ReasonProperties | undefined;
}

/** An UNSUBACK. */
export interface UnsubackPacket {
  readonly type: "unsuback";
  readonly packetIdentifier: number;
  /** One for each topic filter of the UNSUBSCRIBE, in its order; none in 3.1.1. */
  readonly reasonCodes: readonly number[];
  readonly properties: ReasonProperties | undefined;
}

/** A SUBACK to encode. */
export type EncodableSuback = WithReasonProperties<
  Encodable<SubackPacket, "type" | "packetIdentifier" | "reasonCodes">
>;
/** An UNSUBACK to encode; 5.0 needs its reason codes, 3.1.1 has none. */
export type EncodableUnsuback = WithReasonProperties<Encodable<UnsubackPacket, "type" | "packetIdentifier">>;

type WithReasonProperties<Packet> = Omit<Packet, "properties"> & {
  readonly properties?: EncodableReasonProperties | undefined;
};

/** Reads the body of a SUBACK. */
export function readSuback(reader: Reader): SubackPacket {
  const packetIdentifier = reader.packetIdentifier("requestAcknowledged");
  const properties = reader.version === 5 ? readProperties(reader, propertyLists.suback) : undefined;
  return { type: "suback", packetIdentifier, reasonCodes: readReasonCodes(reader, "suback"), properties };
}

/** Reads the body of an UNSUBACK. */
export function readUnsuback(reader: Reader): UnsubackPacket {
  const packetIdentifier = reader.packetIdentifier("requestAcknowledged");
  const properties = reader.version === 5 ? readProperties(reader, propertyLists.unsuback) : undefined;
  const reasonCodes = reader.version === 5 ? readReasonCodes(reader, "unsuback") : [];
  reader.finish();
  return { type: "unsuback", packetIdentifier, reasonCodes, properties };
}

function readReasonCodes(reader: Reader, type: "suback" | "unsuback"): number[] {
  const reasonCodes: number[] = [];
  while (reader.position < reader.end) {
    checkCount(reader, reasonCodes.length, "reasonCodes");
    reasonCodes.push(readReasonCode(reader, type));
  }
  if (reasonCodes.length === 0) {
    reader.fail(type === "suback" ? "noSubackCode" : "noUnsubackCode", reader.position, "reasonCodes", { count: 0 });
  }
  return reasonCodes;
}

/** Writes the body of a SUBACK. */
export function writeSuback(writer: Writer, packet: EncodableSuback): void {
  writer.packetIdentifier(packet.packetIdentifier);
  if (writer.version === 5) writeProperties(writer, propertyLists.suback, packet.properties);
  writeReasonCodes(writer, "suback", packet.reasonCodes);
}

/** Writes the body of an UNSUBACK. */
export function writeUnsuback(writer: Writer, packet: EncodableUnsuback): void {
  const { reasonCodes = [], properties } = packet;
  writer.packetIdentifier(packet.packetIdentifier);
  if (writer.version === 5) {
    writeProperties(writer, propertyLists.unsuback, properties);
    writeReasonCodes(writer, "unsuback", reasonCodes);
  } else {
    for (const code of writer.list(reasonCodes, "reasonCodes")) checkOmittedCode(writer, code, "reasonCodes");
  }
}

function writeReasonCodes(writer: Writer, type: "suback" | "unsuback", reasonCodes: readonly number[]): void {
  if (writer.list(reasonCodes, "reasonCodes").length === 0) {
    writer.fail("ERR_MQTT_CODEC_NO_TOPIC_FILTER", "reasonCodes", reasonCodes, "a reason code for each topic filter");
  }
  for (let index = 0; index < reasonCodes.length; index++) {
    writeReasonCode(writer, type, reasonCodes[index], "reasonCodes");
  }
}
