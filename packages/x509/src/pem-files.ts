/** Certificates and their kin out of PEM text (RFC 7468). */

import { decodePem, encodePem, type PemBlock } from "@latchkey/asn1";
import { type Certificate, type ParseOptions, parseCertificate } from "./certificate.ts";
import { reading, X509Error } from "./errors.ts";

/**
 * Every certificate of a PEM file, in order: a chain, a set of roots. Blocks of other kinds are passed over.
 *
 * Throws `ERR_X509_PEM_LABEL` where there is none, and what `parseCertificate` throws, saying which block.
 */
export function certificatesFromPem(text: string | Uint8Array, options?: ParseOptions): Certificate[] {
  return blocksOf(text, ["CERTIFICATE", "X509 CERTIFICATE", "X.509 CERTIFICATE"]).map(({ bytes }) =>
    parseCertificate(bytes, options),
  );
}

/** The PEM text of a certificate. */
export function certificateToPem(certificate: Certificate): string {
  return encodePem("CERTIFICATE", certificate.encoding);
}

/** The blocks that have one of the labels; at least one. */
export function blocksOf(text: string | Uint8Array, labels: readonly string[]): PemBlock[] {
  const blocks = reading("PEM", () => decodePem(text)).filter(({ label }) => labels.includes(label));
  if (blocks.length === 0) {
    throw new X509Error("ERR_X509_PEM_LABEL", `no PEM block labelled ${labels[0]}`, { clause: "RFC 7468" });
  }
  return blocks;
}

/** The only block that has one of the labels. */
export function blockOf(text: string | Uint8Array, labels: readonly string[]): PemBlock {
  const [block, second] = blocksOf(text, labels);
  if (block === undefined || second !== undefined) {
    throw new X509Error("ERR_X509_PEM_LABEL", `more than one PEM block labelled ${labels[0]}`, { clause: "RFC 7468" });
  }
  return block;
}
