import { expect, test } from "vitest";
import { nearest, oneOf } from "../src/index.ts";

test.each([
  ["otu", "out"],
  ["denail", "denial"],
  ["POLICY", "policy"],
  ["certifcate", "certificate"],
  ["x", undefined],
  ["completely-else", undefined],
])("what %j is most like", (typed, expected) => {
  expect(nearest(typed, ["out", "denial", "policy", "certificate", "data"])).toBe(expected);
});

test("a value is found in any letter case, and one that is not possible is refused with what is", () => {
  expect(oneOf("to", "active", ["ACTIVE", "INACTIVE"])).toBe("ACTIVE");
  expect(() => oneOf("to", "ACTVE", ["ACTIVE", "INACTIVE"])).toThrow(
    '--to "ACTVE" is not possible. Did you mean ACTIVE? Possible values: ACTIVE, INACTIVE.',
  );
});
