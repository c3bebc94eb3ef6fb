/** CONNECT, MQTT 3.1.1 and 5.0 §3.1. */

import { type Encodable, isQoS, type ProtocolVersion } from "../packet-type.ts";
import { checkAuthentication, readProperties, writeProperties } from "../property-list.ts";
import type { UserProperty } from "../property.ts";
import type { Reader } from "../reader.ts";
import type { Writer } from "../writer.ts";
import { type EncodableWill, readWill, type Will, writeWill } from "./will.ts";

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
  const properties = protocolVersion === 5 ? readProperties<ConnectProperties>(reader, 1) : undefined;
  checkAuthentication(reader, properties, false);
  const identifierAt = reader.position;
  const clientIdentifier = reader.string();
  const cleanStart = (flags & CLEAN_START) !== 0;
  if (protocolVersion === 4 && clientIdentifier === "" && !cleanStart) {
    const answer = { connackReturnCode: 0x02 };
    throw reader.error("ERR_MQTT_CODEC_CLIENT_IDENTIFIER", identifierAt, "MQTT-3.1.3-8", "", answer);
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
  if (name !== "MQTT" && !isOld) reader.fail("ERR_MQTT_CODEC_PROTOCOL_NAME", at, "MQTT-3.1.2-1");
  const level = reader.uint8();
  reader.protocolLevel = level;
  if (isOld || (level !== 4 && level !== 5)) {
    const answer = { connackReturnCode: 0x01 };
    throw reader.error("ERR_MQTT_CODEC_PROTOCOL_VERSION", reader.position - 1, "MQTT-3.1.2-2", "MQTT-3.1.2-2", answer);
  }
  reader.version = level;
  if (level === 5 && reader.isLengthOverlong) reader.failRemainingLength("MQTT-1.5.5-1");
}

function checkFlags(reader: Reader, flags: number, at: number): void {
  const code = "ERR_MQTT_CODEC_CONNECT_FLAGS";
  if ((flags & RESERVED) !== 0) reader.fail(code, at, "MQTT-3.1.2-3");
  if ((flags & WILL) === 0) {
    if ((flags & 0x18) !== 0) reader.fail(code, at, "MQTT-3.1.2-13", "MQTT-3.1.2-11");
    if ((flags & WILL_QOS_AND_RETAIN) !== 0) reader.fail(code, at, "MQTT-3.1.2-15", "MQTT-3.1.2-13");
  }
  if ((flags & 0x18) === 0x18) reader.fail("ERR_MQTT_CODEC_QOS", at, "MQTT-3.1.2-14", "MQTT-3.1.2-12");
  // 5.0 allows a password without a user name (MQTT 5.0 §3.1.2.9).
  if (reader.version === 4 && (flags & (USER_NAME | PASSWORD)) === PASSWORD) {
    reader.fail(code, at, "MQTT-3.1.2-22", "");
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
  if (version === 5) writeProperties(writer, 1, packet.properties);
  writer.string(clientIdentifier, "clientIdentifier");
  if (will !== undefined) {
    if (version === 5) writeProperties(writer, 0, will.properties);
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
