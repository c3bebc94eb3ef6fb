/** Issuing certificates (RFC 5280 §4.1, §4.2). No clock and no randomness of its own: both are the caller's. */

import { encodeDer } from "@latchkey/asn1";
import { equalBytes } from "@latchkey/asn1";
import type { CryptoProvider, PrivateKey, PublicKey, SignatureAlgorithm } from "@latchkey/crypto";
import { type Certificate, parseCertificate } from "./certificate.ts";
import { type CertificationRequest, verifyCertificationRequest } from "./certification-request.ts";
import { X509Error } from "./errors.ts";
import { type Extension, extensionValue, makeExtension, writeExtensions } from "./extension.ts";
import { basicConstraints } from "./extensions/basic-constraints.ts";
import { authorityKeyIdentifier, subjectKeyIdentifier } from "./extensions/key-identifiers.ts";
import { type KeyUsage, keyUsage } from "./extensions/key-usage.ts";
import type { Name } from "./name.ts";
import { makeSigner, type Signer } from "./sign.ts";
import { parseSubjectPublicKeyInfo } from "./subject-public-key-info.ts";
import type { CertificateTemplate } from "./templates.ts";

/** A certificate authority: its certificate and the private key of that certificate. */
export interface CertificateIssuer {
  readonly certificate: Certificate;
  readonly privateKey: PrivateKey;
}

interface CommonInput {
  readonly provider: CryptoProvider;
  readonly template: CertificateTemplate;
  /** Default: what `defaultSignatureAlgorithm` says for the issuer's key. */
  readonly signatureAlgorithm?: SignatureAlgorithm | undefined;
  /** A positive number's magnitude, big-endian, 1 to 20 octets. Default: 20 random octets. */
  readonly serialNumber?: Uint8Array | undefined;
}

/** A certificate by an issuer, for a public key or for a request whose signature is then checked. */
export interface IssueCertificateInput extends CommonInput {
  readonly issuer: CertificateIssuer;
  readonly publicKey?: PublicKey | undefined;
  readonly request?: CertificationRequest | undefined;
}

/** A certificate that is signed by its own key: of a root, or of a device that makes its own. */
export interface SelfSignedCertificateInput extends CommonInput {
  readonly privateKey: PrivateKey;
}

/**
 * Issues a certificate. What comes back was read from what was signed.
 *
 * Version 3; authorityKeyIdentifier and subjectKeyIdentifier always. The key is the request's or `publicKey`; the
 * subject is the template's, or else the request's. Nothing else is taken from a request: names that it asks for are
 * the template's to grant.
 *
 * Throws `ERR_X509_PROOF_OF_POSSESSION` where the request is not signed by its key; `ERR_X509_ISSUER` where the issuer
 * is no CA, may not sign certificates, may not have this CA below it, or its key is not its certificate's;
 * `ERR_X509_VALUE` for a serial number, validity or subject that cannot be; and what the provider throws.
 */
export function issueCertificate(input: IssueCertificateInput): Certificate {
  const { signer, toBeSigned } = prepareIssued(input);
  return parseCertificate(signer.sign(toBeSigned));
}

/** As `issueCertificate`, signing off the calling thread where the provider does so. */
export async function issueCertificateAsync(input: IssueCertificateInput): Promise<Certificate> {
  const { signer, toBeSigned } = prepareIssued(input);
  return parseCertificate(await signer.signAsync(toBeSigned));
}

/** Issues a certificate that is signed by its own key. Throws as `issueCertificate`, except for faults of the issuer. */
export function issueSelfSignedCertificate(input: SelfSignedCertificateInput): Certificate {
  const { privateKey, template } = input;
  const { subject } = template;
  if (subject === undefined)
    throw new X509Error("ERR_X509_VALUE", "a self-signed certificate needs a subject in its template", {});
  const signer = makeSigner(input);
  const spki = privateKey.publicKey.spki;
  const keyIdentifier = makeKeyIdentifier(input.provider, spki);
  const toBeSigned = tbsCertificate(input, signer, {
    issuer: subject,
    subject,
    spki,
    keyIdentifier,
    authority: keyIdentifier,
  });
  return parseCertificate(signer.sign(toBeSigned));
}

function prepareIssued(input: IssueCertificateInput): { signer: Signer; toBeSigned: Uint8Array } {
  const { provider, issuer, request, template } = input;
  checkIssuer(issuer, template);
  const spki = input.publicKey?.spki ?? request?.subjectPublicKeyInfo.encoding;
  const subject = template.subject ?? request?.subject;
  if (spki === undefined || (input.publicKey !== undefined && request !== undefined)) {
    throw new X509Error("ERR_X509_VALUE", "give publicKey or request: one of the two, not both", {});
  }
  if (subject === undefined)
    throw new X509Error("ERR_X509_VALUE", "a certificate for a public key needs a subject in its template", {});
  if (request !== undefined) verifyCertificationRequest(request, provider);
  const signer = makeSigner({ ...input, privateKey: issuer.privateKey });
  const toBeSigned = tbsCertificate(input, signer, {
    issuer: issuer.certificate.subject,
    subject,
    spki,
    keyIdentifier: makeKeyIdentifier(provider, spki),
    authority: keyIdentifierOf(issuer.certificate, provider),
  });
  return { signer, toBeSigned };
}

/** What names and keys go into a certificate. */
interface Parties {
  readonly issuer: Name;
  readonly subject: Name;
  readonly spki: Uint8Array;
  readonly keyIdentifier: Uint8Array;
  readonly authority: Uint8Array;
}

function tbsCertificate(input: CommonInput, signer: Signer, parties: Parties): Uint8Array {
  const { template } = input;
  const { notBefore, notAfter } = template.validity;
  if (!(notBefore <= notAfter)) {
    throw new X509Error("ERR_X509_VALUE", `notAfter (${notAfter}) is before notBefore (${notBefore})`, {});
  }
  if (parties.issuer.rdns.length === 0)
    throw new X509Error("ERR_X509_VALUE", "the issuer has an empty name; it needs at least one attribute", {});
  const serialNumber = input.serialNumber ?? randomSerialNumber(input.provider);
  checkSerialNumber(serialNumber);
  const extensions: Extension[] = [
    ...template.extensions,
    makeExtension(subjectKeyIdentifier, parties.keyIdentifier),
    makeExtension(authorityKeyIdentifier, {
      keyIdentifier: parties.authority,
      authorityCertIssuer: undefined,
      authorityCertSerialNumber: undefined,
    }),
  ];
  return encodeDer((writer) => {
    writer.sequence((fields) => {
      fields.explicit(0, (version) => version.integer(2));
      fields.unsignedInteger(serialNumber);
      fields.encoded(signer.algorithm);
      fields.encoded(parties.issuer.encoding);
      fields.sequence((validity) => {
        validity.time(notBefore);
        validity.time(notAfter);
      });
      fields.encoded(parties.subject.encoding);
      fields.encoded(parties.spki);
      fields.explicit(3, (explicit) => writeExtensions(explicit, extensions));
    });
  });
}

/** Twenty octets, the first bits 01: positive, of full length, and with 158 random bits (RFC 5280 §4.1.2.2 allows 20). */
export function randomSerialNumber(provider: Pick<CryptoProvider, "randomBytes">): Uint8Array {
  const octets = Uint8Array.from(provider.randomBytes(20));
  octets[0] = ((octets[0] ?? 0) & 0x3f) | 0x40;
  return octets;
}

/** RFC 5280 §4.1.2.2: positive, and no longer than 20 octets as an INTEGER. */
function checkSerialNumber(magnitude: Uint8Array): void {
  const first = magnitude.findIndex((octet) => octet !== 0);
  const length = magnitude.length - first + ((magnitude[first] ?? 0) >= 0x80 ? 1 : 0);
  if (first < 0 || length > 20) {
    throw new X509Error(
      "ERR_X509_VALUE",
      `a serial number is positive and has at most 20 octets; this has ${magnitude.length}`,
      {
        clause: "RFC 5280 §4.1.2.2",
      },
    );
  }
}

/** RFC 7093 §2 method 1: the first 160 bits of SHA-256 of the key's octets. */
function makeKeyIdentifier(provider: Pick<CryptoProvider, "hash">, spki: Uint8Array): Uint8Array {
  return provider.hash("SHA-256", parseSubjectPublicKeyInfo(spki).subjectPublicKey).subarray(0, 20);
}

/** The identifier that a certificate gives its own key, or the one that we would give it. */
export function keyIdentifierOf(certificate: Certificate, provider: Pick<CryptoProvider, "hash">): Uint8Array {
  return (
    extensionValue(certificate, subjectKeyIdentifier) ??
    makeKeyIdentifier(provider, certificate.subjectPublicKeyInfo.encoding)
  );
}

function checkIssuer(issuer: CertificateIssuer, template: CertificateTemplate): void {
  const constraints = requireSigner(issuer, "keyCertSign");
  const isForCa = extensionValue(template, basicConstraints)?.cA === true;
  if (isForCa && constraints.pathLenConstraint === 0)
    throw refusedIssuer("has pathLenConstraint 0: it may not have another authority below it");
}

/** Refuses an issuer that is no CA, lacks the key usage, or has another key. Returns what it may have below it. */
export function requireSigner(
  issuer: CertificateIssuer,
  usage: KeyUsage,
): { readonly pathLenConstraint: number | undefined } {
  const { certificate, privateKey } = issuer;
  const constraints = extensionValue(certificate, basicConstraints);
  if (constraints?.cA !== true) throw refusedIssuer("is not of an authority: it lacks basicConstraints with cA TRUE");
  if (extensionValue(certificate, keyUsage)?.includes(usage) === false)
    throw refusedIssuer(`lacks the key usage ${usage}`);
  if (!equalBytes(certificate.subjectPublicKeyInfo.encoding, privateKey.publicKey.spki)) {
    throw refusedIssuer("has another key than the private key that is to sign");
  }
  return constraints;
}

function refusedIssuer(problem: string): Error {
  return new X509Error("ERR_X509_ISSUER", `the issuer's certificate ${problem}`, { problem });
}
