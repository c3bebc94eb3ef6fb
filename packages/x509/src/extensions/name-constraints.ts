/** nameConstraints (RFC 5280 §4.2.1.10). `@latchkey/chain` checks names against them. */

import { contextConstructed, contextPrimitive, type DerReader, type DerWriter } from "@latchkey/asn1";
import { refuseEmpty, X509Error } from "../errors.ts";
import type { ExtensionType } from "../extension.ts";
import { type GeneralName, readGeneralName, writeGeneralName } from "../general-name.ts";
import { hexText } from "../hex-text.ts";
import { idCe } from "./oid.ts";

/** Subtrees by their bases. An iPAddress base has address and mask: 8 or 32 octets. */
export interface NameConstraints {
  /** Undefined where absent: nothing is required. */
  readonly permittedSubtrees: readonly GeneralName[] | undefined;
  readonly excludedSubtrees: readonly GeneralName[] | undefined;
}

/** Which names the certificates below may have (§4.2.1.10). */
export const nameConstraints: ExtensionType<NameConstraints> = {
  name: "nameConstraints",
  oid: /* @__PURE__ */ idCe(30),
  read: (reader) => {
    const fields = reader.sequence();
    // Conforming CAs MUST NOT issue the empty sequence.
    refuseEmpty(fields.isAtEnd, "nameConstraints", fields.offset);
    const permittedSubtrees = readSubtrees(fields, contextConstructed(0));
    const excludedSubtrees = readSubtrees(fields, contextConstructed(1));
    fields.end();
    return { permittedSubtrees, excludedSubtrees };
  },
  write: (writer, { permittedSubtrees, excludedSubtrees }) => {
    writer.sequence((fields) => {
      if (permittedSubtrees !== undefined) writeSubtrees(fields, contextConstructed(0), permittedSubtrees);
      if (excludedSubtrees !== undefined) writeSubtrees(fields, contextConstructed(1), excludedSubtrees);
    });
  },
};

function readSubtrees(reader: DerReader, tag: number): GeneralName[] | undefined {
  if (!reader.nextIs(tag)) return undefined;
  const list = reader.sequence(tag);
  refuseEmpty(list.isAtEnd, "GeneralSubtrees", list.offset);
  const bases: GeneralName[] = [];
  while (!list.isAtEnd) {
    const subtree = list.sequence();
    bases.push(readGeneralName(subtree, readAddressRange));
    // minimum MUST be zero, which is the default and so left out, and maximum MUST be absent.
    if (subtree.nextIs(contextPrimitive(0)) && subtree.tolerates("defaultWrittenOut")) {
      subtree.smallInteger(0, contextPrimitive(0));
    }
    subtree.end();
  }
  return bases;
}

function writeSubtrees(writer: DerWriter, tag: number, bases: readonly GeneralName[]): void {
  writer.sequence((list) => {
    for (const base of bases) list.sequence((subtree) => writeGeneralName(subtree, base));
  }, tag);
}

/** Address and mask in the manner of CIDR (RFC 4632): the mask's ones come first. */
function readAddressRange(reader: DerReader, tag: number): Uint8Array {
  const { offset } = reader;
  const octets = reader.octetString(tag);
  const half = octets.length / 2;
  if ((half === 4 || half === 16) && isContiguous(octets.subarray(half))) return octets;
  const reason = `an IP address range of ${octets.length} octets that is no address with a mask of ones, then zeros`;
  throw new X509Error("ERR_X509_GENERAL_NAME", reason, {
    found: hexText(octets.subarray(0, 32)),
    allowed: "4 or 16 octets of address and as many of mask",
    offset,
    clause: "RFC 5280 §4.2.1.10",
  });
}

function isContiguous(mask: Uint8Array): boolean {
  let index = 0;
  while (mask[index] === 0xff) index++;
  const boundary = mask[index] ?? 0;
  // Ones then zeros: the complement plus one is a power of two.
  if ((~boundary & 0xff & ((~boundary & 0xff) + 1)) !== 0) return false;
  return mask.subarray(index + 1).every((octet) => octet === 0);
}
