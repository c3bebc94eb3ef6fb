/** Counts of certificates in extensions: pathLenConstraint, and SkipCerts of policyConstraints and inhibitAnyPolicy. */

import { type DerReader, Tag } from "@latchkey/asn1";
import { tolerable, X509Error } from "../errors.ts";

/** The greatest count that is read: RFC 5280 sets no limit, BoringSSL and webpki have this one too. */
const maximumCertificateCount = 255;

/** A count up to `maximumCertificateCount`, or greater where `pathLengthOverLimit` is tolerated: `ERR_X509_LIMIT`. */
export function readCertificateCount(reader: DerReader, what: string, tag: number = Tag.integer): number {
  const { offset } = reader;
  const found = reader.smallInteger(Number.MAX_SAFE_INTEGER, tag);
  if (found <= maximumCertificateCount || reader.tolerates("pathLengthOverLimit", offset)) return found;
  const reason = `${what} is ${found}, more than the ${maximumCertificateCount} allowed`;
  throw new X509Error("ERR_X509_LIMIT", tolerable(reason, "pathLengthOverLimit"), {
    what,
    found,
    limit: maximumCertificateCount,
    tolerance: "pathLengthOverLimit",
    offset,
  });
}
