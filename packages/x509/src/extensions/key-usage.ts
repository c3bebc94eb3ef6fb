/** keyUsage (RFC 5280 §4.2.1.3) and extendedKeyUsage (§4.2.1.12). */

import { decodeOid, encodeOid, equalBytes } from "@latchkey/asn1";
import { extensionFault, refuseEmpty } from "../errors.ts";
import type { ExtensionType } from "../extension.ts";
import { idCe } from "./oid.ts";

/** The usages in the order of their bits. */
const keyUsageNames = [
  "digitalSignature",
  "nonRepudiation",
  "keyEncipherment",
  "dataEncipherment",
  "keyAgreement",
  "keyCertSign",
  "cRLSign",
  "encipherOnly",
  "decipherOnly",
] as const;

/** The name of a usage of keyUsage. */
export type KeyUsage = (typeof keyUsageNames)[number];

/** The usages that a key is for; bits without a name are dropped. */
export const keyUsage: ExtensionType<readonly KeyUsage[]> = {
  name: "keyUsage",
  oid: /* @__PURE__ */ idCe(15),
  read: (reader) => {
    const { offset } = reader;
    const bits = reader.namedBits();
    // At least one of the bits MUST be set.
    if (bits === 0) {
      throw extensionFault("keyUsage", "no usage is set; at least one has to be", offset, "RFC 5280 §4.2.1.3");
    }
    return keyUsageNames.filter((_, bit) => ((bits >> bit) & 1) === 1);
  },
  write: (writer, usages) => {
    let bits = 0;
    for (const usage of usages) bits |= 1 << keyUsageNames.indexOf(usage);
    writer.namedBits(bits);
  },
};

/** Purposes of extendedKeyUsage, as content octets of their object identifiers. */
export const keyPurposes: Readonly<Record<KeyPurposeName, Uint8Array>> = /* @__PURE__ */ makeKeyPurposes();

/** The purposes that have a name here. */
export type KeyPurposeName =
  | "anyExtendedKeyUsage"
  | "serverAuth"
  | "clientAuth"
  | "codeSigning"
  | "emailProtection"
  | "timeStamping"
  | "OCSPSigning";

function makeKeyPurposes(): Readonly<Record<KeyPurposeName, Uint8Array>> {
  const idKp = "1.3.6.1.5.5.7.3";
  return {
    anyExtendedKeyUsage: encodeOid("2.5.29.37.0"),
    serverAuth: encodeOid(`${idKp}.1`),
    clientAuth: encodeOid(`${idKp}.2`),
    codeSigning: encodeOid(`${idKp}.3`),
    emailProtection: encodeOid(`${idKp}.4`),
    timeStamping: encodeOid(`${idKp}.8`),
    OCSPSigning: encodeOid(`${idKp}.9`),
  };
}

/** The name of a purpose, given as content octets; dotted text where it has none here. */
export function keyPurposeName(purpose: Uint8Array): string {
  return keyPurposeNames.find((name) => equalBytes(keyPurposes[name], purpose)) ?? decodeOid(purpose);
}

const keyPurposeNames: readonly KeyPurposeName[] = [
  "anyExtendedKeyUsage",
  "serverAuth",
  "clientAuth",
  "codeSigning",
  "emailProtection",
  "timeStamping",
  "OCSPSigning",
];

/** Whether a list of purposes has one of them itself: anyExtendedKeyUsage does not count as every other purpose. */
export function hasKeyPurpose(purposes: readonly Uint8Array[], purpose: KeyPurposeName | Uint8Array): boolean {
  const oid = typeof purpose === "string" ? keyPurposes[purpose] : purpose;
  return purposes.some((candidate) => equalBytes(candidate, oid));
}

/** The purposes, as content octets of their object identifiers, views. */
export const extendedKeyUsage: ExtensionType<readonly Uint8Array[]> = {
  name: "extendedKeyUsage",
  oid: /* @__PURE__ */ idCe(37),
  read: (reader) => {
    const list = reader.sequence();
    refuseEmpty(list.isAtEnd, "extendedKeyUsage", list.offset);
    const purposes: Uint8Array[] = [];
    while (!list.isAtEnd) purposes.push(list.oid());
    return purposes;
  },
  write: (writer, purposes) => {
    writer.sequence((list) => {
      for (const purpose of purposes) list.oid(purpose);
    });
  },
};
