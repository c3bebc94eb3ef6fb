/** Requests: what compiles, what is an error at run time, and what the protocol changes. */

import { compile, parsePolicy, parsePolicyOrThrow, PolicyRequestError, type PolicyRequest } from "@latchkey/policy";
import { parseExpectations } from "@latchkey/policy/authoring";
import { describe, expect, test } from "vitest";
import { A, ask, D, matcherOf, policyText, prefix, requestOf } from "./fixtures.ts";

const everything = matcherOf(A("*", "*"));

describe("a request that no policy could be about", () => {
  const rows: readonly (readonly [unknown, unknown, string, string])[] = [
    ["Publish", "*", "ERR_POLICY_REQUEST_ACTION", "write iot:Publish"],
    ["", "*", "ERR_POLICY_REQUEST_ACTION", "an action is text such as iot:Publish"],
    ["iot:", "*", "ERR_POLICY_REQUEST_ACTION", "iot: is not"],
    ["iot:*", "*", "ERR_POLICY_REQUEST_ACTION", "iot:* is a pattern"],
    [undefined, "*", "ERR_POLICY_REQUEST_ACTION", "an action is text such as iot:Publish"],
    ["iot:Publish", "topic/a", "ERR_POLICY_REQUEST_RESOURCE", "a whole ARN such as"],
    ["iot:Publish", "arn:aws:iot:topic/a", "ERR_POLICY_REQUEST_RESOURCE", "not arn:aws:iot:topic/a"],
    ["iot:Publish", "arn:aws:iot:r:1:", "ERR_POLICY_REQUEST_RESOURCE", "a whole ARN such as"],
    ["iot:Fly", "a", "ERR_POLICY_REQUEST_RESOURCE", "a whole ARN such as"],
    ["iot:Publish", undefined, "ERR_POLICY_REQUEST_RESOURCE", "a whole ARN such as"],
  ];
  for (const [action, resource, code, part] of rows) {
    test(`${String(action)} on ${String(resource)} is an error of decide and explain`, () => {
      const request = { action, resource, context: {} } as PolicyRequest;
      for (const act of [() => everything.decide(request), () => everything.explain(request)]) {
        try {
          act();
          expect.fail("no error was thrown");
        } catch (error) {
          if (!(error instanceof PolicyRequestError)) throw error;
          expect(error).toMatchObject({ code, found: String(code.endsWith("ACTION") ? action : resource) });
          expect(error.message).toContain(part);
        }
      }
    });
  }

  test("does not compile either", () => {
    // @ts-expect-error -- an action has its service in front
    const bare: PolicyRequest = { action: "Publish", resource: "*", context: {} };
    // @ts-expect-error -- a resource is a whole ARN
    const short: PolicyRequest = { action: "iot:Publish", resource: "topic/a", context: {} };
    expect([bare, short]).toHaveLength(2);
  });

  test("is a fault of an expectation file", () => {
    const result = parseExpectations({
      expectations: [{ action: "Publish", resource: "topic/a", decision: "allow" }],
    });
    expect(result.ok ? [] : result.errors.map(({ code, path }) => `${code} ${path}`)).toEqual([
      "ERR_POLICY_VALUE $.expectations[0].action",
      "ERR_POLICY_VALUE $.expectations[0].resource",
    ]);
  });
});

describe("documents as objects", () => {
  const document = { Version: "2012-10-17", Statement: { Effect: "Allow", Action: "iot:Publish", Resource: "*" } };

  test("are read like their text", () => {
    const matcher = compile([parsePolicyOrThrow(document)]);
    expect(matcher.decide(requestOf("Publish", "a"))).toBe("allow");
    const wrong = parsePolicy({ ...document, Statement: { ...document.Statement, Effect: "allow" } });
    expect(wrong.ok ? [] : wrong.errors.map(({ code, path }) => `${code} ${path}`)).toEqual([
      "ERR_POLICY_EFFECT $.Statement.Effect",
    ]);
  });

  test("that JSON cannot hold are a fault", () => {
    const cyclic: Record<string, unknown> = {};
    cyclic["self"] = cyclic;
    for (const value of [cyclic, { Id: 1n }, () => 1]) {
      const result = parsePolicy(value);
      expect(result.ok ? "" : result.errors[0].code).toBe("ERR_POLICY_JSON");
    }
  });

  test("a byte order mark is named", () => {
    const result = parsePolicy(`\ufeff${policyText(A("Publish", "*"))}`);
    expect(result.ok ? "" : result.errors[0].message).toContain("byte order mark (U+FEFF)");
  });
});

describe("the protocol", () => {
  const thing = { name: "t1", typeName: "T", attributes: { env: "prod" }, isAttached: true };
  const context = { clientId: "t1", thing };
  const own = matcherOf(A("Publish", ["topic/${iot:Connection.Thing.ThingName}", "topic/c/${iot:ClientId}"]));

  test("thing and client identifier have values over MQTT only", () => {
    for (const name of ["t1", "c/t1"]) {
      expect(ask(own, requestOf("Publish", name, { ...context, protocol: "mqtt" }))).toBe("allow");
      expect(ask(own, requestOf("Publish", name, context))).toBe("allow");
      expect(ask(own, requestOf("Publish", name, { ...context, protocol: "https" }))).toBe("implicit-deny");
    }
  });

  test("as condition keys too", () => {
    const absent = matcherOf(
      A("Publish", "*", {
        Null: { "iot:Connection.Thing.IsAttached": "true", "iot:Connection.Thing.Attributes[env]": "true" },
      }),
    );
    expect(ask(absent, requestOf("Publish", "a", { ...context, protocol: "https" }))).toBe("allow");
    expect(ask(absent, requestOf("Publish", "a", context))).toBe("implicit-deny");
    const detached = matcherOf(
      A("Publish", "*"),
      D("Publish", "*", { Bool: { "iot:Connection.Thing.IsAttached": "false" } }),
    );
    expect(ask(detached, requestOf("Publish", "a", { protocol: "mqtt" }))).toBe("explicit-deny");
    expect(ask(detached, requestOf("Publish", "a", { protocol: "https" }))).toBe("allow");
  });

  test("shadow and job actions are HTTPS whatever the context says", () => {
    const matcher = matcherOf(A("GetThingShadow", "thing/${iot:Connection.Thing.ThingName}"));
    const request: PolicyRequest = { action: "iot:GetThingShadow", resource: `${prefix}thing/t1`, context };
    for (const action of ["iot:GetThingShadow", "iot:getthingshadow"] as const) {
      expect(ask(matcher, { ...request, action })).toBe("implicit-deny");
    }
    expect(matcher.explain(request).sentence).toContain("only MQTT connections have things");
  });
});
