import { encodeDer, encodeOid } from "@latchkey/asn1";
import { describe, expect, it } from "vitest";
import {
  anyPolicy,
  authorityKeyIdentifier,
  certificateAuthority,
  certificatePolicies,
  cRLNumber,
  deltaCRLIndicator,
  type Extension,
  type GeneralName,
  issueCertificate,
  issueCertificateRevocationList,
  issueSelfSignedCertificate,
  makeExtension,
  makeName,
  parseCertificate,
  parseNameText,
  policyConstraints,
  policyQualifierIds,
  subjectAltName,
} from "../src/index.ts";
import { extensionLines } from "../src/extension-text.ts";
import { certificateText, revocationListText } from "../src/text.ts";
import { now, provider } from "./authority.ts";

describe("a serial number is shown as openssl shows it", () => {
  const { privateKey } = provider.generateKeyPair({ name: "ec", curve: "P-256" });
  it.each([
    [
      "of 19 octets that begin with a set bit",
      "cec00fd5c92242c121b27617a9750b3059a48c01",
      "\n            ce:c0:0f:d5:c9",
    ],
    ["of 19 octets", "4ec00fd5c92242c121b27617a9750b3059a48c01", "\n            4e:c0:0f:d5:c9"],
    ["of 8 octets that begin with a set bit", "921285cbb7a5e086", "\n            92:12:85:cb:b7:a5:e0:86"],
    ["that is small", "0100", " 256 (0x100)"],
  ])("%s", (_, hex, shown) => {
    const serialNumber = Uint8Array.from(Buffer.from(hex, "hex").subarray(0, 19));
    const subject = makeName([{ type: "CN", value: "Root" }]);
    const template = certificateAuthority({ subject, validity: { notBefore: now, notAfter: now + 1 } });
    const certificate = issueSelfSignedCertificate({ provider, privateKey, template, serialNumber });
    expect(certificateText(certificate)).toContain(`        Serial Number:${shown}`);
  });
});

function rsaSpki(exponent: Uint8Array): Uint8Array {
  return encodeDer((writer) => {
    writer.sequence((body) => {
      body.sequence((algorithm) => {
        algorithm.oid("1.2.840.113549.1.1.1");
        algorithm.null();
      });
      const numbers = encodeDer((inner) => {
        inner.sequence((key) => {
          key.unsignedInteger(Uint8Array.of(0x80, 1));
          key.unsignedInteger(exponent);
        });
      });
      body.bitString(numbers);
    });
  });
}

describe("text", () => {
  const { privateKey } = provider.generateKeyPair({ name: "ec", curve: "P-256" });
  const subject = parseNameText("CN=Root,O=Pizza,C=DE");
  const validity = { notBefore: now, notAfter: now + 1 };

  function textWith(...extensions: Extension[]): string {
    const template = { ...certificateAuthority({ subject, validity }), extensions };
    return certificateText(issueSelfSignedCertificate({ provider, privateKey, template }));
  }

  it("has every name in the order of nameText, so that parseNameText reads it back", () => {
    const name: GeneralName = { type: "directoryName", value: subject };
    const text = textWith(makeExtension(subjectAltName, [name]));
    expect(text).toContain("        Issuer: CN=Root,O=Pizza,C=DE\n");
    expect(text).toContain("        Subject: CN=Root,O=Pizza,C=DE\n");
    expect(text).toContain('DirName:"CN=Root,O=Pizza,C=DE"\n');
  });

  it("shows a negative serial number as negative", () => {
    const template = certificateAuthority({ subject, validity });
    const { encoding } = issueSelfSignedCertificate({
      provider,
      privateKey,
      template,
      serialNumber: Uint8Array.of(0x7f),
    });
    const at = encoding.findIndex(
      (octet, index) => octet === 0x02 && encoding[index + 1] === 1 && encoding[index + 2] === 0x7f,
    );
    const negative = encoding.slice();
    negative[at + 2] = 0x80;
    expect(certificateText(parseCertificate(negative))).toContain("Serial Number: -128 (-0x80)\n");
    const long = issueSelfSignedCertificate({
      provider,
      privateKey,
      template,
      serialNumber: new Uint8Array(12).fill(0x7f),
    });
    const longNegative = long.encoding.map((octet, index, all) =>
      octet === 0x7f && all[index - 2] === 0x02 && all[index - 1] === 12 ? 0x80 : octet,
    );
    const text = certificateText(parseCertificate(longNegative));
    expect(text).toContain("Serial Number: (Negative)\n            7f:80:80:80:80:80:80:80:80:80:80:81\n");
    const entries = [Uint8Array.of(0xff), Uint8Array.of(0x80, 0x00), Uint8Array.of(0x00, 0x80), Uint8Array.of(0)];
    const list = issueCertificateRevocationList({
      provider,
      issuer: { certificate: issueSelfSignedCertificate({ provider, privateKey, template }), privateKey },
      thisUpdate: now,
      nextUpdate: now + 1,
      number: 1,
      entries: entries.map((serialNumber) => ({ serialNumber, revocationDate: now })),
    });
    const shown = Array.from(revocationListText(list).matchAll(/ {4}Serial Number: (.*)/g), ([, serial]) => serial);
    expect(shown).toEqual(["-01", "-8000", "80", "00"]);
  });

  it("shows numbers of up to 16 octets in decimal, and longer ones in hexadecimal, which takes linear time", () => {
    const longest = new Uint8Array(16).fill(0xff);
    const longer = Uint8Array.of(1, ...new Uint8Array(16));
    const decimal = "340282366920938463463374607431768211455";
    const hexadecimal = `0x01${"00".repeat(16)}`;
    const text = textWith(makeExtension(cRLNumber, longest), makeExtension(deltaCRLIndicator, longer));
    expect(text).toContain(`CRL Number:\n                ${decimal}\n`);
    expect(text).toContain(`Delta CRL Indicator:\n                ${hexadecimal}\n`);
    const exponentText = (exponent: Uint8Array): string | undefined => {
      const template = { ...certificateAuthority({ subject, validity }), subject };
      const issuer = { certificate: issueSelfSignedCertificate({ provider, privateKey, template }), privateKey };
      const publicKey = { ...privateKey.publicKey, spki: rsaSpki(exponent) };
      const issued = issueCertificate({ provider, issuer, publicKey, template: { ...template, extensions: [] } });
      return /Exponent: (.*)/.exec(certificateText(issued))?.[1];
    };
    expect(exponentText(Uint8Array.of(1, 0, 1))).toBe("65537 (0x10001)");
    expect(exponentText(longest)).toBe(`${decimal} (0x${"ff".repeat(16)})`);
    expect(exponentText(longer)).toBe(hexadecimal);
  });

  it("shows the one of two constraints that is there, and nothing of the other", () => {
    const shown = (requireExplicitPolicy: number | undefined, inhibitPolicyMapping: number | undefined): string[] =>
      extensionLines(makeExtension(policyConstraints, { requireExplicitPolicy, inhibitPolicyMapping }), "").slice(1);
    expect(shown(0, undefined)).toEqual(["    Require Explicit Policy:0"]);
    expect(shown(undefined, 3)).toEqual(["    Inhibit Policy Mapping:3"]);
    expect(shown(0, 3)).toEqual(["    Require Explicit Policy:0, Inhibit Policy Mapping:3"]);
  });

  it("shows the negative serial number of an issuer as negative", () => {
    const key = { authorityCertIssuer: [{ type: "dNSName" as const, value: "ca.example" }] };
    const serials = [Uint8Array.of(0x80), Uint8Array.of(0x00, 0x80)].map((authorityCertSerialNumber) => {
      const value = { keyIdentifier: undefined, ...key, authorityCertSerialNumber };
      return extensionLines(makeExtension(authorityKeyIdentifier, value), "").at(-1)?.trim();
    });
    expect(serials).toEqual(["serial:-80", "serial:00:80"]);
  });

  it("shows the identifier of a curve that has no name here", () => {
    const spki = encodeDer((writer) => {
      writer.sequence((body) => {
        body.sequence((algorithm) => {
          algorithm.oid("1.2.840.10045.2.1");
          algorithm.oid("1.3.36.3.3.2.8.1.1.7");
        });
        body.bitString(Uint8Array.of(4, 1, 2));
      });
    });
    const template = { ...certificateAuthority({ subject, validity }), subject };
    const issuer = { certificate: issueSelfSignedCertificate({ provider, privateKey, template }), privateKey };
    const publicKey = { ...privateKey.publicKey, spki };
    const issued = issueCertificate({ provider, issuer, publicKey, template: { ...template, extensions: [] } });
    expect(certificateText(issued)).toContain("ASN1 OID: 1.3.36.3.3.2.8.1.1.7\n");
    expect(certificateText(issuer.certificate)).toContain("ASN1 OID: prime256v1\n");
  });

  it("shows user notices and otherNames as text, which cannot break out of its line", () => {
    const notice = (text: string): Uint8Array =>
      encodeDer((writer) => {
        writer.sequence((fields) => {
          fields.sequence((reference) => {
            reference.utf8String("Pizza");
            reference.sequence((numbers) => {
              numbers.integer(1);
              numbers.integer(2);
            });
          });
          fields.utf8String(text);
        });
      });
    const qualified = (qualifier: Uint8Array): Extension =>
      makeExtension(certificatePolicies, [
        {
          policyIdentifier: anyPolicy,
          policyQualifiers: [{ policyQualifierId: policyQualifierIds.userNotice, qualifier }],
        },
      ]);
    const text = textWith(qualified(notice("For buttons only")));
    expect(text).toMatch(/User Notice:\n {20}Organization: Pizza\n {20}Numbers: 1, 2\n/);
    expect(text).toContain('Explicit Text: "For buttons only"\n');
    expect(textWith(qualified(notice("a\n    Policy: forged")))).toContain(
      String.raw`Explicit Text: "a\n    Policy: forged"`,
    );
    expect(textWith(qualified(Uint8Array.of(0x30, 2, 5, 1)))).toContain("User Notice: 30020501\n");

    const principal = encodeDer((writer) => writer.utf8String("button@example.com"));
    const other: GeneralName = { type: "otherName", typeId: encodeOid("1.3.6.1.4.1.311.20.2.3"), value: principal };
    expect(textWith(makeExtension(subjectAltName, [other]))).toContain(
      "othername:1.3.6.1.4.1.311.20.2.3:button@example.com\n",
    );
    const opaque: GeneralName = { type: "otherName", typeId: encodeOid("1.2.3"), value: Uint8Array.of(4, 1, 7) };
    expect(textWith(makeExtension(subjectAltName, [opaque]))).toContain("othername:1.2.3:040107\n");
  });
});
