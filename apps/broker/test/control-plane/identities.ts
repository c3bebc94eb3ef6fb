/** Keys, requests, authorities and certificates to try the API with. */

import type { KeyPair } from "@latchkey/crypto";
import { nodeProvider } from "@latchkey/crypto/node";
import { encodePem } from "@latchkey/asn1";
import {
  certificateAuthority,
  certificateToPem,
  createCertificationRequest,
  deviceCertificate,
  issueCertificate,
  issueSelfSignedCertificate,
  makeName,
  validityFrom,
  type CertificateIssuer,
  type NameAttributeInput,
} from "@latchkey/x509";

const nowSeconds = (): number => Math.floor(Date.now() / 1000);
const newKey = (): KeyPair => nodeProvider.generateKeyPair({ name: "ec", curve: "P-256" });
const day = 86_400;

/** A policy that allows everything. */
export const allowEverything = JSON.stringify({
  Version: "2012-10-17",
  Statement: { Effect: "Allow", Action: "iot:*", Resource: "*" },
});

export function makeRequestPem(commonName: string, more: readonly NameAttributeInput[] = []): string {
  const { privateKey } = newKey();
  const subject = makeName([{ type: "commonName", value: commonName }, ...more]);
  const request = createCertificationRequest({ provider: nodeProvider, privateKey, subject });
  return encodePem("CERTIFICATE REQUEST", request.encoding);
}

export function makeAuthority(commonName: string, days = 365): CertificateIssuer {
  const { privateKey } = newKey();
  const template = certificateAuthority({
    subject: makeName([{ type: "commonName", value: commonName }]),
    validity: validityFrom(nowSeconds() - 2 * day, days),
  });
  return { privateKey, certificate: issueSelfSignedCertificate({ provider: nodeProvider, privateKey, template }) };
}

/** An authority and a device's certificate under it: PEM of both, and of the device's key. */
export function makeDeviceUnder(root: CertificateIssuer): { readonly cert: string; readonly key: string } {
  const keys = newKey();
  const template = certificateAuthority({
    subject: makeName([{ type: "commonName", value: "between" }]),
    validity: validityFrom(nowSeconds() - day, 30),
  });
  const certificate = issueCertificate({ provider: nodeProvider, issuer: root, publicKey: keys.publicKey, template });
  const between = { certificate, privateKey: keys.privateKey };
  const { privateKey, publicKey } = newKey();
  const device = issueCertificate({
    provider: nodeProvider,
    issuer: between,
    publicKey,
    template: deviceCertificate({
      subject: makeName([{ type: "commonName", value: "device" }]),
      validity: validityFrom(nowSeconds() - 60, 10),
    }),
  });
  return {
    cert: [device, certificate].map(certificateToPem).join(""),
    key: encodePem("PRIVATE KEY", nodeProvider.exportPkcs8(privateKey)),
  };
}

export function makeCertificatePem(
  issuer: CertificateIssuer,
  { commonName = "device", days = 30 }: { readonly commonName?: string; readonly days?: number } = {},
): string {
  const subject = makeName([{ type: "commonName", value: commonName }]);
  const validity =
    days > 0
      ? validityFrom(nowSeconds() - 60, days)
      : { notBefore: nowSeconds() - 2 * day, notAfter: nowSeconds() + days * day };
  const template = deviceCertificate({ subject, validity });
  return certificateToPem(
    issueCertificate({ provider: nodeProvider, issuer, publicKey: newKey().publicKey, template }),
  );
}
