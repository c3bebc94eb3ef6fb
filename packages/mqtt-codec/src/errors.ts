/**
 * The errors of this package: what was wrong, where, which statement of the standard says so, and what to answer.
 *
 * The decoder throws `MqttCodecError`, the encoder `MqttEncodeError`. Both have a stable `code`; nobody needs to read
 * the message to decide what to do.
 */

import type { PacketTypeName } from "./packet-type.ts";
import { ConnectReturnCode, ReasonCode } from "./reason-code.ts";
import type { TopicFault } from "./topic.ts";

/** The octet that was found. */
interface Found {
  readonly found: number;
}
/** The property: its identifier, and its name where a property has that identifier. */
interface FoundProperty {
  readonly identifier: number;
  readonly property: string;
}
/** The value of a property, and in words the values that it takes. */
interface FoundValue extends FoundProperty, Found {
  readonly wanted: string;
}
/** A topic name or filter, and what is wrong with it. */
interface FoundTopic {
  readonly text: string;
  readonly fault: TopicFault;
}

/** What the decoder found, by error code: `error.evidence` after `switch (error.code)`. */
export interface MqttCodecEvidence {
  // Malformed: the octets cannot be read as a packet.
  /** The packet type does not exist in this version. */
  ERR_MQTT_CODEC_PACKET_TYPE: Found;
  /** The reserved flags of the fixed header (four bits) do not have their one value. */
  ERR_MQTT_CODEC_FLAGS: Found & { readonly wanted: number };
  /** The remaining length is malformed, or not the length that this packet has (`wanted`, in octets). */
  ERR_MQTT_CODEC_REMAINING_LENGTH: { readonly length?: number; readonly wantedLength?: number };
  /** A variable byte integer has more than four octets, or more than its value needs. */
  ERR_MQTT_CODEC_VARIABLE_BYTE_INTEGER: { readonly octets: number };
  /** A field needs more octets than its packet or property list has left. */
  ERR_MQTT_CODEC_TRUNCATED: { readonly needed: number; readonly available: number };
  /** Octets are left after the last field. */
  ERR_MQTT_CODEC_TRAILING_BYTES: { readonly octets: number };
  /** Text is not well-formed UTF-8; `found` is the first octet of the sequence at fault. */
  ERR_MQTT_CODEC_UTF8: Found;
  /** Text holds U+0000. */
  ERR_MQTT_CODEC_NULL_CHARACTER: Found;
  /** Text holds a control character or a non-character, and the decoder was made to refuse them. */
  ERR_MQTT_CODEC_CONTROL_CHARACTER: Found;
  /** The QoS is 3. */
  ERR_MQTT_CODEC_QOS: Found;
  /** DUP is set with QoS 0. */
  ERR_MQTT_CODEC_DUP: Found;
  /** Connect flags contradict each other, or the reserved one is set. */
  ERR_MQTT_CODEC_CONNECT_FLAGS: Found;
  /** A reserved bit of the connect acknowledge flags is set. */
  ERR_MQTT_CODEC_CONNACK_FLAGS: Found;
  /** A reserved bit of the subscription options is set. */
  ERR_MQTT_CODEC_SUBSCRIPTION_OPTIONS: Found;
  /** A topic filter is not valid. */
  ERR_MQTT_CODEC_TOPIC_FILTER: FoundTopic;
  /** The reason code is not one that this packet may carry from this side. */
  ERR_MQTT_CODEC_REASON_CODE: Found & { readonly allowed: readonly number[] };
  /** The property list runs past the end of its packet. */
  ERR_MQTT_CODEC_PROPERTY_LENGTH: { readonly length: number; readonly available: number };
  /** No packet has such a property. */
  ERR_MQTT_CODEC_PROPERTY_IDENTIFIER: { readonly identifier: number };
  /** This packet, or this side, may not send that property. */
  ERR_MQTT_CODEC_PROPERTY_NOT_ALLOWED: FoundProperty & { readonly allowed: readonly string[] };
  // The peer broke the protocol with octets that can be read.
  /** The first packet of a client is not CONNECT. */
  ERR_MQTT_CODEC_FIRST_PACKET: Found;
  /** CONNECT comes a second time. */
  ERR_MQTT_CODEC_SECOND_CONNECT: Found;
  /** Only the other side may send this packet. */
  ERR_MQTT_CODEC_DIRECTION: Found;
  /** The packet identifier is 0. */
  ERR_MQTT_CODEC_PACKET_IDENTIFIER: Found;
  /** A topic name is empty or holds a wildcard. */
  ERR_MQTT_CODEC_TOPIC_NAME: FoundTopic;
  /** The topic alias is 0. */
  ERR_MQTT_CODEC_TOPIC_ALIAS: FoundValue;
  /** Session Present is set in a refusal; `found` is the reason code. */
  ERR_MQTT_CODEC_SESSION_PRESENT: Found;
  /** The list of topic filters, or of reason codes, is empty. */
  ERR_MQTT_CODEC_NO_TOPIC_FILTER: { readonly count: 0 };
  /** Retain handling is 3. */
  ERR_MQTT_CODEC_RETAIN_HANDLING: Found;
  /** No Local is set on a shared subscription. */
  ERR_MQTT_CODEC_NO_LOCAL_SHARED: { readonly text: string };
  /** A property that may be there once is there twice. */
  ERR_MQTT_CODEC_PROPERTY_REPEATED: FoundProperty;
  /** The property does not take that value. */
  ERR_MQTT_CODEC_PROPERTY_VALUE: FoundValue;
  /** Authentication data, or AUTH, has no authentication method. */
  ERR_MQTT_CODEC_PROPERTY_MISSING: { readonly property: string };
  // Not supported.
  /** The protocol name is not MQTT. */
  ERR_MQTT_CODEC_PROTOCOL_NAME: { readonly text: string };
  /** The protocol version is not 3.1.1 or 5.0. */
  ERR_MQTT_CODEC_PROTOCOL_VERSION: Found;
  /** The client identifier is empty without a clean session (3.1.1). */
  ERR_MQTT_CODEC_CLIENT_IDENTIFIER: { readonly text: string };
  // Limits of the decoder.
  /** The packet is larger than the limit, in octets. */
  ERR_MQTT_CODEC_PACKET_TOO_LARGE: { readonly length: number; readonly limit: number };
  /** There are more repeatable properties than the limit. */
  ERR_MQTT_CODEC_TOO_MANY_USER_PROPERTIES: { readonly limit: number };
  /** There are more topic filters or reason codes than the limit. */
  ERR_MQTT_CODEC_TOO_MANY_TOPIC_FILTERS: { readonly limit: number };
}

/** What can be wrong with octets that are decoded; stable names. */
export type MqttCodecErrorCode = keyof MqttCodecEvidence;

/** What can be wrong with a packet that is encoded; stable names. */
export type MqttEncodeErrorCode =
  /** The value has another type than its field, is out of the field's range, or is missing. */
  | "ERR_MQTT_CODEC_FIELD"
  /** This version has no such packet or field, and leaving it out would change the meaning. */
  | "ERR_MQTT_CODEC_VERSION_FIELD"
  /** The packet does not fit into the buffer. */
  | "ERR_MQTT_CODEC_BUFFER_TOO_SMALL"
  /** The remaining length would be above 268,435,455. */
  | "ERR_MQTT_CODEC_PACKET_TOO_LARGE"
  /** Text holds a lone surrogate or U+0000. */
  | "ERR_MQTT_CODEC_UTF8"
  /** As the decoder's codes of the same names. */
  | "ERR_MQTT_CODEC_QOS"
  | "ERR_MQTT_CODEC_DUP"
  | "ERR_MQTT_CODEC_CONNECT_FLAGS"
  | "ERR_MQTT_CODEC_TOPIC_FILTER"
  | "ERR_MQTT_CODEC_REASON_CODE"
  | "ERR_MQTT_CODEC_PACKET_IDENTIFIER"
  | "ERR_MQTT_CODEC_TOPIC_NAME"
  | "ERR_MQTT_CODEC_TOPIC_ALIAS"
  | "ERR_MQTT_CODEC_SESSION_PRESENT"
  | "ERR_MQTT_CODEC_NO_TOPIC_FILTER"
  | "ERR_MQTT_CODEC_RETAIN_HANDLING"
  | "ERR_MQTT_CODEC_NO_LOCAL_SHARED"
  | "ERR_MQTT_CODEC_PROPERTY_NOT_ALLOWED"
  | "ERR_MQTT_CODEC_PROPERTY_VALUE"
  | "ERR_MQTT_CODEC_PROPERTY_MISSING"
  | "ERR_MQTT_CODEC_CLIENT_IDENTIFIER";

interface CodecErrorDetails<Code extends MqttCodecErrorCode> {
  readonly code: Code;
  readonly evidence: MqttCodecEvidence[Code];
  readonly offset: number;
  readonly packetOffset: number;
  readonly packetType: PacketTypeName | undefined;
  readonly field: string;
  readonly clause: string;
  readonly requirement: string;
  readonly protocolVersion: number | undefined;
  readonly reasonCode: number;
  readonly connackReturnCode: number | undefined;
}

/** The class behind `MqttCodecError`, for one code. */
export class CodecError<Code extends MqttCodecErrorCode> extends Error implements CodecErrorDetails<Code> {
  override readonly name = "MqttCodecError";
  declare readonly code: Code;
  /** What was found, and what would be accepted; its fields depend on `code`. */
  declare readonly evidence: MqttCodecEvidence[Code];
  /** Offset of the octet at fault, counted from the first octet that the decoder was given. */
  declare readonly offset: number;
  /** Offset of the first octet of its packet, counted likewise. */
  declare readonly packetOffset: number;
  /** The packet's type where the first octet names one. */
  declare readonly packetType: PacketTypeName | undefined;
  /** The field of the packet, for instance `topicName` or `properties.responseTopic`. */
  declare readonly field: string;
  /** The statement that is broken: `MQTT-3.3.2-2`, or a section, `MQTT 5.0 §2.2.2.2`, where no statement has a number. */
  declare readonly clause: string;
  /** What that statement demands, in words. */
  declare readonly requirement: string;
  /** What to answer in a 5.0 CONNACK or DISCONNECT: 0x81 malformed packet, 0x82 protocol error, ... */
  declare readonly reasonCode: number;
  /** What to answer in a 3.1 or 3.1.1 CONNACK; undefined where that version closes the connection without an answer. */
  declare readonly connackReturnCode: number | undefined;
  /** The protocol level of the connection (also one that is refused); undefined before it is known. */
  declare readonly protocolVersion: number | undefined;

  constructor(details: CodecErrorDetails<Code>) {
    super(decodeMessage(details));
    Object.assign(this, details);
  }
}

/**
 * Octets that are not MQTT, or MQTT that the peer may not send. After one the decoder accepts nothing more. A union:
 * `switch (error.code)` narrows `error.evidence`.
 */
export type MqttCodecError = { [Code in MqttCodecErrorCode]: CodecError<Code> }[MqttCodecErrorCode];
/** The class of the decoder's errors, for `instanceof`. */
// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- so that instanceof narrows to the union by code
export const MqttCodecError: { new (details: never): MqttCodecError } = CodecError as never;

/** A packet that the encoder was given and that the specification does not allow to be sent. */
export class MqttEncodeError extends Error {
  override readonly name = "MqttEncodeError";
  readonly code: MqttEncodeErrorCode;
  readonly packetType: PacketTypeName | undefined;
  /** The packet's field, for instance `topicName` or `properties.topicAlias`. */
  readonly field: string;
  /** The value found, in words; of text and octets only the kind and length. */
  readonly found: string;
  /** What would be accepted, in words. */
  readonly wanted: string;

  constructor(
    code: MqttEncodeErrorCode,
    packetType: PacketTypeName | undefined,
    field: string,
    found: string,
    wanted: string,
  ) {
    super(`${packetType?.toUpperCase() ?? "packet"} cannot be encoded: ${field} is ${found}, wanted ${wanted}`);
    this.code = code;
    this.packetType = packetType;
    this.field = field;
    this.found = found;
    this.wanted = wanted;
  }
}

function decodeMessage(details: CodecErrorDetails<MqttCodecErrorCode>): string {
  const { packetType, field, evidence, requirement, clause, offset } = details;
  const found = Object.entries(evidence).map(([name, value]) => `${words(name)} ${inWords(name, value, field)}`);
  const subject = `${packetType?.toUpperCase() ?? "packet"}, ${words(field)}`;
  return `${subject}: ${found.join(", ")}; ${requirement} (${clause}, octet ${offset}). ${answer(details)}`;
}

/** Flags as bits, octets and codes as hexadecimal numbers, counts as decimal ones, text quoted and cut. */
function inWords(name: string, value: unknown, field: string): string {
  if (Array.isArray(value)) return value.map((one) => inWords(name, one, field)).join(" ");
  if (typeof value !== "number") return name === "text" ? quoted(String(value)) : String(value);
  if (!/^(?:found|wanted|allowed|identifier)$/u.test(name)) return String(value);
  if (field === "flags") return value.toString(2).padStart(4, "0");
  return field.endsWith("lags") ? value.toString(2).padStart(8, "0") : hexadecimal(value);
}

function answer({ protocolVersion, reasonCode, connackReturnCode }: CodecErrorDetails<MqttCodecErrorCode>): string {
  const close = "Close the connection";
  if (connackReturnCode !== undefined && protocolVersion !== 5) {
    return `Answer CONNACK ${hexadecimal(connackReturnCode)} (${nameOf(ConnectReturnCode, connackReturnCode)}), then close.`;
  }
  if (protocolVersion === 4) return `${close}; MQTT 3.1.1 has no answer to this.`;
  return `${close}; the answer of MQTT 5.0 is ${hexadecimal(reasonCode)} (${nameOf(ReasonCode, reasonCode)}).`;
}

function nameOf(codes: Readonly<Record<string, number>>, code: number): string {
  const named = Object.entries(codes).find(([, value]) => value === code);
  return words(named?.[0] ?? "");
}

/** `properties.responseTopic`: property response topic. */
function words(name: string): string {
  return name
    .replace("properties.", "property ")
    .replaceAll(".", " ")
    .replaceAll(/[A-Z]+/gu, (capitals) => ` ${capitals === "QoS" ? capitals : capitals.toLowerCase()}`);
}

/** An octet for messages: `0x8B`. */
export function hexadecimal(value: number): string {
  return `0x${value.toString(16).toUpperCase().padStart(2, "0")}`;
}

/** A text for messages: quoted, control characters escaped, at most 64 characters. */
export function quoted(text: string): string {
  return JSON.stringify(text.length > 64 ? `${text.slice(0, 64)}…` : text);
}
