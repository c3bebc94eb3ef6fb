import { decodeOid, DerReader, type DerWriter, encodeDer, encodeOid, encodePem } from "@latchkey/asn1";
import { describe, expect, it } from "vitest";
import {
  certificateIssuer,
  type CertificateRevocationList,
  createCertificationRequest,
  cRLReason,
  decodeExtension,
  type Extension,
  extensionValue,
  type GeneralName,
  issueCertificateRevocationList,
  issuingDistributionPoint,
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
function listOf(
  entries: readonly (readonly [serial: number, ...extensions: Extension[]])[],
  ofList: readonly Extension[] = [],
): Uint8Array {
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
              writeList(entry, extensions);
            });
          }
        });
        if (ofList.length > 0) tbs.explicit(0, (explicit) => writeList(explicit, ofList));
      });
      outer.encoded(issued.signatureAlgorithm.encoding);
      outer.bitString(issued.signatureValue);
    });
  });
}

function writeList(writer: DerWriter, extensions: readonly Extension[]): void {
  writer.sequence((all) => {
    for (const { oid, critical, value } of extensions) {
      all.sequence((extension) => {
        extension.oid(oid);
        extension.booleanDefaultFalse(critical);
        extension.octetString(value);
      });
    }
  });
}

/** IssuingDistributionPoint with indirectCRL. */
const indirectScope: Extension = {
  oid: issuingDistributionPoint.oid,
  critical: true,
  value: Uint8Array.of(0x30, 3, 0x84, 1, 0xff),
  valueOffset: 0,
};

function issuerNamed(value: string): Extension {
  const name: GeneralName = { type: "directoryName", value: makeName([{ type: "commonName", value }]) };
  return makeExtension(certificateIssuer, [name], true);
}

/** The common name of the authority that issued the certificate of an entry. */
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

  it("say which critical extension of an entry is unknown, the first of them", () => {
    const unknown = (arc: number, critical: boolean): Extension => ({
      oid: encodeOid(`1.3.6.1.4.1.32473.${arc}`),
      critical,
      value: Uint8Array.of(5, 0),
      valueOffset: 0,
    });
    const reason = makeExtension(cRLReason, "keyCompromise", true);
    const first = (...entries: Parameters<typeof listOf>[0]): (string | undefined)[] =>
      [true, false].map((checkContents) => {
        const list = parseCertificateRevocationList(listOf(entries), { checkContents });
        const oid = list.revokedCertificates.unknownCriticalExtension;
        return oid && decodeOid(oid).split(".").at(-1);
      });
    expect(first([1], [2, unknown(1, false), reason], [3, issuerNamed("A")])).toEqual([undefined, undefined]);
    expect(first([1], [2, unknown(1, false), unknown(2, true)], [3, unknown(3, true)])).toEqual(["2", "2"]);
    expect(issued.revokedCertificates.unknownCriticalExtension).toBeUndefined();
  });

  describe("whose contents are left unchecked judge each entry by itself", () => {
    const serial = (value: number): Uint8Array => Uint8Array.of(value);
    /** The list 1, 2, 3 of which entry 2 has this octet, counted from the start of the entry, changed. */
    const withFault = (octet: number, value: number, entries = listOf([[1], [2], [3]])): Uint8Array => {
      const der = entries.slice();
      const start = parseCertificateRevocationList(entries).revokedCertificates.at(1).serialNumber.byteOffset - 4;
      der[start + octet] = value;
      return der;
    };
    const faults: readonly (readonly [string, number, number])[] = [
      ["another tag than SEQUENCE", 0, 0x31],
      ["a serial number that is a BOOLEAN", 2, 0x01],
      ["a serial number without content", 3, 0x00],
      ["a date with a letter", 8, 0x41],
      ["a date that is cut off", 6, 0x7f],
    ];
    it.each(faults)("%s", (_, octet, value) => {
      const der = withFault(octet, value);
      expect(() => parseCertificateRevocationList(der)).toThrow(
        expect.objectContaining({ code: "ERR_X509_MALFORMED" }),
      );
      const { revokedCertificates } = parseCertificateRevocationList(der, { checkContents: false });
      const malformed = expect.objectContaining({ code: "ERR_X509_MALFORMED" });
      expect(revokedCertificates).toHaveLength(3);
      expect(() => revokedCertificates.at(1)).toThrow(malformed);
      expect(() => revokedCertificates.find(serial(2))).toThrow(malformed);
      for (const value of [1, 3]) {
        expect(revokedCertificates.find(serial(value))?.revocationDate).toBe(now);
        expect(revokedCertificates.findAll(serial(value))).toHaveLength(1);
      }
      // By the index, too.
      for (let round = 0; round < 10; round++) expect(revokedCertificates.has(serial(3))).toBe(true);
      expect(() => revokedCertificates.find(serial(2))).toThrow(malformed);
      const hidesSerial = octet < 4;
      expect(revokedCertificates.has(serial(2))).toBe(!hidesSerial);
      if (hidesSerial) expect(() => revokedCertificates.findAll(serial(9))).toThrow(malformed);
      else expect(revokedCertificates.find(serial(9))).toBeUndefined();
    });

    it("on an indirect list, entries behind a malformed one are readable again where one names an issuer", () => {
      const entries = listOf([[1], [2, issuerNamed("A")], [3], [4, issuerNamed("B")], [5]], [indirectScope]);
      const { revokedCertificates } = parseCertificateRevocationList(withFault(8, 0x41, entries), {
        checkContents: false,
      });
      const malformed = expect.objectContaining({ code: "ERR_X509_MALFORMED" });
      for (const value of [2, 3]) expect(() => revokedCertificates.findAll(serial(value))).toThrow(malformed);
      for (const value of [1, 4, 5]) expect(revokedCertificates.findAll(serial(value))).toHaveLength(1);
      const hidden = parseCertificateRevocationList(withFault(2, 0x01, entries), { checkContents: false });
      // The hidden entry may be about a certificate of this serial number by another issuer.
      expect(() => hidden.revokedCertificates.findAll(serial(1))).toThrow(malformed);
    });

    it("an entry that announces more than the list has fails the list", () => {
      expect(() => parseCertificateRevocationList(withFault(1, 0x7f), { checkContents: false })).toThrow(
        expect.objectContaining({ code: "ERR_X509_MALFORMED" }),
      );
    });

    it("more than 1000 malformed entries fail the list", () => {
      const der = (count: number): Uint8Array => {
        const entries = listOf([[1]]);
        const outer = new DerReader(entries).sequence();
        const fields = outer.sequence();
        const before = Array.from({ length: 5 }, () => fields.any().encoding);
        return encodeDer((writer) => {
          writer.sequence((all) => {
            all.sequence((tbs) => {
              for (const field of before) tbs.encoded(field);
              tbs.sequence((list) => {
                for (let entry = 0; entry < count; entry++) list.sequence(() => {});
              });
            });
            all.encoded(outer.rest);
          });
        });
      };
      const options = { checkContents: false };
      expect(parseCertificateRevocationList(der(1000), options).revokedCertificates).toHaveLength(1000);
      expect(() => parseCertificateRevocationList(der(1001), options)).toThrow(
        expect.objectContaining({ code: "ERR_X509_MALFORMED" }),
      );
    });
  });

  it("over the size limit are refused", () => {
    expect(() => parseCertificateRevocationList(issued.encoding, { maximumOctets: 10 })).toThrow(
      expect.objectContaining({ code: "ERR_X509_SIZE" }),
    );
  });

  it("are shown with and without entries, extensions and a next update", () => {
    const whole = revocationListText(issued).split("\n");
    expect(whole).toContain("Revoked Certificates:");
    expect(whole).not.toContain("No Revoked Certificates.");
    expect(whole).toContain("        CRL extensions:");
    expect(whole).toContain("        CRL entry extensions:");
    expect(whole).toContain("        Next Update: Nov 23 00:16:40 2026 GMT");

    const bare = revocationListText(parseCertificateRevocationList(listOf([[1]]))).split("\n");
    expect(bare).toContain("Revoked Certificates:");
    expect(bare).not.toContain("        CRL extensions:");
    expect(bare).not.toContain("        CRL entry extensions:");

    const settings = { provider, issuer: root, thisUpdate: now, nextUpdate: now, number: 1, entries: [] };
    const empty = revocationListText(issueCertificateRevocationList(settings)).split("\n");
    expect(empty).toContain("No Revoked Certificates.");
    expect(empty).not.toContain("Revoked Certificates:");
  });

  it("limited to two kinds of certificates at once are refused, each pair", () => {
    const kinds = ["onlyContainsUserCerts", "onlyContainsCACerts", "onlyContainsAttributeCerts"] as const;
    const point = (chosen: readonly string[]) =>
      makeExtension(issuingDistributionPoint, {
        distributionPoint: undefined,
        onlyContainsUserCerts: chosen.includes("onlyContainsUserCerts"),
        onlyContainsCACerts: chosen.includes("onlyContainsCACerts"),
        onlySomeReasons: undefined,
        indirectCRL: true,
        onlyContainsAttributeCerts: chosen.includes("onlyContainsAttributeCerts"),
      });
    const read = (chosen: readonly string[]): unknown => decodeExtension(point(chosen), issuingDistributionPoint);
    for (const kind of kinds) {
      expect(read([kind])).toMatchObject({ [kind]: true });
      const others = kinds.filter((other) => other !== kind);
      expect(() => read(others)).toThrow(expect.objectContaining({ code: "ERR_X509_EXTENSION_VALUE" }));
    }
    expect(() => read(kinds)).toThrow(expect.objectContaining({ code: "ERR_X509_EXTENSION_VALUE" }));
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
