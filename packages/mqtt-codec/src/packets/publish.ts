/** PUBLISH, MQTT 3.1.1 and 5.0 §3.3. */

import { type Encodable, isPacketIdentifier, isQoS, PacketType, type QoS } from "../packet-type.ts";
import { readProperties, writeProperties } from "../property-list.ts";
import { propertyLists, type PublishProperties } from "../property.ts";
import type { Reader } from "../reader.ts";
import type { Writer } from "../writer.ts";

/** A PUBLISH. */
export interface PublishPacket {
  readonly type: "publish";
  /** Empty only in 5.0, where a topic alias stands for it. */
  readonly topicName: string;
  /**
   * As decoded a view: of the chunk that was pushed, or of the packet's own buffer where the packet spanned chunks. Copy
   * it (`payload.slice()`) to keep it longer than the chunk.
   */
  readonly payload: Uint8Array;
  readonly qos: QoS;
  readonly retain: boolean;
  readonly dup: boolean;
  /** 0 with QoS 0, which has none. */
  readonly packetIdentifier: number;
  readonly properties: PublishProperties | undefined;
}

/** A PUBLISH to encode: by default QoS 0, no flags and an empty payload. */
export type EncodablePublish = Omit<Encodable<PublishPacket, "type" | "topicName">, "properties"> & {
  readonly properties?: Encodable<PublishProperties, never> | undefined;
};

const DUP = 0x08;
const RETAIN = 0x01;

/** Reads the body of a PUBLISH. */
export function readPublish(reader: Reader): PublishPacket {
  const { first } = reader;
  const qos = (first >>> 1) & 3;
  if (!isQoS(qos)) return reader.fail("qos", reader.packetStart, "qos", { found: qos });
  const dup = (first & DUP) !== 0;
  if (qos === 0 && dup) reader.fail("dup", reader.packetStart, "flags", { found: first & 0x0f });
  const length = reader.uint16("topicName");
  const topicStart = reader.position;
  const topicName = reader.publishTopicName(length);
  const packetIdentifier =
    qos === 0 ? 0 : reader.packetIdentifier(reader.isFromClient ? "packetIdentifier" : "serverPacketIdentifier");
  const properties = reader.version === 5 ? readProperties(reader, propertyLists.publish) : undefined;
  // MQTT 5.0 §3.3.2.1: a topic name of no octets needs a topic alias.
  if (length === 0 && properties?.topicAlias === undefined) {
    reader.fail("topicNameOrAlias", topicStart, "topicName", { text: topicName, fault: "empty" });
  }
  const payload = reader.rest();
  const retain = (first & RETAIN) !== 0;
  return { type: "publish", topicName, payload, qos, retain, dup, packetIdentifier, properties };
}

/** The flags and the packet identifier of a PUBLISH to encode; each way of encoding one passes through here. */
export function isPublishHead(qos: unknown, dup: unknown, retain: unknown, packetIdentifier: unknown): boolean {
  if (typeof dup !== "boolean" || typeof retain !== "boolean") return false;
  if (qos === 0) return !dup && packetIdentifier === 0;
  return isQoS(qos) && isPacketIdentifier(packetIdentifier);
}

/** Throws what is wrong with the flags or the packet identifier where `isPublishHead` is false. */
export function failPublishHead(
  writer: Pick<Writer, "fail" | "failField">,
  qos: unknown,
  dup: unknown,
  retain: unknown,
  packetIdentifier: unknown,
): never {
  if (!isQoS(qos)) return writer.fail("ERR_MQTT_CODEC_QOS", "qos", qos, "0, 1 or 2");
  if (typeof dup !== "boolean") return writer.failField("dup", dup, "true or false");
  if (typeof retain !== "boolean") return writer.failField("retain", retain, "true or false");
  if (qos === 0 && dup) return writer.fail("ERR_MQTT_CODEC_DUP", "dup", dup, "false with QoS 0");
  const wanted = qos === 0 ? "none with QoS 0" : "1 to 65,535 with QoS 1 and 2";
  return writer.fail("ERR_MQTT_CODEC_PACKET_IDENTIFIER", "packetIdentifier", packetIdentifier, wanted);
}

/** The first octet of a PUBLISH: type, DUP, QoS, RETAIN. */
export function publishFirstOctet(qos: number, retain: boolean, dup: boolean): number {
  return (PacketType.publish << 4) | (dup ? DUP : 0) | (qos << 1) | (retain ? RETAIN : 0);
}

/** Writes the body of a PUBLISH; returns the packet's first octet. */
export function writePublish(writer: Writer, packet: EncodablePublish): number {
  const { topicName, payload, qos = 0, retain = false, dup = false, packetIdentifier = 0, properties } = packet;
  if (!isPublishHead(qos, dup, retain, packetIdentifier)) {
    failPublishHead(writer, qos, dup, retain, packetIdentifier);
  }
  if (topicName === "" && writer.version === 5 && properties?.topicAlias !== undefined) {
    writer.uint16(0, "topicName");
  } else {
    writer.topicName(topicName, "topicName");
  }
  if (qos > 0) writer.uint16(packetIdentifier, "packetIdentifier");
  if (writer.version === 5) writeProperties(writer, propertyLists.publish, properties);
  if (payload !== undefined) writer.octets(payload, "payload");
  return publishFirstOctet(qos, retain, dup);
}
