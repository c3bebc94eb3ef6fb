/**
 * What an OCSP response says of a certificate (RFC 6960 §3.2): the response is about it, current, and signed by the
 * issuer or by one whom the issuer itself made a responder.
 */

import { encodeOid, equalBytes } from "@latchkey/asn1";
import type { CryptoProvider, HashAlgorithm } from "@latchkey/crypto";
import {
  type Certificate,
  hasKeyPurpose,
  type Name,
  namesMatch,
  parseCertificate,
  parseName,
  parseSubjectPublicKeyInfo,
  revocationReasons,
  X509Error,
} from "@latchkey/x509";
import { ChainCertificate } from "./chain-certificate.ts";
import { IssuerKey } from "./issuer-key.ts";
import type { CertificateStatus } from "./list-status.ts";
import {
  type BasicOcspResponse,
  type CertificateId,
  parseOcspResponse,
  type ResponderId,
  type SingleResponse,
} from "./ocsp-response.ts";
import { readChainCertificate } from "./prepared-anchor.ts";

/** What `checkOcspResponse` is asked. */
export interface OcspInputs {
  /** A DER OCSPResponse. */
  readonly response: Uint8Array;
  readonly certificate: Certificate;
  /** Who issued the certificate; that it did is not checked here. */
  readonly issuer: Certificate;
  /** Seconds since 1970. */
  readonly time: number;
  /** How old a response may be; without it, one that does not say how long it counts does not count. */
  readonly maximumAgeSeconds?: number;
  readonly provider: CryptoProvider;
}

/**
 * What an OCSP response says of one certificate. Everything that is wrong with it ends in `unknown` with the reason.
 *
 * The response must be signed by the issuer or by a responder whose certificate came along and was signed by the issuer
 * for OCSPSigning (RFC 6960 §4.2.2.2); that responder's own status is not asked for. Nonces are not compared.
 */
export function checkOcspResponse({ issuer, maximumAgeSeconds, time, ...inputs }: OcspInputs): CertificateStatus {
  const key = new IssuerKey(issuer.subjectPublicKeyInfo.encoding);
  const question = {
    ...inputs,
    time: Math.floor(time),
    maximumAgeSeconds,
    issuerName: inputs.certificate.issuer,
    issuer: { key },
    takeSignature: () => true,
  };
  return ocspStatus(question) ?? unknown("the OCSP response is about other certificates");
}

export interface OcspQuestion {
  readonly response: Uint8Array;
  readonly certificate: Certificate;
  readonly issuer: { readonly key: IssuerKey };
  readonly issuerName: Name;
  readonly time: number;
  readonly maximumAgeSeconds: number | undefined;
  readonly provider: CryptoProvider;
  /** Charges one signature check; false where none is left. */
  readonly takeSignature: () => boolean;
}

/** The status of a certificate by a response; undefined where the response is about others only. */
export function ocspStatus(question: OcspQuestion): CertificateStatus | undefined {
  const parsed = parseOcspResponse(question.response);
  if (parsed === undefined) return unknown("an OCSP response cannot be read");
  const { basic, responseStatus } = parsed;
  if (basic === undefined) return unknown(`the OCSP responder answered ${responseStatus}`);
  if (basic.unknownCritical !== undefined) {
    return unknown(`an OCSP response has the critical extension ${basic.unknownCritical}`);
  }
  const matching = basic.responses.filter(({ certificateId }) => isAbout(certificateId, question));
  if (matching.length === 0) return undefined;
  const { notBefore, notAfter } = question.certificate.validity;
  // As BoringSSL: a response made while there was no such certificate is not about this one.
  if (basic.producedAt < notBefore || basic.producedAt > notAfter || basic.producedAt > question.time) {
    return unknown("an OCSP response was made outside the certificate's validity");
  }
  const statuses = matching.map((single) => singleStatus(single, question));
  const worst =
    statuses.find(({ status }) => status === "revoked") ??
    statuses.find(({ status }) => status === "unknown") ??
    statuses[0];
  if (worst === undefined || worst.status === "unknown") return worst;
  const fault = signatureFault(basic, question);
  return fault === undefined ? worst : unknown(fault);
}

function unknown(reason: string): CertificateStatus {
  return { status: "unknown", reasons: [reason] };
}

const hashes: readonly (readonly [Uint8Array, HashAlgorithm])[] = /* @__PURE__ */ makeHashes();

function makeHashes(): readonly (readonly [Uint8Array, HashAlgorithm])[] {
  return [
    [encodeOid("1.3.14.3.2.26"), "SHA-1"],
    [encodeOid("2.16.840.1.101.3.4.2.1"), "SHA-256"],
    [encodeOid("2.16.840.1.101.3.4.2.2"), "SHA-384"],
    [encodeOid("2.16.840.1.101.3.4.2.3"), "SHA-512"],
  ];
}

/** RFC 6960 §4.1.1: serial number, and hashes of the issuer's name and key (its bits alone). */
function isAbout(id: CertificateId, { certificate, issuer, issuerName, provider }: OcspQuestion): boolean {
  if (!equalBytes(id.serialNumber, certificate.serialNumber)) return false;
  const algorithm = hashes.find(([oid]) => equalBytes(oid, id.hashAlgorithm))?.[1];
  if (algorithm === undefined) return false;
  return (
    equalBytes(provider.hash(algorithm, issuerName.encoding), id.issuerNameHash) &&
    equalBytes(provider.hash(algorithm, keyBits(issuer.key)), id.issuerKeyHash)
  );
}

function keyBits(key: IssuerKey): Uint8Array {
  return parseSubjectPublicKeyInfo(key.spki).subjectPublicKey;
}

function singleStatus(single: SingleResponse, { time, maximumAgeSeconds }: OcspQuestion): CertificateStatus {
  const { thisUpdate, nextUpdate, status, unknownCritical } = single;
  if (unknownCritical !== undefined) return unknown(`an OCSP response has the critical extension ${unknownCritical}`);
  if (thisUpdate > time) return unknown("an OCSP response is of the future");
  if (nextUpdate !== undefined && nextUpdate < time) return unknown("an OCSP response is past its time");
  if (maximumAgeSeconds !== undefined && thisUpdate < time - maximumAgeSeconds) {
    return unknown("an OCSP response is too old");
  }
  // RFC 6960 §4.2.2.1: without nextUpdate newer information is there at any time.
  if (nextUpdate === undefined && maximumAgeSeconds === undefined) {
    return unknown("an OCSP response does not say how long it counts");
  }
  if (status === "unknown") return unknown("the OCSP responder does not know the certificate");
  if (status === "good") {
    const byAge = maximumAgeSeconds === undefined ? Number.POSITIVE_INFINITY : thisUpdate + maximumAgeSeconds;
    return { status, validUntil: Math.min(nextUpdate ?? Number.POSITIVE_INFINITY, byAge) };
  }
  return { status, reason: reasonName(single.reason), revokedAt: single.revokedAt };
}

function reasonName(number: number | undefined): string | undefined {
  return Object.entries(revocationReasons).find(([, value]) => value === number)?.[0];
}

/** §4.2.2.2: signed by the issuer, or by a certificate that the issuer signed itself with the purpose OCSPSigning. */
function signatureFault(basic: BasicOcspResponse, question: OcspQuestion): string | undefined {
  const { issuer, issuerName, provider, takeSignature } = question;
  const signed = {
    data: basic.tbsResponseData,
    algorithm: basic.signatureAlgorithm,
    signature: basic.signature,
  };
  let fault = "an OCSP response is by nobody who may make it";
  if (isResponder(basic.responderId, issuerName, issuer.key, provider)) {
    if (takeSignature() && issuer.key.check(provider, signed) === undefined) return undefined;
    fault = "the signature of an OCSP response does not hold";
  }
  for (const der of basic.certificates) {
    const responder = delegatedResponder(der, basic.responderId, question);
    if (responder === undefined) continue;
    if (takeSignature() && responder.check(provider, signed) === undefined) return undefined;
    fault = "the signature of an OCSP response does not hold";
  }
  return fault;
}

function isResponder(id: ResponderId, name: Name, key: IssuerKey, provider: CryptoProvider): boolean {
  if (id.type === "byKey") return equalBytes(provider.hash("SHA-1", keyBits(key)), id.keyHash);
  return isSameName(id.name, name);
}

function isSameName(der: Uint8Array, name: Name): boolean {
  if (equalBytes(der, name.encoding)) return true;
  try {
    return namesMatch(parseName(der), name);
  } catch (error) {
    if (error instanceof X509Error) return false;
    throw error;
  }
}

/** The key of a certificate that came along, if it is the responder and the issuer made it one. */
function delegatedResponder(der: Uint8Array, id: ResponderId, question: OcspQuestion): IssuerKey | undefined {
  const { issuer, issuerName, provider, time, takeSignature } = question;
  const candidate = readResponder(der);
  if (candidate === undefined) return undefined;
  const { certificate, values, unknownCritical, key } = candidate;
  if (!isResponder(id, certificate.subject, key, provider)) return undefined;
  const { notBefore, notAfter } = certificate.validity;
  if (time < notBefore || time > notAfter || unknownCritical.length > 0) return undefined;
  // anyExtendedKeyUsage does not make a responder.
  if (!hasKeyPurpose(values.extendedKeyUsage ?? [], "OCSPSigning")) return undefined;
  if (values.keyUsage !== undefined && !values.keyUsage.includes("digitalSignature")) return undefined;
  if (!namesMatch(certificate.issuer, issuerName) || !takeSignature()) return undefined;
  const fault = issuer.key.check(provider, {
    data: certificate.tbsCertificate,
    algorithm: certificate.signatureAlgorithm.encoding,
    signature: certificate.signatureValue,
  });
  return fault === undefined ? key : undefined;
}

function readResponder(der: Uint8Array): ChainCertificate | undefined {
  try {
    const read = readChainCertificate(parseCertificate(der));
    return read instanceof ChainCertificate ? read : undefined;
  } catch (error) {
    if (error instanceof X509Error) return undefined;
    throw error;
  }
}
