/** PUBLISH, MQTT 3.1.1 and 5.0 §3.3. */

import { type Encodable, isQoS, type QoS } from "../packet-type.ts";
import { readProperties, writePropertyValues } from "../property-list.ts";
import type { UserProperty } from "../property.ts";
import type { Reader } from "../reader.ts";
import { TextMemory } from "../text-memory.ts";
import { asciiText, utf8Text } from "../utf8.ts";
import type { Writer } from "../writer.ts";

export interface PublishPacket {
  readonly type: "publish";
  /** Empty only in 5.0, where a topic alias stands for it. */
  readonly topicName: string;
  readonly payload: Uint8Array;
  readonly qos: QoS;
  readonly retain: boolean;
  readonly dup: boolean;
  /** 0 with QoS 0, which has none. */
  readonly packetIdentifier: number;
  readonly properties: PublishProperties | undefined;
}

/** A PUBLISH to encode: QoS 0, no flags and an empty payload unless it says otherwise. */
export type EncodablePublish = Omit<Encodable<PublishPacket, "type" | "topicName">, "properties"> & {
  readonly properties?: EncodablePublishProperties | undefined;
};

export interface PublishProperties {
  /** 1: the payload is UTF-8 text. */
  readonly payloadFormatIndicator: 0 | 1 | undefined;
  /** Seconds. */
  readonly messageExpiryInterval: number | undefined;
  readonly topicAlias: number | undefined;
  readonly responseTopic: string | undefined;
  readonly correlationData: Uint8Array | undefined;
  readonly contentType: string | undefined;
  /** Only from a server, one of each matching subscription that has one. */
  readonly subscriptionIdentifiers: readonly number[];
  readonly userProperties: readonly UserProperty[];
}

type EncodablePublishProperties = Encodable<PublishProperties, never>;

/**
 * A PUBLISH as the decoder gives it. Topic text is made when it is first asked for; the topic's octets and the payload
 * are views of the chunk that was pushed. Whoever keeps the packet longer than the chunk copies the payload.
 */
export class ReceivedPublish implements PublishPacket {
  readonly type = "publish";
  readonly payload: Uint8Array;
  readonly qos: QoS;
  readonly retain: boolean;
  readonly dup: boolean;
  readonly packetIdentifier: number;
  readonly properties: PublishProperties | undefined;
  // Not `#private`: that makes the constructor a fifth slower.
  private readonly reader: Reader;
  private readonly bytes: Uint8Array;
  private readonly topicStart: number;
  private readonly topicEnd: number;
  private readonly topicIsAscii: boolean;
  private text: string | undefined;

  constructor(
    reader: Reader,
    qos: QoS,
    topicStart: number,
    topicEnd: number,
    topicIsAscii: boolean,
    text: string | undefined,
    packetIdentifier: number,
    properties: PublishProperties | undefined,
    payload: Uint8Array,
  ) {
    this.payload = payload;
    this.qos = qos;
    this.retain = (reader.first & 1) === 1;
    this.dup = (reader.first & 8) === 8;
    this.packetIdentifier = packetIdentifier;
    this.properties = properties;
    this.reader = reader;
    this.bytes = reader.bytes;
    this.topicStart = topicStart;
    this.topicEnd = topicEnd;
    this.topicIsAscii = topicIsAscii;
    this.text = text;
  }

  get topicName(): string {
    return this.text ?? this.makeText();
  }

  private makeText(): string {
    const { bytes, topicStart, topicEnd } = this;
    if (this.topicIsAscii) {
      this.text = asciiText(bytes, topicStart, topicEnd);
      this.reader.topics ??= new TextMemory();
      this.reader.topics.remember(bytes, topicStart, this.text);
    } else {
      this.text = utf8Text(bytes, topicStart, topicEnd);
    }
    return this.text;
  }

  /** The packet as a plain object of the same fields. */
  toJSON(): PublishPacket {
    const { type, topicName, payload, qos, retain, dup, packetIdentifier, properties } = this;
    return { type, topicName, payload, qos, retain, dup, packetIdentifier, properties };
  }
}

export function readPublish(reader: Reader): ReceivedPublish {
  const { first } = reader;
  const qos = (first >>> 1) & 3;
  if (!isQoS(qos)) reader.fail("ERR_MQTT_CODEC_QOS", reader.packetStart, "MQTT-3.3.1-4");
  if (qos === 0 && (first & 8) !== 0) {
    reader.fail("ERR_MQTT_CODEC_DUP", reader.packetStart, "MQTT-3.3.1-2");
  }
  const length = reader.uint16();
  const topicStart = reader.position;
  const topicEnd = topicStart + length;
  const text = reader.recallTopic(length);
  const isAscii = text !== undefined || reader.topicName(length);
  const packetIdentifier = qos === 0 ? 0 : reader.packetIdentifier();
  const properties = reader.version === 5 ? readProperties<PublishProperties>(reader, 3) : undefined;
  // MQTT 5.0 §3.3.2.1: a topic name of no octets needs a topic alias.
  if (length === 0 && properties?.topicAlias === undefined) {
    throw reader.error("ERR_MQTT_CODEC_TOPIC_NAME", topicStart, "MQTT-4.7.3-1", "MQTT-4.7.3-1", { reasonCode: 0x82 });
  }
  const payload = reader.rest();
  return new ReceivedPublish(reader, qos, topicStart, topicEnd, isAscii, text, packetIdentifier, properties, payload);
}

/** First octet: type, DUP, QoS, RETAIN. */
export function publishFirstOctet(qos: number, retain: boolean, dup: boolean): number {
  return 0x30 | (dup ? 8 : 0) | (qos << 1) | (retain ? 1 : 0);
}

export function writePublish(writer: Writer, packet: EncodablePublish): number {
  const { topicName, payload, qos = 0, retain = false, dup = false, packetIdentifier = 0, properties } = packet;
  if (!isQoS(qos)) writer.fail("ERR_MQTT_CODEC_QOS", "qos");
  if (qos === 0 && dup) writer.fail("ERR_MQTT_CODEC_DUP", "dup");
  if (topicName.length === 0 && !(writer.version === 5 && properties?.topicAlias !== undefined)) {
    writer.fail("ERR_MQTT_CODEC_TOPIC_NAME", "topicName");
  }
  writer.recurringTopicName(topicName);
  if (qos > 0) {
    writer.packetIdentifier(packetIdentifier);
  } else if (packetIdentifier !== 0) {
    writer.fail("ERR_MQTT_CODEC_PACKET_IDENTIFIER", "packetIdentifier");
  }
  if (writer.version === 5) writePropertyValues(writer, 3, properties === undefined ? [] : valuesOf(properties));
  if (payload !== undefined) writer.octets(payload);
  return publishFirstOctet(qos, retain, dup);
}

/** By increasing identifier; faster than looking each field up by its name. */
function valuesOf(properties: EncodablePublishProperties): Parameters<typeof writePropertyValues>[2] {
  return [
    properties.payloadFormatIndicator,
    properties.messageExpiryInterval,
    properties.contentType,
    properties.responseTopic,
    properties.correlationData,
    properties.subscriptionIdentifiers,
    properties.topicAlias,
    properties.userProperties,
  ];
}
