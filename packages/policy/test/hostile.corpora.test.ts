/** Hostile input: an error or a decision in time that grows with the size, whatever the document and the pattern. */

import { compile, parsePolicy, parsePolicyOrThrow, type PolicyMatcher } from "@latchkey/policy";
import { lint, parseExpectations } from "@latchkey/policy/authoring";
import { growthOf } from "@latchkey/tooling-vitest/cpu-time";
import { describe, expect, test } from "vitest";
import { A, D, policyText, requestOf, type Short } from "./fixtures.ts";

/** Asserts that sixteen times the input does not take the time of its square, which is 256 times the work. */
function growsSlowly<Input>(small: Input, whole: Input, act: (input: Input) => void): void {
  expect(
    growthOf(
      () => act(small),
      () => act(whole),
      100,
    ),
  ).toBeLessThan(100);
}

const large = { maximumCharacters: Number.POSITIVE_INFINITY };

function matcherOf(...statements: readonly Short[]): PolicyMatcher {
  return compile([parsePolicyOrThrow(policyText(...statements), large)]);
}

const megabyte = 1_000_000;

describe("documents", () => {
  const texts: readonly (readonly [string, (size: number) => string, string])[] = [
    ["letters", (size) => "a".repeat(size), "ERR_POLICY_JSON"],
    ["letters in one string", (size) => JSON.stringify({ Id: "a".repeat(size) }), "ERR_POLICY_MISSING_ELEMENT"],
    ["open brackets", (size) => "[".repeat(size), "ERR_POLICY_DEPTH"],
    ["open objects", (size) => '{"a":'.repeat(size / 5), "ERR_POLICY_DEPTH"],
    ["backslashes", (size) => `"${"\\\\".repeat(size / 2)}"`, "ERR_POLICY_TYPE"],
    ["white space", (size) => " ".repeat(size), "ERR_POLICY_JSON"],
    [
      "unknown members",
      (size) => `{${Array.from({ length: size / 20 }, (_, n) => `"member-${n}": 0`).join(",")}}`,
      "ERR_POLICY_UNKNOWN_ELEMENT",
    ],
    [
      "the same member",
      (size) => `{${Array.from({ length: size / 12 }, () => `"Id": ""`).join(",")}}`,
      "ERR_POLICY_DUPLICATE_MEMBER",
    ],
    ["digits", (size) => `{"Version": ${"1".repeat(size)}}`, "ERR_POLICY_TYPE"],
  ];
  for (const [title, textOf, code] of texts) {
    test(`a megabyte of ${title}`, () => {
      const text = textOf(megabyte);
      const result = parsePolicy(text, large);
      const errors = result.ok ? [] : result.errors;
      expect(errors.map((error) => error.code)).toContain(code);
      expect(errors.every(({ message }) => message.length < 500)).toBe(true);
      expect(parseExpectations(text).ok).toBe(false);
      // White space is not counted, so a megabyte of it is within the limit.
      const sized = parsePolicy(text);
      expect(sized.ok ? "" : sized.errors[0].code).toBe(text.trim() === "" ? "ERR_POLICY_JSON" : "ERR_POLICY_SIZE");
      growsSlowly(textOf(megabyte / 16), text, (part) => {
        parsePolicy(part, large);
        parsePolicy(part);
        parseExpectations(part);
      });
    });
  }

  test("8,000 statements", () => {
    const matcherFor = (count: number): PolicyMatcher =>
      matcherOf(...Array.from({ length: count }, (_, n) => A("Publish", `topic/device-${n}/\${iot:ClientId}/*`)));
    growsSlowly(500, 8_000, matcherFor);
    const matcher = matcherFor(8_000);
    const request = requestOf("Publish", "device-7999/c/x", { clientId: "c" });
    const neighbour = requestOf("Publish", "device-7999/d/x", { clientId: "c" });
    expect(matcher.decide(request)).toBe("allow");
    expect(matcher.decide(neighbour)).toBe("implicit-deny");
    expect(matcher.explain(request).decision).toBe("allow");
    growsSlowly(matcherFor(500), matcher, (each) => each.decide(neighbour));
    growsSlowly(matcherFor(500), matcher, (each) => each.explain(neighbour));
  });
});

describe("patterns", () => {
  const long = "a".repeat(64_000);
  const patterns: readonly (readonly [string, string])[] = [
    ["*a*a*a*b", `topic/${"*a".repeat(500)}*b`],
    ["stars alone", `topic/${"*".repeat(1000)}b`],
    ["a long literal", `topic/*${"a".repeat(1000)}b*`],
    ["question marks", `topic/*${"?a".repeat(100)}b*`],
    ["stars and question marks", `topic/${"*?".repeat(200)}b`],
    ["variables", `topic/${"*${iot:ClientId}".repeat(50)}b*`],
    ["stars between other letters", `topic/${"*a".repeat(20)}*b*c`],
  ];
  for (const [title, pattern] of patterns) {
    test(`${title} against 64,000 characters`, () => {
      const matcher = matcherOf(
        A("Publish", pattern),
        D("Publish", "topic/z", { StringLike: { "iot:ClientId": pattern } }),
      );
      const clientId = "a".repeat(20);
      expect(matcher.decide(requestOf("Publish", long, { clientId }))).toBe("implicit-deny");
      expect(matcher.decide(requestOf("Publish", "z", { clientId: long }))).not.toBe("allow");
      growsSlowly(long.slice(0, 4_000), long, (text) => {
        matcher.decide(requestOf("Publish", text, { clientId }));
        matcher.decide(requestOf("Publish", "z", { clientId: text }));
      });
    });
  }

  test("they still match what they should", () => {
    const matcher = matcherOf(A("Publish", `topic/${"*a".repeat(500)}*b`));
    expect(matcher.decide(requestOf("Publish", `${long}b`))).toBe("allow");
  });
});

describe("lint and explain", () => {
  const long = (size: number, text: string): string => text.repeat(Math.ceil(size / text.length));
  const policies: readonly (readonly [string, (size: number) => Short])[] = [
    ["a variable", (size) => A("Publish", `topic/\${iot:Certificate.${long(size, "a")}-}`)],
    ["a variable of dots", (size) => A("Publish", `topic/\${iot:Certificate${long(size, ".1")}-}`)],
    ["an attribute", (size) => A("Publish", `topic/\${iot:Connection.Thing.Attributes[${long(size, "'")}]}`)],
    ["a key", (size) => A("Publish", "topic/a", { StringEquals: { [`iot:${long(size, "a")}-`]: "x" } })],
    ["an action", (size) => A(`iot:${long(size, "Publish")}`, "topic/a")],
    ["an ARN of colons", (size) => A("Publish", `arn:aws:iot${long(size, ":")}topic/a`)],
    ["an ARN of digits", (size) => A("Publish", `arn:aws:iot:eu-west-1:${long(size, "1")}topic/a`)],
    ["an ARN whose service looks like a region", (size) => A("Publish", `arn:aws:eu${long(size, "-a")}:topic/a`)],
    ["a filter of wildcards", (size) => A("Subscribe", `topicfilter/${long(size, "+/")}#`)],
    ["a topic of levels", (size) => A("Publish", `topic/${long(size, "a/")}b`)],
  ];
  for (const [title, make] of policies) {
    test(`of ${title} of 64,000 characters`, () => {
      const [small, whole] = [4000, 64_000].map((size) => parsePolicyOrThrow(policyText(make(size)), large));
      if (small === undefined || whole === undefined) throw new Error("no policies");
      growsSlowly(small, whole, (policy) => {
        lint([policy]);
        compile([policy]).explain(requestOf("Publish", "b"));
      });
    });
  }
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

  test("of a certificate with very many values only the first few are read", () => {
    let reads = 0;
    const CommonName = new Proxy(
      Array.from({ length: 100_000 }, (_, n) => `name-${n}`),
      {
        get: (target, property, receiver): unknown => {
          reads++;
          return Reflect.get(target, property, receiver);
        },
      },
    );
    const list = "iot:Certificate.Subject.CommonName.List";
    const matcher = matcherOf(A("Publish", "*", { "ForAnyValue:StringEquals": { [list]: "name-99999" } }));
    const request = requestOf("Publish", "a", { certificate: { subject: { CommonName } } });
    expect(matcher.decide(request)).toBe("implicit-deny");
    expect(reads).toBeLessThan(50);
  });
});
