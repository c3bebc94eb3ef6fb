/**
 * The errors of this package: what was wrong, where, which clause says so, and what the peer is owed.
 *
 * Codes are grouped by whose fault it is: the bytes are malformed, the peer broke the protocol with well-formed bytes,
 * it asked for something unsupported, a limit was passed, or the caller of the encoder made a mistake.
 */

import type { PacketTypeName } from "./packet-type.ts";

/** Code: [what it says, the reason code that a 5.0 peer is owed]. */
const catalogue = {
  // malformed
  ERR_MQTT_CODEC_PACKET_TYPE: ["packet type does not exist in this version", 0x81],
  ERR_MQTT_CODEC_FLAGS: ["reserved flags of the fixed header are wrong", 0x81],
  ERR_MQTT_CODEC_REMAINING_LENGTH: ["remaining length is malformed", 0x81],
  ERR_MQTT_CODEC_VARIABLE_BYTE_INTEGER: ["variable byte integer is malformed", 0x81],
  ERR_MQTT_CODEC_TRUNCATED: ["a field runs past the end of its packet or properties", 0x81],
  ERR_MQTT_CODEC_TRAILING_BYTES: ["bytes are left after the last field", 0x81],
  ERR_MQTT_CODEC_UTF8: ["text is not well-formed UTF-8", 0x81],
  ERR_MQTT_CODEC_NULL_CHARACTER: ["text holds U+0000", 0x81],
  ERR_MQTT_CODEC_CONTROL_CHARACTER: ["text holds a control character or a non-character", 0x81],
  ERR_MQTT_CODEC_QOS: ["QoS is not 0, 1 or 2", 0x81],
  ERR_MQTT_CODEC_DUP: ["DUP is set on a QoS 0 PUBLISH", 0x81],
  ERR_MQTT_CODEC_CONNECT_FLAGS: ["connect flags contradict each other or use the reserved bit", 0x81],
  ERR_MQTT_CODEC_CONNACK_FLAGS: ["connect acknowledge flags use a reserved bit", 0x81],
  ERR_MQTT_CODEC_SUBSCRIPTION_OPTIONS: ["subscription options use a reserved bit", 0x81],
  ERR_MQTT_CODEC_TOPIC_FILTER: ["topic filter is not valid", 0x81],
  ERR_MQTT_CODEC_REASON_CODE: ["reason code is not one of this packet's", 0x81],
  ERR_MQTT_CODEC_PROPERTY_LENGTH: ["a property runs past the properties' length", 0x81],
  ERR_MQTT_CODEC_PROPERTY_IDENTIFIER: ["property identifier does not exist", 0x81],
  // the peer broke the protocol
  ERR_MQTT_CODEC_FIRST_PACKET: ["the first packet is not CONNECT", 0x82],
  ERR_MQTT_CODEC_SECOND_CONNECT: ["a second CONNECT on one connection", 0x82],
  ERR_MQTT_CODEC_DIRECTION: ["the peer may not send this packet", 0x82],
  ERR_MQTT_CODEC_PACKET_IDENTIFIER: ["packet identifier is 0 or missing", 0x82],
  ERR_MQTT_CODEC_TOPIC_NAME: ["topic name is empty or holds a wildcard", 0x81],
  ERR_MQTT_CODEC_TOPIC_ALIAS: ["topic alias is 0", 0x94],
  ERR_MQTT_CODEC_SESSION_PRESENT: ["session present with a refusal", 0x82],
  ERR_MQTT_CODEC_NO_TOPIC_FILTER: ["the list of topic filters or reason codes is empty", 0x82],
  ERR_MQTT_CODEC_RETAIN_HANDLING: ["retain handling is not 0, 1 or 2", 0x82],
  ERR_MQTT_CODEC_NO_LOCAL_SHARED: ["no local on a shared subscription", 0x82],
  ERR_MQTT_CODEC_PROPERTY_NOT_ALLOWED: ["property is not allowed in this packet", 0x82],
  ERR_MQTT_CODEC_PROPERTY_REPEATED: ["property may occur only once", 0x82],
  ERR_MQTT_CODEC_PROPERTY_VALUE: ["property value is out of its range", 0x82],
  ERR_MQTT_CODEC_PROPERTY_MISSING: ["a property that the packet needs is missing", 0x82],
  // unsupported
  ERR_MQTT_CODEC_PROTOCOL_NAME: ["protocol name is not MQTT", 0x84],
  ERR_MQTT_CODEC_PROTOCOL_VERSION: ["protocol version is not 3.1.1 or 5.0", 0x84],
  ERR_MQTT_CODEC_CLIENT_IDENTIFIER: ["empty client identifier without a clean session", 0x85],
  // limits
  ERR_MQTT_CODEC_PACKET_TOO_LARGE: ["packet is larger than the limit", 0x95],
  ERR_MQTT_CODEC_TOO_MANY_USER_PROPERTIES: ["more user properties than the limit", 0x97],
  ERR_MQTT_CODEC_TOO_MANY_TOPIC_FILTERS: ["more topic filters than the limit", 0x97],
  // misuse of the encoder
  ERR_MQTT_CODEC_FIELD: ["value does not fit the field", 0x80],
  ERR_MQTT_CODEC_VERSION_FIELD: ["this version has no such packet or field", 0x80],
  ERR_MQTT_CODEC_BUFFER_TOO_SMALL: ["packet does not fit into the buffer", 0x80],
} as const;

/** What can be wrong; stable names. */
export type MqttCodecErrorCode = keyof typeof catalogue;

/** What a decoder knows about a fault. */
export interface MqttCodecErrorFields {
  readonly code: MqttCodecErrorCode;
  readonly offset: number;
  readonly packetOffset: number;
  readonly packetType: PacketTypeName | undefined;
  readonly clause: string;
  readonly protocolVersion: number | undefined;
  readonly reasonCode?: number | undefined;
  readonly connackReturnCode?: number | undefined;
}

/** Bytes that are not MQTT, or MQTT that the peer may not send. After one the decoder accepts nothing more. */
export class MqttCodecError extends Error {
  override readonly name = "MqttCodecError";
  readonly code: MqttCodecErrorCode;
  /** Offset of the faulty octet, counted from the first octet that the decoder was given. */
  readonly offset: number;
  /** Offset of the first octet of the packet that holds it, counted likewise. */
  readonly packetOffset: number;
  /** The packet's type where the first octet tells one. */
  readonly packetType: PacketTypeName | undefined;
  /** The normative statement, for instance `MQTT-3.3.2-2`; `MQTT 5.0 §2.2.2` for what has no number. */
  readonly clause: string;
  /** What a 5.0 CONNACK or DISCONNECT answers: 0x81 malformed, 0x82 protocol error, 0x95 too large ... */
  readonly reasonCode: number;
  /** What a 3.1 or 3.1.1 CONNACK answers; undefined where that version closes without a word. */
  readonly connackReturnCode: number | undefined;
  /** The protocol level that the connection speaks (also one that is refused); undefined before it is known. */
  readonly protocolVersion: number | undefined;

  constructor(fields: MqttCodecErrorFields) {
    const [text, reasonCode] = catalogue[fields.code];
    const where = fields.packetType === undefined ? "" : `${fields.packetType}: `;
    super(`${where}${text} (${fields.clause}, octet ${fields.offset})`);
    this.code = fields.code;
    this.offset = fields.offset;
    this.packetOffset = fields.packetOffset;
    this.packetType = fields.packetType;
    this.clause = fields.clause;
    this.reasonCode = fields.reasonCode ?? reasonCode;
    this.connackReturnCode = fields.connackReturnCode;
    this.protocolVersion = fields.protocolVersion;
  }
}

/** A packet that the encoder was given and that the specification does not allow to be sent. */
export class MqttEncodeError extends Error {
  override readonly name = "MqttEncodeError";
  readonly code: MqttCodecErrorCode;
  readonly packetType: PacketTypeName | undefined;
  /** The packet's field, for instance `topicName` or `properties.topicAlias`. */
  readonly field: string;

  constructor(code: MqttCodecErrorCode, packetType: PacketTypeName | undefined, field: string) {
    super(`${packetType ?? "packet"}: ${field}: ${catalogue[code][0]}`);
    this.code = code;
    this.packetType = packetType;
    this.field = field;
  }
}
