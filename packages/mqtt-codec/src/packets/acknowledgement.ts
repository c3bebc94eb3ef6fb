/** PUBACK, PUBREC, PUBREL and PUBCOMP, MQTT 3.1.1 and 5.0 §3.4 to §3.7: one form, four types. */

import { type Encodable, PacketType } from "../packet-type.ts";
import { readProperties, writeProperties } from "../property-list.ts";
import type { UserProperty } from "../property.ts";
import type { Reader } from "../reader.ts";
import type { Writer } from "../writer.ts";
import { readReasonCode, writeReasonCode } from "./reason.ts";

export interface AcknowledgementPacket<Type extends AcknowledgementType = AcknowledgementType> {
  readonly type: Type;
  readonly packetIdentifier: number;
  /** 0x00 in 3.1.1, which has none. */
  readonly reasonCode: number;
  readonly properties: ReasonProperties | undefined;
}

export type AcknowledgementType = "puback" | "pubrec" | "pubrel" | "pubcomp";
export type PubackPacket = AcknowledgementPacket<"puback">;
export type PubrecPacket = AcknowledgementPacket<"pubrec">;
export type PubrelPacket = AcknowledgementPacket<"pubrel">;
export type PubcompPacket = AcknowledgementPacket<"pubcomp">;

export type EncodableAcknowledgement<Type extends AcknowledgementType = AcknowledgementType> = Omit<
  Encodable<AcknowledgementPacket<Type>, "type" | "packetIdentifier">,
  "properties"
> & { readonly properties?: EncodableReasonProperties | undefined };

/** The properties of every acknowledgement, SUBACK and UNSUBACK included. */
export interface ReasonProperties {
  readonly reasonString: string | undefined;
  readonly userProperties: readonly UserProperty[];
}

export type EncodableReasonProperties = Encodable<ReasonProperties, never>;

export function readAcknowledgement<Type extends AcknowledgementType>(
  reader: Reader,
  type: Type,
): AcknowledgementPacket<Type> {
  const packetIdentifier = reader.packetIdentifier();
  let reasonCode = 0;
  let properties: ReasonProperties | undefined;
  // MQTT 5.0 §3.4.2.1: a remaining length of 2 means success; below 4 there is no property length.
  if (reader.version === 5 && reader.position < reader.end) {
    reasonCode = readReasonCode(reader, type);
    if (reader.position < reader.end) properties = readProperties(reader, PacketType[type]);
  }
  reader.finish();
  return { type, packetIdentifier, reasonCode, properties };
}

export function writeAcknowledgement(writer: Writer, packet: EncodableAcknowledgement): number {
  const { type, reasonCode = 0, properties } = packet;
  writer.packetIdentifier(packet.packetIdentifier);
  if (writer.version === 5) {
    if (reasonCode !== 0 || properties !== undefined) writeReasonCode(writer, type, reasonCode);
    if (properties !== undefined) writeProperties(writer, PacketType[type], properties);
  } else if (reasonCode >= 0x80) {
    // In 3.1.1 an acknowledgement cannot refuse; leaving the code out would turn it into a success.
    writer.fail("ERR_MQTT_CODEC_VERSION_FIELD", "reasonCode");
  }
  return (PacketType[type] << 4) | (type === "pubrel" ? 2 : 0);
}
