/** What the listener shows: a certificate under the server authority, made anew before it runs out. */

import { isIP } from "node:net";
import { messageOf } from "@latchkey/command-line";
import { equalBytes } from "@latchkey/asn1";
import { nodeProvider } from "@latchkey/crypto/node";
import {
  certificateToPem,
  extensionValue,
  issueCertificate,
  makeName,
  serverCertificate,
  subjectAltName,
  type Certificate,
  type CertificateIssuer,
} from "@latchkey/x509";
import { validityUnder } from "./authority.ts";
import { fitTogether, keyPairFiles, privateKeyToPem, readKeyPair, writeKeyPair } from "./key-pair-files.ts";

/** What the listener shows. */
export interface ServerCredential {
  /** PEM of the certificate. */
  readonly certificate: string;
  /** PEM of its key. */
  readonly privateKey: string;
  /** A sentence for the log where a certificate that should be replaced is kept because the new one cannot be written. */
  readonly warning: string | undefined;
}

const serverDays = 397;
/** A server certificate is replaced when it has less than this left. */
const renewalDays = 30;
const secondsPerDay = 86_400;

/**
 * Reads the server's certificate, or issues one where it is missing, does not fit its key or its authority, runs out soon or
 * has other names than `names` (DNS names and IP addresses, besides localhost and the loopback addresses).
 *
 * Where the new one cannot be written, the old one is kept as long as it is valid, and `warning` says so.
 */
export async function openServerCertificate(
  directory: string,
  issuer: CertificateIssuer,
  names: readonly string[],
  nowSeconds: number,
): Promise<ServerCredential> {
  const files = keyPairFiles(directory, "server");
  const wanted = [...new Set(["localhost", "127.0.0.1", "::1", ...names])];
  const template = serverCertificate({
    subject: makeName([{ type: "commonName", value: "Latchkey broker" }]),
    validity: validityUnder(issuer.certificate, nowSeconds, serverDays),
    dnsNames: wanted.filter((name) => isIP(name) === 0),
    ipAddresses: wanted.filter((name) => isIP(name) !== 0),
  });
  const kept = await readKeyPair(files);
  const wantedNames = JSON.stringify(extensionValue(template, subjectAltName));
  const isUsable = kept !== undefined && fitTogether(kept) && isFrom(issuer.certificate, kept.certificate);
  const isGood =
    isUsable &&
    kept.certificate.validity.notAfter - nowSeconds > renewalDays * secondsPerDay &&
    JSON.stringify(extensionValue(kept.certificate, subjectAltName)) === wantedNames;
  if (isGood) return credentialOf(kept);
  const { privateKey, publicKey } = nodeProvider.generateKeyPair({ name: "ec", curve: "P-256" });
  const renewed = {
    certificate: issueCertificate({ provider: nodeProvider, issuer, template, publicKey }),
    privateKey,
  };
  try {
    await writeKeyPair(files, renewed);
  } catch (error) {
    // The pair of before is whole: each file is replaced only when its successor has been written.
    const isStillValid = isUsable && nowSeconds <= kept.certificate.validity.notAfter;
    if (!isStillValid || !fitTogether((await readKeyPair(files)) ?? renewed)) throw error;
    return credentialOf(kept, `the old server certificate stays: a new one cannot be written: ${messageOf(error)}`);
  }
  return credentialOf(renewed);
}

function isFrom(issuer: Certificate, certificate: Certificate): boolean {
  return equalBytes(certificate.issuer.encoding, issuer.subject.encoding);
}

function credentialOf(pair: CertificateIssuer, warning?: string): ServerCredential {
  return {
    certificate: certificateToPem(pair.certificate),
    privateKey: privateKeyToPem(pair.privateKey),
    warning,
  };
}
