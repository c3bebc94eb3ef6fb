/** The UTF-8 check beside the runtime's own, on border values; `exhaustive.corpora.test.ts` tries all sequences. */

import { expect, test } from "vitest";
import { refusableCharacter, utf8Length } from "../src/utf8.ts";
import { checkUtf8 } from "./utf8-reference.ts";

test("sequences of border octets", () => {
  const borders = [
    0x00, 0x61, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xc2, 0xdf, 0xe0, 0xed, 0xef, 0xf0, 0xf4, 0xf5,
  ];
  for (const first of borders) {
    for (const second of borders) {
      checkUtf8(Uint8Array.of(first, second));
      for (const third of borders) checkUtf8(Uint8Array.of(first, second, third));
    }
  }
  for (const first of [0xf0, 0xf1, 0xf4, 0xf5]) {
    for (const second of borders) {
      checkUtf8(Uint8Array.of(first, second, 0x80, 0x80));
      checkUtf8(Uint8Array.of(first, second, 0xbf, 0xc0));
    }
  }
});

test("a lone surrogate has no length", () => {
  for (const text of [
    "\ud800",
    "\udfff",
    "a\udc00b",
    "\ud83d",
    "\ud83d\ud83d\ude00",
    "\ude00\ud83d",
    "\udc00\udc00",
    "\ud800\ud800",
  ]) {
    expect(utf8Length(text)).toBe(-1);
  }
  expect(utf8Length("\ud83d\ude00")).toBe(4);
});

test("the offset of a refusable character is counted in octets", () => {
  expect(refusableCharacter("é𝄞\u0001")).toBe(6);
  expect(refusableCharacter("é𝄞")).toBe(-1);
});
