/** Enhanced authentication: MQTT 5.0 §3.15, §4.12. */

import { expect, test } from "vitest";
import type { AuthenticationStep, Authenticator } from "../src/index.ts";
import { settled, TestBroker, text, type TestClient } from "./client.ts";

/** Asks for "one", then "two"; anything else is refused. Steps are answered at once or later. */
function challenge(isLater: boolean): Authenticator<string, string> {
  const answer = (step: AuthenticationStep<string>) => (isLater ? Promise.resolve(step) : step);
  const ask = (peer: string, wanted: readonly string[], data: Uint8Array | undefined) => {
    const [first, ...rest] = wanted;
    if (Buffer.from(data ?? []).toString() !== first)
      return answer({ ok: false, reason: "wrong", reasonString: "wrong" });
    if (rest.length === 0) return answer({ ok: true, principal: peer, authenticationData: text("welcome") });
    return answer({
      ok: "continue" as const,
      authenticationData: text(`and ${rest[0]}`),
      next: (next: Uint8Array | undefined): AuthenticationStep<string> | Promise<AuthenticationStep<string>> =>
        ask(peer, rest, next),
    });
  };
  return {
    authenticationMethods: new Set(["COUNT"]),
    authenticate: (peer, { authenticationMethod, authenticationData }) =>
      authenticationMethod === undefined
        ? { ok: true, principal: peer }
        : ask(peer, ["one", "two", "three"], authenticationData),
    reauthenticate: (principal, data) => ask(principal, ["again", "and again"], data),
  };
}

const properties = (data: string) => ({ authenticationMethod: "COUNT", authenticationData: text(data) });
const auth = (reasonCode: number, data: string) =>
  ({ type: "auth", reasonCode, properties: properties(data) }) as const;

async function connected(test: TestBroker): Promise<TestClient> {
  const client = test.open("a", 5);
  await client.connect("a", { properties: properties("one") });
  client.send(auth(0x18, "two"));
  await settled();
  client.send(auth(0x18, "three"));
  await settled();
  return client;
}

test.each([false, true])(
  "MQTT-4.12.0-2, -5: an exchange leads to CONNACK, each AUTH with 0x18 and the method",
  async (isLater) => {
    const test = new TestBroker({ authenticator: challenge(isLater) });
    const client = await connected(test);
    expect(client.take()).toMatchObject([
      auth(0x18, "and two"),
      auth(0x18, "and three"),
      { type: "connack", reasonCode: 0, properties: properties("welcome") },
    ]);
  },
);

test("MQTT-4.12.0-1: an unknown method is refused with 0x8C", async () => {
  const test = new TestBroker();
  const client = await test.connect("a", { protocolVersion: 5, properties: { authenticationMethod: "SCRAM" } });
  expect(client.take()).toMatchObject([{ type: "connack", reasonCode: 0x8c }]);
  expect(client.isClosed).toBe(true);
});

test("MQTT-4.12.0-4: a refusal in the exchange is CONNACK 0x87, and nobody is connected", async () => {
  const test = new TestBroker({ authenticator: challenge(false) });
  const client = test.open("a", 5);
  await client.connect("a", { properties: properties("one") });
  client.send(auth(0x18, "wrong"));
  expect(client.take()).toMatchObject([
    { type: "auth" },
    { type: "connack", reasonCode: 0x87, properties: { reasonString: "wrong" } },
  ]);
  expect(test.eventsOf("connected")).toEqual([]);
});

test("MQTT-3.1.2-30: until CONNACK only AUTH and DISCONNECT", async () => {
  const test = new TestBroker({ authenticator: challenge(false) });
  for (const packet of [{ type: "pingreq" }, { type: "publish", topicName: "a" }, { type: "disconnect" }] as const) {
    const client = test.open("a", 5);
    await client.connect("a", { properties: properties("one") });
    client.take();
    client.send(packet);
    expect([client.isClosed, client.take()]).toEqual([true, []]);
  }
});

test("MQTT-4.12.0-6, -7: without a method there is no AUTH; one from the client is a protocol error", async () => {
  const test = new TestBroker({ authenticator: challenge(false) });
  const client = await test.connect("a", { protocolVersion: 5 });
  expect(client.take()).toMatchObject([
    { type: "connack", properties: { authenticationMethod: undefined, authenticationData: undefined } },
  ]);
  client.send(auth(0x19, "again"));
  expect(client.take()).toMatchObject([{ type: "disconnect", reasonCode: 0x82 }]);
});

test("MQTT-4.12.1-1, -2: re-authentication with the same method succeeds, or ends the connection", async () => {
  const test = new TestBroker({ authenticator: challenge(false) });
  const good = await connected(test);
  good.take();
  good.send(auth(0x19, "again"));
  good.send({ type: "pingreq" });
  good.send(auth(0x18, "and again"));
  expect(good.take()).toMatchObject([auth(0x18, "and and again"), { type: "pingresp" }, auth(0, "welcome")]);
  good.send(auth(0x19, "wrong"));
  expect(good.take()).toMatchObject([{ type: "disconnect", reasonCode: 0x87 }]);
  const other = await connected(test);
  other.take();
  other.send({ type: "auth", reasonCode: 0x19, properties: { authenticationMethod: "OTHER" } });
  expect(other.take()).toMatchObject([{ type: "disconnect", reasonCode: 0x82 }]);
});

test("AUTH does not exist in 3.1.1", async () => {
  const test = new TestBroker();
  const client = await test.connect("a");
  client.sendBytes(Uint8Array.of(0xf0, 0));
  expect(client.isClosed).toBe(true);
});
