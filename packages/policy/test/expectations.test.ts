/** Expectations: a file is read with every fault located, and checked with a sentence for each failure. */

import { compile, parsePolicyOrThrow, PolicyError, type RequestContext } from "@latchkey/policy";
import { checkExpectations, parseExpectations, parseExpectationsOrThrow } from "@latchkey/policy/authoring";
import { describe, expect, test } from "vitest";
import { A, matcherOf, policyText, prefix } from "./fixtures.ts";

const ownTopic = A("Publish", "topic/iotbutton/${iot:Certificate.Subject.SerialNumber}");

describe("expectations", () => {
  test("a file of a passing and a failing expectation", () => {
    const file = JSON.stringify({
      contexts: { button: { certificate: { subject: { SerialNumber: "G03X" } } } },
      expectations: [
        {
          name: "own topic",
          context: "button",
          action: "iot:Publish",
          resource: `${prefix}topic/iotbutton/G03X`,
          decision: "allow",
        },
        { context: "button", action: "iot:Publish", resource: `${prefix}topic/iotbutton/G03Y`, decision: "allow" },
      ],
    });
    const report = checkExpectations(matcherOf(ownTopic), parseExpectationsOrThrow(file));
    expect(report.passed).toBe(1);
    expect(report.failures.map(({ actual, expectation }) => [expectation.name, actual])).toEqual([
      ["$.expectations[1]", "implicit-deny"],
    ]);
    expect(report.failures[0]?.sentence).toContain("stands for");
  });

  test("a context in JSON is the same as a context in code", () => {
    const context: RequestContext = {
      protocol: "mqtt",
      clientId: "c",
      sourceIp: "192.0.2.1",
      domainName: "iot.example.com",
      certificateId: "ab",
      lastWillTopic: `${prefix}topic/w`,
      topic: "t",
      certificate: {
        serialNumber: "1",
        subject: { CommonName: ["a", "b"] },
        issuer: { Organization: ["o"] },
        subjectAlternativeName: { DNSName: ["d"] },
        issuerAlternativeName: { IPAddress: ["::1"] },
      },
      thing: { name: "c", typeName: "T", attributes: { env: "prod", __proto__x: "y" }, isAttached: true },
      connectAttributes: ["PersistentConnect", "LastWill"],
      currentTimeMs: 1_700_000_000_000,
      keys: { "aws:UserAgent": "x", "example:List": ["a", "b"] },
    };
    const text = JSON.stringify({
      expectations: [{ action: "iot:Publish", resource: "*", context, decision: "allow" }],
    });
    expect(parseExpectationsOrThrow(text)[0]?.request.context).toEqual(context);
  });

  test("all faults at once, each with its place", () => {
    const text = `{
      "contexts": { "a": { "clientId": 7, "colour": "red", "thing": { "name": "t" } } },
      "expectations": [
        { "action": "iot:Publish", "resource": "*", "decision": "maybe" },
        { "action": "iot:Publish", "context": "b", "decision": "allow" },
        { "action": "iot:Publish", "resource": "*", "context": { "currentTimeMs": "now", "connectAttributes": ["x"], "keys": 1,
          "certificate": { "subject": { "Locality": ["x"] } } }, "decision": "allow" }
      ]
    }`;
    const result = parseExpectations(text);
    expect(result.ok ? [] : result.errors.map(({ code, path, line }) => [code, path, line])).toEqual([
      ["ERR_POLICY_TYPE", "$.contexts.a.clientId", 2],
      ["ERR_POLICY_UNKNOWN_ELEMENT", "$.contexts.a.colour", 2],
      ["ERR_POLICY_MISSING_ELEMENT", "$.contexts.a.thing", 2],
      ["ERR_POLICY_VALUE", "$.expectations[0].decision", 4],
      ["ERR_POLICY_MISSING_ELEMENT", "$.expectations[1]", 5],
      ["ERR_POLICY_VALUE", "$.expectations[1].context", 5],
      ["ERR_POLICY_TYPE", "$.expectations[2].context.currentTimeMs", 6],
      ["ERR_POLICY_VALUE", "$.expectations[2].context.connectAttributes[0]", 6],
      ["ERR_POLICY_TYPE", "$.expectations[2].context.keys", 6],
      ["ERR_POLICY_UNKNOWN_ELEMENT", "$.expectations[2].context.certificate.subject.Locality", 7],
    ]);
    expect(() => parseExpectationsOrThrow(text)).toThrow(PolicyError);
    expect(parseExpectations("{").ok).toBe(false);
  });

  test("without a context nothing is known of the requester", () => {
    const text = JSON.stringify({
      expectations: [{ action: "iot:Publish", resource: `${prefix}topic/iotbutton/`, decision: "implicit-deny" }],
    });
    const matcher = compile([parsePolicyOrThrow(policyText(ownTopic))]);
    expect(checkExpectations(matcher, parseExpectationsOrThrow(text))).toEqual({ passed: 1, failures: [] });
  });
});

test("an expectation that is no object is refused with its place", () => {
  const result = parseExpectations('{"expectations": [1]}');
  expect(result.ok ? [] : result.errors).toMatchObject([
    { code: "ERR_POLICY_TYPE", path: "$.expectations[0]", found: "number", allowed: ["object"] },
  ]);
});
