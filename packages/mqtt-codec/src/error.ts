/**
 * The errors of this package: what was wrong, where, which clause says so, and what the peer is owed.
 *
 * Codes are grouped by whose fault it is: the bytes are malformed, the peer broke the protocol with well-formed bytes,
 * it asked for something unsupported, a limit was passed, or the caller of the encoder made a mistake.
 */

import type { PacketTypeName } from "./packet-type.ts";

/** What can be wrong; stable names. */
export type MqttCodecErrorCode =
  // malformed
  /** The packet type does not exist in this version. */
  | "ERR_MQTT_CODEC_PACKET_TYPE"
  /** Reserved flags of the fixed header are wrong. */
  | "ERR_MQTT_CODEC_FLAGS"
  /** The remaining length is malformed, or not the one that this packet has. */
  | "ERR_MQTT_CODEC_REMAINING_LENGTH"
  /** A variable byte integer is too long or does not take the fewest octets. */
  | "ERR_MQTT_CODEC_VARIABLE_BYTE_INTEGER"
  /** A field runs past the end of its packet or property list. */
  | "ERR_MQTT_CODEC_TRUNCATED"
  /** Octets are left after the last field. */
  | "ERR_MQTT_CODEC_TRAILING_BYTES"
  /** Text is not well-formed UTF-8; to be encoded: it holds a lone surrogate or U+0000. */
  | "ERR_MQTT_CODEC_UTF8"
  /** Text holds U+0000. */
  | "ERR_MQTT_CODEC_NULL_CHARACTER"
  /** Text holds a control character or a non-character, and the decoder is to refuse them. */
  | "ERR_MQTT_CODEC_CONTROL_CHARACTER"
  /** The QoS is not 0, 1 or 2. */
  | "ERR_MQTT_CODEC_QOS"
  /** DUP is set with QoS 0. */
  | "ERR_MQTT_CODEC_DUP"
  /** Connect flags contradict each other, or the reserved one is set. */
  | "ERR_MQTT_CODEC_CONNECT_FLAGS"
  /** A reserved bit of the connect acknowledge flags is set. */
  | "ERR_MQTT_CODEC_CONNACK_FLAGS"
  /** A reserved bit of the subscription options is set. */
  | "ERR_MQTT_CODEC_SUBSCRIPTION_OPTIONS"
  /** A topic filter is not valid. */
  | "ERR_MQTT_CODEC_TOPIC_FILTER"
  /** The reason code is not one of this packet and side. */
  | "ERR_MQTT_CODEC_REASON_CODE"
  /** The property list runs past the end of its packet. */
  | "ERR_MQTT_CODEC_PROPERTY_LENGTH"
  /** No packet has such a property. */
  | "ERR_MQTT_CODEC_PROPERTY_IDENTIFIER"
  // the peer broke the protocol
  /** The first packet of a client is not CONNECT. */
  | "ERR_MQTT_CODEC_FIRST_PACKET"
  /** CONNECT comes a second time. */
  | "ERR_MQTT_CODEC_SECOND_CONNECT"
  /** The peer may not send this packet. */
  | "ERR_MQTT_CODEC_DIRECTION"
  /** The packet identifier is 0; to be encoded: or there is one with QoS 0. */
  | "ERR_MQTT_CODEC_PACKET_IDENTIFIER"
  /** A topic name is empty or holds a wildcard. */
  | "ERR_MQTT_CODEC_TOPIC_NAME"
  /** The topic alias is 0. */
  | "ERR_MQTT_CODEC_TOPIC_ALIAS"
  /** Session Present is set in a refusal. */
  | "ERR_MQTT_CODEC_SESSION_PRESENT"
  /** The list of topic filters, or of reason codes, is empty. */
  | "ERR_MQTT_CODEC_NO_TOPIC_FILTER"
  /** Retain handling is not 0, 1 or 2. */
  | "ERR_MQTT_CODEC_RETAIN_HANDLING"
  /** No Local is set on a shared subscription. */
  | "ERR_MQTT_CODEC_NO_LOCAL_SHARED"
  /** This packet, or this side, may not have that property. */
  | "ERR_MQTT_CODEC_PROPERTY_NOT_ALLOWED"
  /** The property may stand only once. */
  | "ERR_MQTT_CODEC_PROPERTY_REPEATED"
  /** The property does not take that value. */
  | "ERR_MQTT_CODEC_PROPERTY_VALUE"
  /** Authentication Data stands without a method, or AUTH does. */
  | "ERR_MQTT_CODEC_PROPERTY_MISSING"
  // unsupported
  /** The protocol name is not MQTT. */
  | "ERR_MQTT_CODEC_PROTOCOL_NAME"
  /** The protocol version is not 3.1.1 or 5.0. */
  | "ERR_MQTT_CODEC_PROTOCOL_VERSION"
  /** The client identifier is empty without a clean session (3.1.1). */
  | "ERR_MQTT_CODEC_CLIENT_IDENTIFIER"
  // limits
  /** The packet is larger than the limit. */
  | "ERR_MQTT_CODEC_PACKET_TOO_LARGE"
  /** There are more repeatable properties than the limit. */
  | "ERR_MQTT_CODEC_TOO_MANY_USER_PROPERTIES"
  /** There are more topic filters or reason codes than the limit. */
  | "ERR_MQTT_CODEC_TOO_MANY_TOPIC_FILTERS"
  // misuse of the encoder
  /** The value does not fit its field. */
  | "ERR_MQTT_CODEC_FIELD"
  /** This version has no such packet or field. */
  | "ERR_MQTT_CODEC_VERSION_FIELD"
  /** The packet does not fit into the buffer. */
  | "ERR_MQTT_CODEC_BUFFER_TOO_SMALL";

/** The reason code that a 5.0 peer is owed where it is not 0x81, malformed packet. */
const reasonCodes: { readonly [Code in MqttCodecErrorCode]?: number } = {
  ERR_MQTT_CODEC_FIRST_PACKET: 0x82,
  ERR_MQTT_CODEC_SECOND_CONNECT: 0x82,
  ERR_MQTT_CODEC_DIRECTION: 0x82,
  ERR_MQTT_CODEC_PACKET_IDENTIFIER: 0x82,
  ERR_MQTT_CODEC_TOPIC_ALIAS: 0x94,
  ERR_MQTT_CODEC_SESSION_PRESENT: 0x82,
  ERR_MQTT_CODEC_NO_TOPIC_FILTER: 0x82,
  ERR_MQTT_CODEC_RETAIN_HANDLING: 0x82,
  ERR_MQTT_CODEC_NO_LOCAL_SHARED: 0x82,
  ERR_MQTT_CODEC_PROPERTY_NOT_ALLOWED: 0x82,
  ERR_MQTT_CODEC_PROPERTY_REPEATED: 0x82,
  ERR_MQTT_CODEC_PROPERTY_VALUE: 0x82,
  ERR_MQTT_CODEC_PROPERTY_MISSING: 0x82,
  ERR_MQTT_CODEC_PROTOCOL_NAME: 0x84,
  ERR_MQTT_CODEC_PROTOCOL_VERSION: 0x84,
  ERR_MQTT_CODEC_CLIENT_IDENTIFIER: 0x85,
  ERR_MQTT_CODEC_PACKET_TOO_LARGE: 0x95,
  ERR_MQTT_CODEC_TOO_MANY_USER_PROPERTIES: 0x97,
  ERR_MQTT_CODEC_TOO_MANY_TOPIC_FILTERS: 0x97,
};

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
    const reasonCode = fields.reasonCode ?? reasonCodes[fields.code] ?? 0x81;
    const kind = reasonCode === 0x81 ? "malformed" : "refused";
    const subject = fields.packetType ?? "packet";
    super(`${subject} ${kind}: ${inWords(fields.code)} (${fields.clause}, octet ${fields.offset})`);
    this.code = fields.code;
    this.offset = fields.offset;
    this.packetOffset = fields.packetOffset;
    this.packetType = fields.packetType;
    this.clause = fields.clause;
    this.reasonCode = reasonCode;
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
    super(`${packetType ?? "packet"} not encoded: ${inWords(code)} (${field})`);
    this.code = code;
    this.packetType = packetType;
    this.field = field;
  }
}

/** `ERR_MQTT_CODEC_TOPIC_NAME`: topic name. */
function inWords(code: MqttCodecErrorCode): string {
  return code.slice(15).replaceAll("_", " ").toLowerCase();
}
