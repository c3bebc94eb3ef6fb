/**
 * What an OCSP response says about a certificate (RFC 6960 §3.2): the response is about it, current, and signed by the
 * issuer or by a responder that the issuer itself authorized.
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
import { Budget, nameWeight, price } from "./budget.ts";
import { ChainCertificate } from "./chain-certificate.ts";
import { dateText } from "./date-text.ts";
import { defaultLimits } from "./limits.ts";
import {
  type BasicOcspResponse,
  type CertificateId,
  type OcspResponse,
  parseOcspResponse,
  type ResponderId,
  type SingleResponse,
} from "./ocsp-response.ts";
import type { RevocationStatus, RevocationSubject } from "./revocation-checker.ts";
import {
  type RevocationReasonCode,
  type RevocationReasonEvidence,
  type RevocationReason,
  revocationReason,
} from "./revocation-reason.ts";
import { SigningKey } from "./signing-key.ts";
import { readChainCertificate } from "./trust-anchor.ts";

/** What `checkOcspResponse` needs. */
export interface OcspInputs {
  /** A DER OCSPResponse. */
  readonly response: Uint8Array;
  readonly certificate: Certificate;
  /** The issuer of the certificate; that it is, is not checked here. */
  readonly issuer: Certificate;
  /** Seconds since 1970. */
  readonly time: number;
  /** How old a response may be. Without it, a response without nextUpdate does not count. */
  readonly maximumAgeSeconds?: number;
  readonly provider: CryptoProvider;
}

/**
 * What an OCSP response says about one certificate. Whatever is wrong with it ends in `unknown` with the reason.
 *
 * The response must be signed by the issuer, or by a responder whose certificate came along and was signed by the issuer
 * for OCSPSigning (RFC 6960 §4.2.2.2). The status of that responder is not asked for, and nonces are not compared. The
 * limits `signatures` and `work` hold with their defaults.
 */
export function checkOcspResponse({ issuer, maximumAgeSeconds, time, ...inputs }: OcspInputs): RevocationStatus {
  const budget = new Budget(defaultLimits);
  const { provider } = inputs;
  return ocspStatus({
    ...inputs,
    position: 0,
    time: Math.floor(time),
    maximumAgeSeconds,
    issuerName: inputs.certificate.issuer,
    issuer: issuer.subjectPublicKeyInfo.encoding,
    isSignedBy: ({ subjectPublicKeyInfo }, signed) =>
      new SigningKey(subjectPublicKeyInfo).check(provider, signed, budget, tolerateNothing) === undefined,
    spend: (microseconds) => budget.spend(microseconds),
    memoryOfAnswer: new WeakMap(),
  });
}

/** Strict reading: no slip is tolerated. */
const tolerateNothing = (): boolean => false;

/** One response and one certificate, and what the answer is found with. */
export interface OcspQuestion extends Pick<
  RevocationSubject,
  "certificate" | "time" | "provider" | "isSignedBy" | "spend" | "memoryOfAnswer"
> {
  readonly response: Uint8Array;
  /** Where the response stands among those that were given, from 0. */
  readonly position: number;
  /** DER SubjectPublicKeyInfo. */
  readonly issuer: Uint8Array;
  readonly issuerName: Name;
  readonly maximumAgeSeconds: number | undefined;
}

/** The status of a certificate by a response. */
export function ocspStatus(question: OcspQuestion): RevocationStatus {
  const { certificate, time } = question;
  const parsed = readResponse(question);
  if (parsed === undefined) return unknown(question, "ERR_REVOCATION_OCSP_MALFORMED", {});
  const { basic, responseStatus } = parsed;
  if (basic === undefined) return unknown(question, "ERR_REVOCATION_OCSP_STATUS", { status: responseStatus });
  if (basic.unknownCritical !== undefined) {
    return unknown(question, "ERR_REVOCATION_OCSP_CRITICAL_EXTENSION", { oid: basic.unknownCritical });
  }
  if (!question.spend(basic.responses.length * price.step)) {
    return unknown(question, "ERR_REVOCATION_OCSP_OTHER_CERTIFICATE", {});
  }
  const matching = basic.responses.filter(({ certificateId }) => isAbout(certificateId, question));
  if (matching.length === 0) return unknown(question, "ERR_REVOCATION_OCSP_OTHER_CERTIFICATE", {});
  const { notBefore, notAfter } = certificate.validity;
  // As BoringSSL: a response that was made while there was no such certificate is not about this one.
  if (basic.producedAt < notBefore || basic.producedAt > notAfter || basic.producedAt > time) {
    const producedAtDate = dateText(basic.producedAt);
    return unknown(question, "ERR_REVOCATION_OCSP_PRODUCED_AT", { producedAtDate });
  }
  const fault = signatureFault(basic, question);
  if (fault !== undefined) return { status: "unknown", reasons: [fault] };
  const statuses = matching.map((single) => singleStatus(single, question));
  return (
    statuses.find(({ status }) => status === "revoked") ??
    statuses.find(({ status }) => status === "unknown") ??
    statuses[0] ??
    unknown(question, "ERR_REVOCATION_OCSP_OTHER_CERTIFICATE", {})
  );
}

/** The response, read once for each answer. */
function readResponse({ response, spend, memoryOfAnswer }: OcspQuestion): OcspResponse | undefined {
  const before = memoryOfAnswer.get(response);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- only this function keeps anything under a response
  if (before !== undefined) return (before as { readonly parsed: OcspResponse | undefined }).parsed;
  if (!spend(response.length * price.statementOctet)) return undefined;
  const parsed = parseOcspResponse(response);
  memoryOfAnswer.set(response, { parsed });
  return parsed;
}

type OcspCode = Extract<RevocationReasonCode, `ERR_REVOCATION_OCSP_${string}`>;

function ocspReason<Code extends OcspCode>(
  { position }: OcspQuestion,
  code: Code,
  evidence: Omit<RevocationReasonEvidence[Code], "position">,
): RevocationReason {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- with the position the evidence of the code is whole
  return revocationReason(code, { position, ...evidence } as unknown as RevocationReasonEvidence[Code]);
}

function unknown<Code extends OcspCode>(
  question: OcspQuestion,
  code: Code,
  evidence: Omit<RevocationReasonEvidence[Code], "position">,
): RevocationStatus {
  return { status: "unknown", reasons: [ocspReason(question, code, evidence)] };
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
function isAbout(id: CertificateId, { certificate, issuer, issuerName, provider, spend }: OcspQuestion): boolean {
  if (!equalBytes(id.serialNumber, certificate.serialNumber)) return false;
  const algorithm = hashes.find(([oid]) => equalBytes(oid, id.hashAlgorithm))?.[1];
  if (algorithm === undefined || !spend(2 * price.step + issuerName.encoding.length * price.signedOctet)) return false;
  return (
    equalBytes(provider.hash(algorithm, issuerName.encoding), id.issuerNameHash) &&
    equalBytes(provider.hash(algorithm, keyBits(issuer)), id.issuerKeyHash)
  );
}

function keyBits(spki: Uint8Array): Uint8Array {
  return parseSubjectPublicKeyInfo(spki).subjectPublicKey;
}

/** What one single response says. A revocation stands even where the response is too old to say "good". */
function singleStatus(single: SingleResponse, question: OcspQuestion): RevocationStatus {
  const { time, maximumAgeSeconds } = question;
  const { thisUpdate, nextUpdate, status, unknownCritical } = single;
  if (unknownCritical !== undefined) {
    return unknown(question, "ERR_REVOCATION_OCSP_CRITICAL_EXTENSION", { oid: unknownCritical });
  }
  const thisUpdateDate = dateText(thisUpdate);
  if (thisUpdate > time) {
    const evidence = { thisUpdate, thisUpdateDate, atDate: dateText(time) };
    return unknown(question, "ERR_REVOCATION_OCSP_NOT_YET_VALID", evidence);
  }
  if (status === "revoked") {
    return { status, source: "ocsp", reason: reasonName(single.reason), revokedAt: single.revokedAt };
  }
  if (nextUpdate !== undefined && nextUpdate < time) {
    const evidence = { nextUpdate, nextUpdateDate: dateText(nextUpdate), atDate: dateText(time) };
    return unknown(question, "ERR_REVOCATION_OCSP_STALE", evidence);
  }
  if (maximumAgeSeconds !== undefined && thisUpdate < time - maximumAgeSeconds) {
    return unknown(question, "ERR_REVOCATION_OCSP_TOO_OLD", { thisUpdate, thisUpdateDate, maximumAgeSeconds });
  }
  // RFC 6960 §4.2.2.1: without nextUpdate newer information is there at any time.
  if (nextUpdate === undefined && maximumAgeSeconds === undefined) {
    return unknown(question, "ERR_REVOCATION_OCSP_WITHOUT_NEXT_UPDATE", {});
  }
  if (status === "unknown") return unknown(question, "ERR_REVOCATION_OCSP_UNKNOWN", {});
  const byAge = maximumAgeSeconds === undefined ? Number.POSITIVE_INFINITY : thisUpdate + maximumAgeSeconds;
  return { status, validUntil: Math.min(nextUpdate ?? Number.POSITIVE_INFINITY, byAge), reasons: [] };
}

function reasonName(number: number | undefined): string | undefined {
  return Object.entries(revocationReasons).find(([, value]) => value === number)?.[0];
}

/** §4.2.2.2: signed by the issuer, or by a certificate that the issuer signed itself with the purpose OCSPSigning. */
function signatureFault(basic: BasicOcspResponse, question: OcspQuestion): RevocationReason | undefined {
  const { issuer, issuerName, isSignedBy } = question;
  const signed = {
    data: basic.tbsResponseData,
    algorithm: basic.signatureAlgorithm,
    signature: basic.signature,
  };
  let fault = ocspReason(question, "ERR_REVOCATION_OCSP_SIGNER", {});
  if (isResponder(basic.responderId, issuerName, issuer, question)) {
    if (isSignedBy({ subjectPublicKeyInfo: issuer }, signed)) return undefined;
    fault = ocspReason(question, "ERR_REVOCATION_OCSP_SIGNATURE", {});
  }
  for (const der of basic.certificates) {
    const responder = authorizedResponder(der, basic.responderId, question);
    if (responder === undefined) continue;
    if (isSignedBy({ subjectPublicKeyInfo: responder }, signed)) return undefined;
    fault = ocspReason(question, "ERR_REVOCATION_OCSP_SIGNATURE", {});
  }
  return fault;
}

function isResponder(id: ResponderId, name: Name, spki: Uint8Array, { provider, spend }: OcspQuestion): boolean {
  if (id.type === "byKey") return equalBytes(provider.hash("SHA-1", keyBits(spki)), id.keyHash);
  return spend(nameWeight(id.name) * price.nameOctet) && isSameName(id.name, name);
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

/** The key of a certificate that came along, where it is the responder and the issuer authorized it. */
function authorizedResponder(der: Uint8Array, id: ResponderId, question: OcspQuestion): Uint8Array | undefined {
  const { issuer, issuerName, time, isSignedBy, spend } = question;
  if (!spend(price.certificate + der.length * price.certificateOctet)) return undefined;
  const candidate = readResponder(der);
  if (candidate === undefined || !spend(candidate.namesWeight * price.nameOctet)) return undefined;
  const { certificate, values, unknownCritical, key } = candidate;
  if (!isResponder(id, certificate.subject, key.spki, question)) return undefined;
  const { notBefore, notAfter } = certificate.validity;
  if (time < notBefore || time > notAfter || unknownCritical.length > 0) return undefined;
  // anyExtendedKeyUsage does not make a responder.
  if (!hasKeyPurpose(values.extendedKeyUsage ?? [], "OCSPSigning")) return undefined;
  if (values.keyUsage !== undefined && !values.keyUsage.includes("digitalSignature")) return undefined;
  if (!namesMatch(certificate.issuer, issuerName)) return undefined;
  const { tbsCertificate: data, signatureAlgorithm, signatureValue: signature } = certificate;
  const signed = { data, algorithm: signatureAlgorithm.encoding, signature };
  return isSignedBy({ subjectPublicKeyInfo: issuer }, signed) ? key.spki : undefined;
}

function readResponder(der: Uint8Array): ChainCertificate | undefined {
  try {
    const read = readChainCertificate(parseCertificate(der), {});
    return read instanceof ChainCertificate ? read : undefined;
  } catch (error) {
    if (error instanceof X509Error) return undefined;
    throw error;
  }
}
