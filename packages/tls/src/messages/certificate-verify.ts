/** CertificateVerify (RFC 8446 §4.4.3, RFC 5246 §7.4.8), and what it signs in TLS 1.3. */

import { Reader } from "../reader.ts";
import { type SignatureScheme, schemeNumber } from "../signature-scheme.ts";
import { written } from "../writer.ts";

/** A signature and the scheme that it says it is made by: CertificateVerify, or the end of ServerKeyExchange. */
export interface DigitallySigned {
  readonly scheme: number;
  readonly signature: Uint8Array;
}

/** Reads a scheme and a signature, to the end. */
export function readSigned(reader: Reader): DigitallySigned {
  const scheme = reader.uint16();
  const signature = reader.vector16();
  reader.end();
  return { scheme, signature };
}

/** Reads a CertificateVerify. */
export function readCertificateVerify(body: Uint8Array): DigitallySigned {
  return readSigned(new Reader(body, "CertificateVerify"));
}

/** The body of a CertificateVerify. */
export function writeCertificateVerify(scheme: SignatureScheme, signature: Uint8Array): Uint8Array<ArrayBuffer> {
  return written((writer) => writer.uint16(schemeNumber(scheme)).vector16(signature));
}

/** Who signs: the context string of RFC 8446 §4.4.3, so that a server's signature is never a client's. */
const contextStrings = {
  client: "TLS 1.3, client CertificateVerify",
  server: "TLS 1.3, server CertificateVerify",
} as const;

/** What a CertificateVerify of TLS 1.3 signs: 64 spaces, the context string, a zero, the transcript hash. */
export function signedContent(signer: "client" | "server", transcriptHash: Uint8Array): Uint8Array<ArrayBuffer> {
  return written((writer) => {
    for (let index = 0; index < 64; index++) writer.uint8(0x20);
    writer.ascii(contextStrings[signer]).uint8(0).octets(transcriptHash);
  });
}
