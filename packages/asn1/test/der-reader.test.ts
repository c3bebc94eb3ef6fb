import { execFileSync } from "node:child_process";
import { growthOf } from "@latchkey/tooling-vitest/cpu-time";
import { findProgram } from "@latchkey/tooling-vitest/programs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Asn1Error, decodeOid, DerReader, type DerWriter, encodeDer, encodeOid, Tag } from "../src/index.ts";

const openssl = findProgram("openssl");

function bytes(hex: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(Buffer.from(hex.replaceAll(" ", ""), "hex"));
}

function hexOf(octets: Uint8Array): string {
  return Buffer.from(octets).toString("hex");
}

/** The code and offset that reading ends in, or the value. */
function attempt(hex: string, read: (reader: DerReader) => unknown): unknown {
  try {
    return read(new DerReader(bytes(hex)));
  } catch (error) {
    if (error instanceof Asn1Error) return `${error.code}@${error.offset}`;
    throw error;
  }
}

/** Reads everything as any DER could be read: by what the tags say. */
function walk(reader: DerReader): number {
  let count = 0;
  while (!reader.isAtEnd) {
    count++;
    const [tag = 0] = reader.rest;
    if (tag !== 0 && (tag & 0x20) !== 0) count += walk(reader.sequence(tag));
    else if (tag === Tag.boolean) reader.boolean();
    else if (tag === Tag.integer) reader.integer();
    else if (tag === Tag.bitString) reader.bitString();
    else if (tag === Tag.null) reader.null();
    else if (tag === Tag.objectIdentifier) decodeOid(reader.oid());
    else if (tag === Tag.utcTime || tag === Tag.generalizedTime) reader.time();
    else reader.any();
  }
  return count;
}

describe("strict DER", () => {
  it.each([
    // Indefinite lengths, which DER forbids (X.690 §10.1).
    ["30 80 00 00", "ERR_ASN1_INDEFINITE_LENGTH@0"],
    // Lengths in more octets than needed (X.690 §10.1), longer than the input, or in more than four octets.
    ["30 81 00", "ERR_ASN1_LENGTH@0"],
    ["30 81 7f", "ERR_ASN1_LENGTH@0"],
    ["30 82 00 80", "ERR_ASN1_LENGTH@0"],
    ["30 85 01 00 00 00 00", "ERR_ASN1_LENGTH@0"],
    ["30 84 ff ff ff ff", "ERR_ASN1_TRUNCATED@0"],
    ["30 84 80 00 00 00", "ERR_ASN1_TRUNCATED@0"],
    ["30 89 01 00 00 00 00 00 00 00 02", "ERR_ASN1_LENGTH@0"],
    ["30 03 02 01", "ERR_ASN1_TRUNCATED@0"],
    ["30", "ERR_ASN1_TRUNCATED@0"],
    ["30 82 01", "ERR_ASN1_TRUNCATED@0"],
    ["", "ERR_ASN1_TRUNCATED@0"],
    // Tags of another class, and in the high-tag-number form.
    ["70 00", "ERR_ASN1_TAG@0"],
    ["3f 81 00 00", "ERR_ASN1_TAG@0"],
  ])("refuses %s as a SEQUENCE with %s", (hex, expected) => {
    expect(attempt(hex, (reader) => reader.sequence())).toBe(expected);
  });

  it.each([
    ["1f 81 00 00", "ERR_ASN1_HIGH_TAG@0"],
    ["bf 81 00 00", "ERR_ASN1_HIGH_TAG@0"],
    ["00 00", "ERR_ASN1_TAG@0"],
    ["24 00", "ERR_ASN1_TAG@0"],
    ["33 00", "ERR_ASN1_TAG@0"],
    ["10 00", "ERR_ASN1_TAG@0"],
  ])("refuses %s as an element of any type with %s", (hex, expected) => {
    expect(attempt(hex, (reader) => reader.any())).toBe(expected);
  });

  it("refuses constructed strings where a schema asks for a string", () => {
    expect(attempt("24 04 04 02 01 02", (reader) => reader.octetString())).toBe("ERR_ASN1_TAG@0");
    expect(attempt("23 04 03 02 00 01", (reader) => reader.bitString())).toBe("ERR_ASN1_TAG@0");
    expect(attempt("2c 02 0c 00", (reader) => reader.text(Tag.utf8String))).toBe("ERR_ASN1_TAG@0");
  });

  it.each([
    ["02 00", "ERR_ASN1_INTEGER@0"],
    ["02 02 00 7f", "ERR_ASN1_INTEGER@0"],
    ["02 02 ff 80", "ERR_ASN1_INTEGER@0"],
    ["02 02 00 00", "ERR_ASN1_INTEGER@0"],
  ])("refuses the INTEGER %s", (hex, expected) => {
    expect(attempt(hex, (reader) => reader.integer())).toBe(expected);
  });

  it("keeps a negative INTEGER's octets and refuses it as unsigned", () => {
    expect(attempt("02 01 80", (reader) => hexOf(reader.integer()))).toBe("80");
    expect(attempt("02 01 80", (reader) => reader.unsignedInteger())).toBe("ERR_ASN1_INTEGER@0");
    expect(attempt("02 02 00 80", (reader) => hexOf(reader.unsignedInteger()))).toBe("80");
    expect(attempt("02 02 01 00", (reader) => reader.smallInteger(255))).toBe("ERR_ASN1_INTEGER_RANGE@0");
    expect(attempt("02 01 7f", (reader) => reader.smallInteger(255))).toBe(127);
  });

  it("refuses trailing data", () => {
    const read = (reader: DerReader): void => {
      const sequence = reader.sequence();
      sequence.null();
      sequence.end();
      reader.end();
    };
    expect(attempt("30 02 05 00", read)).toBeUndefined();
    expect(attempt("30 04 05 00 05 00", read)).toBe("ERR_ASN1_TRAILING@4");
    expect(attempt("30 02 05 00 00", read)).toBe("ERR_ASN1_TRAILING@4");
  });

  it.each([
    ["01 01 01", "ERR_ASN1_BOOLEAN@0"],
    ["01 00", "ERR_ASN1_BOOLEAN@0"],
    ["01 02 ff ff", "ERR_ASN1_BOOLEAN@0"],
    ["01 01 00", "ERR_ASN1_DEFAULT_ENCODED@0"],
    ["01 01 ff", true],
    ["", false],
    ["05 00", false],
  ])("reads %s as BOOLEAN DEFAULT FALSE: %s", (hex, expected) => {
    expect(attempt(hex, (reader) => reader.booleanDefaultFalse())).toBe(expected);
  });

  it.each([
    ["03 00", "ERR_ASN1_BIT_STRING@0"],
    ["03 01 01", "ERR_ASN1_BIT_STRING@0"],
    ["03 02 08 00", "ERR_ASN1_BIT_STRING@0"],
    ["03 02 01 01", "ERR_ASN1_BIT_STRING@0"],
  ])("refuses the BIT STRING %s", (hex, expected) => {
    expect(attempt(hex, (reader) => reader.bitString())).toBe(expected);
  });

  it("refuses unused bits in keys and signatures, and takes trailing zeros in named bits", () => {
    expect(attempt("03 02 01 02", (reader) => reader.octetAlignedBitString())).toBe("ERR_ASN1_BIT_STRING@0");
    expect(attempt("03 02 06 80", (reader) => reader.namedBits())).toBe(1);
    expect(attempt("03 02 07 80", (reader) => reader.namedBits())).toBe(1);
    expect(attempt("03 03 07 00 80", (reader) => reader.namedBits())).toBe(256);
    expect(attempt("03 01 00", (reader) => reader.namedBits())).toBe(0);
  });

  it.each([
    ["06 00", "ERR_ASN1_OID@0"],
    ["06 02 80 01", "ERR_ASN1_OID@0"],
    ["06 03 2a 80 01", "ERR_ASN1_OID@0"],
    ["06 02 2a 81", "ERR_ASN1_OID@0"],
    [`06 81 81 ${"01".repeat(129)}`, "ERR_ASN1_OID@0"],
    ["06 03 55 1d 11", "2.5.29.17"],
    ["06 02 88 37", "2.999"],
    // A first arc of 2 and a second that overflows 64 bits.
    ["06 0a a0 80 80 80 80 80 80 80 80 00", "2.295147905179352825776"],
  ])("reads the OBJECT IDENTIFIER %s as %s", (hex, expected) => {
    expect(attempt(hex, (reader) => decodeOid(reader.oid()))).toBe(expected);
  });

  it("refuses a NULL with content", () => {
    expect(attempt("05 01 00", (reader) => reader.null())).toBe("ERR_ASN1_NULL@0");
  });

  it.each([
    [Tag.printableString, "2a", false],
    [Tag.printableString, "40", false],
    [Tag.printableString, "00", false],
    [Tag.printableString, Buffer.from("Az09 '()+,-./:=?").toString("hex"), true],
    [Tag.numericString, "61", false],
    [Tag.ia5String, "80", false],
    [Tag.visibleString, "0a", false],
    [Tag.utf8String, "c0 80", false],
    [Tag.utf8String, "ed a0 80", false],
    [Tag.utf8String, "f4 90 80 80", false],
    [Tag.utf8String, "ef bb bf 41", true],
    [Tag.bmpString, "00", false],
    [Tag.bmpString, "d8 00", false],
    [Tag.universalString, "00 11 00 00", false],
    [Tag.universalString, "00 01 d4 00", true],
    [Tag.teletexString, "41", false],
  ])("reads a string of type %i with %s: %s", (tag, hex, isValid) => {
    const content = bytes(hex);
    const encoding = encodeDer((writer) => writer.primitive(tag, content));
    const result = attempt(hexOf(encoding), (reader) => reader.text(tag));
    if (isValid) expect(result).toHaveLength(tag === Tag.universalString ? 2 : content.length > 4 ? content.length : 2);
    else expect(result).toBe("ERR_ASN1_STRING@0");
  });

  it("counts offsets from the outermost bytes and from the base offset", () => {
    const reader = new DerReader(bytes("30 05 30 03 01 01 02"), { baseOffset: 100 });
    const inner = reader.sequence().sequence();
    expect(() => inner.boolean()).toThrow(expect.objectContaining({ code: "ERR_ASN1_BOOLEAN", offset: 104 }));
  });

  it("hands out views, not copies", () => {
    const input = bytes("30 04 04 02 01 02");
    const view = new DerReader(input).sequence().octetString();
    expect(view.buffer).toBe(input.buffer);
    expect(view.byteOffset).toBe(4);
  });
});

describe("limits", () => {
  it("stops at the depth limit, default 32, with the offset", () => {
    let encoding = bytes("0500");
    for (let depth = 0; depth < 5000; depth++) {
      const inner = encoding;
      encoding = encodeDer((writer) => writer.primitive(Tag.sequence, inner));
    }
    expect(() => walk(new DerReader(encoding))).toThrow(expect.objectContaining({ code: "ERR_ASN1_DEPTH" }));
    const nested = bytes("30 04 30 02 30 00");
    expect(walk(new DerReader(nested, { maximumDepth: 3 }))).toBe(3);
    expect(() => walk(new DerReader(nested, { maximumDepth: 2 }))).toThrow(
      expect.objectContaining({ code: "ERR_ASN1_DEPTH", offset: 4 }),
    );
  });

  it("stops at the element limit", () => {
    const many = encodeDer((writer) =>
      writer.sequence((body) => {
        for (let index = 0; index < 100; index++) body.null();
      }),
    );
    expect(walk(new DerReader(many, { maximumElements: 101 }))).toBe(101);
    expect(() => walk(new DerReader(many, { maximumElements: 100 }))).toThrow(
      expect.objectContaining({ code: "ERR_ASN1_ELEMENTS", offset: 3 + 2 * 99 }),
    );
  });

  it("takes time linear in the input", () => {
    const walkOf = (elements: number): (() => void) => {
      const input = encodeDer((writer) =>
        writer.sequence((body) => {
          for (let index = 0; index < elements; index++) body.integer(index);
        }),
      );
      return () => void walk(new DerReader(input));
    };
    // Eight times the input: 8 is linear, 64 quadratic.
    expect(growthOf(walkOf(20_000), walkOf(160_000), 24)).toBeLessThan(24);
  });
});

describe("any bytes", () => {
  it("are read to the end or refused with an Asn1Error", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (input) => {
        try {
          walk(new DerReader(input));
        } catch (error) {
          expect(error).toBeInstanceOf(Asn1Error);
        }
      }),
    );
  });

  it("that are cut off are refused at every length", () => {
    const whole = encodeDer((writer) =>
      writer.sequence((body) => {
        body.integer(1000);
        body.explicit(0, (inner) => inner.utf8String("name"));
        body.oid("2.5.29.17");
        body.time(0);
      }),
    );
    expect(walk(new DerReader(whole))).toBe(6);
    for (let length = 1; length < whole.length; length++) {
      expect(() => walk(new DerReader(whole.subarray(0, length)))).toThrow(
        expect.objectContaining({ code: "ERR_ASN1_TRUNCATED" }),
      );
    }
  });
});

describe("the writer", () => {
  it("writes what the reader reads back", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: Number.MIN_SAFE_INTEGER, max: Number.MAX_SAFE_INTEGER }),
        fc.uint8Array({ maxLength: 300 }),
        fc.string({ unit: "grapheme", maxLength: 200 }),
        fc.nat({ max: 0x7fff_ffff }),
        (number, octets, text, bits) => {
          const encoding = encodeDer((writer) =>
            writer.sequence((body) => {
              body.integer(number);
              body.unsignedInteger(octets);
              body.octetString(octets, 0x81);
              body.bitString(octets);
              body.namedBits(bits);
              body.explicit(3, (inner) => inner.utf8String(text));
              body.booleanDefaultFalse(false);
              body.booleanDefaultFalse(true);
            }),
          );
          const outer = new DerReader(encoding);
          const reader = outer.sequence();
          outer.end();
          const content = reader.integer();
          expect(BigInt.asIntN(content.length * 8, BigInt(`0x${hexOf(content)}`))).toBe(BigInt(number));
          const magnitude = reader.unsignedInteger();
          expect(BigInt(`0x0${hexOf(magnitude)}`)).toBe(BigInt(`0x0${hexOf(octets)}`));
          expect(hexOf(reader.octetString(0x81))).toBe(hexOf(octets));
          expect(hexOf(reader.octetAlignedBitString())).toBe(hexOf(octets));
          expect(reader.namedBits()).toBe(bits);
          expect(reader.explicit(3).text(Tag.utf8String)).toBe(text);
          expect(reader.booleanDefaultFalse()).toBe(true);
          reader.end();
        },
      ),
    );
  });

  it.each([0, 1, 127, 128, 255, 256, -1, -128, -129, -256, 65_535, 2 ** 40, -(2 ** 40), Number.MAX_SAFE_INTEGER])(
    "writes the INTEGER %i minimal",
    (value) => {
      const content = new DerReader(encodeDer((writer) => writer.integer(value))).integer();
      expect(Number(BigInt.asIntN(content.length * 8, BigInt(`0x${hexOf(content)}`)))).toBe(value);
    },
  );

  it("writes SET OF in ascending order", () => {
    const elements = ["020102", "020101", "0400", "02020100"].map(bytes);
    expect(hexOf(encodeDer((writer) => writer.setOf(elements)))).toBe("310c0201010201020202010004" + "00");
  });

  it("writes object identifiers that read back as the same text", () => {
    const arc = fc.bigInt({ min: 0n, max: 2n ** 80n });
    fc.assert(
      fc.property(fc.nat({ max: 2 }), fc.nat({ max: 39 }), fc.array(arc, { maxLength: 6 }), (root, second, others) => {
        const text = [root, second, ...others].join(".");
        expect(decodeOid(encodeOid(text))).toBe(text);
      }),
    );
    for (const text of ["", "1", "3.1", "1.40", "01.2", "1.2.", "1..2", "1.2.x", "-1.2"]) {
      expect(() => encodeOid(text), text).toThrow(expect.objectContaining({ code: "ERR_ASN1_VALUE" }));
    }
  });

  it("refuses values that have no encoding", () => {
    const refusals: ((writer: DerWriter) => void)[] = [
      (writer) => writer.integer(0.5),
      (writer) => writer.integer(Uint8Array.of(0, 1)),
      (writer) => writer.integer(new Uint8Array(0)),
      (writer) => writer.bitString(Uint8Array.of(1), 1),
      (writer) => writer.bitString(new Uint8Array(0), 1),
      (writer) => writer.printableString("a@b"),
      (writer) => writer.ia5String("é"),
      (writer) => writer.utf8String("\ud800"),
    ];
    for (const refusal of refusals) {
      expect(() => encodeDer((writer) => refusal(writer))).toThrow(expect.objectContaining({ code: "ERR_ASN1_VALUE" }));
    }
  });

  it.skipIf(openssl.path === undefined)(
    openssl.path === undefined ? openssl.skipReason : "is read by openssl asn1parse",
    () => {
      const encoding = encodeDer((writer) =>
        writer.sequence((body) => {
          body.integer(-129);
          body.oid("1.2.840.10045.4.3.2");
          body.time(Date.UTC(2026, 10, 23) / 1000);
          body.time(Date.UTC(2051, 10, 23) / 1000);
          body.bitString(Uint8Array.of(0x80), 7);
          body.utf8String("näme");
          body.octetString(new Uint8Array(70_000));
          body.boolean(true);
        }),
      );
      const text = execFileSync(openssl.path ?? "", ["asn1parse", "-inform", "DER"], {
        input: encoding,
        encoding: "utf8",
      });
      const kinds = text
        .split("\n")
        .flatMap(
          (line) => /: ([A-Z]+ ?[A-Z]*[0-9]*[A-Z]*) +(?::(.{1,20}))?/.exec(line)?.slice(1, 3).join(" ").trim() ?? [],
        );
      expect(kinds[0]).toContain("SEQUENCE");
      expect(text).toContain("INTEGER           :-81");
      expect(text).toContain("ecdsa-with-SHA256");
      expect(text).toContain("UTCTIME           :261123000000Z");
      expect(text).toContain("GENERALIZEDTIME   :20511123000000Z");
      expect(text).toContain("BOOLEAN           :255");
    },
  );
});
