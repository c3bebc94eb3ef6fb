/** The evidence of each error as fields, and the words that a reader mends the input by. */

import { describe, expect, expectTypeOf, it } from "vitest";
import { Asn1Error, type Asn1ErrorCode, DerReader, encodeDer, Tag } from "../src/index.ts";

function refusal(act: () => unknown): Asn1Error {
  try {
    act();
  } catch (error) {
    if (error instanceof Asn1Error) return error;
    throw error;
  }
  throw new Error("accepted");
}

function read(hex: string, act: (reader: DerReader) => unknown): Asn1Error {
  return refusal(() => act(new DerReader(new Uint8Array(Buffer.from(hex, "hex")))));
}

const sequence = (reader: DerReader): unknown => reader.sequence();

describe("evidence", () => {
  it.each<[string, string, (reader: DerReader) => unknown, Asn1ErrorCode, object]>([
    ["octets missing", "3082020000", sequence, "ERR_ASN1_TRUNCATED", { announced: 512, present: 1, offset: 0 }],
    ["length octets missing", "308201", sequence, "ERR_ASN1_TRUNCATED", { announced: 2, present: 1 }],
    ["nothing", "", sequence, "ERR_ASN1_TRUNCATED", { announced: 0, present: 0 }],
    ["another type", "0400", sequence, "ERR_ASN1_TAG", { found: 0x04, expected: 0x30 }],
    ["a tag that DER lacks", "2400", (reader) => reader.any(), "ERR_ASN1_TAG", { found: 0x24, expected: undefined }],
    ["a high tag", "1f8101", (reader) => reader.any(), "ERR_ASN1_HIGH_TAG", { found: 0x1f }],
    ["a padded length", "308101", sequence, "ERR_ASN1_LENGTH", { problem: "not minimal", octets: 1 }],
    ["a long length", "30850000000001", sequence, "ERR_ASN1_LENGTH", { problem: "over 4 octets", octets: 5 }],
    ["a lax BOOLEAN", "010101", (reader) => reader.boolean(), "ERR_ASN1_BOOLEAN", { found: [1], octets: 1 }],
    ["a wide BOOLEAN", "01020000", (reader) => reader.boolean(), "ERR_ASN1_BOOLEAN", { found: [0, 0], octets: 2 }],
    ["a padded INTEGER", "02020001", (reader) => reader.integer(), "ERR_ASN1_INTEGER", { problem: "not minimal" }],
    ["an empty INTEGER", "0200", (reader) => reader.integer(), "ERR_ASN1_INTEGER", { problem: "empty" }],
    ["a negative one", "0201ff", (reader) => reader.unsignedInteger(), "ERR_ASN1_INTEGER", { problem: "negative" }],
    [
      "a great one",
      "02020100",
      (reader) => reader.smallInteger(255),
      "ERR_ASN1_INTEGER_RANGE",
      { found: 256, octets: 2, limit: 255 },
    ],
    [
      "one beyond exact numbers",
      "020820000000000000ff",
      (reader) => reader.smallInteger(255),
      "ERR_ASN1_INTEGER_RANGE",
      { found: undefined, octets: 8, limit: 255 },
    ],
    ["no bits at all", "0300", (reader) => reader.bitString(), "ERR_ASN1_BIT_STRING", { problem: "empty" }],
    [
      "bits that should be zero",
      "03020101",
      (reader) => reader.bitString(),
      "ERR_ASN1_BIT_STRING",
      { problem: "unused bits" },
    ],
    [
      "bits where octets belong",
      "03020100",
      (reader) => reader.octetAlignedBitString(),
      "ERR_ASN1_BIT_STRING",
      { problem: "not whole octets" },
    ],
    ["a full NULL", "050100", (reader) => reader.null(), "ERR_ASN1_NULL", { octets: 1 }],
    ["no arcs", "0600", (reader) => reader.oid(), "ERR_ASN1_OID", { problem: "empty", octets: 0, limit: 128 }],
    [
      "half an arc",
      "060155ff".replace("0155", "0255"),
      (reader) => reader.oid(),
      "ERR_ASN1_OID",
      { problem: "ends within an arc" },
    ],
    ["a padded arc", "0603558001", (reader) => reader.oid(), "ERR_ASN1_OID", { problem: "padded arc" }],
    [
      "many arcs",
      `068181${"01".repeat(129)}`,
      (reader) => reader.oid(),
      "ERR_ASN1_OID",
      { problem: "too long", octets: 129 },
    ],
    [
      "a time with an offset",
      `1711${Buffer.from("2611230000+0000").toString("hex")}3030`,
      (reader) => reader.time(),
      "ERR_ASN1_TIME",
      { found: "2611230000+000000", expected: "YYMMDDHHMMSSZ" },
    ],
    [
      "more than was asked for",
      "05000500",
      (reader) => (reader.null(), reader.end()),
      "ERR_ASN1_TRAILING",
      { octets: 2, offset: 2 },
    ],
    [
      "an underscore",
      "1303615f62",
      (reader) => reader.text(Tag.printableString),
      "ERR_ASN1_STRING",
      { type: "PrintableString (0x13)", octet: 0x5f, position: 1 },
    ],
    [
      "half a character",
      "0c0461c3a4c3",
      (reader) => reader.text(Tag.utf8String),
      "ERR_ASN1_STRING",
      { octet: 0xc3, position: 3 },
    ],
    [
      "half of a wide character",
      "1e0300610a",
      (reader) => reader.text(Tag.bmpString),
      "ERR_ASN1_STRING",
      { octet: 0x0a, position: 2 },
    ],
  ])("%s", (_, hex, act, code, evidence) => {
    expect(read(hex, act)).toMatchObject({ code, ...evidence });
  });

  it("of the limits is the limit", () => {
    expect(refusal(() => new DerReader(new Uint8Array([0x30, 0]), { maximumDepth: 0 }).sequence())).toMatchObject({
      code: "ERR_ASN1_DEPTH",
      limit: 0,
    });
    const two = new DerReader(Uint8Array.of(5, 0, 5, 0), { maximumElements: 1 });
    two.null();
    expect(refusal(() => two.null())).toMatchObject({ code: "ERR_ASN1_ELEMENTS", limit: 1, offset: 2 });
  });

  it("narrows by the code", () => {
    const error = read("3082020000", sequence);
    if (error.code === "ERR_ASN1_TRUNCATED") expectTypeOf(error.announced).toEqualTypeOf<number>();
    if (error.code === "ERR_ASN1_NULL") expectTypeOf(error).not.toHaveProperty("announced");
    expect(error).toBeInstanceOf(Error);
    expect(String(error)).toMatch(/^Asn1Error: /);
  });
});

describe("words", () => {
  it("say what was found, what belongs there, and an offset only where it says something", () => {
    expect(read("3082020000", sequence).message).toBe("SEQUENCE (0x30) is cut off: 512 octets announced, 1 present");
    expect(read("0400", sequence).message).toBe("OCTET STRING (0x04) where SEQUENCE (0x30) belongs");
    expect(read("0500a500", (reader) => (reader.null(), reader.sequence(0xa0))).message).toBe(
      "[5] (0xa5) where [0] (0xa0) belongs (at offset 2)",
    );
    // The private class has no short form of its own.
    expect(read("c000", sequence).message).toBe("0xc0 where SEQUENCE (0x30) belongs");
    expect(read("8000", sequence).message).toBe("[0] (0x80) where SEQUENCE (0x30) belongs");
    // The number of the high-tag form stands in the octets behind.
    expect(read("bf0100", sequence).message).toBe("0xbf where SEQUENCE (0x30) belongs");
    expect(refusal(() => encodeDer((writer) => writer.printableString("A & B"))).message).toBe(
      `PrintableString (0x13) does not allow "&", only A-Z, a-z, 0-9, space and '()+,-./:=?`,
    );
  });

  it("name the character of a string, where it is visible, and what its type allows", () => {
    const fault = (tag: number, hex: string): string => {
      const content = Buffer.from(hex, "hex");
      const der = Uint8Array.of(tag, content.length, ...content);
      return refusal(() => new DerReader(der).text(tag)).message;
    };
    expect(fault(Tag.printableString, "61406200")).toBe(
      `PrintableString (0x13) does not allow "@" (0x40) at position 1, only A-Z, a-z, 0-9, space and '()+,-./:=?`,
    );
    expect(fault(Tag.printableString, "22")).toContain(String.raw`does not allow "\"" (0x22) at position 0,`);
    expect(fault(Tag.numericString, "317a")).toMatch(/does not allow "z" \(0x7a\) at position 1, only 0-9 and space$/);
    expect(fault(Tag.ia5String, "61e9")).toMatch(/does not allow octet 0xe9 at position 1, only ASCII$/);
    expect(fault(Tag.visibleString, "0a")).toMatch(/octet 0x0a at position 0, only visible ASCII and space$/);
    expect(fault(Tag.visibleString, "7f")).toMatch(/octet 0x7f at position 0, only visible ASCII and space$/);
    expect(fault(Tag.utf8String, "61c328")).toMatch(/octet 0xc3 at position 1, only well-formed UTF-8$/);
    expect(fault(Tag.bmpString, "0061d800")).toMatch(
      /octet 0xd8 at position 2, only characters of two octets, no surro/,
    );
    expect(fault(Tag.universalString, "000061")).toMatch(/octet 0x00 at position 0, only characters of four octets$/);
  });
});

describe("tolerances", () => {
  it("read on where the options say so, and name the place", () => {
    const asked: [string, number][] = [];
    const tolerate = (name: string, offset: number): boolean => asked.push([name, offset]) > 0;
    const reader = new DerReader(Uint8Array.of(1, 1, 1, 1, 1, 0, 1, 1, 0x80), { tolerate, baseOffset: 10 });
    expect(reader.boolean()).toBe(true);
    expect(reader.booleanDefaultFalse()).toBe(false);
    expect(reader.booleanDefaultFalse()).toBe(true);
    expect(asked).toEqual([
      ["booleanTrue", 10],
      ["defaultWrittenOut", 13],
      ["booleanTrue", 16],
    ]);
  });

  it("reach every reader of the input, and never a BOOLEAN of another width", () => {
    const nested = new DerReader(Uint8Array.of(0x30, 3, 1, 1, 7), { tolerate: () => true });
    expect(nested.sequence().boolean()).toBe(true);
    for (const content of [[], [1, 1], [0, 0]]) {
      const reader = new DerReader(Uint8Array.of(1, content.length, ...content), { tolerate: () => true });
      expect(refusal(() => reader.boolean()).code).toBe("ERR_ASN1_BOOLEAN");
    }
  });

  it("are refused where the options refuse them", () => {
    const reader = new DerReader(Uint8Array.of(1, 1, 1), { tolerate: () => false });
    expect(refusal(() => reader.boolean()).code).toBe("ERR_ASN1_BOOLEAN");
  });
});
