/**
 * Certificates, requests and revocation lists as text in the manner of `openssl x509 -text`. For people: not to be parsed.
 * Names are in the form and order of `nameText` everywhere, so that what stands here can be given to `parseNameText`.
 */

import { DerReader } from "@latchkey/asn1";
import type { AlgorithmIdentifier } from "./algorithm-identifier.ts";
import type { Certificate } from "./certificate.ts";
import type { CertificationRequest } from "./certification-request.ts";
import { X509Error, reading } from "./errors.ts";
import { extensionLines, namedParameters } from "./extension-text.ts";
import { oidName } from "./oid-names.ts";
import type { CertificateRevocationList } from "./revocation-list.ts";
import type { SubjectPublicKeyInfo } from "./subject-public-key-info.ts";
import { nameText } from "./name-text.ts";
import { integerText, octetLines, serialText, signAndMagnitude, signedOctets, timeText } from "./text-lines.ts";

/** The text of a certificate, ended by a line feed. */
export function certificateText(certificate: Certificate): string {
  const { version, serialNumber, validity, extensions } = certificate;
  return joinLines([
    "Certificate:",
    "    Data:",
    `        Version: ${version} (0x${version - 1})`,
    ...serialLines(serialNumber),
    `        Signature Algorithm: ${oidName(certificate.signatureAlgorithm.algorithm)}`,
    `        Issuer: ${nameText(certificate.issuer)}`,
    "        Validity",
    `            Not Before: ${timeText(validity.notBefore)}`,
    `            Not After : ${timeText(validity.notAfter)}`,
    `        Subject: ${nameText(certificate.subject)}`,
    ...publicKeyLines(certificate.subjectPublicKeyInfo),
    ...(extensions.length === 0 ? [] : ["        X509v3 extensions:"]),
    ...extensions.flatMap((extension) => extensionLines(extension, " ".repeat(12))),
    ...signatureLines(certificate),
  ]);
}

/** The text of a request, ended by a line feed. */
export function certificationRequestText(request: CertificationRequest): string {
  return joinLines([
    "Certificate Request:",
    "    Data:",
    "        Version: 1 (0x0)",
    `        Subject: ${nameText(request.subject)}`,
    ...publicKeyLines(request.subjectPublicKeyInfo),
    "        Attributes:",
    ...request.attributes.map(({ type }) => `            ${oidName(type)}`),
    ...(request.extensions.length === 0 ? [] : ["            Requested Extensions:"]),
    ...request.extensions.flatMap((extension) => extensionLines(extension, " ".repeat(16))),
    ...signatureLines(request),
  ]);
}

/** The text of a revocation list with every entry, ended by a line feed. */
export function revocationListText(list: CertificateRevocationList): string {
  const { version, nextUpdate, extensions, revokedCertificates } = list;
  return joinLines([
    "Certificate Revocation List (CRL):",
    `        Version ${version} (0x${version - 1})`,
    `        Signature Algorithm: ${oidName(list.signatureAlgorithm.algorithm)}`,
    `        Issuer: ${nameText(list.issuer)}`,
    `        Last Update: ${timeText(list.thisUpdate)}`,
    `        Next Update: ${nextUpdate === undefined ? "NONE" : timeText(nextUpdate)}`,
    ...(extensions.length === 0 ? [] : ["        CRL extensions:"]),
    ...extensions.flatMap((extension) => extensionLines(extension, " ".repeat(12))),
    revokedCertificates.length === 0 ? "No Revoked Certificates." : "Revoked Certificates:",
    ...Array.from(revokedCertificates).flatMap((entry) => [
      `    Serial Number: ${serialText(entry.serialNumber)}`,
      `        Revocation Date: ${timeText(entry.revocationDate)}`,
      ...(entry.extensions.length === 0 ? [] : ["        CRL entry extensions:"]),
      ...entry.extensions.flatMap((extension) => extensionLines(extension, " ".repeat(12))),
    ]),
    ...signatureLines(list),
  ]);
}

function joinLines(lines: readonly string[]): string {
  return `${lines.join("\n")}\n`;
}

/** Up to eight octets as a number, more as octets. */
function serialLines(serialNumber: Uint8Array): string[] {
  if (serialNumber.length <= 8) return [`        Serial Number: ${decimalAndHexadecimal(serialNumber)}`];
  const { sign, magnitude } = signAndMagnitude(serialNumber);
  const title = sign === "" ? "        Serial Number:" : "        Serial Number: (Negative)";
  return [title, ...octetLines(magnitude, " ".repeat(12), 20)];
}

/** An INTEGER in decimal and hexadecimal; a long one in hexadecimal only. */
function decimalAndHexadecimal(content: Uint8Array): string {
  const text = integerText(content);
  if (/^-?0x/.test(text)) return text;
  const hexadecimal = serialText(content)
    .toLowerCase()
    .replace(/^(-?)0*(?=.)/, (_, sign: string) => `${sign}0x`);
  return `${text} (${hexadecimal})`;
}

function publicKeyLines({ algorithm, subjectPublicKey }: SubjectPublicKeyInfo): string[] {
  const name = oidName(algorithm.algorithm);
  const indent = " ".repeat(16);
  const lines = ["        Subject Public Key Info:", `            Public Key Algorithm: ${name}`];
  const rsa = name === "rsaEncryption" || name === "rsassaPss" ? rsaNumbers(subjectPublicKey) : undefined;
  if (rsa !== undefined) {
    const { modulus, exponent } = rsa;
    const bits = modulus.length * 8 - (Math.clz32(modulus[0] ?? 0) - 24);
    const isSigned = (modulus[0] ?? 0) >= 0x80;
    return [
      ...lines,
      `${indent}Public-Key: (${bits} bit)`,
      `${indent}Modulus:`,
      ...octetLines(isSigned ? signedOctets(modulus) : modulus, `${indent}    `, 15),
      `${indent}Exponent: ${decimalAndHexadecimal(signedOctets(exponent))}`,
    ];
  }
  const curve = namedParameters(algorithm.parameters);
  return [
    ...lines,
    `${indent}pub:`,
    ...octetLines(subjectPublicKey, `${indent}    `, 15),
    ...(curve === undefined ? [] : [`${indent}ASN1 OID: ${curve}`]),
  ];
}

/** RSAPublicKey (RFC 8017 §A.1.1), where it is one. */
function rsaNumbers(subjectPublicKey: Uint8Array): { modulus: Uint8Array; exponent: Uint8Array } | undefined {
  try {
    return reading("RSAPublicKey", () => {
      const fields = new DerReader(subjectPublicKey).sequence();
      return { modulus: fields.unsignedInteger(), exponent: fields.unsignedInteger() };
    });
  } catch (error) {
    if (error instanceof X509Error) return undefined;
    throw error;
  }
}

function signatureLines(signed: {
  readonly signatureAlgorithm: AlgorithmIdentifier;
  readonly signatureValue: Uint8Array;
}): string[] {
  return [
    `    Signature Algorithm: ${oidName(signed.signatureAlgorithm.algorithm)}`,
    "    Signature Value:",
    ...octetLines(signed.signatureValue, " ".repeat(8), 18),
  ];
}
