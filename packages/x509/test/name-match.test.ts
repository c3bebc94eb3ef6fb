/** Comparing names, where a peer chooses the text. */

import { growthOf } from "@latchkey/tooling-vitest/cpu-time";
import { describe, expect, it } from "vitest";
import {
  attributesOf,
  attributeText,
  makeName,
  type Name,
  nameIsInSubtree,
  nameKey,
  namesMatch,
  parseName,
  parseNameText,
  X509Error,
} from "../src/index.ts";

function named(value: string | Uint8Array): Name {
  return makeName([{ type: "CN", value }]);
}

describe("names that a peer chose", () => {
  it.each([
    ["combining marks out of order", "\u0300\u0316"],
    ["halfwidth marks", "\u0300\uff9e"],
    ["marks that decompose into two", "\u0344\u0316"],
    ["marks in the order of their classes", "\u0316\u0316"],
  ])("are compared in linear time: %s", (_, marks) => {
    const ofLength = (count: number): Name => named(`a${marks.repeat(count)}`);
    const [short, long] = [ofLength(1000), ofLength(64_000)];
    // Sorting by insertion takes four thousand times as long for 64 times the text.
    expect(
      growthOf(
        () => nameKey(short),
        () => nameKey(long),
        1000,
      ),
    ).toBeLessThan(1000);
  });

  it("match after normalisation up to 30 marks in a row, and octet for octet beyond", () => {
    const decomposed = (count: number): string => `e\u0301${"\u0316".repeat(count - 1)}`;
    const composed = (count: number): string => `\u00e9${"\u0316".repeat(count - 1)}`;
    expect(namesMatch(named(decomposed(30)), named(composed(30)))).toBe(true);
    expect(namesMatch(named(decomposed(33)), named(composed(33)))).toBe(false);
    expect(namesMatch(named(decomposed(33)), named(decomposed(33)))).toBe(true);
    expect(namesMatch(named(decomposed(33)), named(decomposed(33).replace("e", "E")))).toBe(false);
  });

  it("never match because a text looks like structure", () => {
    // 550403 is the type CN in a key.
    const texts = ["a\nb", "a+b", "a+550403=b", "a\n550403=b", "a\\nb", "a\\pb", "a\\\\nb", "a%0Ab", "a\\", "a", "b"];
    const names = texts.flatMap((text) => [
      named(text),
      makeName([
        { type: "CN", value: text },
        { type: "CN", value: "b" },
      ]),
    ]);
    expect(new Set(names.map(nameKey)).size).toBe(names.length);
  });

  it("are read without looking at their strings where the caller says so", () => {
    const { encoding } = named(Uint8Array.of(0x13, 0x01, 0x26));
    expect(() => parseName(encoding)).toThrow(X509Error);
    expect(nameKey(parseName(encoding, { checkContents: false }))).toBe(
      nameKey(named(Uint8Array.of(0x13, 0x01, 0x26))),
    );
  });
});

describe("a subtree of names", () => {
  const base = parseNameText("O=Pizza,C=DE");

  it.each([
    ["CN=button-1,O=Pizza,C=DE", true],
    ["O=Pizza,C=DE", true],
    ["O=pizza,C=de", true],
    ["CN=button-1,O=Pasta,C=DE", false],
    ["O=Pasta,C=DE", false],
    ["O=Pizza,CN=button-1,C=DE", false],
    ["C=DE", false],
    ["O=Pizza+CN=button-1,C=DE", false],
  ])("of O=Pizza,C=DE and %s: %s", (text, isInside) => {
    expect(nameIsInSubtree(parseNameText(text), base)).toBe(isInside);
  });

  it("has itself as its only name of its length", () => {
    expect(namesMatch(parseNameText("O=Pizza,C=DE"), base)).toBe(true);
    expect(namesMatch(parseNameText("CN=button-1,O=Pizza,C=DE"), base)).toBe(false);
    expect(namesMatch(base, parseNameText("CN=button-1,O=Pizza,C=DE"))).toBe(false);
  });
});

it("the text of an attribute is that of its string, and none for octets that are no string", () => {
  const name = makeName([
    { type: "CN", value: "button-1" },
    { type: "serialNumber", value: Uint8Array.of(0x04, 1, 7) },
  ]);
  expect(attributesOf(name, "commonName").map(attributeText)).toEqual(["button-1"]);
  expect(attributesOf(name, "serialNumber").map(attributeText)).toEqual([undefined]);
});
