/** Certificate revocation lists (RFC 5280 §5), versions 1 and 2. */

import { contextConstructed, DerReader, equalBytes, Tag } from "@latchkey/asn1";
import { type AlgorithmIdentifier, readAlgorithmIdentifier } from "./algorithm-identifier.ts";
import { checkSize, type ParseOptions } from "./certificate.ts";
import { reading, X509Error } from "./errors.ts";
import { type Extension, readExtensions } from "./extension.ts";
import { checkExtensionValues } from "./extensions/extension-table.ts";
import { checkNameStrings, type Name, readName } from "./name.ts";
import { blocksOf } from "./pem-files.ts";
import { noPositions, readEntryPositions, RevokedCertificates } from "./revoked-certificates.ts";

const defaultMaximumOctets = 67_108_864;

/** A list that was read; all bytes are views into its DER, which must not change. Nothing was verified. */
export interface CertificateRevocationList {
  readonly encoding: Uint8Array;
  /** The whole TBSCertList: what the signature is over. */
  readonly tbsCertList: Uint8Array;
  readonly version: 1 | 2;
  readonly signatureAlgorithm: AlgorithmIdentifier;
  readonly issuer: Name;
  /** Seconds since 1970. */
  readonly thisUpdate: number;
  /** Undefined where absent, which RFC 5280 §5.1.2.5 does not allow to CAs and its syntax does. */
  readonly nextUpdate: number | undefined;
  readonly revokedCertificates: RevokedCertificates;
  readonly extensions: readonly Extension[];
  readonly signatureValue: Uint8Array;
}

/**
 * Reads one DER revocation list strictly, every entry of it, in linear time; entries become objects when asked for.
 *
 * Throws as `parseCertificate`; `ERR_X509_VERSION` for version 3, an encoded version 1, and extensions without version
 * 2. `checkContents: false` leaves the entries' extensions unread, too.
 */
export function parseCertificateRevocationList(der: Uint8Array, options: ParseOptions = {}): CertificateRevocationList {
  checkSize(der, options.maximumOctets ?? defaultMaximumOctets);
  const isChecked = options.checkContents !== false;
  const list = reading("CertificateList", () => readList(der, isChecked));
  if (isChecked) {
    checkNameStrings(list.issuer);
    checkExtensionValues(list.extensions);
  }
  return list;
}

/** Every revocation list of PEM text. Throws `ERR_X509_PEM_LABEL`, and as `parseCertificateRevocationList`. */
export function revocationListsFromPem(text: string | Uint8Array, options?: ParseOptions): CertificateRevocationList[] {
  return blocksOf(text, ["X509 CRL"]).map(({ bytes }) => parseCertificateRevocationList(bytes, options));
}

function readList(der: Uint8Array, isChecked: boolean): CertificateRevocationList {
  // Entries may be many: the size limit bounds them, not the default count of elements.
  const reader = new DerReader(der, { maximumElements: der.length });
  const outer = reader.sequence();
  reader.end();
  const tbs = outer.sequence();
  const outerAlgorithm = outer.element(Tag.sequence);
  const signatureValue = outer.octetAlignedBitString();
  outer.end();

  const version = readVersion(tbs);
  const signatureAlgorithm = readAlgorithmIdentifier(tbs);
  if (!equalBytes(signatureAlgorithm.encoding, outerAlgorithm.encoding)) {
    throw new X509Error("ERR_X509_SIGNATURE_ALGORITHM_MISMATCH", "signature algorithms inside and outside differ", {
      offset: outerAlgorithm.offset,
      clause: "RFC 5280 §5.1.1.2",
    });
  }
  const issuerOffset = tbs.offset;
  const issuer = readName(tbs);
  if (issuer.rdns.length === 0) {
    throw new X509Error("ERR_X509_EMPTY_ISSUER", "an empty issuer", {
      offset: issuerOffset,
      clause: "RFC 5280 §5.1.2.3",
    });
  }
  const thisUpdate = tbs.time();
  const hasNextUpdate = tbs.nextIs(Tag.utcTime) || tbs.nextIs(Tag.generalizedTime);
  const nextUpdate = hasNextUpdate ? tbs.time() : undefined;
  const revokedCertificates = tbs.nextIs(Tag.sequence)
    ? new RevokedCertificates(der, readEntryPositions(tbs, version, isChecked))
    : new RevokedCertificates(der, noPositions);
  const extensions = readListExtensions(tbs, version);
  tbs.end();
  return {
    encoding: outer.encoding,
    tbsCertList: tbs.encoding,
    version,
    signatureAlgorithm,
    issuer,
    thisUpdate,
    nextUpdate,
    revokedCertificates,
    extensions,
    signatureValue,
  };
}

/** `Version OPTIONAL`: if present, MUST be v2 (§5.1.2.1). */
function readVersion(tbs: DerReader): 1 | 2 {
  if (!tbs.nextIs(Tag.integer)) return 1;
  const { offset } = tbs;
  const number = tbs.smallInteger(255);
  if (number === 1) return 2;
  throw new X509Error("ERR_X509_VERSION", number === 0 ? "version 1 encoded" : `version ${number + 1}`, {
    offset,
    clause: "RFC 5280 §5.1.2.1",
  });
}

function readListExtensions(tbs: DerReader, version: 1 | 2): Extension[] {
  if (!tbs.nextIs(contextConstructed(0))) return [];
  if (version === 1) {
    throw new X509Error("ERR_X509_VERSION", "extensions in a version 1 list", {
      offset: tbs.offset,
      clause: "RFC 5280 §5.1.2.7",
    });
  }
  const explicit = tbs.explicit(0);
  const extensions = readExtensions(explicit);
  explicit.end();
  return extensions;
}
