/** What attackers and careless makers have tried on parsers, one test a trap. Each starts from a real certificate. */

import { DerReader, type DerWriter, encodeDer, Tag } from "@latchkey/asn1";
import { describe, expect, it } from "vitest";
import {
  attributeValues,
  authorityInfoAccess,
  type Certificate,
  certificatePolicies,
  certificatesFromPem,
  certificateToPem,
  extendedKeyUsage,
  type Extension,
  type ExtensionReader,
  extensionValue,
  findExtension,
  keyUsage,
  makeExtension,
  makeName,
  nameConstraints,
  nameText,
  parseCertificate,
  parseCertificateRevocationList,
  parseName,
  subjectAltName,
  subjectInfoAccess,
  X509Error,
} from "../src/index.ts";
import { certificateText } from "../src/text.ts";
import { makeDevice, makeRoot } from "./authority.ts";

const root = makeRoot().certificate;
const device = makeDevice(makeRoot()).certificate;

/** The code that parsing ends in, or "accepted". */
function parsed(der: Uint8Array): string {
  try {
    parseCertificate(der);
    return "accepted";
  } catch (error) {
    if (error instanceof X509Error) return error.code;
    throw error;
  }
}

function bytes(hex: string): Uint8Array {
  return new Uint8Array(Buffer.from(hex.replaceAll(" ", ""), "hex"));
}

/** The fields of a TBSCertificate as encodings; undefined leaves one out. */
interface Fields {
  version: Uint8Array | undefined;
  serialNumber: Uint8Array;
  signature: Uint8Array;
  issuer: Uint8Array;
  validity: Uint8Array;
  subject: Uint8Array;
  spki: Uint8Array;
  uniqueId: Uint8Array | undefined;
  extensions: Uint8Array | undefined;
  outerAlgorithm: Uint8Array;
  signatureValue: Uint8Array;
  afterTbs: Uint8Array | undefined;
}

/** The device's certificate with some fields written otherwise. */
function altered(change: Partial<Fields>): Uint8Array {
  const tbs = new DerReader(device.tbsCertificate).sequence();
  const [version, serialNumber, signature, issuer, validity, subject, spki, extensions] = Array.from(
    { length: 8 },
    () => tbs.any().encoding,
  );
  const fields: Fields = {
    version,
    serialNumber: serialNumber!,
    signature: signature!,
    issuer: issuer!,
    validity: validity!,
    subject: subject!,
    spki: spki!,
    uniqueId: undefined,
    extensions,
    outerAlgorithm: change.signature ?? signature!,
    signatureValue: encodeDer((writer) => writer.bitString(device.signatureValue)),
    afterTbs: undefined,
    ...change,
  };
  return encodeDer((writer) => {
    writer.sequence((certificate) => {
      certificate.sequence((body) => {
        for (const name of [
          "version",
          "serialNumber",
          "signature",
          "issuer",
          "validity",
          "subject",
          "spki",
          "uniqueId",
          "extensions",
          "afterTbs",
        ] as const) {
          const field = fields[name];
          if (field !== undefined) body.encoded(field);
        }
      });
      certificate.encoded(fields.outerAlgorithm);
      certificate.encoded(fields.signatureValue);
    });
  });
}

/** The device's certificate with just these extensions. */
function withExtensions(...extensions: readonly Extension[]): Uint8Array {
  return withRawExtensions((list) => {
    for (const { oid, critical, value } of extensions) {
      list.sequence((fields) => {
        fields.oid(oid);
        fields.booleanDefaultFalse(critical);
        fields.octetString(value);
      });
    }
  });
}

function withRawExtensions(body: (writer: DerWriter) => void): Uint8Array {
  return altered({ extensions: encodeDer((writer) => writer.explicit(3, (explicit) => explicit.sequence(body))) });
}

/** An extension of a type with this value, well-formed or not. */
function raw(type: ExtensionReader<unknown>, hex: string): Extension {
  return { oid: type.oid, critical: false, value: bytes(hex), valueOffset: 0 };
}

function nameWith(tag: number, content: Uint8Array): Uint8Array {
  return encodeDer((writer) => {
    writer.sequence((sequence) => {
      sequence.sequence((set) => {
        set.sequence((attribute) => {
          attribute.oid("2.5.4.3");
          attribute.primitive(tag, content);
        });
      }, Tag.set);
    });
  });
}

function validityOf(notBefore: string, tag: number = Tag.utcTime): Uint8Array {
  return encodeDer((writer) => {
    writer.sequence((body) => {
      body.primitive(tag, Buffer.from(notBefore));
      body.time(2_000_000_000);
    });
  });
}

describe("a parser", () => {
  it("reads the certificate that every test below changes, and writes it the same", () => {
    expect(altered({})).toEqual(Uint8Array.from(device.encoding));
    expect(parsed(altered({}))).toBe("accepted");
  });

  it("indefinite lengths are refused", () => {
    const inner = device.encoding.subarray(4);
    expect(parsed(Uint8Array.of(0x30, 0x80, ...inner, 0, 0))).toBe("ERR_X509_MALFORMED");
  });

  it("lengths that are not minimal, longer than the input, or over four octets are refused", () => {
    const inner = device.encoding.subarray(4);
    const length = inner.length;
    expect(parsed(Uint8Array.of(0x30, 0x83, 0, length >> 8, length & 255, ...inner))).toBe("ERR_X509_MALFORMED");
    expect(parsed(Uint8Array.of(0x30, 0x82, 0xff, 0xff, ...inner))).toBe("ERR_X509_MALFORMED");
    expect(parsed(Uint8Array.of(0x30, 0x85, 1, 0, 0, length >> 8, length & 255, ...inner))).toBe("ERR_X509_MALFORMED");
    expect(parsed(Uint8Array.of(0x30, 0x84, 0xff, 0xff, 0xff, 0xff, ...inner))).toBe("ERR_X509_MALFORMED");
  });

  it("high tag numbers, wrong classes and constructed strings are refused", () => {
    const inner = device.encoding.subarray(1);
    expect(parsed(Uint8Array.of(0x70, ...inner))).toBe("ERR_X509_MALFORMED");
    expect(parsed(altered({ signatureValue: bytes("23 04 03 02 00 01") }))).toBe("ERR_X509_MALFORMED");
    expect(parsed(altered({ subject: nameWith(0x2c, bytes("0c 01 41")) }))).toBe("ERR_X509_MALFORMED");
    expect(parsed(altered({ subject: nameWith(0x1f, bytes("41")) }))).toBe("ERR_X509_MALFORMED");
  });

  it("serial numbers that are not minimal or empty are refused", () => {
    expect(parsed(altered({ serialNumber: bytes("02 02 00 01") }))).toBe("ERR_X509_MALFORMED");
    expect(parsed(altered({ serialNumber: bytes("02 02 ff ff") }))).toBe("ERR_X509_MALFORMED");
    expect(parsed(altered({ serialNumber: bytes("02 00") }))).toBe("ERR_X509_MALFORMED");
  });

  it("negative, zero and long serial numbers are read as the bytes that they are", () => {
    for (const hex of ["02 01 80", "02 01 00", `02 25 ${"11".repeat(37)}`]) {
      expect(parseCertificate(altered({ serialNumber: bytes(hex) })).serialNumber).toEqual(bytes(hex).subarray(2));
    }
  });

  it("trailing data is refused after the certificate and inside each extension", () => {
    expect(parsed(Uint8Array.of(...device.encoding, 0))).toBe("ERR_X509_MALFORMED");
    expect(parsed(altered({ afterTbs: bytes("05 00") }))).toBe("ERR_X509_MALFORMED");
    for (const { oid, value, critical } of [...device.extensions, ...root.extensions]) {
      const longer = { oid, critical, value: Uint8Array.of(...value, 0x05, 0x00), valueOffset: 0 };
      expect(parsed(withExtensions(longer))).toBe("ERR_X509_MALFORMED");
    }
  });

  it("a critical flag other than 0xff, or FALSE encoded, is refused", () => {
    for (const flag of ["01 01 00", "01 01 01", "01 01 03", "01 00"]) {
      const der = withRawExtensions((list) => {
        list.sequence((fields) => {
          fields.oid(keyUsage.oid);
          fields.encoded(bytes(flag));
          fields.octetString(bytes("03 02 07 80"));
        });
      });
      expect(parsed(der), flag).toBe("ERR_X509_MALFORMED");
    }
  });

  it("stray unused bits, and a signature or key with unused bits, are refused", () => {
    expect(parsed(altered({ signatureValue: bytes("03 02 01 02") }))).toBe("ERR_X509_MALFORMED");
    expect(parsed(altered({ signatureValue: bytes("03 02 01 01") }))).toBe("ERR_X509_MALFORMED");
    expect(parsed(altered({ spki: bytes("30 0c 30 06 06 04 2b 65 70 01 03 02 01 02") }))).toBe("ERR_X509_MALFORMED");
    expect(parsed(withExtensions(raw(keyUsage, "03 02 01 81")))).toBe("ERR_X509_MALFORMED");
  });

  it("an extension twice is refused", () => {
    const usage = makeExtension(keyUsage, ["digitalSignature"]);
    expect(parsed(withExtensions(usage, { ...usage, critical: true }))).toBe("ERR_X509_DUPLICATE_EXTENSION");
  });

  it("an extension twice is refused wherever both stand, and more than 256 extensions are", () => {
    const unknown = (index: number) => ({
      oid: bytes(`2a ${((index >> 7) | 0x80).toString(16)} ${(index & 0x7f).toString(16).padStart(2, "0")}`),
      critical: false,
      value: bytes("05 00"),
      valueOffset: 0,
    });
    const others = Array.from({ length: 257 }, (_, index) => unknown(128 + index));
    expect(parsed(withExtensions(...others.slice(1)))).toBe("accepted");
    expect(parsed(withExtensions(...others))).toBe("ERR_X509_LIMIT");
    for (const [first, second] of [
      [0, 1],
      [0, 15],
      [0, 16],
      [15, 16],
      [0, 17],
      [16, 17],
      [3, 40],
      [200, 255],
    ]) {
      const twice = others.slice(1).with(second!, others.slice(1)[first!]!);
      expect(parsed(withExtensions(...twice)), `${first} and ${second}`).toBe("ERR_X509_DUPLICATE_EXTENSION");
    }
  });

  it("a policy that stands twice in certificatePolicies is refused", () => {
    expect(parsed(withExtensions(raw(certificatePolicies, "30 0a 30 03 06 01 2a 30 03 06 01 2b")))).toBe("accepted");
    expect(parsed(withExtensions(raw(certificatePolicies, "30 0a 30 03 06 01 2a 30 03 06 01 2a")))).toBe(
      "ERR_X509_EXTENSION_VALUE",
    );
  });

  it("empty lists are refused", () => {
    expect(parsed(withRawExtensions(() => {}))).toBe("ERR_X509_EMPTY_LIST");
    for (const type of [
      subjectAltName,
      extendedKeyUsage,
      certificatePolicies,
      nameConstraints,
      authorityInfoAccess,
      subjectInfoAccess,
    ]) {
      expect(parsed(withExtensions(raw(type, "30 00"))), type.name).toBe("ERR_X509_EMPTY_LIST");
    }
    expect(parsed(withExtensions(raw(nameConstraints, "30 02 a0 00")))).toBe("ERR_X509_EMPTY_LIST");
  });

  it("unknown extensions are kept raw with their criticality", () => {
    const unknown = { oid: bytes("2a 03 04"), critical: true, value: bytes("ff ff"), valueOffset: 0 };
    const found = findExtension(parseCertificate(withExtensions(unknown)), unknown.oid);
    expect(found).toMatchObject({ critical: true, value: unknown.value });
  });

  it("a malformed known extension is refused also where it is not critical", () => {
    for (const { oid } of [...device.extensions, ...root.extensions]) {
      const extension = { oid, critical: false, value: bytes("30 03 04 05 06"), valueOffset: 0 };
      expect(parsed(withExtensions(extension))).not.toBe("accepted");
      expect(() => parseCertificate(withExtensions(extension), { checkContents: false })).not.toThrow();
    }
  });

  it("version 1 encoded, version 4, and fields that a version does not have are refused", () => {
    const version = (number: number): Uint8Array =>
      encodeDer((writer) => writer.explicit(0, (explicit) => explicit.integer(number)));
    expect(parsed(altered({ version: version(0) }))).toBe("ERR_X509_VERSION");
    expect(parsed(altered({ version: version(3) }))).toBe("ERR_X509_VERSION");
    expect(parsed(altered({ version: undefined }))).toBe("ERR_X509_VERSION");
    expect(parsed(altered({ version: version(1) }))).toBe("ERR_X509_VERSION");
    expect(parsed(altered({ version: undefined, extensions: undefined, uniqueId: bytes("81 02 00 01") }))).toBe(
      "ERR_X509_VERSION",
    );
    expect(parseCertificate(altered({ version: undefined, extensions: undefined })).version).toBe(1);
    const second = parseCertificate(
      altered({ version: version(1), extensions: undefined, uniqueId: bytes("81 02 00 01") }),
    );
    expect([second.version, second.issuerUniqueID]).toEqual([2, bytes("01")]);
  });

  it("different algorithms inside and outside are refused, parameters included", () => {
    const withoutNull = bytes("30 0b 06 09 2a 86 48 86 f7 0d 01 01 0b");
    const withNull = bytes("30 0d 06 09 2a 86 48 86 f7 0d 01 01 0b 05 00");
    expect(parsed(altered({ signature: withNull, outerAlgorithm: withoutNull }))).toBe(
      "ERR_X509_SIGNATURE_ALGORITHM_MISMATCH",
    );
    expect(parsed(altered({ signature: withNull }))).toBe("accepted");
  });

  it("NUL and control characters stay in names, which end where their length says", () => {
    const name = parseName(nameWith(Tag.utf8String, bytes("61 2e 62 00 2e 63 0a")));
    expect(attributeValues(name, "commonName")).toEqual(["a.b\0.c\n"]);
    expect(nameText(name)).toBe(String.raw`CN=a.b\00.c\0a`);
    const san = extensionValue(
      parseCertificate(withExtensions(makeExtension(subjectAltName, [{ type: "dNSName", value: "a\0.evil.example" }]))),
      subjectAltName,
    );
    expect(san).toEqual([{ type: "dNSName", value: "a\0.evil.example" }]);
  });

  it("a name that looks like two is one, and the dump quotes it", () => {
    const names = [{ type: "uniformResourceIdentifier", value: "http://a.example/, DNS:b.example" }] as const;
    const certificate = parseCertificate(withExtensions(makeExtension(subjectAltName, names)));
    expect(extensionValue(certificate, subjectAltName)).toEqual(names);
    expect(certificateText(certificate)).toContain('URI:"http://a.example/, DNS:b.example"\n');
    const newline = parseCertificate(
      withExtensions(makeExtension(subjectAltName, [{ type: "dNSName", value: "a\n    DNS:b" }])),
    );
    expect(certificateText(newline)).toContain(String.raw`DNS:"a\n    DNS:b"`);
  });

  it("strings that their type does not allow are refused; TeletexString is never text", () => {
    const refusals: readonly (readonly [number, string])[] = [
      [Tag.printableString, "40"],
      [Tag.utf8String, "c3 28"],
      [Tag.utf8String, "c0 80"],
      [Tag.bmpString, "00"],
      [Tag.bmpString, "d8 00 dc 00"],
      [Tag.universalString, "00 00 00"],
      [Tag.ia5String, "e9"],
    ];
    for (const [tag, hex] of refusals) {
      expect(parsed(altered({ subject: nameWith(tag, bytes(hex)) })), hex).toBe("ERR_X509_NAME_STRING");
    }
    expect(() => parseCertificate(altered({ subject: nameWith(Tag.printableString, bytes("61 40")) }))).toThrow(
      `commonName: PrintableString (0x13) does not allow "@" (0x40) at position 1, only A-Z, a-z, 0-9, space and '()+,-./:=?; the tolerance nameString reads it`,
    );
    const teletex = parseCertificate(altered({ subject: nameWith(Tag.teletexString, bytes("e9")) }));
    expect(attributeValues(teletex.subject, "commonName")).toEqual([undefined]);
    expect(nameText(teletex.subject)).toBe("CN=#1401e9");
  });

  it("a dNSName beyond ASCII is refused", () => {
    expect(parsed(withExtensions(raw(subjectAltName, "30 06 82 04 c3 a9 2e 61")))).toBe("ERR_X509_MALFORMED");
  });

  it("iPAddress has 4 or 16 octets", () => {
    for (const octets of [0, 3, 5, 8, 15, 17, 32]) {
      const der = withExtensions(makeExtension(subjectAltName, [{ type: "iPAddress", value: new Uint8Array(octets) }]));
      expect(parsed(der), String(octets)).toBe("ERR_X509_GENERAL_NAME");
    }
  });

  it("masks of name constraints are contiguous and of the right size", () => {
    const constrained = (hex: string): string => {
      const value = {
        permittedSubtrees: [{ type: "iPAddress", value: bytes(hex) } as const],
        excludedSubtrees: undefined,
      };
      return parsed(withExtensions(makeExtension(nameConstraints, value)));
    };
    for (const mask of ["ff ff ff 00", "00 00 00 00", "ff ff ff ff", "ff fe 00 00", "80 00 00 00"]) {
      expect(constrained(`0a 00 00 00 ${mask}`), mask).toBe("accepted");
    }
    for (const mask of ["ff 00 ff 00", "00 00 00 01", "7f ff ff ff", "fd 00 00 00", "ff ff 00 01", "ff ff"]) {
      expect(constrained(`0a 00 00 00 ${mask}`), mask).toBe("ERR_X509_GENERAL_NAME");
    }
  });

  it("validity is read by RFC 5280's times only, with the pivot at 1950", () => {
    for (const [text, tag] of [
      ["2611230000Z", Tag.utcTime],
      ["261123000000+0000", Tag.utcTime],
      ["20261123000000.0Z", Tag.generalizedTime],
      ["20261123000000", Tag.generalizedTime],
    ] as const) {
      expect(parsed(altered({ validity: validityOf(text, tag) })), text).toBe("ERR_X509_MALFORMED");
    }
    expect(parseCertificate(altered({ validity: validityOf("500101000000Z") })).validity.notBefore).toBe(
      Date.UTC(1950, 0) / 1000,
    );
    expect(parseCertificate(altered({ validity: validityOf("490101000000Z") })).validity.notBefore).toBe(
      Date.UTC(2049, 0) / 1000,
    );
  });

  it("days and hours that do not exist are refused; second 60 is the next minute's first", () => {
    for (const text of ["250229000000Z", "251301000000Z", "250101240000Z", "250101006000Z", "250100000000Z"]) {
      expect(parsed(altered({ validity: validityOf(text) })), text).toBe("ERR_X509_MALFORMED");
    }
    expect(parseCertificate(altered({ validity: validityOf("161231235960Z") })).validity.notBefore).toBe(
      Date.UTC(2017, 0) / 1000,
    );
  });

  it("years under 100 and 9999 are read right", () => {
    const early = parseCertificate(altered({ validity: validityOf("00500101000000Z", Tag.generalizedTime) }));
    expect(early.validity.notBefore).toBe(Date.parse("0050-01-01T00:00:00Z") / 1000);
    expect(certificateText(early)).toContain("Not Before: Jan  1 00:00:00 0050 GMT");
    const late = parseCertificate(altered({ validity: validityOf("99991231235959Z", Tag.generalizedTime) }));
    expect(late.validity.notBefore).toBe(253_402_300_799);
  });

  it("object identifiers are compared as bytes, padded and giant ones refused", () => {
    const usage = makeExtension(keyUsage, ["digitalSignature"]);
    const padded = withRawExtensions((list) => {
      list.sequence((fields) => {
        fields.primitive(Tag.objectIdentifier, bytes("55 1d 80 0f"));
        fields.octetString(usage.value);
      });
    });
    expect(parsed(padded)).toBe("ERR_X509_MALFORMED");
    // 2.5.29.(2^32 + 15): keyUsage, were arcs cut to 32 bits.
    const overflowing = { ...usage, oid: bytes("55 1d 90 80 80 80 0f") };
    const certificate = parseCertificate(withExtensions(overflowing));
    expect(extensionValue(certificate, keyUsage)).toBeUndefined();
    const giant = withRawExtensions((list) => {
      list.sequence((fields) => {
        fields.primitive(Tag.objectIdentifier, new Uint8Array(1000).fill(1));
        fields.octetString(usage.value);
      });
    });
    expect(parsed(giant)).toBe("ERR_X509_MALFORMED");
  });

  it("deep nesting is not followed, and where a schema nests it is limited", () => {
    let nested: Uint8Array = bytes("05 00");
    for (let depth = 0; depth < 2000; depth++) {
      const inner = nested;
      nested = encodeDer((writer) => writer.primitive(Tag.sequence, inner));
    }
    // As an opaque value it is one value.
    expect(
      parsed(
        altered({
          signature: encodeDer((writer) =>
            writer.sequence((body) => {
              body.oid("1.2.3");
              body.encoded(nested);
            }),
          ),
        }),
      ),
    ).toBe("accepted");
    expect(parsed(nested)).toBe("ERR_X509_MALFORMED");
  });

  it("counts and sizes are limited", () => {
    const many = Array.from({ length: 257 }, (_, index) => ({
      oid: Uint8Array.of(0x2a, 0x81 + (index >> 7), index & 0x7f),
      critical: false,
      value: bytes("05 00"),
      valueOffset: 0,
    }));
    expect(parsed(withExtensions(...many.slice(0, 256)))).toBe("accepted");
    expect(parsed(withExtensions(...many))).toBe("ERR_X509_LIMIT");
    expect(parsed(new Uint8Array(1_048_577))).toBe("ERR_X509_SIZE");
    expect(() => parseCertificate(device.encoding, { maximumOctets: device.encoding.length - 1 })).toThrow(
      expect.objectContaining({ code: "ERR_X509_SIZE" }),
    );
  });

  it("every field is consumed: none may be missing, none repeated, none added", () => {
    const tbs = new DerReader(device.tbsCertificate).sequence();
    const fields: Uint8Array[] = [];
    while (!tbs.isAtEnd) fields.push(tbs.any().encoding);
    const wrap = (chosen: readonly Uint8Array[]): Uint8Array =>
      encodeDer((writer) => {
        writer.sequence((certificate) => {
          certificate.sequence((body) => {
            for (const field of chosen) body.encoded(field);
          });
          certificate.encoded(device.signatureAlgorithm.encoding);
          certificate.bitString(device.signatureValue);
        });
      });
    expect(parsed(wrap(fields))).toBe("accepted");
    for (let index = 0; index < fields.length; index++) {
      // Without its extensions the certificate is still one.
      const isOptional = index === fields.length - 1;
      expect(parsed(wrap(fields.toSpliced(index, 1))) === "accepted", `without field ${index}`).toBe(isOptional);
      expect(parsed(wrap(fields.toSpliced(index, 0, fields[index]!))), `field ${index} twice`).not.toBe("accepted");
    }
  });

  it("lists of version 1 with extensions, of version 3, and with encoded version 1 are refused", () => {
    const list = (version: Uint8Array | undefined, entryExtension: boolean, listExtension: boolean): Uint8Array =>
      encodeDer((writer) => {
        writer.sequence((outer) => {
          outer.sequence((body) => {
            if (version !== undefined) body.encoded(version);
            body.encoded(device.signatureAlgorithm.encoding);
            body.encoded(device.issuer.encoding);
            body.time(0);
            body.sequence((entries) => {
              entries.sequence((entry) => {
                entry.integer(1);
                entry.time(0);
                if (entryExtension) entry.encoded(bytes("30 0c 30 0a 06 03 55 1d 15 04 03 0a 01 01"));
              });
            });
            if (listExtension) body.encoded(bytes("a0 0e 30 0c 30 0a 06 03 55 1d 14 04 03 02 01 01"));
          });
          outer.encoded(device.signatureAlgorithm.encoding);
          outer.bitString(new Uint8Array(1));
        });
      });
    const code = (der: Uint8Array): unknown => {
      try {
        return parseCertificateRevocationList(der).version;
      } catch (error) {
        return error instanceof X509Error ? error.code : error;
      }
    };
    expect(code(list(undefined, false, false))).toBe(1);
    expect(code(list(bytes("02 01 01"), true, true))).toBe(2);
    expect(code(list(undefined, true, false))).toBe("ERR_X509_VERSION");
    expect(code(list(undefined, false, true))).toBe("ERR_X509_VERSION");
    expect(code(list(bytes("02 01 00"), false, false))).toBe("ERR_X509_VERSION");
    expect(code(list(bytes("02 01 02"), false, false))).toBe("ERR_X509_VERSION");
  });

  it("an empty issuer, and an empty subject beside a subjectAltName that is not critical, are refused", () => {
    const empty = makeName([]).encoding;
    expect(parsed(altered({ issuer: empty }))).toBe("ERR_X509_EMPTY_ISSUER");
    expect(parsed(altered({ subject: empty }))).toBe("ERR_X509_EMPTY_SUBJECT");
    expect(parsed(altered({ subject: empty, extensions: undefined }))).toBe("accepted");
  });

  it("attacker-named identifiers do not reach object keys", () => {
    const name = makeName([{ type: "commonName", value: "__proto__" }]);
    expect(attributeValues(name, "commonName")).toEqual(["__proto__"]);
    expect(({} as Record<string, unknown>)["CN"]).toBeUndefined();
    expect(() => makeName([{ type: "__proto__", value: "x" }])).toThrow(X509Error);
    expect(() => makeName([{ type: "constructor", value: "x" }])).toThrow(X509Error);
  });

  it("text in place of DER is told by its first octets", () => {
    const code = (...start: number[]): string => parsed(Uint8Array.of(...start, 0x30, 0));
    expect(code(0x2d, 0x2d)).toBe("ERR_X509_PEM_LABEL");
    expect(code(0xef, 0xbb, 0xbf)).toBe("ERR_X509_PEM_LABEL");
    expect(code(0xef, 0xba)).toBe("ERR_X509_MALFORMED");
    expect(code(0xee, 0xbb)).toBe("ERR_X509_MALFORMED");
  });

  it("PEM with text around, several blocks and CRLF is read; a wrong block is named", () => {
    const pem = certificateToPem(device).replaceAll("\n", "\r\n");
    expect(certificatesFromPem(`before\r\n${pem}between\r\n${pem}after`)).toHaveLength(2);
    expect(() => certificatesFromPem(`${pem}${pem.replace("MII", "M*I")}`)).toThrow(/PEM block 2/);
  });
});

/** Fields are views into the input, which is what the promise of no copies means. */
it("hands out views of one buffer", () => {
  const der = Uint8Array.from(device.encoding);
  const certificate: Certificate = parseCertificate(der);
  const views = [
    certificate.tbsCertificate,
    certificate.serialNumber,
    certificate.subject.encoding,
    certificate.subjectPublicKeyInfo.encoding,
    certificate.signatureValue,
    ...certificate.extensions.map(({ value }) => value),
  ];
  expect(views.every((view) => view.buffer === der.buffer)).toBe(true);
});
