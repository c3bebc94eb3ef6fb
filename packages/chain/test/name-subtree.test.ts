/** Names and subtrees of each form (RFC 5280 §4.2.1.10): which subtree contains a name, and which one touches it. */

import { type GeneralName, makeName } from "@latchkey/x509";
import { describe, expect, test } from "vitest";
import { type ConstrainedName, isConstraintSyntaxValid, mergeSubtrees } from "../src/name-subtree.ts";

const dns = (value: string): GeneralName => ({ type: "dNSName", value });
const mail = (value: string): GeneralName => ({ type: "rfc822Name", value });
const uri = (value: string): GeneralName => ({ type: "uniformResourceIdentifier", value });
const address = (...octets: number[]): GeneralName => ({ type: "iPAddress", value: Uint8Array.from(octets) });
const directory = (...values: string[]): GeneralName => ({
  type: "directoryName",
  value: makeName(values.map((value) => ({ type: "OU", value }))),
});

/** The indexes of the first subtree that contains a name, and of the first that touches it. */
function among(subtrees: readonly GeneralName[], name: ConstrainedName): readonly [number, number] {
  const merged = mergeSubtrees(subtrees[0]!.type, subtrees);
  if (merged === undefined) throw new Error("not supported");
  return [merged.containing(name), merged.touching(name)];
}

const inside = [0, 0];
const outside = [-1, -1];
const touched = [-1, 0];

describe("DNS names", () => {
  test.each([
    ["example.com", "example.com", inside],
    ["example.com", "EXAMPLE.com.", inside],
    ["example.com", "a.b.example.com", inside],
    ["example.com", "notexample.com", outside],
    ["example.com", "com", outside],
    ["b.example.com", "a.example.com", outside],
    [".example.com", "a.example.com", inside],
    [".example.com", "example.com", outside],
    ["", "anything.test", inside],
    [".", "anything.test", outside],
    ["..", "anything.test", outside],
    // A wildcard stands for what is one label below its parent.
    ["example.com", "*.example.com", inside],
    [".example.com", "*.example.com", inside],
    ["com", "*.example.com", inside],
    ["a.example.com", "*.example.com", touched],
    [".a.example.com", "*.example.com", outside],
    ["b.a.example.com", "*.example.com", outside],
    ["other.com", "*.example.com", outside],
    // A malformed name is in no permitted subtree and in every excluded one.
    ["example.com", "a..example.com", touched],
  ])("%s and %s", (subtree, name, expected) => {
    expect(among([dns(subtree)], dns(name))).toEqual(expected);
  });

  test("the first of several subtrees is the one that is named", () => {
    const subtrees = [dns("other.com"), dns("a.example.com"), dns("example.com"), dns("com")];
    expect(among(subtrees, dns("x.a.example.com"))).toEqual([1, 1]);
    expect(among(subtrees, dns("example.com"))).toEqual([2, 2]);
    expect(among(subtrees, dns("*.example.com"))).toEqual([2, 1]);
    expect(among(subtrees, dns("b.com"))).toEqual([3, 3]);
    const children = [dns("z.org"), dns("b.example.com"), dns("a.example.com"), dns("c.example.com")];
    expect(among(children, dns("*.example.com"))).toEqual([-1, 1]);
  });
});

describe("mailboxes", () => {
  test.each([
    ["someone@example.com", "someone@example.com", inside],
    ["someone@example.com", "someone@EXAMPLE.com", inside],
    ["someone@example.com", "Someone@example.com", outside],
    ["someone@example.com", "other@example.com", outside],
    ["a@example.com", "a@example.com", inside],
    ["example.com", "two words@example.com", touched],
    ["example.com", "someone@-example.com", touched],
    ["example.com", "@example.com", touched],
    ["example.com", "a@b@example.com", touched],
    ["example.com", "someone@example.com", inside],
    ["example.com", "someone@a.example.com", outside],
    [".example.com", "someone@a.example.com", inside],
    [".example.com", "someone@example.com", outside],
    ["not a host", "someone@example.com", touched],
    ["example.com", "no mailbox", touched],
  ])("%s and %s", (subtree, name, expected) => {
    expect(among([mail(subtree)], mail(name))).toEqual(expected);
  });

  test("in the subject, the case of the local part does not protect from being excluded", () => {
    const name = { type: "emailAddress", value: "Someone@example.com" } as const;
    expect(among([mail("someone@example.com")], name)).toEqual(touched);
    expect(among([mail("Someone@example.com")], name)).toEqual(inside);
  });
});

describe("URIs", () => {
  test.each([
    ["example.com", "https://example.com/a", inside],
    ["example.com", "https://user@example.com:8443?q", inside],
    ["example.com", "https://a.example.com/", outside],
    [".example.com", "https://a.example.com/", inside],
    [".example.com", "https://example.com/", outside],
    ["example.com", "urn:example", touched],
    ["example.com", "https://192.0.2.1/", touched],
    ["192.0.2.1", "https://192.0.2.1/", touched],
    [".example.com", "https://a_b.example.com/", touched],
    ["no host", "https://example.com/", touched],
  ])("%s and %s", (subtree, name, expected) => {
    expect(among([uri(subtree)], uri(name))).toEqual(expected);
  });
});

describe("addresses", () => {
  const ranges = [address(10, 0, 0, 0, 255, 0, 0, 0), address(192, 0, 2, 0, 255, 255, 255, 0)];

  test("lie in the first range whose masked octets are theirs", () => {
    expect(among(ranges, address(10, 9, 8, 7))).toEqual([0, 0]);
    expect(among(ranges, address(192, 0, 2, 255))).toEqual([1, 1]);
    expect(among(ranges, address(192, 0, 3, 0))).toEqual(outside);
    expect(among([address(0, 0, 0, 0, 0, 0, 0, 0)], address(1, 2, 3, 4))).toEqual(inside);
  });

  test("of the other version never do", () => {
    const mapped = address(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255, 10, 9, 8, 7);
    expect(among(ranges, mapped)).toEqual(outside);
    expect(among([address(...Array.from({ length: 32 }, () => 0))], address(10, 9, 8, 7))).toEqual(outside);
    expect(among([address(...Array.from({ length: 32 }, () => 0))], mapped)).toEqual(inside);
  });
});

describe("directory names", () => {
  test.each([
    [["a"], ["a", "b"], inside],
    [["a", "b"], ["a", "b"], inside],
    [["a", "b"], ["a"], outside],
    [["b"], ["a", "b"], outside],
    [["A "], ["a", "b"], inside],
    [[], ["a"], inside],
  ])("%j and %j", (subtree, name, expected) => {
    expect(among([directory(...subtree)], directory(...name))).toEqual(expected);
  });
});

test("forms that are not supported are not compared", () => {
  expect(mergeSubtrees("registeredID", [])).toBeUndefined();
  expect(mergeSubtrees("otherName", [])).toBeUndefined();
});

test.each([
  [dns(""), true],
  [dns("example.com"), true],
  [dns("aAzZ09-x.example"), true],
  [dns("a[b.example"), false],
  [dns("a@b.example"), false],
  [dns("a`b.example"), false],
  [dns("a{b.example"), false],
  [dns("a/b.example"), false],
  [dns("a:b.example"), false],
  [dns("-a.example"), false],
  [dns("a-.example"), false],
  [dns(`${"a".repeat(63)}.example`), true],
  [dns(`${"a".repeat(64)}.example`), false],
  [dns(`${"a.".repeat(126)}a`), true],
  [dns(`${"a.".repeat(126)}ab`), false],
  [dns("a..example"), false],
  [dns("*.example.com"), false],
  [dns(".example.com"), false],
  [mail("someone@example.com"), true],
  [mail(".example.com"), true],
  [mail("a b@example.com"), false],
  [uri(".example.com"), true],
  [uri("https://example.com"), false],
])("%j keeps to the syntax of its form: %s", (name, expected) => {
  expect(isConstraintSyntaxValid(name)).toBe(expected);
});
