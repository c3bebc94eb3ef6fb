/** Suggest: allows what was observed, nothing of the neighbour's, and satisfies lint. */

import {
  compile,
  clientArn,
  thingArn,
  topicArn,
  topicFilterArn,
  type PolicyRequest,
  type RequestContext,
} from "@latchkey/policy";
import { suggest } from "@latchkey/policy/authoring";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { prefix, requestOf, scope } from "./fixtures.ts";

function button(serialNumber: string): RequestContext {
  return { certificate: { subject: { CommonName: ["button"], SerialNumber: [serialNumber] } } };
}

function lamp(name: string): RequestContext {
  return { clientId: name, thing: { name, isAttached: true }, certificate: { subject: { CommonName: ["lamp"] } } };
}

/** What a lamp does over MQTT. */
function lampRequests(name: string): PolicyRequest[] {
  const context = lamp(name);
  return [
    { action: "iot:Connect", resource: clientArn(scope, name), context },
    { action: "iot:Publish", resource: topicArn(scope, `lamps/${name}/state`), context },
    { action: "iot:RetainPublish", resource: topicArn(scope, `lamps/${name}/state`), context },
    { action: "iot:Subscribe", resource: topicFilterArn(scope, `lamps/${name}/set/+`), context },
    { action: "iot:Receive", resource: topicArn(scope, `lamps/${name}/set/colour`), context },
    {
      action: "iot:GetThingShadow",
      resource: thingArn(scope, name),
      context: { certificate: { subject: { CommonName: [name] } } },
    },
  ];
}

function documentOf(requests: readonly PolicyRequest[]): unknown {
  return JSON.parse(suggest(requests).text);
}

describe("suggest", () => {
  test("two buttons give the article's policy, corrected", () => {
    const requests = ["G030JF0500000001", "G030JF0500000002"].map((serialNumber) =>
      requestOf("Publish", `iotbutton/${serialNumber}`, button(serialNumber)),
    );
    expect(documentOf(requests)).toEqual({
      Version: "2012-10-17",
      Statement: [
        {
          Effect: "Allow",
          Action: "iot:Publish",
          Resource: `${prefix}topic/iotbutton/\${iot:Certificate.Subject.SerialNumber}`,
        },
      ],
    });
  });

  test("a fleet of lamps needs one policy, and none of them reaches another's", () => {
    const { policy, findings, notes } = suggest([...lampRequests("lamp-1"), ...lampRequests("lamp-2")]);
    expect({ findings, notes }).toEqual({ findings: [], notes: [] });
    const matcher = compile([policy]);
    for (const request of lampRequests("lamp-3")) expect(matcher.decide(request)).toBe("allow");
    for (const request of lampRequests("lamp-1")) {
      const other: RequestContext = { certificate: { subject: { CommonName: ["lamp-2"] } } };
      const context = request.action === "iot:GetThingShadow" ? other : lamp("lamp-2");
      expect(matcher.decide({ ...request, context })).toBe("implicit-deny");
    }
    expect(policy.statements).toHaveLength(5);
  });

  test("a client identifier stays literal for Connect and becomes a variable elsewhere", () => {
    const context: RequestContext = { clientId: "meter-7" };
    const { policy, findings } = suggest([
      requestOf("Connect", "meter-7", context),
      requestOf("Publish", "meters/meter-7/reading", context),
    ]);
    expect(policy.statements.map((statement) => statement.resource.values[0]?.text)).toEqual([
      `${prefix}client/meter-7`,
      `${prefix}topic/meters/\${iot:ClientId}/reading`,
    ]);
    expect(findings).toEqual([]);
  });

  test("a value inside a level counts where it is long and stands alone", () => {
    const context = button("G030JF0500000001");
    const resources = ["b-G030JF0500000001", "bG030JF0500000001"].map(
      (name) => suggest([requestOf("Connect", name, context)]).policy.statements[0]?.resource.values[0]?.text,
    );
    expect(resources).toEqual([
      `${prefix}client/b-\${iot:Certificate.Subject.SerialNumber}`,
      `${prefix}client/bG030JF0500000001`,
    ]);
  });

  test("an unsafe value stays literal, and wildcards of the text are escaped", () => {
    const context: RequestContext = { certificate: { subject: { CommonName: ["a*b"] } } };
    const requests = [requestOf("Publish", "a*b/x?/${iot:ClientId}", context)];
    const { policy } = suggest(requests);
    expect(policy.statements[0]?.resource.values[0]?.text).toBe(`${prefix}topic/a\${*}b/x\${?}/\${$}{iot:ClientId}`);
    expect(compile([policy]).decide(requests[0] ?? expect.fail())).toBe("allow");
    expect(compile([policy]).decide(requestOf("Publish", "aXb/xy/c", { ...context, clientId: "c" }))).toBe(
      "implicit-deny",
    );
  });

  test("Receive is added where nothing was received, and noted", () => {
    const { policy, notes, findings } = suggest([requestOf("Subscribe", "a/+/b")]);
    expect(notes).toEqual([
      `iot:Receive on ${prefix}topic/a/*/b was added: nothing was received yet, and without it nothing can be`,
    ]);
    expect(findings).toEqual([]);
    expect(compile([policy]).decide(requestOf("Receive", "a/x/b"))).toBe("allow");
  });

  test("the bare serial number as a topic stays literal: a variable would be the article's slip", () => {
    const { policy, findings } = suggest([requestOf("Publish", "G030JF0500000001", button("G030JF0500000001"))]);
    expect(policy.statements[0]?.resource.values[0]?.text).toBe(`${prefix}topic/G030JF0500000001`);
    expect(findings).toEqual([]);
  });

  test("direct messages keep their topics", () => {
    const of = (topic: string): PolicyRequest => requestOf("SendDirectMessage", "lamp-1", { topic });
    const { policy, findings } = suggest([of("commands/on"), of("commands/off")]);
    const matcher = compile([policy]);
    expect(["commands/on", "commands/off", "commands/reset"].map((topic) => matcher.decide(of(topic)))).toEqual([
      "allow",
      "allow",
      "implicit-deny",
    ]);
    expect(findings).toEqual([]);
  });

  test("no thing variable is written for HTTPS, where it has no value", () => {
    const context = lamp("lamp-1");
    const over = (protocol: "mqtt" | "https"): string | undefined =>
      suggest([requestOf("Publish", "lamps/lamp-1", { ...context, protocol })]).policy.statements[0]?.resource.values[0]
        ?.text;
    expect(over("mqtt")).toBe(`${prefix}topic/lamps/\${iot:Connection.Thing.ThingName}`);
    expect(over("https")).toBe(`${prefix}topic/lamps/lamp-1`);
    const shadow: PolicyRequest = { action: "iot:GetThingShadow", resource: thingArn(scope, "lamp-1"), context };
    const { policy, notes } = suggest([shadow]);
    expect(policy.statements[0]?.resource.values[0]?.text).toBe(`${prefix}thing/lamp-1`);
    expect(notes).toEqual([]);
  });

  test("CONNECT keeps its session attributes and its will topic", () => {
    const connect = (attributes: RequestContext["connectAttributes"], will?: string): PolicyRequest =>
      requestOf("Connect", "lamp-1", {
        ...lamp("lamp-1"),
        connectAttributes: attributes,
        lastWillTopic: will === undefined ? undefined : topicArn(scope, will),
      });
    const observed = connect(["LastWill"], "lamps/lamp-1/gone");
    const { policy, findings, notes } = suggest([observed, connect([])]);
    expect({ findings, notes }).toEqual({ findings: [], notes: [] });
    const decide = (request: PolicyRequest): string => compile([policy]).decide(request);
    expect(decide(observed)).toBe("allow");
    expect(decide(connect([]))).toBe("allow");
    expect(decide(connect(["PersistentConnect"]))).toBe("implicit-deny");
    expect(decide(connect(["LastWill", "PersistentConnect"], "lamps/lamp-1/gone"))).toBe("implicit-deny");
    expect(decide(connect(["LastWill"], "lamps/lamp-2/gone"))).toBe("implicit-deny");
    expect(decide(requestOf("Publish", "lamps/lamp-1/gone", lamp("lamp-1")))).toBe("allow");
  });

  test("a level that a thing happens to be called like stays a level", () => {
    const resources = (...requests: PolicyRequest[]): unknown =>
      suggest(requests).policy.statements.flatMap(({ resource }) => resource.values.map(({ text }) => text));
    const publish = (name: string, topic: string): PolicyRequest => requestOf("Publish", topic, lamp(name));
    const own = `${prefix}topic/lamps/\${iot:Connection.Thing.ThingName}/state`;
    expect(resources(publish("lamps", "lamps/lamps/state"), publish("lamp-2", "lamps/lamp-2/state"))).toEqual([own]);
    expect(resources(publish("state", "lamps/state/state"), publish("lamp-2", "lamps/lamp-2/state"))).toEqual([own]);
    expect(resources(publish("state", "lamps/x/state"))).toEqual([`${prefix}topic/lamps/x/state`]);
    expect(resources(publish("shadow", "$aws/things/shadow/shadow/get"))).toEqual([
      `${prefix}topic/$aws/things/\${iot:Connection.Thing.ThingName}/shadow/get`,
    ]);
  });

  test("what no policy can allow is noted, and nothing usable is an error", () => {
    const bad: PolicyRequest = { action: "iot:Fly", resource: "*", context: {} };
    expect(suggest([bad, requestOf("Publish", "a")]).notes).toEqual([
      "iot:Fly on * was left out: it is no action of AWS IoT on an ARN or *",
    ]);
    expect(() => suggest([bad])).toThrow(RangeError);
  });

  test("a value inside a level counts from six characters on", () => {
    const text = (serialNumber: string): string | undefined =>
      suggest([requestOf("Publish", `b-${serialNumber}/x`, button(serialNumber))]).policy.statements[0]?.resource
        .values[0]?.text;
    expect(text("abc123")).toBe(`${prefix}topic/b-\${iot:Certificate.Subject.SerialNumber}/x`);
    expect(text("abc12")).toBe(`${prefix}topic/b-abc12/x`);
  });

  test("every place of a value becomes the variable, and a longer word around it does not", () => {
    const context = button("G030JF0500000001");
    const name = "G030JF0500000001/a/G030JF0500000001X/G030JF0500000001";
    const variable = "${iot:Certificate.Subject.SerialNumber}";
    expect(suggest([requestOf("Publish", name, context)]).policy.statements[0]?.resource.values[0]?.text).toBe(
      `${prefix}topic/${variable}/a/G030JF0500000001X/${variable}`,
    );
  });

  test("a word that one device is called is kept, and noted once", () => {
    const request = requestOf("Publish", "kitchen/state", lamp("kitchen"));
    const { policy, notes } = suggest([request, request]);
    expect(policy.statements[0]?.resource.values[0]?.text).toBe(`${prefix}topic/kitchen/state`);
    expect(notes).toEqual([
      "the level kitchen of kitchen/state was kept as text; the requests of a second device show what varies",
    ]);
  });

  test("statements stand in the order of AWS's actions, resources by name, actions of one resource together", () => {
    const requests = [
      requestOf("Receive", "b"),
      requestOf("Subscribe", "b"),
      requestOf("Publish", "z"),
      requestOf("Publish", "a"),
      requestOf("Receive", "a"),
      requestOf("Connect", "lamp"),
    ];
    const { policy } = suggest(requests);
    const shown = policy.statements.map(({ action, resource }) => [
      action.values.map(({ text }) => text),
      resource.values.map(({ text }) => text.slice(prefix.length)),
    ]);
    expect(shown).toEqual([
      [["iot:Connect"], ["client/lamp"]],
      [["iot:Publish"], ["topic/z"]],
      [["iot:Publish", "iot:Receive"], ["topic/a"]],
      [["iot:Subscribe"], ["topicfilter/b"]],
      [["iot:Receive"], ["topic/b"]],
    ]);
  });

  test("a request for everything stays one, and a resource without a name stays as it is", () => {
    const texts = (resource: string): unknown =>
      suggest([{ action: "iot:Publish", resource, context: {} } as PolicyRequest]).policy.statements.map((statement) =>
        statement.resource.values.map(({ text }) => text),
      );
    expect(texts("*")).toEqual([["*"]]);
    expect(texts(`${prefix}topic`)).toEqual([[`${prefix}topic`]]);
  });

  test("a document over AWS's size is noted", () => {
    const requests = (count: number): PolicyRequest[] =>
      Array.from({ length: count }, (_, index) => requestOf("Publish", `place/${String(index).padStart(4, "0")}`));
    expect(suggest(requests(30)).notes).toEqual([]);
    expect(suggest(requests(60)).notes).toEqual([
      "the document is longer than AWS's 2048 characters: split it into several",
    ]);
  });

  test("any observed requests are allowed, and only those of the same requester", () => {
    const name = fc.string({
      unit: fc.constantFrom("a", "b", "/", "*", "?", "$", "{", "+", "7"),
      minLength: 1,
      maxLength: 8,
    });
    const action = fc.constantFrom("Publish", "Subscribe", "Receive", "RetainPublish", "Connect");
    const request = fc.record({ action, name, id: fc.constantFrom("dev-001", "dev-002", "7") });
    fc.assert(
      fc.property(fc.array(request, { minLength: 1, maxLength: 8 }), name, (observed, stranger) => {
        const requests = observed.map(({ action, name, id }) => requestOf(action, `${name}/${id}`, lamp(id)));
        const { policy } = suggest(requests);
        const matcher = compile([policy]);
        for (const one of requests) expect(matcher.decide(one)).toBe("allow");
        const unseen = requestOf("Publish", `${stranger}/dev-009/x`, lamp("dev-003"));
        expect(matcher.decide(unseen)).toBe("implicit-deny");
      }),
      { numRuns: 300 },
    );
  });
});
