/**
 * Twenty-two refusals of all kinds with their sentences, so that a change of words is seen. A reader who knows only the
 * sentence can mend each: it names what was asked for, what the policy says, and the next step.
 */

import {
  compile,
  parsePolicyOrThrow,
  type PolicyMatcher,
  type PolicyRequest,
  type RequestContext,
} from "@latchkey/policy";
import { describe, expect, test } from "vitest";
import { A, D, matcherOf, policyText, requestOf, type Short } from "./fixtures.ts";

const thing = "${iot:Connection.Thing.ThingName}";
const lamp: RequestContext = { protocol: "mqtt", clientId: "lamp-1", thing: { name: "lamp-1", isAttached: true } };
const certificate = (CommonName: string[]): RequestContext => ({ certificate: { subject: { CommonName } } });

function ofOldVersion(...statements: readonly Short[]): PolicyMatcher {
  const text = policyText(...statements).replace("2012-10-17", "2008-10-17");
  return compile([parsePolicyOrThrow(text, { name: "old" })]);
}

const refusals: readonly (readonly [
  title: string,
  matcher: PolicyMatcher,
  request: PolicyRequest,
  sentence: string,
])[] = [
  [
    "no policy",
    compile([]),
    requestOf("Connect", "lamp-1", lamp),
    "Denied: no policy in effect has an Allow statement, so iot:Connect on arn:aws:iot:us-east-1:123456789012:client/lamp-1 needs one.",
  ],
  [
    "another account",
    matcherOf(A("Publish", "arn:aws:iot:us-east-1:210987654321:topic/a")),
    requestOf("Publish", "a"),
    "Denied: no statement allows iot:Publish on arn:aws:iot:us-east-1:123456789012:topic/a. Nearest is statement $.Statement[0] of test: its resource is arn:aws:iot:us-east-1:210987654321:topic/a, which is of another account (arn:aws:iot:us-east-1:210987654321: and not arn:aws:iot:us-east-1:123456789012:), so write arn:aws:iot:us-east-1:123456789012:topic/a in the policy instead.",
  ],
  [
    "another region",
    matcherOf(A("Publish", "arn:aws:iot:eu-west-1:123456789012:topic/a")),
    requestOf("Publish", "a"),
    "Denied: no statement allows iot:Publish on arn:aws:iot:us-east-1:123456789012:topic/a. Nearest is statement $.Statement[0] of test: its resource is arn:aws:iot:eu-west-1:123456789012:topic/a, which is of another region (arn:aws:iot:eu-west-1:123456789012: and not arn:aws:iot:us-east-1:123456789012:), so write arn:aws:iot:us-east-1:123456789012:topic/a in the policy instead.",
  ],
  [
    "an old version",
    ofOldVersion(A("Publish", `topic/${thing}`)),
    requestOf("Publish", "lamp-1", lamp),
    'Denied: no statement allows iot:Publish on arn:aws:iot:us-east-1:123456789012:topic/lamp-1. Nearest is statement $.Statement[0] of old: its resource arn:aws:iot:us-east-1:123456789012:topic/${iot:Connection.Thing.ThingName} is taken as text, because policy old has version 2008-10-17, which is also the default and has no variables: write "Version": "2012-10-17" in front of its "Statement", in place of any other version.',
  ],
  [
    "an old version, in a condition",
    ofOldVersion(A("Publish", "topic/a", { StringEquals: { "iot:ClientId": thing } })),
    requestOf("Publish", "a", lamp),
    'Denied: no statement allows iot:Publish on arn:aws:iot:us-east-1:123456789012:topic/a. Nearest is statement $.Statement[0] of old: its condition StringEquals iot:ClientId [${iot:Connection.Thing.ThingName}] does not hold: ${iot:Connection.Thing.ThingName} is taken as text, because policy old has version 2008-10-17, which is also the default and has no variables: write "Version": "2012-10-17" in front of its "Statement", in place of any other version.',
  ],
  [
    "an operator without a set prefix",
    matcherOf(A("Connect", "*", { StringEquals: { "iot:ConnectAttributes": "LastWill" } })),
    requestOf("Connect", "lamp-1", { ...lamp, connectAttributes: ["LastWill", "PersistentConnect"] }),
    "Denied: no statement allows iot:Connect on arn:aws:iot:us-east-1:123456789012:client/lamp-1. Nearest is statement $.Statement[0] of test: its condition StringEquals iot:ConnectAttributes [LastWill] does not hold: the request has LastWill, PersistentConnect, and StringEquals without a prefix is for keys of one value, so write ForAnyValue:StringEquals where it is enough that LastWill is listed, or write ForAllValues:StringEquals and add PersistentConnect to the list where that has to be so for each value.",
  ],
  [
    "letter case of a topic",
    matcherOf(A("Publish", "topic/Lamps/a")),
    requestOf("Publish", "lamps/a"),
    "Denied: no statement allows iot:Publish on arn:aws:iot:us-east-1:123456789012:topic/lamps/a. Nearest is statement $.Statement[0] of test: its resource is arn:aws:iot:us-east-1:123456789012:topic/Lamps/a, which differs from arn:aws:iot:us-east-1:123456789012:topic/lamps/a in upper and lower case only, and names compare with case, so write arn:aws:iot:us-east-1:123456789012:topic/lamps/a in the policy instead.",
  ],
  [
    "letter case of a value",
    matcherOf(A("Publish", "topic/a", { StringEquals: { "iot:ClientId": "LAMP-1" } })),
    requestOf("Publish", "a", lamp),
    "Denied: no statement allows iot:Publish on arn:aws:iot:us-east-1:123456789012:topic/a. Nearest is statement $.Statement[0] of test: its condition StringEquals iot:ClientId [LAMP-1] does not hold: the request has lamp-1, which differs in upper and lower case only; write it alike, or use StringEqualsIgnoreCase.",
  ],
  [
    "a leading slash",
    matcherOf(A("Publish", "topic/lamps/a")),
    requestOf("Publish", "/lamps/a"),
    "Denied: no statement allows iot:Publish on arn:aws:iot:us-east-1:123456789012:topic//lamps/a. Nearest is statement $.Statement[0] of test: its resource is arn:aws:iot:us-east-1:123456789012:topic/lamps/a, which differs from arn:aws:iot:us-east-1:123456789012:topic//lamps/a by a slash at the start of the name only, and MQTT counts it as a level, so write arn:aws:iot:us-east-1:123456789012:topic//lamps/a in the policy instead.",
  ],
  [
    "a leading slash in the policy",
    matcherOf(A("Publish", "topic//lamps/a")),
    requestOf("Publish", "lamps/a"),
    "Denied: no statement allows iot:Publish on arn:aws:iot:us-east-1:123456789012:topic/lamps/a. Nearest is statement $.Statement[0] of test: its resource is arn:aws:iot:us-east-1:123456789012:topic//lamps/a, which differs from arn:aws:iot:us-east-1:123456789012:topic/lamps/a by a slash at the start of the name only, and MQTT counts it as a level, so write arn:aws:iot:us-east-1:123456789012:topic/lamps/a in the policy instead.",
  ],
  [
    "another type",
    matcherOf(A("Subscribe", "topic/a")),
    requestOf("Subscribe", "a"),
    "Denied: no statement allows iot:Subscribe on arn:aws:iot:us-east-1:123456789012:topicfilter/a. Nearest is statement $.Statement[0] of test: its resource is arn:aws:iot:us-east-1:123456789012:topic/a, which is of another type than iot:Subscribe is asked for, so write arn:aws:iot:us-east-1:123456789012:topicfilter/a in the policy instead.",
  ],
  [
    "levels that are missing",
    matcherOf(A("Publish", "topic/a")),
    requestOf("Publish", "lamps/a"),
    "Denied: no statement allows iot:Publish on arn:aws:iot:us-east-1:123456789012:topic/lamps/a. Nearest is statement $.Statement[0] of test: its resource is arn:aws:iot:us-east-1:123456789012:topic/a, which lacks lamps/ before the name, so write arn:aws:iot:us-east-1:123456789012:topic/lamps/a in the policy instead.",
  ],
  [
    "MQTT wildcards",
    matcherOf(A("Subscribe", "topicfilter/a/#")),
    requestOf("Subscribe", "a/b"),
    "Denied: no statement allows iot:Subscribe on arn:aws:iot:us-east-1:123456789012:topicfilter/a/b. Nearest is statement $.Statement[0] of test: its resource is arn:aws:iot:us-east-1:123456789012:topicfilter/a/#, in which + and # are ordinary characters, so write arn:aws:iot:us-east-1:123456789012:topicfilter/a/* in the policy instead.",
  ],
  [
    "another action",
    matcherOf(A("Publish", "topic/a")),
    requestOf("Receive", "a"),
    "Denied: no statement allows iot:Receive on arn:aws:iot:us-east-1:123456789012:topic/a. Nearest is statement $.Statement[0] of test: it is about other actions (iot:Publish), so add iot:Receive.",
  ],
  [
    "another name",
    matcherOf(A("Publish", `topic/${thing}`)),
    requestOf("Publish", "lamp-2", lamp),
    "Denied: no statement allows iot:Publish on arn:aws:iot:us-east-1:123456789012:topic/lamp-2. Nearest is statement $.Statement[0] of test: arn:aws:iot:us-east-1:123456789012:topic/${iot:Connection.Thing.ThingName} stands for arn:aws:iot:us-east-1:123456789012:topic/lamp-1 here, so this caller has to keep to that, or the statement needs a further resource.",
  ],
  [
    "another topic",
    matcherOf(A("Publish", "topic/a/state")),
    requestOf("Publish", "a/command"),
    "Denied: no statement allows iot:Publish on arn:aws:iot:us-east-1:123456789012:topic/a/command. Nearest is statement $.Statement[0] of test: its resource is arn:aws:iot:us-east-1:123456789012:topic/a/state, so add arn:aws:iot:us-east-1:123456789012:topic/a/command to the statement, or widen the resource until it covers that.",
  ],
  [
    "no thing",
    matcherOf(A("Connect", `client/${thing}`)),
    requestOf("Connect", "lamp-1", { protocol: "mqtt", clientId: "lamp-1" }),
    "Denied: no statement allows iot:Connect on arn:aws:iot:us-east-1:123456789012:client/lamp-1. Nearest is statement $.Statement[0] of test: its resource arn:aws:iot:us-east-1:123456789012:client/${iot:Connection.Thing.ThingName} matches nothing here because ${iot:Connection.Thing.ThingName} has no value: no thing is associated with the connection; attach the certificate to the thing that is called like the client identifier.",
  ],
  [
    "a thing over HTTPS",
    matcherOf(A("Publish", `topic/${thing}`)),
    requestOf("Publish", "lamp-1", { ...lamp, protocol: "https" }),
    "Denied: no statement allows iot:Publish on arn:aws:iot:us-east-1:123456789012:topic/lamp-1. Nearest is statement $.Statement[0] of test: its resource arn:aws:iot:us-east-1:123456789012:topic/${iot:Connection.Thing.ThingName} matches nothing here because ${iot:Connection.Thing.ThingName} has no value over HTTPS: only MQTT connections have things, so use a certificate variable or the name itself.",
  ],
  [
    "an unsafe value",
    matcherOf(A("Publish", "topic/${iot:Certificate.Subject.CommonName}")),
    requestOf("Publish", "a+", certificate(["a+"])),
    "Denied: no statement allows iot:Publish on arn:aws:iot:us-east-1:123456789012:topic/a+. Nearest is statement $.Statement[0] of test: its resource arn:aws:iot:us-east-1:123456789012:topic/${iot:Certificate.Subject.CommonName} matches nothing here because ${iot:Certificate.Subject.CommonName} is not substituted: the certificate's value holds one of * $ + ? # or is too long (a\\+); issue a certificate without these.",
  ],
  [
    "no certificate",
    matcherOf(A("Publish", "topic/${iot:Certificate.Subject.CommonName}")),
    requestOf("Publish", "a", {}),
    "Denied: no statement allows iot:Publish on arn:aws:iot:us-east-1:123456789012:topic/a. Nearest is statement $.Statement[0] of test: its resource arn:aws:iot:us-east-1:123456789012:topic/${iot:Certificate.Subject.CommonName} matches nothing here because ${iot:Certificate.Subject.CommonName} has no value: there is no certificate; the client has to present one.",
  ],
  [
    "NotResource",
    matcherOf(A("Receive", "!topic/a/*")),
    requestOf("Receive", "a/b"),
    "Denied: no statement allows iot:Receive on arn:aws:iot:us-east-1:123456789012:topic/a/b. Nearest is statement $.Statement[0] of test: its NotResource arn:aws:iot:us-east-1:123456789012:topic/a/* leaves this resource out, so narrow that, or allow the resource in another statement.",
  ],
  [
    "a Deny",
    matcherOf(A("Publish", "topic/*"), D("Publish", "topic/a")),
    requestOf("Publish", "a"),
    "Denied: statement $.Statement[1] of test denies iot:Publish on arn:aws:iot:us-east-1:123456789012:topic/a by its resource arn:aws:iot:us-east-1:123456789012:topic/a, which outranks every Allow; to let it through, narrow that statement.",
  ],
];

/** The resource that a sentence says to write in the policy. */
function mendedResource(sentence: string): string | undefined {
  return /so write (\S+) in the policy instead/.exec(sentence)?.[1];
}

describe("refusals", () => {
  test("there are twenty-two", () => {
    expect(refusals).toHaveLength(22);
  });

  for (const [title, matcher, request, sentence] of refusals) {
    test(title, () => {
      expect(matcher.decide(request)).not.toBe("allow");
      expect(matcher.explain(request).sentence).toBe(sentence);
      const mended = mendedResource(sentence);
      if (mended === undefined) return;
      const mendedMatcher = matcherOf(A(request.action, mended));
      expect(mendedMatcher.decide(request)).toBe("allow");
    });
  }
});
