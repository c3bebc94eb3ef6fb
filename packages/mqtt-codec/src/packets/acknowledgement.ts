/** PUBACK, PUBREC, PUBREL and PUBCOMP, MQTT 3.1.1 and 5.0 §3.4 to §3.7: one form, four types. */

import type { Encodable } from "../packet-type.ts";
import { readProperties, writeProperties } from "../property-list.ts";
import { propertyLists, type ReasonProperties } from "../property.ts";
import type { Reader } from "../reader.ts";
import type { Writer } from "../writer.ts";
import { checkOmittedCode, readReasonCode, writeReasonCode } from "./reason.ts";

/** A PUBACK, PUBREC, PUBREL or PUBCOMP. */
export interface AcknowledgementPacket<Type extends AcknowledgementType = AcknowledgementType> {
  readonly type: Type;
  readonly packetIdentifier: number;
  /** 0x00 in 3.1.1, which has none. */
  readonly reasonCode: number;
  readonly properties: ReasonProperties | undefined;
}

/** The types of packet that acknowledge a PUBLISH. */
export type AcknowledgementType = "puback" | "pubrec" | "pubrel" | "pubcomp";
/** A PUBACK. */
export type PubackPacket = AcknowledgementPacket<"puback">;
/** A PUBREC. */
export type PubrecPacket = AcknowledgementPacket<"pubrec">;
/** A PUBREL. */
export type PubrelPacket = AcknowledgementPacket<"pubrel">;
/** A PUBCOMP. */
export type PubcompPacket = AcknowledgementPacket<"pubcomp">;

/** An acknowledgement to encode: by default a success without properties. */
export type EncodableAcknowledgement<Type extends AcknowledgementType = AcknowledgementType> = Omit<
  Encodable<AcknowledgementPacket<Type>, "type" | "packetIdentifier">,
  "properties"
> & { readonly properties?: EncodableReasonProperties | undefined };

/** Reason properties to encode. */
export type EncodableReasonProperties = Encodable<ReasonProperties, never>;

export function readAcknowledgement<Type extends AcknowledgementType>(
  reader: Reader,
  type: Type,
): AcknowledgementPacket<Type> {
  const packetIdentifier = reader.packetIdentifier("publishAcknowledged");
  let reasonCode = 0;
  let properties: ReasonProperties | undefined;
  // MQTT 5.0 §3.4.2.1: a remaining length of 2 means success; below 4 there is no property length.
  if (reader.version === 5 && reader.position < reader.end) {
    reasonCode = readReasonCode(reader, type);
    if (reader.position < reader.end) properties = readProperties(reader, propertyLists[type]);
  }
  reader.finish();
  return { type, packetIdentifier, reasonCode, properties };
}

/** Writes the body of a PUBACK, PUBREC, PUBREL or PUBCOMP. */
export function writeAcknowledgement(writer: Writer, packet: EncodableAcknowledgement): void {
  const { type, reasonCode = 0, properties } = packet;
  writer.packetIdentifier(packet.packetIdentifier);
  if (writer.version === 5) {
    if (reasonCode !== 0 || properties !== undefined) writeReasonCode(writer, type, reasonCode);
    if (properties !== undefined) writeProperties(writer, propertyLists[type], properties);
  } else {
    checkOmittedCode(writer, reasonCode);
  }
}
