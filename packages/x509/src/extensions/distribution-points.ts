/** Where revocation lists are, and what a list covers (RFC 5280 §4.2.1.13, §4.2.1.15, §5.2.5). */

import { contextConstructed, contextPrimitive, type DerReader, type DerWriter, Tag } from "@latchkey/asn1";
import { extensionFault, refuseEmpty } from "../errors.ts";
import type { ExtensionType } from "../extension.ts";
import { type GeneralName, readGeneralNames, writeGeneralName } from "../general-name.ts";
import { type RelativeDistinguishedName, readAttributes } from "../name.ts";
import { idCe } from "./oid.ts";

/** The reasons that a list can be limited to, in the order of their bits (ReasonFlags); bit 0 is unused. */
const reasonFlagNames = [
  undefined,
  "keyCompromise",
  "cACompromise",
  "affiliationChanged",
  "superseded",
  "cessationOfOperation",
  "certificateHold",
  "privilegeWithdrawn",
  "aACompromise",
] as const;

/** A reason that a list can be limited to. */
export type ReasonFlag = Exclude<(typeof reasonFlagNames)[number], undefined>;

/** Every reason that a list can be limited to (all-reasons of RFC 5280 §6.3.1). */
export const reasonFlags: readonly ReasonFlag[] = /* @__PURE__ */ reasonFlagNames.filter((name) => name !== undefined);

/** Names of a point, or the last set of attributes of a name that the CRL issuer's continues. */
export type DistributionPointName =
  | { readonly type: "fullName"; readonly names: readonly GeneralName[] }
  | {
      readonly type: "nameRelativeToCRLIssuer";
      readonly rdn: RelativeDistinguishedName;
      /** The whole element, a view. */
      readonly encoding: Uint8Array;
    };

/** Where a list is found, and what it covers (§4.2.1.13). */
export interface DistributionPoint {
  readonly distributionPoint: DistributionPointName | undefined;
  /** Undefined where the list covers all reasons. */
  readonly reasons: readonly ReasonFlag[] | undefined;
  /** Who signs the list, where not the certificate's issuer. */
  readonly cRLIssuer: readonly GeneralName[] | undefined;
}

/** The scope of a list: which certificates and reasons it covers (§5.2.5). */
export interface IssuingDistributionPoint {
  readonly distributionPoint: DistributionPointName | undefined;
  readonly onlyContainsUserCerts: boolean;
  readonly onlyContainsCACerts: boolean;
  readonly onlySomeReasons: readonly ReasonFlag[] | undefined;
  readonly indirectCRL: boolean;
  readonly onlyContainsAttributeCerts: boolean;
}

/** Where complete lists are. */
export const cRLDistributionPoints: ExtensionType<readonly DistributionPoint[]> = /* @__PURE__ */ points(
  "cRLDistributionPoints",
  31,
);
/** Where delta lists are. */
export const freshestCRL: ExtensionType<readonly DistributionPoint[]> = /* @__PURE__ */ points("freshestCRL", 46);

function points(name: string, arc: number): ExtensionType<readonly DistributionPoint[]> {
  return {
    name,
    oid: idCe(arc),
    read: (reader) => {
      const list = reader.sequence();
      refuseEmpty(list.isAtEnd, name, list.offset);
      const found: DistributionPoint[] = [];
      while (!list.isAtEnd) found.push(readPoint(list.sequence()));
      return found;
    },
    write: (writer, list) => {
      writer.sequence((body) => {
        for (const point of list) body.sequence((fields) => writePoint(fields, point));
      });
    },
  };
}

function readPoint(fields: DerReader): DistributionPoint {
  const { offset } = fields;
  const distributionPoint = readPointName(fields);
  const reasons = readReasons(fields, contextPrimitive(1));
  const cRLIssuer = fields.nextIs(0xa2) ? readGeneralNames(fields.sequence(0xa2)) : undefined;
  fields.end();
  // A point MUST NOT consist of only the reasons field.
  if (distributionPoint === undefined && cRLIssuer === undefined) {
    throw extensionFault(
      "distribution point",
      "it has neither a name nor a cRLIssuer; one of them has to be there",
      offset,
      "RFC 5280 §4.2.1.13",
    );
  }
  return { distributionPoint, reasons, cRLIssuer };
}

function writePoint(fields: DerWriter, { distributionPoint, reasons, cRLIssuer }: DistributionPoint): void {
  writePointName(fields, distributionPoint);
  writeReasons(fields, contextPrimitive(1), reasons);
  if (cRLIssuer !== undefined) {
    fields.sequence((names) => {
      for (const name of cRLIssuer) writeGeneralName(names, name);
    }, contextConstructed(2));
  }
}

/** The scope of a revocation list (§5.2.5). */
export const issuingDistributionPoint: ExtensionType<IssuingDistributionPoint> = {
  name: "issuingDistributionPoint",
  oid: /* @__PURE__ */ idCe(28),
  read: (reader) => {
    const fields = reader.sequence();
    const { offset } = fields;
    // The DER encoding MUST NOT be an empty sequence.
    refuseEmpty(fields.isAtEnd, "issuingDistributionPoint", offset);
    const point = {
      distributionPoint: readPointName(fields),
      onlyContainsUserCerts: fields.booleanDefaultFalse(contextPrimitive(1)),
      onlyContainsCACerts: fields.booleanDefaultFalse(contextPrimitive(2)),
      onlySomeReasons: readReasons(fields, contextPrimitive(3)),
      indirectCRL: fields.booleanDefaultFalse(contextPrimitive(4)),
      onlyContainsAttributeCerts: fields.booleanDefaultFalse(contextPrimitive(5)),
    };
    fields.end();
    const { onlyContainsUserCerts, onlyContainsCACerts, onlyContainsAttributeCerts } = point;
    if (Number(onlyContainsUserCerts) + Number(onlyContainsCACerts) + Number(onlyContainsAttributeCerts) > 1) {
      throw extensionFault(
        "issuingDistributionPoint",
        "the list is limited to two kinds of certificates at once",
        offset,
        "RFC 5280 §5.2.5",
      );
    }
    return point;
  },
  write: (writer, point) => {
    writer.sequence((fields) => {
      writePointName(fields, point.distributionPoint);
      fields.booleanDefaultFalse(point.onlyContainsUserCerts, contextPrimitive(1));
      fields.booleanDefaultFalse(point.onlyContainsCACerts, contextPrimitive(2));
      writeReasons(fields, contextPrimitive(3), point.onlySomeReasons);
      fields.booleanDefaultFalse(point.indirectCRL, contextPrimitive(4));
      fields.booleanDefaultFalse(point.onlyContainsAttributeCerts, contextPrimitive(5));
    });
  },
};

/** `[0] DistributionPointName`, a CHOICE and so within its tag whole. */
function readPointName(fields: DerReader): DistributionPointName | undefined {
  if (!fields.nextIs(contextConstructed(0))) return undefined;
  const choice = fields.explicit(0);
  let name: DistributionPointName;
  if (choice.nextIs(contextConstructed(1))) {
    const set = choice.sequence(contextConstructed(1));
    refuseEmpty(set.isAtEnd, "nameRelativeToCRLIssuer", set.offset);
    name = { type: "nameRelativeToCRLIssuer", encoding: set.encoding, rdn: readAttributes(set) };
  } else {
    name = { type: "fullName", names: readGeneralNames(choice.sequence(contextConstructed(0))) };
  }
  choice.end();
  return name;
}

function writePointName(writer: DerWriter, name: DistributionPointName | undefined): void {
  if (name === undefined) return;
  writer.explicit(0, (choice) => {
    if (name.type === "nameRelativeToCRLIssuer") choice.encoded(name.encoding);
    else {
      choice.sequence((names) => {
        for (const each of name.names) writeGeneralName(names, each);
      }, contextConstructed(0));
    }
  });
}

function readReasons(fields: DerReader, tag: number): ReasonFlag[] | undefined {
  if (!fields.nextIs(tag)) return undefined;
  const bits = fields.namedBits(tag);
  return reasonFlagNames
    .filter((name, bit) => name !== undefined && ((bits >> bit) & 1) === 1)
    .filter((name) => name !== undefined);
}

function writeReasons(writer: DerWriter, tag: number, reasons: readonly ReasonFlag[] | undefined): void {
  if (reasons === undefined) return;
  let bits = 0;
  for (const reason of reasons) bits |= 1 << reasonFlagNames.indexOf(reason);
  writer.namedBits(bits, tag);
}

/** The reasons of an entry of a list (§5.3.1), by their numbers; 7 is unused. */
export const revocationReasons = {
  unspecified: 0,
  keyCompromise: 1,
  cACompromise: 2,
  affiliationChanged: 3,
  superseded: 4,
  cessationOfOperation: 5,
  certificateHold: 6,
  removeFromCRL: 8,
  privilegeWithdrawn: 9,
  aACompromise: 10,
} as const;

/** The name of a reason of an entry. */
export type RevocationReason = keyof typeof revocationReasons;

const reasonsByNumber: ReadonlyMap<number, RevocationReason> = /* @__PURE__ */ new Map([
  [0, "unspecified"],
  [1, "keyCompromise"],
  [2, "cACompromise"],
  [3, "affiliationChanged"],
  [4, "superseded"],
  [5, "cessationOfOperation"],
  [6, "certificateHold"],
  [8, "removeFromCRL"],
  [9, "privilegeWithdrawn"],
  [10, "aACompromise"],
]);

/** Why a certificate is on the list. */
export const cRLReason: ExtensionType<RevocationReason> = {
  name: "cRLReason",
  oid: /* @__PURE__ */ idCe(21),
  read: (reader) => {
    const { offset } = reader;
    const number = reader.smallInteger(255, Tag.enumerated);
    const reason = reasonsByNumber.get(number);
    if (reason === undefined) {
      throw extensionFault("cRLReason", `${number} is no reason; 0 to 6 and 8 to 10 are`, offset, "RFC 5280 §5.3.1");
    }
    return reason;
  },
  write: (writer, reason) => writer.integer(revocationReasons[reason], Tag.enumerated),
};

/** When the key became invalid or was suspected, in seconds since 1970 (§5.3.2). */
export const invalidityDate: ExtensionType<number> = {
  name: "invalidityDate",
  oid: /* @__PURE__ */ idCe(24),
  read: (reader) => reader.generalizedTime(),
  write: (writer, seconds) => writer.generalizedTime(seconds),
};

/** A list's number (§5.2.3), a non-negative INTEGER's magnitude, big-endian. */
export const cRLNumber: ExtensionType<Uint8Array> = /* @__PURE__ */ listNumber("cRLNumber", 20);
/** The number of the list that a delta list starts from (§5.2.4). */
export const deltaCRLIndicator: ExtensionType<Uint8Array> = /* @__PURE__ */ listNumber("deltaCRLIndicator", 27);

function listNumber(name: string, arc: number): ExtensionType<Uint8Array> {
  return {
    name,
    oid: idCe(arc),
    read: (reader) => reader.unsignedInteger(),
    write: (writer, magnitude) => writer.unsignedInteger(magnitude),
  };
}
