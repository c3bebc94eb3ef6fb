/**
 * A revocation list prepared: its extensions decoded, and by which keys it was found signed.
 *
 * A verifier keeps this by the parsed list for as long as the caller keeps the list, so a list is checked once. Which of
 * several lists counts is decided each time, so a newer list takes effect with the next answer.
 */

import { decodeOid, equalBytes } from "@latchkey/asn1";
import {
  authorityKeyIdentifier,
  type AuthorityKeyIdentifier,
  type CertificateRevocationList,
  cRLNumber,
  cRLReason,
  deltaCRLIndicator,
  type Extension,
  extensionValue,
  findExtension,
  isUnderstoodBy,
  type IssuingDistributionPoint,
  issuingDistributionPoint,
  nameKey,
  nameText,
  parseCertificateRevocationList,
  type RevokedCertificate,
  type ToleranceAction,
  type Tolerances,
  X509Error,
} from "@latchkey/x509";
import { nameWeight, price } from "./budget.ts";
import { pointNameKeys } from "./distribution-point.ts";
import { octetKey } from "./octet-key.ts";
import type { RevocationSubject } from "./revocation-checker.ts";
import { type RevocationReason, revocationReason } from "./revocation-reason.ts";

/** One revocation list, prepared. */
export class KnownList {
  readonly list: CertificateRevocationList;
  /** A string that is equal for equal issuers. */
  readonly issuerNameKey: string;
  readonly issuingDistributionPoint: IssuingDistributionPoint | undefined;
  readonly authorityKeyIdentifier: AuthorityKeyIdentifier | undefined;
  readonly number: Uint8Array | undefined;
  readonly isNumberCritical: boolean;
  /** The number of the list that this one, a delta list, starts from. */
  readonly baseNumber: Uint8Array | undefined;
  /** A critical extension of the list itself that is not understood (§5.2): then the list MUST NOT be used. */
  readonly unknownCritical: string | undefined;
  /** Where it stands among the lists that were given, from 0. */
  readonly position: number;
  /** Whether it is kept from one answer to the next, as parsed lists are. */
  readonly isKept: boolean;
  /** What strict reading, by the tolerances of the verifier, says against it. */
  readonly fault: X509Error | undefined;
  readonly #signers: Uint8Array[] = [];
  readonly #strangers: Uint8Array[] = [];
  #text: string | undefined;
  #pointNameKeys: ReadonlySet<string> | undefined;
  #seriesKey: string | undefined;

  /** Throws an X509Error where an extension of the list is malformed. */
  constructor(list: CertificateRevocationList, position: number, isKept: boolean, fault: X509Error | undefined) {
    this.list = list;
    this.fault = fault;
    this.position = position;
    this.isKept = isKept;
    this.issuerNameKey = nameKey(list.issuer);
    this.issuingDistributionPoint = extensionValue(list, issuingDistributionPoint);
    this.authorityKeyIdentifier = extensionValue(list, authorityKeyIdentifier);
    this.number = extensionValue(list, cRLNumber);
    this.isNumberCritical = findExtension(list, cRLNumber.oid)?.critical === true;
    this.baseNumber = extensionValue(list, deltaCRLIndicator);
    this.unknownCritical = unknownCriticalOf(list.extensions);
  }

  get isDelta(): boolean {
    return this.baseNumber !== undefined;
  }

  /** The issuer for people. */
  get text(): string {
    this.#text ??= nameText(this.list.issuer);
    return this.#text;
  }

  /** Its names for its distribution point as keys; undefined where it is for every point. Linear in their octets, once. */
  get pointNameKeys(): ReadonlySet<string> | undefined {
    const point = this.issuingDistributionPoint?.distributionPoint;
    if (point === undefined) return undefined;
    this.#pointNameKeys ??= pointNameKeys(point, this.list.issuer);
    return this.#pointNameKeys;
  }

  /**
   * What a complete list and the delta lists to it have in common (§5.2.4): issuer, scope and key. Linear in the octets of `seriesOctets`,
   * once.
   */
  get seriesKey(): string {
    this.#seriesKey ??= [this.issuerNameKey, ...this.#series.map((part) => part && octetKey(part))]
      .map((part) => (part === undefined ? "-" : `${part.length}:${part}`))
      .join();
    return this.#seriesKey;
  }

  /** Octets that `seriesKey` is made of. */
  get seriesOctets(): number {
    return this.#series.reduce((sum, part) => sum + (part?.length ?? 0), this.list.issuer.encoding.length);
  }

  get #series(): readonly (Uint8Array | undefined)[] {
    return [findExtension(this.list, issuingDistributionPoint.oid)?.value, this.authorityKeyIdentifier?.keyIdentifier];
  }

  /**
   * What is wrong with any entry: it cannot be read, or has a critical extension that is not understood (§5.3). Such a
   * list can still say that a certificate is revoked, for each entry stands by itself; it cannot say that one is not.
   */
  get entryFault(): RevocationReason | undefined {
    const { unknownCriticalExtension: unknown } = this.list.revokedCertificates;
    if (unknown !== undefined) {
      return revocationReason("ERR_REVOCATION_LIST_CRITICAL_EXTENSION", { list: this.text, oid: decodeOid(unknown) });
    }
    return this.fault && malformedList(this.position, this.fault);
  }

  wasSignedBy(spki: Uint8Array): boolean {
    return this.#signers.some((signer) => equalBytes(signer, spki));
  }

  /** Whether a signature by this key was checked and does not hold. */
  wasNotSignedBy(spki: Uint8Array): boolean {
    return this.#strangers.some((signer) => equalBytes(signer, spki));
  }

  /** Keeps what a signature check found; `spki` is copied. */
  rememberCheck(spki: Uint8Array, holds: boolean): void {
    const keys = holds ? this.#signers : this.#strangers;
    if (keys.length < maximumKeysRemembered) keys.push(spki.slice());
  }
}

const maximumKeysRemembered = 16;

function unknownCriticalOf(extensions: readonly Extension[]): string | undefined {
  const unknown = extensions.find(({ oid, critical }) => critical && !isUnderstoodBy("revocationList", oid));
  return unknown && decodeOid(unknown.oid);
}

/** Why a list cannot be read. */
export function malformedList(position: number, { code, message, offset }: X509Error): RevocationReason {
  return revocationReason("ERR_REVOCATION_LIST_MALFORMED", { position, reason: code, message, offset });
}

/**
 * A list as a caller hands it in, prepared; or what is wrong with it; undefined where the budget ends. A parsed list is
 * kept with the caller's object, DER for this answer only.
 */
export function readList(
  input: CertificateRevocationList | Uint8Array,
  position: number,
  { memory, memoryOfAnswer, spend, tolerances }: RevocationSubject,
): KnownList | X509Error | undefined {
  const kept = input instanceof Uint8Array ? memoryOfAnswer : memory;
  const remembered = kept.get(input);
  if (remembered instanceof KnownList || remembered instanceof X509Error) return remembered;
  if (input instanceof Uint8Array && !spend(input.length * price.statementOctet)) return undefined;
  const read = prepareList(input, position, tolerances, spend);
  if (read !== undefined) kept.set(input, read);
  return read;
}

function prepareList(
  input: CertificateRevocationList | Uint8Array,
  position: number,
  tolerances: Tolerances,
  spend: RevocationSubject["spend"],
): KnownList | X509Error | undefined {
  try {
    if (input instanceof Uint8Array) return prepareDer(input, position, tolerances, spend);
    const isStrict = input.isChecked && input.deviations.every(({ tolerance }) => isTolerated(tolerances[tolerance]));
    const read = isStrict ? input : readStrictly(input.encoding, tolerances);
    return new KnownList(input, position, true, read instanceof X509Error ? read : undefined);
  } catch (error) {
    if (error instanceof X509Error) return error;
    throw error;
  }
}

/** Where strict reading fails, entries are still read one by one, so that one that is malformed does not hide the others. */
function prepareDer(
  der: Uint8Array,
  position: number,
  tolerances: Tolerances,
  spend: RevocationSubject["spend"],
): KnownList | undefined {
  const read = readStrictly(der, tolerances);
  const fault = read instanceof Error ? read : undefined;
  if (fault !== undefined && !spend(der.length * price.statementOctet)) return undefined;
  const list = read instanceof Error ? parseCertificateRevocationList(der, { checkContents: false }) : read;
  return spend(nameWeight(list.issuer.encoding) * price.nameOctet)
    ? new KnownList(list, position, false, fault)
    : undefined;
}

function readStrictly(der: Uint8Array, tolerances: Tolerances): CertificateRevocationList | X509Error {
  try {
    return parseCertificateRevocationList(der, { tolerances, maximumOctets: der.length });
  } catch (error) {
    if (error instanceof X509Error) return error;
    throw error;
  }
}

function isTolerated(action: ToleranceAction | undefined): boolean {
  return action === "allow" || action === "warn";
}

/** The reason for revocation that an entry gives; undefined where it gives none that can be read. */
export function reasonOf(entry: RevokedCertificate): string | undefined {
  try {
    return extensionValue(entry, cRLReason);
  } catch (error) {
    if (error instanceof X509Error) return undefined;
    throw error;
  }
}

/** Compares numbers of lists: unsigned, big-endian, without leading zeros. */
export function compareNumbers(a: Uint8Array, b: Uint8Array): number {
  if (a.length !== b.length) return a.length - b.length;
  for (let index = 0; index < a.length; index++) {
    const difference = (a[index] ?? 0) - (b[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}
