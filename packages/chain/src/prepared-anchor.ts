/** A trust anchor made ready: its name as a key, its public key, its certificate's extensions. */

import { type Certificate, nameKey, X509Error } from "@latchkey/x509";
import { ChainCertificate } from "./chain-certificate.ts";
import { IssuerKey } from "./issuer-key.ts";
import type { TrustAnchor } from "./trust-anchor.ts";

export class PreparedAnchor {
  readonly anchor: TrustAnchor;
  /** A string that is equal for equal names. */
  readonly subjectKey: string;
  readonly key: IssuerKey;
  /** The certificate, where the anchor is one and its extensions can be read. */
  readonly chainCertificate: ChainCertificate | undefined;
  /** Why they cannot be read. */
  readonly fault: X509Error | undefined;

  constructor(anchor: TrustAnchor) {
    this.anchor = anchor;
    this.subjectKey = nameKey(anchor.name);
    this.key = new IssuerKey(anchor.subjectPublicKeyInfo);
    const read = anchor.certificate === undefined ? undefined : readChainCertificate(anchor.certificate);
    this.chainCertificate = read instanceof ChainCertificate ? read : undefined;
    this.fault = read instanceof X509Error ? read : undefined;
  }
}

/** The certificate made ready, or what is wrong with one of its extensions. */
export function readChainCertificate(certificate: Certificate): ChainCertificate | X509Error {
  try {
    return new ChainCertificate(certificate);
  } catch (error) {
    if (error instanceof X509Error) return error;
    throw error;
  }
}
