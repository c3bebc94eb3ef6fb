/** Which algorithms the certificates of a chain are signed by, held to signature_algorithms_cert (RFC 8446 §4.2.3). */

import { decodeOid, equalBytes } from "@latchkey/asn1";
import { CryptoError, parseSignatureAlgorithm, type SignatureAlgorithm } from "@latchkey/crypto";
import { type Certificate, parseCertificate, X509Error } from "@latchkey/x509";
import { type SignatureScheme, schemeAlgorithm } from "./signature-scheme.ts";

/**
 * The first certificate of a chain whose signature none of the schemes stands for; undefined where there is none.
 *
 * Self-signed certificates are not looked at: they are trust anchors, whose signatures nobody checks, and RFC 8446 §4.4.2.2
 * lets them be signed by anything. A certificate that cannot be read is passed over here: the verifier of the chain refuses it
 * where it needs it.
 */
export function firstSignedOtherwise(
  chain: readonly Uint8Array[],
  schemes: readonly SignatureScheme[],
): Certificate | undefined {
  for (const der of chain) {
    const certificate = readable(der);
    if (certificate === undefined || equalBytes(certificate.issuer.encoding, certificate.subject.encoding)) continue;
    if (!isAmong(certificate, schemes)) return certificate;
  }
  return undefined;
}

function readable(der: Uint8Array): Certificate | undefined {
  try {
    return parseCertificate(der, { checkContents: false });
  } catch (error) {
    if (error instanceof X509Error) return undefined;
    throw error;
  }
}

function isAmong(certificate: Certificate, schemes: readonly SignatureScheme[]): boolean {
  const found = signatureOf(certificate);
  return found !== undefined && schemes.some((scheme) => isSame(schemeAlgorithm(scheme), found));
}

/** Undefined for SHA-1, and for what this side does not know: no scheme stands for it. */
function signatureOf({ signatureAlgorithm }: Certificate): SignatureAlgorithm | undefined {
  try {
    return parseSignatureAlgorithm(signatureAlgorithm.encoding);
  } catch (error) {
    if (error instanceof CryptoError) return undefined;
    throw error;
  }
}

/** What a certificate is signed by, for people. */
export function signatureText(certificate: Certificate): string {
  const found = signatureOf(certificate);
  if (found === undefined) return `signed by ${decodeOid(certificate.signatureAlgorithm.algorithm)}`;
  return found.name === "ed25519" ? "signed by ed25519" : `signed by ${found.name} with ${found.hash}`;
}

/**
 * By kind and hash, as OpenSSL compares: the curve of an ECDSA scheme, and which identifier an RSA key has, are the issuer's
 * key's, and the issuer's certificate need not be in the chain.
 */
function isSame(left: SignatureAlgorithm, right: SignatureAlgorithm): boolean {
  if (left.name === "ed25519" || right.name === "ed25519") return left.name === right.name;
  return left.name === right.name && left.hash === right.hash;
}
