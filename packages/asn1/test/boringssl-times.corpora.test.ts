import { hasVectors, readVectors } from "@latchkey/tooling-vitest/vectors";
import { describe, expect, it } from "vitest";
import { Tag } from "../src/index.ts";
import { readTime } from "./read-time.ts";

describe.skipIf(!hasVectors("boringssl-times.json"))("BoringSSL's times", () => {
  it("are accepted and refused alike", () => {
    const { cases } = readVectors("boringssl-times.json") as {
      cases: { type: string; value: string; expected: boolean }[];
    };
    for (const { type, value, expected } of cases) {
      const result = readTime(type === "UTCTime" ? Tag.utcTime : Tag.generalizedTime, value);
      expect(typeof result === "number", `${type} ${value}`).toBe(expected);
    }
    expect(cases.length).toBe(28);
  });
});
