/** Certificates out of PEM text (RFC 7468); certificates, requests and revocation lists as PEM text. */

import { DerReader, encodePem } from "@latchkey/asn1";
import { type Certificate, type ParseOptions, parseCertificate } from "./certificate.ts";
import type { CertificationRequest } from "./certification-request.ts";
import { reading } from "./errors.ts";
import { blocksOf, inBlock } from "./pem-blocks.ts";
import type { CertificateRevocationList } from "./revocation-list.ts";

/** OpenSSL's `TRUSTED CERTIFICATE` is a certificate with its own notes on trust behind it, which are not read. */
const trustedLabel = "TRUSTED CERTIFICATE";
const certificateLabels = ["CERTIFICATE", "X509 CERTIFICATE", "X.509 CERTIFICATE", trustedLabel];

/**
 * Every certificate of a PEM file, in order: a chain, a set of roots. Blocks of other kinds are passed over. Of a `TRUSTED
 * CERTIFICATE` the certificate is read, and OpenSSL's notes on trust behind it are not.
 *
 * Throws `ERR_X509_PEM_LABEL` where there is none, and what `parseCertificate` throws, saying which block.
 */
export function certificatesFromPem(text: string | Uint8Array, options?: ParseOptions): Certificate[] {
  return blocksOf(text, certificateLabels).map((block, index) =>
    inBlock(index, block, "Certificate", () => {
      const { label, bytes } = block;
      return parseCertificate(label === trustedLabel ? firstElement(bytes) : bytes, options);
    }),
  );
}

function firstElement(bytes: Uint8Array): Uint8Array {
  return reading(trustedLabel, () => {
    const reader = new DerReader(bytes);
    const { encoding } = reader.any();
    if (!reader.isAtEnd) reader.sequence();
    reader.end();
    return encoding;
  });
}

/** The PEM text of a certificate. */
export function certificateToPem(certificate: Certificate): string {
  return encodePem("CERTIFICATE", certificate.encoding);
}

/** The PEM text of a request. */
export function certificateRequestToPem(request: CertificationRequest): string {
  return encodePem("CERTIFICATE REQUEST", request.encoding);
}

/** The PEM text of a revocation list. */
export function revocationListToPem(list: CertificateRevocationList): string {
  return encodePem("X509 CRL", list.encoding);
}
