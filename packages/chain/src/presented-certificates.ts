/** The certificates that the peer of a TLS connection presented, as node:tls gives them. */

/** What is used of a `TLSSocket` of node:tls. */
export interface TlsConnection {
  getPeerX509Certificate(): PresentedX509Certificate | undefined;
}

/** What is used of an `X509Certificate` of node:crypto. */
export interface PresentedX509Certificate {
  /** The certificate, DER. */
  readonly raw: Uint8Array;
  /** The next one that the peer sent. */
  readonly issuerCertificate?: PresentedX509Certificate | undefined;
}

/** More than any real chain. What is behind it is not looked at. */
const maximumPresentedCertificates = 16;

/**
 * The peer's certificates as DER, its own first; empty where it sent none. The octets are views of node's own.
 *
 * A resumed TLS session brings the peer's certificate alone.
 */
export function presentedCertificates(connection: TlsConnection): Uint8Array[] {
  const chain: Uint8Array[] = [];
  let next = connection.getPeerX509Certificate();
  while (next !== undefined && chain.length < maximumPresentedCertificates) {
    chain.push(next.raw);
    next = next.issuerCertificate;
  }
  return chain;
}
