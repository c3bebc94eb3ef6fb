/** Certificate messages (RFC 8446 §4.4.2, RFC 5246 §7.4.2): a chain as DER, the end entity first. */

import { decodeError, illegalParameter, TlsError } from "../errors.ts";
import { readExtensions } from "../extension-list.ts";
import type { TlsLimits } from "../limits.ts";
import { Reader } from "../reader.ts";
import { written } from "../writer.ts";

/** A Certificate of TLS 1.3. */
export interface CertificateMessage13 {
  readonly requestContext: Uint8Array;
  /** DER certificates, copies; empty where the client has none. */
  readonly chain: readonly Uint8Array[];
}

/**
 * Reads a Certificate of TLS 1.3. Certificates are copied: they are kept as long as the connection, and a view would keep the
 * whole flight. No extension of an entry was asked for, so none may be there.
 *
 * Throws `ERR_TLS_DECODE`, `ERR_TLS_LIMIT` and `ERR_TLS_UNSUPPORTED_EXTENSION`.
 */
export function readCertificate13(body: Uint8Array, limits: TlsLimits): CertificateMessage13 {
  const reader = new Reader(body, "Certificate");
  const requestContext = reader.vector8();
  const list = new Reader(reader.vector24(), "The certificate_list");
  reader.end();
  const chain: Uint8Array[] = [];
  while (list.remaining > 0) {
    checkCount(chain.length + 1, limits);
    chain.push(list.vector24(1).slice());
    const extensions = readExtensions(list, "a CertificateEntry");
    // RFC 8446 §4.4.2: extensions MUST correspond to ones of the ClientHello or CertificateRequest.
    extensions.expectOnly([], () => false, "A CertificateEntry");
  }
  return { requestContext, chain };
}

/** Reads a Certificate of TLS 1.2, as copies. Throws `ERR_TLS_DECODE` and `ERR_TLS_LIMIT`. */
export function readCertificate12(body: Uint8Array, limits: TlsLimits): readonly Uint8Array[] {
  const reader = new Reader(body, "Certificate");
  const list = new Reader(reader.vector24(), "The certificate_list");
  reader.end();
  const chain: Uint8Array[] = [];
  while (list.remaining > 0) {
    checkCount(chain.length + 1, limits);
    chain.push(list.vector24(1).slice());
  }
  return chain;
}

function checkCount(count: number, { certificates }: TlsLimits): void {
  if (count <= certificates) return;
  throw new TlsError("ERR_TLS_LIMIT", "The chain has too many certificates", {
    alert: "bad_certificate",
    found: `more than ${certificates}`,
    allowed: `${certificates}`,
    limit: "certificates",
  });
}

/** The body of a Certificate of TLS 1.3. */
export function writeCertificate13(requestContext: Uint8Array, chain: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  return written((writer) => {
    writer.vector8(requestContext).vector24((list) => {
      for (const der of chain) list.vector24(der).uint16(0);
    });
  });
}

/** The body of a Certificate of TLS 1.2. */
export function writeCertificate12(chain: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  return written((writer) => {
    writer.vector24((list) => {
      for (const der of chain) list.vector24(der);
    });
  });
}

/** RFC 8446 §4.4.2: the context of a server's Certificate is empty, that of a client's repeats the request's. */
export function checkRequestContext(found: Uint8Array): void {
  if (found.length > 0) throw illegalParameter("certificate_request_context is not empty", "RFC 8446 §4.4.2");
}

/** RFC 8446 §4.4.2.4: a server's Certificate MUST NOT be empty, else decode_error. */
export function checkNotEmpty(chain: readonly Uint8Array[]): void {
  if (chain.length === 0) throw decodeError("The server's Certificate is empty", "RFC 8446 §4.4.2.4");
}
