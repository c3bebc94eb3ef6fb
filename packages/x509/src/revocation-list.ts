/** Certificate revocation lists (RFC 5280 §5), versions 1 and 2. */

import { contextConstructed, DerReader, equalBytes, Tag } from "@latchkey/asn1";
import { type AlgorithmIdentifier, readAlgorithmIdentifier } from "./algorithm-identifier.ts";
import {
  algorithmMismatch,
  checkSize,
  deviationLogOf,
  emptyIssuer,
  noteNullParameters,
  type ParseOptions,
} from "./certificate.ts";
import { reading, versionFault, X509Error } from "./errors.ts";
import { type Extension, extensionValue, readExtensions } from "./extension.ts";
import { issuingDistributionPoint } from "./extensions/distribution-points.ts";
import { checkExtensionValues } from "./extensions/extension-table.ts";
import { checkNameStrings, type Name, readName } from "./name.ts";
import { blocksOf, inBlock } from "./pem-blocks.ts";
import { noPositions, readEntryPositions, RevokedCertificates } from "./revoked-certificates.ts";
import { type Deviation, type DeviationLog, noDeviations } from "./tolerance.ts";

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
  /** Undefined where absent: the syntax allows that, RFC 5280 §5.1.2.5 forbids it to CAs. */
  readonly nextUpdate: number | undefined;
  readonly revokedCertificates: RevokedCertificates;
  readonly extensions: readonly Extension[];
  readonly signatureValue: Uint8Array;
  /** The slips that were tolerated. Those in extensions and names are among them only if `isChecked`. */
  readonly deviations: readonly Deviation[];
  /** Whether names and extensions were checked: false after `checkContents: false`. */
  readonly isChecked: boolean;
}

/**
 * Reads one DER revocation list strictly, every entry of it, in linear time; entries become objects when asked for.
 *
 * Throws as `parseCertificate`; `ERR_X509_VERSION` for version 3, an encoded version 1, and extensions without version
 * 2. With `checkContents: false` an entry is judged by itself: one that is malformed throws when it is asked for.
 */
export function parseCertificateRevocationList(der: Uint8Array, options: ParseOptions = {}): CertificateRevocationList {
  checkSize(der, options.maximumOctets ?? defaultMaximumOctets, "CertificateList");
  const log = deviationLogOf(options);
  const isChecked = options.checkContents !== false;
  const list = reading("CertificateList", () => readList(der, log, isChecked));
  if (isChecked) {
    checkNameStrings(list.issuer, log?.tolerate);
    checkExtensionValues(list.extensions, log?.tolerate);
  }
  return list;
}

/** Every revocation list of PEM text. Throws `ERR_X509_PEM_LABEL`, and as `parseCertificateRevocationList`. */
export function revocationListsFromPem(text: string | Uint8Array, options?: ParseOptions): CertificateRevocationList[] {
  return blocksOf(text, ["X509 CRL"]).map((block, index) =>
    inBlock(index, block, "CertificateList", () => parseCertificateRevocationList(block.bytes, options)),
  );
}

function readList(der: Uint8Array, log: DeviationLog | undefined, isChecked: boolean): CertificateRevocationList {
  // Entries may be many: the size limit bounds them, not the default count of elements.
  const reader = new DerReader(der, { maximumElements: der.length, tolerate: log?.tolerate });
  const outer = reader.sequence();
  reader.end();
  const tbs = outer.sequence();
  const outerAlgorithm = outer.element(Tag.sequence);
  const signatureValue = outer.octetAlignedBitString();
  outer.end();

  const version = readVersion(tbs);
  const signatureAlgorithm = readAlgorithmIdentifier(tbs);
  if (!equalBytes(signatureAlgorithm.encoding, outerAlgorithm.encoding)) {
    throw algorithmMismatch(signatureAlgorithm.encoding, outerAlgorithm, "RFC 5280 §5.1.1.2");
  }
  if (log !== undefined) noteNullParameters(signatureAlgorithm, outerAlgorithm.offset, log);
  const issuerOffset = tbs.offset;
  const issuer = readName(tbs);
  if (issuer.rdns.length === 0) throw emptyIssuer(issuerOffset, "RFC 5280 §5.1.2.3");
  const thisUpdate = tbs.time();
  const hasNextUpdate = tbs.nextIs(Tag.utcTime) || tbs.nextIs(Tag.generalizedTime);
  const nextUpdate = hasNextUpdate ? tbs.time() : undefined;
  const positions = tbs.nextIs(Tag.sequence) ? readEntryPositions(tbs, version, log, isChecked) : noPositions;
  const extensions = readListExtensions(tbs, version, log !== undefined);
  const revokedCertificates = new RevokedCertificates(der, positions, {
    version,
    isTolerant: log !== undefined,
    isIndirect: mayBeIndirect(extensions),
  });
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
    deviations: log === undefined ? noDeviations : log.deviations,
    isChecked,
  };
}

/** `Version OPTIONAL`: if present, MUST be v2 (§5.1.2.1). */
function readVersion(tbs: DerReader): 1 | 2 {
  if (!tbs.nextIs(Tag.integer)) return 1;
  const { offset } = tbs;
  const number = tbs.smallInteger(255);
  if (number === 1) return 2;
  const reason = number === 0 ? "it is written out; version 1 is left out" : "it does not exist; 1 and 2 do";
  throw versionFault("CertificateList", number + 1, reason, offset, "RFC 5280 §5.1.2.1");
}

function readListExtensions(tbs: DerReader, version: 1 | 2, isTolerant: boolean): Extension[] {
  if (!tbs.nextIs(contextConstructed(0))) return [];
  if (version === 1) {
    throw versionFault("CertificateList", 1, "extensions need version 2", tbs.offset, "RFC 5280 §5.1.2.7");
  }
  const explicit = tbs.explicit(0);
  const extensions = readExtensions(explicit, isTolerant);
  explicit.end();
  return extensions;
}

/** Whether entries may name other issuers: so too where the extension that says it is malformed. */
function mayBeIndirect(extensions: readonly Extension[]): boolean {
  try {
    return extensionValue({ extensions }, issuingDistributionPoint)?.indirectCRL === true;
  } catch (error) {
    if (error instanceof X509Error) return true;
    throw error;
  }
}
