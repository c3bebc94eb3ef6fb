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
import { serialNumberDecimal } from "./fingerprint.ts";
import { hexText } from "./hex-text.ts";
import { oidName } from "./oid-names.ts";
import type { CertificateRevocationList } from "./revocation-list.ts";
import type { SubjectPublicKeyInfo } from "./subject-public-key-info.ts";
import { nameText } from "./name-text.ts";
import { octetLines, timeText } from "./text-lines.ts";

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
  if (serialNumber.length <= 8) return [`        Serial Number: ${numberText(serialNumber)}`];
  const { sign, magnitude } = signAndMagnitude(serialNumber);
  const title = sign === "" ? "        Serial Number:" : "        Serial Number: (Negative)";
  return [title, ...octetLines(magnitude, " ".repeat(12), 20)];
}

/** An INTEGER's sign, and its magnitude as openssl shows it: without the zero octet that keeps it positive. */
function signAndMagnitude(content: Uint8Array): { readonly sign: "" | "-"; readonly magnitude: Uint8Array } {
  if ((content[0] ?? 0) < 0x80) {
    return { sign: "", magnitude: content[0] === 0 && content.length > 1 ? content.subarray(1) : content };
  }
  // Two's complement: invert every octet, then add one from the end.
  const magnitude = content.map((octet) => octet ^ 0xff);
  for (let index = magnitude.length - 1; index >= 0; index--) {
    const sum = (magnitude[index] ?? 0) + 1;
    magnitude[index] = sum & 0xff;
    if (sum < 0x100) break;
  }
  return { sign: "-", magnitude };
}

/** A serial number on one line: hexadecimal in upper case, with a minus where it is negative. */
function serialText(serialNumber: Uint8Array): string {
  const { sign, magnitude } = signAndMagnitude(serialNumber);
  return `${sign}${hexText(magnitude).toUpperCase()}`;
}

/** An INTEGER in decimal and hexadecimal. */
function numberText(content: Uint8Array): string {
  const decimal = serialNumberDecimal(content);
  const isNegative = decimal.startsWith("-");
  const hex = BigInt(isNegative ? decimal.slice(1) : decimal).toString(16);
  return `${decimal} (${isNegative ? "-" : ""}0x${hex})`;
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
      `${indent}Exponent: ${numberText(signedOctets(exponent))}`,
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

/** A magnitude with the zero octet that keeps it positive. */
function signedOctets(magnitude: Uint8Array): Uint8Array {
  const octets = new Uint8Array(magnitude.length + 1);
  octets.set(magnitude, 1);
  return octets;
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
