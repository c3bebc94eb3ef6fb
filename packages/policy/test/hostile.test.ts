/** Hostile input: an error or a decision in bounded time, whatever the size and the pattern. */

import { compile, parsePolicy, parsePolicyOrThrow, type PolicyMatcher } from "@latchkey/policy";
import { parseExpectations } from "@latchkey/policy/authoring";
import { describe, expect, test } from "vitest";
import { A, D, policyText, requestOf, type Short } from "./fixtures.ts";

/** Runs once and asserts a time that a slow machine keeps, and that anything quadratic or worse does not. */
function within<Result>(milliseconds: number, act: () => Result): Result {
  const start = performance.now();
  const result = act();
  expect(performance.now() - start).toBeLessThan(milliseconds);
  return result;
}

const large = { maximumCharacters: Number.POSITIVE_INFINITY };

function matcherOf(...statements: readonly Short[]): PolicyMatcher {
  return compile([parsePolicyOrThrow(policyText(...statements), large)]);
}

const megabyte = 1_000_000;

describe("documents", () => {
  const texts: readonly (readonly [string, string, string])[] = [
    ["a megabyte of letters", "a".repeat(megabyte), "ERR_POLICY_JSON"],
    ["a megabyte in one string", JSON.stringify({ Id: "a".repeat(megabyte) }), "ERR_POLICY_MISSING_ELEMENT"],
    ["a megabyte of open brackets", "[".repeat(megabyte), "ERR_POLICY_DEPTH"],
    ["a megabyte of open objects", '{"a":'.repeat(megabyte / 5), "ERR_POLICY_DEPTH"],
    ["a megabyte of backslashes", `"${"\\\\".repeat(megabyte / 2)}"`, "ERR_POLICY_TYPE"],
    ["a megabyte of white space", " ".repeat(megabyte), "ERR_POLICY_JSON"],
    [
      "a megabyte of unknown members",
      `{${Array.from({ length: 50_000 }, (_, n) => `"member-${n}": 0`).join(",")}}`,
      "ERR_POLICY_UNKNOWN_ELEMENT",
    ],
    [
      "a megabyte of the same member",
      `{${Array.from({ length: 80_000 }, () => `"Id": ""`).join(",")}}`,
      "ERR_POLICY_DUPLICATE_MEMBER",
    ],
    ["a megabyte of digits", `{"Version": ${"1".repeat(megabyte)}}`, "ERR_POLICY_TYPE"],
  ];
  for (const [title, text, code] of texts) {
    test(title, () => {
      const errors = within(1000, () => {
        const result = parsePolicy(text, large);
        return result.ok ? [] : result.errors;
      });
      expect(errors.map((error) => error.code)).toContain(code);
      expect(errors.every(({ message }) => message.length < 500)).toBe(true);
      expect(within(1000, () => parseExpectations(text)).ok).toBe(false);
      // White space is not counted, so a megabyte of it is within the limit.
      const sized = within(200, () => parsePolicy(text));
      expect(sized.ok ? "" : sized.errors[0].code).toBe(text.trim() === "" ? "ERR_POLICY_JSON" : "ERR_POLICY_SIZE");
    });
  }

  test("10,000 statements", () => {
    const statements = Array.from({ length: 10_000 }, (_, n) => A("Publish", `topic/device-${n}/\${iot:ClientId}/*`));
    const matcher = within(5000, () => matcherOf(...statements));
    const request = requestOf("Publish", "device-9999/c/x", { clientId: "c" });
    expect(within(2000, () => matcher.decide(request))).toBe("allow");
    expect(within(2000, () => matcher.decide(requestOf("Publish", "device-9999/d/x", { clientId: "c" })))).toBe(
      "implicit-deny",
    );
    expect(within(3000, () => matcher.explain(request)).decision).toBe("allow");
  });
});

describe("patterns", () => {
  const long = "a".repeat(65_000);
  const patterns: readonly (readonly [string, string])[] = [
    ["*a*a*a*b", `topic/${"*a".repeat(500)}*b`],
    ["stars alone", `topic/${"*".repeat(1000)}b`],
    ["a long literal", `topic/*${"a".repeat(1000)}b*`],
    ["question marks", `topic/*${"?a".repeat(450)}b*`],
    ["stars and question marks", `topic/${"*?".repeat(450)}b`],
    ["variables", `topic/${"*${iot:ClientId}".repeat(50)}b*`],
  ];
  for (const [title, pattern] of patterns) {
    test(`${title} against 65,000 characters`, () => {
      const matcher = matcherOf(
        A("Publish", pattern),
        D("Publish", "topic/z", { StringLike: { "iot:ClientId": pattern } }),
      );
      const context = { clientId: "a".repeat(200) };
      expect(within(2000, () => matcher.decide(requestOf("Publish", long, context)))).toBe("implicit-deny");
      expect(within(2000, () => matcher.decide(requestOf("Publish", "z", { clientId: long })))).not.toBe("allow");
    });
  }

  test("they still match what they should", () => {
    const matcher = matcherOf(A("Publish", `topic/${"*a".repeat(500)}*b`));
    expect(within(500, () => matcher.decide(requestOf("Publish", `${long}b`)))).toBe("allow");
  });

  test("time grows with the text, not with its square", () => {
    const matcher = matcherOf(A("Publish", `topic/${"*a".repeat(20)}*b*c`));
    const timeOf = (length: number): number => {
      const request = requestOf("Publish", "a".repeat(length));
      const times = Array.from({ length: 9 }, () => {
        const start = performance.now();
        for (let round = 0; round < 20; round++) matcher.decide(request);
        return performance.now() - start;
      });
      return Math.min(...times);
    };
    timeOf(1000);
    // Sixteen times the text: a square would be 256 times the work.
    expect(timeOf(64_000)).toBeLessThan(64 * Math.max(timeOf(4000), 0.02));
  });
});

describe("contexts", () => {
  test("names from Object.prototype are no values", () => {
    for (const name of [
      "iot:Connection.Thing.Attributes[__proto__]",
      "iot:Connection.Thing.Attributes[toString]",
      "toString",
      "__proto__",
    ]) {
      const matcher = matcherOf(A("Publish", "*", { Null: { [name]: "false" } }), A("Publish", `topic/\${${name}}`));
      const context = { clientId: "c", thing: { name: "c", attributes: {}, isAttached: true }, keys: {} };
      expect(matcher.decide(requestOf("Publish", "a", context))).toBe("implicit-deny");
    }
  });

  test("a certificate with very many values", () => {
    const CommonName = Array.from({ length: 100_000 }, (_, n) => `name-${n}`);
    const list = "iot:Certificate.Subject.CommonName.List";
    const matcher = matcherOf(A("Publish", "*", { "ForAnyValue:StringEquals": { [list]: "name-99999" } }));
    const request = requestOf("Publish", "a", { certificate: { subject: { CommonName } } });
    expect(within(100, () => matcher.decide(request))).toBe("implicit-deny");
  });
});
