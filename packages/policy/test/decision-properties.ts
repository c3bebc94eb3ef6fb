/** Properties of decisions over generated policies and requests, for as many runs as a caller wants. */

import {
  compile,
  parsePolicyOrThrow,
  type ParsedPolicy,
  type PolicyAction,
  type PolicyRequest,
  type ResourceArn,
} from "@latchkey/policy";
import { lint } from "@latchkey/policy/authoring";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { referenceDecision } from "./reference.ts";

// Few letters and few names, so that patterns and requests meet.
const character = fc.constantFrom("a", "b", "/", "\u{1f355}");
const word = fc.string({ unit: character, minLength: 0, maxLength: 4 });
// The reference interpreter cannot tell a colon of the text from one of a value, so only the text has them.
const name = fc.string({
  unit: fc.oneof({ weight: 6, arbitrary: character }, fc.constantFrom("+", ":")),
  maxLength: 6,
});
const variable = fc.constantFrom(
  "${iot:ClientId}",
  "${iot:Certificate.Subject.CommonName}",
  "${iot:Certificate.Subject.CommonName.1}",
  "${iot:Certificate.Subject.CommonName.List}",
  "${iot:Certificate.SerialNumber}",
  "${iot:Connection.Thing.ThingName}",
  "${iot:Connection.Thing.Attributes[env]}",
  "${iot:Nothing}",
  "${*}",
  "${?}",
  "$(*)",
  "${",
);
const patternPart = fc.oneof(
  { weight: 4, arbitrary: name },
  { weight: 4, arbitrary: fc.constantFrom("*", "?") },
  variable,
);
const pattern = fc.array(patternPart, { minLength: 1, maxLength: 6 }).map((parts) => parts.join(""));
const head = fc.constantFrom(
  "arn:aws:iot:r:1:",
  "arn:aws:iot:r:1:",
  "arn:aws:iot:*:1:",
  "arn:aws:iot:*:",
  "arn:a*s:iot:*:",
  "arn:aws:i?t:r:1:",
  "arn:aws:iot:r:${iot:ClientId}:",
);
const resourcePattern = fc.oneof(
  { weight: 8, arbitrary: fc.tuple(head, fc.constantFrom("topic/", ""), pattern).map((parts) => parts.join("")) },
  fc.constantFrom("*", "arn:aws:iot:r", "arn:aws:iot:r:1:*"),
);
const actionPattern = fc.constantFrom(
  "iot:Publish",
  "iot:Receive",
  "iot:*",
  "*",
  "iot:Pub*",
  "iot:?eceive",
  "IOT:PUBLISH",
);

function oneOrMany<Value>(value: fc.Arbitrary<Value>): fc.Arbitrary<Value | Value[]> {
  return fc.oneof(value, fc.array(value, { minLength: 1, maxLength: 3 }));
}

const setKey = fc.constantFrom(
  "iot:Certificate.Subject.CommonName.List",
  "iot:ConnectAttributes",
  "x:Set",
  "x:Key",
  "X:key",
);
const key = fc.oneof(
  setKey,
  fc.constantFrom(
    "iot:ClientId",
    "IOT:CLIENTID",
    "iot:Certificate.Subject.CommonName",
    "iot:Connection.Thing.ThingName",
  ),
);
const textOperator = fc
  .tuple(
    fc.constantFrom("", "ForAnyValue:", "ForAllValues:"),
    fc.constantFrom("StringEquals", "StringNotEquals", "StringLike", "StringNotLike", "StringEqualsIgnoreCase"),
    fc.constantFrom("", "IfExists"),
  )
  .map((parts) => parts.join(""));
const condition = fc.oneof(
  fc.tuple(textOperator, fc.dictionary(key, oneOrMany(pattern), { minKeys: 1, maxKeys: 2 })),
  fc.tuple(fc.constant("Null"), fc.dictionary(key, fc.constantFrom("true", "false"), { minKeys: 1, maxKeys: 1 })),
  fc.tuple(fc.constant("Bool"), fc.constant({ "iot:Connection.Thing.IsAttached": "true" })),
);
const statement = fc.record({
  Effect: fc.constantFrom("Allow", "Allow", "Deny"),
  action: fc.tuple(fc.constantFrom("Action", "Action", "NotAction"), oneOrMany(actionPattern)),
  resource: fc.tuple(fc.constantFrom("Resource", "Resource", "Resource", "NotResource"), oneOrMany(resourcePattern)),
  conditions: fc.array(condition, { maxLength: 2 }),
});
const document = fc.array(statement, { minLength: 1, maxLength: 4 }).map((statements) =>
  JSON.stringify({
    Version: "2012-10-17",
    Statement: statements.map(({ Effect, action, resource, conditions }) => ({
      Effect,
      [action[0]]: action[1],
      [resource[0]]: resource[1],
      ...(conditions.length === 0 ? {} : { Condition: Object.fromEntries(conditions) }),
    })),
  }),
);

const value = fc.oneof(fc.constantFrom("a", "b", "a/b", "*", "a=b"), word);
const maybe = <Value>(arbitrary: fc.Arbitrary<Value>): fc.Arbitrary<Value | undefined> =>
  fc.option(arbitrary, { nil: undefined });
const request: fc.Arbitrary<PolicyRequest> = fc.record({
  action: fc.constantFrom<PolicyAction[]>("iot:Publish", "iot:Receive", "iot:publish", "iot:Connect"),
  resource: fc.oneof(
    {
      weight: 6,
      arbitrary: fc
        .tuple(fc.constantFrom("arn:aws:iot:r:1:topic/" as const, "arn:aws:iot:r:a:" as const), name.filter(Boolean))
        .map(([head, rest]): ResourceArn => `${head}${rest}`),
    },
    fc.constant("*" as const),
  ),
  context: fc.record({
    clientId: maybe(value),
    certificate: maybe(
      fc.record({
        serialNumber: maybe(fc.constantFrom("1", "a")),
        subject: fc.record({ CommonName: fc.array(value, { maxLength: 6 }) }),
      }),
    ),
    thing: maybe(fc.record({ name: value, attributes: fc.constantFrom({ env: "a" }, {}), isAttached: fc.boolean() })),
    connectAttributes: maybe(fc.subarray(["PersistentConnect", "LastWill"] as const)),
    keys: maybe(fc.record({ "x:Set": fc.array(value, { maxLength: 3 }), "x:Key": value })),
  }),
});

const parse = (text: string): ParsedPolicy => parsePolicyOrThrow(text, { maximumCharacters: 100_000 });

/** Declares the tests. `numRuns`: how many policies each property is tried on. */
export function describeDecisions(numRuns: number): void {
  const runs = { numRuns };
  describe("decisions", () => {
    test("the reference interpreter agrees, and explain agrees with decide", () => {
      const seen = new Map<string, number>();
      fc.assert(
        fc.property(fc.array(document, { minLength: 1, maxLength: 2 }), request, (documents, asked) => {
          const matcher = compile(documents.map(parse));
          const decision = matcher.decide(asked);
          seen.set(decision, (seen.get(decision) ?? 0) + 1);
          expect(decision).toBe(referenceDecision(documents, asked));
          const { decision: explained, decisive, nearest, sentence } = matcher.explain(asked);
          expect(explained).toBe(decision);
          expect(decisive.length > 0).toBe(decision !== "implicit-deny");
          expect(nearest === undefined || (decision === "implicit-deny" && nearest.separatedBy.length > 0)).toBe(true);
          expect(sentence).toMatch(/^(?:Allowed|Denied): .*\.$/su);
        }),
        runs,
      );
      // A test that only ever saw refusals would prove little.
      for (const decision of ["allow", "explicit-deny", "implicit-deny"])
        expect(seen.get(decision) ?? 0).toBeGreaterThan(runs.numRuns / 40);
    });

    test("wildcards, many and dense, match as the reference says", () => {
      let matches = 0;
      const dense = fc.string({ unit: fc.constantFrom("a", "b", "*", "*", "?"), minLength: 1, maxLength: 8 });
      const text = fc.string({ unit: fc.constantFrom("a", "b", "\u{1f355}"), maxLength: 8 });
      fc.assert(
        fc.property(dense, text, (like, found) => {
          const Statement = [
            { Effect: "Allow", Action: "*", Resource: "*", Condition: { StringLike: { "x:Key": like } } },
          ];
          const asked: PolicyRequest = { action: "iot:Publish", resource: "*", context: { keys: { "x:Key": found } } };
          const document = JSON.stringify({ Version: "2012-10-17", Statement });
          const expected = referenceDecision([document], asked);
          if (expected === "allow") matches++;
          expect(compile([parse(document)]).decide(asked)).toBe(expected);
        }),
        runs,
      );
      expect(matches).toBeGreaterThan(numRuns / 20);
    });

    test("one more Deny never allows more", () => {
      const deny = document.map((text) => text.replaceAll('"Effect":"Allow"', '"Effect":"Deny"'));
      fc.assert(
        fc.property(document, deny, request, (text, extra, asked) => {
          const before = compile([parse(text)]).decide(asked);
          const after = compile([parse(text), parse(extra)]).decide(asked);
          expect(after === before || after === "explicit-deny").toBe(true);
        }),
        runs,
      );
    });

    test("the order of policies and statements never matters", () => {
      fc.assert(
        fc.property(document, document, request, (one, other, asked) => {
          const reversed = JSON.parse(one) as { Statement: unknown[] };
          reversed.Statement.reverse();
          const forwards = compile([parse(one), parse(other)]).decide(asked);
          expect(compile([parse(other), parse(JSON.stringify(reversed))]).decide(asked)).toBe(forwards);
        }),
        runs,
      );
    });

    test("a matcher keeps nothing from one decision to the next", () => {
      fc.assert(
        fc.property(document, fc.array(request, { minLength: 2, maxLength: 4 }), (text, requests) => {
          const matcher = compile([parse(text)]);
          const first = requests.map((asked) => matcher.decide(asked));
          const again = requests.toReversed().map((asked) => matcher.decide(structuredClone(asked)));
          expect(again.toReversed()).toEqual(first);
        }),
        { numRuns: Math.ceil(numRuns / 4) },
      );
    });

    test("every example of lint is decided as it says", () => {
      let examples = 0;
      fc.assert(
        fc.property(document, (text) => {
          const policy = parse(text);
          const matcher = compile([policy]);
          for (const { example } of lint([policy])) {
            if (example === undefined) continue;
            examples++;
            expect(matcher.decide(example.request)).toBe(example.decision);
          }
        }),
        { numRuns: Math.ceil(numRuns / 4) },
      );
      expect(examples).toBeGreaterThan(numRuns / 20);
    });
  });
}
