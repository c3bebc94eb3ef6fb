import { afterAll, describe, expect, it } from "vitest";
import type { KeyGenerationAlgorithm } from "@latchkey/crypto";
import {
  attributeValues,
  authorityKeyIdentifier,
  basicConstraints,
  certificateAuthority,
  certificateId,
  type CertificateIssuer,
  certificatesFromPem,
  certificateToPem,
  createCertificationRequest,
  cRLReason,
  deviceCertificate,
  extensionValue,
  findExtension,
  issueCertificate,
  issueCertificateAsync,
  issueCertificateRevocationList,
  issueSelfSignedCertificate,
  keyUsage,
  makeExtension,
  makeName,
  nameConstraints,
  nameText,
  parseCertificationRequest,
  parseNameText,
  privateKeyToPem,
  randomSerialNumber,
  serverCertificate,
  subjectAltName,
  subjectKeyIdentifier,
  validityFrom,
  verifyCertificationRequest,
  X509Error,
} from "../src/index.ts";
import { hexOf, makeDevice, makeRoot, now, provider } from "./authority.ts";
import { Bench, openssl, withOpenssl } from "./openssl.ts";

const root = makeRoot();
const device = makeDevice(root);
const bench = new Bench();
afterAll(() => bench.delete());

const algorithms: readonly (readonly [label: string, algorithm: KeyGenerationAlgorithm])[] = [
  ["P-256", { name: "ec", curve: "P-256" }],
  ["P-384", { name: "ec", curve: "P-384" }],
  ["P-521", { name: "ec", curve: "P-521" }],
  ["Ed25519", { name: "ed25519" }],
  ["RSA", { name: "rsa", modulusBits: 2048 }],
];

function codeOf(run: () => unknown): string {
  try {
    run();
    return "accepted";
  } catch (error) {
    if (error instanceof X509Error) return error.code;
    throw error;
  }
}

/** An intermediate below an issuer. */
function makeIntermediate(issuer: CertificateIssuer, name: string, pathLenConstraint?: number): CertificateIssuer {
  const { privateKey, publicKey } = provider.generateKeyPair({ name: "ec", curve: "P-256" });
  const template = certificateAuthority({
    subject: makeName([{ type: "commonName", value: name }]),
    validity: validityFrom(now, 1000),
    pathLenConstraint,
  });
  return { certificate: issueCertificate({ provider, issuer, publicKey, template }), privateKey };
}

describe("issued certificates", () => {
  it("always carry both key identifiers and a positive random serial number of 20 octets", () => {
    const rootIdentifier = extensionValue(root.certificate, subjectKeyIdentifier) ?? new Uint8Array(0);
    expect(rootIdentifier).toHaveLength(20);
    expect(extensionValue(device.certificate, authorityKeyIdentifier)?.keyIdentifier).toEqual(rootIdentifier);
    expect(extensionValue(root.certificate, authorityKeyIdentifier)?.keyIdentifier).toEqual(rootIdentifier);
    expect(extensionValue(device.certificate, subjectKeyIdentifier)).not.toEqual(rootIdentifier);
    const serials = new Set<string>();
    for (let index = 0; index < 200; index++) {
      const serial = randomSerialNumber(provider);
      expect(serial).toHaveLength(20);
      expect(serial[0]).toBeGreaterThanOrEqual(0x40);
      expect(serial[0]).toBeLessThan(0x80);
      serials.add(hexOf(serial));
    }
    expect(serials.size).toBe(200);
    expect(device.certificate.serialNumber).toHaveLength(20);
  });

  it("use the caller's clock, both ends included", () => {
    expect(device.certificate.validity).toEqual({ notBefore: now, notAfter: now + 365 * 86_400 - 1 });
  });

  it("say what their templates say", () => {
    expect(extensionValue(root.certificate, basicConstraints)).toEqual({ cA: true, pathLenConstraint: undefined });
    expect(extensionValue(root.certificate, keyUsage)).toEqual(["digitalSignature", "keyCertSign", "cRLSign"]);
    expect(extensionValue(device.certificate, basicConstraints)?.cA).toBe(false);
    expect(nameText(device.certificate.subject)).toBe(
      String.raw`serialNumber=G030JF055364XVRB,CN=button-1,O=Pizza\, Inc.,C=DE`,
    );
    const server = issueCertificate({
      provider,
      issuer: root,
      publicKey: device.privateKey.publicKey,
      template: serverCertificate({
        validity: validityFrom(now, 90),
        dnsNames: ["broker.example"],
        ipAddresses: ["127.0.0.1", "::1", Uint8Array.of(10, 0, 0, 1)],
      }),
    });
    expect(findExtension(server, subjectAltName.oid)?.critical).toBe(true);
    expect(extensionValue(server, subjectAltName)?.map(({ type, value }) => [type, value])).toEqual([
      ["dNSName", "broker.example"],
      ["iPAddress", Uint8Array.of(127, 0, 0, 1)],
      ["iPAddress", Uint8Array.of(...Array.from({ length: 15 }, () => 0), 1)],
      ["iPAddress", Uint8Array.of(10, 0, 0, 1)],
    ]);
  });

  it("are never issued by who may not issue them", () => {
    const publicKey = device.privateKey.publicKey;
    const template = deviceCertificate({
      subject: makeName([{ type: "commonName", value: "x" }]),
      validity: validityFrom(now, 1),
    });
    const ca = certificateAuthority({
      subject: makeName([{ type: "commonName", value: "ca" }]),
      validity: validityFrom(now, 1),
    });
    const leafOnly = makeIntermediate(root, "Leaf-only CA", 0);
    expect(codeOf(() => issueCertificate({ provider, issuer: device, publicKey, template }))).toBe("ERR_X509_ISSUER");
    expect(codeOf(() => issueCertificate({ provider, issuer: leafOnly, publicKey, template: ca }))).toBe(
      "ERR_X509_ISSUER",
    );
    expect(codeOf(() => issueCertificate({ provider, issuer: leafOnly, publicKey, template }))).toBe("accepted");
    const mismatched = { certificate: root.certificate, privateKey: device.privateKey };
    expect(codeOf(() => issueCertificate({ provider, issuer: mismatched, publicKey, template }))).toBe(
      "ERR_X509_ISSUER",
    );
    const signOnly = issueSelfSignedCertificate({
      provider,
      privateKey: root.privateKey,
      template: {
        subject: makeName([{ type: "commonName", value: "no lists" }]),
        validity: validityFrom(now, 1),
        extensions: [
          makeExtension(basicConstraints, { cA: true, pathLenConstraint: undefined }, true),
          makeExtension(keyUsage, ["keyCertSign"], true),
        ],
      },
    });
    const issuer = { certificate: signOnly, privateKey: root.privateKey };
    const list = { provider, issuer, thisUpdate: now, nextUpdate: now, number: 1, entries: [] };
    expect(codeOf(() => issueCertificateRevocationList(list))).toBe("ERR_X509_ISSUER");
  });

  it("are never issued with values that cannot be", () => {
    const publicKey = device.privateKey.publicKey;
    const subject = makeName([{ type: "commonName", value: "x" }]);
    const template = deviceCertificate({ subject, validity: validityFrom(now, 1) });
    const input = { provider, issuer: root, publicKey, template };
    expect(codeOf(() => issueCertificate({ ...input, serialNumber: Uint8Array.of(0) }))).toBe("ERR_X509_VALUE");
    expect(codeOf(() => issueCertificate({ ...input, serialNumber: new Uint8Array(0) }))).toBe("ERR_X509_VALUE");
    expect(codeOf(() => issueCertificate({ ...input, serialNumber: new Uint8Array(20).fill(0xff) }))).toBe(
      "ERR_X509_VALUE",
    );
    const backwards = { ...template, validity: { notBefore: now, notAfter: now - 1 } };
    expect(codeOf(() => issueCertificate({ ...input, template: backwards }))).toBe("ERR_X509_VALUE");
    const nameless = { ...template, subject: undefined };
    expect(codeOf(() => issueCertificate({ ...input, template: nameless }))).toBe("ERR_X509_VALUE");
    expect(codeOf(() => serverCertificate({ validity: validityFrom(now, 1) }))).toBe("ERR_X509_VALUE");
    expect(codeOf(() => serverCertificate({ validity: validityFrom(now, 1), dnsNames: ["köln.example"] }))).toBe(
      "ERR_X509_VALUE",
    );
    for (const address of [
      "1.2.3",
      "1.2.3.256",
      "01.2.3.4",
      "1:2",
      "::1::",
      "1:2:3:4:5:6:7:8:9",
      "g::",
      "",
      "::1.2.3",
    ]) {
      const server = { validity: validityFrom(now, 1), ipAddresses: [address] };
      expect(
        codeOf(() => serverCertificate(server)),
        address,
      ).toBe("ERR_X509_VALUE");
    }
  });

  it("come out the same signed off the thread", async () => {
    const template = deviceCertificate({
      subject: makeName([{ type: "commonName", value: "x" }]),
      validity: validityFrom(now, 1),
    });
    const input = {
      provider,
      issuer: root,
      publicKey: device.privateKey.publicKey,
      template,
      serialNumber: Uint8Array.of(7),
    };
    const later = await issueCertificateAsync(input);
    expect(later.tbsCertificate).toEqual(issueCertificate(input).tbsCertificate);
  });
});

describe("requests", () => {
  const subject = parseNameText(String.raw`CN=Büro\, 3+serialNumber=42,O=Pizza,C=DE`);
  const request = createCertificationRequest({
    provider,
    privateKey: device.privateKey,
    subject,
    extensions: [makeExtension(subjectAltName, [{ type: "dNSName", value: "asked.example" }])],
  });

  it("prove possession, and their subject becomes the certificate's", () => {
    verifyCertificationRequest(request, provider);
    const certificate = issueCertificate({
      provider,
      issuer: root,
      request,
      template: deviceCertificate({ validity: validityFrom(now, 1) }),
    });
    expect(certificate.subject.encoding).toEqual(subject.encoding);
    expect(attributeValues(certificate.subject, "serialNumber")).toEqual(["42"]);
    expect(certificate.subjectPublicKeyInfo.encoding).toEqual(device.privateKey.publicKey.spki);
    // What a request asks for is not granted by itself.
    expect(extensionValue(request, subjectAltName)).toHaveLength(1);
    expect(extensionValue(certificate, subjectAltName)).toBeUndefined();
  });

  it("are refused where anything in them was changed", () => {
    const template = deviceCertificate({ validity: validityFrom(now, 1) });
    const changed = Uint8Array.from(request.encoding);
    const at = request.encoding.length - 5;
    changed[at] = (changed[at] ?? 0) ^ 1;
    const forged = parseCertificationRequest(changed);
    expect(codeOf(() => verifyCertificationRequest(forged, provider))).toBe("ERR_X509_PROOF_OF_POSSESSION");
    expect(codeOf(() => issueCertificate({ provider, issuer: root, request: forged, template }))).toBe(
      "ERR_X509_PROOF_OF_POSSESSION",
    );
    const renamed = Uint8Array.from(request.encoding);
    const name = Buffer.from(renamed).indexOf("Pizza");
    renamed[name] = 0x42;
    expect(codeOf(() => verifyCertificationRequest(parseCertificationRequest(renamed), provider))).toBe(
      "ERR_X509_PROOF_OF_POSSESSION",
    );
  });

  it.skipIf(openssl.path === undefined)(withOpenssl("are verified by openssl"), () => {
    bench.write("ours.csr", request.encoding);
    const text = bench.run("req -verify -noout -text -inform DER -nameopt RFC2253,-esc_msb,utf8 -in ours.csr");
    expect(text).toContain("DNS:asked.example");
    expect(text).toContain(String.raw`Büro\, 3`);
  });
});

describe.skipIf(openssl.path === undefined)(withOpenssl("openssl reads what we issue"), () => {
  it.each(algorithms)("certificates and lists by %s", (_, algorithm) => {
    const { privateKey } = provider.generateKeyPair(algorithm);
    const subject = makeName([{ type: "commonName", value: "Authority" }]);
    const authority = {
      certificate: issueSelfSignedCertificate({
        provider,
        privateKey,
        template: certificateAuthority({ subject, validity: validityFrom(now, 3650), pathLenConstraint: 1 }),
      }),
      privateKey,
    };
    const intermediate = makeIntermediate(authority, "Intermediate", 0);
    const leaf = makeDevice(intermediate).certificate;
    bench.write("root.pem", certificateToPem(authority.certificate));
    bench.write("chain.pem", certificateToPem(intermediate.certificate));
    bench.write("leaf.pem", certificateToPem(leaf));
    const flags = `-x509_strict -purpose sslclient -attime ${now} -CAfile root.pem -untrusted chain.pem`;
    expect(bench.run(`verify ${flags} leaf.pem`)).toBe("leaf.pem: OK\n");
    expect(() => bench.run(`verify ${flags.replace(String(now), String(now - 1))} leaf.pem`)).toThrow();
    expect(bench.run("asn1parse -in leaf.pem")).toContain("G030JF055364XVRB");
    expect(
      bench
        .run("x509 -noout -fingerprint -sha256 -in leaf.pem")
        .trim()
        .split("=")[1]
        ?.replaceAll(":", "")
        .toLowerCase(),
    ).toBe(certificateId(leaf, provider));

    const list = issueCertificateRevocationList({
      provider,
      issuer: intermediate,
      thisUpdate: now,
      nextUpdate: now + 86_400,
      number: 256,
      entries: [
        { serialNumber: leaf.serialNumber, revocationDate: now - 5, reason: "keyCompromise", invalidityDate: now - 10 },
        { serialNumber: Uint8Array.of(5), revocationDate: now - 5 },
      ],
    });
    expect(extensionValue(list.revokedCertificates.at(0), cRLReason)).toBe("keyCompromise");
    bench.write("list.der", list.encoding);
    const printed = bench.run("crl -inform DER -in list.der -CAfile chain.pem -text -noout");
    expect(printed).toContain("Key Compromise");
    expect(printed).toContain("256");
    bench.write("list.pem", bench.run("crl -inform DER -in list.der"));
    expect(() => bench.run(`verify ${flags} -crl_check -CRLfile list.pem leaf.pem`)).toThrow(/certificate revoked/);
  });

  it("name constraints, self-issued lists and empty lists", () => {
    const { privateKey } = provider.generateKeyPair({ name: "ec", curve: "P-256" });
    const template = certificateAuthority({
      subject: makeName([{ type: "commonName", value: "Constrained" }]),
      validity: validityFrom(now, 10),
      nameConstraints: {
        permittedSubtrees: [{ type: "dNSName", value: "example" }],
        excludedSubtrees: [{ type: "iPAddress", value: Uint8Array.of(10, 0, 0, 0, 255, 0, 0, 0) }],
      },
    });
    const certificate = issueSelfSignedCertificate({ provider, privateKey, template });
    expect(extensionValue(certificate, nameConstraints)?.permittedSubtrees).toHaveLength(1);
    bench.write("constrained.pem", certificateToPem(certificate));
    const text = bench.run("x509 -noout -text -in constrained.pem");
    expect(text).toContain("IP:10.0.0.0/255.0.0.0");
    const issuer = { certificate, privateKey };
    const list = issueCertificateRevocationList({
      provider,
      issuer,
      thisUpdate: now,
      nextUpdate: now,
      number: 0,
      entries: [],
    });
    bench.write("empty.der", list.encoding);
    expect(bench.run("crl -inform DER -in empty.der -CAfile constrained.pem -text -noout")).toContain(
      "No Revoked Certificates",
    );
  });

  it("private keys, and with them makes what we verify", () => {
    const { privateKey } = provider.generateKeyPair({ name: "ec", curve: "P-256" });
    bench.write("key.pem", privateKeyToPem(privateKey, { provider }));
    bench.run("req -new -key key.pem -subj /CN=x/O=y -out theirs.csr -outform DER");
    const theirs = parseCertificationRequest(bench.read("theirs.csr"));
    verifyCertificationRequest(theirs, provider);
    expect(theirs.subjectPublicKeyInfo.encoding).toEqual(privateKey.publicKey.spki);
  });
});

it("reads a chain from one PEM file in order", () => {
  const pem = `some text\n${certificateToPem(device.certificate)}\n${certificateToPem(root.certificate)}`;
  const [first, second, ...others] = certificatesFromPem(pem);
  expect(first?.encoding).toEqual(device.certificate.encoding);
  expect(second?.encoding).toEqual(root.certificate.encoding);
  expect(others).toEqual([]);
  expect(codeOf(() => certificatesFromPem("nothing"))).toBe("ERR_X509_PEM_LABEL");
});
