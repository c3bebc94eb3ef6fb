/** Host names and mailboxes at their boundaries. */

import { expect, test } from "vitest";
import { canonicalHost, coversHost, isHostName, parseMailbox } from "../src/dns-name.ts";

const label = "a".repeat(63);

test.each([
  ["a", true],
  ["A.b-c.Z9", true],
  ["azAZ09.example", true],
  ["", false],
  [".", false],
  ["a.", false],
  [".a", false],
  ["a..b", false],
  ["-a.example", false],
  ["a-.example", false],
  ["example.-", false],
  ["a--b.example", true],
  ["1.example", true],
  ["example.1", false],
  ["1.2.3.4", false],
  ["example.1a", true],
  ["example.1-1", true],
  ["a b", false],
  ["a/b", false],
  ["a:b", false],
  ["a@b", false],
  ["a[b", false],
  ["a`b", false],
  ["a{b", false],
  ["a\u00e9", false],
  [label, true],
  [`${label}a`, false],
  [`${label}.${label}.${label}.${"a".repeat(61)}`, true],
  [`${label}.${label}.${label}.${"a".repeat(62)}`, false],
])("%s is a host name: %o", (text, expected) => {
  expect(isHostName(text, { allowsUnderscore: false })).toBe(expected);
  expect(isHostName(text, { allowsUnderscore: true })).toBe(expected);
});

test("an underscore is part of a name only where it is allowed", () => {
  for (const text of ["_a.example", "a_b", "_"]) {
    expect(isHostName(text, { allowsUnderscore: true })).toBe(true);
    expect(isHostName(text, { allowsUnderscore: false })).toBe(false);
  }
});

test("the canonical form is in lower case, without the period of the root", () => {
  expect([canonicalHost("A.Example."), canonicalHost("a.example"), canonicalHost(".")]).toEqual([
    "a.example",
    "a.example",
    "",
  ]);
});

test.each([
  ["a.example", "a.example", true],
  ["a.example", "b.example", false],
  ["*.example", "a.example", true],
  ["*.example", ".example", false],
  ["*.example", "example", false],
  ["*.example", "a.b.example", false],
  ["*.", "localhost", false],
])("%s covers %s: %o", (presented, host, expected) => expect(coversHost(presented, host)).toBe(expected));

test.each([
  ["a@B.example", { local: "a", host: "b.example" }],
  ["a.b+c@b.example", { local: "a.b+c", host: "b.example" }],
  ["A@b", { local: "A", host: "b" }],
  ["@b.example", undefined],
  ["b.example", undefined],
  ["a@", undefined],
  ["a@b@c", undefined],
  ["a..b@c", undefined],
  [".a@c", undefined],
  ["a@b_c.example", undefined],
  ["a@192.0.2.1", undefined],
  ['"a"@b.example', undefined],
])("the mailbox %s is %o", (text, expected) => expect(parseMailbox(text)).toEqual(expected));
