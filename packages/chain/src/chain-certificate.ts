/**
 * A certificate as path validation uses it: its extensions decoded once, its names prepared for comparing, its key ready
 * for checking signatures, and the keys that it was found to be signed by.
 */

import { decodeOid, equalBytes } from "@latchkey/asn1";
import {
  authorityKeyIdentifier,
  type AuthorityKeyIdentifier,
  basicConstraints,
  type BasicConstraints,
  certificatePolicies,
  checkCertificateContents,
  type Certificate,
  cRLDistributionPoints,
  decodeExtension,
  type Deviation,
  type DistributionPoint,
  extendedKeyUsage,
  type Extension,
  type GeneralName,
  inhibitAnyPolicy,
  keyUsage,
  type KeyUsage,
  knownExtension,
  type KnownExtension,
  nameConstraints,
  type NameConstraints,
  nameKey,
  nameText,
  policyConstraints,
  type PolicyConstraints,
  type PolicyInformation,
  type PolicyMapping,
  policyMappings,
  subjectAltName,
  subjectKeyIdentifier,
  type Tolerances,
} from "@latchkey/x509";
import { nameWeight } from "./budget.ts";
import { type CertificateOutline, outlineOfCertificate } from "./certificate-outline.ts";
import { ConstrainedNames, PreparedConstraints } from "./name-constraints.ts";
import { type PolicyKey, policyKey } from "./policy-graph.ts";
import { isQualifierUnderstood } from "./policy-qualifier.ts";
import { SigningKey } from "./signing-key.ts";

/** The values of the extensions that validation uses; undefined where absent. */
interface Values {
  basicConstraints: BasicConstraints | undefined;
  keyUsage: readonly KeyUsage[] | undefined;
  extendedKeyUsage: readonly Uint8Array[] | undefined;
  subjectAltName: readonly GeneralName[] | undefined;
  nameConstraints: NameConstraints | undefined;
  authorityKeyIdentifier: AuthorityKeyIdentifier | undefined;
  subjectKeyIdentifier: Uint8Array | undefined;
  certificatePolicies: readonly PolicyInformation[] | undefined;
  policyMappings: readonly PolicyMapping[] | undefined;
  policyConstraints: PolicyConstraints | undefined;
  inhibitAnyPolicy: number | undefined;
  cRLDistributionPoints: readonly DistributionPoint[] | undefined;
}

/** A critical extension that is not understood; `part` says what of it, where the rest is. */
export interface UnknownCritical {
  readonly oid: string;
  readonly name: string | undefined;
  readonly part: string | undefined;
}

/** How many keys are remembered that a certificate is signed by. More than one only where the issuer's key was reissued. */
const maximumSignersRemembered = 4;

/** One certificate, prepared for searching and validating. */
export class ChainCertificate {
  readonly certificate: Certificate;
  readonly values: Readonly<Values>;
  readonly unknownCritical: readonly UnknownCritical[];
  /** The rows of x509's table for its extensions, in their order; undefined for one that is unknown. */
  readonly knownExtensions: readonly (KnownExtension | undefined)[];
  readonly key: SigningKey;
  /** Slips of its maker that were tolerated. */
  readonly deviations: readonly Deviation[];
  /** Octets of issuer and subject, as preparing them for comparing costs. */
  readonly namesWeight: number;
  /** Octets of its names and known extensions, which the work on it grows with. */
  readonly weight: number;
  /** Whether a verifier keeps it from one answer to the next. */
  isRemembered = false;
  readonly #signers: Uint8Array[] = [];
  /** The value of subjectAltName as it stands. Found once: a search compares each pair of certificates on a path. */
  readonly #alternativeNames: Uint8Array | undefined;
  #subjectNameKey: string | undefined;
  #issuerNameKey: string | undefined;
  #isSelfIssued: boolean | undefined;
  #outline: CertificateOutline | undefined;
  #subjectText: string | undefined;
  #policies: readonly PolicyKey[] | undefined;
  #names: ConstrainedNames | undefined;
  #constraints: PreparedConstraints | undefined;

  /**
   * Decodes the extensions. Throws an X509Error where one is malformed, or has a slip that the settings do not tolerate: a
   * caller may hand in a certificate that was read by other settings, or without looking at its contents.
   */
  constructor(certificate: Certificate, tolerances: Tolerances) {
    this.deviations = isReadBy(certificate, tolerances)
      ? certificate.deviations
      : checkCertificateContents(certificate, { tolerances });
    this.certificate = certificate;
    const values = emptyValues();
    const unknownCritical: UnknownCritical[] = [];
    const knownExtensions: (KnownExtension | undefined)[] = [];
    this.namesWeight = nameWeight(certificate.issuer.encoding) + nameWeight(certificate.subject.encoding);
    let weight = this.namesWeight;
    let alternativeNames: Uint8Array | undefined;
    for (const extension of certificate.extensions) {
      const known = knownExtension(extension.oid);
      knownExtensions.push(known);
      if (known?.type !== undefined) {
        weight += known.type === nameConstraints ? nameWeight(extension.value) : extension.value.length;
        if (known.type === subjectAltName) alternativeNames = extension.value;
        decodeValue(values, extension, known);
      }
      if (extension.critical) {
        const unknown = notUnderstood(extension, known, values);
        if (unknown !== undefined) unknownCritical.push(unknown);
      }
    }
    this.values = values;
    this.unknownCritical = unknownCritical;
    this.knownExtensions = knownExtensions;
    this.weight = weight;
    this.#alternativeNames = alternativeNames;
    this.key = new SigningKey(certificate.subjectPublicKeyInfo.encoding);
  }

  /** A string that is equal for equal subjects. */
  get subjectNameKey(): string {
    this.#subjectNameKey ??= nameKey(this.certificate.subject);
    return this.#subjectNameKey;
  }

  /** A string that is equal for equal issuers. */
  get issuerNameKey(): string {
    this.#issuerNameKey ??= nameKey(this.certificate.issuer);
    return this.#issuerNameKey;
  }

  /** RFC 5280 §3.2: issuer and subject are the same name. */
  get isSelfIssued(): boolean {
    if (this.#isSelfIssued === undefined) {
      const { issuer, subject } = this.certificate;
      // Names with another number of sets never match, which is cheaper to see than their keys are to make.
      this.#isSelfIssued =
        equalBytes(issuer.encoding, subject.encoding) ||
        (issuer.rdns.length === subject.rdns.length && this.issuerNameKey === this.subjectNameKey);
    }
    return this.#isSelfIssued;
  }

  get isCa(): boolean {
    return this.values.basicConstraints?.cA === true;
  }

  /** What a search knows of a certificate before it reads it. */
  get outline(): CertificateOutline {
    this.#outline ??= outlineOfCertificate(this.certificate);
    return this.#outline;
  }

  /** The subject for people. */
  get subjectText(): string {
    this.#subjectText ??= nameText(this.certificate.subject);
    return this.#subjectText;
  }

  /** The policies, prepared for the policy graph. */
  get policies(): readonly PolicyKey[] | undefined {
    const { certificatePolicies: policies } = this.values;
    this.#policies ??= policies?.map(({ policyIdentifier }) => policyKey(policyIdentifier));
    return this.#policies;
  }

  /** The names that constraints apply to, prepared for comparing. */
  get constrainedNames(): ConstrainedNames {
    this.#names ??= ConstrainedNames.of(this.certificate, this.values.subjectAltName);
    return this.#names;
  }

  /** Its own name constraints, prepared for comparing. */
  get constraints(): PreparedConstraints | undefined {
    const { nameConstraints: constraints } = this.values;
    if (constraints === undefined) return undefined;
    this.#constraints ??= new PreparedConstraints(constraints);
    return this.#constraints;
  }

  /**
   * Whether two certificates are of one entity: name, key and alternative names are the same (RFC 4158 §2.4.2). The octets
   * to compare are at most those of one of them.
   */
  isSameEntity(other: ChainCertificate): boolean {
    return (
      equalBytes(this.key.spki, other.key.spki) &&
      this.subjectNameKey === other.subjectNameKey &&
      sameOctets(this.#alternativeNames, other.#alternativeNames)
    );
  }

  /** Whether a signature by this key was checked before. */
  wasSignedBy(spki: Uint8Array): boolean {
    for (const signer of this.#signers) if (equalBytes(signer, spki)) return true;
    return false;
  }

  /** Remembers a signature that holds. Keeps `spki`, which must not change. */
  rememberSigner(spki: Uint8Array): void {
    if (this.wasSignedBy(spki)) return;
    if (this.#signers.length === maximumSignersRemembered) this.#signers.shift();
    this.#signers.push(spki);
  }
}

/** Whether a certificate was read by the very settings, as those are that are read here. */
function isReadBy({ isChecked, deviations }: Certificate, tolerances: Tolerances): boolean {
  return isChecked && deviations.every(({ tolerance, action }) => tolerances[tolerance] === action);
}

function sameOctets(a: Uint8Array | undefined, b: Uint8Array | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return equalBytes(a, b);
}

function emptyValues(): Values {
  return {
    basicConstraints: undefined,
    keyUsage: undefined,
    extendedKeyUsage: undefined,
    subjectAltName: undefined,
    nameConstraints: undefined,
    authorityKeyIdentifier: undefined,
    subjectKeyIdentifier: undefined,
    certificatePolicies: undefined,
    policyMappings: undefined,
    policyConstraints: undefined,
    inhibitAnyPolicy: undefined,
    cRLDistributionPoints: undefined,
  };
}

/** Decodes a known extension: keeps what validation uses, and checks that the others are well-formed. */
function decodeValue(values: Values, extension: Extension, { type }: KnownExtension): void {
  switch (type) {
    case undefined:
      return;
    case basicConstraints:
      values.basicConstraints = decodeExtension(extension, basicConstraints);
      return;
    case keyUsage:
      values.keyUsage = decodeExtension(extension, keyUsage);
      return;
    case extendedKeyUsage:
      values.extendedKeyUsage = decodeExtension(extension, extendedKeyUsage);
      return;
    case subjectAltName:
      values.subjectAltName = decodeExtension(extension, subjectAltName);
      return;
    case nameConstraints:
      values.nameConstraints = decodeExtension(extension, nameConstraints);
      return;
    case authorityKeyIdentifier:
      values.authorityKeyIdentifier = decodeExtension(extension, authorityKeyIdentifier);
      return;
    case subjectKeyIdentifier:
      values.subjectKeyIdentifier = decodeExtension(extension, subjectKeyIdentifier);
      return;
    case certificatePolicies:
      values.certificatePolicies = decodeExtension(extension, certificatePolicies);
      return;
    case policyMappings:
      values.policyMappings = decodeExtension(extension, policyMappings);
      return;
    case policyConstraints:
      values.policyConstraints = decodeExtension(extension, policyConstraints);
      return;
    case inhibitAnyPolicy:
      values.inhibitAnyPolicy = decodeExtension(extension, inhibitAnyPolicy);
      return;
    case cRLDistributionPoints:
      values.cRLDistributionPoints = decodeExtension(extension, cRLDistributionPoints);
      return;
    default:
      decodeExtension(extension, type);
  }
}

/**
 * Why a critical extension is not understood (RFC 5280 §4.2: then the certificate MUST be refused). Of certificatePolicies
 * the qualifiers have to be understood, too (§4.2.1.4).
 */
function notUnderstood(
  { oid }: Extension,
  known: KnownExtension | undefined,
  { certificatePolicies: policies }: Values,
): UnknownCritical | undefined {
  if (known?.understoodBy.includes("path") !== true) {
    return { oid: decodeOid(oid), name: known?.name, part: undefined };
  }
  if (known.type !== certificatePolicies) return undefined;
  for (const { policyQualifiers } of policies ?? []) {
    const unknown = policyQualifiers.find((qualifier) => !isQualifierUnderstood(qualifier));
    if (unknown !== undefined) {
      return {
        oid: decodeOid(oid),
        name: known.name,
        part: `the policy qualifier ${decodeOid(unknown.policyQualifierId)}`,
      };
    }
  }
  return undefined;
}
