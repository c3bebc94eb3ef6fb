/** CONNECT, MQTT 3.1.1 and 5.0 §3.1. */

import { type Encodable, isQoS, type ProtocolVersion } from "../packet-type.ts";
import {
  type Building,
  checkPositive,
  PropertyIdentifier,
  readBoolean,
  readPositive,
  readProperties,
  type UserProperty,
  writeBinary,
  writeBoolean,
  writeString,
  writeUint16,
  writeUint32,
  writeUserProperties,
} from "../property.ts";
import type { Reader } from "../reader.ts";
import type { Writer } from "../writer.ts";
import { type EncodableWill, readWill, type Will, writeWill, writeWillProperties } from "./will.ts";

export interface ConnectPacket {
  readonly type: "connect";
  readonly protocolVersion: ProtocolVersion;
  /** Called Clean Session in 3.1.1. */
  readonly cleanStart: boolean;
  /** Seconds; 0 turns it off. */
  readonly keepAlive: number;
  /** May be empty: the server then assigns one. */
  readonly clientIdentifier: string;
  readonly will: Will | undefined;
  readonly userName: string | undefined;
  readonly password: Uint8Array | undefined;
  readonly properties: ConnectProperties | undefined;
}

export interface ConnectProperties {
  /** Seconds; 0xFFFFFFFF never expires. */
  readonly sessionExpiryInterval: number | undefined;
  readonly receiveMaximum: number | undefined;
  readonly maximumPacketSize: number | undefined;
  readonly topicAliasMaximum: number | undefined;
  readonly requestResponseInformation: boolean | undefined;
  readonly requestProblemInformation: boolean | undefined;
  readonly authenticationMethod: string | undefined;
  readonly authenticationData: Uint8Array | undefined;
  readonly userProperties: readonly UserProperty[];
}

/** A CONNECT to encode; its version is that of the `encode` call. A clean start without keep alive by default. */
export type EncodableConnect = Omit<
  Encodable<ConnectPacket, "type" | "clientIdentifier">,
  "will" | "properties" | "protocolVersion"
> & {
  readonly protocolVersion?: ProtocolVersion | undefined;
  readonly will?: EncodableWill | undefined;
  readonly properties?: Encodable<ConnectProperties, never> | undefined;
};

/** Bits of the connect flags, §3.1.2.3. */
const RESERVED = 0x01;
const CLEAN_START = 0x02;
const WILL = 0x04;
const WILL_QOS_AND_RETAIN = 0x38;
const PASSWORD = 0x40;
const USER_NAME = 0x80;

export function readConnect(reader: Reader): ConnectPacket {
  readProtocol(reader);
  const at = reader.position;
  const flags = reader.uint8();
  checkFlags(reader, flags, at);
  const keepAlive = reader.uint16();
  const protocolVersion = reader.version;
  const properties = protocolVersion === 5 ? readProperties(reader, 1, emptyProperties, readProperty) : undefined;
  if (properties?.authenticationData !== undefined && properties.authenticationMethod === undefined) {
    reader.fail("ERR_MQTT_CODEC_PROPERTY_MISSING", "", "MQTT 5.0 §3.1.2.11.10");
  }
  const identifierAt = reader.position;
  const clientIdentifier = reader.string();
  const cleanStart = (flags & CLEAN_START) !== 0;
  if (protocolVersion === 4 && clientIdentifier === "" && !cleanStart) {
    const answer = { connackReturnCode: 0x02 };
    throw reader.error("ERR_MQTT_CODEC_CLIENT_IDENTIFIER", "MQTT-3.1.3-8", "", identifierAt, answer);
  }
  const will = (flags & WILL) === 0 ? undefined : readWill(reader, flags);
  const userName = (flags & USER_NAME) === 0 ? undefined : reader.string();
  const password = (flags & PASSWORD) === 0 ? undefined : reader.binary();
  reader.finish();
  return {
    type: "connect",
    protocolVersion,
    cleanStart,
    keepAlive,
    clientIdentifier,
    will,
    userName,
    password,
    properties,
  };
}

/** Protocol name and level; from here on the reader knows the version. */
function readProtocol(reader: Reader): void {
  const at = reader.position;
  const name = reader.string();
  const isOld = name === "MQIsdp";
  if (name !== "MQTT" && !isOld) reader.fail("ERR_MQTT_CODEC_PROTOCOL_NAME", "MQTT-3.1.2-1", "MQTT-3.1.2-1", at);
  const level = reader.uint8();
  reader.protocolLevel = level;
  if (isOld || (level !== 4 && level !== 5)) {
    const answer = { connackReturnCode: 0x01 };
    throw reader.error("ERR_MQTT_CODEC_PROTOCOL_VERSION", "MQTT-3.1.2-2", "MQTT-3.1.2-2", reader.position - 1, answer);
  }
  reader.version = level;
  if (level === 5 && reader.isLengthOverlong) reader.failOverlong();
}

function checkFlags(reader: Reader, flags: number, at: number): void {
  const code = "ERR_MQTT_CODEC_CONNECT_FLAGS";
  if ((flags & RESERVED) !== 0) reader.fail(code, "MQTT-3.1.2-3", "MQTT-3.1.2-3", at);
  if ((flags & WILL) === 0) {
    if ((flags & 0x18) !== 0) reader.fail(code, "MQTT-3.1.2-13", "MQTT-3.1.2-11", at);
    if ((flags & WILL_QOS_AND_RETAIN) !== 0) reader.fail(code, "MQTT-3.1.2-15", "MQTT-3.1.2-13", at);
  }
  if ((flags & 0x18) === 0x18) reader.fail("ERR_MQTT_CODEC_QOS", "MQTT-3.1.2-14", "MQTT-3.1.2-12", at);
  // 5.0 allows a password without a user name (MQTT 5.0 §3.1.2.9).
  if (reader.version === 4 && (flags & (USER_NAME | PASSWORD)) === PASSWORD) {
    reader.fail(code, "MQTT-3.1.2-22", "", at);
  }
}

function emptyProperties(): Building<ConnectProperties> {
  return {
    sessionExpiryInterval: undefined,
    receiveMaximum: undefined,
    maximumPacketSize: undefined,
    topicAliasMaximum: undefined,
    requestResponseInformation: undefined,
    requestProblemInformation: undefined,
    authenticationMethod: undefined,
    authenticationData: undefined,
    userProperties: [],
  };
}

function readProperty(reader: Reader, identifier: number, properties: Building<ConnectProperties>): void {
  switch (identifier) {
    case PropertyIdentifier.sessionExpiryInterval:
      properties.sessionExpiryInterval = reader.uint32();
      break;
    case PropertyIdentifier.receiveMaximum:
      properties.receiveMaximum = readPositive(reader, "MQTT 5.0 §3.1.2.11.3", "uint16");
      break;
    case PropertyIdentifier.maximumPacketSize:
      properties.maximumPacketSize = readPositive(reader, "MQTT 5.0 §3.1.2.11.4", "uint32");
      break;
    case PropertyIdentifier.topicAliasMaximum:
      properties.topicAliasMaximum = reader.uint16();
      break;
    case PropertyIdentifier.requestResponseInformation:
      properties.requestResponseInformation = readBoolean(reader, "MQTT 5.0 §3.1.2.11.6");
      break;
    case PropertyIdentifier.requestProblemInformation:
      properties.requestProblemInformation = readBoolean(reader, "MQTT 5.0 §3.1.2.11.7");
      break;
    case PropertyIdentifier.authenticationMethod:
      properties.authenticationMethod = reader.string();
      break;
    default:
      properties.authenticationData = reader.binary();
  }
}

export function writeConnect(writer: Writer, packet: EncodableConnect): number {
  const { clientIdentifier, cleanStart = true, keepAlive = 0, will, userName, password } = packet;
  const { version } = writer;
  if ((packet.protocolVersion ?? version) !== version) {
    writer.fail("ERR_MQTT_CODEC_VERSION_FIELD", "protocolVersion");
  }
  if (version === 4 && clientIdentifier === "" && !cleanStart) {
    writer.fail("ERR_MQTT_CODEC_CLIENT_IDENTIFIER", "clientIdentifier");
  }
  if (version === 4 && password !== undefined && userName === undefined) {
    writer.fail("ERR_MQTT_CODEC_CONNECT_FLAGS", "password");
  }
  writer.string("MQTT", "protocolName");
  writer.uint8(version);
  writer.uint8(connectFlags(writer, packet, cleanStart));
  writer.uint16(keepAlive, "keepAlive");
  if (version === 5) writeConnectProperties(writer, packet.properties);
  writer.string(clientIdentifier, "clientIdentifier");
  if (will !== undefined) {
    if (version === 5) writeWillProperties(writer, will.properties);
    writeWill(writer, will);
  }
  if (userName !== undefined) writer.string(userName, "userName");
  if (password !== undefined) writer.binary(password, "password");
  return 0x10;
}

function connectFlags(writer: Writer, packet: EncodableConnect, cleanStart: boolean): number {
  const { will, userName, password } = packet;
  let flags = cleanStart ? CLEAN_START : 0;
  if (will !== undefined) {
    const { qos = 0 } = will;
    if (!isQoS(qos)) writer.fail("ERR_MQTT_CODEC_QOS", "will.qos");
    flags |= WILL | (qos << 3) | ((will.retain ?? false) ? 0x20 : 0);
  }
  if (userName !== undefined) flags |= USER_NAME;
  if (password !== undefined) flags |= PASSWORD;
  return flags;
}

function writeConnectProperties(writer: Writer, properties: EncodableConnect["properties"]): void {
  const place = writer.beginLength();
  if (properties !== undefined) {
    const { authenticationMethod, authenticationData } = properties;
    checkPositive(writer, properties.receiveMaximum, "properties.receiveMaximum");
    checkPositive(writer, properties.maximumPacketSize, "properties.maximumPacketSize");
    writeUint32(writer, 0x11, properties.sessionExpiryInterval, "properties.sessionExpiryInterval");
    writeUint16(writer, 0x21, properties.receiveMaximum, "properties.receiveMaximum");
    writeUint32(writer, 0x27, properties.maximumPacketSize, "properties.maximumPacketSize");
    writeUint16(writer, 0x22, properties.topicAliasMaximum, "properties.topicAliasMaximum");
    writeBoolean(writer, 0x19, properties.requestResponseInformation);
    writeBoolean(writer, 0x17, properties.requestProblemInformation);
    writeAuthentication(writer, authenticationMethod, authenticationData);
    writeUserProperties(writer, properties.userProperties);
  }
  writer.endLength(place, "properties");
}

/** Authentication Method and Data; no data without a method (MQTT 5.0 §3.1.2.11.10). */
export function writeAuthentication(writer: Writer, method: string | undefined, data: Uint8Array | undefined): void {
  if (data !== undefined && method === undefined) {
    writer.fail("ERR_MQTT_CODEC_PROPERTY_MISSING", "properties.authenticationMethod");
  }
  writeString(writer, 0x15, method, "properties.authenticationMethod");
  writeBinary(writer, 0x16, data, "properties.authenticationData");
}
