/** The will of a CONNECT, MQTT 3.1.1 §3.1.3.2 and §3.1.3.3, MQTT 5.0 §3.1.3.2 to §3.1.3.4. */

import type { Encodable, QoS } from "../packet-type.ts";
import {
  type Building,
  PropertyIdentifier,
  readBit,
  readProperties,
  type UserProperty,
  WILL_PROPERTIES,
  writeBinary,
  writeByte,
  writeString,
  writeUint32,
  writeUserProperties,
} from "../property.ts";
import type { Reader } from "../reader.ts";
import type { Writer } from "../writer.ts";
import { readNonEmptyTopicName, writeResponseTopic } from "./publish.ts";

/** What the server publishes when the connection ends otherwise than by DISCONNECT. */
export interface Will {
  readonly topicName: string;
  /** Called Will Message in 3.1.1; a view. */
  readonly payload: Uint8Array;
  readonly qos: QoS;
  readonly retain: boolean;
  readonly properties: WillProperties | undefined;
}

export interface WillProperties {
  /** Seconds. */
  readonly willDelayInterval: number | undefined;
  readonly payloadFormatIndicator: 0 | 1 | undefined;
  /** Seconds. */
  readonly messageExpiryInterval: number | undefined;
  readonly contentType: string | undefined;
  readonly responseTopic: string | undefined;
  readonly correlationData: Uint8Array | undefined;
  readonly userProperties: readonly UserProperty[];
}

export type EncodableWill = Omit<Encodable<Will, "topicName" | "payload">, "properties"> & {
  readonly properties?: Encodable<WillProperties, never> | undefined;
};

/** `flags` are the connect flags, checked. */
export function readWill(reader: Reader, flags: number): Will {
  const properties =
    reader.version === 5 ? readProperties(reader, WILL_PROPERTIES, emptyProperties, readProperty) : undefined;
  const topicName = readNonEmptyTopicName(reader);
  const payload = reader.binary();
  const qos = (flags & 0x10) !== 0 ? 2 : (flags & 0x08) !== 0 ? 1 : 0;
  return { topicName, payload, qos, retain: (flags & 0x20) !== 0, properties };
}

function emptyProperties(): Building<WillProperties> {
  return {
    willDelayInterval: undefined,
    payloadFormatIndicator: undefined,
    messageExpiryInterval: undefined,
    contentType: undefined,
    responseTopic: undefined,
    correlationData: undefined,
    userProperties: [],
  };
}

function readProperty(reader: Reader, identifier: number, properties: Building<WillProperties>): void {
  switch (identifier) {
    case PropertyIdentifier.willDelayInterval:
      properties.willDelayInterval = reader.uint32();
      break;
    case PropertyIdentifier.payloadFormatIndicator:
      properties.payloadFormatIndicator = readBit(reader, "MQTT 5.0 §3.1.3.2.3");
      break;
    case PropertyIdentifier.messageExpiryInterval:
      properties.messageExpiryInterval = reader.uint32();
      break;
    case PropertyIdentifier.contentType:
      properties.contentType = reader.string();
      break;
    case PropertyIdentifier.responseTopic:
      properties.responseTopic = readNonEmptyTopicName(reader);
      break;
    default:
      properties.correlationData = reader.binary();
  }
}

export function writeWill(writer: Writer, will: EncodableWill): void {
  if (will.topicName.length === 0) writer.fail("ERR_MQTT_CODEC_TOPIC_NAME", "will.topicName");
  writer.topicName(will.topicName, "will.topicName");
  writer.binary(will.payload, "will.payload");
}

export function writeWillProperties(writer: Writer, properties: EncodableWill["properties"]): void {
  const place = writer.beginLength();
  if (properties !== undefined) {
    writeUint32(writer, 0x18, properties.willDelayInterval, "will.properties.willDelayInterval");
    writeByte(writer, 0x01, properties.payloadFormatIndicator, "will.properties.payloadFormatIndicator");
    writeUint32(writer, 0x02, properties.messageExpiryInterval, "will.properties.messageExpiryInterval");
    writeString(writer, 0x03, properties.contentType, "will.properties.contentType");
    writeResponseTopic(writer, properties.responseTopic);
    writeBinary(writer, 0x09, properties.correlationData, "will.properties.correlationData");
    writeUserProperties(writer, properties.userProperties);
  }
  writer.endLength(place, "will.properties");
}
