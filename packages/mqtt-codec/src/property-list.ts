/** Reads and writes the property lists of all packets by the table of `property.ts`. */

import {
  isPropertyIdentifier,
  type Place,
  propertiesOf,
  type PropertyDefinition,
  type UserProperty,
} from "./property.ts";
import type { Reader } from "./reader.ts";
import type { Writer } from "./writer.ts";

type Value = number | boolean | string | Uint8Array | readonly number[] | readonly UserProperty[] | undefined;

const SUBSCRIPTION_IDENTIFIER = 0x0b;
const SESSION_EXPIRY_INTERVAL = 0x11;
const SERVER_REFERENCE = 0x1c;
const TOPIC_ALIAS = 0x23;

const CLAUSE = "MQTT 5.0 §2.2.2";

/** The definitions of each place by identifier. */
const byIdentifier: readonly (readonly (PropertyDefinition | undefined)[])[] = propertiesOf.map((definitions) =>
  Array.from({ length: 0x2b }, (_, identifier) => definitions.find((one) => one.identifier === identifier)),
);

/** For each place a list without any property, its fields in one order: what is read is filled into a copy. */
const templates: readonly Record<string, Value>[] = propertiesOf.map((definitions) =>
  Object.fromEntries(definitions.map(({ field }) => [field, undefined])),
);

/**
 * Reads a property length and the properties behind it; undefined where there are none. `Properties` is the interface
 * of the packet that `place` names.
 */
// oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- the place decides the type, by the table
export function readProperties<Properties extends object>(reader: Reader, place: Place): Properties | undefined {
  const start = reader.position;
  const length = reader.variableByteInteger();
  if (length === 0) return undefined;
  const packetEnd = reader.end;
  const end = reader.position + length;
  if (end > packetEnd) reader.fail("ERR_MQTT_CODEC_PROPERTY_LENGTH", start, CLAUSE);
  reader.end = end;
  const properties = { ...templates[place] };
  const userProperties: UserProperty[] = [];
  const subscriptionIdentifiers: number[] = [];
  while (reader.position < end) {
    const at = reader.position;
    const definition = readDefinition(reader, place, at);
    const { field } = definition;
    if (definition.isList) {
      if (userProperties.length + subscriptionIdentifiers.length >= reader.limits.maximumUserProperties) {
        reader.fail("ERR_MQTT_CODEC_TOO_MANY_USER_PROPERTIES", at, CLAUSE, "MQTT 5.0 §4.13.2");
      }
      if (definition.kind === "pair") {
        userProperties.push([reader.recurringString(), reader.recurringString()]);
      } else {
        subscriptionIdentifiers.push(reader.variableByteInteger() || failValue(reader, definition, at));
      }
    } else {
      if (properties[field] !== undefined) reader.fail("ERR_MQTT_CODEC_PROPERTY_REPEATED", at, CLAUSE);
      properties[field] = readValue(reader, definition);
    }
  }
  reader.end = packetEnd;
  properties["userProperties"] = userProperties;
  if (place === 3) properties["subscriptionIdentifiers"] = subscriptionIdentifiers;
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the table has the fields of each interface (tested)
  return properties as Properties;
}

/** The identifier of the next property, which has to be one of this place and side. */
function readDefinition(reader: Reader, place: Place, at: number): PropertyDefinition {
  const identifier = reader.variableByteInteger();
  const definition = byIdentifier[place]?.[identifier];
  if (definition === undefined) {
    const isKnown = isPropertyIdentifier(identifier);
    const code = isKnown ? "ERR_MQTT_CODEC_PROPERTY_NOT_ALLOWED" : "ERR_MQTT_CODEC_PROPERTY_IDENTIFIER";
    return reader.fail(code, at, CLAUSE);
  }
  const wrongSide = wrongSideClause(place, identifier, reader.isFromClient);
  if (wrongSide !== undefined) reader.fail("ERR_MQTT_CODEC_PROPERTY_NOT_ALLOWED", at, wrongSide);
  return definition;
}

/** Properties that only one side may send in a packet of both. */
function wrongSideClause(place: Place, identifier: number, isFromClient: boolean): string | undefined {
  if (place === 3) {
    return isFromClient && identifier === SUBSCRIPTION_IDENTIFIER ? "MQTT-3.3.4-6" : undefined;
  }
  if (place !== 14) return undefined;
  if (isFromClient) return identifier === SERVER_REFERENCE ? "MQTT 5.0 §3.14.2.2.5" : undefined;
  return identifier === SESSION_EXPIRY_INTERVAL ? "MQTT-3.14.2-2" : undefined;
}

function readValue(reader: Reader, definition: PropertyDefinition): Value {
  const at = reader.position;
  switch (definition.kind) {
    case "text":
      return reader.recurringString();
    case "topic":
      return reader.nonEmptyTopicName();
    case "binary":
      return reader.binary();
    case "uint16":
      return reader.uint16();
    case "uint32":
      return reader.uint32();
    case "positive16":
      return reader.uint16() || failValue(reader, definition, at);
    case "positive32":
      return reader.uint32() || failValue(reader, definition, at);
    case "positiveVariable":
      return reader.variableByteInteger() || failValue(reader, definition, at);
    default: {
      const value = reader.uint8();
      if (value > 1) failValue(reader, definition, at);
      return definition.kind === "bit" ? value : value === 1;
    }
  }
}

function failValue(reader: Reader, { identifier, clause }: PropertyDefinition, at: number): never {
  const isAlias = identifier === TOPIC_ALIAS;
  reader.fail(isAlias ? "ERR_MQTT_CODEC_TOPIC_ALIAS" : "ERR_MQTT_CODEC_PROPERTY_VALUE", at, clause);
}

/** Authentication Data needs an Authentication Method, and AUTH always does (MQTT 5.0 §3.1.2.11.10, §3.15.2.2.2). */
export function checkAuthentication(
  reader: Reader,
  properties: { authenticationMethod: string | undefined; authenticationData: Uint8Array | undefined } | undefined,
  isAuth: boolean,
): void {
  if (properties?.authenticationMethod !== undefined) return;
  if (!isAuth && properties?.authenticationData === undefined) return;
  const clause = isAuth ? "MQTT 5.0 §3.15.2.2.2" : "MQTT 5.0 §3.1.2.11.10";
  reader.fail("ERR_MQTT_CODEC_PROPERTY_MISSING", reader.position, clause);
}

/** Writes a property length and the properties that are not undefined, by increasing identifier. */
export function writeProperties(writer: Writer, place: Place, properties: object | undefined): void {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- each value's type is looked at before it is written
  const fields = (properties ?? {}) as Readonly<Record<string, Value>>;
  if (fields["authenticationData"] !== undefined && fields["authenticationMethod"] === undefined) {
    writer.fail("ERR_MQTT_CODEC_PROPERTY_MISSING", "properties.authenticationMethod");
  }
  const values = propertiesOf[place]?.map(({ field }) => fields[field]);
  writePropertyValues(writer, place, values ?? []);
}

/** The same with the values of all properties of the place, in the table's order. */
export function writePropertyValues(writer: Writer, place: Place, values: readonly Value[]): void {
  const start = writer.beginLength();
  const definitions = propertiesOf[place] ?? [];
  for (let index = 0; index < definitions.length; index++) {
    const definition = definitions[index];
    const value = values[index];
    if (definition !== undefined && value !== undefined) writeProperty(writer, definition, value);
  }
  writer.endLength(start, "properties");
}

function writeProperty(writer: Writer, definition: PropertyDefinition, value: Value): void {
  const { identifier, isList, kind } = definition;
  if (isList !== Array.isArray(value)) writer.fail("ERR_MQTT_CODEC_PROPERTY_VALUE", definition.path);
  for (const one of Array.isArray(value) ? value : [value]) {
    writer.uint8(identifier);
    if (kind === "pair") {
      writeValue(writer, definition, one[0]);
      writeValue(writer, definition, one[1]);
    } else {
      writeValue(writer, definition, one);
    }
  }
}

function writeValue(writer: Writer, definition: PropertyDefinition, value: unknown): void {
  const { kind, path: field } = definition;
  if (typeof value === "string") {
    if (kind === "text" || kind === "pair") return writer.string(value, field);
    if (kind === "topic") return writer.nonEmptyTopicName(value, field);
  } else if (typeof value === "number") {
    if (value === 0 && isPositive(kind)) {
      const isAlias = definition.identifier === TOPIC_ALIAS;
      writer.fail(isAlias ? "ERR_MQTT_CODEC_TOPIC_ALIAS" : "ERR_MQTT_CODEC_PROPERTY_VALUE", field);
    }
    if (kind === "uint16" || kind === "positive16") return writer.uint16(value, field);
    if (kind === "uint32" || kind === "positive32") return writer.uint32(value, field);
    if (kind === "positiveVariable") return writer.variableByteInteger(value, field);
    if (kind === "bit" && (value === 0 || value === 1)) return writer.uint8(value);
  } else if (typeof value === "boolean") {
    if (kind === "boolean") return writer.uint8(value ? 1 : 0);
  } else if (value instanceof Uint8Array && kind === "binary") {
    return writer.binary(value, field);
  }
  writer.fail("ERR_MQTT_CODEC_PROPERTY_VALUE", field);
}

function isPositive(kind: PropertyDefinition["kind"]): boolean {
  return kind === "positive16" || kind === "positive32" || kind === "positiveVariable";
}
