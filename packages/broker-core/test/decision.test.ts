/** An authorizer that throws or rejects has refused, whatever it was asked for, and the broker goes on. */

import { describe, expect, test } from "vitest";
import type { Action, Decision } from "../src/index.ts";
import { settled, TestBroker, text } from "./client.ts";

const broken = new Error("the policies cannot be read");
const ways: readonly [string, () => Promise<Decision>][] = [
  [
    "throws",
    () => {
      throw broken;
    },
  ],
  ["rejects", () => Promise.reject(broken)],
];

describe.each(ways)("an authorizer that %s", (_, fail) => {
  /** It fails for one action; afterwards it is well again. */
  const failingAt = (failing: Action, answers: (Decision | "fails")[] = []): TestBroker =>
    new TestBroker({
      authorizer: {
        decide: (_principal, action) => {
          if (action !== failing) return true;
          const answer = answers.shift() ?? "fails";
          return answer === "fails" ? fail() : answer;
        },
      },
    });
  const denials = (test: TestBroker): unknown[] =>
    test.eventsOf("denied").map(({ action, name, denial }) => [action, name, denial.reason]);
  const reason = "the authorizer failed: Error: the policies cannot be read";

  test("at CONNECT", async () => {
    const test = failingAt("connect");
    const client = await test.connect("a", { protocolVersion: 5 });
    expect(client.take()).toMatchObject([{ type: "connack", reasonCode: 0x87 }]);
    expect(client.isClosed).toBe(true);
    expect(denials(test)).toEqual([["connect", "a", reason]]);
  });

  test("at PUBLISH", async () => {
    const test = failingAt("publish");
    const receiver = await test.subscriber("receiver", ["t"]);
    const client = await test.connect5("a");
    client.publish("t", "x", { qos: 1 });
    await settled();
    expect(client.take()).toMatchObject([{ type: "puback", reasonCode: 0x87 }]);
    expect(receiver.messages()).toEqual([]);
    expect(denials(test)).toEqual([["publish", "t", reason]]);
  });

  test("at SUBSCRIBE", async () => {
    const test = failingAt("subscribe");
    const client = await test.connect5("a");
    client.subscribe(["t"]);
    await settled();
    expect(client.take()).toMatchObject([{ type: "suback", reasonCodes: [0x87] }]);
    expect(denials(test)).toEqual([["subscribe", "t", reason]]);
  });

  test.each([0, 1] as const)("at the delivery of QoS %i: its publisher notices nothing", async (qos) => {
    const test = failingAt("receive");
    const receiver = await test.subscriber("receiver", ["t"]);
    const client = await test.connect5("a");
    client.publish("t", "x", { qos });
    await settled();
    expect(client.take()).toHaveLength(qos);
    expect(client.isClosed).toBe(false);
    expect(receiver.messages()).toEqual([]);
    expect(denials(test)).toEqual([["receive", "t", reason]]);
  });

  test("at a delivery after one that it refused", async () => {
    const refusal: Decision = { isAllowed: false, reason: "not yet" };
    const test = failingAt("receive", [refusal, "fails", true]);
    const receiver = await test.subscriber("receiver", ["t"]);
    const client = await test.connect("a");
    for (const payload of ["refused", "failed", "allowed"]) {
      client.publish("t", payload);
      await settled();
      test.turn();
    }
    expect(receiver.messages()).toEqual(["t allowed"]);
  });

  test("at the will", async () => {
    const test = failingAt("publish", [true]);
    const receiver = await test.subscriber("receiver", ["t"]);
    const client = await test.connect("a", { will: { topicName: "t", payload: text("gone") } });
    client.lose();
    for (let seconds = 0; seconds < 70; seconds++) {
      test.tick(test.nowMs + 1000);
      await settled();
    }
    expect(receiver.messages()).toEqual([]);
    // Nobody has refused it.
    expect(denials(test)).toEqual([]);
    expect(test.eventsOf("will-dropped")).toMatchObject([{ clientIdentifier: "a", topicName: "t", reason }]);
  });

  test("at a message of a program", async () => {
    const test = failingAt("publish");
    const message = { topicName: "t", payload: text("x"), principal: "program" };
    expect(await test.broker.publish(message, 0)).toEqual({ ok: false, reasonCode: 0x87, reason });
  });
});
