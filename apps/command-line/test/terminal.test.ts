import { expect, test } from "vitest";
import { terminalOf, widthOf, wrapText } from "../src/index.ts";

test("a text breaks at its spaces, and no line is longer than allowed", () => {
  const lines = wrapText("  ✓ policy  one statement for a million buttons, by their serial number", 30, 12);
  expect(lines).toEqual([
    "  ✓ policy  one statement for",
    "            a million buttons,",
    "            by their serial",
    "            number",
  ]);
});

test("colours take no columns", () => {
  const { paint } = terminalOf({ isTTY: true, columns: 80 }, {});
  const painted = paint("good", "allowed");
  expect(painted).not.toBe("allowed");
  expect(widthOf(painted)).toBe(7);
  expect(wrapText(`${painted} ${painted}`, 15)).toHaveLength(1);
});

test("a word longer than a line stands alone", () => {
  expect(wrapText("   0123456789 b", 5, 3)).toEqual(["   0123456789", "   b"]);
  expect(wrapText("a 0123456789 b", 5)).toEqual(["a", "0123456789", "b"]);
});

test.each([
  ["a pipe", { isTTY: false }, {}],
  ["NO_COLOR", { isTTY: true, columns: 80 }, { NO_COLOR: "1" }],
  ["a terminal that can do nothing", { isTTY: true, columns: 80 }, { TERM: "dumb" }],
])("%s gets no colours", (_, stream, environment) => {
  expect(terminalOf(stream, environment).paint("bad", "refused")).toBe("refused");
});

test("lines in a pipe are not broken", () => {
  expect(wrapText("word ".repeat(100), terminalOf({}, {}).columns)).toHaveLength(1);
});
