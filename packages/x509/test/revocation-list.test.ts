import { DerReader, encodeDer, encodePem } from "@latchkey/asn1";
import { describe, expect, it } from "vitest";
import {
  certificateIssuer,
  type CertificateRevocationList,
  createCertificationRequest,
  cRLReason,
  type Extension,
  extensionValue,
  type GeneralName,
  issueCertificateRevocationList,
  makeExtension,
  makeName,
  parseCertificateRevocationList,
  revocationListsFromPem,
  subjectAltName,
} from "../src/index.ts";
import {
  certificationRequestText,
  certificationRequestToJson,
  revocationListText,
  revocationListToJson,
} from "../src/text.ts";
import { hexOf, makeDevice, makeRoot, now, provider } from "./authority.ts";

const root = makeRoot();
const issued = issueCertificateRevocationList({
  provider,
  issuer: root,
  thisUpdate: now,
  nextUpdate: now + 1000,
  number: 9,
  entries: [{ serialNumber: Uint8Array.of(1), revocationDate: now, reason: "superseded" }],
});

/** A list with these entries: serial number and extensions. Its signature is not checked here. */
function listOf(entries: readonly (readonly [serial: number, ...extensions: Extension[]])[]): Uint8Array {
  const fields = new DerReader(issued.tbsCertList).sequence();
  const before = Array.from({ length: 5 }, () => fields.any().encoding);
  return encodeDer((writer) => {
    writer.sequence((outer) => {
      outer.sequence((tbs) => {
        for (const field of before) tbs.encoded(field);
        tbs.sequence((list) => {
          for (const [serial, ...extensions] of entries) {
            list.sequence((entry) => {
              entry.integer(serial);
              entry.time(now);
              if (extensions.length === 0) return;
              entry.sequence((all) => {
                for (const { oid, critical, value } of extensions) {
                  all.sequence((extension) => {
                    extension.oid(oid);
                    extension.booleanDefaultFalse(critical);
                    extension.octetString(value);
                  });
                }
              });
            });
          }
        });
      });
      outer.encoded(issued.signatureAlgorithm.encoding);
      outer.bitString(issued.signatureValue);
    });
  });
}

function issuerNamed(value: string): Extension {
  const name: GeneralName = { type: "directoryName", value: makeName([{ type: "commonName", value }]) };
  return makeExtension(certificateIssuer, [name], true);
}

/** The common name of whoever issued an entry's certificate. */
function issuerOf(list: CertificateRevocationList, index: number): string | undefined {
  const [name] = list.revokedCertificates.at(index).certificateIssuer ?? [];
  return name?.type === "directoryName" ? name.value.rdns[0]?.[0]?.text : undefined;
}

describe("revocation lists", () => {
  it("that are indirect hand the issuer on from entry to entry (RFC 5280 §5.3.3)", () => {
    const reason = makeExtension(cRLReason, "keyCompromise");
    const list = parseCertificateRevocationList(
      listOf([[1], [2, issuerNamed("A")], [3, reason], [4, reason, issuerNamed("B")], [1], [5, issuerNamed("C")]]),
    );
    expect(Array.from({ length: 6 }, (_, index) => issuerOf(list, index))).toEqual([
      undefined,
      "A",
      "A",
      "B",
      "B",
      "C",
    ]);
    expect(
      list.revokedCertificates.findAll(Uint8Array.of(1)).map((entry) => entry.certificateIssuer !== undefined),
    ).toEqual([false, true]);
    expect(extensionValue(list.revokedCertificates.at(3), cRLReason)).toBe("keyCompromise");
  });

  it("answer the same by scanning and by the index", () => {
    const list = parseCertificateRevocationList(listOf(Array.from({ length: 300 }, (_, index) => [index * 3 + 1])));
    for (let round = 0; round < 3; round++) {
      for (let serial = 1; serial < 900; serial++) {
        const content = new DerReader(encodeDer((writer) => writer.integer(serial))).integer();
        const found = list.revokedCertificates.find(content);
        expect(found === undefined).toBe(serial % 3 !== 1);
        if (found !== undefined) expect(hexOf(found.serialNumber)).toBe(hexOf(content));
      }
    }
    expect(list.revokedCertificates.find(new Uint8Array(0))).toBeUndefined();
    expect([...list.revokedCertificates]).toHaveLength(300);
  });

  it("have as many entries as they have", () => {
    expect(issued.revokedCertificates.length).toBe(1);
    expect(() => issued.revokedCertificates.at(1)).toThrow(RangeError);
    expect(() => issued.revokedCertificates.at(-1)).toThrow(RangeError);
    expect(() => parseCertificateRevocationList(listOf([]))).toThrow(
      expect.objectContaining({ code: "ERR_X509_EMPTY_LIST" }),
    );
  });

  it("with a malformed entry extension are refused unless contents are left unchecked", () => {
    const der = listOf([
      [1, { oid: cRLReason.oid, critical: false, value: Uint8Array.of(0x0a, 1, 7), valueOffset: 0 }],
    ]);
    expect(() => parseCertificateRevocationList(der)).toThrow(
      expect.objectContaining({ code: "ERR_X509_EXTENSION_VALUE" }),
    );
    const list = parseCertificateRevocationList(der, { checkContents: false });
    expect(() => extensionValue(list.revokedCertificates.at(0), cRLReason)).toThrow(
      expect.objectContaining({ code: "ERR_X509_EXTENSION_VALUE", offset: expect.any(Number) }),
    );
  });

  it("over the size limit are refused", () => {
    expect(() => parseCertificateRevocationList(issued.encoding, { maximumOctets: 10 })).toThrow(
      expect.objectContaining({ code: "ERR_X509_SIZE" }),
    );
  });

  it("come from PEM, several at once, and can be shown", () => {
    const pem = encodePem("X509 CRL", issued.encoding);
    expect(revocationListsFromPem(pem + pem)).toHaveLength(2);
    expect(revocationListText(issued)).toContain(
      "    Serial Number: 01\n        Revocation Date: Nov 23 00:00:00 2026 GMT\n",
    );
    expect(revocationListText(issued)).toContain("superseded");
    expect(revocationListToJson(issued)).toMatchObject({
      version: 2,
      thisUpdate: "2026-11-23T00:00:00Z",
      revokedCertificates: [{ serialNumber: "01", extensions: [{ name: "cRLReason", value: "superseded" }] }],
    });
  });
});

it("requests can be shown", () => {
  const { privateKey } = makeDevice(root);
  const request = createCertificationRequest({
    provider,
    privateKey,
    subject: makeName([{ type: "commonName", value: "asking" }]),
    extensions: [makeExtension(subjectAltName, [{ type: "dNSName", value: "a.example" }])],
  });
  expect(certificationRequestText(request)).toContain("        Subject: CN=asking\n");
  expect(certificationRequestText(request)).toContain("DNS:a.example");
  expect(certificationRequestToJson(request)).toMatchObject({
    subject: { text: "CN=asking" },
    extensions: [{ name: "subjectAltName", value: [{ type: "dNSName", value: "a.example" }] }],
  });
});
