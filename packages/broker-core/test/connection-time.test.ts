/** How long a connection may last: a limit of the broker's, and what its authentication was given for (MQTT 5.0 §4.13, 0xA0). */

import { expect, test } from "vitest";
import type { Authentication, Authenticator } from "../src/index.ts";
import { settled, TestBroker, text } from "./client.ts";

const will = { topicName: "will", payload: text("gone") };

test.each([4, 5] as const)("version %i: it ends after its time, and its will is published", async (protocolVersion) => {
  const test = new TestBroker({ limits: { maximumConnectionSeconds: 60 } });
  const client = await test.connect("a", { protocolVersion, will });
  const watcher = await test.subscriber("w", ["will"], { protocolVersion: 5 });
  client.take();
  test.nowMs = 30_000;
  const later = await test.connect("b");
  test.tick(59_999);
  expect(client.isClosed).toBe(false);
  test.tick(60_000);
  expect(client.isClosed).toBe(true);
  expect(client.take()).toMatchObject(protocolVersion === 5 ? [{ type: "disconnect", reasonCode: 0xa0 }] : []);
  expect(later.isClosed).toBe(false);
  expect(test.eventsOf("closed")).toMatchObject([
    { clientIdentifier: "a", reason: "maximum-connect-time" },
    { clientIdentifier: "w", reason: "maximum-connect-time" },
  ]);
  expect(watcher.isClosed).toBe(true);
});

test("who watches learns of the end by the will", async () => {
  const test = new TestBroker({ limits: { maximumConnectionSeconds: 60 } });
  await test.connect("a", { will });
  test.nowMs = 10_000;
  const watcher = await test.subscriber("w", ["will"]);
  test.tick(60_000);
  expect(watcher.messages()).toEqual(["will gone"]);
});

test("an authentication that was given for a time ends the connection, unless the client authenticates again", async () => {
  const given = (peer: string): Authentication<string> => ({ ok: true, principal: peer, validSeconds: 60 });
  const authenticator: Authenticator<string, string> = {
    authenticate: given,
    authenticationMethods: new Set(["TOKEN"]),
    reauthenticate: given,
  };
  const test = new TestBroker({ authenticator });
  const properties = { authenticationMethod: "TOKEN", authenticationData: text("token") };
  const [once, again] = [await test.connect5("once", { properties }), await test.connect5("again", { properties })];
  test.tick(30_000);
  again.send({ type: "auth", reasonCode: 0x19, properties });
  await settled();
  test.tick(59_000);
  expect([once.isClosed, again.isClosed]).toEqual([false, false]);
  test.tick(60_000);
  expect(once.take()).toMatchObject([{ type: "disconnect", reasonCode: 0xa0 }]);
  expect(test.lastClosed).toBe("authentication-expired: its authentication holds no longer");
  expect(again.isClosed).toBe(false);
  test.tick(90_000);
  expect(again.isClosed).toBe(true);
});
