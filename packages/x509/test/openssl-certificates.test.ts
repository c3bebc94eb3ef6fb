/** What openssl writes, read here and compared with what openssl, node and @peculiar/x509 say of it. */

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  anyPolicy,
  attributeValues,
  authorityInfoAccess,
  basicConstraints,
  type Certificate,
  certificatePolicies,
  certificateToPem,
  certificatesFromPem,
  cRLDistributionPoints,
  cRLReason,
  extendedKeyUsage,
  extensionValue,
  freshestCRL,
  hasKeyPurpose,
  inhibitAnyPolicy,
  issuerAltName,
  issuingDistributionPoint,
  keyUsage,
  nameConstraints,
  nameText,
  parseCertificateRevocationList,
  parseCertificationRequest,
  policyConstraints,
  policyMappings,
  revocationListsFromPem,
  serialNumberDecimal,
  subjectAltName,
  subjectKeyIdentifier,
  tlsFeature,
  verifyCertificationRequest,
} from "../src/index.ts";
import { certificateText } from "../src/text.ts";
import { makeDevice, makeRoot, provider } from "./authority.ts";
import { agreesWithPeers } from "./peers.ts";
import { Bench, openssl, withOpenssl } from "./openssl.ts";

const manyExtensions = `
[req]
distinguished_name = dn
string_mask = MASK
utf8 = yes
[dn]
[many]
basicConstraints = critical,CA:TRUE,pathlen:3
keyUsage = critical,digitalSignature,keyCertSign,cRLSign,decipherOnly
extendedKeyUsage = serverAuth,clientAuth,1.2.3.4.5
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid:always,issuer:always
subjectAltName = DNS:a.example,DNS:*.b.example,IP:10.1.2.3,IP:2001:db8::1,email:x@a.example,URI:http://a.example/x,RID:1.2.3.4,otherName:1.3.6.1.4.1.311.20.2.3;UTF8:upn@a,dirName:dn_san
issuerAltName = DNS:issuer.example
nameConstraints = permitted;DNS:example,permitted;IP:10.0.0.0/255.0.0.0,excluded;email:bad.example,excluded;URI:.bad.example
certificatePolicies = 2.5.29.32.0,1.2.3.4,@policy
policyMappings = 1.2.3.4:1.2.3.5
policyConstraints = requireExplicitPolicy:2,inhibitPolicyMapping:0
inhibitAnyPolicy = 4
crlDistributionPoints = point1,point2
freshestCRL = URI:http://a.example/delta.crl
authorityInfoAccess = OCSP;URI:http://ocsp.example/,caIssuers;URI:http://a.example/ca.cer
tlsfeature = status_request
1.2.3.4.5.6 = critical,DER:0500
[point1]
fullname = URI:http://a.example/1.crl,URI:ldap://a.example/x
reasons = keyCompromise,CACompromise
[point2]
CRLissuer = dirName:dn_san
[dn_san]
C = DE
CN = in a SAN
[policy]
policyIdentifier = 1.2.3.9
CPS.1 = http://cps.example/
userNotice.1 = @notice
[notice]
explicitText = Read this
`;

const bench = new Bench();
afterAll(() => bench.delete());

/** Certificates by openssl of every kind, as PEM. */
const made: Record<string, string> = {};

const subjects: Readonly<Record<string, string>> = {
  utf8only: '/C=DE/ST=Bayern/L=München/O=Pizza, Inc./OU=a+b=c/CN="quoted" <x>;/emailAddress=a@b.example',
  default: "/C=DE/O=Ünïcode/CN=東京/serialNumber=00-42/title=Dr",
  pkix: "/DC=example/DC=corp/UID=u1/CN= leading and trailing /CN=second/SN=Sur/GN=Given",
};

describe.skipIf(openssl.path === undefined)(withOpenssl("certificates by openssl"), () => {
  beforeAll(() => {
    bench.run("genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out ec.pem");
    bench.run("genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-384 -out ec384.pem");
    bench.run("genpkey -algorithm EC -pkeyopt ec_paramgen_curve:secp256k1 -out k1.pem");
    bench.run("genpkey -algorithm ED25519 -out ed25519.pem");
    bench.run("genpkey -algorithm ED448 -out ed448.pem");
    bench.run("genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out rsa.pem");
    for (const [mask, subject] of Object.entries(subjects)) {
      bench.write(`${mask}.cnf`, manyExtensions.replace("MASK", mask));
      issue(`many-${mask}`, `-key ec.pem -config ${mask}.cnf -extensions many -set_serial 0x00b2c3`, subject);
    }
    for (const key of ["ec384", "k1", "ed25519", "ed448", "rsa"]) {
      issue(key, `-key ${key}.pem -config default.cnf -extensions many`, "/CN=by another key");
    }
    issue("pss", "-key rsa.pem -config default.cnf -extensions many -sigopt rsa_padding_mode:pss -sha256", "/CN=pss");
    issue("sha1", "-key rsa.pem -config default.cnf -sha1 -extensions many", "/CN=sha1");
    issue("far", "-key ec.pem -config default.cnf -extensions many -days 50000", "/CN=far");
    bench.run("req -new -key ec.pem -config default.cnf -subj /CN=v1 -out v1.csr");
    made["v1"] = bench.run("x509 -req -in v1.csr -signkey ec.pem -days 10");
  });

  function issue(name: string, words: string, subject: string): void {
    const [command = "", ...rest] = `req -new -x509 -utf8 ${words} -out cert-${name}.pem`.split(" ");
    bench.runWords([command, ...rest, "-subj", subject, "-multivalue-rdn"]);
    made[name] = bench.text(`cert-${name}.pem`);
  }

  it("are read with every extension", () => {
    const certificate = only(made["many-utf8only"] ?? "");
    expect(serialNumberDecimal(certificate.serialNumber)).toBe("45763");
    expect(extensionValue(certificate, basicConstraints)).toEqual({ cA: true, pathLenConstraint: 3 });
    expect(extensionValue(certificate, keyUsage)).toEqual([
      "digitalSignature",
      "keyCertSign",
      "cRLSign",
      "decipherOnly",
    ]);
    const purposes = extensionValue(certificate, extendedKeyUsage) ?? [];
    expect(purposes).toHaveLength(3);
    expect(hasKeyPurpose(purposes, "clientAuth")).toBe(true);
    expect(hasKeyPurpose(purposes, "codeSigning")).toBe(false);
    expect(extensionValue(certificate, subjectAltName)?.map(({ type }) => type)).toEqual([
      "dNSName",
      "dNSName",
      "iPAddress",
      "iPAddress",
      "rfc822Name",
      "uniformResourceIdentifier",
      "registeredID",
      "otherName",
      "directoryName",
    ]);
    expect(extensionValue(certificate, issuerAltName)).toEqual([{ type: "dNSName", value: "issuer.example" }]);
    const constraints = extensionValue(certificate, nameConstraints);
    expect(constraints?.permittedSubtrees?.map(({ type }) => type)).toEqual(["dNSName", "iPAddress"]);
    expect(constraints?.excludedSubtrees?.map(({ type }) => type)).toEqual(["rfc822Name", "uniformResourceIdentifier"]);
    const policies = extensionValue(certificate, certificatePolicies) ?? [];
    expect(policies.map(({ policyQualifiers }) => policyQualifiers.length)).toEqual([0, 0, 2]);
    expect(policies[0]?.policyIdentifier).toEqual(anyPolicy);
    expect(extensionValue(certificate, policyMappings)).toHaveLength(1);
    expect(extensionValue(certificate, policyConstraints)).toEqual({
      requireExplicitPolicy: 2,
      inhibitPolicyMapping: 0,
    });
    expect(extensionValue(certificate, inhibitAnyPolicy)).toBe(4);
    const [first, second] = extensionValue(certificate, cRLDistributionPoints) ?? [];
    expect(first?.distributionPoint?.type).toBe("fullName");
    expect(first?.reasons).toEqual(["keyCompromise", "cACompromise"]);
    expect(second?.cRLIssuer?.[0]?.type).toBe("directoryName");
    expect(extensionValue(certificate, freshestCRL)).toHaveLength(1);
    expect(
      extensionValue(certificate, authorityInfoAccess)?.map(({ accessLocation }) => accessLocation.type),
    ).toHaveLength(2);
    expect(extensionValue(certificate, tlsFeature)).toEqual([5]);
    expect(extensionValue(certificate, subjectKeyIdentifier)).toHaveLength(20);
    expect(certificate.extensions.at(-1)).toMatchObject({ critical: true, value: Uint8Array.of(5, 0) });
  });

  it("are read whatever key and signature they have, version 1 too", () => {
    for (const name of ["ec384", "k1", "ed25519", "ed448", "rsa", "pss", "sha1", "far", "v1"]) {
      const certificate = only(made[name] ?? "");
      expect(certificate.version, name).toBe(name === "v1" ? 1 : 3);
      expect(certificateToPem(certificate), name).toBe(made[name]);
    }
    expect(only(made["far"] ?? "").validity.notAfter).toBeGreaterThan(2_524_608_000);
  });

  it("have the RFC 2253 names that openssl prints", () => {
    for (const name of Object.keys(subjects).map((mask) => `many-${mask}`)) {
      const certificate = only(made[name] ?? "");
      const printed = bench
        .run(`x509 -noout -subject -nameopt RFC2253,-esc_msb,utf8 -in cert-${name}.pem`)
        .replace(/^subject=|\n$/g, "");
      // We escape `=` too, as AWS IoT does, and keep the labels of RFC 4514.
      const ours = nameText(certificate.subject).replaceAll(String.raw`\=`, "=");
      // TeletexString, which openssl shows as Latin-1, stays octets here.
      expect(ours.replace("O=#1407dc6eef636f6465", "O=Ünïcode")).toBe(printed);
    }
    expect(attributeValues(only(made["many-pkix"] ?? "").subject, "commonName")).toEqual([
      " leading and trailing ",
      "second",
    ]);
  });

  it("are dumped as openssl dumps them, line for line where both show the same", () => {
    for (const [name, pem] of Object.entries(made)) {
      bench.write("one.pem", pem);
      const theirs = bench.run("x509 -noout -text -in one.pem -nameopt sep_comma_plus_space,utf8,sname").split("\n");
      const ours = new Set(
        certificateText(only(pem))
          .split("\n")
          .map((line) => line.trimEnd()),
      );
      const missing = theirs.map((line) => line.trimEnd()).filter((line) => line !== "" && !ours.has(line));
      const hasLine = (text: string): boolean => !missing.some((line) => line.includes(text));
      for (const text of [
        "Version:",
        "Serial Number",
        "Not Before",
        "Not After",
        "Signature Algorithm",
        "Public Key Algorithm",
        "CA:TRUE",
        "Digital Signature",
        "TLS Web Server",
        "Exponent",
      ]) {
        expect(hasLine(text), `${name}: ${text} of ${missing.join("\n")}`).toBe(true);
      }
      // Octets of signature and key are the same lines.
      expect(
        missing.filter((line) => /^ {8,}([0-9a-f]{2}:){10,}/.test(line)),
        name,
      ).toEqual([]);
    }
  });
});

function only(pem: string): Certificate {
  const [certificate, ...others] = certificatesFromPem(pem);
  if (certificate === undefined || others.length > 0) throw new Error("not one certificate");
  return certificate;
}

describe("the same as", () => {
  agreesWithPeers(() => {
    const root = makeRoot();
    const openssls = Object.values(made).map((pem) => only(pem).encoding);
    return [root.certificate.encoding, makeDevice(root).certificate.encoding, ...openssls];
  });
});

describe.skipIf(openssl.path === undefined)(withOpenssl("requests and lists by openssl"), () => {
  it("are read, requests verified", () => {
    for (const key of ["ec", "ec384", "ed25519", "rsa"]) {
      bench.run(
        `req -new -key ${key}.pem -config default.cnf -subj /CN=${key} -addext subjectAltName=DNS:${key}.example -outform DER -out ${key}.csr`,
      );
      const request = parseCertificationRequest(bench.read(`${key}.csr`));
      verifyCertificationRequest(request, provider);
      expect(attributeValues(request.subject, "commonName")).toEqual([key]);
      expect(extensionValue(request, subjectAltName)).toEqual([{ type: "dNSName", value: `${key}.example` }]);
    }
  });

  it("are read with entry extensions and a scope", () => {
    bench.write(
      "index.txt",
      [
        "R\t300101000000Z\t261101000000Z,keyCompromise\t0A\tunknown\t/CN=a",
        "R\t300101000000Z\t261101000000Z,keyTime,20261001000000Z\t0B\tunknown\t/CN=b",
        "R\t300101000000Z\t261101000000Z\tFFEEDDCCBBAA\tunknown\t/CN=c",
        "",
      ].join("\n"),
    );
    bench.write("number", "0100\n");
    bench.write(
      "ca.cnf",
      `[ca]\ndefault_ca = this\n[this]\ndatabase = index.txt\ncrlnumber = number\ndefault_md = sha256\ndefault_crl_days = 30\ncrl_extensions = ext\n[ext]\nissuingDistributionPoint = critical,@idp\n[idp]\nfullname = URI:http://a.example/1.crl\nonlyuser = TRUE\n`,
    );
    bench.run("ca -gencrl -config ca.cnf -cert cert-many-default.pem -keyfile ec.pem -out list.pem");
    const [list] = revocationListsFromPem(bench.text("list.pem"));
    if (list === undefined) throw new Error("no list");
    expect(list.revokedCertificates.length).toBe(3);
    expect(extensionValue(list.revokedCertificates.find(Uint8Array.of(0x0a)) ?? { extensions: [] }, cRLReason)).toBe(
      "keyCompromise",
    );
    expect(list.revokedCertificates.find(Uint8Array.of(0, 0xff, 0xee, 0xdd, 0xcc, 0xbb, 0xaa))?.extensions).toEqual([]);
    expect(list.revokedCertificates.find(Uint8Array.of(0x0c))).toBeUndefined();
    expect(extensionValue(list, issuingDistributionPoint)?.onlyContainsUserCerts).toBe(true);
    expect(parseCertificateRevocationList(list.encoding).extensions).toHaveLength(list.extensions.length);
  });
});
