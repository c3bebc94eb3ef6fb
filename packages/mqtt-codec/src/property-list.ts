/** Reads and writes the property lists of all packets by the table of `property.ts`. */

import {
  type PropertyDefinition,
  type PropertyList,
  propertyLists,
  propertyName,
  type UserProperty,
} from "./property.ts";
import type { Reader } from "./reader.ts";
import type { Writer } from "./writer.ts";

type Value = number | boolean | string | Uint8Array | readonly number[] | readonly UserProperty[] | undefined;

/** Reads a property length and the properties behind it; undefined where there are none. */
export function readProperties<Properties extends object>(
  reader: Reader,
  list: PropertyList<Properties>,
): Properties | undefined {
  const start = reader.position;
  const length = reader.variableByteInteger("propertyLength");
  if (length === 0) return undefined;
  const packetEnd = reader.end;
  const end = reader.position + length;
  if (end > packetEnd) {
    reader.fail("propertyLength", start, "propertyLength", { length, available: packetEnd - reader.position });
  }
  reader.end = end;
  const properties = { ...list.empty };
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the same object, its fields written by the table
  const fields = properties as Record<string, Value>;
  const userProperties: UserProperty[] = [];
  const identifiers: number[] = [];
  while (reader.position < end) {
    const at = reader.position;
    const definition = readDefinition(reader, list, at);
    const { name, path } = definition;
    if (definition.isList) {
      const limit = reader.limits.maximumUserProperties;
      if (userProperties.length + identifiers.length >= limit) {
        reader.fail("tooManyProperties", at, path, { limit });
      }
      if (definition.kind === "pairs") {
        userProperties.push([reader.recurringString(path), reader.recurringString(path)]);
      } else {
        identifiers.push(readPositive(reader, definition, reader.position, reader.variableByteInteger(path)));
      }
    } else {
      if (fields[name] !== undefined) {
        const evidence = { identifier: definition.identifier, property: name };
        reader.fail("propertyRepeated", at, path, evidence, definition.clause);
      }
      fields[name] = readValue(reader, definition);
    }
  }
  reader.end = packetEnd;
  fields["userProperties"] = userProperties;
  if (fields["subscriptionIdentifiers"] !== undefined) fields["subscriptionIdentifiers"] = identifiers;
  return properties;
}

/** The identifier of the next property, which has to be one of this packet and side. */
function readDefinition(reader: Reader, list: PropertyList<unknown>, at: number): PropertyDefinition {
  const identifier = reader.variableByteInteger("propertyIdentifier");
  const definition = list.byIdentifier[identifier];
  if (definition === undefined) {
    const property = propertyName(identifier);
    if (property === undefined) return reader.fail("propertyIdentifier", at, "propertyIdentifier", { identifier });
    return reader.fail("propertyNotAllowed", at, `${list.path}.${property}`, {
      identifier,
      property,
      allowed: allowedNames(reader, list),
    });
  }
  const { onlyFrom } = definition;
  if (onlyFrom !== undefined && onlyFrom[0] !== (reader.isFromClient ? "client" : "server")) {
    const evidence = { identifier, property: definition.name, allowed: allowedNames(reader, list) };
    reader.fail("propertyOfOtherSide", at, definition.path, evidence, onlyFrom[1]);
  }
  return definition;
}

/** The properties that the sender may put into this packet. */
function allowedNames(reader: Reader, list: PropertyList<unknown>): string[] {
  const side = reader.isFromClient ? "client" : "server";
  const allowed = [...list.byName.values()].filter(({ onlyFrom }) => (onlyFrom?.[0] ?? side) === side);
  return allowed.map(({ name }) => name);
}

function readValue(reader: Reader, definition: PropertyDefinition): Value {
  const at = reader.position;
  const { path } = definition;
  switch (definition.kind) {
    case "text":
      return reader.recurringString(path);
    case "topic":
      return reader.topicName(path, "response");
    case "binary":
      return reader.binary(path);
    case "uint16":
      return reader.uint16(path);
    case "uint32":
      return reader.uint32(path);
    case "positive16":
      return readPositive(reader, definition, at, reader.uint16(path));
    case "positive32":
      return readPositive(reader, definition, at, reader.uint32(path));
    case "positiveVariable":
      return readPositive(reader, definition, at, reader.variableByteInteger(path));
    default: {
      const value = reader.uint8(path);
      if (value > 1) failValue(reader, definition, at, value);
      return definition.kind === "bit" ? value : value === 1;
    }
  }
}

function readPositive(reader: Reader, definition: PropertyDefinition, at: number, value: number): number {
  return value === 0 ? failValue(reader, definition, at, value) : value;
}

function failValue(reader: Reader, definition: PropertyDefinition, at: number, found: number): never {
  const { identifier, name, path, clause, kind } = definition;
  const evidence = { identifier, property: name, found, wanted: wanted[kind] };
  if (name === "topicAlias") reader.fail("topicAlias", at, path, evidence);
  reader.fail("propertyValue", at, path, evidence, name === "maximumQoS" ? "MQTT-3.2.2-9" : clause);
}

interface Authentication {
  readonly authenticationMethod: string | undefined;
  readonly authenticationData: Uint8Array | undefined;
}

/**
 * Authentication data needs an authentication method (MQTT 5.0 §3.1.2.11.10; for CONNACK the text leaves it to be
 * inferred), and AUTH always has one (MQTT 5.0 §3.15.2.2.2).
 */
export function checkAuthentication(
  reader: Reader,
  properties: Authentication | undefined,
  list: PropertyList<Authentication>,
): void {
  if (properties?.authenticationMethod !== undefined) return;
  const isAuth = list === propertyLists.auth;
  if (!isAuth && properties?.authenticationData === undefined) return;
  const at = list.byName.get(isAuth ? "authenticationMethod" : "authenticationData");
  const evidence = { property: "authenticationMethod" };
  reader.fail("authenticationMethodMissing", reader.position, "properties.authenticationMethod", evidence, at?.clause);
}

/**
 * Writes a property length and the properties that are not undefined, in the order of the object's fields. A field that
 * this packet cannot carry is refused, not left out.
 */
export function writeProperties<Properties extends object>(
  writer: Writer,
  list: PropertyList<Properties>,
  properties: { readonly [Name in keyof Properties]?: Properties[Name] | undefined } | undefined,
): void {
  const { path } = list;
  const start = writer.beginLength();
  if (properties !== undefined) {
    if (typeof properties !== "object" || properties === null || Array.isArray(properties)) {
      writer.failField(path, properties, "an object of properties");
    }
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- each value's type is looked at before it is written
    const fields = properties as Readonly<Record<string, unknown>>;
    for (const name in fields) {
      const value = fields[name];
      if (value === undefined) continue;
      const definition = list.byName.get(name);
      if (definition === undefined) failProperty(writer, list, `${path}.${name}`);
      writeProperty(writer, definition, value);
    }
    if (fields["authenticationData"] !== undefined && fields["authenticationMethod"] === undefined) {
      const wanted = "an authentication method beside authentication data";
      writer.fail("ERR_MQTT_CODEC_PROPERTY_MISSING", `${path}.authenticationMethod`, undefined, wanted);
    }
  }
  writer.endLength(start, path);
}

function failProperty(writer: Writer, list: PropertyList<unknown>, field: string): never {
  const names = [...list.byName.keys()].join(", ");
  return writer.failWith("ERR_MQTT_CODEC_PROPERTY_NOT_ALLOWED", field, "no property of this packet", names);
}

function writeProperty(writer: Writer, definition: PropertyDefinition, value: unknown): void {
  const { identifier, isList, kind, path } = definition;
  if (!isList) {
    writer.uint8(identifier);
    writeValue(writer, definition, value);
    return;
  }
  if (!Array.isArray(value)) return failWritten(writer, definition, value);
  const members: readonly unknown[] = value;
  for (let index = 0; index < members.length; index++) {
    const member = members[index];
    writer.uint8(identifier);
    if (kind === "identifiers") {
      writeValue(writer, definition, member);
    } else if (Array.isArray(member) && member.length === 2) {
      writer.string(member[0], path);
      writer.string(member[1], path);
    } else {
      failWritten(writer, definition, member);
    }
  }
}

function writeValue(writer: Writer, definition: PropertyDefinition, value: unknown): void {
  const { kind, path } = definition;
  if (typeof value === "string") {
    if (kind === "text") return writer.string(value, path);
    if (kind === "topic") return writer.topicName(value, path);
  } else if (typeof value === "number") {
    if (value === 0 && (kind === "identifiers" || kind.startsWith("positive"))) failWritten(writer, definition, value);
    if (kind === "uint16" || kind === "positive16") return writer.uint16(value, path);
    if (kind === "uint32" || kind === "positive32") return writer.uint32(value, path);
    if (kind === "positiveVariable" || kind === "identifiers") return writer.variableByteInteger(value, path);
    if (kind === "bit" && (value === 0 || value === 1)) return writer.uint8(value);
  } else if (typeof value === "boolean") {
    if (kind === "boolean") return writer.uint8(value ? 1 : 0);
  } else if (value instanceof Uint8Array && kind === "binary") {
    return writer.binary(value, path);
  }
  failWritten(writer, definition, value);
}

/** What a property of each kind takes, in words. */
const wanted: { readonly [Kind in PropertyDefinition["kind"]]: string } = {
  bit: "0 or 1",
  boolean: "true or false",
  uint16: "0 to 65,535",
  positive16: "1 to 65,535",
  uint32: "0 to 4,294,967,295",
  positive32: "1 to 4,294,967,295",
  positiveVariable: "1 to 268,435,455",
  identifiers: "a list of numbers from 1 to 268,435,455",
  text: "text",
  topic: "a topic name",
  binary: "a Uint8Array",
  pairs: "a list of pairs of texts, [name, value]",
};

function failWritten(writer: Writer, { name, kind, path }: PropertyDefinition, value: unknown): never {
  const isAlias = name === "topicAlias" && value === 0;
  return writer.fail(
    isAlias ? "ERR_MQTT_CODEC_TOPIC_ALIAS" : "ERR_MQTT_CODEC_PROPERTY_VALUE",
    path,
    value,
    wanted[kind],
  );
}
