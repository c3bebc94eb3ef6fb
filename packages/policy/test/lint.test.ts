/** Lint: each rule fires where it should, says where, and its example can be replayed; clean policies have no findings. */

import { compile, parsePolicyOrThrow, type Decision, type ParsedPolicy } from "@latchkey/policy";
import { lint, lintSeverities, type LintCode, type LintFinding } from "@latchkey/policy/authoring";
import { describe, expect, test } from "vitest";
import { A, D, policyText, prefix, type Short } from "./fixtures.ts";

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
    ],
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
      ["action-resource-mismatch", "$.Statement[0].Resource", undefined],
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
      ["any-client", "$.Statement[0].Resource", undefined],
      ["any-shadow", "$.Statement[0].Resource", undefined],
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
      A(["GetThingShadow", "UpdateThingShadow"], `thing/${thing}`),
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
  });
});
