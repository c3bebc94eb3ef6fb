/** Certificates (RFC 5280 §4.1): the type, and reading one from DER. */

import { contextConstructed, contextPrimitive, DerReader, equalBytes } from "@latchkey/asn1";
import { type AlgorithmIdentifier, readAlgorithmIdentifier } from "./algorithm-identifier.ts";
import { reading, X509Error } from "./errors.ts";
import { type Extension, findExtension, readExtensions } from "./extension.ts";
import { subjectAltName } from "./extensions/alternative-names.ts";
import { checkExtensionValues } from "./extensions/extension-table.ts";
import { checkNameStrings, type Name, readName } from "./name.ts";
import { readSubjectPublicKeyInfo, type SubjectPublicKeyInfo } from "./subject-public-key-info.ts";

/** Whole seconds since 1970-01-01T00:00:00Z, both included in the validity. */
export interface Validity {
  readonly notBefore: number;
  readonly notAfter: number;
}

/**
 * A certificate that was read. All bytes are views into the DER that it was read from, so that must not change.
 *
 * What is in it is what it says; nothing about it was verified. `@latchkey/chain` does that.
 */
export interface Certificate {
  /** The whole certificate. */
  readonly encoding: Uint8Array;
  /** The whole TBSCertificate: what the signature is over. */
  readonly tbsCertificate: Uint8Array;
  readonly version: 1 | 2 | 3;
  /** The INTEGER's content octets: two's complement, minimal; compare as bytes. Zero and negative ones are read. */
  readonly serialNumber: Uint8Array;
  /** The algorithm of the signature; inside and outside the TBSCertificate are the same bytes. */
  readonly signatureAlgorithm: AlgorithmIdentifier;
  readonly issuer: Name;
  readonly validity: Validity;
  readonly subject: Name;
  readonly subjectPublicKeyInfo: SubjectPublicKeyInfo;
  /** The octets of the BIT STRING without its count of unused bits, or undefined. Obsolete. */
  readonly issuerUniqueID: Uint8Array | undefined;
  readonly subjectUniqueID: Uint8Array | undefined;
  /** None twice. `extensionValue(certificate, subjectAltName)` decodes one. */
  readonly extensions: readonly Extension[];
  readonly signatureValue: Uint8Array;
}

export interface ParseOptions {
  /** More octets than this are refused. Default 1 MiB for certificates and requests, 64 MiB for revocation lists. */
  readonly maximumOctets?: number;
  /**
   * False leaves the strings in names and the values of extensions unchecked, so that a certificate with a malformed
   * one can be looked at; it is then refused when it is asked for. Default true.
   */
  readonly checkContents?: boolean;
}

const defaultMaximumOctets = 1_048_576;

/**
 * Reads one DER certificate, strictly and in linear time, whatever its key's algorithm is.
 *
 * Throws `ERR_X509_MALFORMED` with the `Asn1Error` as cause, `ERR_X509_SIZE`, `ERR_X509_LIMIT`, `ERR_X509_VERSION`,
 * `ERR_X509_SIGNATURE_ALGORITHM_MISMATCH`, `ERR_X509_DUPLICATE_EXTENSION`, `ERR_X509_EMPTY_ISSUER`,
 * `ERR_X509_EMPTY_SUBJECT`, `ERR_X509_NAME_STRING`, and what `extensionValue` throws.
 */
export function parseCertificate(der: Uint8Array, options: ParseOptions = {}): Certificate {
  checkSize(der, options.maximumOctets ?? defaultMaximumOctets);
  const certificate = reading("Certificate", () => readCertificate(der));
  if (options.checkContents !== false) checkCertificateContents(certificate);
  return certificate;
}

/** Refuses input over the limit: `ERR_X509_SIZE`. */
export function checkSize(der: Uint8Array, maximumOctets: number): void {
  if (der.length > maximumOctets) {
    throw new X509Error("ERR_X509_SIZE", `${der.length} octets, more than the ${maximumOctets} allowed`);
  }
}

/**
 * Refuses strings in names and values of known extensions that are malformed: what `parseCertificate` leaves out with
 * `checkContents: false`. Throws `ERR_X509_NAME_STRING`, `ERR_X509_EMPTY_SUBJECT`, and what `extensionValue` throws.
 */
export function checkCertificateContents(certificate: Certificate): void {
  checkNameStrings(certificate.issuer);
  checkNameStrings(certificate.subject);
  checkExtensionValues(certificate.extensions);
  // §4.1.2.6: if the subject is empty, the subjectAltName MUST be critical.
  if (certificate.subject.rdns.length === 0 && findExtension(certificate, subjectAltName.oid)?.critical === false) {
    throw new X509Error("ERR_X509_EMPTY_SUBJECT", "an empty subject beside a subjectAltName that is not critical", {
      clause: "RFC 5280 §4.1.2.6",
    });
  }
}

function readCertificate(der: Uint8Array): Certificate {
  const reader = new DerReader(der);
  const outer = reader.sequence();
  reader.end();
  const tbs = outer.sequence();
  const outerAlgorithm = outer.element(0x30);
  const signatureValue = outer.octetAlignedBitString();
  outer.end();

  const version = readVersion(tbs);
  const serialNumber = tbs.integer();
  const signatureAlgorithm = readAlgorithmIdentifier(tbs);
  // §4.1.1.2: the two MUST be the same; parameters included.
  if (!equalBytes(signatureAlgorithm.encoding, outerAlgorithm.encoding)) {
    throw new X509Error("ERR_X509_SIGNATURE_ALGORITHM_MISMATCH", "signature algorithms inside and outside differ", {
      offset: outerAlgorithm.offset,
      clause: "RFC 5280 §4.1.1.2",
    });
  }
  const issuerOffset = tbs.offset;
  const issuer = readName(tbs);
  if (issuer.rdns.length === 0) {
    throw new X509Error("ERR_X509_EMPTY_ISSUER", "an empty issuer", {
      offset: issuerOffset,
      clause: "RFC 5280 §4.1.2.4",
    });
  }
  const validity = readValidity(tbs);
  const subject = readName(tbs);
  const subjectPublicKeyInfo = readSubjectPublicKeyInfo(tbs);
  const issuerUniqueID = readUniqueId(tbs, 1, version);
  const subjectUniqueID = readUniqueId(tbs, 2, version);
  const extensions = readExplicitExtensions(tbs, version);
  tbs.end();
  return {
    encoding: outer.encoding,
    tbsCertificate: tbs.encoding,
    version,
    serialNumber,
    signatureAlgorithm,
    issuer,
    validity,
    subject,
    subjectPublicKeyInfo,
    issuerUniqueID,
    subjectUniqueID,
    extensions,
    signatureValue,
  };
}

/** `[0] Version DEFAULT v1`, numbered from 0: an encoded v1 is wrong, and there is no v4. */
function readVersion(tbs: DerReader): 1 | 2 | 3 {
  if (!tbs.nextIs(contextConstructed(0))) return 1;
  const { offset } = tbs;
  const outerEnd = tbs.enter(contextConstructed(0));
  const number = tbs.smallInteger(255);
  tbs.leave(outerEnd);
  if (number === 1) return 2;
  if (number === 2) return 3;
  throw new X509Error("ERR_X509_VERSION", number === 0 ? "version 1 encoded" : `version ${number + 1}`, {
    offset,
    clause: "RFC 5280 §4.1.2.1",
  });
}

function readValidity(tbs: DerReader): Validity {
  const outerEnd = tbs.enter();
  const notBefore = tbs.time();
  const notAfter = tbs.time();
  tbs.leave(outerEnd);
  return { notBefore, notAfter };
}

/** `[number] IMPLICIT UniqueIdentifier`, from version 2 (§4.1.2.8). */
function readUniqueId(tbs: DerReader, number: number, version: number): Uint8Array | undefined {
  const tag = contextPrimitive(number);
  if (!tbs.nextIs(tag)) return undefined;
  if (version === 1) {
    throw new X509Error("ERR_X509_VERSION", "a unique identifier in a version 1 certificate", {
      offset: tbs.offset,
      clause: "RFC 5280 §4.1.2.8",
    });
  }
  return tbs.bitString(tag).bytes;
}

/** `[3] Extensions`, in version 3 only (§4.1.2.9). */
function readExplicitExtensions(tbs: DerReader, version: number): Extension[] {
  const tag = contextConstructed(3);
  if (!tbs.nextIs(tag)) return [];
  if (version !== 3) {
    throw new X509Error("ERR_X509_VERSION", `extensions in a version ${version} certificate`, {
      offset: tbs.offset,
      clause: "RFC 5280 §4.1.2.9",
    });
  }
  const outerEnd = tbs.enter(tag);
  const extensions = readExtensions(tbs);
  tbs.leave(outerEnd);
  return extensions;
}
