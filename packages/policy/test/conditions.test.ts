/** Condition operators, condition keys and variables: what each compares, and what happens where something is missing. */

import {
  compile,
  parsePolicyOrThrow,
  type Decision,
  type PolicyAction,
  type RequestContext,
  type ResourceArn,
} from "@latchkey/policy";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { A, ask, D, matcherOf, policyText, requestOf, type Short } from "./fixtures.ts";

function allows(condition: Short["condition"], context: RequestContext): boolean {
  return ask(matcherOf(A("Publish", "topic/t", condition)), requestOf("Publish", "t", context)) === "allow";
}

function denies(condition: Short["condition"], context: RequestContext): boolean {
  return ask(matcherOf(D("Publish", "topic/t", condition)), requestOf("Publish", "t", context)) === "explicit-deny";
}

const key = (value: string | readonly string[]): RequestContext => ({ keys: { "x:Key": value } });

/** Operator, the policy's values, the request's value, and whether it holds. */
const comparisons: readonly (readonly [string, unknown, string, boolean])[] = [
  ["StringEquals", "a*", "a*", true],
  ["StringEquals", "a*", "ab", false],
  ["StringEquals", ["a", "b"], "b", true],
  ["StringEquals", "A", "a", false],
  ["StringNotEquals", ["a", "b"], "b", false],
  ["StringNotEquals", ["a", "b"], "c", true],
  ["StringEqualsIgnoreCase", "Ab", "aB", true],
  ["StringNotEqualsIgnoreCase", "Ab", "aB", false],
  ["StringLike", "a*c?", "abbcd", true],
  ["StringLike", "a?", "a\u{1f355}", true],
  ["StringLike", "a*", "A", false],
  ["StringLike", "x*a?", "xa\u{1f355}", true],
  ["StringLike", "x*?a?", "x\u{1f355}a", false],
  ["StringLike", "*a*a*", "aa", true],
  ["StringLike", "x*??", "x\u{1f355}", false],
  ["StringLike", "*a*ba*", "aba", true],
  ["StringLike", "*ab*ab*", "abab", true],
  ["StringLike", "*ab*ab", "ab", false],
  ["StringNotLike", "a*", "abc", false],
  ["StringLike", "a${*}", "a*", true],
  ["StringLike", "a${*}", "ab", false],
  ["StringLike", "a$(?)${$}", "a?$", true],
  ["NumericEquals", 7, "7.0", true],
  ["NumericEquals", "10525622389124227206", "10525622389124227207", false],
  ["NumericEquals", "-0", "0", true],
  ["NumericNotEquals", 7, "seven", true],
  ["NumericLessThan", "-1.5", "-1.51", true],
  ["NumericLessThan", "10", "9", true],
  ["NumericLessThan", 7, "7", false],
  ["NumericLessThan", 7, "8", false],
  ["NumericLessThanEquals", 7, "7", true],
  ["NumericLessThanEquals", 7, "6", true],
  ["NumericLessThanEquals", 7, "7.5", false],
  ["NumericLessThan", 7, "few", false],
  ["NumericGreaterThan", 7, "7.01", true],
  ["NumericGreaterThan", 7, "7", false],
  ["NumericGreaterThanEquals", 7, "6.99", false],
  ["NumericGreaterThanEquals", 7, "7", true],
  ["NumericGreaterThanEquals", 7, "8", true],
  ["NumericGreaterThan", 7, "many", false],
  ["DateEquals", "2026-11-23T00:00:00Z", "2026-11-23T01:00:00+01:00", true],
  ["DateLessThan", "2026", "2025-12-31T23:59:59.999Z", true],
  ["DateLessThan", 1_700_000_000, "1699999999", true],
  // 2023-11-14T22:13:19Z.
  ["DateGreaterThan", "2023-11-14", "1699999999", true],
  ["DateGreaterThan", "2023-11-15", "1699999999", false],
  ["DateGreaterThan", "2026-11-23", "2026-11-23T00:00Z", false],
  ["DateGreaterThanEquals", "2026-11-23", "2026-11-23T00:00Z", true],
  ["DateNotEquals", "2026-11-23", "2026-11-24", true],
  ["Bool", "true", "TRUE", true],
  ["Bool", false, "true", false],
  ["Bool", "FALSE", "False", true],
  ["Bool", "true", "yes", false],
  ["BinaryEquals", "AQID", "AQID", true],
  ["BinaryEquals", "AQID", "AQIE", false],
  ["IpAddress", "192.0.2.0/24", "192.0.2.255", true],
  ["IpAddress", "192.0.2.0/25", "192.0.2.128", false],
  ["IpAddress", "192.0.2.7", "::ffff:192.0.2.7", true],
  ["IpAddress", "0.0.0.0/0", "2001:db8::1", false],
  ["IpAddress", "2001:db8::/33", "2001:db8:7fff::1", true],
  ["IpAddress", "2001:db8::/33", "2001:db8:8000::1", false],
  ["IpAddress", "::ffff:192.0.2.0/120", "192.0.2.9", true],
  ["IpAddress", "::ffff:0:0/96", "192.0.2.7", true],
  ["IpAddress", "::ffff:0:0/95", "192.0.2.7", false],
  ["IpAddress", "::ffff:0:0/95", "::fffe:1:1", true],
  ["IpAddress", "192.0.2.7", "1::ffff:192.0.2.7", false],
  ["IpAddress", "192.0.2.7", "::fffe:192.0.2.7", false],
  ["IpAddress", "::/0", "2001:db8::1", true],
  ["IpAddress", "2001:db8::1:0:0:1", "2001:db8:0:0:1::1", true],
  ["IpAddress", "192.0.2.0/24", "192.0.2.0/8", false],
  ["IpAddress", "192.0.2.0/24", "garden", false],
  ["NotIpAddress", "192.0.2.0/24", "198.51.100.1", true],
  ["ArnEquals", "arn:aws:iot:*:1:topic/*", "arn:aws:iot:eu-west-1:1:topic/a:b", true],
  ["ArnLike", "arn:aws:iot:*:topic/*:x", "arn:aws:iot:eu-west-1:1:topic/a", false],
  ["ArnNotEquals", "arn:aws:iot:*:1:topic/a", "arn:aws:iot:eu-west-1:1:topic/b", true],
  ["ArnNotLike", "*", "arn:aws:iot:eu-west-1:1:topic/b", false],
];

describe("comparisons", () => {
  for (const [operator, wanted, found, holds] of comparisons) {
    test(`${operator} ${JSON.stringify(wanted)}: ${found} ${holds ? "holds" : "does not hold"}`, () => {
      expect(allows({ [operator]: { "x:Key": wanted } }, key(found))).toBe(holds);
      expect(denies({ [operator]: { "x:Key": wanted } }, key(found))).toBe(holds);
    });
  }
});

describe("text with a variable", () => {
  const who = (clientId: string | undefined, value: string): RequestContext => ({ ...key(value), clientId });

  test("is compared with the value in its place", () => {
    const condition = { StringEquals: { "x:Key": "a-${iot:ClientId}-b" } };
    expect(allows(condition, who("lamp", "a-lamp-b"))).toBe(true);
    expect(allows(condition, who("lamp", "a-LAMP-b"))).toBe(false);
    expect(allows(condition, who("lamp", "a--b"))).toBe(false);
    const ignoringCase = { StringEqualsIgnoreCase: { "x:Key": "A-${iot:ClientId}-b" } };
    expect(allows(ignoringCase, who("lamp", "a-LAMP-B"))).toBe(true);
    expect(allows(ignoringCase, who("lamp", "a-lamps-b"))).toBe(false);
  });

  test("equals nothing where the variable has no value", () => {
    for (const operator of ["StringEquals", "StringEqualsIgnoreCase"]) {
      for (const value of ["a--b", "a-undefined-b", "a-${iot:ClientId}-b"]) {
        expect(allows({ [operator]: { "x:Key": "a-${iot:ClientId}-b" } }, who(undefined, value))).toBe(false);
      }
    }
  });
});

describe("a key without a value", () => {
  const rows: readonly (readonly [string, boolean])[] = [
    ["StringEquals", false],
    ["StringNotEquals", true],
    ["StringLike", false],
    ["NotIpAddress", true],
    ["StringEqualsIfExists", true],
    ["ForAnyValue:StringEquals", false],
    ["ForAnyValue:StringNotEquals", false],
    ["ForAnyValue:StringEqualsIfExists", true],
    ["ForAllValues:StringEquals", true],
    ["ForAllValues:StringNotEquals", true],
  ];
  for (const [operator, holds] of rows) {
    test(`${operator} ${holds ? "holds" : "does not hold"}`, () => {
      const value = operator.includes("Ip") ? "192.0.2.1" : "a";
      expect(allows({ [operator]: { "x:Key": value } }, {})).toBe(holds);
      expect(allows({ [operator]: { "x:Key": value } }, key([]))).toBe(holds);
    });
  }

  test("Null tells whether it is absent", () => {
    expect(allows({ Null: { "x:Key": "true" } }, {})).toBe(true);
    expect(allows({ Null: { "x:Key": "true" } }, key([]))).toBe(true);
    expect(allows({ Null: { "x:Key": "true" } }, key("a"))).toBe(false);
    expect(allows({ Null: { "x:Key": false } }, key("a"))).toBe(true);
  });
});

describe("an empty text is no value", () => {
  for (const value of ["", [""], ["", ""]]) {
    test(`${JSON.stringify(value)} is a null data set`, () => {
      expect(allows({ "ForAllValues:StringEquals": { "x:Key": "a" } }, key(value))).toBe(true);
      expect(allows({ "ForAnyValue:StringEquals": { "x:Key": "" } }, key(value))).toBe(false);
      expect(allows({ Null: { "x:Key": "false" } }, key(value))).toBe(false);
      expect(allows({ Null: { "x:Key": "true" } }, key(value))).toBe(true);
      expect(allows({ StringEqualsIfExists: { "x:Key": "a" } }, key(value))).toBe(true);
    });
  }

  test("of the certificate, the thing and the connection alike", () => {
    const empty: RequestContext = {
      clientId: "",
      certificate: { serialNumber: "", subject: { CommonName: [""], Country: ["", "DE"] } },
      thing: { name: "t", typeName: "", attributes: { env: "" }, isAttached: true },
    };
    for (const name of [
      "iot:ClientId",
      "iot:Certificate.SerialNumber",
      "iot:Certificate.Subject.CommonName",
      "iot:Certificate.Subject.CommonName.List",
      "iot:Connection.Thing.ThingTypeName",
      "iot:Connection.Thing.Attributes[env]",
    ]) {
      expect(allows({ Null: { [name]: "true" } }, empty)).toBe(true);
    }
    const available = (name: string): boolean =>
      allows({ "ForAnyValue:StringEquals": { "iot:Certificate.AvailableKeys": name } }, empty);
    expect(available("iot:Certificate.Subject.CommonName")).toBe(false);
    expect(available("iot:Certificate.SerialNumber")).toBe(false);
    expect(available("iot:Certificate.Subject.Country")).toBe(true);
  });
});

describe("names of keys", () => {
  test("compare without case, those of context.keys included", () => {
    const sub = "cognito-identity.amazonaws.com:sub";
    for (const [written, given] of [
      [sub.toUpperCase(), sub],
      [sub, sub.toUpperCase()],
      ["X:Key", "x:key"],
      ["aws:useragent", "aws:UserAgent"],
    ] as const) {
      expect(denies({ StringEquals: { [written]: "v" } }, { keys: { [given]: "v" } })).toBe(true);
      const matcher = matcherOf(A("Publish", `topic/\${${written}}`));
      expect(ask(matcher, requestOf("Publish", "v", { keys: { [given]: "v" } }))).toBe("allow");
    }
  });

  test("keys that have a field count under their names where the field is left out, but not those of the connection", () => {
    for (const [written, given] of [
      ["aws:SourceIp", "AWS:sourceip"],
      ["iot:DomainName", "iot:domainname"],
      ["iot:Certificate.Subject.CommonName", "IOT:Certificate.Subject.CommonName"],
      ["aws:CurrentTime", "aws:currenttime"],
    ] as const) {
      expect(denies({ StringEquals: { [written]: "v" } }, { keys: { [given]: "v" } })).toBe(true);
    }
    expect(
      denies({ StringEquals: { "iot:DomainName": "v" } }, { domainName: "w", keys: { "iot:DomainName": "v" } }),
    ).toBe(false);
    expect(denies({ StringEquals: { "iot:ClientId": "v" } }, { keys: { "iot:ClientId": "v" } })).toBe(false);
  });

  test("two spellings of one name count together", () => {
    const context: RequestContext = { keys: { "x:key": "a", "X:KEY": ["b"] } };
    expect(denies({ "ForAnyValue:StringEquals": { "x:Key": "b" } }, context)).toBe(true);
    expect(denies({ "ForAnyValue:StringEquals": { "x:Key": "a" } }, context)).toBe(true);
  });
});

describe("sets", () => {
  test("each quantifier", () => {
    const values = key(["a", "b"]);
    expect(allows({ "ForAnyValue:StringEquals": { "x:Key": ["b", "c"] } }, values)).toBe(true);
    expect(allows({ "ForAllValues:StringEquals": { "x:Key": ["b", "c"] } }, values)).toBe(false);
    expect(allows({ "ForAllValues:StringEquals": { "x:Key": ["a", "b", "c"] } }, values)).toBe(true);
    expect(allows({ "ForAnyValue:StringNotEquals": { "x:Key": "a" } }, values)).toBe(true);
    expect(allows({ "ForAllValues:StringNotEquals": { "x:Key": "a" } }, values)).toBe(false);
  });

  test("without a prefix several values refuse: an Allow wants all, for a Deny one is enough", () => {
    const values = key(["a", "b"]);
    expect(allows({ StringEquals: { "x:Key": "a" } }, values)).toBe(false);
    expect(denies({ StringEquals: { "x:Key": "a" } }, values)).toBe(true);
    expect(allows({ StringNotEquals: { "x:Key": "a" } }, values)).toBe(false);
    expect(denies({ StringNotEquals: { "x:Key": "a" } }, values)).toBe(true);
  });

  test("keys are joined by and, values by or", () => {
    const condition = { StringEquals: { "x:Key": ["a", "b"], "iot:ClientId": "c" } };
    expect(allows(condition, { ...key("b"), clientId: "c" })).toBe(true);
    expect(allows(condition, { ...key("b"), clientId: "d" })).toBe(false);
  });
});

describe("condition keys", () => {
  const certificate = {
    serialNumber: "7",
    subject: {
      CommonName: ["a", "b", "c", "d", "e", "f"],
      OrganizationalUnit: ["Amazon Web Services O=Amazon.com Inc."],
    },
    issuer: { Country: ["DE", "FR"] },
    subjectAlternativeName: { DNSName: ["x.example"], DirectoryName: ["CN=x,O=y"] },
  };
  const thing = { name: "t", typeName: "T", attributes: { env: "prod" }, isAttached: true };
  const context: RequestContext = {
    clientId: "t",
    certificate,
    thing,
    sourceIp: "192.0.2.1",
    domainName: "iot.example",
    certificateId: "ab",
    currentTimeMs: Date.UTC(2026, 10, 23),
    keys: { "cognito-identity.amazonaws.com:sub": "eu-west-1:1" },
  };
  const values: Readonly<Record<string, string | undefined>> = {
    "iot:ClientId": "t",
    "iot:DomainName": "iot.example",
    "iot:CertificateId": "ab",
    "aws:SourceIp": "192.0.2.1",
    "cognito-identity.amazonaws.com:sub": "eu-west-1:1",
    "iot:Connection.Thing.ThingName": "t",
    "iot:Connection.Thing.ThingTypeName": "T",
    "iot:Connection.Thing.Attributes[env]": "prod",
    "iot:Connection.Thing.Attributes[ENV]": undefined,
    "iot:Connection.Thing.Attributes[constructor]": undefined,
    "iot:Connection.Thing.IsAttached": "true",
    "iot:Certificate.SerialNumber": "7",
    "iot:Certificate.Subject.CommonName": "a",
    "iot:Certificate.Subject.CommonName.0": "a",
    "iot:Certificate.Subject.CommonName.4": "e",
    "iot:Certificate.Subject.CommonName.5": undefined,
    "iot:Certificate.Issuer.Country.1": "FR",
    "iot:Certificate.Issuer.Country.2": undefined,
    "iot:Certificate.Subject.Locality": undefined,
    "iot:Certificate.Subject.AlternativeName.DNSName": "x.example",
    "iot:Certificate.Subject.AlternativeName.DirectoryName": "CN=x,O=y",
    "iot:certificate.subject.commonname": "a",
    "aws:CurrentTime": "2026-11-23T00:00:00.000Z",
    "aws:EpochTime": String(Date.UTC(2026, 10, 23) / 1000),
    constructor: undefined,
  };
  for (const [name, value] of Object.entries(values)) {
    test(`${name} is ${value}`, () => {
      expect(allows({ StringEquals: { [name]: value ?? "x" } }, context)).toBe(value !== undefined);
      expect(allows({ Null: { [name]: "true" } }, context)).toBe(value === undefined);
    });
  }

  test(".List has five values at most", () => {
    const list = { "iot:Certificate.Subject.CommonName.List": ["a", "b", "c", "d", "e"] };
    expect(allows({ "ForAllValues:StringEquals": list }, context)).toBe(true);
    expect(allows({ "ForAnyValue:StringEquals": { ...list, [Object.keys(list)[0] ?? ""]: "f" } }, context)).toBe(false);
  });

  test("special characters of a certificate's value are compared with backslashes", () => {
    const unit = "iot:Certificate.Subject.OrganizationalUnit";
    expect(allows({ StringEquals: { [unit]: "Amazon Web Services O\\=Amazon.com Inc." } }, context)).toBe(true);
    expect(allows({ StringEquals: { [unit]: "Amazon Web Services O=Amazon.com Inc." } }, context)).toBe(false);
    for (const character of [",", '"', "\\", "+", "=", "<", ">", ";"]) {
      const named: RequestContext = { certificate: { subject: { OrganizationalUnit: [character] } } };
      expect(allows({ StringEquals: { [unit]: `\\${character}` } }, named), character).toBe(true);
      expect(allows({ StringEquals: { [unit]: character } }, named), character).toBe(false);
    }
    for (const character of ["#", ":", "?", "/", "-"]) {
      const named: RequestContext = { certificate: { subject: { OrganizationalUnit: [character] } } };
      expect(allows({ StringEquals: { [unit]: character } }, named), character).toBe(true);
    }
  });

  test("AvailableKeys names the certificate variables that have values", () => {
    const available = (name: string): boolean =>
      allows({ "ForAnyValue:StringEquals": { "iot:Certificate.AvailableKeys": name } }, context);
    expect(available("iot:Certificate.Issuer.Country")).toBe(true);
    expect(available("iot:Certificate.Subject.Country")).toBe(false);
    expect(available("iot:Certificate.SerialNumber")).toBe(true);
  });

  test("IsAttached is false for a connection without a thing, and unknown on HTTPS", () => {
    const isFalse = { Bool: { "iot:Connection.Thing.IsAttached": "false" } };
    expect(denies(isFalse, { clientId: "x" })).toBe(true);
    expect(denies(isFalse, { clientId: "x", thing: { ...thing, isAttached: false } })).toBe(true);
    expect(denies(isFalse, {})).toBe(false);
  });
});

describe("variables", () => {
  const topic = (resource: string, name: string, context: RequestContext): Decision =>
    ask(matcherOf(A("Publish", resource)), requestOf("Publish", name, context));

  test("substituted text is never a wildcard", () => {
    expect(topic("topic/${iot:ClientId}", "abc", { clientId: "*" })).toBe("implicit-deny");
    expect(topic("topic/${iot:ClientId}", "a*", { clientId: "a*" })).toBe("allow");
    expect(topic("topic/${iot:ClientId}", "a", { clientId: "?" })).toBe("implicit-deny");
    expect(topic("topic/${iot:ClientId}", "b", { clientId: "${iot:CertificateId}", certificateId: "b" })).toBe(
      "implicit-deny",
    );
  });

  for (const character of "*$+?#") {
    test(`a certificate's value with ${character} is not substituted`, () => {
      const value = `a${character}b`;
      const context = { certificate: { subject: { CommonName: [value] } } };
      expect(topic("topic/${iot:Certificate.Subject.CommonName}", value, context)).toBe("implicit-deny");
    });
  }

  test("nor one of more than 1,024 characters", () => {
    const of = (length: number): Decision => {
      const value = "x".repeat(length);
      return topic("topic/${iot:Certificate.Subject.CommonName}", value, {
        certificate: { subject: { CommonName: [value] } },
      });
    };
    expect(of(1024)).toBe("allow");
    expect(of(1025)).toBe("implicit-deny");
  });

  test("an empty value is none: it would open a pattern to everybody", () => {
    const context = { certificate: { subject: { CommonName: [""] } } };
    expect(topic("topic/${iot:Certificate.Subject.CommonName}*", "anything", context)).toBe("implicit-deny");
    expect(topic("topic/a${iot:ClientId}", "a", { clientId: "" })).toBe("implicit-deny");
  });

  test("sets and request keys are no variables", () => {
    const context: RequestContext = { topic: "a", lastWillTopic: "a", connectAttributes: ["LastWill"] };
    for (const name of ["iot:Topic", "iot:LastWillTopic", "iot:ConnectAttributes"]) {
      expect(topic(`topic/\${${name}}`, "a", context)).toBe("implicit-deny");
      expect(topic(`topic/\${${name}}`, "LastWill", context)).toBe("implicit-deny");
    }
  });

  test("before version 2012-10-17, and where nothing closes them, they are ordinary text", () => {
    expect(topic("topic/${iot:ClientId", "${iot:ClientId", {})).toBe("allow");
    const old = JSON.parse(policyText(A("Publish", "topic/${iot:ClientId}"))) as Record<string, unknown>;
    const matcher = compile([parsePolicyOrThrow(JSON.stringify({ ...old, Version: "2008-10-17" }))]);
    expect(ask(matcher, requestOf("Publish", "c", { clientId: "c" }))).toBe("implicit-deny");
    expect(ask(matcher, requestOf("Publish", "${iot:ClientId}", { clientId: "c" }))).toBe("allow");
  });

  test("in a condition's value, with wildcards around", () => {
    const condition = { StringLike: { "x:Key": "a/${iot:ClientId}/*" } };
    expect(allows(condition, { ...key("a/c/d"), clientId: "c" })).toBe(true);
    expect(allows(condition, { ...key("a/c/d"), clientId: "*" })).toBe(false);
    expect(allows(condition, key("a/c/d"))).toBe(false);
  });

  test("what cannot be resolved matches nothing, also where it is negated, in an Allow and in a Deny", () => {
    const unresolved = "${iot:Certificate.Subject.CommonName}";
    const condition = { StringNotEquals: { "iot:ClientId": unresolved } };
    expect(allows(condition, { clientId: "c" })).toBe(false);
    expect(denies(condition, { clientId: "c" })).toBe(false);
    const request = requestOf("Publish", "a", { clientId: "c" });
    expect(ask(matcherOf(A("Publish", `!topic/${unresolved}`)), request)).toBe("implicit-deny");
    expect(ask(matcherOf(D("Publish", `!topic/${unresolved}`)), request)).toBe("implicit-deny");
    // As AWS documents it: a Deny whose own resource does not resolve does not fire.
    expect(ask(matcherOf(A("Publish", "topic/a"), D("Publish", `topic/${unresolved}`)), request)).toBe("allow");
  });
});

describe("variables in front of the fifth colon", () => {
  test("are text, in a Resource and in an Arn condition", () => {
    const context: RequestContext = { clientId: "us-east-1" };
    const pattern = "arn:aws:iot:${iot:ClientId}:1:topic/a";
    const request = requestOf("Publish", "arn:aws:iot:us-east-1:1:topic/a", context);
    expect(ask(matcherOf(A("Publish", pattern)), request)).toBe("implicit-deny");
    const condition = { ArnLike: { "x:Key": pattern } };
    expect(allows(condition, { ...context, ...key("arn:aws:iot:us-east-1:1:topic/a") })).toBe(false);
    const behind = "arn:aws:iot:us-east-1:1:topic/${iot:ClientId}";
    expect(
      allows({ ArnLike: { "x:Key": behind } }, { ...context, ...key("arn:aws:iot:us-east-1:1:topic/us-east-1") }),
    ).toBe(true);
  });
});

describe("resources", () => {
  const decide = (resource: string, requested: string): Decision =>
    ask(matcherOf(A("Publish", resource)), { action: "iot:Publish", resource: requested as ResourceArn, context: {} });
  const rows: readonly (readonly [string, string, Decision])[] = [
    ["arn:aws:iot:*:1:topic/a", "arn:aws:iot:eu-west-1:1:topic/a", "allow"],
    // A * that ends a segment runs across colons, also from the region into the topic.
    ["arn:aws:iot:*:1:topic/a", "arn:aws:iot:r:2:topic/b:1:topic/a", "allow"],
    ["arn:aws:iot:*:1:topic/a", "arn:aws:iot:r:2:topic/a", "implicit-deny"],
    ["arn:aws:iot:e*:topic/admin/*", "arn:aws:iot:eu-west-1:1:topic/admin/x", "allow"],
    ["arn:aws:iot:e*:topic/admin/*", "arn:aws:iot:us-east-1:1:topic/admin/x", "implicit-deny"],
    ["arn:aws:iot:e*t-1:1:topic/a", "arn:aws:iot:eu-west-1:1:topic/a", "allow"],
    ["arn:aws:iot:e*1:topic/a", "arn:aws:iot:eu-west-1:1:topic/a", "implicit-deny"],
    ["arn:aws:iot:e*t-*:topic/a", "arn:aws:iot:eu-west-1:1:topic/b:topic/a", "allow"],
    ["arn:a*s:*:topic/a", "arn:aws:iot:eu-west-1:1:topic/a", "allow"],
    ["arn:aws:*", "arn:aws:iot:eu-west-1:1:topic/a", "allow"],
    ["arn:aws:iot:*:topic/a", "arn:aws:iot:eu-west-1:1:topic/a:b", "implicit-deny"],
    ["arn:aws:iot:?u-west-1:1:topic/a*:b", "arn:aws:iot:eu-west-1:1:topic/a:c:b", "allow"],
    ["arn:aws:iot:*:topic/a", "arn:aws:iot:eu-west-1:1:topic/a", "allow"],
    ["arn:aws:iot:*:*", "arn:aws:iot:eu-west-1:1:topic/a", "allow"],
    ["arn:aws:iot:eu-west-1:1:*", "arn:aws:iot:eu-west-1:1:topic/a", "allow"],
    ["arn:aws:iot:eu-west-1:1:*", "arn:aws:iot:eu-west-1:2:topic/a", "implicit-deny"],
    ["arn:aws:iot", "arn:aws:iot:eu-west-1:1:topic/a", "allow"],
    ["arn:aws:iot:e?-west-1:1:topic/a", "arn:aws:iot:eu-west-1:1:topic/a", "allow"],
    ["arn:aws:iot:eu-west-1:1:topic/a:b:*", "arn:aws:iot:eu-west-1:1:topic/a:b:c/d:e", "allow"],
    ["arn:aws-cn:iot:eu-west-1:1:topic/a", "arn:aws:iot:eu-west-1:1:topic/a", "implicit-deny"],
    ["arn:aws:iot:eu-west-1:1:topic/A", "arn:aws:iot:eu-west-1:1:topic/a", "implicit-deny"],
    ["*", "*", "allow"],
    ["arn:aws:iot:eu-west-1:1:*", "*", "implicit-deny"],
  ];
  for (const [pattern, requested, expected] of rows) {
    test(`${pattern} and ${requested}: ${expected}`, () => {
      expect(decide(pattern, requested)).toBe(expected);
    });
  }
});

test("a variable in an ARN of fewer than six segments is text", () => {
  const request = requestOf("Publish", "a", { keys: { service: "iot" } });
  expect(ask(matcherOf(A("Publish", "arn:aws:${service}")), request)).toBe("implicit-deny");
  expect(ask(matcherOf(A("Publish", "arn:aws:iot")), request)).toBe("allow");
});

describe("actions", () => {
  const decide = (action: string, asked: PolicyAction): Decision =>
    ask(matcherOf(A(action, "*")), { action: asked, resource: "*", context: {} });

  test("compare without case, with wildcards", () => {
    expect(decide("publish", "iot:Publish")).toBe("allow");
    expect(decide("Publish", "IOT:PUBLISH")).toBe("allow");
    expect(decide("iot:*Retained*", "iot:ListRetainedMessages")).toBe("allow");
    expect(decide("iot:Retain*", "iot:ListRetainedMessages")).toBe("implicit-deny");
    expect(decide("*", "iot:SomethingNew")).toBe("allow");
    expect(decide("Publish", "iot:RetainPublish")).toBe("implicit-deny");
  });
});

describe("several conditions on one key", () => {
  const rows: readonly (readonly [string, Short["condition"], string | readonly string[], boolean])[] = [
    [
      "an equality and a pattern",
      { StringEquals: { "x:Key": ["ab", "cb"] }, StringLike: { "x:Key": "a*" } },
      "ab",
      true,
    ],
    ["a pattern that refuses", { StringEquals: { "x:Key": ["ab", "cb"] }, StringLike: { "x:Key": "a*" } }, "cb", false],
    ["two equalities", { StringEquals: { "x:Key": ["a", "b"] }, StringEqualsIgnoreCase: { "x:Key": "B" } }, "b", true],
    ["an exclusion", { StringEquals: { "x:Key": ["a", "b"] }, StringNotEquals: { "x:Key": "b" } }, "b", false],
    ["a variable", { StringEquals: { "x:Key": "a" }, StringNotLike: { "x:Key": "${iot:ClientId}*" } }, "a", true],
    ["a variable that refuses", { StringEquals: { "x:Key": "a" }, StringNotLike: { "x:Key": "${x:Key}" } }, "a", false],
    ["several values", { StringEquals: { "x:Key": ["a", "b"] }, StringLike: { "x:Key": "*" } }, ["a", "b"], true],
    ["nothing that all accept", { StringEquals: { "x:Key": "a" }, StringLike: { "x:Key": "b" } }, "a", false],
    ["an empty text", { StringEquals: { "x:Key": ["", "a"] }, StringLike: { "x:Key": "*" } }, "", false],
    ["presence", { StringEquals: { "x:Key": "a" }, Null: { "x:Key": "false" } }, "a", true],
    ["absence", { StringEqualsIfExists: { "x:Key": "a" }, Null: { "x:Key": "true" } }, "", true],
  ];
  for (const [title, condition, value, expected] of rows) {
    test(title, () => {
      expect(allows(condition, { ...key(value), clientId: "c" })).toBe(expected);
      expect(denies(condition, { ...key(value), clientId: "c" })).toBe(expected);
    });
  }

  test("decide and explain agree, whatever stands together", () => {
    const text = fc.constantFrom("", "a", "b", "ab", "*", "a*", "?", "A", "${iot:ClientId}", "${iot:Nothing}");
    const name = fc.constantFrom("iot:Connection.Thing.Attributes[x]", "iot:connection.thing.attributes[x]", "x:Key");
    const operator = fc
      .tuple(
        fc.constantFrom("", "ForAnyValue:", "ForAllValues:"),
        fc.constantFrom("StringEquals", "StringNotEquals", "StringLike", "StringNotLike", "StringEqualsIgnoreCase"),
        fc.constantFrom("", "IfExists"),
      )
      .map((parts) => parts.join(""));
    const values = fc.dictionary(name, fc.array(text, { maxLength: 3 }), { maxKeys: 2 });
    const condition = fc.dictionary(operator, values, { maxKeys: 4 });
    const value = fc.constantFrom("", "a", "b", "ab", "A");
    fc.assert(
      fc.property(condition, fc.option(value), fc.array(value, { maxLength: 3 }), (given, attribute, list) => {
        const thing = { name: "t", isAttached: true, attributes: attribute === null ? {} : { x: attribute } };
        const context = { ...key(list), clientId: "a", thing };
        const request = requestOf("Publish", "t", context);
        ask(matcherOf(A("Publish", "topic/t", given)), request);
        ask(matcherOf(D("Publish", "topic/t", given)), request);
      }),
      { numRuns: 400 },
    );
  });
});
