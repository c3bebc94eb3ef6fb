/** What the AWS IoT documentation states or implies about decisions, row by row; `decision-table.md` has the same rows. */

import { readFileSync, writeFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { compile, type Decision, type RequestContext } from "@latchkey/policy";
import { A, ask, D, matcherOf, requestOf, type Short } from "./fixtures.ts";

type Row = readonly [
  number: string,
  rule: string,
  policy: readonly Short[],
  context: RequestContext,
  requests: readonly (readonly [action: string, name: string, expected: Decision])[],
];

const thingName = "${iot:Connection.Thing.ThingName}";
const attachedFlag = "iot:Connection.Thing.IsAttached";
const t1: RequestContext = { clientId: "t1", thing: { name: "t1", isAttached: true } };
const client1: RequestContext = { clientId: "client1" };
const subject = (attributes: Record<string, string[]>): RequestContext => ({
  clientId: "client1",
  certificate: { subject: attributes },
});
const certificateId = "7ca1e2a8".repeat(8);
const connectTwoDenied = [D("Connect", ["client/client1", "client/client2"]), A("Connect", `client/${thingName}`)];
const ifAttached = [A("Connect", "*", { Bool: { [attachedFlag]: "true" } })];
const rooms = [A("Subscribe", `topicfilter/${thingName}/room*`), A("Receive", `topic/${thingName}/room*`)];
const aWithoutRestricted = [A("Subscribe", "topicfilter/a/*"), D("Subscribe", "topicfilter/a/restricted/*")];
const building = [
  A("Subscribe", "topicfilter/building/*"),
  D("Subscribe", "topicfilter/building/control_room/*"),
  A("Receive", "topic/building/*"),
];
const commonName = [A("Publish", "topic/${iot:Certificate.Subject.CommonName}")];
const organizations = [
  A("Publish", `topic/my/topic/${thingName}`, {
    "ForAllValues:StringEquals": { "iot:Certificate.Subject.Organization.List": ["Example Corp", "AnyCompany"] },
  }),
];
const organizationTopic = [
  A("Publish", "topic/${iot:Certificate.Subject.Organization}/device-stats/${iot:ClientId}/*"),
];
const bothPresent = [
  A("Connect", "client/*", {
    Null: { "iot:Certificate.SerialNumber": "false", "iot:Certificate.Subject.CommonName": "false" },
  }),
];
const article = [A("Publish", "topic/iotbutton/G03X")];
const articleCorrected = [A("Publish", "topic/iotbutton/${iot:Certificate.Subject.SerialNumber}")];

const rows: readonly Row[] = [
  ["1", "nothing is allowed without a policy", [], client1, [["Connect", "client1", "implicit-deny"]]],
  ["2", "Connect on a literal client", [A("Connect", "client/client1")], client1, [["Connect", "client1", "allow"]]],
  [
    "3",
    "another client",
    [A("Connect", "client/client1")],
    { clientId: "client2" },
    [["Connect", "client2", "implicit-deny"]],
  ],
  [
    "4",
    "Deny outranks Allow",
    connectTwoDenied,
    { clientId: "client1", thing: { name: "client1", isAttached: true } },
    [["Connect", "client1", "explicit-deny"]],
  ],
  ["5", "thing name variable", connectTwoDenied, t1, [["Connect", "t1", "allow"]]],
  [
    "6",
    "thing not attached",
    connectTwoDenied,
    { clientId: "t1", thing: { name: "t1", isAttached: false } },
    [["Connect", "t1", "implicit-deny"]],
  ],
  [
    "7",
    "client id is not the thing's name: no association",
    [A("Connect", `client/${thingName}`)],
    { clientId: "other" },
    [["Connect", "other", "implicit-deny"]],
  ],
  [
    "8",
    "exclusive thing under another client id",
    [A("Connect", "client/*"), A("Publish", `topic/x/${thingName}`)],
    { clientId: "other", thing: { name: "t1", isAttached: true } },
    [["Publish", "x/t1", "allow"]],
  ],
  ["9", "IsAttached", ifAttached, t1, [["Connect", "t1", "allow"]]],
  ["10", "IsAttached without a thing", ifAttached, { clientId: "x" }, [["Connect", "x", "implicit-deny"]]],
  [
    "11",
    "client/${iot:ClientId}",
    [A("Connect", "client/${iot:ClientId}")],
    { clientId: "any" },
    [["Connect", "any", "allow"]],
  ],
  [
    "12",
    "client id variable",
    [A("Publish", "topic/my/topic/${iot:ClientId}")],
    client1,
    [["Publish", "my/topic/client1", "allow"]],
  ],
  [
    "14",
    "client id + is the documented hole",
    [A("Subscribe", "topicfilter/my/${iot:ClientId}/topic")],
    { clientId: "+" },
    [["Subscribe", "my/+/topic", "allow"]],
  ],
  [
    "16, 18",
    "* spans /",
    [A("Publish", `topic/${thingName}/*`)],
    t1,
    [
      ["Publish", "t1/a/b/c", "allow"],
      ["Publish", "t2/a", "implicit-deny"],
    ],
  ],
  [
    "19, 20",
    "Subscribe and Receive with the thing's name",
    rooms,
    t1,
    [
      ["Subscribe", "t1/room1", "allow"],
      ["Receive", "t1/room2", "allow"],
    ],
  ],
  [
    "22, 23",
    "+ is literal",
    [A("Subscribe", "topicfilter/some/+/topic")],
    client1,
    [
      ["Subscribe", "some/+/topic", "allow"],
      ["Subscribe", "some/string1/topic", "implicit-deny"],
    ],
  ],
  [
    "24, 26",
    "* crosses levels",
    [A("Subscribe", "topicfilter/some/*/topic")],
    client1,
    [
      ["Subscribe", "some/string1/topic", "allow"],
      ["Subscribe", "some/a/b/topic", "allow"],
      ["Subscribe", "some/+/topic", "allow"],
    ],
  ],
  [
    "27",
    "? is one character",
    [A("Publish", "topic/some/?????/topic")],
    client1,
    [["Publish", "some/abcde/topic", "allow"]],
  ],
  [
    "29",
    "? behind text",
    [A("Subscribe", "topicfilter/some/sensor???/topic")],
    client1,
    [["Subscribe", "some/sensor123/topic", "allow"]],
  ],
  ["30", "Deny on a filter misses a/#", aWithoutRestricted, client1, [["Subscribe", "a/#", "allow"]]],
  [
    "32, 33",
    "Receive by NotResource",
    [...aWithoutRestricted, A("Receive", "!topic/a/restricted/*")],
    client1,
    [
      ["Receive", "a/ok", "allow"],
      ["Receive", "a/restricted/x", "implicit-deny"],
    ],
  ],
  [
    "34, 35",
    "Deny on Receive leaves Subscribe",
    [A("Subscribe", "topicfilter/device/update"), D("Receive", "topic/device/update")],
    client1,
    [
      ["Subscribe", "device/update", "allow"],
      ["Receive", "device/update", "explicit-deny"],
    ],
  ],
  [
    "36",
    "# in a Deny is literal",
    [
      A("Subscribe", "topicfilter/building/*"),
      D("Subscribe", "topicfilter/building/control_room/#"),
      A("Receive", "topic/building/*"),
    ],
    client1,
    [["Subscribe", "building/control_room/data1", "allow"]],
  ],
  ["38", "the leak through building/#", building, client1, [["Receive", "building/control_room/data1", "allow"]]],
  [
    "39",
    "closed by Deny on Receive",
    [...building, D("Receive", "topic/building/control_room/*")],
    client1,
    [["Receive", "building/control_room/data1", "explicit-deny"]],
  ],
  [
    "41",
    "Deny with a variable",
    [A("Publish", "topic/${iot:ClientId}/*"), D("Publish", "topic/${iot:ClientId}/bar")],
    client1,
    [["Publish", "client1/bar", "explicit-deny"]],
  ],
  [
    "43",
    "certificate id",
    [A("Publish", "topic/${iot:CertificateId}")],
    { certificateId },
    [["Publish", certificateId, "allow"]],
  ],
  ["45", "common name", commonName, subject({ CommonName: ["dev7"] }), [["Publish", "dev7", "allow"]]],
  [
    "46",
    "no common name",
    commonName,
    subject({}),
    [
      ["Publish", "dev7", "implicit-deny"],
      ["Publish", "", "implicit-deny"],
      ["Publish", "${iot:Certificate.Subject.CommonName}", "implicit-deny"],
    ],
  ],
  [
    "47",
    "a wildcard in the certificate's value",
    commonName,
    subject({ CommonName: ["dev*"] }),
    [
      ["Publish", "dev*", "implicit-deny"],
      ["Publish", "dev7", "implicit-deny"],
    ],
  ],
  [
    "48",
    ".N counts from zero",
    [A("Publish", "topic/admin/*", { StringEquals: { "iot:Certificate.Subject.CommonName.2": "Administrator" } })],
    subject({ CommonName: ["a", "b", "Administrator"] }),
    [["Publish", "admin/x", "allow"]],
  ],
  [
    "50",
    ".List with ForAnyValue",
    [
      A("Publish", `topic/admin/${thingName}`, {
        "ForAnyValue:StringEquals": { "iot:Certificate.Subject.CommonName.List": "Administrator" },
      }),
    ],
    { ...t1, certificate: { subject: { CommonName: ["a", "Administrator"] } } },
    [["Publish", "admin/t1", "allow"]],
  ],
  [
    "52",
    ".List with ForAllValues",
    organizations,
    { ...t1, certificate: { subject: { Organization: ["Example Corp"] } } },
    [["Publish", "my/topic/t1", "allow"]],
  ],
  [
    "54",
    "ForAllValues of nothing holds",
    organizations,
    { ...t1, certificate: {} },
    [["Publish", "my/topic/t1", "allow"]],
  ],
  [
    "55",
    "certificate serial number in decimal",
    [A("Connect", "client/${iot:Certificate.SerialNumber}")],
    { certificate: { serialNumber: BigInt("0x921285cbb7a5e086").toString() } },
    [["Connect", "10525622389124227206", "allow"]],
  ],
  [
    "57",
    "two variables",
    organizationTopic,
    { clientId: "c1", certificate: { subject: { Organization: ["Acme"] } } },
    [["Publish", "Acme/device-stats/c1/x", "allow"]],
  ],
  [
    "58",
    "one of them missing",
    organizationTopic,
    { clientId: "c1", certificate: {} },
    [["Publish", "Acme/device-stats/c1/x", "implicit-deny"]],
  ],
  [
    "59",
    "Null false",
    bothPresent,
    { certificate: { serialNumber: "1", subject: { CommonName: ["x"] } } },
    [["Connect", "any", "allow"]],
  ],
  [
    "60",
    "Null false, key missing",
    bothPresent,
    { certificate: { serialNumber: "1" } },
    [["Connect", "any", "implicit-deny"]],
  ],
  [
    "61",
    "type and attribute of the thing",
    [
      A("Publish", "topic/device/stats", {
        StringEquals: { "iot:Connection.Thing.Attributes[a]": "v", "iot:Connection.Thing.ThingTypeName": "T" },
        Bool: { [attachedFlag]: "true" },
      }),
    ],
    { clientId: "t1", thing: { name: "t1", typeName: "T", attributes: { a: "v" }, isAttached: true } },
    [["Publish", "device/stats", "allow"]],
  ],
  [
    "63",
    "thing attribute as a variable",
    [A("Publish", "topic/${iot:Connection.Thing.Attributes[env]}/*")],
    { clientId: "t1", thing: { name: "t1", attributes: { env: "prod" }, isAttached: true } },
    [["Publish", "prod/x", "allow"]],
  ],
  [
    "65",
    "RetainPublish granted",
    [A(["Publish", "RetainPublish"], "topic/device/sample/configuration")],
    client1,
    [["RetainPublish", "device/sample/configuration", "allow"]],
  ],
  [
    "66",
    "RetainPublish not granted",
    [A("Publish", "topic/device/sample/configuration")],
    client1,
    [["RetainPublish", "device/sample/configuration", "implicit-deny"]],
  ],
  [
    "67",
    "retained messages",
    [A("ListRetainedMessages", "*"), A("GetRetainedMessage", "topic/foo")],
    {},
    [
      ["GetRetainedMessage", "foo", "allow"],
      ["GetRetainedMessage", "bar", "implicit-deny"],
      ["ListRetainedMessages", "*", "allow"],
    ],
  ],
  [
    "68",
    "a whole device",
    [
      A("Connect", "client/client1"),
      A(["Publish", "Receive"], "topic/iotmonitor/provisioning/987654321098"),
      A("Subscribe", "topicfilter/iotmonitor/provisioning/987654321098"),
    ],
    client1,
    [
      ["Connect", "client1", "allow"],
      ["Publish", "iotmonitor/provisioning/987654321098", "allow"],
      ["Receive", "iotmonitor/provisioning/987654321098", "allow"],
      ["Subscribe", "iotmonitor/provisioning/987654321098", "allow"],
    ],
  ],
  [
    "69",
    "Subscribe without Receive hears nothing",
    [A("Connect", "client/client1"), A("Subscribe", "topicfilter/my/topic")],
    client1,
    [["Receive", "my/topic", "implicit-deny"]],
  ],
  [
    "72",
    "the thing's own shadow",
    [A("Publish", `topic/$aws/things/${thingName}/shadow/*`)],
    t1,
    [
      ["Publish", "$aws/things/t1/shadow/update", "allow"],
      ["Publish", "$aws/things/t2/shadow/update", "implicit-deny"],
    ],
  ],
  [
    "73",
    "direct message on an allowed topic",
    [
      A("SendDirectMessage", "client/myDevice", {
        StringEquals: { "iot:Topic": ["commands/reboot", "commands/update"] },
      }),
    ],
    { clientId: "device1", topic: "commands/reboot" },
    [["SendDirectMessage", "myDevice", "allow"]],
  ],
  [
    "73",
    "direct message on another topic",
    [A("SendDirectMessage", "client/myDevice", { StringEquals: { "iot:Topic": ["commands/reboot"] } })],
    { clientId: "device1", topic: "commands/other" },
    [["SendDirectMessage", "myDevice", "implicit-deny"]],
  ],
  [
    "74",
    "its receiver needs Receive only",
    [A("Receive", "topic/commands/*")],
    { clientId: "myDevice" },
    [["Receive", "commands/reboot", "allow"]],
  ],
  [
    "75, 76, 77",
    "the article's first policy",
    article,
    {},
    [
      ["Publish", "iotbutton/G03X", "allow"],
      ["Publish", "iotbutton/G03Y", "implicit-deny"],
      ["Connect", "button", "implicit-deny"],
    ],
  ],
  [
    "79",
    "the article's second policy, corrected",
    articleCorrected,
    subject({ SerialNumber: ["G03X"] }),
    [
      ["Publish", "iotbutton/G03X", "allow"],
      ["Publish", "iotbutton/G03Y", "implicit-deny"],
    ],
  ],
  [
    "80",
    "a one-click certificate has no serial number in its subject",
    articleCorrected,
    subject({ CommonName: ["AWS IoT Certificate"] }),
    [
      ["Publish", "iotbutton/G03X", "implicit-deny"],
      ["Publish", "iotbutton/", "implicit-deny"],
    ],
  ],
];

/** The rows as Markdown: `decision-table.md` of the package. */
function documentOf(): string {
  const short = (values: Short["resource"]): string =>
    [values]
      .flat()
      .map((value) => `\`${value}\``)
      .join(", ");
  const policyOf = ({ effect, action, resource, condition }: Short): string =>
    `${effect} ${[action].flat().join(", ")} on ${short(resource)}${condition === undefined ? "" : ` if \`${JSON.stringify(condition)}\``}`;
  const lines = rows.flatMap(([number, rule, policy, context, requests]) =>
    requests.map(([action, name, expected]) => {
      const policies = policy.length === 0 ? "none" : policy.map(policyOf).join("; ");
      return `| ${number} | ${rule} | ${policies} | \`${JSON.stringify(context)}\` | ${action} \`${name}\` | ${expected} |`;
    }),
  );
  return [
    "# Decisions",
    "",
    "What the AWS IoT documentation states or implies about decisions, row by row. `test/decision-table.test.ts` decides each row",
    "and keeps this document equal to it. Resources stand without `arn:aws:iot:us-east-1:123456789012:`; one that starts with `!`",
    "is a NotResource.",
    "",
    "| row | rule | policy | context | request | decision |",
    "| --- | --- | --- | --- | --- | --- |",
    ...lines,
    "",
  ].join("\n");
}

test("decision-table.md shows these rows", () => {
  // The formatter aligns the columns, so that spaces and dashes differ.
  const plain = (text: string): string => text.replaceAll(/-{3,}/g, "---").replaceAll(/\s+/g, " ").trim();
  const path = new URL("../decision-table.md", import.meta.url);
  if (process.env["UPDATE_DECISION_TABLE"] !== undefined) writeFileSync(path, documentOf());
  expect(plain(readFileSync(path, "utf8"))).toBe(plain(documentOf()));
});

describe("decision table", () => {
  for (const [number, rule, policy, context, requests] of rows) {
    const matcher = policy.length === 0 ? compile([]) : matcherOf(...policy);
    for (const [action, name, expected] of requests) {
      test(`row ${number}: ${rule}: ${action} ${name}`, () => {
        expect(ask(matcher, requestOf(action, name, context))).toBe(expected);
      });
    }
  }
});

describe("a message to a shared subscription", () => {
  const names = ["test/topic", "$share/group/test/topic"];
  const decide = (...policy: readonly Short[]): Decision =>
    matcherOf(...policy).decideAny(names.map((name) => requestOf("Receive", name, client1)));

  test("Receive is granted with the group before the topic, or without", () => {
    expect(decide(A("Receive", "topic/test/topic"))).toBe("allow");
    expect(decide(A("Receive", "topic/$share/*/test/topic"))).toBe("allow");
    expect(decide(A("Receive", "topic/other"))).toBe("implicit-deny");
    expect(decide(A("Receive", "topic/test/topic"), D("Receive", "topic/$share/*"))).toBe("explicit-deny");
  });
});

describe("ConnectAttributes table", () => {
  const key = "iot:ConnectAttributes";
  const all = (...values: string[]): Short["condition"] => ({ "ForAllValues:StringEquals": { [key]: values } });
  const any = (...values: string[]): Short["condition"] => ({ "ForAnyValue:StringEquals": { [key]: values } });
  const will = "arn:aws:iot:us-east-1:123456789012:topic/my/lastwill/topicName";
  const onWill = A("Connect", "*", { ArnEquals: { "iot:LastWillTopic": will } });
  const P = "PersistentConnect";
  const L = "LastWill";
  const allow = "allow";
  const deny = "implicit-deny";
  const DENY = "explicit-deny";
  const noPersistence = D("Connect", "*", any(P));
  const table: readonly (readonly [string, readonly Short[], readonly Decision[]])[] = [
    ["Allow without a condition", [A("Connect", "*")], [allow, allow, allow, allow]],
    ["Allow ForAllValues [P]", [A("Connect", "*", all(P))], [allow, allow, deny, deny]],
    ["Allow, Deny ForAnyValue [P]", [A("Connect", "*"), noPersistence], [allow, DENY, allow, DENY]],
    ["Allow ForAllValues [P, L]", [A("Connect", "*", all(P, L))], [allow, allow, allow, allow]],
    ["Allow ForAllValues []", [A("Connect", "*", all())], [allow, deny, deny, deny]],
    ["Allow ForAnyValue [P]", [A("Connect", "*", any(P))], [deny, allow, deny, allow]],
    [
      "Deny ForAnyValue [P], Allow ForAllValues [L]",
      [noPersistence, A("Connect", "*", all(L))],
      [allow, DENY, allow, DENY],
    ],
    ["Allow ArnEquals LastWillTopic", [onWill], [deny, deny, allow, allow]],
    ["the same, Deny ForAnyValue [P]", [onWill, noPersistence], [deny, DENY, allow, DENY]],
  ];
  const columns = [
    ["none", []],
    ["P", [P]],
    ["L", [L]],
    ["PL", [P, L]],
  ] as const;
  for (const [row, policy, decisions] of table) {
    const matcher = matcherOf(...policy);
    columns.forEach(([column, connectAttributes], index) => {
      test(`${row}: ${column}`, () => {
        const hasWill = column.includes("L");
        const context = { clientId: "c", connectAttributes, lastWillTopic: hasWill ? will : undefined };
        expect(ask(matcher, requestOf("Connect", "c", context))).toBe(decisions[index]);
      });
    });
  }

  test("a will on another topic", () => {
    const lastWillTopic = "arn:aws:iot:us-east-1:123456789012:topic/other";
    const context = { clientId: "c", connectAttributes: [L], lastWillTopic } as const;
    expect(ask(matcherOf(onWill), requestOf("Connect", "c", context))).toBe(deny);
    expect(ask(matcherOf(onWill, noPersistence), requestOf("Connect", "c", context))).toBe(deny);
  });
});
