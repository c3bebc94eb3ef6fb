/** The UTF-8 check beside the runtime's own, exhaustively where that is possible. */

import fc from "fast-check";
import { expect, test } from "vitest";
import { invalidUtf8, refusableCharacter, utf8Length } from "../src/utf8.ts";

const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

function isValid(bytes: Uint8Array): boolean {
  try {
    strict.decode(bytes);
    return true;
  } catch {
    return false;
  }
}

function check(bytes: Uint8Array): void {
  const invalid = invalidUtf8(new DataView(bytes.buffer), 0, bytes.length);
  if (invalid < 0 !== isValid(bytes)) expect([...bytes]).toBe(isValid(bytes) ? "valid" : "invalid");
  // What stands before the fault is valid.
  if (invalid >= 0 && !isValid(bytes.slice(0, invalid))) expect(invalid).toBe("the first fault");
}

test("every sequence of one and two octets, and every beginning of three with border values behind it", () => {
  const borders = [0x00, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xff];
  let checked = 0;
  for (let first = 0; first < 256; first++) {
    check(Uint8Array.of(first));
    for (let second = 0; second < 256; second++) {
      check(Uint8Array.of(first, second));
      checked++;
    }
    if (first < 0xdf) continue;
    for (const second of borders) {
      for (const third of borders) {
        check(Uint8Array.of(first, second, third));
        for (const fourth of borders) check(Uint8Array.of(first, second, third, fourth));
      }
    }
  }
  expect(checked).toBe(65_536);
});

test("random octets and random text", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 12 }), check), { numRuns: 2000 });
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (text) => {
      const bytes = new TextEncoder().encode(text);
      check(bytes);
      expect(utf8Length(text)).toBe(text.includes("\u0000") ? -1 : bytes.length);
    }),
    { numRuns: 1000 },
  );
});

test("a lone surrogate has no length", () => {
  for (const text of ["\ud800", "\udfff", "a\udc00b", "\ud83d", "\ud83d\ud83d\ude00", "\ude00\ud83d"]) {
    expect(utf8Length(text)).toBe(-1);
  }
  expect(utf8Length("\ud83d\ude00")).toBe(4);
});

test("the offset of a refusable character is counted in octets", () => {
  expect(refusableCharacter("é𝄞\u0001")).toBe(6);
  expect(refusableCharacter("é𝄞")).toBe(-1);
});
