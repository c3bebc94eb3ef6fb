/** Attribute types of distinguished names: identifiers, names and labels. */

import { encodeOid, Tag } from "@latchkey/asn1";
import { oidKey } from "./oid-key.ts";

/**
 * Object identifier, label in RFC 4514 text, and the string type that new values get.
 *
 * X.520 and RFC 5280 §A.1 fix PrintableString for countryName, serialNumber and dnQualifier, and IA5String for
 * domainComponent and emailAddress; everything else is a DirectoryString, written as UTF8String (§4.1.2.4).
 */
const rows: readonly (readonly [name: AttributeName, oid: string, label: string, tag: number])[] = [
  ["commonName", "2.5.4.3", "CN", Tag.utf8String],
  ["surname", "2.5.4.4", "SN", Tag.utf8String],
  ["serialNumber", "2.5.4.5", "serialNumber", Tag.printableString],
  ["countryName", "2.5.4.6", "C", Tag.printableString],
  ["localityName", "2.5.4.7", "L", Tag.utf8String],
  ["stateOrProvinceName", "2.5.4.8", "ST", Tag.utf8String],
  ["streetAddress", "2.5.4.9", "STREET", Tag.utf8String],
  ["organizationName", "2.5.4.10", "O", Tag.utf8String],
  ["organizationalUnitName", "2.5.4.11", "OU", Tag.utf8String],
  ["title", "2.5.4.12", "title", Tag.utf8String],
  ["businessCategory", "2.5.4.15", "businessCategory", Tag.utf8String],
  ["postalCode", "2.5.4.17", "postalCode", Tag.utf8String],
  ["givenName", "2.5.4.42", "GN", Tag.utf8String],
  ["initials", "2.5.4.43", "initials", Tag.utf8String],
  ["generationQualifier", "2.5.4.44", "generationQualifier", Tag.utf8String],
  ["dnQualifier", "2.5.4.46", "dnQualifier", Tag.printableString],
  ["pseudonym", "2.5.4.65", "pseudonym", Tag.utf8String],
  ["organizationIdentifier", "2.5.4.97", "organizationIdentifier", Tag.utf8String],
  ["userId", "0.9.2342.19200300.100.1.1", "UID", Tag.utf8String],
  ["domainComponent", "0.9.2342.19200300.100.1.25", "DC", Tag.ia5String],
  ["emailAddress", "1.2.840.113549.1.9.1", "emailAddress", Tag.ia5String],
];

/** The attribute types that have a name here; every other is named by its object identifier. */
export type AttributeName =
  | "commonName"
  | "surname"
  | "serialNumber"
  | "countryName"
  | "localityName"
  | "stateOrProvinceName"
  | "streetAddress"
  | "organizationName"
  | "organizationalUnitName"
  | "title"
  | "businessCategory"
  | "postalCode"
  | "givenName"
  | "initials"
  | "generationQualifier"
  | "dnQualifier"
  | "pseudonym"
  | "organizationIdentifier"
  | "userId"
  | "domainComponent"
  | "emailAddress";

/** A type of attribute that has a name here. */
export interface AttributeType {
  readonly name: AttributeName;
  readonly oid: Uint8Array;
  readonly label: string;
  readonly tag: number;
}

const types: readonly AttributeType[] = /* @__PURE__ */ makeTypes();

function makeTypes(): readonly AttributeType[] {
  return rows.map(([name, oid, label, tag]) => ({ name, oid: encodeOid(oid), label, tag }));
}

const byOid: ReadonlyMap<string, AttributeType> = /* @__PURE__ */ new Map(
  types.map((type) => [oidKey(type.oid), type]),
);
/** What other programs call the types, in lower case: OpenSSL, Microsoft, Java. */
const aliases: { readonly [Name in AttributeName]?: readonly string[] } = {
  emailAddress: ["e", "email"],
  stateOrProvinceName: ["s", "sp"],
  givenName: ["g"],
  title: ["t"],
  streetAddress: ["street address"],
  generationQualifier: ["generation"],
};

const byLabel: ReadonlyMap<string, AttributeType> = /* @__PURE__ */ new Map(
  types.flatMap((type) => [
    [type.label.toLowerCase(), type],
    [type.name.toLowerCase(), type],
    ...(aliases[type.name] ?? []).map((alias): [string, AttributeType] => [alias, type]),
  ]),
);

/** The type with this identifier. */
export function attributeTypeOfOid(oid: Uint8Array): AttributeType | undefined {
  return byOid.get(oidKey(oid));
}

/** The type with this label or name, in any case. */
export function attributeTypeOfLabel(label: string): AttributeType | undefined {
  return byLabel.get(label.toLowerCase());
}

/** The content octets of a named type's identifier. */
export function attributeOid(name: AttributeName): Uint8Array {
  const type = byLabel.get(name.toLowerCase());
  if (type === undefined) throw new TypeError(name);
  return type.oid;
}
