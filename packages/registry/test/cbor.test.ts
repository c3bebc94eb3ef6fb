import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { readCbor, writeCbor, type CborValue } from "../src/cbor.ts";

const octetsOf = (hex: string): Uint8Array => Uint8Array.from(Buffer.from(hex, "hex"));
const hexOf = (octets: Uint8Array): string => Buffer.from(octets).toString("hex");

// RFC 8949, Appendix A. The third: whether it is the form that is written.
const examples: [string, unknown, boolean][] = [
  ["00", 0, true],
  ["01", 1, true],
  ["0a", 10, true],
  ["17", 23, true],
  ["1818", 24, true],
  ["1819", 25, true],
  ["1864", 100, true],
  ["1903e8", 1000, true],
  ["1a000f4240", 1_000_000, true],
  ["1b000000e8d4a51000", 1_000_000_000_000, false],
  ["20", -1, false],
  ["29", -10, false],
  ["3863", -100, false],
  ["3903e7", -1000, false],
  ["f4", false, false],
  ["f5", true, false],
  ["f6", null, false],
  ["f7", undefined, false],
  ["60", "", true],
  ["6161", "a", true],
  ["6449455446", "IETF", true],
  ["62225c", '"\\', true],
  ["62c3bc", "\u00fc", true],
  ["63e6b0b4", "\u6c34", true],
  ["64f0908591", "\u{10151}", true],
  ["80", [], false],
  ["83010203", [1, 2, 3], false],
  ["8301820203820405", [1, [2, 3], [4, 5]], false],
  ["a0", {}, true],
  ["a26161016162820203", { a: 1, b: [2, 3] }, false],
  ["826161a161626163", ["a", { b: "c" }], false],
  ["a56161614161626142616361436164614461656145", { a: "A", b: "B", c: "C", d: "D", e: "E" }, true],
  ["7f657374726561646d696e67ff", "streaming", false],
  ["9fff", [], false],
  ["9f018202039f0405ffff", [1, [2, 3], [4, 5]], false],
  ["bf61610161629f0203ffff", { a: 1, b: [2, 3] }, false],
  ["826161bf61626163ff", ["a", { b: "c" }], false],
  ["bf6346756ef563416d7421ff", { Fun: true, Amt: -2 }, false],
];

describe("the examples of RFC 8949", () => {
  test.each(examples)("%s", (hex, value, isWritten) => {
    expect(readCbor(octetsOf(hex))).toEqual({ value });
    if (isWritten) expect(hexOf(writeCbor(value as CborValue))).toBe(hex);
    for (let length = 0; length < hex.length / 2; length++) {
      expect(readCbor(octetsOf(hex).subarray(0, length))).toBeUndefined();
    }
    expect(readCbor(octetsOf(`${hex}00`))).toBeUndefined();
  });

  test.each([
    ["1bffffffffffffffff", "a number that JavaScript has not"],
    ["f93c00", "a floating point number"],
    ["fb3ff199999999999a", "a floating point number"],
    ["c11a514b67b0", "a tag"],
    ["4401020304", "octets"],
    ["f0", "an unassigned simple value"],
    ["f818", "a simple value in two octets"],
    ["a201020304", "numbers as keys"],
  ])("%s: %s is not read", (hex) => {
    expect(readCbor(octetsOf(hex))).toBeUndefined();
  });
});

describe("what is malformed is refused", () => {
  test.each([
    ["a reserved length", "1c"],
    ["a break without a beginning", "ff"],
    ["a text that is no UTF-8", "61ff"],
    ["a character cut by the pieces of a text", "7f61c361bcff"],
    ["a piece of indefinite length", "7f7f6161ffff"],
    ["a number as a piece of a text", "7f01ff"],
    ["a key twice", "a2616101616102"],
    ["a key without a value", "bf6161ff"],
    ["a length beyond the end", "7affffffff61"],
    ["more entries than octets", "9affffffff01"],
    ["a number of indefinite length", "1f"],
  ])("%s", (_, hex) => {
    expect(readCbor(octetsOf(hex))).toBeUndefined();
  });

  test("lists deeper than eight, of whatever length", () => {
    const nested = (depth: number): Uint8Array => Uint8Array.from([...Array.from({ length: depth }, () => 0x81), 0]);
    expect(readCbor(nested(8))).toBeDefined();
    expect(readCbor(nested(9))).toBeUndefined();
    expect(readCbor(nested(100_000))).toBeUndefined();
    expect(readCbor(new Uint8Array(100_000).fill(0x9f))).toBeUndefined();
  });

  test("any octets are a value or none, and nothing is thrown", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (octets) => {
        readCbor(octets);
      }),
      { numRuns: 2000 },
    );
  });
});

test("what is written is read as it was", () => {
  const name = fc.string({ unit: "grapheme", maxLength: 30 });
  const { value } = fc.letrec<{ value: CborValue }>((tie) => ({
    value: fc.oneof(
      { maxDepth: 4 },
      fc.string({ unit: "grapheme", maxLength: 300 }),
      fc.integer({ min: 0, max: 0xffff_ffff }),
      fc.dictionary(name, tie("value"), { maxKeys: 30 }),
    ),
  }));
  fc.assert(
    fc.property(value, (given) => {
      expect(readCbor(writeCbor(given))).toEqual({ value: given });
    }),
    { numRuns: 300 },
  );
  expect(readCbor(writeCbor({ a: undefined, b: "x".repeat(70_000) }))).toEqual({ value: { b: "x".repeat(70_000) } });
  expect(readCbor(writeCbor(JSON.parse('{"__proto__":"own"}')))?.value).toEqual(JSON.parse('{"__proto__":"own"}'));
});
