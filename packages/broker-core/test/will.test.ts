/** Wills: MQTT 3.1.1 §3.1.2.5, 5.0 §3.1.2.5, §3.1.3.2. */

import type { ProtocolVersion, QoS } from "@latchkey/mqtt-codec";
import { describe, expect, test } from "vitest";
import { TestBroker, text } from "./client.ts";

const versions: readonly ProtocolVersion[] = [4, 5];
const will = (fields: object = {}) => ({ will: { topicName: "gone", payload: text("bye"), ...fields } });

describe.each(versions)("version %i", (protocolVersion) => {
  test.each([0, 1, 2] as const)(
    "MQTT-3.1.2-8, -10, -16, -17 (-14, -15): it is published once, with its QoS %i and its RETAIN",
    async (qos: QoS) => {
      const test = new TestBroker();
      const kitchen = await test.subscriber("kitchen", ["gone"]);
      for (const retain of [false, true]) {
        const button = await test.connect("button", { protocolVersion, ...will({ qos, retain }) });
        button.lose();
        button.lose();
        expect(kitchen.takePublishes()).toMatchObject([{ qos, topicName: "gone", payload: text("bye") }]);
        expect(test.broker.retained("gone") !== undefined).toBe(retain);
      }
    },
  );

  test("MQTT-3.1.2-12: without a will nothing is published", async () => {
    const test = new TestBroker();
    const kitchen = await test.subscriber("kitchen", ["#"]);
    (await test.connect("button", { protocolVersion })).lose();
    expect(kitchen.messages()).toEqual([]);
  });

  test.each(["silence", "garbage", "take-over", "an operator", "shutdown"])("it is published after %s", async (how) => {
    const test = new TestBroker();
    const kitchen = await test.subscriber("kitchen", ["gone"]);
    const button = await test.connect("button", { protocolVersion, keepAlive: 10, ...will() });
    if (how === "silence") test.tick(15_000);
    else if (how === "garbage") button.sendBytes(Uint8Array.of(0));
    else if (how === "take-over") await test.connect("button", { protocolVersion });
    else if (how === "an operator") button.connection.end("administrative", "", 0);
    else {
      // The kitchen is last to go.
      button.connection.end("server-shutdown", "", 0);
    }
    expect(kitchen.messages()).toEqual(["gone bye"]);
  });

  test("it is decided when it is published: a right that was withdrawn since CONNECT holds it back", async () => {
    for (const [action, retain, expected] of [
      ["publish", false, []],
      ["retain-publish", true, []],
      ["retain-publish", false, ["gone bye"]],
    ] as const) {
      const test = new TestBroker();
      const kitchen = await test.subscriber("kitchen", ["gone"]);
      const button = await test.connect("button", { protocolVersion, ...will({ retain }) });
      test.denied.add(`button ${action} gone`);
      button.lose();
      expect(kitchen.messages()).toEqual(expected);
    }
  });
});

test("where nobody can decide about it, it is asked about again for a minute, then dropped and counted", async () => {
  let isThere = true;
  const test = new TestBroker({
    authorizer: {
      decide: (_, action) => {
        if (!isThere && action === "publish") throw new Error("no answer");
        return true;
      },
    },
  });
  const kitchen = await test.subscriber("kitchen", ["gone"]);
  for (const isBack of [true, false]) {
    isThere = true;
    const button = await test.connect("button", will());
    isThere = false;
    button.lose();
    test.tick(test.nowMs + 2000);
    expect([kitchen.messages(), test.broker.counters.willsDropped]).toEqual([[], 0]);
    isThere = isBack;
    for (let seconds = 0; seconds < 70; seconds++) test.tick(test.nowMs + 1000);
    expect(kitchen.messages()).toEqual(isBack ? ["gone bye"] : []);
    expect(test.broker.counters.willsDropped).toBe(isBack ? 0 : 1);
  }
  const reason = "the authorizer failed: Error: no answer";
  expect(test.eventsOf("will-dropped")).toEqual([
    { type: "will-dropped", clientIdentifier: "button", topicName: "gone", reason },
  ]);
});

describe("the will delay of 5.0", () => {
  const session = { protocolVersion: 5, cleanStart: false, properties: { sessionExpiryInterval: 100 } } as const;
  const delayed = (seconds: number) => ({ ...session, ...will({ properties: { willDelayInterval: seconds } }) });

  test("MQTT-3.1.2-8: it waits for its delay, and not less", async () => {
    const test = new TestBroker();
    const kitchen = await test.subscriber("kitchen", ["gone"]);
    (await test.connect("button", delayed(10))).lose();
    test.tick(9999);
    expect(kitchen.messages()).toEqual([]);
    test.tick(10_000);
    expect(kitchen.messages()).toEqual(["gone bye"]);
    test.tick(200_000);
    expect(kitchen.messages()).toEqual([]);
  });

  test("MQTT-3.1.3-9: a client that comes back in time has sent no will", async () => {
    const released: string[] = [];
    const test = new TestBroker({
      authenticator: {
        authenticate: (peer) => ({ ok: true, principal: peer }),
        release: (principal) => released.push(principal),
      },
    });
    const kitchen = await test.subscriber("kitchen", ["gone"]);
    (await test.connect("button", delayed(10))).lose();
    expect(released).toEqual([]);
    await test.connect("button", session);
    expect(released).toEqual(["button"]);
    test.tick(50_000);
    expect(kitchen.messages()).toEqual([]);
  });

  test("a take-over that resumes the session cancels it as well", async () => {
    const test = new TestBroker();
    const kitchen = await test.subscriber("kitchen", ["gone"]);
    await test.connect("button", delayed(10));
    await test.connect("button", session);
    test.tick(50_000);
    expect(kitchen.messages()).toEqual([]);
  });

  test.each(["the session's expiry", "a clean start", "an operator", "no session at all"])(
    "it comes at once with the end of the session by %s",
    async (how) => {
      const test = new TestBroker();
      const kitchen = await test.subscriber("kitchen", ["gone"]);
      const properties = { willDelayInterval: 1000 };
      const fields = { ...session, properties: { sessionExpiryInterval: how === "no session at all" ? 0 : 100 } };
      (await test.connect("button", { ...fields, ...will({ properties }) })).lose();
      if (how !== "no session at all") expect(kitchen.messages()).toEqual([]);
      if (how === "the session's expiry") test.tick(100_000);
      else if (how === "a clean start") await test.connect("button", { ...session, cleanStart: true });
      else if (how === "an operator") test.broker.endSession("button", 0);
      expect(kitchen.messages()).toEqual(["gone bye"]);
    },
  );

  test("MQTT-3.14.4-3: DISCONNECT 0x00 drops it, 0x04 publishes it", async () => {
    const test = new TestBroker();
    const kitchen = await test.subscriber("kitchen", ["gone"]);
    const one = await test.connect("button", { protocolVersion: 5, ...will() });
    one.send({ type: "disconnect", reasonCode: 0 });
    expect(kitchen.messages()).toEqual([]);
    const two = await test.connect("button", { protocolVersion: 5, ...will() });
    two.send({ type: "disconnect", reasonCode: 4 });
    expect(kitchen.messages()).toEqual(["gone bye"]);
  });

  test("MQTT-3.1.3-10: its properties go with it, user properties in their order; its expiry begins with its publication", async () => {
    const test = new TestBroker();
    const kitchen = await test.subscriber("kitchen", ["gone"], { protocolVersion: 5 });
    const userProperties = [
      ["b", "1"],
      ["a", "2"],
      ["b", "3"],
    ] as const;
    const properties = {
      willDelayInterval: 10,
      messageExpiryInterval: 60,
      contentType: "text/plain",
      responseTopic: "r",
      correlationData: Uint8Array.of(1),
      payloadFormatIndicator: 1,
      userProperties,
    };
    (await test.connect("button", { ...session, ...will({ properties }) })).lose();
    test.tick(10_000);
    const { willDelayInterval: _, ...expected } = properties;
    expect(kitchen.takePublishes()).toMatchObject([{ properties: expected }]);
  });
});
