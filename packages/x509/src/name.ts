/** Distinguished names (RFC 5280 §4.1.2.4): reading, making, and looking attributes up. */

import { decodeText, DerReader, encodeDer, encodeOid, equalBytes, Tag } from "@latchkey/asn1";
import { type AttributeName, attributeOid, attributeTypeOfLabel } from "./attribute-types.ts";
import { reading, refuseEmpty, X509Error } from "./errors.ts";

/** One attribute: AttributeTypeAndValue. */
export interface NameAttribute {
  /** Content octets of the type's object identifier, a view. */
  readonly type: Uint8Array;
  /** Identifier octet of the value. */
  readonly valueTag: number;
  /** Content octets of the value, a view. */
  readonly value: Uint8Array;
  /** What the value says; undefined for TeletexString, for what is no string, and for a malformed string. */
  readonly text: string | undefined;
  /** Where the value's content starts in the input. */
  readonly valueOffset: number;
}

/** RelativeDistinguishedName: a set of attributes, mostly of one. */
export type RelativeDistinguishedName = readonly NameAttribute[];

export interface Name {
  /** The relative distinguished names in the order of their encoding, the most general first. */
  readonly rdns: readonly RelativeDistinguishedName[];
  /** The whole Name as DER, a view: what is written again stays byte for byte. */
  readonly encoding: Uint8Array;
}

/** An attribute to make a name of: a known type by its name, any other by its dotted identifier. */
export interface NameAttributeInput {
  readonly type: AttributeName | (string & {});
  readonly value: string;
}

/** Reads a DER Name. Views. Throws `ERR_X509_MALFORMED`, `ERR_X509_EMPTY_LIST`, `ERR_X509_NAME_STRING`. */
export function parseName(der: Uint8Array): Name {
  return reading("Name", () => {
    const reader = new DerReader(der);
    const name = readName(reader);
    reader.end();
    checkNameStrings(name);
    return name;
  });
}

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
    attributes.push({ type, valueTag, value, text: decodeText(valueTag, value), valueOffset });
  }
  return attributes;
}

/**
 * Refuses octets that a value's string type does not allow: `ERR_X509_NAME_STRING`.
 *
 * TeletexString is let through: it is never turned into text, and compared as bytes.
 */
export function checkNameStrings(name: Name): void {
  for (const rdn of name.rdns) {
    for (const { valueTag, text, valueOffset } of rdn) {
      if (text === undefined && isTextTag(valueTag)) {
        throw new X509Error("ERR_X509_NAME_STRING", "a name's string holds octets that its type does not allow", {
          offset: valueOffset,
          clause: "RFC 5280 §4.1.2.4",
        });
      }
    }
  }
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

/** The text of a value; undefined for TeletexString and for whatever is no string. */
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
 * A value that is no text keeps its place as undefined, so that an index means the same to everybody.
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
  return parseName(sequence);
}

function encodeAttribute({ type, value }: NameAttributeInput): Uint8Array {
  const known = attributeTypeOfLabel(type);
  try {
    return encodeDer((writer) => {
      writer.sequence((body) => {
        body.oid(known?.oid ?? encodeOid(type));
        if (known?.tag === Tag.printableString) body.printableString(value);
        else if (known?.tag === Tag.ia5String) body.ia5String(value);
        else body.utf8String(value);
      });
    });
  } catch (cause) {
    throw new X509Error("ERR_X509_VALUE", `no attribute ${type} with this value can be written`, { cause });
  }
}
