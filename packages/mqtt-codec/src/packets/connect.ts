/** CONNECT, MQTT 3.1.1 and 5.0 §3.1. */

import { type Encodable, isQoS, type ProtocolVersion, type QoS } from "../packet-type.ts";
import { checkAuthentication, readProperties, writeProperties } from "../property-list.ts";
import { type ConnectProperties, propertyLists } from "../property.ts";
import { ConnectReturnCode } from "../reason-code.ts";
import type { Reader } from "../reader.ts";
import type { Writer } from "../writer.ts";
import { type EncodableWill, readWill, type Will, writeWill } from "./will.ts";

/** A CONNECT. */
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

/** A CONNECT to encode; its version is that of the `encode` call. By default a clean start without keep alive. */
export type EncodableConnect = Omit<
  Encodable<ConnectPacket, "type" | "clientIdentifier">,
  "will" | "properties" | "protocolVersion"
> & {
  readonly protocolVersion?: ProtocolVersion | undefined;
  readonly will?: EncodableWill | undefined;
  readonly properties?: Encodable<ConnectProperties, never> | undefined;
};

/** Bits of the connect flags, MQTT 3.1.1 and 5.0 §3.1.2.3. */
const RESERVED = 0x01;
const CLEAN_START = 0x02;
const WILL = 0x04;
const WILL_QOS = 0x18;
const WILL_QOS_SHIFT = 3;
const WILL_RETAIN = 0x20;
const PASSWORD = 0x40;
const USER_NAME = 0x80;

/** Reads the body of a CONNECT. */
export function readConnect(reader: Reader): ConnectPacket {
  readProtocol(reader);
  const at = reader.position;
  const flags = reader.uint8("connectFlags");
  const willQos = checkFlags(reader, flags, at);
  const keepAlive = reader.uint16("keepAlive");
  const protocolVersion = reader.version;
  const properties = protocolVersion === 5 ? readProperties(reader, propertyLists.connect) : undefined;
  checkAuthentication(reader, properties, propertyLists.connect);
  const identifierAt = reader.position;
  const clientIdentifier = reader.string("clientIdentifier");
  const cleanStart = (flags & CLEAN_START) !== 0;
  if (protocolVersion === 4 && clientIdentifier === "" && !cleanStart) {
    const { identifierRejected } = ConnectReturnCode;
    const evidence = { text: clientIdentifier };
    reader.fail("clientIdentifier", identifierAt, "clientIdentifier", evidence, undefined, identifierRejected);
  }
  const will = (flags & WILL) === 0 ? undefined : readWill(reader, willQos, (flags & WILL_RETAIN) !== 0);
  const userName = (flags & USER_NAME) === 0 ? undefined : reader.string("userName");
  const password = (flags & PASSWORD) === 0 ? undefined : reader.binary("password");
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
  const name = reader.string("protocolName");
  const isOld = name === "MQIsdp";
  if (name !== "MQTT" && !isOld) reader.fail("protocolName", at, "protocolName", { text: name });
  const levelAt = reader.position;
  const level = reader.uint8("protocolVersion");
  reader.protocolLevel = level;
  if (isOld || (level !== 4 && level !== 5)) {
    const { unacceptableProtocolVersion } = ConnectReturnCode;
    const evidence = { found: level };
    reader.fail("protocolVersion", levelAt, "protocolVersion", evidence, undefined, unacceptableProtocolVersion);
  }
  reader.version = level;
  if (level === 5 && reader.isLengthOverlong) {
    reader.fail("remainingLengthOverlong", reader.packetStart + 1, "remainingLength", {});
  }
}

/** Checks the connect flags; the QoS of the will, 0 without one. */
function checkFlags(reader: Reader, flags: number, at: number): QoS {
  const evidence = { found: flags };
  if ((flags & RESERVED) !== 0) reader.fail("connectFlagReserved", at, "connectFlags", evidence);
  const willQos = (flags & WILL_QOS) >>> WILL_QOS_SHIFT;
  if ((flags & WILL) === 0) {
    if (willQos !== 0) reader.fail("willQosWithoutWill", at, "connectFlags", evidence);
    if ((flags & WILL_RETAIN) !== 0) reader.fail("willRetainWithoutWill", at, "connectFlags", evidence);
  }
  // 5.0 allows a password without a user name (MQTT 5.0 §3.1.2.9).
  if (reader.version === 4 && (flags & (USER_NAME | PASSWORD)) === PASSWORD) {
    reader.fail("passwordWithoutUserName", at, "connectFlags", evidence);
  }
  return isQoS(willQos) ? willQos : reader.fail("willQos", at, "will.qos", { found: willQos });
}

/** Writes the body of a CONNECT. */
export function writeConnect(writer: Writer, packet: EncodableConnect): void {
  const { clientIdentifier, cleanStart = true, keepAlive = 0, will, userName, password } = packet;
  const { version } = writer;
  if ((packet.protocolVersion ?? version) !== version) {
    const wanted = `${version}, the version to encode for`;
    writer.fail("ERR_MQTT_CODEC_VERSION_FIELD", "protocolVersion", packet.protocolVersion, wanted);
  }
  writer.boolean(cleanStart, "cleanStart");
  if (version === 4 && clientIdentifier === "" && !cleanStart) {
    const wanted = "a client identifier, or cleanStart, in MQTT 3.1.1";
    writer.failWith("ERR_MQTT_CODEC_CLIENT_IDENTIFIER", "clientIdentifier", "empty", wanted);
  }
  if (version === 4 && password !== undefined && userName === undefined) {
    writer.fail("ERR_MQTT_CODEC_CONNECT_FLAGS", "userName", userName, "a user name beside the password in MQTT 3.1.1");
  }
  writer.string("MQTT", "protocolName");
  writer.uint8(version);
  writer.uint8(connectFlags(writer, packet, cleanStart));
  writer.uint16(keepAlive, "keepAlive");
  if (version === 5) writeProperties(writer, propertyLists.connect, packet.properties);
  writer.string(clientIdentifier, "clientIdentifier");
  if (will !== undefined) writeWill(writer, will);
  if (userName !== undefined) writer.string(userName, "userName");
  if (password !== undefined) writer.binary(password, "password");
}

function connectFlags(writer: Writer, { will, userName, password }: EncodableConnect, cleanStart: boolean): number {
  let flags = cleanStart ? CLEAN_START : 0;
  if (will !== undefined) {
    const { qos = 0, retain = false } = writer.object(will, "will");
    if (!isQoS(qos)) writer.fail("ERR_MQTT_CODEC_QOS", "will.qos", qos, "0, 1 or 2");
    flags |= WILL | (qos << WILL_QOS_SHIFT) | (writer.boolean(retain, "will.retain") ? WILL_RETAIN : 0);
  }
  if (userName !== undefined) flags |= USER_NAME;
  if (password !== undefined) flags |= PASSWORD;
  return flags;
}
