/** CertificateRequest (RFC 8446 §4.3.2, RFC 5246 §7.4.4): what a server wants of a client's certificate. */

import { decodeError, TlsError } from "../errors.ts";
import { type ExtensionList, readExtensions, writeExtension } from "../extension-list.ts";
import { certificateSchemeNumbers, numberList } from "../extension-values.ts";
import { Reader } from "../reader.ts";
import { type SignatureScheme, schemeAuthentication, schemeNumber } from "../signature-scheme.ts";
import { written, type Writer } from "../writer.ts";
import { checkRequestContext } from "./certificate.ts";

/** What a server asks for. */
export interface CertificateRequest {
  /** Schemes by number, in the server's order. */
  readonly schemes: Uint16Array;
  /** The schemes that certificates may be signed by. */
  readonly certificateSchemes: Uint16Array;
  /** DER names of authorities that the server trusts; a hint, empty where it gives none. */
  readonly authorities: readonly Uint8Array[];
}

/** Reads a CertificateRequest of TLS 1.3. Unknown extensions are skipped. */
export function readCertificateRequest13(body: Uint8Array): CertificateRequest {
  const reader = new Reader(body, "CertificateRequest");
  checkRequestContext(reader.vector8());
  const extensions = readExtensions(reader, "CertificateRequest");
  reader.end();
  const schemes = numberList(extensions, "signature_algorithms");
  // RFC 8446 §4.3.2: signature_algorithms MUST be specified.
  if (schemes === undefined) {
    throw new TlsError("ERR_TLS_MISSING_EXTENSION", "CertificateRequest has no signature_algorithms", {
      alert: "missing_extension",
      clause: "RFC 8446 §4.3.2",
    });
  }
  const certificateSchemes = certificateSchemeNumbers(extensions) ?? schemes;
  return { schemes, certificateSchemes, authorities: namedAuthorities(extensions) };
}

/** Reads a CertificateRequest of TLS 1.2. */
export function readCertificateRequest12(body: Uint8Array): CertificateRequest {
  const reader = new Reader(body, "CertificateRequest");
  reader.vector8(1);
  const schemes = reader.uint16List();
  // RFC 5246 §7.4.4: the same list is for certificates.
  return { schemes, certificateSchemes: schemes, authorities: readNames(reader, 0) };
}

/** The DER names of certificate_authorities (RFC 8446 §4.2.4), as views; none where the extension is not there. */
export function namedAuthorities(extensions: ExtensionList): readonly Uint8Array[] {
  const reader = extensions.reader("certificate_authorities");
  return reader === undefined ? [] : readNames(reader, 3);
}

function readNames(reader: Reader, minimum: number): readonly Uint8Array[] {
  const list = new Reader(reader.vector16(minimum), "The list of authorities");
  reader.end();
  const names = [];
  while (list.remaining > 0) names.push(list.vector16(1));
  return names;
}

function writeNames(writer: Writer, names: readonly Uint8Array[]): void {
  writer.vector16((list) => {
    for (const name of names) list.vector16(name);
  });
}

/** The body of a CertificateRequest of TLS 1.3, with an empty context. */
export function writeCertificateRequest13(
  schemes: readonly SignatureScheme[],
  certificateSchemes: readonly SignatureScheme[],
  authorities: readonly Uint8Array[],
): Uint8Array<ArrayBuffer> {
  return written((writer) => {
    writer.uint8(0).vector16((extensions) => {
      writeExtension(extensions, "signature_algorithms", (value) => writeSchemes(value, schemes));
      if (needsCertificateSchemes(schemes, certificateSchemes)) {
        writeExtension(extensions, "signature_algorithms_cert", (value) => writeSchemes(value, certificateSchemes));
      }
      if (authorities.length > 0) {
        writeExtension(extensions, "certificate_authorities", (value) => writeNames(value, authorities));
      }
    });
  });
}

/** The body of a CertificateRequest of TLS 1.2: the types are ecdsa_sign and rsa_sign, as the schemes need them. */
export function writeCertificateRequest12(
  schemes: readonly SignatureScheme[],
  authorities: readonly Uint8Array[],
): Uint8Array<ArrayBuffer> {
  const kinds = new Set(schemes.map(schemeAuthentication));
  return written((writer) => {
    writer.vector8((types) => {
      if (kinds.has("ecdsa")) types.uint8(64);
      if (kinds.has("rsa")) types.uint8(1);
    });
    writeSchemes(writer, schemes);
    writeNames(writer, authorities);
  });
}

/** Whether signature_algorithms_cert says anything that signature_algorithms does not (RFC 8446 §4.2.3). */
export function needsCertificateSchemes(
  schemes: readonly SignatureScheme[],
  certificateSchemes: readonly SignatureScheme[],
): boolean {
  return (
    schemes.length !== certificateSchemes.length || schemes.some((one, index) => one !== certificateSchemes[index])
  );
}

/** Writes `SignatureScheme supported_signature_algorithms<2..2^16-2>`. */
export function writeSchemes(writer: Writer, schemes: readonly SignatureScheme[]): void {
  writer.vector16((list) => {
    for (const scheme of schemes) list.uint16(schemeNumber(scheme));
  });
}

/** The server's messages that are empty (RFC 5246 §7.4.5, §7.4.1.1). */
export function checkEmpty(body: Uint8Array, what: string): void {
  if (body.length > 0) throw decodeError(`${what} has ${body.length} octets, not none`);
}
