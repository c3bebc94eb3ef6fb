/** Lint: slips in ARNs, actions and names. Each is named, and what the fix says, written in its place, works. */

import { compile, parsePolicyOrThrow, type ParsedPolicy, type ResourceArn } from "@latchkey/policy";
import { lint, type LintFinding } from "@latchkey/policy/authoring";
import { describe, expect, test } from "vitest";

const connect = {
  Effect: "Allow",
  Action: "iot:Connect",
  Resource: "arn:aws:iot:eu-west-1:123456789012:client/${iot:Connection.Thing.ThingName}",
};

function policyOf(action: string | readonly string[], resource: string): ParsedPolicy {
  const Statement = [connect, { Effect: "Allow", Action: action, Resource: resource }];
  return parsePolicyOrThrow({ Version: "2012-10-17", Statement });
}

function findingsOn(action: string | readonly string[], resource: string): readonly LintFinding[] {
  return lint([policyOf(action, resource)]);
}

const wanted: ResourceArn = "arn:aws:iot:eu-west-1:123456789012:topic/a/b";

describe("a slip in an ARN", () => {
  test.each([
    ["arn:aws:iot::eu-west-1:123456789012:topic/a/b", /a colon too many/],
    ["arn:aws:iot:eu-west-1::123456789012:topic/a/b", /a colon too many/],
    ["arn:aws:iot:eu-west-1:123456789012::topic/a/b", /a colon too many/],
    ["arn::aws:iot:eu-west-1:123456789012:topic/a/b", /a colon too many/],
    ["arn:aws::iot:eu-west-1:123456789012:topic/a/b", /a colon too many/],
    ["arn:aws:iot::123456789012:topic/a/b", /the region of the ARN is empty/],
    ["arn:aws:iot:eu-west-1::topic/a/b", /the account of the ARN is empty/],
    ["arn:aws:iot:::topic/a/b", /the region and the account of the ARN are empty/],
    ["arn:aws:iot:eu-west-1:topic/a/b", /a part of the ARN is missing/],
    ["arn:aws:iot:123456789012:topic/a/b", /a part of the ARN is missing/],
    ["arn:aws:iot:topic/a/b", /a part of the ARN is missing/],
    ["arn:aws:eu-west-1:123456789012:topic/a/b", /third part of the ARN is eu-west-1 and not iot/],
    ["arn:aws:iotdata:eu-west-1:123456789012:topic/a/b", /third part of the ARN is iotdata and not iot/],
    ["arn:aws:IOT:eu-west-1:123456789012:topic/a/b", /third part of the ARN is IOT and not iot/],
    ["arn:aws:iot:eu-west-1:123456789012topic/a/b", /a colon is missing between the account and the resource/],
    ["arn:aws:iot:eu-west-1:123456789012/topic/a/b", /a colon is missing between the account and the resource/],
    ["arn:aws:iot:eu-west-1:123456789012:iot:topic/a/b", /iot: stands in front of the resource/],
    ["arn:aws:iot:eu-west-1:123456789012:/topic/a/b", /a slash stands in front of topic/],
    ["arn:aws:iot:eu-west-1:123456789012:topic:a/b", /a colon stands behind topic/],
    ["arn:aws:iot:eu-west-1:123456789012:Topic/a/b", /there is no Topic/],
    ["arn:aws:iot:eu-west-1:123456789012:topics/a/b", /no resource topics/],
    ["arn:aws:iot:eu_west_1:123456789012:topic/a/b", /not written as in the ARNs of requests/],
    ["arn:aws:iot:EU-WEST-1:123456789012:topic/a/b", /not written as in the ARNs of requests/],
    ["arn:aws:iot:eu-west-1:1234-5678-9012:topic/a/b", /not written as in the ARNs of requests/],
  ])("%s", (written, message) => {
    const findings = findingsOn("iot:Publish", written);
    expect(findings.map(({ code }) => code)).toEqual(["malformed-arn"]);
    const [finding] = findings;
    expect(finding?.message).toMatch(message);
    const [, fix = ""] = /^write (arn:\S+)/.exec(finding?.fix ?? "") ?? [];
    const mended = fix.replace("REGION", "eu-west-1").replace("ACCOUNT", "123456789012");
    expect(findingsOn("iot:Publish", mended)).toEqual([]);
    const request = { action: "iot:Publish" as const, resource: wanted, context: {} };
    expect(compile([policyOf("iot:Publish", mended)]).decide(request)).toBe("allow");
  });

  test.each(["12345", "1234567890123", "ACCOUNT", "account-id"])("an account that is none: %s", (account) => {
    const [finding] = findingsOn("iot:Publish", `arn:aws:iot:eu-west-1:${account}:topic/a`);
    expect(finding).toMatchObject({ code: "malformed-arn", fix: "write the 12 digits of the account" });
  });

  test.each([
    wanted,
    "arn:aws:iot:*:*:topic/a",
    "arn:aws:*:eu-west-1:123456789012:topic/a",
    "arn:aws:iot:eu-*:1234*:topic/a",
    "arn:aws-cn:iot:cn-north-1:123456789012:topic/a",
    "arn:aws:iot:eu-west-1:123456789012:topic/client/a:thing/b::c",
    "arn:aws:iot:eu-west-1:123456789012:topic//a",
    "arn:aws:iot:eu-west-1:123456789012:topic/${iot:Connection.Thing.ThingName}",
  ])("is not seen in %s", (written) => {
    expect(findingsOn("iot:Publish", written)).toEqual([]);
  });
});

describe("one fault is one finding", () => {
  test.each([
    ["iot:Publsh", "write iot:Publish"],
    ["iott:Publish", "write iot:Publish"],
    ["iot:Discover", "remove it, or correct its name"],
  ])("a misspelt action does not make its resource useless: %s", (action, fix) => {
    expect(findingsOn(action, wanted).map(({ code, fix: said }) => [code, said])).toEqual([["unknown-action", fix]]);
  });

  test("the resource of an action of another service is left alone", () => {
    const thing = "arn:aws:iot:eu-west-1:123456789012:thing/core";
    expect(findingsOn("greengrass:Discover", thing)).toEqual([]);
    expect(findingsOn(["greengrass:Discover", "iot:GetThingShadow"], thing)).toEqual([]);
  });
});

describe("a name that does not exist", () => {
  test.each([
    ["iot:Certificate.Subject.CN", "iot:Certificate.Subject.CommonName"],
    ["iot:Certificate.Issuer.OU", "iot:Certificate.Issuer.OrganizationalUnit"],
    ["iot:Certificate.CommonName", "iot:Certificate.Subject.CommonName"],
    ["iot:CommonName", "iot:Certificate.Subject.CommonName"],
    ["iot:Thing.ThingName", "iot:Connection.Thing.ThingName"],
    ["iot:SourceIp", "aws:SourceIp"],
  ])("%s", (written, meant) => {
    const [finding] = findingsOn("iot:Publish", `arn:aws:iot:eu-west-1:123456789012:topic/\${${written}}`);
    expect(finding).toMatchObject({ code: "unknown-variable", fix: `write \${${meant}}` });
  });
});

describe("a variable without a delimiter", () => {
  const thing = "${iot:Connection.Thing.ThingName}";
  test.each([
    ["iot:Connect", `client/${thing}*`, `write ${thing} without the *`],
    ["iot:Publish", `topic/$aws/things/${thing}*/shadow/update`, `write ${thing} without the *`],
    ["iot:Publish", `topic/a/${thing}*`, `write ${thing}/* or ${thing}`],
  ])("%s on %s", (action, resource, fix) => {
    const findings = findingsOn(action, `arn:aws:iot:eu-west-1:123456789012:${resource}`);
    expect(findings.map(({ code, fix: said }) => [code, said])).toEqual([["variable-without-delimiter", fix]]);
  });
});
