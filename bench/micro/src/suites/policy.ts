/**
 * `@latchkey/policy` beside Cedar's WebAssembly build, on policies that say the same.
 *
 * Cedar has no policy variables and cannot join text, so its requests come with the topic taken apart or whole, as its
 * policy needs it; that work is not counted against it. Its policy sets are parsed beforehand, facts go into the context
 * (cheaper than entities), and both sides answer the same list of requests, half of which are refused.
 */

import cedar from "@cedar-policy/cedar-wasm/nodejs";
import { compile, parsePolicyOrThrow, type PolicyMatcher, type PolicyRequest } from "@latchkey/policy";
import type { Contender, Scenario, Suite } from "../scenario.ts";

export const suite: Suite = {
  name: "policy",
  scenarios: {
    "policy/decide/article": () => article(64),
    "policy/decide/article/4096-clients": () => article(4096),
    "policy/decide/10x8": () => tenTimesEight(80),
    "policy/decide/10x8/4096-topics": () => tenTimesEight(4096),
    "policy/decide/100-conditions": hundredConditions,
    "policy/compile/2KB": compileTwoKilobytes,
  },
};

type CedarContext = Record<string, string>;

/** One request in both languages, and what both have to answer. */
interface Question {
  readonly ours: PolicyRequest;
  readonly theirs: { readonly action: string; readonly context: CedarContext };
  readonly isAllowed: boolean;
}

const arn = "arn:aws:iot:eu-west-1:123456789012:";

function policyOf(statements: readonly object[]): string {
  return JSON.stringify({ Version: "2012-10-17", Statement: statements });
}

function matcherOf(...documents: readonly string[]): PolicyMatcher {
  return compile(documents.map((text) => parsePolicyOrThrow(text, { maximumCharacters: 100_000 })));
}

/**
 * The article's policy as it has to be: a button publishes to the topic that ends with its serial number. Every button
 * asks once a batch, with its own certificate and topic.
 */
function article(clients: number): Scenario {
  const matcher = matcherOf(
    policyOf([
      {
        Effect: "Allow",
        Action: ["iot:Publish"],
        Resource: [`${arn}topic/iotbutton/\${iot:Certificate.Subject.SerialNumber}`],
      },
    ]),
  );
  const policies = `permit(principal, action == Action::"iot:Publish", resource)
    when { context.prefix == "iotbutton" && context.name == context.serialNumber };`;
  const questions = Array.from({ length: clients }, (_, index): Question => {
    const serialNumber = `G030JF05536${String(index).padStart(5, "0")}`;
    const isAllowed = index % 2 === 0;
    const name = isAllowed ? serialNumber : "G030JF0559999999";
    return {
      ours: {
        action: "iot:Publish",
        resource: `${arn}topic/iotbutton/${name}`,
        context: { certificate: { subject: { CommonName: ["button"], SerialNumber: [serialNumber] } } },
      },
      theirs: { action: "iot:Publish", context: { prefix: "iotbutton", name, serialNumber } },
      isAllowed,
    };
  });
  return decideScenario(matcher, policies, questions);
}

/** Ten policies of eight statements: areas and lines, with wildcards, the device's own name in every eighth. */
function tenTimesEight(topics: number): Scenario {
  const numbers = Array.from({ length: 10 }, (_, index) => index);
  const documents = numbers.map((area) =>
    policyOf(
      Array.from({ length: 8 }, (_, line) => ({
        Effect: line === 7 ? "Deny" : "Allow",
        Action: ["iot:Publish", "iot:Receive"],
        Resource: `${arn}topic/area-${area}/line-${line}/*/state`,
        ...(line === 0 ? { Condition: { StringEquals: { "iot:Connection.Thing.ThingTypeName": "lamp" } } } : {}),
      })),
    ),
  );
  const policies = numbers
    .flatMap((area) =>
      Array.from({ length: 8 }, (_, line) => {
        const effect = line === 7 ? "forbid" : "permit";
        const type = line === 0 ? ' && context.thingTypeName == "lamp"' : "";
        return `${effect}(principal, action in [Action::"iot:Publish", Action::"iot:Receive"], resource)
          when { context.topic like "area-${area}/line-${line}/*/state"${type} };`;
      }),
    )
    .join("\n");
  const questions = Array.from({ length: topics }, (_, index): Question => {
    const [area, line] = [index % 10, Math.floor(index / 10) % 8];
    const isOutside = index % 3 === 0;
    const topic = `area-${area}/line-${line}/lamp-${index}/${isOutside ? "command" : "state"}`;
    return {
      ours: {
        action: "iot:Publish",
        resource: `${arn}topic/${topic}`,
        context: { clientId: "lamp-1", thing: { name: "lamp-1", typeName: "lamp", isAttached: true } },
      },
      theirs: { action: "iot:Publish", context: { topic, thingTypeName: "lamp" } },
      isAllowed: !isOutside && line !== 7,
    };
  });
  return decideScenario(matcherOf(...documents), policies, questions);
}

/** One statement with a hundred conditions on fifty attributes of the thing. */
function hundredConditions(): Scenario {
  const names = Array.from({ length: 50 }, (_, index) => `attribute${index}`);
  const key = (name: string): string => `iot:Connection.Thing.Attributes[${name}]`;
  const matcher = matcherOf(
    policyOf([
      {
        Effect: "Allow",
        Action: "iot:Publish",
        Resource: `${arn}topic/state`,
        Condition: {
          StringEquals: Object.fromEntries(names.map((name) => [key(name), `value of ${name}`])),
          StringLike: Object.fromEntries(names.map((name) => [key(name), `value*${name.slice(9)}`])),
        },
      },
    ]),
  );
  const conditions = names.map(
    (name) => `context.${name} == "value of ${name}" && context.${name} like "value*${name.slice(9)}"`,
  );
  const policies = `permit(principal, action == Action::"iot:Publish", resource)
    when { context.topic == "state" && ${conditions.join(" && ")} };`;
  const questions = Array.from({ length: 16 }, (_, index): Question => {
    const isAllowed = index % 2 === 0;
    // A refusal by the last attribute, so that every condition before it was looked at.
    const attributes = Object.fromEntries(
      names.map((name, at) => [name, isAllowed || at < 49 ? `value of ${name}` : "other"]),
    );
    return {
      ours: {
        action: "iot:Publish",
        resource: `${arn}topic/state`,
        context: { clientId: "t", thing: { name: "t", attributes, isAttached: true } },
      },
      theirs: { action: "iot:Publish", context: { topic: "state", ...attributes } },
      isAllowed,
    };
  });
  return decideScenario(matcher, policies, questions);
}

function decideScenario(matcher: PolicyMatcher, policies: string, questions: readonly Question[]): Scenario {
  const parsed = cedar.preparsePolicySet("decide", { staticPolicies: policies });
  if (parsed.type === "failure") throw new Error(parsed.errors[0]?.message ?? "Cedar refused its policy");
  const calls = questions.map(({ theirs }) => ({
    principal: { type: "Device", id: "device" },
    action: { type: "Action", id: theirs.action },
    resource: { type: "Topic", id: "topic" },
    context: theirs.context,
    preparsedPolicySetId: "decide",
    entities: [],
  }));
  const allowed = questions.filter(({ isAllowed }) => isAllowed).length;
  const subject: Contender = {
    name: "@latchkey/policy",
    run: () => {
      let count = 0;
      for (const { ours } of questions) if (matcher.decide(ours) === "allow") count++;
      if (count !== allowed) throw new Error(`${count} requests were allowed, ${allowed} should be`);
      return questions.length;
    },
  };
  const peer: Contender = {
    name: "@cedar-policy/cedar-wasm",
    run: () => {
      let count = 0;
      for (const call of calls) {
        const answer = cedar.statefulIsAuthorized(call);
        if (answer.type === "failure" || answer.response.diagnostics.errors.length > 0) {
          throw new Error("Cedar could not decide");
        }
        if (answer.response.decision === "allow") count++;
      }
      if (count !== allowed) throw new Error(`Cedar allowed ${count} requests, ${allowed} should be`);
      return questions.length;
    },
  };
  return { unit: "decision", bytesPerOperation: 0, subject, peers: [peer] };
}

/** From the text of a document of AWS's full size to a matcher; Cedar's from the text of the same statements. */
function compileTwoKilobytes(): Scenario {
  const topics = Array.from({ length: 16 }, (_, index) => `site-${index}/`);
  const statements = [
    { Effect: "Allow", Action: "iot:Connect", Resource: `${arn}client/\${iot:Connection.Thing.ThingName}` },
    {
      Effect: "Allow",
      Action: ["iot:Publish", "iot:Receive"],
      Resource: topics.map((topic) => `${arn}topic/${topic}\${iot:Connection.Thing.ThingName}/*`),
      Condition: { Bool: { "iot:Connection.Thing.IsAttached": "true" } },
    },
    { Effect: "Deny", Action: "iot:*", Resource: "*", Condition: { NotIpAddress: { "aws:SourceIp": "192.0.2.0/24" } } },
  ];
  const text = policyOf(statements);
  const wanted = topics.map((topic) => `context.topic like "${topic}*/*"`).join(" || ");
  const policies = `permit(principal, action == Action::"iot:Connect", resource) when { context.client == context.thing };
    permit(principal, action in [Action::"iot:Publish", Action::"iot:Receive"], resource)
      when { context.isAttached && (${wanted}) };
    forbid(principal, action, resource) unless { context.sourceIp.isInRange(ip("192.0.2.0/24")) };`;
  return {
    unit: "policy",
    bytesPerOperation: text.length,
    subject: {
      name: "@latchkey/policy",
      run: () => {
        compile([parsePolicyOrThrow(text)]);
        return 1;
      },
    },
    peers: [
      {
        name: "@cedar-policy/cedar-wasm",
        run: () => {
          if (cedar.preparsePolicySet("compile", { staticPolicies: policies }).type === "failure") {
            throw new Error("Cedar refused its policy");
          }
          return 1;
        },
      },
    ],
  };
}
