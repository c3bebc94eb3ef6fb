/** PEM files as people and programs write them: other blocks in between, wrong labels, old forms. */

import { encodeDer, encodePem } from "@latchkey/asn1";
import { nodeProvider as provider } from "@latchkey/crypto/node";
import { describe, expect, it } from "vitest";
import {
  certificateRequestToPem,
  certificatesFromPem,
  certificateToPem,
  certificationRequestFromPem,
  createCertificationRequest,
  issueCertificateRevocationList,
  makeName,
  parseCertificate,
  parseCertificateRevocationList,
  parseCertificationRequest,
  privateKeyFromPem,
  privateKeyToPem,
  publicKeyFromPem,
  publicKeyToPem,
  revocationListsFromPem,
  revocationListToPem,
  X509Error,
} from "../src/index.ts";
import { makeDevice, makeRoot, now } from "./authority.ts";
import { Bench, openssl, withOpenssl } from "./openssl.ts";

const root = makeRoot();
const { certificate } = root;
const pem = certificateToPem(certificate);
const request = createCertificationRequest({
  provider,
  privateKey: root.privateKey,
  subject: makeName([{ type: "commonName", value: "button-1" }]),
});
const list = issueCertificateRevocationList({
  provider,
  issuer: root,
  thisUpdate: now,
  nextUpdate: now + 1,
  number: 1,
  entries: [],
});

function refusal(act: () => unknown): X509Error {
  try {
    act();
  } catch (error) {
    if (error instanceof X509Error) return error;
    throw error;
  }
  throw new Error("accepted");
}

const legacyKey = `-----BEGIN RSA PRIVATE KEY-----
Proc-Type: 4,ENCRYPTED
DEK-Info: AES-256-CBC,9E0C1D0D2D5E6D5B6C3C5B3D2D1C0B0A

AAEC
-----END RSA PRIVATE KEY-----
`;
const pgp = `-----BEGIN PGP SIGNATURE-----
Version: GnuPG v2

AAEC
=abcd
-----END PGP SIGNATURE-----
`;

describe("certificates", () => {
  it.each<[string, string | Uint8Array]>([
    ["an encrypted key of the old form", `${legacyKey}${pem}`],
    ["an OpenPGP signature behind them", `${pem}${pgp}`],
    ["a key without its END line before them", `-----BEGIN PRIVATE KEY-----\nAAEC\n${pem}`],
    ["a byte order mark", `\ufeff${pem}`],
    ["NUL octets at the end", new TextEncoder().encode(`${pem}\0`)],
    ["an indented block", pem.replaceAll(/^/gm, "      ")],
    ["OpenSSL's text in front", `Certificate:\n    Data:\n        Version: 3 (0x2)\n${pem}`],
  ])("are read beside %s", (_, text) => {
    expect(certificatesFromPem(text).map(({ encoding }) => encoding)).toEqual([certificate.encoding]);
  });

  it("are read out of TRUSTED CERTIFICATE, with and without OpenSSL's notes", () => {
    const notes = Uint8Array.of(0x30, 0x00);
    const trusted = new Uint8Array(certificate.encoding.length + notes.length);
    trusted.set(certificate.encoding);
    trusted.set(notes, certificate.encoding.length);
    for (const bytes of [certificate.encoding, trusted]) {
      const [read] = certificatesFromPem(encodePem("TRUSTED CERTIFICATE", bytes));
      expect(read?.encoding).toEqual(certificate.encoding);
    }
    const junk = new Uint8Array(trusted.length + 2);
    junk.set(trusted);
    expect(refusal(() => certificatesFromPem(encodePem("TRUSTED CERTIFICATE", junk))).code).toBe("ERR_X509_MALFORMED");
  });

  it("an error names the block, the labels that were found, and what reads them", () => {
    const broken = encodePem("CERTIFICATE", certificate.encoding.subarray(0, 100));
    expect(refusal(() => certificatesFromPem(`${pem}${broken}`)).message).toMatch(
      /^PEM block 2 \(CERTIFICATE\).*announced/,
    );
    const key = privateKeyToPem(root.privateKey, { provider });
    expect(refusal(() => certificatesFromPem(key))).toMatchObject({
      code: "ERR_X509_PEM_LABEL",
      found: ["PRIVATE KEY"],
      message: expect.stringContaining("privateKeyFromPem"),
    });
    expect(refusal(() => certificatesFromPem(certificateRequestToPem(request))).message).toContain(
      "certificationRequestFromPem",
    );
    expect(refusal(() => certificatesFromPem(encodePem("PKCS7", Uint8Array.of(0x30, 0)))).message).toContain(
      "openssl pkcs7",
    );
    expect(refusal(() => certificatesFromPem("")).message).toContain("-----BEGIN CERTIFICATE-----");
    expect(refusal(() => certificatesFromPem(certificate.encoding)).message).toContain("DER");
    expect(refusal(() => parseCertificate(new TextEncoder().encode(pem))).message).toContain("FromPem");
  });

  it("a wanted block with a fault is never passed over", () => {
    for (const text of [
      pem.replace("-----END CERTIFICATE-----", ""),
      pem.replace("-----BEGIN CERTIFICATE-----\n", ""),
      pem.replace("END CERTIFICATE", "END X509 CRL"),
      pem.replace("MII", "M*I"),
      `${pem}${pem.replace("MII", "M:I")}`,
    ]) {
      expect(refusal(() => certificatesFromPem(text)).code).toBe("ERR_X509_MALFORMED");
    }
  });
});

it("requests and lists go into PEM and come back", () => {
  expect(certificateRequestToPem(request)).toMatch(/^-----BEGIN CERTIFICATE REQUEST-----\n/);
  expect(certificationRequestFromPem(certificateRequestToPem(request)).encoding).toEqual(request.encoding);
  expect(revocationListToPem(list)).toMatch(/^-----BEGIN X509 CRL-----\n/);
  const [read] = revocationListsFromPem(`${pem}${revocationListToPem(list)}`);
  expect(read?.encoding).toEqual(list.encoding);
  expect(() => parseCertificationRequest(new TextEncoder().encode(certificateRequestToPem(request)))).toThrow(
    /FromPem/,
  );
  expect(() => parseCertificateRevocationList(new TextEncoder().encode(revocationListToPem(list)))).toThrow(/FromPem/);
  const several = certificateRequestToPem(request).repeat(2);
  expect(refusal(() => certificationRequestFromPem(several)).message).toContain("2 PEM blocks");
});

describe("private keys", () => {
  const { privateKey, publicKey } = makeKeys();
  const pkcs8 = provider.exportPkcs8(privateKey);

  it.each(["PRIVATE KEY", "EC PRIVATE KEY", "RSA PRIVATE KEY", "ENCRYPTED PRIVATE KEY", "ED25519 PRIVATE KEY"])(
    "PKCS #8 labelled %s is read",
    (label) => {
      expect(privateKeyFromPem(encodePem(label, pkcs8), { provider }).publicKey.spki).toEqual(publicKey.spki);
    },
  );

  it("an encrypted key is said to be encrypted, whatever its label and form", () => {
    const locked = privateKeyToPem(privateKey, { provider, password: "secret", iterations: 10 });
    const relabelled = locked.replaceAll("ENCRYPTED PRIVATE KEY", "PRIVATE KEY");
    for (const text of [locked, relabelled]) {
      expect(refusal(() => privateKeyFromPem(text, { provider }))).toMatchObject({
        code: "ERR_X509_DECRYPTION",
        problem: "password missing",
        message: expect.stringContaining("encrypted"),
      });
      expect(privateKeyFromPem(text, { provider, password: "secret" }).publicKey.spki).toEqual(publicKey.spki);
      expect(refusal(() => privateKeyFromPem(text, { provider, password: "other" }))).toMatchObject({
        problem: "password wrong",
      });
    }
    expect(refusal(() => privateKeyFromPem(legacyKey, { provider, password: "secret" }))).toMatchObject({
      code: "ERR_X509_UNSUPPORTED_ENCRYPTION",
      found: "RSA PRIVATE KEY with Proc-Type and DEK-Info",
      message: expect.stringContaining("openssl pkcs8 -topk8"),
    });
  });

  it("a public key under a private label, and the reverse, are named", () => {
    expect(refusal(() => privateKeyFromPem(encodePem("PRIVATE KEY", publicKey.spki), { provider }))).toMatchObject({
      code: "ERR_X509_PEM_LABEL",
      message: expect.stringContaining("public key"),
    });
    expect(refusal(() => publicKeyFromPem(encodePem("PUBLIC KEY", pkcs8), provider))).toMatchObject({
      code: "ERR_X509_PEM_LABEL",
      message: expect.stringContaining("private key"),
    });
    expect(publicKeyFromPem(encodePem("RSA PUBLIC KEY", publicKey.spki), provider).spki).toEqual(publicKey.spki);
    expect(refusal(() => publicKeyFromPem(encodePem("PRIVATE KEY", pkcs8), provider)).message).toContain(
      "privateKeyFromPem",
    );
    expect(refusal(() => privateKeyFromPem(publicKeyToPem(publicKey), { provider })).message).toContain(
      "publicKeyFromPem",
    );
  });

  it("what a block of any label holds instead is named, with its own label and reader", () => {
    const version1 = encodeDer((writer) => {
      writer.sequence((outer) => {
        outer.sequence((tbs) => {
          tbs.integer(1);
          for (let field = 0; field < 5; field++) tbs.sequence(() => undefined);
        });
        outer.sequence(() => undefined);
        outer.bitString(Uint8Array.of(0));
      });
    });
    const pfx = Uint8Array.of(0x30, 5, 2, 1, 3, 0x30, 0);
    const rows: readonly (readonly [der: Uint8Array, words: string])[] = [
      [certificate.encoding, "a certificate: label it CERTIFICATE for certificatesFromPem"],
      [version1, "a certificate: label it CERTIFICATE for certificatesFromPem"],
      [request.encoding, "a certificate request: label it CERTIFICATE REQUEST for certificationRequestFromPem"],
      [list.encoding, "a revocation list: label it X509 CRL for revocationListsFromPem"],
      [pkcs8, "a private key (PrivateKeyInfo): label it PRIVATE KEY for privateKeyFromPem"],
      [publicKey.spki, "a public key (SubjectPublicKeyInfo): label it PUBLIC KEY for publicKeyFromPem"],
      [pfx, "a PKCS #12 file: openssl pkcs12 -in FILE -nodes writes its parts as PEM"],
    ];
    const readers: readonly (readonly [label: string, own: readonly Uint8Array[], read: (text: string) => unknown])[] =
      [
        ["CERTIFICATE", [certificate.encoding, version1], (text) => certificatesFromPem(text)],
        ["CERTIFICATE REQUEST", [request.encoding], (text) => certificationRequestFromPem(text)],
        ["X509 CRL", [list.encoding], (text) => revocationListsFromPem(text)],
        ["PRIVATE KEY", [pkcs8], (text) => privateKeyFromPem(text, { provider })],
        ["PUBLIC KEY", [publicKey.spki], (text) => publicKeyFromPem(text, provider)],
      ];
    for (const [label, own, read] of readers) {
      for (const [der, words] of rows) {
        if (own.includes(der)) continue;
        const error = refusal(() => read(encodePem(label, der)));
        expect(error.code).toBe("ERR_X509_PEM_LABEL");
        expect(error.message).toContain(`holds ${words}`);
      }
    }
  });

  it("DER in place of PEM is named with the function that reads it", () => {
    const wordsOf = (der: Uint8Array): string => refusal(() => privateKeyFromPem(der, { provider })).message;
    expect(wordsOf(pkcs8)).toContain(
      "the input is DER and holds a private key (PrivateKeyInfo): a provider's importPkcs8",
    );
    expect(wordsOf(certificate.encoding)).toContain("a certificate: parseCertificate reads that");
    expect(wordsOf(Uint8Array.of(0x30, 5, 2, 1, 3, 0x30, 0))).toContain("openssl pkcs12");
    expect(wordsOf(Uint8Array.of(0x30, 0))).toContain("the functions whose names start with parse");
  });

  it("keys of OpenSSH and other forms are named", () => {
    const openssh = encodePem("OPENSSH PRIVATE KEY", new TextEncoder().encode("openssh-key-v1\0"));
    expect(refusal(() => privateKeyFromPem(openssh, { provider })).message).toContain("ssh-keygen -p -m PKCS8");
    const dsa = encodePem("DSA PRIVATE KEY", Uint8Array.of(0x30, 3, 2, 1, 0));
    expect(refusal(() => privateKeyFromPem(dsa, { provider })).message).toContain("DSA PRIVATE KEY");
  });

  it("junk under a usual label is refused by the provider's own words", () => {
    for (const label of ["PRIVATE KEY", "EC PRIVATE KEY", "RSA PRIVATE KEY"]) {
      const text = encodePem(label, Uint8Array.of(0x30, 3, 2, 1, 0));
      expect(() => privateKeyFromPem(text, { provider })).toThrow(
        expect.objectContaining({ code: "ERR_CRYPTO_MALFORMED_KEY" }),
      );
    }
  });
});

function makeKeys(): ReturnType<typeof provider.generateKeyPair> {
  return provider.generateKeyPair({ name: "ed25519" });
}

describe.skipIf(openssl.path === undefined)(withOpenssl("what openssl writes"), () => {
  const bench = new Bench();
  const device = makeDevice(root);

  it("trusted certificates, and keys of the old encrypted form", () => {
    bench.write("device.pem", certificateToPem(device.certificate));
    const trusted = bench.run("x509 -in device.pem -trustout -addtrust serverAuth -setalias button");
    expect(trusted).toContain("TRUSTED CERTIFICATE");
    expect(certificatesFromPem(trusted)[0]?.encoding).toEqual(device.certificate.encoding);
    bench.write("key.pem", privateKeyToPem(device.privateKey, { provider }));
    const encrypted = bench.run("ec -in key.pem -aes256 -passout pass:secret");
    expect(refusal(() => privateKeyFromPem(encrypted, { provider, password: "secret" })).code).toBe(
      "ERR_X509_UNSUPPORTED_ENCRYPTION",
    );
    // A file of both: the certificate is read.
    expect(certificatesFromPem(`${encrypted}${trusted}`)).toHaveLength(1);
    bench.delete();
  });
});
