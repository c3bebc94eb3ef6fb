/** Properties of MQTT 5.0 §2.2.2: identifiers, where each may stand, and reading and writing the list. */

import type { Reader } from "./reader.ts";
import type { Writer } from "./writer.ts";

/** A name and a value; the order of user properties is part of the message (MQTT-3.3.2-18). */
export type UserProperty = readonly [name: string, value: string];

/** Identifiers by the specification's names. */
export const PropertyIdentifier = {
  payloadFormatIndicator: 0x01,
  messageExpiryInterval: 0x02,
  contentType: 0x03,
  responseTopic: 0x08,
  correlationData: 0x09,
  subscriptionIdentifier: 0x0b,
  sessionExpiryInterval: 0x11,
  assignedClientIdentifier: 0x12,
  serverKeepAlive: 0x13,
  authenticationMethod: 0x15,
  authenticationData: 0x16,
  requestProblemInformation: 0x17,
  willDelayInterval: 0x18,
  requestResponseInformation: 0x19,
  responseInformation: 0x1a,
  serverReference: 0x1c,
  reasonString: 0x1f,
  receiveMaximum: 0x21,
  topicAliasMaximum: 0x22,
  topicAlias: 0x23,
  maximumQoS: 0x24,
  retainAvailable: 0x25,
  userProperty: 0x26,
  maximumPacketSize: 0x27,
  wildcardSubscriptionAvailable: 0x28,
  subscriptionIdentifierAvailable: 0x29,
  sharedSubscriptionAvailable: 0x2a,
} as const;

/** Where properties stand: packet types by number, and the will's inside CONNECT. */
export const WILL_PROPERTIES = 0;

/**
 * One bit for each packet type (its number) and the will (bit 0) in which a property may stand, by identifier; MQTT
 * 5.0 table 2-4. An identifier that does not exist has none.
 */
const placesOf = new Uint16Array(0x2b);
/** A bit of its own for each identifier, to notice a second one. */
const seenBitOf = new Int32Array(0x2b);
for (const [index, [identifier, ...places]] of [
  [0x01, 3, 0],
  [0x02, 3, 0],
  [0x03, 3, 0],
  [0x08, 3, 0],
  [0x09, 3, 0],
  [0x0b, 3, 8],
  [0x11, 1, 2, 14],
  [0x12, 2],
  [0x13, 2],
  [0x15, 1, 2, 15],
  [0x16, 1, 2, 15],
  [0x17, 1],
  [0x18, 0],
  [0x19, 1],
  [0x1a, 2],
  [0x1c, 2, 14],
  [0x1f, 2, 4, 5, 6, 7, 9, 11, 14, 15],
  [0x21, 1, 2],
  [0x22, 1, 2],
  [0x23, 3],
  [0x24, 2],
  [0x25, 2],
  [0x26, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 14, 15],
  [0x27, 1, 2],
  [0x28, 2],
  [0x29, 2],
  [0x2a, 2],
].entries()) {
  if (identifier === undefined) continue;
  for (const place of places) placesOf[identifier] = (placesOf[identifier] ?? 0) | (1 << place);
  seenBitOf[identifier] = 1 << index;
}

/** The fields of an object open for writing while it is built; arrays too. */
export type Building<T> = {
  -readonly [Field in keyof T]: T[Field] extends readonly (infer Element)[] ? Element[] : T[Field];
};

/** What every properties object has. */
interface WithUserProperties {
  userProperties: UserProperty[];
}

/**
 * Reads a property length and the properties behind it; undefined where there are none. `read` stores the value of one
 * identifier that may stand here; user properties and the rules on place and repetition are dealt with before it.
 */
export function readProperties<Properties extends WithUserProperties>(
  reader: Reader,
  place: number,
  empty: () => Properties,
  read: (reader: Reader, identifier: number, properties: Properties) => void,
): Properties | undefined {
  const start = reader.position;
  const length = reader.variableByteInteger();
  if (length === 0) return undefined;
  const packetEnd = reader.end;
  const end = reader.position + length;
  if (end > packetEnd) reader.fail("ERR_MQTT_CODEC_PROPERTY_LENGTH", CLAUSE, CLAUSE, start);
  reader.end = end;
  const properties = empty();
  let seen = 0;
  let repeated = 0;
  while (reader.position < end) {
    const at = reader.position;
    const identifier = reader.variableByteInteger();
    const places = placesOf[identifier] ?? 0;
    if (places === 0) reader.fail("ERR_MQTT_CODEC_PROPERTY_IDENTIFIER", CLAUSE, CLAUSE, at);
    if ((places & (1 << place)) === 0) reader.fail("ERR_MQTT_CODEC_PROPERTY_NOT_ALLOWED", CLAUSE, CLAUSE, at);
    const bit = seenBitOf[identifier] ?? 0;
    if ((seen & bit) !== 0) {
      if (!mayRepeat(identifier, place)) reader.fail("ERR_MQTT_CODEC_PROPERTY_REPEATED", CLAUSE, CLAUSE, at);
      repeated += 1;
      if (repeated >= reader.limits.maximumUserProperties) {
        reader.fail("ERR_MQTT_CODEC_TOO_MANY_USER_PROPERTIES", CLAUSE, "MQTT 5.0 §4.13.2", at);
      }
    }
    seen |= bit;
    if (identifier === PropertyIdentifier.userProperty) {
      properties.userProperties.push([reader.string(), reader.string()]);
    } else {
      read(reader, identifier, properties);
    }
  }
  reader.end = packetEnd;
  return properties;
}

const CLAUSE = "MQTT 5.0 §2.2.2";

/** User properties, and the subscription identifiers of a PUBLISH. */
function mayRepeat(identifier: number, place: number): boolean {
  return (
    identifier === PropertyIdentifier.userProperty ||
    (identifier === PropertyIdentifier.subscriptionIdentifier && place === 3)
  );
}

/** A byte that is 0 or 1. */
export function readBit(reader: Reader, clause: string): 0 | 1 {
  const at = reader.position;
  const value = reader.uint8();
  if (value === 0 || value === 1) return value;
  return reader.fail("ERR_MQTT_CODEC_PROPERTY_VALUE", clause, clause, at);
}

export function readBoolean(reader: Reader, clause: string): boolean {
  return readBit(reader, clause) === 1;
}

/** A value that is not 0. */
export function readPositive(
  reader: Reader,
  clause: string,
  kind: "uint16" | "uint32" | "variableByteInteger",
): number {
  const at = reader.position;
  const value = reader[kind]();
  if (value === 0) reader.fail("ERR_MQTT_CODEC_PROPERTY_VALUE", clause, clause, at);
  return value;
}

/** Writes one property unless it is undefined: identifier, then the value. */
export function writeByte(writer: Writer, identifier: number, value: number | undefined, field: string): void {
  if (value === undefined) return;
  if (value !== 0 && value !== 1) writer.fail("ERR_MQTT_CODEC_PROPERTY_VALUE", field);
  writer.uint8(identifier);
  writer.uint8(value);
}

export function writeBoolean(writer: Writer, identifier: number, value: boolean | undefined): void {
  if (value === undefined) return;
  writer.uint8(identifier);
  writer.uint8(value ? 1 : 0);
}

export function writeUint16(writer: Writer, identifier: number, value: number | undefined, field: string): void {
  if (value === undefined) return;
  writer.uint8(identifier);
  writer.uint16(value, field);
}

export function writeUint32(writer: Writer, identifier: number, value: number | undefined, field: string): void {
  if (value === undefined) return;
  writer.uint8(identifier);
  writer.uint32(value, field);
}

export function writeString(writer: Writer, identifier: number, value: string | undefined, field: string): void {
  if (value === undefined) return;
  writer.uint8(identifier);
  writer.string(value, field);
}

export function writeBinary(writer: Writer, identifier: number, value: Uint8Array | undefined, field: string): void {
  if (value === undefined) return;
  writer.uint8(identifier);
  writer.binary(value, field);
}

export function writeSubscriptionIdentifier(writer: Writer, value: number): void {
  writer.uint8(PropertyIdentifier.subscriptionIdentifier);
  if (value === 0) writer.fail("ERR_MQTT_CODEC_PROPERTY_VALUE", "properties.subscriptionIdentifier");
  writer.variableByteInteger(value, "properties.subscriptionIdentifier");
}

/** Refuses a 0 where the specification does. */
export function checkPositive(writer: Writer, value: number | undefined, field: string): void {
  if (value === 0) writer.fail("ERR_MQTT_CODEC_PROPERTY_VALUE", field);
}

export function writeUserProperties(writer: Writer, userProperties: readonly UserProperty[] | undefined): void {
  if (userProperties === undefined) return;
  for (const [name, value] of userProperties) {
    writer.uint8(PropertyIdentifier.userProperty);
    writer.string(name, "properties.userProperties");
    writer.string(value, "properties.userProperties");
  }
}
