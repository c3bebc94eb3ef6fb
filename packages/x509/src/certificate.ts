/** Certificates (RFC 5280 §4.1): the type, and reading one from DER. */

import { contextConstructed, contextPrimitive, type DerElement, DerReader, equalBytes, Tag } from "@latchkey/asn1";
import { type AlgorithmIdentifier, readAlgorithmIdentifier } from "./algorithm-identifier.ts";
import { reading, tolerable, versionFault, X509Error } from "./errors.ts";
import { type Extension, findExtension, readExtensions } from "./extension.ts";
import { subjectAltName } from "./extensions/alternative-names.ts";
import { checkExtensionValues } from "./extensions/extension-table.ts";
import { hexText } from "./hex-text.ts";
import { checkNameStrings, type Name, readName } from "./name.ts";
import { readSubjectPublicKeyInfo, type SubjectPublicKeyInfo } from "./subject-public-key-info.ts";
import {
  type Deviation,
  type DeviationLog,
  everyTolerance,
  makeDeviationLog,
  noDeviations,
  type Tolerate,
  type ToleranceOptions,
} from "./tolerance.ts";

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
  /** The slips that were tolerated. Those in extensions and names are among them only if `isChecked`. */
  readonly deviations: readonly Deviation[];
  /** Whether names and extensions were checked: false after `checkContents: false`. */
  readonly isChecked: boolean;
}

/** How certificates, requests and revocation lists are read. */
export interface ParseOptions extends ToleranceOptions {
  /** More octets than this are refused. Default 1 MiB for certificates and requests, 64 MiB for revocation lists. */
  readonly maximumOctets?: number;
  /**
   * False allows every tolerance and leaves the strings in names and the values of extensions unchecked, to look at a
   * certificate with a malformed one. A malformed value is then refused when it is asked for. Default true.
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
  checkSize(der, options.maximumOctets ?? defaultMaximumOctets, "Certificate");
  const log = deviationLogOf(options);
  const isChecked = options.checkContents !== false;
  const certificate = reading("Certificate", () => readCertificate(der, log, isChecked));
  if (isChecked) checkContents(certificate, log?.tolerate);
  return certificate;
}

/** Where slips are noted; undefined where none is tolerated. */
export function deviationLogOf({ tolerances, checkContents: isChecked }: ParseOptions): DeviationLog | undefined {
  if (isChecked === false) return makeDeviationLog(everyTolerance("allow"));
  return tolerances === undefined ? undefined : makeDeviationLog(tolerances);
}

/** Refuses input over the limit, `ERR_X509_SIZE`, and says so where the input is PEM text. */
export function checkSize(der: Uint8Array, maximumOctets: number, structure: string): void {
  if (der.length > maximumOctets) {
    throw new X509Error("ERR_X509_SIZE", `${structure}: ${der.length} octets, more than the ${maximumOctets} allowed`, {
      found: der.length,
      limit: maximumOctets,
    });
  }
  // A hyphen, a byte order mark: DER starts with 0x30.
  if (der[0] === 0x2d || (der[0] === 0xef && der[1] === 0xbb)) {
    const reason = `${structure}: the input is text, not DER; the functions whose names end in FromPem read PEM`;
    throw new X509Error("ERR_X509_PEM_LABEL", reason, { found: [], wanted: [] });
  }
}

/**
 * Checks a certificate that was read before, by other settings: what `parseCertificate` leaves out with
 * `checkContents: false`, and the slips that it tolerated. Costs nothing for a certificate that was checked and has no
 * slips. Returns the slips that these settings tolerate.
 *
 * Throws as `parseCertificate`.
 */
export function checkCertificateContents(
  certificate: Certificate,
  options: ToleranceOptions = {},
): readonly Deviation[] {
  if (certificate.isChecked && certificate.deviations.length === 0) return noDeviations;
  const { encoding } = certificate;
  return parseCertificate(encoding, { tolerances: options.tolerances, maximumOctets: encoding.length }).deviations;
}

function checkContents(certificate: Certificate, tolerate: Tolerate | undefined): void {
  checkNameStrings(certificate.issuer, tolerate);
  checkNameStrings(certificate.subject, tolerate);
  checkExtensionValues(certificate.extensions, tolerate);
  // §4.1.2.6: if the subject is empty, the subjectAltName MUST be critical.
  const names = certificate.subject.rdns.length === 0 ? findExtension(certificate, subjectAltName.oid) : undefined;
  if (names?.critical !== false || tolerate?.("emptySubject", names.valueOffset) === true) return;
  const reason = "the subject is empty, and the subjectAltName is not critical; one of the two has to be otherwise";
  throw new X509Error("ERR_X509_EMPTY_SUBJECT", tolerable(reason, "emptySubject"), {
    tolerance: "emptySubject",
    clause: "RFC 5280 §4.1.2.6",
  });
}

/** ECDSA and Ed25519 with NULL parameters are noted; whether they are refused is decided with the signature. */
export function noteNullParameters(
  { algorithm, parameters }: AlgorithmIdentifier,
  offset: number,
  log: DeviationLog,
): void {
  const isNull = parameters?.length === 2 && parameters[0] === Tag.null;
  // ecdsa-with-SHA2 is 1.2.840.10045.4.3, Ed25519 1.3.101.112; Ed448 is beside it.
  const isEcdsa = algorithm.length === 8 && equalBytes(algorithm.subarray(0, 7), ecdsaWithSha2);
  const isEdwards = algorithm.length === 3 && equalBytes(algorithm.subarray(0, 2), edwards);
  if (isNull && (isEcdsa || isEdwards)) log.tolerate("nullParameters", offset);
}

const ecdsaWithSha2 = /* @__PURE__ */ Uint8Array.of(0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03);
const edwards = /* @__PURE__ */ Uint8Array.of(0x2b, 0x65);

function readCertificate(der: Uint8Array, log: DeviationLog | undefined, isChecked: boolean): Certificate {
  const reader = new DerReader(der, { tolerate: log?.tolerate });
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
    throw algorithmMismatch(signatureAlgorithm.encoding, outerAlgorithm, "RFC 5280 §4.1.1.2");
  }
  if (log !== undefined) noteNullParameters(signatureAlgorithm, outerAlgorithm.offset, log);
  const issuerOffset = tbs.offset;
  const issuer = readName(tbs);
  if (issuer.rdns.length === 0) throw emptyIssuer(issuerOffset, "RFC 5280 §4.1.2.4");
  const validity = readValidity(tbs);
  const subject = readName(tbs);
  const subjectPublicKeyInfo = readSubjectPublicKeyInfo(tbs);
  const issuerUniqueID = readUniqueId(tbs, 1, version);
  const subjectUniqueID = readUniqueId(tbs, 2, version);
  const extensions = readExplicitExtensions(tbs, version, log !== undefined);
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
    deviations: log === undefined ? noDeviations : log.deviations,
    isChecked,
  };
}

/** The algorithm inside what is signed is another than the one beside the signature. */
export function algorithmMismatch(inside: Uint8Array, outside: DerElement, clause: string): Error {
  const evidence = { inside: hexText(inside), outside: hexText(outside.encoding) };
  const reason = `the signature algorithm inside what is signed (${evidence.inside}) is not the one outside (${evidence.outside})`;
  return new X509Error("ERR_X509_SIGNATURE_ALGORITHM_MISMATCH", reason, {
    ...evidence,
    offset: outside.offset,
    clause,
  });
}

/** An issuer without a name. */
export function emptyIssuer(offset: number, clause: string): Error {
  return new X509Error("ERR_X509_EMPTY_ISSUER", "the issuer is empty; it has at least one attribute", {
    offset,
    clause,
  });
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
  const reason =
    number === 0 ? "version 1 is written out; it is left out" : `version ${number + 1} does not exist; 1 to 3 do`;
  throw versionFault("Certificate", number + 1, reason, offset, "RFC 5280 §4.1.2.1");
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
    throw versionFault("Certificate", 1, "a unique identifier needs version 2", tbs.offset, "RFC 5280 §4.1.2.8");
  }
  return tbs.bitString(tag).bytes;
}

/** `[3] Extensions`, in version 3 only (§4.1.2.9). */
function readExplicitExtensions(tbs: DerReader, version: number, isTolerant: boolean): Extension[] {
  const tag = contextConstructed(3);
  if (!tbs.nextIs(tag)) return [];
  if (version !== 3) {
    throw versionFault("Certificate", version, "extensions need version 3", tbs.offset, "RFC 5280 §4.1.2.9");
  }
  const outerEnd = tbs.enter(tag);
  const extensions = readExtensions(tbs, isTolerant);
  tbs.leave(outerEnd);
  return extensions;
}
