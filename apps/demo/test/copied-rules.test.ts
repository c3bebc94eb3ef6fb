/**
 * Rules that stand twice: `@latchkey/policy` reads topic filters and IP addresses itself, so that it depends on no other
 * package. Each of its copies and the reader of the package that owns the rule are held to one table here.
 */

import { matchesTopicFilter } from "@latchkey/mqtt-codec";
import { compile, parsePolicy, parsePolicyOrThrow, topicFilterArn, type Decision } from "@latchkey/policy";
import { formatIpAddress, parseIpAddress } from "@latchkey/x509";
import { describe, expect, test } from "vitest";

const scope = { region: "eu-west-1", account: "123456789012" };

function policyText(action: string, resource: string, condition: object): string {
  const statement = { Effect: "Allow", Action: action, Resource: resource, Condition: condition };
  return JSON.stringify({ Version: "2012-10-17", Statement: statement });
}

describe("topic filters", () => {
  const rows: readonly (readonly [filter: string, topic: string, matches: boolean])[] = [
    ["sport/tennis/player1/#", "sport/tennis/player1", true],
    ["sport/tennis/player1/#", "sport/tennis/player1/ranking", true],
    ["sport/tennis/player1/#", "sport/tennis/player1/score/wimbledon", true],
    ["sport/tennis/player1/#", "sport/tennis/player2", false],
    ["sport/#", "sport", true],
    ["sport/#", "sports", false],
    ["#", "sport/tennis", true],
    ["#", "/", true],
    ["sport/tennis/+", "sport/tennis/player1", true],
    ["sport/tennis/+", "sport/tennis/player1/ranking", false],
    ["sport/+", "sport", false],
    ["sport/+", "sport/", true],
    ["+/tennis/#", "sport/tennis", true],
    ["+/+", "/finance", true],
    ["+", "/finance", false],
    ["+/player1", "Sport/player2", false],
  ];
  for (const [filter, topic, matches] of rows) {
    test(`${filter} ${matches ? "matches" : "does not match"} ${topic}`, () => {
      expect(matchesTopicFilter(filter, topic)).toBe(matches);
      // A policy takes + and # for ordinary characters; its explanation says where they would match as wildcards.
      const matcher = compile([parsePolicyOrThrow(policyText("iot:Subscribe", topicFilterArn(scope, filter), {}))]);
      const resource = topicFilterArn(scope, topic);
      const [separation] =
        matcher.explain({ action: "iot:Subscribe", resource, context: {} }).nearest?.separatedBy ?? [];
      expect(separation?.element === "resource" && separation.slip === "mqtt-wildcard").toBe(matches);
    });
  }
});

describe("IP addresses", () => {
  const rows: readonly (readonly [text: string, isAddress: boolean])[] = [
    ["192.0.2.1", true],
    ["255.255.255.255", true],
    ["192.0.2.256", false],
    ["192.0.2.01", false],
    ["192.0.2", false],
    ["192.0.2.1.1", false],
    ["192.0.2.-1", false],
    ["2001:db8::1", true],
    ["2001:DB8:0:0:0:0:0:1", true],
    ["::", true],
    ["1::", true],
    ["1:2:3:4:5:6:7::", true],
    ["::2:3:4:5:6:7:8", true],
    ["1:2:3:4:5:6:7:8::", false],
    ["1:2:3:4::5:6:7:8", false],
    ["1:2:3:4:5:6:7", false],
    ["1:2:3:4:5:6:7:8:9", false],
    ["1::2::3", false],
    [":::", false],
    [":1", false],
    ["1:", false],
    ["12345::", false],
    ["g::", false],
    ["::192.0.2.1", true],
    ["64:ff9b::192.0.2.33", true],
    ["192.0.2.1::", false],
    ["::192.0.2.1:1", false],
    ["::192.0.2.256", false],
    ["fe80::1%eth0", false],
    ["", false],
  ];
  for (const [text, isAddress] of rows) {
    test(`${JSON.stringify(text)} is ${isAddress ? "an" : "no"} address`, () => {
      const octets = parseIpAddress(text);
      const policy = parsePolicy(policyText("iot:Publish", "*", { IpAddress: { "aws:SourceIp": text } }));
      expect([octets !== undefined, policy.ok]).toEqual([isAddress, isAddress]);
      if (octets === undefined || !policy.ok) return;
      const matcher = compile([policy.policy]);
      const decide = (sourceIp: string): Decision =>
        matcher.decide({ action: "iot:Publish", resource: "*", context: { sourceIp } });
      expect(decide(formatIpAddress(octets))).toBe("allow");
      for (let index = 0; index < octets.length; index++) {
        const other = octets.with(index, (octets[index] ?? 0) ^ 1);
        expect(decide(formatIpAddress(other))).toBe("implicit-deny");
      }
    });
  }
});
