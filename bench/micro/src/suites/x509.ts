/** `@latchkey/x509` beside node:crypto, @peculiar/x509, pkijs and node-forge. */

// oxlint-disable-next-line import/no-unassigned-import -- @peculiar/x509 needs the polyfill before it
import "reflect-metadata";
import { webcrypto, X509Certificate } from "node:crypto";
import { nodeProvider } from "@latchkey/crypto/node";
import {
  type CertificateIssuer,
  certificateAuthority,
  certificateId,
  deviceCertificate,
  extensionValue,
  hexText,
  issueCertificate,
  issueCertificateRevocationList,
  issueSelfSignedCertificate,
  makeName,
  nameText,
  parseCertificate,
  parseCertificateRevocationList,
  subjectAltName,
  validityFrom,
} from "@latchkey/x509";
import * as peculiar from "@peculiar/x509";
// @ts-expect-error -- node-forge ships no types
import forge from "node-forge";
import * as asn1js from "asn1js";
import * as pkijs from "pkijs";
import type { Contender, Scenario, Suite } from "../scenario.ts";

const provider = nodeProvider;
const now = 1_795_392_000;

export const suite: Suite = {
  name: "x509",
  scenarios: {
    "x509/read/device-p256": readDevice,
    "x509/read/crl-50000": readList,
    "x509/issue/device-p256": issueDevice,
  },
};

function makeIssuer(): CertificateIssuer {
  const { privateKey } = provider.generateKeyPair({ name: "ec", curve: "P-256" });
  const subject = makeName([
    { type: "countryName", value: "DE" },
    { type: "organizationName", value: "Latchkey" },
    { type: "commonName", value: "Device Authority" },
  ]);
  const template = certificateAuthority({ subject, validity: validityFrom(now, 3650) });
  return { certificate: issueSelfSignedCertificate({ provider, privateKey, template }), privateKey };
}

function deviceTemplate(): ReturnType<typeof deviceCertificate> {
  return deviceCertificate({
    subject: makeName([
      { type: "countryName", value: "DE" },
      { type: "organizationName", value: "Pizza" },
      { type: "commonName", value: "button-1" },
      { type: "serialNumber", value: "G030JF055364XVRB" },
    ]),
    validity: validityFrom(now, 365),
    alternativeNames: [
      { type: "dNSName", value: "button-1.example" },
      { type: "uniformResourceIdentifier", value: "urn:latchkey:button-1" },
    ],
  });
}

/** Repeats `read`, which says how many characters it made of one certificate; none would mean that it read nothing. */
function repeated(name: string, times: number, read: () => number): Contender {
  return {
    name,
    run: () => {
      let done = 0;
      for (let count = 0; count < times; count++) if (read() > 0) done++;
      return done;
    },
  };
}

/** Parse; subject, serial number, validity, alternative names and SHA-256 fingerprint. */
function readDevice(): Scenario {
  const issuer = makeIssuer();
  const { publicKey } = provider.generateKeyPair({ name: "ec", curve: "P-256" });
  const der = issueCertificate({ provider, issuer, publicKey, template: deviceTemplate() }).encoding;
  const exact = new Uint8Array(der);
  return {
    unit: "certificate",
    bytesPerOperation: der.length,
    subject: repeated("@latchkey/x509", 200, () => {
      const certificate = parseCertificate(der);
      const { notBefore, notAfter } = certificate.validity;
      return (
        nameText(certificate.subject).length +
        hexText(certificate.serialNumber).length +
        (notAfter - notBefore) +
        (extensionValue(certificate, subjectAltName)?.length ?? 0) +
        certificateId(certificate, provider).length
      );
    }),
    peers: [
      repeated("node:crypto X509Certificate", 100, () => {
        const certificate = new X509Certificate(der);
        const { subject, serialNumber, validFrom, validTo, subjectAltName: names = "", fingerprint256 } = certificate;
        return (
          subject.length +
          serialNumber.length +
          validFrom.length +
          validTo.length +
          names.length +
          fingerprint256.length
        );
      }),
      {
        name: "@peculiar/x509",
        run: async () => {
          const certificate = new peculiar.X509Certificate(exact);
          const { subject, serialNumber, notBefore, notAfter } = certificate;
          const names = certificate.getExtension(peculiar.SubjectAlternativeNameExtension)?.names.items.length ?? 0;
          const thumbprint = await certificate.getThumbprint("SHA-256", webcrypto as never);
          const made = subject.length + serialNumber.length + (notAfter.getTime() - notBefore.getTime());
          return made + names + thumbprint.byteLength > 0 ? 1 : 0;
        },
      },
    ],
  };
}

/** A list of 50,000 entries, a third with a reason: parse it and look one serial number up. */
function readList(): Scenario {
  const issuer = makeIssuer();
  const entries = Array.from({ length: 50_000 }, (_, index) => {
    const serialNumber = provider.randomBytes(16);
    serialNumber[0] = ((serialNumber[0] ?? 0) & 0x3f) | 0x40;
    const reason = index % 3 === 0 ? ("keyCompromise" as const) : undefined;
    return { serialNumber, revocationDate: now - index, reason };
  });
  const list = issueCertificateRevocationList({
    provider,
    issuer,
    thisUpdate: now,
    nextUpdate: now,
    number: 1,
    entries,
  });
  const der = new Uint8Array(list.encoding);
  const wanted = entries[40_000]?.serialNumber ?? new Uint8Array(0);
  const wantedHex = hexText(wanted);
  return {
    unit: "list",
    bytesPerOperation: der.length,
    subject: repeated("@latchkey/x509", 1, () =>
      parseCertificateRevocationList(der).revokedCertificates.find(wanted) === undefined ? 0 : 1,
    ),
    peers: [
      repeated("pkijs", 1, () => {
        // By itself pkijs refuses as many elements: its parser's limits are lifted for it.
        const { result } = asn1js.fromBER(der, { maxDepth: Infinity, maxNodes: Infinity, maxContentLength: Infinity });
        const parsed = new pkijs.CertificateRevocationList({ schema: result });
        const found = parsed.revokedCertificates?.find(
          ({ userCertificate }) => hexText(userCertificate.valueBlock.valueHexView) === wantedHex,
        );
        return found === undefined ? 0 : 1;
      }),
    ],
  };
}

/** A device's certificate for a new public key: P-256 by P-256. */
async function issueDevice(): Promise<Scenario> {
  const issuer = makeIssuer();
  const { publicKey } = provider.generateKeyPair({ name: "ec", curve: "P-256" });
  const template = deviceTemplate();
  const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
  peculiar.cryptoProvider.set(webcrypto as never);
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
  const rsa = forge.pki.rsa.generateKeyPair({ bits: 2048 });
  return {
    unit: "certificate",
    bytesPerOperation: issueCertificate({ provider, issuer, publicKey, template }).encoding.length,
    subject: repeated(
      "@latchkey/x509",
      20,
      () => issueCertificate({ provider, issuer, publicKey, template }).encoding.length,
    ),
    peers: [
      {
        name: "@peculiar/x509",
        run: async () => {
          const certificate = await peculiar.X509CertificateGenerator.create({
            serialNumber: "01020304",
            subject: "CN=button-1, O=Pizza, C=DE",
            issuer: "CN=Device Authority, O=Latchkey, C=DE",
            notBefore: new Date(now * 1000),
            notAfter: new Date((now + 86_400) * 1000),
            signingAlgorithm: algorithm,
            publicKey: keys.publicKey as never,
            signingKey: keys.privateKey as never,
            extensions: [
              new peculiar.BasicConstraintsExtension(false, undefined, true),
              new peculiar.KeyUsagesExtension(peculiar.KeyUsageFlags.digitalSignature, true),
              new peculiar.ExtendedKeyUsageExtension([peculiar.ExtendedKeyUsage.clientAuth]),
              new peculiar.SubjectAlternativeNameExtension([{ type: "dns", value: "button-1.example" }]),
            ],
          });
          return certificate.rawData.byteLength > 0 ? 1 : 0;
        },
      },
      // node-forge has RSA only, so its signature is another one: reported for scale.
      repeated("node-forge (RSA)", 1, () => {
        const certificate = forge.pki.createCertificate();
        certificate.publicKey = rsa.publicKey;
        certificate.serialNumber = "01020304";
        certificate.validity.notBefore = new Date(now * 1000);
        certificate.validity.notAfter = new Date((now + 86_400) * 1000);
        certificate.setSubject([{ name: "commonName", value: "button-1" }]);
        certificate.setIssuer([{ name: "commonName", value: "Device Authority" }]);
        certificate.sign(rsa.privateKey, forge.md.sha256.create());
        return forge.asn1.toDer(forge.pki.certificateToAsn1(certificate)).length();
      }),
    ],
  };
}
