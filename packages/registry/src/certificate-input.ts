/** Reading the certificates and requests that callers hand in, by the rules that AWS IoT has for them. */

import { CryptoError, type CryptoProvider, type KeyAlgorithm } from "@latchkey/crypto";
import { createChainVerifier, describeFailure, type ChainFailure } from "@latchkey/chain";
import {
  certificatesFromPem,
  certificationRequestFromPem,
  verifyCertificationRequest,
  X509Error,
  type Certificate,
  type CertificationRequest,
} from "@latchkey/x509";
import { Asn1Error } from "@latchkey/asn1";
import { invalid, RegistryError } from "./errors.ts";
import { maximumCertificatePemCharacters, maximumRequestPemCharacters } from "./limits.ts";

/** The first certificate of a PEM text. Throws `ERR_REGISTRY_INVALID` or `ERR_REGISTRY_CERTIFICATE`. */
export function readCertificate(field: string, pem: string): Certificate {
  if (pem.length === 0 || pem.length > maximumCertificatePemCharacters) {
    throw invalid(field, `${pem.length} characters`, `1 to ${maximumCertificatePemCharacters} characters of PEM`);
  }
  return reading(field, () => {
    const [certificate] = certificatesFromPem(pem);
    if (certificate === undefined) throw refused(`${field} holds no certificate`);
    return certificate;
  });
}

/** The certificate of a record. Throws `ERR_REGISTRY_CORRUPT` where it cannot be read. */
export function storedCertificate(record: {
  readonly certificateId: string;
  readonly certificatePem: string;
}): Certificate {
  try {
    return readCertificate("certificate", record.certificatePem);
  } catch (cause) {
    const message = `the stored certificate ${record.certificateId} cannot be read: it is damaged`;
    throw new RegistryError("ERR_REGISTRY_CORRUPT", message, { file: undefined }, { cause });
  }
}

/**
 * A request in PEM whose signature shows that its maker has the private key, and whose key AWS IoT would take. Throws as
 * `readCertificate`.
 */
export function readRequest(pem: string, provider: CryptoProvider): CertificationRequest {
  const field = "certificateSigningRequest";
  if (pem.length === 0 || pem.length > maximumRequestPemCharacters) {
    throw invalid(field, `${pem.length} characters`, `1 to ${maximumRequestPemCharacters} characters of PEM`);
  }
  const request = reading(field, () => {
    const read = certificationRequestFromPem(pem);
    verifyCertificationRequest(read, provider);
    return read;
  });
  checkKey(field, request.subjectPublicKeyInfo.encoding, provider);
  return request;
}

/** A key that AWS IoT takes: RSA of 2048 bits or more, or ECC on P-256, P-384 or P-521. Throws `ERR_REGISTRY_CERTIFICATE`. */
export function checkKey(field: string, spki: Uint8Array, provider: CryptoProvider): void {
  let algorithm: KeyAlgorithm;
  try {
    ({ algorithm } = provider.importSpki(spki));
  } catch (cause) {
    if (!(cause instanceof CryptoError)) throw cause;
    throw refused(`${field} has a key that cannot be used: ${cause.message}. ${possibleKeys}`, { cause });
  }
  if (algorithm.name === "ec" || algorithm.name === "rsa" || algorithm.name === "rsa-pss") return;
  throw refused(`${field} has an ${algorithm.name} key. ${possibleKeys}`);
}

const possibleKeys = "Possible: RSA of 2048 bits or more, ECC on P-256, P-384 or P-521";

/** Refuses a certificate that is not valid at this time. Throws `ERR_REGISTRY_CERTIFICATE`. */
export function checkDates(field: string, { validity }: Certificate, nowSeconds: number): void {
  const { notBefore, notAfter } = validity;
  if (nowSeconds >= notBefore && nowSeconds <= notAfter) return;
  const what = nowSeconds > notAfter ? "has expired" : "is not valid yet";
  throw refused(
    `${field} ${what}: it is valid from ${dateText(notBefore)} to ${dateText(notAfter)}, and it is ${dateText(nowSeconds)}`,
  );
}

/** Refuses a certificate that the authority has not signed. Throws `ERR_REGISTRY_CERTIFICATE` with the chain's failures. */
export function checkSignedBy(
  field: string,
  certificate: Certificate,
  authority: Certificate,
  context: { readonly provider: CryptoProvider; readonly nowSeconds: number },
): void {
  const { provider, nowSeconds } = context;
  const verifier = createChainVerifier({ provider, trustAnchors: [authority], profile: "iotDevice" });
  const result = verifier.verify({ certificate, purpose: "any", time: nowSeconds });
  if (!result.ok) throw refused(`${field}: ${failureText(result.failures)}`, { failures: result.failures });
}

/** The chain's failures as one sentence. */
function failureText(failures: readonly ChainFailure[]): string {
  return failures.map((failure) => `it ${describeFailure(failure)} (${failure.code})`).join("; ");
}

/** A refusal of a certificate, key or request. */
export function refused(
  message: string,
  more: { readonly failures?: readonly ChainFailure[]; readonly cause?: unknown } = {},
): RegistryError<"ERR_REGISTRY_CERTIFICATE"> {
  const { failures = [], cause } = more;
  return new RegistryError("ERR_REGISTRY_CERTIFICATE", message, { failures }, { cause });
}

/** A date for a message. */
export function dateText(seconds: number): string {
  const milliseconds = seconds * 1000;
  const isDate = Math.abs(milliseconds) <= 8.64e15;
  return isDate ? new Date(milliseconds).toISOString().replace(".000", "") : `${seconds} s since 1970`;
}

function reading<T>(field: string, body: () => T): T {
  try {
    return body();
  } catch (cause) {
    if (!(cause instanceof X509Error || cause instanceof Asn1Error || cause instanceof CryptoError)) throw cause;
    throw refused(`${field} cannot be read: ${cause.message}`, { cause });
  }
}
