/** Identifier octets: class, primitive or constructed, and number in one octet (X.690 §8.1.2). */

/** The universal types that X.509, PKCS #8, PKCS #10 and revocation lists use. */
export const Tag = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  null: 0x05,
  objectIdentifier: 0x06,
  enumerated: 0x0a,
  utf8String: 0x0c,
  numericString: 0x12,
  printableString: 0x13,
  teletexString: 0x14,
  ia5String: 0x16,
  utcTime: 0x17,
  generalizedTime: 0x18,
  visibleString: 0x1a,
  universalString: 0x1c,
  bmpString: 0x1e,
  sequence: 0x30,
  set: 0x31,
} as const;

/** The identifier octet of `[number]` on a primitive type with an implicit tag. */
export function contextPrimitive(number: number): number {
  return 0x80 | number;
}

/** The identifier octet of `[number]` on a constructed type with an implicit tag, or of any explicit tag. */
export function contextConstructed(number: number): number {
  return 0xa0 | number;
}

const names: ReadonlyMap<number, string> = /* @__PURE__ */ new Map([
  [Tag.boolean, "BOOLEAN"],
  [Tag.integer, "INTEGER"],
  [Tag.bitString, "BIT STRING"],
  [Tag.octetString, "OCTET STRING"],
  [Tag.null, "NULL"],
  [Tag.objectIdentifier, "OBJECT IDENTIFIER"],
  [Tag.enumerated, "ENUMERATED"],
  [Tag.utf8String, "UTF8String"],
  [Tag.numericString, "NumericString"],
  [Tag.printableString, "PrintableString"],
  [Tag.teletexString, "TeletexString"],
  [Tag.ia5String, "IA5String"],
  [Tag.utcTime, "UTCTime"],
  [Tag.generalizedTime, "GeneralizedTime"],
  [Tag.visibleString, "VisibleString"],
  [Tag.universalString, "UniversalString"],
  [Tag.bmpString, "BMPString"],
  [Tag.sequence, "SEQUENCE"],
  [Tag.set, "SET"],
]);

/** What an identifier octet stands for, for people: `SEQUENCE (0x30)`, `[0] (0xa0)`. */
export function tagName(tag: number): string {
  const hasNumber = tag >= 0x80 && tag < 0xc0 && (tag & 0x1f) !== 0x1f;
  const name = names.get(tag) ?? (hasNumber ? `[${tag & 0x1f}]` : undefined);
  const hex = `0x${tag.toString(16).padStart(2, "0")}`;
  return name === undefined ? hex : `${name} (${hex})`;
}
