/** CONNACK, MQTT 3.1.1 and 5.0 §3.2. */

import type { Encodable } from "../packet-type.ts";
import {
  type Building,
  checkPositive,
  PropertyIdentifier,
  readBit,
  readBoolean,
  readPositive,
  readProperties,
  type UserProperty,
  writeBoolean,
  writeByte,
  writeString,
  writeUint16,
  writeUint32,
  writeUserProperties,
} from "../property.ts";
import type { Reader } from "../reader.ts";
import type { Writer } from "../writer.ts";
import { writeAuthentication } from "./connect.ts";
import { readReasonCode, writeReasonCode } from "./reason.ts";

export interface ConnackPacket {
  readonly type: "connack";
  readonly sessionPresent: boolean;
  /** In 3.1.1 the Connect Return Code, 0 to 5; see `ConnectReturnCode` and `ReasonCode`. */
  readonly reasonCode: number;
  readonly properties: ConnackProperties | undefined;
}

export interface ConnackProperties {
  readonly sessionExpiryInterval: number | undefined;
  readonly receiveMaximum: number | undefined;
  readonly maximumQoS: 0 | 1 | undefined;
  readonly retainAvailable: boolean | undefined;
  readonly maximumPacketSize: number | undefined;
  readonly assignedClientIdentifier: string | undefined;
  readonly topicAliasMaximum: number | undefined;
  readonly reasonString: string | undefined;
  readonly wildcardSubscriptionAvailable: boolean | undefined;
  readonly subscriptionIdentifierAvailable: boolean | undefined;
  readonly sharedSubscriptionAvailable: boolean | undefined;
  readonly serverKeepAlive: number | undefined;
  readonly responseInformation: string | undefined;
  readonly serverReference: string | undefined;
  readonly authenticationMethod: string | undefined;
  readonly authenticationData: Uint8Array | undefined;
  readonly userProperties: readonly UserProperty[];
}

/** A CONNACK to encode: accepted, without a session, unless it says otherwise. */
export type EncodableConnack = Omit<Encodable<ConnackPacket, "type">, "properties"> & {
  readonly properties?: EncodableConnackProperties | undefined;
};

type EncodableConnackProperties = Encodable<ConnackProperties, never>;

export function readConnack(reader: Reader): ConnackPacket {
  const at = reader.position;
  const flags = reader.uint8();
  if (flags > 1) reader.fail("ERR_MQTT_CODEC_CONNACK_FLAGS", "MQTT 3.1.1 §3.2.2.1", "MQTT-3.2.2-1", at);
  const reasonCode = readReasonCode(reader, "connack");
  if (flags === 1 && reasonCode !== 0) {
    reader.fail("ERR_MQTT_CODEC_SESSION_PRESENT", "MQTT-3.2.2-4", "MQTT-3.2.2-6", at);
  }
  const properties = reader.version === 5 ? readProperties(reader, 2, emptyProperties, readProperty) : undefined;
  if (properties?.authenticationData !== undefined && properties.authenticationMethod === undefined) {
    reader.fail("ERR_MQTT_CODEC_PROPERTY_MISSING", "", "MQTT 5.0 §3.2.2.3.18");
  }
  reader.finish();
  return { type: "connack", sessionPresent: flags === 1, reasonCode, properties };
}

function emptyProperties(): Building<ConnackProperties> {
  return {
    sessionExpiryInterval: undefined,
    receiveMaximum: undefined,
    maximumQoS: undefined,
    retainAvailable: undefined,
    maximumPacketSize: undefined,
    assignedClientIdentifier: undefined,
    topicAliasMaximum: undefined,
    reasonString: undefined,
    wildcardSubscriptionAvailable: undefined,
    subscriptionIdentifierAvailable: undefined,
    sharedSubscriptionAvailable: undefined,
    serverKeepAlive: undefined,
    responseInformation: undefined,
    serverReference: undefined,
    authenticationMethod: undefined,
    authenticationData: undefined,
    userProperties: [],
  };
}

function readProperty(reader: Reader, identifier: number, properties: Building<ConnackProperties>): void {
  switch (identifier) {
    case PropertyIdentifier.sessionExpiryInterval:
      properties.sessionExpiryInterval = reader.uint32();
      break;
    case PropertyIdentifier.receiveMaximum:
      properties.receiveMaximum = readPositive(reader, "MQTT 5.0 §3.2.2.3.3", "uint16");
      break;
    case PropertyIdentifier.maximumQoS:
      properties.maximumQoS = readBit(reader, "MQTT-3.2.2-9");
      break;
    case PropertyIdentifier.retainAvailable:
      properties.retainAvailable = readBoolean(reader, "MQTT 5.0 §3.2.2.3.5");
      break;
    case PropertyIdentifier.maximumPacketSize:
      properties.maximumPacketSize = readPositive(reader, "MQTT 5.0 §3.2.2.3.6", "uint32");
      break;
    case PropertyIdentifier.assignedClientIdentifier:
      properties.assignedClientIdentifier = reader.string();
      break;
    case PropertyIdentifier.topicAliasMaximum:
      properties.topicAliasMaximum = reader.uint16();
      break;
    case PropertyIdentifier.reasonString:
      properties.reasonString = reader.string();
      break;
    default:
      readFurtherProperty(reader, identifier, properties);
  }
}

function readFurtherProperty(reader: Reader, identifier: number, properties: Building<ConnackProperties>): void {
  switch (identifier) {
    case PropertyIdentifier.wildcardSubscriptionAvailable:
      properties.wildcardSubscriptionAvailable = readBoolean(reader, "MQTT 5.0 §3.2.2.3.11");
      break;
    case PropertyIdentifier.subscriptionIdentifierAvailable:
      properties.subscriptionIdentifierAvailable = readBoolean(reader, "MQTT 5.0 §3.2.2.3.12");
      break;
    case PropertyIdentifier.sharedSubscriptionAvailable:
      properties.sharedSubscriptionAvailable = readBoolean(reader, "MQTT 5.0 §3.2.2.3.13");
      break;
    case PropertyIdentifier.serverKeepAlive:
      properties.serverKeepAlive = reader.uint16();
      break;
    case PropertyIdentifier.responseInformation:
      properties.responseInformation = reader.string();
      break;
    case PropertyIdentifier.serverReference:
      properties.serverReference = reader.string();
      break;
    case PropertyIdentifier.authenticationMethod:
      properties.authenticationMethod = reader.string();
      break;
    default:
      properties.authenticationData = reader.binary();
  }
}

export function writeConnack(writer: Writer, packet: EncodableConnack): number {
  const { sessionPresent = false, reasonCode = 0, properties } = packet;
  if (sessionPresent && reasonCode !== 0) writer.fail("ERR_MQTT_CODEC_SESSION_PRESENT", "sessionPresent");
  writer.uint8(sessionPresent ? 1 : 0);
  writeReasonCode(writer, "connack", reasonCode);
  if (writer.version === 5) {
    const place = writer.beginLength();
    if (properties !== undefined) writeConnackProperties(writer, properties);
    writer.endLength(place, "properties");
  }
  return 0x20;
}

function writeConnackProperties(writer: Writer, properties: EncodableConnackProperties): void {
  checkPositive(writer, properties.receiveMaximum, "properties.receiveMaximum");
  checkPositive(writer, properties.maximumPacketSize, "properties.maximumPacketSize");
  writeUint32(writer, 0x11, properties.sessionExpiryInterval, "properties.sessionExpiryInterval");
  writeUint16(writer, 0x21, properties.receiveMaximum, "properties.receiveMaximum");
  writeByte(writer, 0x24, properties.maximumQoS, "properties.maximumQoS");
  writeBoolean(writer, 0x25, properties.retainAvailable);
  writeUint32(writer, 0x27, properties.maximumPacketSize, "properties.maximumPacketSize");
  writeString(writer, 0x12, properties.assignedClientIdentifier, "properties.assignedClientIdentifier");
  writeUint16(writer, 0x22, properties.topicAliasMaximum, "properties.topicAliasMaximum");
  writeString(writer, 0x1f, properties.reasonString, "properties.reasonString");
  writeBoolean(writer, 0x28, properties.wildcardSubscriptionAvailable);
  writeBoolean(writer, 0x29, properties.subscriptionIdentifierAvailable);
  writeBoolean(writer, 0x2a, properties.sharedSubscriptionAvailable);
  writeUint16(writer, 0x13, properties.serverKeepAlive, "properties.serverKeepAlive");
  writeString(writer, 0x1a, properties.responseInformation, "properties.responseInformation");
  writeString(writer, 0x1c, properties.serverReference, "properties.serverReference");
  writeAuthentication(writer, properties.authenticationMethod, properties.authenticationData);
  writeUserProperties(writer, properties.userProperties);
}
