import { UsageError } from "@latchkey/command-line";
import { expect, test } from "vitest";
import { readRefusedRequests } from "../../src/commands/refused-requests.ts";

const arn = "arn:aws:iot:eu-west-1:000000000000";
const refusal = (fields: object): string =>
  JSON.stringify({
    time: "2026-11-27T12:00:00.000Z",
    sequence: 1,
    clientId: "lamp",
    certificateId: "ab12",
    account: "000000000000",
    action: "publish",
    name: "a",
    decision: "implicit-deny",
    reason: "no statement allows it",
    times: 3,
    ...fields,
  });
const read = (lines: readonly string[], more: object = {}) =>
  readRefusedRequests(`${lines.join("\n")}\n`, { region: "eu-west-1", ...more });

test("each refusal is a request, once", () => {
  const refused = [
    ["connect", "lamp", "iot:Connect", "client/lamp"],
    ["publish", "a/b", "iot:Publish", "topic/a/b"],
    ["retain-publish", "a/b", "iot:RetainPublish", "topic/a/b"],
    ["subscribe", "a/#", "iot:Subscribe", "topicfilter/a/#"],
    ["receive", "a/c", "iot:Receive", "topic/a/c"],
  ] as const;
  const lines = refused.map(([action, name]) => refusal({ action, name }));
  const context = { protocol: "mqtt", clientId: "lamp", certificateId: "ab12" };
  expect(read([...lines, ...lines])).toEqual({
    requests: refused.map(([, , action, name]) => ({ action, resource: `${arn}:${name}`, context })),
    explicitlyDenied: 0,
  });
});

test("only those of a client or of a certificate, without what a Deny statement refuses", () => {
  const lines = [
    refusal({ name: "1" }),
    refusal({ name: "2", clientId: "fan" }),
    refusal({ name: "3", clientId: undefined, certificateId: "cd34" }),
    refusal({ name: "4", decision: "explicit-deny" }),
  ];
  const names = (more: object) => read(lines, more).requests.map(({ resource }) => resource.slice(-1));
  expect(names({})).toEqual(["1", "2", "3"]);
  expect(names({ clientId: "fan" })).toEqual(["2"]);
  expect(names({ certificateId: "cd" })).toEqual(["3"]);
  expect(read(lines).explicitlyDenied).toBe(1);
  expect(read(lines, { certificateId: "cd" }).requests[0]?.context.protocol).toBe("https");
});

test("a line that is no refusal is refused with its number, and a last one that is cut off is left out", () => {
  for (const line of ["{", "[]", refusal({ action: "toString" }), refusal({ name: 1 }), refusal({ clientId: 1 })]) {
    expect(() => read([refusal({}), line])).toThrow(/^line 2 is no refusal/);
  }
  const cut = `${refusal({})}\n${refusal({ name: "b" }).slice(0, 40)}`;
  expect(readRefusedRequests(cut, { region: "eu-west-1" }).requests).toHaveLength(1);
});

test("more different requests than a policy could have are refused", () => {
  const lines = Array.from({ length: 1001 }, (_, index) => refusal({ name: `t/${index}` }));
  expect(read(lines.slice(1)).requests).toHaveLength(1000);
  expect(() => read(lines)).toThrow(UsageError);
});
