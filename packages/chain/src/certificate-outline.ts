/**
 * What a search has to know of a certificate before it tries it: its names, and whether it can be an issuer at all.
 *
 * Nothing else is read, so a pool of large certificates that are never needed costs little. An outline is a hint: it is
 * never stricter than reading the whole certificate, and a certificate that is tried is read in full.
 */

import { Asn1Error, contextConstructed, DerReader, equalBytes, Tag } from "@latchkey/asn1";
import { basicConstraints, type Certificate, keyUsage, subjectKeyIdentifier } from "@latchkey/x509";

/** The outline of one certificate; views into its octets. */
export interface CertificateOutline {
  /** DER Names. */
  readonly issuer: Uint8Array;
  readonly subject: Uint8Array;
  /** The key identifier that it gives itself. */
  readonly keyIdentifier: Uint8Array | undefined;
  /** False where it certainly is no issuer: no certificate authority, or not for signing certificates. */
  readonly mayIssue: boolean;
  /** Seconds since 1970. */
  readonly notBefore: number;
  readonly notAfter: number;
}

/** Extensions that an outline looks through; real certificates have up to about 15. */
const maximumExtensions = 32;

/** The outline of a DER certificate; undefined where not even that can be read. */
export function outlineOf(der: Uint8Array): CertificateOutline | undefined {
  try {
    const fields = new DerReader(der).sequence().sequence();
    if (fields.nextIs(contextConstructed(0))) fields.any();
    // Serial number and algorithm.
    fields.any();
    fields.any();
    const issuer = fields.element(Tag.sequence).encoding;
    const validity = fields.sequence();
    const notBefore = validity.time();
    const notAfter = validity.time();
    const subject = fields.element(Tag.sequence).encoding;
    fields.any();
    while (!fields.isAtEnd && !fields.nextIs(contextConstructed(3))) fields.any();
    const extensions = fields.isAtEnd ? undefined : fields.explicit(3).sequence();
    // Without extensions it is of version 1 or 2, and no certificate authority.
    const { keyIdentifier, mayIssue } = extensions === undefined ? new Hints() : issuerHints(extensions);
    return { issuer, subject, keyIdentifier, mayIssue, notBefore, notAfter };
  } catch (error) {
    if (error instanceof Asn1Error) return undefined;
    throw error;
  }
}

/** The outline of a certificate that was read before. */
export function outlineOfCertificate(certificate: Certificate): CertificateOutline {
  const { issuer, subject } = certificate;
  const hints = new Hints();
  for (const { oid, value } of certificate.extensions) hints.add(oid, value);
  return {
    issuer: issuer.encoding,
    subject: subject.encoding,
    keyIdentifier: hints.keyIdentifier,
    mayIssue: hints.mayIssue,
    ...certificate.validity,
  };
}

function issuerHints(extensions: DerReader): Hints {
  const hints = new Hints();
  for (let count = 0; !extensions.isAtEnd; count++) {
    // What is not looked at may make it an issuer.
    if (count === maximumExtensions) {
      hints.isCa = true;
      break;
    }
    const extension = extensions.sequence();
    const oid = extension.oid();
    if (extension.nextIs(Tag.boolean)) extension.any();
    hints.add(oid, extension.octetString());
  }
  return hints;
}

/** What the extensions say about being an issuer, read loosely: whatever is not clear counts as "may be". */
class Hints {
  isCa = false;
  isForSigning = true;
  keyIdentifier: Uint8Array | undefined;

  get mayIssue(): boolean {
    return this.isCa && this.isForSigning;
  }

  add(oid: Uint8Array, value: Uint8Array): void {
    if (equalBytes(oid, basicConstraints.oid)) {
      // SEQUENCE { cA BOOLEAN DEFAULT FALSE, ... }: a BOOLEAN that is not FALSE comes first.
      this.isCa = !(value.length < 5 || (value[2] === Tag.boolean && value[3] === 1 && value[4] === 0));
    } else if (equalBytes(oid, keyUsage.oid)) {
      // BIT STRING: keyCertSign is bit 5 of the first octet behind the count of unused bits.
      if (value.length >= 4 && value[0] === Tag.bitString) this.isForSigning = ((value[3] ?? 0) & 0x04) !== 0;
    } else if (equalBytes(oid, subjectKeyIdentifier.oid)) this.keyIdentifier = value.subarray(2);
  }
}
