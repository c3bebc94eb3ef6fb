/** A small authority for tests: a root, and certificates below it, all made by this package. */

import { nodeProvider } from "@latchkey/crypto/node";
import {
  type Certificate,
  certificateAuthority,
  type CertificateIssuer,
  deviceCertificate,
  issueCertificate,
  issueSelfSignedCertificate,
  makeName,
  validityFrom,
} from "../src/index.ts";

export const provider = nodeProvider;
/** 2026-11-23T00:00:00Z. */
export const now = 1_795_392_000;

export function makeRoot(): CertificateIssuer {
  const { privateKey } = provider.generateKeyPair({ name: "ec", curve: "P-256" });
  const subject = makeName([
    { type: "countryName", value: "DE" },
    { type: "organizationName", value: "Latchkey" },
    { type: "commonName", value: "Test Root" },
  ]);
  const template = certificateAuthority({ subject, validity: validityFrom(now, 3650) });
  return { certificate: issueSelfSignedCertificate({ provider, privateKey, template }), privateKey };
}

export function makeDevice(issuer: CertificateIssuer): CertificateIssuer {
  const { privateKey, publicKey } = provider.generateKeyPair({ name: "ec", curve: "P-256" });
  const certificate: Certificate = issueCertificate({
    provider,
    issuer,
    publicKey,
    template: deviceCertificate({
      subject: makeName([
        { type: "countryName", value: "DE" },
        { type: "organizationName", value: "Pizza, Inc." },
        { type: "commonName", value: "button-1" },
        { type: "serialNumber", value: "G030JF055364XVRB" },
      ]),
      validity: validityFrom(now, 365),
      alternativeNames: [
        { type: "dNSName", value: "button-1.example" },
        { type: "uniformResourceIdentifier", value: "urn:latchkey:button-1" },
      ],
    }),
  });
  return { certificate, privateKey };
}

export function hexOf(octets: Uint8Array): string {
  return Buffer.from(octets).toString("hex");
}
