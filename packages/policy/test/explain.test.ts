/** Explanations: outcomes of elements, the nearest statement, unresolved variables, and the sentence for people. */

import type { Explanation, RequestContext } from "@latchkey/policy";
import { describe, expect, test } from "vitest";
import { A, D, matcherOf, prefix, requestOf, type Short } from "./fixtures.ts";

function explain(policy: readonly Short[], action: string, name: string, context: RequestContext = {}): Explanation {
  return matcherOf(...policy).explain(requestOf(action, name, context));
}

const serialNumber = "${iot:Certificate.Subject.SerialNumber}";
const press = A("Publish", `topic/iotbutton/${serialNumber}`);
const button: RequestContext = { certificate: { subject: { SerialNumber: ["G03X"] } } };

describe("sentences", () => {
  const rows: readonly (readonly [string, readonly Short[], string, string, RequestContext, string])[] = [
    [
      "allowed",
      [press],
      "Publish",
      "iotbutton/G03X",
      button,
      `Allowed: statement $.Statement[0] of test allows iot:Publish on ${prefix}topic/iotbutton/G03X.`,
    ],
    [
      "on the neighbour's topic",
      [press],
      "Publish",
      "iotbutton/G03Y",
      button,
      `stands for ${prefix}topic/iotbutton/G03X here, so this caller has to keep to that, or the statement needs a further resource`,
    ],
    [
      "without a serial number in the subject",
      [press],
      "Publish",
      "iotbutton/G03X",
      { certificate: {} },
      `because ${serialNumber} has no value: the certificate does not have it`,
    ],
    ["without a certificate", [press], "Publish", "iotbutton/G03X", {}, "has no value: there is no certificate"],
    [
      "with an unsafe serial number",
      [press],
      "Publish",
      "iotbutton/G*",
      { certificate: { subject: { SerialNumber: ["G*"] } } },
      "is not substituted: the certificate's value holds one of * $ + ? # or is too long (G*)",
    ],
    [
      "with an unsafe serial number of 100 characters, as long as one is shown",
      [press],
      "Publish",
      "iotbutton/a",
      { certificate: { subject: { SerialNumber: [`${"G".repeat(99)}#`] } } },
      `or is too long (${"G".repeat(99)}#); issue`,
    ],
    [
      "with an unsafe serial number of more",
      [press],
      "Publish",
      "iotbutton/a",
      { certificate: { subject: { SerialNumber: [`${"G".repeat(100)}#`] } } },
      "or is too long (of 101 characters); issue",
    ],
    [
      "by the article's own slip",
      [A("Publish", `topic/${serialNumber}`)],
      "Publish",
      "iotbutton/G03X",
      button,
      `which lacks iotbutton/ before the name, so write ${prefix}topic/iotbutton/${serialNumber} in the policy instead`,
    ],
    [
      "with the wrong type",
      [A("Subscribe", "topic/a")],
      "Subscribe",
      "a",
      {},
      `which is of another type than iot:Subscribe is asked for, so write ${prefix}topicfilter/a in the policy instead`,
    ],
    [
      "in another region",
      [A("Publish", "arn:aws:iot:eu-west-1:123456789012:topic/a")],
      "Publish",
      "a",
      {},
      `which is of another region (arn:aws:iot:eu-west-1:123456789012: and not ${prefix}), so write ${prefix}topic/a in the policy instead`,
    ],
    [
      "with MQTT wildcards",
      [A("Subscribe", "topicfilter/a/+")],
      "Subscribe",
      "a/b",
      {},
      `in which + and # are ordinary characters, so write ${prefix}topicfilter/a/* in the policy instead`,
    ],
    [
      "by fewer levels than the policy has",
      [A("Publish", "topic/shop/orders")],
      "Publish",
      "orders",
      {},
      `which has further levels in front of orders, so ask for ${prefix}topic/shop/orders instead, or add ${prefix}topic/orders`,
    ],
    [
      "with a wildcard in the name that was asked for",
      [A("Subscribe", "topicfilter/lamps/a*")],
      "Subscribe",
      "Lamps/a*",
      {},
      `so write ${prefix}topicfilter/Lamps/a\${*} in the policy instead`,
    ],
    [
      "by the letter case of a value",
      [press],
      "Publish",
      "iotbutton/g03x",
      button,
      `and names compare with case, so ask for ${prefix}topic/iotbutton/G03X instead`,
    ],
    [
      "by a slash in front of a value",
      [A("Publish", `topic//${serialNumber}`)],
      "Publish",
      "G03X",
      button,
      `so write ${prefix}topic/${serialNumber} in the policy instead`,
    ],
    [
      "in another region and account",
      [A("Publish", "arn:aws:iot:eu-west-1:1:topic/a")],
      "Publish",
      "a",
      {},
      `which is of another region, account or partition (arn:aws:iot:eu-west-1:1: and not ${prefix}), so write ${prefix}topic/a in`,
    ],
    [
      "by an address that is not listed",
      [A("Publish", "topic/a", { IpAddress: { "aws:SourceIp": "198.51.100.0/24" } })],
      "Publish",
      "a",
      { sourceIp: "192.0.2.7" },
      "the request has 192.0.2.7; add it to the list if it should be allowed",
    ],
    [
      "by a wildcard in StringEquals",
      [A("Publish", "topic/a", { StringEquals: { "iot:ClientId": "lamp-*" } })],
      "Publish",
      "a",
      { clientId: "lamp-1" },
      "in StringEquals * and ? are ordinary characters; write StringLike",
    ],
    [
      "without a thing",
      [A("Connect", "*", { Bool: { "iot:Connection.Thing.IsAttached": "true" } })],
      "Connect",
      "c",
      { clientId: "c" },
      "the request has false, so attach the certificate to the thing that is called like the client identifier",
    ],
    [
      "by a set of which nothing is listed",
      [A("Connect", "*", { StringEquals: { "iot:ConnectAttributes": "LastWill" } })],
      "Connect",
      "c",
      { keys: {}, connectAttributes: ["PersistentConnect", "PersistentConnect"] },
      "so write ForAllValues:StringEquals and add PersistentConnect, PersistentConnect to the list",
    ],
    [
      "by a set of which one is excluded",
      [A("Connect", "*", { StringNotEquals: { "iot:ConnectAttributes": "LastWill" } })],
      "Connect",
      "c",
      { connectAttributes: ["PersistentConnect", "LastWill"] },
      "so write ForAnyValue:StringNotEquals where it is enough that PersistentConnect is not listed, or write ForAllValues:StringNotEquals and take LastWill out of the list",
    ],
    [
      "with another action only",
      [press],
      "Connect",
      "c",
      {},
      "it is about other actions (iot:Publish), so add iot:Connect",
    ],
    [
      "by a condition",
      [A("Publish", "topic/a", { StringEquals: { "iot:ClientId": ["x", "y"] } })],
      "Publish",
      "a",
      { clientId: "z" },
      "its condition StringEquals iot:ClientId [x, y] does not hold: the request has z",
    ],
    [
      "by a condition on a missing key",
      [A("Publish", "topic/a", { Bool: { "iot:Connection.Thing.IsAttached": "true" } })],
      "Publish",
      "a",
      {},
      "[true] does not hold: iot:Connection.Thing.IsAttached has no value: no thing is associated with the connection",
    ],
    [
      "by a condition on the thing over HTTPS",
      [A("Publish", "topic/a", { Bool: { "iot:Connection.Thing.IsAttached": "true" } })],
      "Publish",
      "a",
      { protocol: "https" },
      "[true] does not hold: iot:Connection.Thing.IsAttached has no value over HTTPS: only MQTT connections have things",
    ],
    [
      "by a condition on a key of the caller's that is missing",
      [A("Publish", "topic/a", { StringEquals: { "x:key": "v" } })],
      "Publish",
      "a",
      {},
      "[v] does not hold: the request has no value for x:key; it needs the value v, or the condition has to go",
    ],
    [
      "by a key that has to be there",
      [A("Publish", "topic/a", { Null: { "x:key": "false" } })],
      "Publish",
      "a",
      {},
      "does not hold: the request has no value for x:key; it needs one, or the condition has to go",
    ],
    [
      "by a key that may not be there",
      [A("Publish", "topic/a", { Null: { "x:key": "true" } })],
      "Publish",
      "a",
      { keys: { "x:key": "v" } },
      "does not hold: the request has v, and it may have no value for x:key",
    ],
    [
      "by a bound",
      [A("Publish", "topic/a", { NumericLessThanEquals: { "aws:EpochTime": "5" } })],
      "Publish",
      "a",
      { currentTimeMs: 6000 },
      "does not hold: the request has 6, which has to be at most 5",
    ],
    [
      "by a date",
      [A("Publish", "topic/a", { DateLessThan: { "aws:CurrentTime": "1970-01-01T00:00:05Z" } })],
      "Publish",
      "a",
      { currentTimeMs: 6000 },
      "does not hold: the request has 1970-01-01T00:00:06.000Z, which has to be before 1970-01-01T00:00:05Z",
    ],
    [
      "by a variable that does not exist",
      [A("Publish", "topic/${iot:ThingName}")],
      "Publish",
      "a",
      {},
      "${iot:ThingName} is no variable of AWS IoT; write ${iot:Connection.Thing.ThingName}",
    ],
    [
      "explicitly, by a condition",
      [A("Publish", "*"), D("Publish", "*", { StringLike: { "iot:ClientId": "lamp-*" } })],
      "Publish",
      "a",
      { clientId: "lamp-1" },
      "by its resource * under its condition StringLike iot:ClientId [lamp-*] (the request has lamp-1), which outranks",
    ],
    [
      "explicitly, by NotResource",
      [A("Publish", "*"), D("Publish", "!topic/b")],
      "Publish",
      "a",
      {},
      `because its NotResource (${prefix}topic/b) does not list it, which outranks`,
    ],
    [
      "by NotResource",
      [A("Receive", "!topic/a/*")],
      "Receive",
      "a/b",
      {},
      `its NotResource ${prefix}topic/a/* leaves this resource out`,
    ],
    [
      "explicitly",
      [A("Publish", "*"), D("Publish", "topic/a")],
      "Publish",
      "a",
      {},
      "Denied: statement $.Statement[1] of test denies",
    ],
    [
      "with no Allow at all",
      [D("Publish", "topic/b")],
      "Publish",
      "a",
      {},
      "no policy in effect has an Allow statement",
    ],
  ];
  for (const [title, policy, action, name, context, part] of rows) {
    test(title, () => {
      expect(explain(policy, action, name, context).sentence).toContain(part);
    });
  }
});

describe("nearest", () => {
  test("is the statement with the least between it and the request, wherever it stands", () => {
    const near = A("Publish", "topic/a/b");
    const far = A("Connect", "client/x");
    const condition = { StringEquals: { "iot:ClientId": "c" } };
    for (const [policy, index] of [
      [[near, far], 0],
      [[far, near], 1],
      [[A("Publish", "topic/a/c", condition), A("Publish", "topic/zzz", condition)], 0],
      [[A("Publish", "topic/zzz", condition), A("Publish", "topic/a/c", condition)], 1],
    ] as const) {
      expect(explain(policy, "Publish", "a/c").nearest?.statement.path).toBe(`$.Statement[${index}]`);
    }
  });

  test("is the statement with the fewest elements in the way, and names them all", () => {
    const { nearest } = explain(
      [
        A("Subscribe", "topicfilter/a"),
        A("Publish", "topic/other"),
        A("Publish", ["topic/far/away", "topic/a/c"], { StringEquals: { "iot:ClientId": "y" } }),
        A("Publish", ["topic/far/away", "topic/a/c"]),
      ],
      "Publish",
      "a/b",
      { clientId: "x" },
    );
    expect(nearest?.statement.path).toBe("$.Statement[3]");
    expect(nearest?.separatedBy).toMatchObject([
      { element: "resource", path: "$.Statement[3].Resource[1]", closest: { text: `${prefix}topic/a/c` } },
    ]);
  });
});

test("the closest resource has the most in common at both ends, each character counted once", () => {
  const { nearest } = explain([A("Publish", ["topic/aaa", "topic/aaaab"])], "Publish", "aaaa");
  expect(nearest?.separatedBy).toMatchObject([{ closest: { text: `${prefix}topic/aaaab` } }]);
});

describe("outcomes", () => {
  test("each element of each statement, with what variables became", () => {
    const condition = {
      "ForAnyValue:StringLike": { "iot:Certificate.Subject.CommonName.List": ["x*", "${iot:ClientId}"] },
    };
    const { statements, decisive, unresolved } = explain(
      [A(["Publish", "Receive"], `topic/${serialNumber}/*`, condition), D("Publish", "topic/${iot:Thing.ThingName}")],
      "Publish",
      "G03X/a",
      { certificate: { subject: { SerialNumber: ["G03X"], CommonName: ["a", "xy"] } } },
    );
    expect(decisive).toEqual([statements[0]]);
    expect(statements[0]).toMatchObject({
      policy: "test",
      effect: "Allow",
      matches: true,
      action: {
        matches: true,
        values: [
          { text: "iot:Publish", matches: true },
          { text: "iot:Receive", matches: false },
        ],
      },
      resource: { matches: true, values: [{ resolved: `${prefix}topic/G03X/*`, matches: true, unresolved: [] }] },
      conditions: [
        {
          matches: true,
          operator: "ForAnyValue:StringLike",
          key: "iot:Certificate.Subject.CommonName.List",
          found: ["a", "xy"],
          values: [
            { text: "x*", matches: true },
            { text: "${iot:ClientId}", matches: false, unresolved: [{ reason: "absent" }] },
          ],
        },
      ],
    });
    expect(unresolved.map(({ variable, reason }) => [variable, reason])).toEqual([
      ["${iot:ClientId}", "absent"],
      ["${iot:Thing.ThingName}", "unknown"],
    ]);
  });

  test("Null shows whether the key was absent", () => {
    const { statements } = explain([A("Publish", "*", { Null: { "iot:ClientId": ["true"] } })], "Publish", "a");
    expect(statements[0]?.conditions[0]).toMatchObject({
      matches: true,
      found: [],
      values: [{ text: "true", matches: true }],
    });
  });

  test("why each variable has no value", () => {
    const why = (name: string, context: RequestContext): string | undefined =>
      explain([A("Publish", `topic/\${${name}}`)], "Publish", "a", context).unresolved[0]?.detail;
    const thing = { name: "t", isAttached: true };
    expect(why("iot:ClientId", {})).toBe("has no value: only MQTT connections have client identifiers");
    expect(why("iot:Connection.Thing.ThingName", {})).toContain("no thing is associated");
    expect(why("iot:Connection.Thing.ThingName", { thing: { ...thing, isAttached: false } })).toContain("not attached");
    expect(why("iot:Connection.Thing.ThingTypeName", { thing })).toContain("has no type");
    expect(why("iot:Connection.Thing.Attributes[a]", { thing })).toContain("has no such attribute");
    expect(why("iot:Certificate.Subject.CommonName.5", button)).toContain("only the first 5 values");
    expect(why("iot:Certificate.Subject.CommonName.4", button)).toContain("the certificate does not have it");
    expect(why("iot:Certificate.Subject.CommonName.List", button)).toContain("only conditions can use it");
    expect(why("iot:Topic", { topic: "a" })).toBe("is a condition key and no variable");
    expect(why("iot:Nothing", {})).toBe("is no variable of AWS IoT");
  });
});
