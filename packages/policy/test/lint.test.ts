/**
 * Lint: each rule fires where it should, says where, and its example can be replayed; clean policies have no findings. Most of the file is one
 * table of the rules with what fires each, which is read as a whole.
 */

import {
  compile,
  parsePolicyOrThrow,
  type Decision,
  type ParsedPolicy,
  type PolicyAction,
  type PolicyRequest,
  type RequestContext,
  type ResourceArn,
} from "@latchkey/policy";
import { lint, lintSeverities, type LintCode, type LintFinding } from "@latchkey/policy/authoring";
import { describe, expect, test } from "vitest";
import { A, D, policyText, prefix, requestOf, type Short } from "./fixtures.ts";

function parse(...statements: readonly Short[]): ParsedPolicy {
  return parsePolicyOrThrow(policyText(...statements), { name: "p" });
}

/** A finding in short: code, path, decision on the example. */
function summary(finding: LintFinding): readonly [LintCode, string, Decision | undefined] {
  return [finding.code, finding.path, finding.example?.decision];
}

function byText(a: readonly unknown[], b: readonly unknown[]): number {
  return a.join() < b.join() ? -1 : 1;
}

const thing = "${iot:Connection.Thing.ThingName}";
const commonName = "${iot:Certificate.Subject.CommonName}";
const receiveAll = A("Receive", "topic/*");

interface Case {
  readonly title: string;
  readonly policy: readonly Short[];
  readonly expected: readonly (readonly [LintCode, string, Decision | undefined])[];
}

const cases: readonly Case[] = [
  {
    title: "Device Defender: client/*",
    policy: [A("Connect", "client/*")],
    expected: [["any-client", "$.Statement[0].Resource", "allow"]],
  },
  {
    title: "Device Defender: client/${iot:ClientId}",
    policy: [A("Connect", "client/${iot:ClientId}")],
    expected: [["any-client", "$.Statement[0].Resource", "allow"]],
  },
  {
    title: "client/* for whoever has a value that the whole fleet may share",
    policy: [A("Connect", "client/*", { StringEquals: { "fleet:group": "lamps" } })],
    expected: [["any-client", "$.Statement[0].Resource", "allow"]],
  },
  {
    title: "Device Defender: Publish on all shadows",
    policy: [A("Publish", ["topic/a", "topic/$aws/things/*"])],
    expected: [["any-shadow", "$.Statement[0].Resource[1]", "allow"]],
  },
  {
    title: "Device Defender: Subscribe on all shadows",
    policy: [A("Subscribe", "topicfilter/$aws/things/*"), receiveAll],
    expected: [["any-shadow", "$.Statement[0].Resource", "allow"]],
  },
  {
    title: "Device Defender: Subscribe on +/shadow/update",
    policy: [A("Subscribe", "topicfilter/$aws/things/+/shadow/update"), receiveAll],
    expected: [["any-shadow", "$.Statement[0].Resource", "allow"]],
  },
  {
    title: "Device Defender: thing/* for shadow actions",
    policy: [A(["GetThingShadow", "UpdateThingShadow"], "thing/*")],
    expected: [["any-thing", "$.Statement[0].Resource", "allow"]],
  },
  {
    title: "Device Defender: thing/* for job actions",
    policy: [A("DescribeJobExecution", "thing/*")],
    expected: [["any-thing", "$.Statement[0].Resource", "allow"]],
  },
  {
    title: "everything",
    policy: [A("iot:*", "*")],
    expected: [
      ["any-client", "$.Statement[0].Resource", "allow"],
      ["any-shadow", "$.Statement[0].Resource", "allow"],
      ["any-thing", "$.Statement[0].Resource", "allow"],
      ["any-role-alias", "$.Statement[0].Resource", "allow"],
    ],
  },
  ...[
    "topicfilter/$aws/things/#",
    "topicfilter/$aws/things/+/shadow/#",
    "topicfilter/$aws/#",
    "topicfilter/#",
    "topicfilter/$aws/things/+/shadow/update/documents",
    "topicfilter/$aws/things/*/shadow/name/*",
    "topicfilter/$aws/*",
    "topicfilter/$aws/things/+/jobs/notify-next",
  ].map((resource): Case => ({
    title: `Device Defender: Subscribe on ${resource}`,
    policy: [A("Subscribe", resource), receiveAll],
    expected: [["any-shadow", "$.Statement[0].Resource", "allow"]],
  })),
  ...["topic/$aws/things/*/jobs/*", "topic/$aws/things/*/shadow/name/*", "topic/$aws/*", "topic/*"].map(
    (resource): Case => ({
      title: `Device Defender: Publish on ${resource}`,
      policy: [A("Publish", resource)],
      expected: [["any-shadow", "$.Statement[0].Resource", "allow"]],
    }),
  ),
  {
    title: "a Deny that closes the hole",
    policy: [
      A("Publish", "topic/*"),
      D("Publish", "topic/$aws/*"),
      A("Connect", "client/*"),
      D("Connect", "!client/c1"),
    ],
    expected: [],
  },
  {
    title: "a condition that closes the hole",
    policy: [A("Publish", "topic/*", { StringEquals: { "iot:Certificate.Subject.CommonName": "admin" } })],
    expected: [],
  },
  {
    title: "any client, where IsAttached is required true",
    policy: [A("Connect", "client/*", { Bool: { "iot:Connection.Thing.IsAttached": "true" } })],
    expected: [],
  },
  {
    title: "any client, under conditions that an attacker can meet",
    policy: [
      A("Connect", "client/*", { Bool: { "iot:Connection.Thing.IsAttached": "false" } }),
      A("Connect", "client/*", { StringEquals: { "iot:DomainName": "a.example" } }),
      A("Connect", "client/*", { IpAddress: { "aws:SourceIp": "10.0.0.0/8" } }),
    ],
    expected: [
      ["any-client", "$.Statement[0].Resource", "allow"],
      ["any-client", "$.Statement[1].Resource", "allow"],
      ["any-client", "$.Statement[2].Resource", "allow"],
    ],
  },
  {
    title: "every role alias",
    policy: [A("AssumeRoleWithCertificate", "rolealias/*")],
    expected: [["any-role-alias", "$.Statement[0].Resource", "allow"]],
  },
  {
    title: "a thing variable for an action over HTTPS",
    policy: [A("GetThingShadow", `thing/${thing}`)],
    expected: [["thing-variable-over-https", "$.Statement[0].Resource", undefined]],
  },
  {
    title: "a thing variable for actions over HTTPS beside an action over MQTT",
    policy: [A(["Publish", "GetThingShadow"], [`topic/${thing}`, `thing/${thing}`])],
    expected: [["thing-variable-over-https", "$.Statement[0].Resource[1]", undefined]],
  },
  {
    title: "conditions on the thing and the client identifier for actions over HTTPS",
    policy: [
      A("GetThingShadow", "thing/a", { Bool: { "iot:Connection.Thing.IsAttached": "true" } }),
      A("GetRetainedMessage", "topic/a", { StringEquals: { "iot:ClientId": "a" } }),
      A("GetThingShadow", "thing/a", { StringEquals: { "iot:DomainName": ["a", thing] } }),
      D("GetThingShadow", "thing/a", { StringEquals: { "iot:Connection.Thing.ThingName": "a" } }),
      A("GetThingShadow", "thing/a", {
        StringNotEquals: { "iot:ClientId": "a" },
        StringLikeIfExists: { "iot:ClientId": "a" },
        Null: { "iot:ClientId": "true" },
      }),
      A(["Publish", "GetRetainedMessage"], "topic/a", { StringEquals: { "iot:ClientId": "a" } }),
    ],
    expected: [
      ["thing-variable-over-https", '$.Statement[0].Condition.Bool["iot:Connection.Thing.IsAttached"]', undefined],
      ["thing-variable-over-https", '$.Statement[1].Condition.StringEquals["iot:ClientId"]', undefined],
      ["thing-variable-over-https", '$.Statement[2].Condition.StringEquals["iot:DomainName"][1]', undefined],
      [
        "thing-variable-over-https",
        '$.Statement[3].Condition.StringEquals["iot:Connection.Thing.ThingName"]',
        undefined,
      ],
    ],
  },
  {
    title: "reserved topics by shared filters, and those of every service",
    policy: [
      A("Subscribe", [
        "topicfilter/$share/g/#",
        "topicfilter/$share/*/$aws/things/+/shadow/#",
        "topicfilter/$share/g/$aws/things/*/shadow/*",
        "topicfilter/$aws/things/+/shadow/get/accepted",
        "topicfilter/$aws/things/+/defender/#",
        "topicfilter/$share/g/$aws/things/lamp-1/shadow/#",
        "topicfilter/$share/g/a",
      ]),
      A("Publish", "topic/$aws/things/*/defender/metrics/json"),
      receiveAll,
    ],
    expected: [
      ["any-shadow", "$.Statement[0].Resource[0]", "allow"],
      ["any-shadow", "$.Statement[0].Resource[1]", "allow"],
      ["any-shadow", "$.Statement[0].Resource[2]", "allow"],
      ["any-shadow", "$.Statement[0].Resource[3]", "allow"],
      ["any-shadow", "$.Statement[0].Resource[4]", "allow"],
      ["any-shadow", "$.Statement[1].Resource", "allow"],
    ],
  },
  {
    title: "Basic Ingest topics in Subscribe",
    policy: [A("Subscribe", "topicfilter/$aws/rules/r/a"), A("Receive", "topic/$aws/rules/r/a")],
    expected: [
      ["basic-ingest-in-subscribe", "$.Statement[0].Resource", undefined],
      ["basic-ingest-in-subscribe", "$.Statement[1].Resource", undefined],
    ],
  },
  {
    title: "iot:* on topics only",
    policy: [A("iot:*", "topic/a")],
    expected: [["nothing-connects", "$.Statement[0].Action", undefined]],
  },
  {
    title: "a variable without a delimiter behind it",
    policy: [A("Publish", `topic/${thing}*`)],
    expected: [["variable-without-delimiter", "$.Statement[0].Resource", undefined]],
  },
  {
    title: "operators that compare otherwise than they look",
    policy: [
      A("Publish", "topic/a", { StringEquals: { "iot:ClientId": "lamp-*" } }),
      A("Publish", "topic/b", { NumericEquals: { "iot:ClientId": "7" } }),
      A("Publish", "topic/c", { Bool: { "iot:DomainName": "true" } }),
      A("Publish", "topic/d", { StringEquals: { "iot:ClientId": [] } }),
      A("Publish", "topic/e", { Bool: { "iot:Connection.Thing.IsAttached": "true" } }),
    ],
    expected: [
      ["wildcard-in-string-equals", '$.Statement[0].Condition.StringEquals["iot:ClientId"]', undefined],
      ["operator-of-other-type", '$.Statement[1].Condition.NumericEquals["iot:ClientId"]', undefined],
      ["operator-of-other-type", '$.Statement[2].Condition.Bool["iot:DomainName"]', undefined],
      ["empty-value-list", '$.Statement[3].Condition.StringEquals["iot:ClientId"]', undefined],
    ],
  },
  {
    title: "RetainPublish without Publish",
    policy: [A("RetainPublish", "topic/a")],
    expected: [["retain-without-publish", "$.Statement[0].Resource", undefined]],
  },
  {
    title: "RetainPublish on one topic and Publish on others",
    policy: [A("RetainPublish", ["topic/a", "topic/b/*", "topic/c/1"]), A("Publish", ["topic/b/1", "topic/c/*"])],
    expected: [["retain-without-publish", "$.Statement[0].Resource[0]", undefined]],
  },
  {
    title: "quotes in the name of an attribute",
    policy: [A("Publish", "topic/${iot:Connection.Thing.Attributes['env']}")],
    expected: [["quoted-attribute", "$.Statement[0].Resource", undefined]],
  },
  {
    title: "ARNs that are written wrong",
    policy: [
      A("Publish", [
        "arn:aws:iot:us-east-1:123456789012::topic/a",
        "arn:aws:us-east-1:123456789012:topic/a",
        "arn:aws:iot:us-east-1:topic/a",
        "arn:aws:iot::us-east-1:123456789012:topic/a",
        "arn:aws:iot:${iot:ClientId}:123456789012:topic/a",
        "arn:aws:iot:*:topic/a",
      ]),
    ],
    expected: [
      ["malformed-arn", "$.Statement[0].Resource[0]", undefined],
      ["malformed-arn", "$.Statement[0].Resource[1]", undefined],
      ["malformed-arn", "$.Statement[0].Resource[2]", undefined],
      ["malformed-arn", "$.Statement[0].Resource[3]", undefined],
      ["variable-in-arn-head", "$.Statement[0].Resource[4]", undefined],
      ["wildcard-across-segments", "$.Statement[0].Resource[5]", undefined],
    ],
  },
  {
    title: "an action of another service is none of ours",
    policy: [A(["Publish", "greengrass:Discover"], "topic/a")],
    expected: [],
  },
  {
    title: "Device Defender: POLICY_CONTAINS_MQTT_WILDCARDS_IN_DENY_STATEMENT",
    policy: [
      A("Subscribe", "topicfilter/building/*"),
      D("Subscribe", "topicfilter/building/control_room/#"),
      A("Receive", "topic/building/*"),
      D("Receive", "topic/building/control_room/*"),
    ],
    expected: [["mqtt-wildcard-in-deny", "$.Statement[1].Resource", "allow"]],
  },
  {
    title: "Device Defender: TOPIC_FILTERS_INTENDED_TO_DENY_ALLOWED_USING_WILDCARDS",
    policy: [
      A("Subscribe", "topicfilter/building/*"),
      D("Subscribe", "topicfilter/building/control_room/*"),
      A("Receive", "topic/building/*"),
    ],
    expected: [["deny-bypassed-by-filter", "$.Statement[1].Resource", "allow"]],
  },
  {
    title: "the same, closed by a Deny on Receive",
    policy: [
      A("Subscribe", "topicfilter/building/*"),
      D("Subscribe", "topicfilter/building/control_room/*"),
      A("Receive", "topic/building/*"),
      D("Receive", "topic/building/control_room/*"),
    ],
    expected: [],
  },
  {
    title: "the article's second policy: no iotbutton/ before the serial number",
    policy: [A("Publish", "topic/${iot:Certificate.Subject.SerialNumber}")],
    expected: [["serial-number-without-prefix", "$.Statement[0].Resource", "implicit-deny"]],
  },
  {
    title: "Subscribe without Receive",
    policy: [A("Subscribe", "topicfilter/a/+/b")],
    expected: [["receive-missing", "$.Statement[0].Resource", "implicit-deny"]],
  },
  {
    title: "a shared subscription without Receive",
    policy: [A("Subscribe", "topicfilter/$share/group/a")],
    expected: [["receive-missing", "$.Statement[0].Resource", "implicit-deny"]],
  },
  {
    title: "a shared subscription with Receive in either form",
    policy: [
      A("Subscribe", ["topicfilter/$share/group/a", "topicfilter/$share/*/b"]),
      A("Receive", ["topic/$share/*/a", "topic/b"]),
    ],
    expected: [],
  },
  {
    title: "Receive for one topic of a filter is enough",
    policy: [A("Subscribe", "topicfilter/a/+"), A("Receive", "topic/a/b")],
    expected: [],
  },
  {
    title: "a topicfilter for Publish, a topic for Subscribe",
    policy: [A("Publish", "topicfilter/a"), A("Subscribe", ["topic/b"])],
    expected: [
      ["action-resource-mismatch", "$.Statement[0].Action", "implicit-deny"],
      ["action-resource-mismatch", "$.Statement[0].Resource", undefined],
      ["action-resource-mismatch", "$.Statement[1].Action", "implicit-deny"],
      ["action-resource-mismatch", "$.Statement[1].Resource[0]", undefined],
    ],
  },
  {
    title: "a list action on an ARN",
    policy: [A("ListRetainedMessages", "topic/a")],
    expected: [
      ["action-resource-mismatch", "$.Statement[0].Action", "implicit-deny"],
      ["action-resource-mismatch", "$.Statement[0].Resource", undefined],
    ],
  },
  {
    title: "+ in a topic that messages would have to have",
    policy: [A("Publish", "topic/a/+/b")],
    expected: [["mqtt-wildcard-in-topic", "$.Statement[0].Resource", "implicit-deny"]],
  },
  {
    title: "names that do not exist",
    policy: [
      A("Publsh", "topic/a"),
      A("Publish", "topic/${iot:Thing.ThingName}", { StringEquals: { "iot:ClientName": "x" } }),
      A("Publish", "topic/${iot:ConnectAttributes}/${iot:Certificate.Subject.CommonName.5}"),
    ],
    expected: [
      ["unknown-action", "$.Statement[0].Action", undefined],
      ["unknown-variable", "$.Statement[1].Resource", undefined],
      ["unknown-condition-key", '$.Statement[1].Condition.StringEquals["iot:ClientName"]', undefined],
      ["condition-key-as-variable", "$.Statement[2].Resource", undefined],
      ["index-out-of-range", "$.Statement[2].Resource", undefined],
    ],
  },
  {
    title: "how variables are written",
    policy: [A("Publish", ["topic/${iot:ClientId/a", "topic/a$(*)"])],
    expected: [
      ["unclosed-variable", "$.Statement[0].Resource[0]", undefined],
      ["parenthesised-escape", "$.Statement[0].Resource[1]", undefined],
    ],
  },
  {
    title: "ForAllValues holds for nothing",
    policy: [
      A("Publish", "topic/admin", {
        "ForAllValues:StringEquals": { "iot:Certificate.Subject.Organization.List": ["Example Corp"] },
      }),
    ],
    expected: [
      [
        "vacuous-for-all-values",
        '$.Statement[0].Condition["ForAllValues:StringEquals"]["iot:Certificate.Subject.Organization.List"]',
        "allow",
      ],
    ],
  },
  {
    title: "the same, guarded by Null",
    policy: [
      A("Publish", "topic/admin", {
        "ForAllValues:StringEquals": { "iot:Certificate.Subject.Organization.List": ["Example Corp"] },
        Null: { "iot:Certificate.Subject.Organization": "false" },
      }),
    ],
    expected: [],
  },
  {
    title: "AWS's recipe for CONNECT attributes",
    policy: [
      A("Connect", "client/c1", { "ForAllValues:StringEquals": { "iot:ConnectAttributes": ["PersistentConnect"] } }),
    ],
    expected: [],
  },
  {
    title: "a set compared without a prefix, and a key that other actions lack",
    policy: [A(["Connect", "Publish"], "*", { StringEquals: { "iot:ConnectAttributes": "LastWill" } })],
    expected: [
      ["any-client", "$.Statement[0].Resource", "allow"],
      ["set-without-prefix", '$.Statement[0].Condition.StringEquals["iot:ConnectAttributes"]', undefined],
      ["condition-key-of-other-action", '$.Statement[0].Condition.StringEquals["iot:ConnectAttributes"]', undefined],
    ],
  },
  {
    title: "a Deny that does not fire without a common name",
    policy: [A("Publish", "topic/*"), D("Publish", `topic/private/${commonName}`)],
    expected: [
      ["any-shadow", "$.Statement[0].Resource", "allow"],
      ["deny-with-unresolvable-variable", "$.Statement[1].Resource", "allow"],
    ],
  },
  {
    title: "client + subscribes to everybody's topics",
    policy: [
      A("Connect", "client/*"),
      A("Subscribe", "topicfilter/my/${iot:ClientId}/topic"),
      A("Receive", "topic/my/*"),
    ],
    expected: [
      ["any-client", "$.Statement[0].Resource", "allow"],
      ["client-id-injection", "$.Statement[1].Resource", "allow"],
    ],
  },
  {
    title: "an ARN that is cut short",
    policy: [A("Publish", "arn:aws:iot:us-east-1")],
    expected: [
      ["incomplete-arn", "$.Statement[0].Resource", undefined],
      ["any-shadow", "$.Statement[0].Resource", "allow"],
    ],
  },
  {
    title: "Allow with NotResource",
    policy: [A("Publish", "!topic/a")],
    expected: [["not-in-allow", "$.Statement[0].NotResource", undefined]],
  },
  { title: "AWS's recipe for Receive with NotResource", policy: [A("Receive", "!topic/a/*")], expected: [] },
  {
    title: "a careful policy",
    policy: [
      A("Connect", `client/${thing}`, { Bool: { "iot:Connection.Thing.IsAttached": "true" } }),
      A("Publish", [
        `topic/$aws/things/${thing}/shadow/update`,
        "topic/iotbutton/${iot:Certificate.Subject.SerialNumber}",
      ]),
      A("Subscribe", `topicfilter/$aws/things/${thing}/shadow/update/+`),
      A("Receive", `topic/$aws/things/${thing}/shadow/update/*`),
      A(["GetThingShadow", "UpdateThingShadow"], `thing/${commonName}`),
      A("ListNamedShadowsForThing", "*"),
    ],
    expected: [],
  },
];

describe("each rule", () => {
  for (const { title, policy, expected } of cases) {
    test(title, () => {
      const parsed = parse(...policy);
      const findings = lint([parsed]);
      expect(findings.map(summary).sort(byText)).toEqual([...expected].sort(byText));
      for (const { example, code, severity } of findings) {
        expect(severity).toBe(lintSeverities[code]);
        if (example !== undefined) expect(compile([parsed]).decide(example.request)).toBe(example.decision);
      }
    });
  }

  test("old versions and repeated Sids", () => {
    const statement = { Sid: "a", Effect: "Allow", Action: "iot:Publish", Resource: `${prefix}topic/\${iot:ClientId}` };
    const policy = parsePolicyOrThrow(JSON.stringify({ Statement: [statement, statement] }));
    expect(lint([policy]).map(({ code, path }) => [code, path])).toEqual([
      ["old-version", "$"],
      ["duplicate-sid", "$.Statement[1]"],
    ]);
  });

  test("every code is reached by a case", () => {
    const reached = new Set(cases.flatMap(({ expected }) => expected.map(([code]) => code)));
    const elsewhere = ["old-version", "duplicate-sid", "not-everything-checked"];
    expect(
      Object.keys(lintSeverities)
        .filter((code) => !reached.has(code as LintCode))
        .sort(),
    ).toEqual(elsewhere.sort());
  });

  test("an empty list of values: what the condition does then depends on the operator", () => {
    const messageOf = (operator: string): string | undefined =>
      lint([parse(A("Publish", "topic/a", { [operator]: { "iot:ClientId": [] } }))]).find(
        ({ code }) => code === "empty-value-list",
      )?.message;
    expect(messageOf("StringEquals")).toMatch(/so it never holds$/);
    expect(messageOf("StringNotEquals")).toMatch(/so it holds for every value or none$/);
    expect(messageOf("ForAllValues:StringEquals")).toMatch(/so it holds for every value or none$/);
  });

  test("2,000,000 comparisons of filters with statements are made, and what is left is named", () => {
    const others = Array.from({ length: 999 }, (_, n) => D("Publish", `topic/${n}`));
    const unchecked = (filters: number): string[] => {
      const resources = Array.from({ length: filters }, (_, n) => `topicfilter/${n}`);
      const text = policyText(D("Subscribe", resources), ...others);
      const policy = parsePolicyOrThrow(text, { maximumCharacters: Number.POSITIVE_INFINITY });
      return lint([policy]).flatMap(({ code, path }) => (code === "not-everything-checked" ? [path] : []));
    };
    expect(unchecked(2000)).toEqual([]);
    expect(unchecked(2001)).toEqual(["$.Statement[0].Resource[2000]"]);
  });

  test("policies count together: Receive may stand in another one", () => {
    const subscribe = parse(A("Subscribe", "topicfilter/a"));
    expect(lint([subscribe, parse(A("Receive", "topic/a"))])).toEqual([]);
  });

  test("the place is that of the element in the text", () => {
    const text = `{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "iot:Connect",\n  "Resource": "*"}}`;
    expect(lint([parsePolicyOrThrow(text)])[0]).toMatchObject({ line: 2, column: 15, path: "$.Statement.Resource" });
  });

  test("a suggestion for an unknown name is the nearest known one", () => {
    const fixOf = (variable: string): string | undefined =>
      lint([parse(A("Publish", `topic/\${${variable}}`))])[0]?.fix;
    expect(fixOf("iot:Thing.ThingName")).toBe("write ${iot:Connection.Thing.ThingName}");
    expect(fixOf("iot:Certificate.Subject.CommonNam")).toBe("write ${iot:Certificate.Subject.CommonName}");
    expect(fixOf("iot:clientid2")).toBe("write ${iot:ClientId}");
    expect(fixOf("iot:ThingName")).toBe("write ${iot:Connection.Thing.ThingName}");
    expect(fixOf("iot:Nonsense")).toBe("write a variable that AWS IoT has, or the text itself");
    const actionFix = (action: string): string | undefined => lint([parse(A(action, "topic/a"))])[0]?.fix;
    expect(actionFix("Publsh")).toBe("write iot:Publish");
    expect(actionFix("Nonsense")).toBe("remove it, or correct its name");
  });
});

/** A policy with a finding, the same with the fix applied, what has to work then, and what has to be closed. */
interface Mend {
  readonly code: LintCode;
  readonly before: readonly Short[];
  readonly after: readonly Short[];
  readonly works: PolicyRequest;
  readonly closed?: PolicyRequest;
}

const device: RequestContext = {
  protocol: "mqtt",
  clientId: "lamp-1",
  thing: { name: "lamp-1", attributes: { env: "prod" }, isAttached: true },
  certificate: { subject: { CommonName: ["lamp-1"], SerialNumber: ["G030JF055364XVRB"], Organization: ["Acme"] } },
};
const stranger: RequestContext = { ...device, clientId: "other-thing", thing: undefined };
const overHttps = (action: PolicyAction, name: string): PolicyRequest => ({
  action,
  resource: `${prefix}${name}` as ResourceArn,
  context: { protocol: "https", certificate: device.certificate },
});

const onlyWill = { "ForAllValues:StringEquals": { "iot:ConnectAttributes": ["LastWill"] } };

const mends: readonly Mend[] = [
  {
    code: "any-client",
    before: [A("Connect", "client/*")],
    after: [A("Connect", `client/${thing}`)],
    works: requestOf("Connect", "lamp-1", device),
    closed: requestOf("Connect", "other-thing", stranger),
  },
  {
    code: "any-client",
    before: [A("Connect", "client/*")],
    after: [A("Connect", "client/*", { Bool: { "iot:Connection.Thing.IsAttached": "true" } })],
    works: requestOf("Connect", "lamp-1", device),
    closed: requestOf("Connect", "other-thing", stranger),
  },
  {
    code: "any-shadow",
    before: [A("Publish", "topic/$aws/things/*")],
    after: [A("Publish", `topic/$aws/things/${thing}/*`)],
    works: requestOf("Publish", "$aws/things/lamp-1/shadow/update", device),
    closed: requestOf("Publish", "$aws/things/other-thing/shadow/update", device),
  },
  {
    code: "any-thing",
    before: [A("GetThingShadow", "thing/*")],
    after: [A("GetThingShadow", `thing/${commonName}`)],
    works: overHttps("iot:GetThingShadow", "thing/lamp-1"),
    closed: overHttps("iot:GetThingShadow", "thing/other-thing"),
  },
  {
    code: "thing-variable-over-https",
    before: [A("UpdateThingShadow", `thing/${thing}`)],
    after: [A("UpdateThingShadow", `thing/${commonName}`)],
    works: overHttps("iot:UpdateThingShadow", "thing/lamp-1"),
    closed: overHttps("iot:UpdateThingShadow", "thing/lamp-2"),
  },
  {
    code: "thing-variable-over-https",
    before: [A("UpdateThingShadow", "thing/lamp-1", { StringEquals: { "iot:Connection.Thing.ThingName": "lamp-1" } })],
    after: [
      A("UpdateThingShadow", "thing/lamp-1", { StringEquals: { "iot:Certificate.Subject.CommonName": "lamp-1" } }),
    ],
    works: overHttps("iot:UpdateThingShadow", "thing/lamp-1"),
  },
  {
    code: "any-role-alias",
    before: [A("AssumeRoleWithCertificate", "rolealias/*")],
    after: [A("AssumeRoleWithCertificate", "rolealias/upload")],
    works: overHttps("iot:AssumeRoleWithCertificate", "rolealias/upload"),
    closed: overHttps("iot:AssumeRoleWithCertificate", "rolealias/admin"),
  },
  {
    code: "variable-without-delimiter",
    before: [A("Publish", `topic/${thing}*`)],
    after: [A("Publish", `topic/${thing}/*`)],
    works: requestOf("Publish", "lamp-1/state", device),
    closed: requestOf("Publish", "lamp-10/state", device),
  },
  {
    code: "quoted-attribute",
    before: [A("Publish", "topic/${iot:Connection.Thing.Attributes['env']}/a")],
    after: [A("Publish", "topic/${iot:Connection.Thing.Attributes[env]}/a")],
    works: requestOf("Publish", "prod/a", device),
    closed: requestOf("Publish", "test/a", device),
  },
  {
    code: "malformed-arn",
    before: [A("Publish", "arn:aws:us-east-1:123456789012:topic/a")],
    after: [A("Publish", "arn:aws:iot:us-east-1:123456789012:topic/a")],
    works: requestOf("Publish", "a", device),
  },
  {
    code: "malformed-arn",
    before: [A("Publish", "arn:aws:iot:us-east-1:123456789012::topic/a")],
    after: [A("Publish", "arn:aws:iot:us-east-1:123456789012:topic/a")],
    works: requestOf("Publish", "a", device),
  },
  {
    code: "wildcard-in-string-equals",
    before: [A("Publish", "topic/a", { StringEquals: { "iot:ClientId": "lamp-*" } })],
    after: [A("Publish", "topic/a", { StringLike: { "iot:ClientId": "lamp-*" } })],
    works: requestOf("Publish", "a", device),
    closed: requestOf("Publish", "a", stranger),
  },
  {
    code: "operator-of-other-type",
    before: [A("Publish", "topic/a", { NumericEquals: { "iot:ClientId": "1" } })],
    after: [A("Publish", "topic/a", { StringEquals: { "iot:ClientId": "lamp-1" } })],
    works: requestOf("Publish", "a", device),
    closed: requestOf("Publish", "a", stranger),
  },
  {
    code: "retain-without-publish",
    before: [A("RetainPublish", "topic/a")],
    after: [A(["RetainPublish", "Publish"], "topic/a")],
    works: requestOf("Publish", "a", device),
  },
  {
    code: "nothing-connects",
    before: [A("iot:*", "topic/a")],
    after: [A("iot:*", "topic/a"), A("Connect", `client/${thing}`)],
    works: requestOf("Connect", "lamp-1", device),
    closed: requestOf("Connect", "other-thing", stranger),
  },
  {
    code: "receive-missing",
    before: [A("Subscribe", "topicfilter/a/+")],
    after: [A("Subscribe", "topicfilter/a/+"), A("Receive", "topic/a/*")],
    works: requestOf("Receive", "a/b", device),
  },
  {
    code: "serial-number-without-prefix",
    before: [A("Publish", "topic/${iot:Certificate.Subject.SerialNumber}")],
    after: [A("Publish", "topic/iotbutton/${iot:Certificate.Subject.SerialNumber}")],
    works: requestOf("Publish", "iotbutton/G030JF055364XVRB", device),
    closed: requestOf("Publish", "iotbutton/G030JF051234A5BC", device),
  },
  {
    code: "mqtt-wildcard-in-topic",
    before: [A("Publish", "topic/a/+/b")],
    after: [A("Publish", "topic/a/*/b")],
    works: requestOf("Publish", "a/x/b", device),
  },
  {
    code: "vacuous-for-all-values",
    before: [
      A("Publish", "topic/a", { "ForAllValues:StringEquals": { "iot:Certificate.Subject.Organization.List": "Acme" } }),
    ],
    after: [
      A("Publish", "topic/a", {
        "ForAllValues:StringEquals": { "iot:Certificate.Subject.Organization.List": "Acme" },
        Null: { "iot:Certificate.Subject.Organization": "false" },
      }),
    ],
    works: requestOf("Publish", "a", device),
    closed: requestOf("Publish", "a", { certificate: {} }),
  },
  {
    code: "deny-bypassed-by-filter",
    before: [A(["Subscribe"], "topicfilter/b/*"), D("Subscribe", "topicfilter/b/c/*"), A("Receive", "topic/b/*")],
    after: [
      A(["Subscribe"], "topicfilter/b/*"),
      D("Subscribe", "topicfilter/b/c/*"),
      A("Receive", "topic/b/*"),
      D("Receive", "topic/b/c/*"),
    ],
    works: requestOf("Receive", "b/d", device),
    closed: requestOf("Receive", "b/c/x", device),
  },
  {
    code: "action-resource-mismatch",
    before: [A("Subscribe", "topic/a"), A("Receive", "topic/a")],
    after: [A("Subscribe", "topicfilter/a"), A("Receive", "topic/a")],
    works: requestOf("Subscribe", "a", device),
    closed: requestOf("Subscribe", "b", device),
  },
  {
    code: "basic-ingest-in-subscribe",
    before: [A("Subscribe", ["topicfilter/$aws/rules/r/a", "topicfilter/a"]), A("Receive", "topic/*")],
    after: [A("Subscribe", "topicfilter/a"), A("Receive", "topic/*")],
    works: requestOf("Subscribe", "a", device),
    closed: requestOf("Subscribe", "$aws/rules/r/a", device),
  },
  {
    code: "client-id-injection",
    before: [
      A("Connect", "client/*"),
      A("Subscribe", "topicfilter/${iot:ClientId}/a"),
      A("Receive", "topic/${iot:ClientId}/a"),
    ],
    after: [
      A("Connect", `client/${thing}`),
      A("Subscribe", `topicfilter/${thing}/a`),
      A("Receive", `topic/${thing}/a`),
    ],
    works: requestOf("Subscribe", "lamp-1/a", device),
    closed: requestOf("Subscribe", "+/a", { ...stranger, clientId: "+" }),
  },
  {
    code: "condition-key-as-variable",
    before: [A("Connect", "client/${iot:LastWillTopic}")],
    after: [A("Connect", `client/${thing}`, { ArnEquals: { "iot:LastWillTopic": `${prefix}topic/a` } })],
    works: requestOf("Connect", "lamp-1", { ...device, lastWillTopic: `${prefix}topic/a` }),
    closed: requestOf("Connect", "lamp-1", { ...device, lastWillTopic: `${prefix}topic/b` }),
  },
  {
    code: "condition-key-of-other-action",
    before: [A(["Connect", "Publish"], ["client/lamp-1", "topic/a"], onlyWill)],
    after: [A("Connect", "client/lamp-1", onlyWill), A("Publish", "topic/a")],
    works: requestOf("Publish", "a", device),
    closed: requestOf("Connect", "lamp-1", { ...device, connectAttributes: ["PersistentConnect"] }),
  },
  {
    code: "deny-with-unresolvable-variable",
    before: [A("Publish", "topic/a/*"), D("Publish", `topic/a/${commonName}`)],
    after: [A("Publish", "topic/a/b")],
    works: requestOf("Publish", "a/b", device),
    closed: requestOf("Publish", "a/lamp-1", device),
  },
  {
    code: "empty-value-list",
    before: [A("Publish", "topic/a", { StringEquals: { "iot:ClientId": [] } })],
    after: [A("Publish", "topic/a", { StringEquals: { "iot:ClientId": ["lamp-1"] } })],
    works: requestOf("Publish", "a", device),
    closed: requestOf("Publish", "a", stranger),
  },
  {
    code: "incomplete-arn",
    before: [A("Publish", "arn:aws:iot:us-east-1")],
    after: [A("Publish", `${prefix}topic/a`)],
    works: requestOf("Publish", "a", device),
    closed: requestOf("Publish", "b", device),
  },
  {
    code: "index-out-of-range",
    before: [A("Publish", "topic/${iot:Certificate.Subject.CommonName.5}/a")],
    after: [A("Publish", "topic/${iot:Certificate.Subject.CommonName.0}/a")],
    works: requestOf("Publish", "lamp-1/a", device),
    closed: requestOf("Publish", "lamp-2/a", device),
  },
  {
    code: "mqtt-wildcard-in-deny",
    before: [A("Publish", "topic/a/*"), D("Publish", "topic/a/+/x")],
    after: [A("Publish", "topic/a/*"), D("Publish", "topic/a/*/x")],
    works: requestOf("Publish", "a/b", device),
    closed: requestOf("Publish", "a/b/x", device),
  },
  {
    code: "not-in-allow",
    before: [A("Publish", "!topic/b")],
    after: [A("Publish", "topic/a")],
    works: requestOf("Publish", "a", device),
    closed: requestOf("Publish", "c", device),
  },
  {
    code: "parenthesised-escape",
    before: [A("Publish", "topic/a$(*)")],
    after: [A("Publish", "topic/a${*}")],
    works: requestOf("Publish", "a*", device),
    closed: requestOf("Publish", "ab", device),
  },
  {
    code: "set-without-prefix",
    before: [A("Connect", `client/${thing}`, { StringEquals: { "iot:ConnectAttributes": "LastWill" } })],
    after: [A("Connect", `client/${thing}`, { "ForAnyValue:StringEquals": { "iot:ConnectAttributes": "LastWill" } })],
    works: requestOf("Connect", "lamp-1", { ...device, connectAttributes: ["LastWill", "PersistentConnect"] }),
    closed: requestOf("Connect", "lamp-1", { ...device, connectAttributes: ["PersistentConnect"] }),
  },
  {
    code: "set-without-prefix",
    before: [A("Connect", `client/${thing}`, { StringEquals: { "iot:ConnectAttributes": "LastWill" } })],
    after: [A("Connect", `client/${thing}`, onlyWill)],
    works: requestOf("Connect", "lamp-1", { ...device, connectAttributes: ["LastWill"] }),
    closed: requestOf("Connect", "lamp-1", { ...device, connectAttributes: ["LastWill", "PersistentConnect"] }),
  },
  {
    code: "unclosed-variable",
    before: [A("Publish", "topic/${iot:Connection.Thing.ThingName")],
    after: [A("Publish", `topic/${thing}`)],
    works: requestOf("Publish", "lamp-1", device),
    closed: requestOf("Publish", "lamp-2", device),
  },
  {
    code: "unknown-action",
    before: [A("Publsh", "topic/a")],
    after: [A("Publish", "topic/a")],
    works: requestOf("Publish", "a", device),
  },
  {
    code: "unknown-condition-key",
    before: [A("Publish", "topic/a", { StringEquals: { "iot:ClientIdd": "lamp-1" } })],
    after: [A("Publish", "topic/a", { StringEquals: { "iot:ClientId": "lamp-1" } })],
    works: requestOf("Publish", "a", device),
    closed: requestOf("Publish", "a", stranger),
  },
  {
    code: "unknown-variable",
    before: [A("Publish", "topic/${iot:ThingName}/a")],
    after: [A("Publish", `topic/${thing}/a`)],
    works: requestOf("Publish", "lamp-1/a", device),
    closed: requestOf("Publish", "lamp-2/a", device),
  },
  {
    code: "variable-in-arn-head",
    before: [A("Publish", "arn:aws:iot:${aws:Region}:123456789012:topic/a")],
    after: [A("Publish", "arn:aws:iot:us-east-1:123456789012:topic/a")],
    works: requestOf("Publish", "a", device),
  },
  {
    code: "wildcard-across-segments",
    before: [A("Publish", "arn:aws:iot:*:topic/a")],
    after: [A("Publish", "arn:aws:iot:*:*:topic/a")],
    works: requestOf("Publish", "a", device),
    closed: requestOf("Publish", "b", device),
  },
];

/** Not in the table: they need a text of their own (below), or have no fix that a policy could show. */
const otherCodes: ReadonlySet<string> = new Set(["duplicate-sid", "not-everything-checked", "old-version"]);

describe("examples", () => {
  test("ask for an action that the statement names", () => {
    const actionOf = (action: string): string | undefined =>
      lint([parse(A("*", "*"), D(action, "topic/a/+"))]).find(({ code }) => code === "mqtt-wildcard-in-deny")?.example
        ?.request.action;
    expect(actionOf("Publish")).toBe("iot:Publish");
    expect(actionOf("Receive")).toBe("iot:Receive");
  });
});

describe("the order of findings", () => {
  test("is that of the policies as given, then of the lines, then of the columns", () => {
    const policy = (name: string, lines: readonly string[]): ParsedPolicy =>
      parsePolicyOrThrow(
        `{"Version":"2012-10-17","Statement":[\n${lines
          .map((resources) => `{"Effect":"Allow","Action":"iot:Connect","Resource":[${resources}]}`)
          .join(",\n")}]}`,
        { name },
      );
    const all = `"${prefix}client/*"`;
    const findings = lint([policy("z", [all, all]), policy("a", [`${all},${all}`])]);
    expect(findings.map(({ policy: name, line }) => [name, line])).toEqual([
      ["z", 2],
      ["z", 3],
      ["a", 2],
      ["a", 2],
    ]);
    expect(findings[2]?.column).toBeLessThan(findings[3]?.column ?? 0);
  });

  test("is that of the policies also where a rule of names finds something in the second first", () => {
    const wide = parsePolicyOrThrow(policyText(A("Connect", "client/*")), { name: "wide" });
    const misspelt = parsePolicyOrThrow(policyText(A("Publsh", "topic/a")), { name: "misspelt" });
    expect(lint([wide, misspelt]).map(({ code }) => code)).toEqual(["any-client", "unknown-action"]);
    expect(lint([misspelt, wide]).map(({ code }) => code)).toEqual(["unknown-action", "any-client"]);
  });

  test("is by lines also where a later line has the smaller column, and its rule is asked first", () => {
    const { text } = parse(A("Connect", "client/*"), A("Publsh", "topic/a"));
    // All in one line, the columns decide.
    expect(lint([parsePolicyOrThrow(text)]).map(({ code }) => code)).toEqual(["any-client", "unknown-action"]);
    const lines = text.replace('{"Effect":"Allow","Action":"iot:Publsh"', '\n{"Effect":"Allow","Action":"iot:Publsh"');
    const findings = lint([parsePolicyOrThrow(lines)]);
    expect(findings.map(({ code, line }) => [code, line])).toEqual([
      ["any-client", 1],
      ["unknown-action", 2],
    ]);
    expect(findings[1]?.column).toBeLessThan(findings[0]?.column ?? 0);
  });
});

describe("the device that policies are tried with", () => {
  test("has a thing with the attributes that conditions ask for", () => {
    const tagged = { StringLike: { "iot:Connection.Thing.Attributes[env]": "*" } };
    expect(lint([parse(A("Publish", "topic/*", tagged))]).map(({ code }) => code)).toEqual(["any-shadow"]);
    const named = { StringEquals: { "iot:ClientId": "device-${iot:Connection.Thing.Attributes[env]}" } };
    expect(lint([parse(A("Publish", "topic/*", named))]).map(({ code }) => code)).toEqual([]);
  });
});

test("what a shared subscription has to receive is named without its group", () => {
  const fixOf = (filter: string): string | undefined =>
    lint([parse(A("Subscribe", `topicfilter/${filter}`))]).find(({ code }) => code === "receive-missing")?.fix;
  expect(fixOf("$share/workers/a/b")).toBe("allow iot:Receive on topic/a/b");
  expect(fixOf("$share/*/a/+")).toBe("allow iot:Receive on topic/a/*");
  expect(fixOf(`$share/${thing}-group/a`)).toBe("allow iot:Receive on topic/a");
});

describe("a Deny on Subscribe", () => {
  const filterOf = (...statements: readonly Short[]): string | undefined =>
    lint([parse(...statements)]).find(({ code }) => code === "deny-bypassed-by-filter")?.example?.request.resource;
  const all = A(["Subscribe", "Receive"], "*");

  test("is passed by the narrowest wider filter, which the finding names", () => {
    expect(filterOf(all, D("Subscribe", "topicfilter/a/b/c"))).toBe(`${prefix}topicfilter/a/b/#`);
    expect(filterOf(all, D("Subscribe", ["topicfilter/a/b/c", "topicfilter/a/b/#"]))).toBe(`${prefix}topicfilter/a/#`);
    expect(filterOf(all, D("Subscribe", "topicfilter/a"))).toBe(`${prefix}topicfilter/#`);
  });

  test("is not passed where the messages are denied, or no wider filter is allowed", () => {
    expect(filterOf(all, D("Subscribe", "topicfilter/a/b"), D("Receive", "topic/a/b"))).toBeUndefined();
    expect(filterOf(A("Subscribe", "topicfilter/a/b"), D("Subscribe", "topicfilter/a/b"))).toBeUndefined();
    expect(filterOf(all, D("Publish", "topic/a/b"))).toBeUndefined();
  });
});

describe("each fix", () => {
  test("of each code is applied", () => {
    const applied = new Set<string>(mends.map(({ code }) => code));
    expect(Object.keys(lintSeverities).filter((code) => !applied.has(code) && !otherCodes.has(code))).toEqual([]);
  });

  test("of old-version and of duplicate-sid", () => {
    const textOf = (version: string, sids: readonly string[]): string =>
      JSON.stringify({
        Version: version,
        Statement: sids.map((Sid) => ({
          Sid,
          Effect: "Allow",
          Action: "iot:Publish",
          Resource: `${prefix}topic/${thing}/${Sid}`,
        })),
      });
    const codesOf = (text: string): string[] => lint([parsePolicyOrThrow(text)]).map(({ code }) => code);
    expect(codesOf(textOf("2008-10-17", ["a", "b"]))).toEqual(["old-version"]);
    expect(codesOf(textOf("2012-10-17", ["a", "a"]))).toEqual(["duplicate-sid"]);
    const mended = textOf("2012-10-17", ["a", "b"]);
    expect(codesOf(mended)).toEqual([]);
    const matcher = compile([parsePolicyOrThrow(mended)]);
    expect(matcher.decide(requestOf("Publish", "lamp-1/b", device))).toBe("allow");
    expect(matcher.decide(requestOf("Publish", "lamp-2/b", device))).toBe("implicit-deny");
  });

  for (const { code, before, after, works, closed } of mends) {
    test(`of ${code} mends it in one step: ${JSON.stringify(after[0]?.resource)}`, () => {
      expect(lint([parse(...before)]).map((finding) => finding.code)).toContain(code);
      expect(lint([parse(...after)])).toEqual([]);
      const matcher = compile([parse(...after)]);
      expect(matcher.decide(works)).toBe("allow");
      if (closed !== undefined) expect(matcher.decide(closed)).not.toBe("allow");
    });
  }
});
