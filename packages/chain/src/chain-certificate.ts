/**
 * A certificate as path validation sees it: its extensions decoded once, its names ready for comparing, its key ready
 * for checking signatures, and by which keys it was found signed.
 */

import { equalBytes } from "@latchkey/asn1";
import {
  authorityKeyIdentifier,
  type AuthorityKeyIdentifier,
  basicConstraints,
  type BasicConstraints,
  certificatePolicies,
  type Certificate,
  decodeExtension,
  extendedKeyUsage,
  type Extension,
  extensionTypeOf,
  type GeneralName,
  inhibitAnyPolicy,
  keyUsage,
  type KeyUsage,
  nameConstraints,
  type NameConstraints,
  nameKey,
  policyConstraints,
  type PolicyConstraints,
  type PolicyInformation,
  type PolicyMapping,
  policyMappings,
  subjectAltName,
  subjectKeyIdentifier,
} from "@latchkey/x509";
import { IssuerKey } from "./issuer-key.ts";

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
}

/** How many keys a certificate is remembered to be signed by: more than one only where an issuer's key is reissued. */
const maximumSignersRemembered = 4;

export class ChainCertificate {
  readonly certificate: Certificate;
  readonly values: Readonly<Values>;
  /** Critical extensions that nothing here knows. */
  readonly unknownCritical: readonly Extension[];
  readonly key: IssuerKey;
  /** Whether a verifier keeps it from one answer to the next. */
  isRemembered = false;
  readonly #signers: Uint8Array[] = [];
  #subjectKey: string | undefined;
  #issuerKey: string | undefined;
  #isSelfIssued: boolean | undefined;

  /** Decodes the extensions; throws an X509Error where one is malformed. */
  constructor(certificate: Certificate) {
    this.certificate = certificate;
    const { values, unknownCritical } = decodeAll(certificate.extensions);
    this.values = values;
    this.unknownCritical = unknownCritical;
    this.key = new IssuerKey(certificate.subjectPublicKeyInfo.encoding);
  }

  /** A string that is equal for equal subjects. */
  get subjectKey(): string {
    this.#subjectKey ??= nameKey(this.certificate.subject);
    return this.#subjectKey;
  }

  get issuerKey(): string {
    this.#issuerKey ??= nameKey(this.certificate.issuer);
    return this.#issuerKey;
  }

  /** RFC 5280 §3.2: issuer and subject are the same name. */
  get isSelfIssued(): boolean {
    if (this.#isSelfIssued === undefined) {
      const { issuer, subject } = this.certificate;
      // Names of another number of sets never match; most that differ do so in their octets' number, too.
      this.#isSelfIssued =
        equalBytes(issuer.encoding, subject.encoding) ||
        (issuer.rdns.length === subject.rdns.length && this.issuerKey === this.subjectKey);
    }
    return this.#isSelfIssued;
  }

  get isCa(): boolean {
    return this.values.basicConstraints?.cA === true;
  }

  /** Whether two certificates are of one entity: name, key and alternative names are the same (RFC 4158 §2.4.2). */
  isSameEntity(other: ChainCertificate): boolean {
    return (
      equalBytes(this.key.spki, other.key.spki) &&
      this.subjectKey === other.subjectKey &&
      sameAlternativeNames(this.certificate, other.certificate)
    );
  }

  /** Whether a signature by this key was checked before. */
  wasSignedBy(spki: Uint8Array): boolean {
    return this.#signers.some((signer) => equalBytes(signer, spki));
  }

  /** Remembers a signature that holds. */
  rememberSigner(spki: Uint8Array): void {
    if (this.wasSignedBy(spki)) return;
    if (this.#signers.length === maximumSignersRemembered) this.#signers.shift();
    this.#signers.push(spki.slice());
  }
}

function sameAlternativeNames(a: Certificate, b: Certificate): boolean {
  const [left, right] = [a, b].map(({ extensions }) =>
    extensions.find(({ oid }) => equalBytes(oid, subjectAltName.oid)),
  );
  if (left === undefined || right === undefined) return left === right;
  return equalBytes(left.value, right.value);
}

function decodeAll(extensions: readonly Extension[]): {
  readonly values: Values;
  readonly unknownCritical: Extension[];
} {
  const values: Values = {
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
  };
  const unknownCritical: Extension[] = [];
  for (const extension of extensions) {
    if (!decodeValue(values, extension) && !decodeOther(extension) && extension.critical) {
      unknownCritical.push(extension);
    }
  }
  return { values, unknownCritical };
}

/** Decodes an extension that validation uses; false where it is none of those. */
function decodeValue(values: Values, extension: Extension): boolean {
  const { oid } = extension;
  // All of them are under id-ce, 2.5.29, so the last of three octets tells them apart.
  if (oid.length !== 3 || oid[0] !== 0x55 || oid[1] !== 0x1d) return false;
  switch (oid[2]) {
    case 14:
      values.subjectKeyIdentifier = decodeExtension(extension, subjectKeyIdentifier);
      return true;
    case 15:
      values.keyUsage = decodeExtension(extension, keyUsage);
      return true;
    case 17:
      values.subjectAltName = decodeExtension(extension, subjectAltName);
      return true;
    case 19:
      values.basicConstraints = decodeExtension(extension, basicConstraints);
      return true;
    case 30:
      values.nameConstraints = decodeExtension(extension, nameConstraints);
      return true;
    case 32:
      values.certificatePolicies = decodeExtension(extension, certificatePolicies);
      return true;
    case 33:
      values.policyMappings = decodeExtension(extension, policyMappings);
      return true;
    case 35:
      values.authorityKeyIdentifier = decodeExtension(extension, authorityKeyIdentifier);
      return true;
    case 36:
      values.policyConstraints = decodeExtension(extension, policyConstraints);
      return true;
    case 37:
      values.extendedKeyUsage = decodeExtension(extension, extendedKeyUsage);
      return true;
    case 54:
      values.inhibitAnyPolicy = decodeExtension(extension, inhibitAnyPolicy);
      return true;
    default:
      return false;
  }
}

/** Extensions that say nothing to validation, or that revocation reads: well-formed all the same. */
function decodeOther(extension: Extension): boolean {
  const type = extensionTypeOf(extension.oid);
  if (type === undefined || !isUnderstood(extension.oid)) return false;
  decodeExtension(extension, type);
  return true;
}

/**
 * Whether a critical extension of a known type may pass: issuerAltName (18), cRLDistributionPoints (31) and freshestCRL
 * (46) under id-ce, and all of id-pe but TLS feature, a promise that only the TLS layer can hold a server to.
 */
function isUnderstood(oid: Uint8Array): boolean {
  if (oid.length === 3) return oid[2] === 18 || oid[2] === 31 || oid[2] === 46;
  return !(oid.length === 8 && oid[7] === 24);
}
