/** Values on the edge of what is allowed: one further is refused, or means something else. */

import { describe, expect, it } from "vitest";
import {
  Asn1Error,
  decodeOid,
  decodeText,
  DerReader,
  encodeDer,
  encodeOid,
  equalBytes,
  malformedAt,
  Tag,
} from "../src/index.ts";

function hex(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, "hex"));
}

function refused(act: () => unknown): string {
  try {
    act();
    return "accepted";
  } catch (error) {
    if (error instanceof Asn1Error) return error.code;
    throw error;
  }
}

describe("numbers", () => {
  it("zero keeps its one octet, and a sign octet goes", () => {
    expect(new DerReader(hex("020100")).unsignedInteger()).toEqual(Uint8Array.of(0));
    expect(new DerReader(hex("02020080")).unsignedInteger()).toEqual(Uint8Array.of(0x80));
    // Also where more elements follow, or come before.
    const reader = new DerReader(hex("020101020100020101"));
    expect([1, 2, 3].map(() => reader.smallInteger(1))).toEqual([1, 0, 1]);
  });

  it("the greatest exact number is read, the next is over the range", () => {
    const greatest = encodeDer((writer) => writer.integer(Number.MAX_SAFE_INTEGER));
    expect(new DerReader(greatest).smallInteger(Number.MAX_SAFE_INTEGER)).toBe(Number.MAX_SAFE_INTEGER);
    expect(refused(() => new DerReader(hex("020720000000000000")).smallInteger(Number.MAX_SAFE_INTEGER))).toBe(
      "ERR_ASN1_INTEGER_RANGE",
    );
    expect(refused(() => new DerReader(hex("020103")).smallInteger(2))).toBe("ERR_ASN1_INTEGER_RANGE");
    expect(new DerReader(hex("020102")).smallInteger(2)).toBe(2);
  });

  it.each([0, 1, 127, 128, 255, 256, -1, -128, -129, 32_767, 32_768, -32_769])("%s comes back", (value) => {
    const content = new DerReader(encodeDer((writer) => writer.integer(value))).integer();
    expect(BigInt.asIntN(8 * content.length, BigInt(`0x${Buffer.from(content).toString("hex")}`))).toBe(BigInt(value));
  });
});

describe("nesting", () => {
  it("counts what is open at once, not what was opened", () => {
    const pair = hex("3000".repeat(40));
    const reader = new DerReader(pair, { maximumDepth: 1 });
    for (let index = 0; index < 40; index++) reader.leave(reader.enter());
    reader.end();
    expect(refused(() => new DerReader(hex("30023000"), { maximumDepth: 1 }).sequence().sequence())).toBe(
      "ERR_ASN1_DEPTH",
    );
    const entered = new DerReader(hex("30023000"), { maximumDepth: 1 });
    entered.enter();
    expect(refused(() => entered.enter())).toBe("ERR_ASN1_DEPTH");
  });

  it("leave refuses what was not read", () => {
    const reader = new DerReader(hex("30020500"));
    const outer = reader.enter();
    expect(refused(() => reader.leave(outer))).toBe("ERR_ASN1_TRAILING");
  });
});

describe("texts", () => {
  it.each([
    [Tag.universalString, "0010ffff", "\u{10ffff}"],
    [Tag.universalString, "00110000", undefined],
    [Tag.bmpString, "d7ff", "\ud7ff"],
    [Tag.bmpString, "d800", undefined],
    [Tag.bmpString, "dfff", undefined],
    [Tag.bmpString, "e000", "\ue000"],
    [Tag.ia5String, "7f", "\x7f"],
    [Tag.ia5String, "80", undefined],
    [Tag.visibleString, "1f", undefined],
    [Tag.visibleString, "7e", "~"],
    [Tag.visibleString, "7f", undefined],
  ])("of type %i with %s", (tag, octets, text) => {
    expect(decodeText(tag, hex(octets))).toBe(text);
  });

  it.each([63, 64, 65, 200])("of %i characters are read alike", (length) => {
    const text = "a".repeat(length);
    const octets = new TextEncoder().encode(text);
    for (const tag of [Tag.ia5String, Tag.printableString, Tag.utf8String, Tag.visibleString]) {
      expect(decodeText(tag, octets)).toBe(text);
    }
    const wrong = Uint8Array.from(octets);
    wrong[length - 1] = 0x80;
    for (const tag of [Tag.ia5String, Tag.printableString, Tag.utf8String, Tag.visibleString]) {
      expect(decodeText(tag, wrong)).toBeUndefined();
      expect(malformedAt(tag, wrong)).toBe(length - 1);
    }
  });

  it("a fault is found where the character starts", () => {
    expect(malformedAt(Tag.utf8String, hex("c3a4e282acf09f9880ff"))).toBe(9);
    expect(malformedAt(Tag.utf8String, hex("e282"))).toBe(0);
    expect(malformedAt(Tag.universalString, hex("0000006100110000"))).toBe(4);
    expect(malformedAt(Tag.utf8String, hex("6161"))).toBe(0);
  });
});

describe("times", () => {
  const time = (text: string): string => {
    const tag = text.length === 13 ? Tag.utcTime : Tag.generalizedTime;
    const content = new TextEncoder().encode(text);
    return refused(() => new DerReader(encodeDer((writer) => writer.primitive(tag, content))).time());
  };

  it.each(["261123000000X", "26112300000Z0", "261123000000z", "20261123000000+", "2026112300000/Z", "2026112300000:Z"])(
    "%s is refused",
    (text) => {
      expect(time(text)).toBe("ERR_ASN1_TIME");
    },
  );

  it.each([
    ["240229000000Z", "accepted"],
    ["230229000000Z", "ERR_ASN1_TIME"],
    ["20000229000000Z", "accepted"],
    ["19000229000000Z", "ERR_ASN1_TIME"],
    ["260431000000Z", "ERR_ASN1_TIME"],
    ["260630235960Z", "accepted"],
    ["260630235961Z", "ERR_ASN1_TIME"],
    ["260630236000Z", "ERR_ASN1_TIME"],
    ["260630240000Z", "ERR_ASN1_TIME"],
    ["261301000000Z", "ERR_ASN1_TIME"],
    ["260001000000Z", "ERR_ASN1_TIME"],
    ["260100000000Z", "ERR_ASN1_TIME"],
  ])("%s: %s", (text, expected) => {
    expect(time(text)).toBe(expected);
  });
});

describe("object identifiers", () => {
  it("of 128 octets are read, of 129 not", () => {
    expect(decodeOid(new Uint8Array(128).fill(1)).split(".")).toHaveLength(129);
    expect(refused(() => decodeOid(new Uint8Array(129).fill(1)))).toBe("ERR_ASN1_OID");
  });

  it.each(["0.0", "0.39", "1.39", "2.0", "2.39", "2.40", "2.47", "2.48", "2.999.127.128.16383.16384", "2.5.29.17"])(
    "%s comes back",
    (text) => {
      expect(decodeOid(encodeOid(text))).toBe(text);
    },
  );

  it.each(["0.40", "1.40", "3.1", "1", "1.", ".1", "1.02", "1..2", "a"])("%s is none", (text) => {
    expect(refused(() => encodeOid(text))).toBe("ERR_ASN1_VALUE");
  });
});

describe("lengths", () => {
  it.each([0, 1, 127, 128, 255, 256, 65_535, 65_536])("of %i octets are written and read", (length) => {
    const content = new Uint8Array(length).fill(7);
    const encoded = encodeDer((writer) => writer.octetString(content));
    const reader = new DerReader(encoded);
    expect(reader.octetString()).toEqual(content);
    expect(reader.isAtEnd).toBe(true);
    expect(encoded.length).toBe(length + (length < 128 ? 2 : length < 256 ? 3 : length < 65_536 ? 4 : 5));
  });

  it("bits that do not count are zero up to the last, and at most 7", () => {
    for (let unused = 0; unused < 8; unused++) {
      const bits = new DerReader(Uint8Array.of(3, 2, unused, 0x80)).bitString();
      expect(bits).toEqual({ bytes: Uint8Array.of(0x80), unusedBits: unused });
      if (unused > 0)
        expect(refused(() => new DerReader(Uint8Array.of(3, 2, unused, 1)).bitString())).toBe("ERR_ASN1_BIT_STRING");
    }
    expect(refused(() => new DerReader(Uint8Array.of(3, 2, 8, 0)).bitString())).toBe("ERR_ASN1_BIT_STRING");
    expect(refused(() => new DerReader(Uint8Array.of(3, 1, 1)).bitString())).toBe("ERR_ASN1_BIT_STRING");
    expect(new DerReader(Uint8Array.of(3, 1, 0)).bitString().bytes.length).toBe(0);
  });
});

it("octets are equal only where each of them is and none is missing", () => {
  expect(equalBytes(hex("0102"), hex("0102"))).toBe(true);
  expect(equalBytes(hex(""), hex(""))).toBe(true);
  for (const other of ["0103", "0202", "01", "010200", ""])
    expect(equalBytes(hex("0102"), hex(other)), other).toBe(false);
});
