/** basicConstraints (RFC 5280 §4.2.1.9). */

import { Tag } from "@latchkey/asn1";
import type { ExtensionType } from "../extension.ts";
import { readCertificateCount } from "./certificate-count.ts";
import { idCe } from "./oid.ts";

/** Whether a certificate is of an authority, and how long paths below it may be. */
export interface BasicConstraints {
  readonly cA: boolean;
  /** How many intermediate certificates may follow; undefined for no limit. Means nothing unless `cA`. */
  readonly pathLenConstraint: number | undefined;
}

/** The extension basicConstraints. */
export const basicConstraints: ExtensionType<BasicConstraints> = {
  name: "basicConstraints",
  oid: /* @__PURE__ */ idCe(19),
  read: (reader) => {
    const fields = reader.sequence();
    // A FALSE that is written out breaks DER (X.690 §11.5). Many certificates have it; BoringSSL and webpki read it too.
    const cA = fields.nextIs(Tag.boolean) && fields.boolean();
    const pathLenConstraint = fields.nextIs(Tag.integer)
      ? readCertificateCount(fields, "pathLenConstraint")
      : undefined;
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
