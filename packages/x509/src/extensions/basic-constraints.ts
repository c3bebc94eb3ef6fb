/** basicConstraints (RFC 5280 §4.2.1.9). */

import { Tag } from "@latchkey/asn1";
import type { ExtensionType } from "../extension.ts";
import { idCe } from "./oid.ts";

export interface BasicConstraints {
  readonly cA: boolean;
  /** How many intermediate certificates may follow; undefined for no limit. Means nothing unless `cA`. */
  readonly pathLenConstraint: number | undefined;
}

/** The greatest pathLenConstraint read; the RFC sets no bound, BoringSSL and webpki have this one too. */
const maximumPathLength = 255;

export const basicConstraints: ExtensionType<BasicConstraints> = {
  name: "basicConstraints",
  oid: /* @__PURE__ */ idCe(19),
  read: (reader) => {
    const fields = reader.sequence();
    // An encoded FALSE breaks DER (X.690 §11.5), yet certificates in use have it, so BoringSSL and webpki take it.
    const cA = fields.nextIs(Tag.boolean) && fields.boolean();
    const pathLenConstraint = fields.nextIs(Tag.integer) ? fields.smallInteger(maximumPathLength) : undefined;
    fields.end();
    return { cA, pathLenConstraint };
  },
  write: (writer, { cA, pathLenConstraint }) => {
    writer.sequence((fields) => {
      fields.booleanDefaultFalse(cA);
      if (pathLenConstraint !== undefined) fields.integer(pathLenConstraint);
    });
  },
};
