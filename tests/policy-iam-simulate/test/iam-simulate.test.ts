/**
 * The part of the language that AWS IoT shares with IAM, decided by this package and by an IAM simulator of others.
 *
 * Generated policies keep to what both define alike; where they part, the difference is a test of its own.
 * The simulator's licence is AGPL, so it is a dependency of this private workspace alone and no code of it is copied.
 */

import { runSimulation } from "@cloud-copilot/iam-simulate";
import { compile, parsePolicyOrThrow, type Decision } from "@latchkey/policy";
import fc from "fast-check";
import { expect, test } from "vitest";

const character = fc.constantFrom("a", "b", "/");
const word = fc.string({ unit: character, maxLength: 4 });
const topicName = fc.string({ unit: character, minLength: 1, maxLength: 4 });
const variable = fc.constantFrom("${aws:PrincipalTag/x}", "${aws:PrincipalTag/none}", "${*}", "${?}");
const pattern = fc
  .array(
    fc.oneof(
      { weight: 4, arbitrary: word },
      { weight: 3, arbitrary: fc.constantFrom("*", "?") },
      { weight: 2, arbitrary: variable },
    ),
    { minLength: 1, maxLength: 4 },
  )
  .map((parts) => parts.join(""))
  .filter((text) => text !== "");

function oneOrMany<Value>(value: fc.Arbitrary<Value>): fc.Arbitrary<Value | Value[]> {
  return fc.oneof(value, fc.array(value, { minLength: 1, maxLength: 3 }));
}

const resource = fc.oneof(
  { weight: 6, arbitrary: pattern.map((text) => `arn:aws:iot:eu-west-1:123456789012:topic/${text}`) },
  fc.constantFrom(
    "*",
    "arn:aws:iot:*:123456789012:topic/*",
    "arn:aws:iot:eu-west-1:*:topic/a*",
    "arn:aws:iot",
    "arn:aws:iot:*",
    "arn:aws:iot:eu-*:123456789012:topic/*",
    "arn:aws:iot:e*-1:123456789012:topic/a*",
  ),
);
const action = fc.constantFrom("iot:Publish", "iot:Pub*", "iot:*", "*", "iot:Receive", "IOT:PUBLISH", "iot:?ublish");

const text = fc.oneof(fc.constantFrom("a", "b", "a/b", "A"), pattern);
const single = "aws:PrincipalTag/x";
const multiple = "aws:PrincipalOrgPaths";
const condition = fc.oneof(
  fc.tuple(
    fc.constantFrom(
      "StringEquals",
      "StringNotEquals",
      "StringLike",
      "StringNotLike",
      "StringEqualsIgnoreCase",
      "StringNotEqualsIgnoreCase",
    ),
    fc.constantFrom(single, "aws:PrincipalTag/none"),
    oneOrMany(text),
  ),
  fc.tuple(
    fc.constantFrom("StringEqualsIfExists", "StringLikeIfExists", "StringNotEqualsIfExists"),
    fc.constantFrom(single, "aws:PrincipalTag/none"),
    oneOrMany(text),
  ),
  fc.tuple(
    fc
      .tuple(
        fc.constantFrom("ForAnyValue", "ForAllValues"),
        fc.constantFrom("StringEquals", "StringNotEquals", "StringLike", "StringNotLike"),
      )
      .map((parts) => parts.join(":")),
    fc.constant(multiple),
    oneOrMany(text),
  ),
  fc.tuple(
    fc.constant("Null"),
    fc.constantFrom(single, "aws:PrincipalTag/none", multiple),
    fc.constantFrom("true", "false"),
  ),
  fc.tuple(fc.constant("Bool"), fc.constant("aws:SecureTransport"), fc.constantFrom("true", "false")),
  fc.tuple(
    fc.constantFrom(
      "NumericEquals",
      "NumericNotEquals",
      "NumericLessThan",
      "NumericLessThanEquals",
      "NumericGreaterThan",
      "NumericGreaterThanEquals",
    ),
    fc.constant("aws:MultiFactorAuthAge"),
    oneOrMany(fc.constantFrom("0", "7", "10", "7.5")),
  ),
  fc.tuple(
    fc.constantFrom(
      "DateEquals",
      "DateNotEquals",
      "DateLessThan",
      "DateLessThanEquals",
      "DateGreaterThan",
      "DateGreaterThanEquals",
    ),
    fc.constant("aws:CurrentTime"),
    oneOrMany(fc.constantFrom("2026-11-23T00:00:00Z", "2026-11-22T00:00:00Z", "2026-11-24T00:00:00Z")),
  ),
  fc.tuple(
    fc.constantFrom("IpAddress", "NotIpAddress"),
    fc.constant("aws:SourceIp"),
    oneOrMany(fc.constantFrom("192.0.2.0/24", "192.0.2.7", "198.51.100.0/24")),
  ),
  fc.tuple(
    fc.constantFrom("ArnEquals", "ArnLike", "ArnNotEquals", "ArnNotLike"),
    fc.constant("aws:SourceArn"),
    oneOrMany(
      fc.constantFrom(
        "arn:aws:sns:*:123456789012:a",
        "arn:aws:sns:eu-west-1:*:*",
        "arn:aws:sns:eu-west-1:123456789012:b",
      ),
    ),
  ),
);

const statement = fc
  .record({
    Effect: fc.constantFrom("Allow", "Allow", "Deny"),
    action: fc.tuple(fc.constantFrom("Action", "Action", "NotAction"), oneOrMany(action)),
    resource: fc.tuple(fc.constantFrom("Resource", "Resource", "NotResource"), oneOrMany(resource)),
    condition: fc.option(condition, { nil: undefined }),
  })
  .map(({ Effect, action, resource, condition }) => ({
    Effect,
    [action[0]]: action[1],
    [resource[0]]: resource[1],
    ...(condition === undefined ? {} : { Condition: { [condition[0]]: { [condition[1]]: condition[2] } } }),
  }));

const context = fc.record({
  [single]: fc.constantFrom("a", "b", "A", "a/b"),
  [multiple]: fc.option(fc.array(fc.constantFrom("a", "b", "ab"), { minLength: 1, maxLength: 3 }), { nil: undefined }),
  "aws:SecureTransport": fc.constantFrom("true", "false"),
  "aws:MultiFactorAuthAge": fc.constantFrom("7", "8", "10"),
  "aws:CurrentTime": fc.constantFrom("2026-11-23T00:00:00Z", "2026-11-24T00:00:00Z"),
  "aws:SourceIp": fc.constantFrom("192.0.2.7", "198.51.100.1"),
  "aws:SourceArn": fc.constantFrom("arn:aws:sns:eu-west-1:123456789012:a", "arn:aws:sns:us-east-1:123456789012:b"),
});

const decisions: Readonly<Record<string, Decision>> = {
  Allowed: "allow",
  ExplicitlyDenied: "explicit-deny",
  ImplicitlyDenied: "implicit-deny",
};

type Keys = Record<string, string | string[]>;

async function simulated(document: object, topic: string, keys: Keys): Promise<Decision> {
  const answer = await runSimulation(
    {
      request: {
        principal: "arn:aws:iam::123456789012:user/device",
        action: "iot:Publish",
        resource: { resource: topic, accountId: "123456789012" },
        contextVariables: keys,
      },
      identityPolicies: [{ name: "p", policy: document }],
      serviceControlPolicies: [],
      resourceControlPolicies: [],
    },
    {},
  );
  if (answer.resultType === "error") throw new Error(JSON.stringify(answer));
  const decision = decisions[answer.overallResult];
  if (decision === undefined) throw new Error(`no such result: ${answer.overallResult}`);
  return decision;
}

interface Difference {
  readonly title: string;
  readonly condition: Record<string, Record<string, string>>;
  readonly keys: Keys;
  readonly ours: Decision;
  readonly theirs: Decision;
  readonly reason: string;
}

const differences: readonly Difference[] = [
  {
    title: "NotIpAddress of IPv4 for an IPv6 address",
    condition: { NotIpAddress: { "aws:SourceIp": "192.0.2.7" } },
    keys: { "aws:SourceIp": "2001:db8::1" },
    ours: "allow",
    theirs: "implicit-deny",
    reason: "IAM: all addresses but those in the block",
  },
  {
    title: "a block of all addresses",
    condition: { IpAddress: { "aws:SourceIp": "0.0.0.0/0" } },
    keys: { "aws:SourceIp": "192.0.2.7" },
    ours: "allow",
    theirs: "implicit-deny",
    reason: "RFC 4632: a prefix of no bits holds every address",
  },
  {
    title: "an empty set",
    condition: { Null: { "aws:PrincipalOrgPaths": "true" } },
    keys: { "aws:PrincipalOrgPaths": [] },
    ours: "allow",
    theirs: "implicit-deny",
    reason: "a set without values is absent, as for ForAllValues and ForAnyValue",
  },
];

for (const { title, condition, keys, ours, theirs, reason } of differences) {
  test(`a known difference: ${title} (${reason})`, async () => {
    const document = {
      Version: "2012-10-17",
      Statement: { Effect: "Allow", Action: "*", Resource: "*", Condition: condition },
    };
    const topic = "arn:aws:iot:eu-west-1:123456789012:topic/a";
    const { "aws:SourceIp": sourceIp, ...others } = keys;
    const context = { keys: others, ...(typeof sourceIp === "string" ? { sourceIp } : {}) };
    const matcher = compile([parsePolicyOrThrow(JSON.stringify(document))]);
    expect(matcher.decide({ action: "iot:Publish", resource: topic, context })).toBe(ours);
    expect(await simulated(document, topic, keys)).toBe(theirs);
  });
}

test("decisions on generated policies", async () => {
  const seen = new Map<Decision, number>();
  await fc.assert(
    fc.asyncProperty(
      fc.array(statement, { minLength: 1, maxLength: 3 }),
      context,
      topicName,
      async (Statement, found, name) => {
        const document = { Version: "2012-10-17", Statement };
        const topic = `arn:aws:iot:eu-west-1:123456789012:topic/${name}` as const;
        const keys: Keys = {};
        for (const [key, value] of Object.entries(found)) if (value !== undefined) keys[key] = value;
        const policy = parsePolicyOrThrow(JSON.stringify(document));
        const decision = compile([policy]).decide({
          action: "iot:Publish",
          resource: topic,
          context: { sourceIp: found["aws:SourceIp"], currentTimeMs: Date.parse(found["aws:CurrentTime"] ?? ""), keys },
        });
        expect(decision).toBe(await simulated(document, topic, keys));
        seen.set(decision, (seen.get(decision) ?? 0) + 1);
      },
    ),
    { numRuns: 1000 },
  );
  console.log(`compared: ${[...seen].map(([decision, count]) => `${count} ${decision}`).join(", ")}`);
  for (const decision of Object.values(decisions)) expect(seen.get(decision) ?? 0).toBeGreaterThan(50);
});
