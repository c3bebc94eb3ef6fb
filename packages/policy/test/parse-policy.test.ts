/** The grammar: what is accepted, and every fault with its code, path, line and column. */

import {
  defaultMaximumCharacters,
  parsePolicy,
  parsePolicyOrThrow,
  PolicyError,
  type PolicyErrorCode,
} from "@latchkey/policy";
import fc from "fast-check";
import { describe, expect, test } from "vitest";

const statement = { Effect: "Allow", Action: "iot:Publish", Resource: "*" };

function withStatement(change: Record<string, unknown>): string {
  return JSON.stringify({ Version: "2012-10-17", Statement: { ...statement, ...change } });
}

/** Faults in short: code and place. */
function faults(text: string): readonly (readonly [PolicyErrorCode, string])[] {
  const result = parsePolicy(text);
  return result.ok ? [] : result.errors.map(({ code, path, line, column }) => [code, `${line}:${column} ${path}`]);
}

function codes(text: string): readonly string[] {
  return faults(text).map(([code, place]) => `${code} ${place.slice(place.indexOf("$"))}`);
}

describe("accepted", () => {
  test("a single statement, lists, Not forms, Id and Sid", () => {
    const policy = parsePolicyOrThrow(
      JSON.stringify({
        Version: "2012-10-17",
        Id: "id",
        Statement: [
          { Sid: "one", Effect: "Allow", Action: ["iot:Publish", "iot:*"], Resource: ["*", "arn:aws:iot:*:*:topic/a"] },
          { Effect: "Deny", NotAction: "iot:Connect", NotResource: "arn:aws:iot:eu-west-1:1:topic/a:b" },
        ],
      }),
      { name: "mine" },
    );
    expect(policy).toMatchObject({ name: "mine", version: "2012-10-17", id: "id" });
    expect(
      policy.statements.map(({ sid, effect, action, resource }) => [sid, effect, action.isNegated, resource.isNegated]),
    ).toEqual([
      ["one", "Allow", false, false],
      [undefined, "Deny", true, true],
    ]);
    expect(policy.statements[0]?.resource.values[1]?.at).toMatchObject({ path: "$.Statement[0].Resource[1]", line: 1 });
  });

  test("without a version it is 2008-10-17", () => {
    expect(parsePolicyOrThrow(JSON.stringify({ Statement: statement })).version).toBe("2008-10-17");
  });

  const operators = [
    [
      "StringEquals",
      "StringNotEquals",
      "StringEqualsIgnoreCase",
      "StringNotEqualsIgnoreCase",
      "StringLike",
      "StringNotLike",
    ].map((name) => [name, "a"]),
    ["Equals", "NotEquals", "LessThan", "LessThanEquals", "GreaterThan", "GreaterThanEquals"].flatMap((name) => [
      [`Numeric${name}`, 7],
      [`Date${name}`, "2026-11-23T00:00:00Z"],
    ]),
    [
      ["Bool", true],
      ["BinaryEquals", "AQID"],
      ["IpAddress", "192.0.2.0/24"],
      ["NotIpAddress", "2001:db8::/32"],
    ],
    ["ArnEquals", "ArnNotEquals", "ArnLike", "ArnNotLike"].map((name) => [name, "arn:aws:iot:*:*:topic/*"]),
  ].flat();
  for (const [name, value] of operators) {
    test(`every form of ${name}`, () => {
      for (const operator of ["", "ForAnyValue:", "ForAllValues:"].flatMap((set) => [
        `${set}${name}`,
        `${set}${name}IfExists`,
      ])) {
        expect(codes(withStatement({ Condition: { [operator]: { key: value, other: [value, value] } } }))).toEqual([]);
      }
    });
  }

  test("Null with Booleans as such and as text; an empty list", () => {
    expect(codes(withStatement({ Condition: { Null: { a: true, b: "false" }, StringEquals: { c: [] } } }))).toEqual([]);
  });
});

describe("refused", () => {
  const cases: readonly (readonly [string, string, readonly string[]])[] = [
    ["not an object", "[]", ["ERR_POLICY_TYPE $"]],
    ["no statement", "{}", ["ERR_POLICY_MISSING_ELEMENT $"]],
    ["no statements", '{"Statement": []}', ["ERR_POLICY_EMPTY $.Statement"]],
    ["statement of the wrong type", '{"Statement": ["a"]}', ["ERR_POLICY_TYPE $.Statement[0]"]],
    [
      "unknown version",
      '{"Version": "2012-10-18", "Statement": {}}',
      [
        "ERR_POLICY_VERSION $.Version",
        "ERR_POLICY_MISSING_ELEMENT $.Statement",
        "ERR_POLICY_MISSING_ELEMENT $.Statement",
        "ERR_POLICY_MISSING_ELEMENT $.Statement",
      ],
    ],
    ["Principal", withStatement({ Principal: "*" }), ["ERR_POLICY_UNKNOWN_ELEMENT $.Statement.Principal"]],
    ["wrong case", withStatement({ resource: "*" }), ["ERR_POLICY_UNKNOWN_ELEMENT $.Statement.resource"]],
    ["Effect in lower case", withStatement({ Effect: "allow" }), ["ERR_POLICY_EFFECT $.Statement.Effect"]],
    ["Sid as a number", withStatement({ Sid: 1 }), ["ERR_POLICY_TYPE $.Statement.Sid"]],
    [
      "both Action and NotAction",
      withStatement({ NotAction: "iot:Connect" }),
      ["ERR_POLICY_CONFLICTING_ELEMENTS $.Statement.NotAction"],
    ],
    [
      "both Resource and NotResource",
      withStatement({ NotResource: "*" }),
      ["ERR_POLICY_CONFLICTING_ELEMENTS $.Statement.NotResource"],
    ],
    ["no resources", withStatement({ Resource: [] }), ["ERR_POLICY_EMPTY $.Statement.Resource"]],
    ["an action without a service", withStatement({ Action: "Publish" }), ["ERR_POLICY_ACTION $.Statement.Action"]],
    ["a variable in an action", withStatement({ Action: "iot:${x}" }), ["ERR_POLICY_ACTION $.Statement.Action"]],
    [
      "a resource that is no ARN",
      withStatement({ Resource: ["topic/a"] }),
      ["ERR_POLICY_RESOURCE $.Statement.Resource[0]"],
    ],
    ["a resource that is null", withStatement({ Resource: null }), ["ERR_POLICY_TYPE $.Statement.Resource"]],
    ["Condition as a list", withStatement({ Condition: [] }), ["ERR_POLICY_TYPE $.Statement.Condition"]],
    [
      "unknown operator",
      withStatement({ Condition: { StringEqual: { a: "b" } } }),
      ["ERR_POLICY_OPERATOR $.Statement.Condition.StringEqual"],
    ],
    [
      "an operator in another case",
      withStatement({ Condition: { stringEquals: { a: "b" }, "foranyvalue:StringEquals": { a: "b" } } }),
      [
        "ERR_POLICY_OPERATOR $.Statement.Condition.stringEquals",
        'ERR_POLICY_OPERATOR $.Statement.Condition["foranyvalue:StringEquals"]',
      ],
    ],
    [
      "Null with a prefix",
      withStatement({ Condition: { "ForAnyValue:Null": { a: "true" } } }),
      ['ERR_POLICY_OPERATOR $.Statement.Condition["ForAnyValue:Null"]'],
    ],
    [
      "NullIfExists",
      withStatement({ Condition: { NullIfExists: { a: "true" } } }),
      ["ERR_POLICY_OPERATOR $.Statement.Condition.NullIfExists"],
    ],
    [
      "operator without keys",
      withStatement({ Condition: { StringEquals: "a" } }),
      ["ERR_POLICY_TYPE $.Statement.Condition.StringEquals"],
    ],
    [
      "value that is an object",
      withStatement({ Condition: { StringEquals: { a: [{}] } } }),
      ["ERR_POLICY_TYPE $.Statement.Condition.StringEquals.a[0]"],
    ],
    [
      "values that their operators cannot read",
      withStatement({
        Condition: {
          NumericEquals: { a: "1e3" },
          DateLessThan: { a: ["2026-02-30", "today", "2026-01-01T10:00"] },
          Bool: { a: "yes" },
          IpAddress: { a: ["192.0.2.256", "192.0.2.0/33", "1:2:3", "010.0.0.1", ":::"] },
          BinaryEquals: { a: "A" },
          ArnLike: { a: "arn:aws:iot" },
        },
      }),
      [
        "NumericEquals.a",
        "DateLessThan.a[0]",
        "DateLessThan.a[1]",
        "DateLessThan.a[2]",
        "Bool.a",
        "IpAddress.a[0]",
        "IpAddress.a[1]",
        "IpAddress.a[2]",
        "IpAddress.a[3]",
        "IpAddress.a[4]",
        "BinaryEquals.a",
        "ArnLike.a",
      ].map((path) => `ERR_POLICY_VALUE $.Statement.Condition.${path}`),
    ],
    [
      "the same member twice",
      '{"Statement": {"Effect":"Allow","Effect":"Deny","Action":"*","Resource":"*"}}',
      ["ERR_POLICY_DUPLICATE_MEMBER $.Statement.Effect"],
    ],
    ["half a surrogate pair", '{"Id": "\\ud800", "Statement": []}', ["ERR_POLICY_JSON $.Id"]],
  ];
  for (const [title, text, expected] of cases) {
    test(title, () => {
      expect(codes(text)).toEqual(expected);
    });
  }

  test("all faults at once, with line and column", () => {
    const text = `{
  "Version": "2012-10-17",
  "Statement": [
    { "Effect": "Permit", "Action": [], "Resource": "*" },
    {
      "Effect": "Deny",
      "Action": "iot:Publish",
      "Condition": { "Bool": { "iot:Connection.Thing.IsAttached": "maybe" } }
    }
  ]
}`;
    expect(faults(text)).toEqual([
      ["ERR_POLICY_EFFECT", "4:17 $.Statement[0].Effect"],
      ["ERR_POLICY_EMPTY", "4:37 $.Statement[0].Action"],
      ["ERR_POLICY_MISSING_ELEMENT", "5:5 $.Statement[1]"],
      ["ERR_POLICY_VALUE", '8:67 $.Statement[1].Condition.Bool["iot:Connection.Thing.IsAttached"]'],
    ]);
  });

  test("the throwing form holds the same faults", () => {
    try {
      parsePolicyOrThrow('{"Version": 1, "Statement": []}');
      expect.fail();
    } catch (error) {
      if (!(error instanceof PolicyError)) throw error;
      expect(error.code).toBe("ERR_POLICY_TYPE");
      expect(error.errors.map(({ code }) => code)).toEqual(["ERR_POLICY_TYPE", "ERR_POLICY_EMPTY"]);
      expect(error.message).toBe("1:13 $.Version: Version has to be a string, not a number (and 1 more)");
    }
  });

  test("at most a hundred faults are listed", () => {
    const statements = Array.from({ length: 300 }, () => 1);
    const found = faults(JSON.stringify({ Statement: statements }));
    expect(found).toHaveLength(101);
    expect(found.at(-1)?.[0]).toBe("ERR_POLICY_TOO_MANY_ERRORS");
  });
});

describe("size: characters without white space", () => {
  const sized = (length: number): string => {
    const empty = withStatement({ Sid: "" });
    return withStatement({ Sid: "x".repeat(length - empty.length) });
  };

  test("2,048 are accepted, and white space does not count", () => {
    expect(codes(sized(defaultMaximumCharacters))).toEqual([]);
    expect(codes(sized(defaultMaximumCharacters).replaceAll(",", ",\n      "))).toEqual([]);
  });

  test("2,049 are refused, unless the caller allows more", () => {
    const text = sized(defaultMaximumCharacters + 1);
    expect(codes(text)).toEqual(["ERR_POLICY_SIZE $"]);
    expect(parsePolicy(text, { maximumCharacters: 404_600 }).ok).toBe(true);
  });
});

describe("JSON", () => {
  const json = fc.json({ maxDepth: 4 });

  test("what JSON.parse refuses is refused, what it accepts is judged by the grammar", () => {
    const mutated = fc.tuple(
      json,
      fc.nat(),
      fc.constantFrom("", '"', "\\", "{", "]", ",", ":", "0", "\n", "\u0000", "tru"),
    );
    fc.assert(
      fc.property(mutated, ([text, at, insert]) => {
        const changed = text.slice(0, at % (text.length + 1)) + insert + text.slice(at % (text.length + 1));
        let isJson = true;
        try {
          JSON.parse(changed);
        } catch {
          isJson = false;
        }
        const isRefused = codes(changed).some((code) => code.startsWith("ERR_POLICY_JSON"));
        // Lone surrogates are the one thing that JSON.parse lets pass.
        expect(isRefused).toBe(!isJson || !changed.isWellFormed() || /\\ud[89a-f]/i.test(changed));
      }),
      { numRuns: 500 },
    );
  });

  test("every prefix of a policy is refused", () => {
    const text = withStatement({ Condition: { StringEquals: { "iot:ClientId": ["a\\u0041\u00e9"] } } });
    for (let length = 0; length < text.length; length++) expect(parsePolicy(text.slice(0, length)).ok).toBe(false);
    expect(parsePolicy(text).ok).toBe(true);
  });
});

describe("evidence", () => {
  const rows: readonly (readonly [string, Record<string, unknown>])[] = [
    ["{", { code: "ERR_POLICY_JSON" }],
    ['{"Id": "a", "Id": "b", "Statement": []}', { code: "ERR_POLICY_DUPLICATE_MEMBER", member: "Id" }],
    ["[".repeat(40), { code: "ERR_POLICY_DEPTH", limit: 32 }],
    [JSON.stringify({ Id: "a".repeat(3000) }), { code: "ERR_POLICY_SIZE", found: 3009, limit: 2048 }],
    ["[]", { code: "ERR_POLICY_TYPE", found: "array", allowed: ["object"] }],
    [
      JSON.stringify({ version: "", Statement: statement }),
      { code: "ERR_POLICY_UNKNOWN_ELEMENT", member: "version", allowed: ["Version", "Id", "Statement"] },
    ],
    ["{}", { code: "ERR_POLICY_MISSING_ELEMENT", allowed: ["Statement"] }],
    [
      JSON.stringify({ Statement: { Effect: "Allow", Resource: "*" } }),
      { code: "ERR_POLICY_MISSING_ELEMENT", allowed: ["Action", "NotAction"] },
    ],
    [
      withStatement({ NotResource: "*" }),
      { code: "ERR_POLICY_CONFLICTING_ELEMENTS", members: ["Resource", "NotResource"] },
    ],
    [withStatement({ Action: [] }), { code: "ERR_POLICY_EMPTY", member: "Action" }],
    [
      JSON.stringify({ Version: "2020-01-01", Statement: statement }),
      { code: "ERR_POLICY_VERSION", found: "2020-01-01", allowed: ["2008-10-17", "2012-10-17"] },
    ],
    [withStatement({ Effect: "allow" }), { code: "ERR_POLICY_EFFECT", found: "allow", allowed: ["Allow", "Deny"] }],
    [withStatement({ Action: "Publish" }), { code: "ERR_POLICY_ACTION", found: "Publish" }],
    [withStatement({ Resource: "topic/a" }), { code: "ERR_POLICY_RESOURCE", found: "topic/a" }],
    [withStatement({ Condition: { stringEquals: {} } }), { code: "ERR_POLICY_OPERATOR", found: "stringEquals" }],
    [withStatement({ Condition: { Bool: { a: "maybe" } } }), { code: "ERR_POLICY_VALUE", found: "maybe" }],
  ];
  for (const [text, evidence] of rows) {
    test(`of ${String(evidence["code"])} in ${text.slice(0, 60)}`, () => {
      const result = parsePolicy(text);
      expect(result.ok ? [] : result.errors).toContainEqual(expect.objectContaining(evidence));
    });
  }

  test("of too many faults", () => {
    const result = parsePolicy(withStatement({ Action: Array.from({ length: 150 }, () => 0) }));
    expect(result.ok ? undefined : result.errors.at(-1)).toMatchObject({
      code: "ERR_POLICY_TOO_MANY_ERRORS",
      limit: 100,
    });
  });

  test("narrows by code", () => {
    const result = parsePolicy("x".repeat(3000));
    const [error] = result.ok ? [] : result.errors;
    expect(error?.code === "ERR_POLICY_SIZE" && error.found - error.limit).toBe(952);
  });
});

describe("the operator that was meant", () => {
  const rows: readonly (readonly [string, string])[] = [
    ["stringEquals", "write StringEquals ("],
    ["StringEqual", "write StringEquals ("],
    ["foranyvalue:stringlike", "write ForAnyValue:StringLike ("],
    ["ForAllValues:boolifexists", "write ForAllValues:BoolIfExists ("],
    ["ForAnyValue:Null", "write Null ("],
    ["NullIfExists", "write Null ("],
    ["StringLikeIfExist", "write StringLikeIfExists ("],
    ["Nonsense", "one of StringEquals, StringNotEquals, "],
    ["ForEachValue0000:StringEquals", "one of StringEquals, StringNotEquals, "],
  ];
  for (const [written, advice] of rows) {
    test(written, () => {
      const result = parsePolicy(withStatement({ Condition: { [written]: { "iot:ClientId": "a" } } }));
      const [error] = result.ok ? [] : result.errors;
      expect(error?.message).toContain(`there is no condition operator ${written}: ${advice}`.slice(0, 400));
    });
  }
});

describe("what a message says to write", () => {
  const messageOf = (text: string): string => {
    const result = parsePolicy(text);
    return result.ok ? "" : result.errors[0].message;
  };

  test("of a member in other letter case, and of one that there is not", () => {
    expect(messageOf(withStatement({ sid: "a" }))).toBe("sid is written Sid");
    expect(messageOf(withStatement({ Conditions: {} }))).toBe("Conditions is not known here: write Condition");
    expect(messageOf(withStatement({ Principal: "*" }))).toBe(
      "Principal is not known here: one of Sid, Effect, Action, NotAction, Resource, NotResource, Condition was expected",
    );
  });

  test("of an action without its service", () => {
    const messageOfAction = (text: string): string => messageOf(withStatement({ Action: text }));
    expect(messageOfAction("Publsh")).toBe("Publsh lacks the service that an action starts with: write iot:Publish");
    expect(messageOfAction("connect")).toBe("connect lacks the service that an action starts with: write iot:Connect");
    expect(messageOfAction("Nonsense")).toContain("write iot:Nonsense");
    expect(messageOfAction("iot:")).toBe("iot: is not an action such as iot:Publish, or *");
  });

  test("of an empty text where a number belongs", () => {
    const message = messageOf(withStatement({ Condition: { NumericEquals: { "iot:ClientId": "" } } }));
    expect(message).toBe("an empty text: a decimal number was expected");
  });

  test("of a value that is no address", () => {
    for (const text of ["g::", "1:2:3:4:5:6:7:g", "12345::", "192.0.2.1::", "::192.0.2.1:1", "2001:db8::/129", "a"]) {
      const message = messageOf(withStatement({ Condition: { IpAddress: { "aws:SourceIp": text } } }));
      expect(message).toBe(`${text}: an IP address, or a block such as 192.0.2.0/24, was expected`);
    }
  });

  test.each([
    ["NumericLessThan", "many", "a decimal number was expected"],
    ["DateEquals", "yesterday", "a date (ISO 8601, or seconds since 1970) was expected"],
    ["Bool", "yes", "true or false was expected"],
    ["Null", "no", "true or false was expected"],
    ["BinaryEquals", "a", "Base64 was expected"],
    ["ArnLike", "", "an ARN of six segments, or *, was expected"],
    ["ArnEquals", "arn:aws:iot:us-east-1:123456789012", "an ARN of six segments, or *, was expected"],
    ["NotIpAddress", "garden", "an IP address, or a block such as 192.0.2.0/24, was expected"],
  ])("of a value that %s cannot compare: %s", (operator, text, wanted) => {
    const message = messageOf(withStatement({ Condition: { [operator]: { "x:Key": text } } }));
    expect(message.endsWith(wanted), message).toBe(true);
  });
});
