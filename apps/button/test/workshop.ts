/** Authorities, identities and servers for the tests. */

import { createServer as createTcpServer, type AddressInfo, type Server } from "node:net";
import { fileURLToPath } from "node:url";
import { encodePem } from "@latchkey/asn1";
import { nodeProvider } from "@latchkey/crypto/node";
import {
  certificateAuthority,
  certificateToPem,
  issueCertificate,
  issueSelfSignedCertificate,
  makeName,
  type CertificateIssuer,
  type CertificateTemplate,
} from "@latchkey/x509";

const nowSeconds = Math.floor(Date.now() / 1000);
export const validity = { notBefore: nowSeconds - 60, notAfter: nowSeconds + 3600 };
export const expired = { notBefore: nowSeconds - 7200, notAfter: nowSeconds - 3600 };

/** PEM of a certificate and its key. */
export interface PemIdentity {
  readonly certificate: string;
  readonly privateKey: string;
}

export function authority(commonName: string): CertificateIssuer {
  const { privateKey } = nodeProvider.generateKeyPair({ name: "ec", curve: "P-256" });
  const template = certificateAuthority({ subject: makeName([{ type: "CN", value: commonName }]), validity });
  return { certificate: issueSelfSignedCertificate({ provider: nodeProvider, privateKey, template }), privateKey };
}

export function issue(issuer: CertificateIssuer, template: CertificateTemplate): PemIdentity {
  const { privateKey, publicKey } = nodeProvider.generateKeyPair({ name: "ec", curve: "P-256" });
  const certificate = issueCertificate({ provider: nodeProvider, issuer, template, publicKey });
  const key = encodePem("PRIVATE KEY", nodeProvider.exportPkcs8(privateKey));
  return { certificate: certificateToPem(certificate), privateKey: key };
}

export async function listen(listening: Server): Promise<number> {
  await new Promise<void>((resolve) => listening.listen(0, "localhost", resolve));
  return (listening.address() as AddressInfo).port;
}

export async function freePort(): Promise<number> {
  const listening = createTcpServer();
  const port = await listen(listening);
  await new Promise((resolve) => listening.close(resolve));
  return port;
}

/** The words that start the button from its sources, behind node's path. */
export function buttonWords(...words: string[]): string[] {
  const main = fileURLToPath(new URL("../src/main.ts", import.meta.url));
  return ["--conditions=@latchkey/source", main, ...words];
}
