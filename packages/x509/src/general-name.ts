/** GeneralName (RFC 5280 §4.2.1.6), all nine forms. */

import { contextConstructed, contextPrimitive, type DerReader, type DerWriter, Tag } from "@latchkey/asn1";
import { tagName } from "@latchkey/asn1/internal";
import { refuseEmpty, X509Error } from "./errors.ts";
import { checkNameStrings, type Name, readName } from "./name.ts";

/**
 * A name as its form carries it. Texts are ASCII and may hold any of it, also NUL: they are compared whole and never
 * taken out of printed text. Octets are views.
 */
export type GeneralName =
  /** `value` is the value with tag and length. */
  | { readonly type: "otherName"; readonly typeId: Uint8Array; readonly value: Uint8Array }
  | { readonly type: "rfc822Name"; readonly value: string }
  | { readonly type: "dNSName"; readonly value: string }
  /** `value` is the whole element: the form is not looked into. */
  | { readonly type: "x400Address"; readonly value: Uint8Array }
  | { readonly type: "directoryName"; readonly value: Name }
  /** `value` is the whole element: the form is not looked into. */
  | { readonly type: "ediPartyName"; readonly value: Uint8Array }
  | { readonly type: "uniformResourceIdentifier"; readonly value: string }
  /** 4 or 16 octets; in name constraints 8 or 32, address and mask. */
  | { readonly type: "iPAddress"; readonly value: Uint8Array }
  | { readonly type: "registeredID"; readonly value: Uint8Array };

/** GeneralNames: at least one, up to the reader's end. */
export function readGeneralNames(reader: DerReader): GeneralName[] {
  refuseEmpty(reader.isAtEnd, "GeneralNames", reader.offset);
  const names: GeneralName[] = [];
  while (!reader.isAtEnd) names.push(readGeneralName(reader, readAddress));
  return names;
}

/** One GeneralName whose iPAddress is what `readIp` takes. */
export function readGeneralName(
  reader: DerReader,
  readIp: (reader: DerReader, tag: number) => Uint8Array,
): GeneralName {
  const tag = reader.nextTag;
  switch (tag) {
    case contextConstructed(0): {
      const fields = reader.sequence(tag);
      const typeId = fields.oid();
      const explicit = fields.explicit(0);
      const value = explicit.any().encoding;
      explicit.end();
      fields.end();
      return { type: "otherName", typeId, value };
    }
    case contextPrimitive(1):
      return { type: "rfc822Name", value: reader.text(Tag.ia5String, tag) };
    case contextPrimitive(2):
      return { type: "dNSName", value: reader.text(Tag.ia5String, tag) };
    case contextConstructed(3):
      return { type: "x400Address", value: reader.element(tag).encoding };
    case contextConstructed(4): {
      // A CHOICE cannot be tagged implicitly, so the Name stands within the tag whole.
      const fields = reader.sequence(tag);
      const value = readName(fields);
      fields.end();
      checkNameStrings(value, (name, at) => fields.tolerates(name, at));
      return { type: "directoryName", value };
    }
    case contextConstructed(5):
      return { type: "ediPartyName", value: reader.element(tag).encoding };
    case contextPrimitive(6):
      return { type: "uniformResourceIdentifier", value: reader.text(Tag.ia5String, tag) };
    case contextPrimitive(7):
      return { type: "iPAddress", value: readIp(reader, tag) };
    case contextPrimitive(8):
      return { type: "registeredID", value: reader.oid(tag) };
    default:
      throw new X509Error("ERR_X509_GENERAL_NAME", `${tagName(tag)} is no form of GeneralName; [0] to [8] are`, {
        found: tagName(tag),
        allowed: "[0] to [8]",
        offset: reader.offset,
        clause: "RFC 5280 §4.2.1.6",
      });
  }
}

/** Writes one GeneralName. */
export function writeGeneralName(writer: DerWriter, name: GeneralName): void {
  switch (name.type) {
    case "otherName":
      writer.sequence((fields) => {
        fields.oid(name.typeId);
        fields.explicit(0, (explicit) => explicit.encoded(name.value));
      }, contextConstructed(0));
      return;
    case "rfc822Name":
      writer.ia5String(name.value, contextPrimitive(1));
      return;
    case "dNSName":
      writer.ia5String(name.value, contextPrimitive(2));
      return;
    case "directoryName":
      writer.explicit(4, (explicit) => explicit.encoded(name.value.encoding));
      return;
    case "uniformResourceIdentifier":
      writer.ia5String(name.value, contextPrimitive(6));
      return;
    case "iPAddress":
      writer.octetString(name.value, contextPrimitive(7));
      return;
    case "registeredID":
      writer.oid(name.value, contextPrimitive(8));
      return;
    case "x400Address":
    case "ediPartyName":
      writer.encoded(name.value);
  }
}

/** An address: 4 octets for IPv4, 16 for IPv6. */
export function readAddress(reader: DerReader, tag: number): Uint8Array {
  const { offset } = reader;
  const octets = reader.octetString(tag);
  if (octets.length === 4 || octets.length === 16) return octets;
  throw new X509Error("ERR_X509_GENERAL_NAME", `an IP address of ${octets.length} octets; it has 4 or 16`, {
    found: `${octets.length} octets`,
    allowed: "4 or 16 octets",
    offset,
    clause: "RFC 5280 §4.2.1.6",
  });
}
