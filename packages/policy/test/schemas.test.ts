/** The JSON Schemas beside the parsers: what an editor accepts is what is read, and what it marks is refused. */

import { readFileSync } from "node:fs";
import { Ajv, type ValidateFunction } from "ajv";
import { describe, expect, test } from "vitest";
import { parseExpectations } from "../src/authoring.ts";
import { parsePolicy } from "../src/index.ts";
import { operatorNames } from "../src/operator.ts";

const schema = (name: string): ValidateFunction =>
  new Ajv({ strict: true, strictTypes: false, strictRequired: false, allErrors: true }).compile(
    JSON.parse(readFileSync(new URL(`../schemas/${name}.schema.json`, import.meta.url), "utf8")) as object,
  );
const arn = "arn:aws:iot:us-east-1:123456789012:topic/a";
const statement = { Effect: "Allow", Action: "iot:Publish", Resource: arn };
const policyOf = (more: object): object => ({ Version: "2012-10-17", Statement: { ...statement, ...more } });

describe("policies", () => {
  const isValid = schema("policy");
  test.each<[string, unknown]>([
    ["one statement", policyOf({})],
    [
      "several statements with an Id and Sids",
      { Version: "2012-10-17", Id: "x", Statement: [statement, { ...statement, Sid: "s" }] },
    ],
    ["no Version", { Statement: statement }],
    ["the older Version", { Version: "2008-10-17", Statement: [statement] }],
    [
      "lists, wildcards and variables",
      policyOf({ Action: ["iot:*", "iot:Publish"], Resource: [`${arn}/*`, "*", `${arn}/\${iot:ClientId}`] }),
    ],
    ["every action", policyOf({ Action: "*" })],
    ["NotAction and NotResource", { Statement: { Effect: "Deny", NotAction: "iot:Connect", NotResource: [arn] } }],
    ["a condition with a Boolean", policyOf({ Condition: { Bool: { "iot:Connection.Thing.IsAttached": true } } })],
    [
      "a condition with a list",
      policyOf({ Condition: { "ForAnyValue:StringEqualsIfExists": { "iot:ConnectAttributes": ["LastWill"] } } }),
    ],
    ["Null", policyOf({ Condition: { Null: { "iot:Certificate.Subject.CommonName": "false" } } })],
  ])("%s is valid", (_, document) => {
    expect(parsePolicy(document as object).ok).toBe(true);
    expect(isValid(document), JSON.stringify(isValid.errors)).toBe(true);
  });

  test.each<[string, unknown]>([
    ["a list", []],
    ["no Statement", { Version: "2012-10-17" }],
    ["an empty list of statements", { Statement: [] }],
    ["another Version", { Version: "2012-10-18", Statement: statement }],
    ["an unknown member", { ...policyOf({}), Statements: [] }],
    ["a principal", policyOf({ Principal: "*" })],
    ["another effect", policyOf({ Effect: "allow" })],
    ["no action", { Statement: { Effect: "Allow", Resource: arn } }],
    ["Action and NotAction", policyOf({ NotAction: "iot:Connect" })],
    ["Resource and NotResource", policyOf({ NotResource: arn })],
    ["an action without its service", policyOf({ Action: "Publish" })],
    ["a number for a resource", policyOf({ Resource: 1 })],
    ["a resource that is a topic alone", policyOf({ Resource: "orders" })],
    ["an empty list of actions", policyOf({ Action: [] })],
    ["an unknown operator", policyOf({ Condition: { StringEqual: { "iot:ClientId": "a" } } })],
    ["Null with a suffix", policyOf({ Condition: { NullIfExists: { "iot:ClientId": "a" } } })],
    ["a condition without its operator", policyOf({ Condition: { "iot:ClientId": "a" } })],
    ["an object for a value", policyOf({ Condition: { StringEquals: { "iot:ClientId": {} } } })],
  ])("%s is not", (_, document) => {
    expect(parsePolicy(document as object).ok).toBe(false);
    expect(isValid(document)).toBe(false);
  });

  test.each(operatorNames())("the operator %s is known", (operator) => {
    expect(isValid(policyOf({ Condition: { [operator]: { "iot:ClientId": "a" } } }))).toBe(true);
  });
});

describe("expectations", () => {
  const isValid = schema("expectations");
  const expectation = { name: "n", action: "iot:Publish", resource: arn, decision: "allow" };
  const context = {
    protocol: "mqtt",
    clientId: "c",
    sourceIp: "192.0.2.1",
    connectAttributes: ["LastWill"],
    currentTimeMs: 1,
    certificate: { serialNumber: "1", subject: { CommonName: ["a", "b"] }, issuerAlternativeName: { DNSName: ["d"] } },
    thing: { name: "t", isAttached: true, attributes: { room: "kitchen" } },
    keys: { "aws:x": ["1", "2"], "aws:y": "3" },
  };
  test.each<[string, unknown]>([
    ["one", { expectations: [expectation] }],
    ["none", { expectations: [] }],
    ["contexts by name", { contexts: { device: context }, expectations: [{ ...expectation, context: "device" }] }],
    ["a context of its own", { expectations: [{ ...expectation, context }] }],
  ])("%s is valid", (_, document) => {
    expect(parseExpectations(document as object)).toMatchObject({ ok: true });
    expect(isValid(document), JSON.stringify(isValid.errors)).toBe(true);
  });

  test.each<[string, unknown]>([
    ["nothing expected", {}],
    ["another decision", { expectations: [{ ...expectation, decision: "deny" }] }],
    ["no resource", { expectations: [{ action: "iot:Publish", decision: "allow" }] }],
    ["an unknown member", { expectations: [{ ...expectation, expected: "allow" }] }],
    ["an unknown protocol", { expectations: [{ ...expectation, context: { protocol: "coap" } }] }],
    ["a thing without isAttached", { expectations: [{ ...expectation, context: { thing: { name: "t" } } }] }],
    [
      "an unknown attribute of a name",
      { expectations: [{ ...expectation, context: { certificate: { subject: { CN: ["a"] } } } }] },
    ],
    [
      "an attribute of CONNECT that there is not",
      { expectations: [{ ...expectation, context: { connectAttributes: ["Will"] } }] },
    ],
  ])("%s is not", (_, document) => {
    expect(parseExpectations(document as object).ok).toBe(false);
    expect(isValid(document)).toBe(false);
  });
});
