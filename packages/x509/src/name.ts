/** Distinguished names (RFC 5280 §4.1.2.4): reading, making, and looking attributes up. */

import { decodeOid, decodeText, DerReader, encodeDer, encodeOid, equalBytes, Tag } from "@latchkey/asn1";
import { stringFault } from "@latchkey/asn1/internal";
import { type AttributeName, attributeOid, attributeTypeOfLabel, attributeTypeOfOid } from "./attribute-types.ts";
import { reading, refuseEmpty, tolerable, X509Error } from "./errors.ts";
import type { Tolerate } from "./tolerance.ts";

/** One attribute: AttributeTypeAndValue. */
export interface NameAttribute {
  /** Content octets of the type's object identifier, a view. */
  readonly type: Uint8Array;
  /** Identifier octet of the value. */
  readonly valueTag: number;
  /** Content octets of the value, a view. */
  readonly value: Uint8Array;
  /**
   * What the value says. Undefined for TeletexString, for what is no string, and for a malformed string that is not all
   * visible ASCII.
   */
  readonly text: string | undefined;
  /**
   * Whether the string holds octets that its type does not allow. Such a value is read where `nameString` is tolerated,
   * and matches only the same octets under the same string type.
   */
  readonly isMalformed: boolean;
  /** Where the value's content starts in the input. */
  readonly valueOffset: number;
}

/** RelativeDistinguishedName: a set of attributes, mostly of one. */
export type RelativeDistinguishedName = readonly NameAttribute[];

/** A distinguished name: sets of attributes. */
export interface Name {
  /** The relative distinguished names in the order of their encoding, the most general first. */
  readonly rdns: readonly RelativeDistinguishedName[];
  /** The whole Name as DER, a view: what is written again stays byte for byte. */
  readonly encoding: Uint8Array;
}

/** An attribute to make a name of: a known type by its name, any other by its dotted identifier. */
export interface NameAttributeInput {
  readonly type: AttributeName | (string & {});
  /** Text, which gets the string type of the attribute type; or the whole value as DER, which is written as it is. */
  readonly value: string | Uint8Array;
}

/**
 * Reads a DER Name. Views. Throws `ERR_X509_MALFORMED`, `ERR_X509_EMPTY_LIST`, and `ERR_X509_NAME_STRING` unless
 * `checkContents` is false.
 */
export function parseName(der: Uint8Array, { checkContents = true }: { readonly checkContents?: boolean } = {}): Name {
  return reading("Name", () => {
    const reader = new DerReader(der);
    const name = readName(reader);
    reader.end();
    if (checkContents) checkNameStrings(name);
    return name;
  });
}

/** Reads a Name. Strings are not checked: `checkNameStrings` does that. */
export function readName(reader: DerReader): Name {
  const { offset } = reader;
  const outerEnd = reader.enter();
  const rdns: RelativeDistinguishedName[] = [];
  while (!reader.isAtEnd) {
    const nameEnd = reader.enter(Tag.set);
    refuseEmpty(reader.isAtEnd, "RelativeDistinguishedName", reader.offset);
    rdns.push(readAttributes(reader));
    reader.leave(nameEnd);
  }
  reader.leave(outerEnd);
  return { rdns, encoding: reader.since(offset) };
}

/** The attributes up to the reader's end. */
export function readAttributes(reader: DerReader): RelativeDistinguishedName {
  const attributes: NameAttribute[] = [];
  while (!reader.isAtEnd) {
    const setEnd = reader.enter();
    const type = reader.oid();
    const valueTag = reader.nextTag;
    const value = reader.primitive(valueTag);
    const valueOffset = reader.offset - value.length;
    reader.leave(setEnd);
    const text = decodeText(valueTag, value);
    const isMalformed = text === undefined && isTextTag(valueTag);
    attributes.push({
      type,
      valueTag,
      value,
      text: isMalformed ? decodeText(Tag.visibleString, value) : text,
      isMalformed,
      valueOffset,
    });
  }
  return attributes;
}

/**
 * Refuses octets that a value's string type does not allow, unless `nameString` is tolerated: `ERR_X509_NAME_STRING`.
 *
 * TeletexString passes: it is never turned into text, and compared as octets.
 */
export function checkNameStrings(name: Name, tolerate?: Tolerate): void {
  for (const rdn of name.rdns) {
    for (const attribute of rdn) {
      if (!attribute.isMalformed) continue;
      if (tolerate !== undefined && tolerate("nameString", attribute.valueOffset)) continue;
      throw nameStringFault(attribute);
    }
  }
}

function nameStringFault({ type, valueTag, value, valueOffset }: NameAttribute): Error {
  const attribute = attributeTypeOfOid(type)?.name ?? decodeOid(type);
  const { reason, type: stringType, octet, position } = stringFault(valueTag, value);
  return new X509Error("ERR_X509_NAME_STRING", tolerable(`${attribute}: ${reason}`, "nameString"), {
    attribute,
    type: stringType,
    octet,
    position,
    tolerance: "nameString",
    offset: valueOffset + position,
    clause: "RFC 5280 §4.1.2.4",
  });
}

function isTextTag(tag: number): boolean {
  return (
    tag === Tag.utf8String ||
    tag === Tag.printableString ||
    tag === Tag.ia5String ||
    tag === Tag.bmpString ||
    tag === Tag.universalString ||
    tag === Tag.numericString ||
    tag === Tag.visibleString
  );
}

/** The text of a value; undefined for TeletexString and for a value that is no string. */
export function attributeText(attribute: NameAttribute): string | undefined {
  return attribute.text;
}

/** Every attribute of a type, in the order of the encoding, those of multi-valued sets included. */
export function attributesOf(name: Name, type: AttributeName | Uint8Array): NameAttribute[] {
  const oid = typeof type === "string" ? attributeOid(type) : type;
  const found: NameAttribute[] = [];
  for (const rdn of name.rdns) for (const attribute of rdn) if (equalBytes(attribute.type, oid)) found.push(attribute);
  return found;
}

/**
 * The text of every attribute of a type, in the order of the encoding.
 *
 * A value that is no text keeps its place as undefined, so an index counts all values of the type.
 */
export function attributeValues(name: Name, type: AttributeName | Uint8Array): (string | undefined)[] {
  return attributesOf(name, type).map(({ text }) => text);
}

/**
 * A name of one attribute a set, in the given order (the most general first: country before commonName).
 *
 * Values get the string type that their attribute type wants. Throws `ERR_X509_VALUE` where it cannot hold the text.
 */
export function makeName(attributes: readonly NameAttributeInput[]): Name {
  return makeNameOfSets(attributes.map((attribute) => [attribute]));
}

/** A name of the given sets of attributes. */
export function makeNameOfSets(sets: readonly (readonly NameAttributeInput[])[]): Name {
  const sequence = encodeDer((writer) => {
    writer.sequence((body) => {
      for (const set of sets) body.setOf(set.map(encodeAttribute));
    });
  });
  // Strings are written as their types want them. A value that was given as DER is the caller's.
  return reading("Name", () => readName(new DerReader(sequence)));
}

function oneElement(der: Uint8Array): Uint8Array {
  const reader = new DerReader(der);
  reader.primitive(reader.nextTag);
  reader.end();
  return der;
}

function encodeAttribute({ type, value }: NameAttributeInput): Uint8Array {
  const known = attributeTypeOfLabel(type);
  try {
    return encodeDer((writer) => {
      writer.sequence((body) => {
        body.oid(known?.oid ?? encodeOid(type));
        if (typeof value !== "string") body.encoded(oneElement(value));
        else if (known?.tag === Tag.printableString) body.printableString(value);
        else if (known?.tag === Tag.ia5String) body.ia5String(value);
        else body.utf8String(value);
      });
    });
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : "unknown";
    throw new X509Error("ERR_X509_VALUE", `the attribute ${type} cannot be written: ${why}`, { cause });
  }
}
