/**
 * A revocation list made ready: its extensions decoded, judged once, and by which keys it was found signed.
 *
 * A verifier keeps this by the parsed list's identity for as long as the caller keeps the list, so a list is checked
 * once. Which of several lists counts is decided anew each time, so a newer one takes effect with the next answer.
 */

import { decodeOid, equalBytes } from "@latchkey/asn1";
import {
  authorityKeyIdentifier,
  type AuthorityKeyIdentifier,
  type CertificateRevocationList,
  cRLNumber,
  cRLReason,
  deltaCRLIndicator,
  extensionValue,
  findExtension,
  freshestCRL,
  invalidityDate,
  issuerAltName,
  type IssuingDistributionPoint,
  issuingDistributionPoint,
  nameKey,
  parseCertificateRevocationList,
  certificateIssuer,
  X509Error,
} from "@latchkey/x509";

/** Extensions of lists, and of entries, that may be critical because they are processed here. */
const understoodOfLists = [issuingDistributionPoint, cRLNumber, deltaCRLIndicator, freshestCRL, issuerAltName];
const understoodOfEntries = [cRLReason, invalidityDate, certificateIssuer];

export class KnownList {
  readonly list: CertificateRevocationList;
  readonly issuerKey: string;
  readonly issuingDistributionPoint: IssuingDistributionPoint | undefined;
  readonly authorityKeyIdentifier: AuthorityKeyIdentifier | undefined;
  readonly number: Uint8Array | undefined;
  readonly isNumberCritical: boolean;
  /** The number of the list that this one, a delta list, starts from. */
  readonly baseNumber: Uint8Array | undefined;
  readonly #signers: Uint8Array[] = [];
  #unknownCritical: string | undefined | null = null;

  /** Throws an X509Error where an extension is malformed. */
  constructor(list: CertificateRevocationList) {
    this.list = list;
    this.issuerKey = nameKey(list.issuer);
    this.issuingDistributionPoint = extensionValue(list, issuingDistributionPoint);
    this.authorityKeyIdentifier = extensionValue(list, authorityKeyIdentifier);
    this.number = extensionValue(list, cRLNumber);
    this.isNumberCritical = findExtension(list, cRLNumber.oid)?.critical === true;
    this.baseNumber = extensionValue(list, deltaCRLIndicator);
  }

  get isDelta(): boolean {
    return this.baseNumber !== undefined;
  }

  /**
   * A critical extension that is unknown, of the list or of any entry (§5.2, §5.3): such a list MUST NOT be used to
   * tell that a certificate is not revoked. Linear in the entries, once.
   */
  get unknownCritical(): string | undefined {
    if (this.#unknownCritical === null) this.#unknownCritical = findUnknownCritical(this.list);
    return this.#unknownCritical;
  }

  wasSignedBy(spki: Uint8Array): boolean {
    return this.#signers.some((signer) => equalBytes(signer, spki));
  }

  rememberSigner(spki: Uint8Array): void {
    this.#signers.push(spki.slice());
  }
}

function findUnknownCritical(list: CertificateRevocationList): string | undefined {
  for (const { oid, critical } of list.extensions) {
    if (critical && !understoodOfLists.some((type) => equalBytes(type.oid, oid))) return decodeOid(oid);
  }
  for (const { extensions } of list.revokedCertificates) {
    for (const { oid, critical } of extensions) {
      if (critical && !understoodOfEntries.some((type) => equalBytes(type.oid, oid))) return decodeOid(oid);
    }
  }
  return undefined;
}

/** A list as a caller hands it in, made ready; or what is wrong with it. DER is read anew each time. */
export function readList(
  input: CertificateRevocationList | Uint8Array,
  memory: WeakMap<object, unknown>,
): KnownList | X509Error {
  const remembered = memory.get(input);
  if (remembered instanceof KnownList) return remembered;
  try {
    if (input instanceof Uint8Array) return new KnownList(parseCertificateRevocationList(input));
    const known = new KnownList(input);
    memory.set(input, known);
    return known;
  } catch (error) {
    if (error instanceof X509Error) return error;
    throw error;
  }
}

/** Compares numbers of lists: unsigned, big-endian, without leading zeros. */
export function compareNumbers(a: Uint8Array, b: Uint8Array): number {
  if (a.length !== b.length) return a.length - b.length;
  for (const [index, octet] of a.entries()) if (octet !== b[index]) return octet - (b[index] ?? 0);
  return 0;
}
