/** DISCONNECT, AUTH, PING and what passes with time in MQTT 5.0, statement by statement. */

import type { AuthenticationStep, Authenticator } from "@latchkey/broker-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ConformanceBroker, persistent } from "./conformance-broker.ts";
import { CoreListener } from "./core-listener.ts";

let broker: ConformanceBroker;
beforeAll(async () => {
  broker = await ConformanceBroker.start();
});
afterAll(() => broker[Symbol.asyncDispose]());

const kept = persistent(5);

test("MQTT-3.12.4-1: each PINGREQ is answered by PINGRESP", async () => {
  const client = await broker.connect(5);
  client.send({ type: "pingreq" }, { type: "pingreq" });
  expect([await client.next(), await client.next()]).toMatchObject([{ type: "pingresp" }, { type: "pingresp" }]);
});

describe("DISCONNECT", () => {
  test("MQTT-3.14.4-1, MQTT-3.14.4-2: after the client's own the broker closes, and reads nothing more", async () => {
    const topic = broker.name();
    const watcher = await broker.subscriber(5, [topic]);
    const client = await broker.connect(5);
    client.send(
      { type: "disconnect" },
      { type: "publish", topicName: topic, payload: Buffer.from("x") },
      { type: "pingreq" },
    );
    expect(await client.ended()).toEqual([]);
    expect(await watcher.drain()).toEqual([]);
  });

  test("MQTT-3.14.0-1, MQTT-4.13.2-1: a client whose CONNECT is refused gets CONNACK and no DISCONNECT", async () => {
    const client = await broker.open(5);
    client.send({ type: "connect", clientIdentifier: "denied" }, { type: "pingreq" });
    expect(await client.ended()).toMatchObject([{ type: "connack", reasonCode: 0x87 }]);
  });

  test("MQTT-3.14.2-1, MQTT-3.14.2-2, MQTT-3.14.2-3, MQTT-3.14.2-4: the broker's has a reason string within the client's Maximum Packet Size, no user property and no expiry", async () => {
    const ended = async (maximumPacketSize?: number) => {
      const client = await broker.connect(5, { properties: { maximumPacketSize } });
      client.send({ type: "publish", topicName: "denied/topic" });
      const [packet, ...more] = await client.ended();
      expect(more).toEqual([]);
      if (packet?.type !== "disconnect") throw new Error("expected DISCONNECT");
      return packet;
    };
    const whole = await ended();
    const list = { userProperties: [], sessionExpiryInterval: undefined };
    expect(whole).toMatchObject({ reasonCode: 0x87, properties: list });
    const { length } = whole.properties?.reasonString ?? "";
    expect(length).toBeGreaterThan(0);
    // First octet, remaining length, reason code, property length, identifier and length of the string.
    expect((await ended(length + 7)).properties?.reasonString).toHaveLength(length);
    const small = await ended(length + 6);
    expect([small.reasonCode, small.properties?.reasonString]).toEqual([0x87, undefined]);
  });

  test("MQTT-3.1.2-29: without Request Problem Information reasons are in CONNACK and DISCONNECT alone", async () => {
    const client = await broker.connect(5, { properties: { requestProblemInformation: false } });
    const suback = await client.subscribe(["denied/topic"]);
    expect([suback.reasonCodes, suback.properties?.reasonString]).toEqual([[0x87], undefined]);
    client.send({ type: "publish", topicName: "denied/topic", qos: 1, packetIdentifier: 9 });
    const puback = await client.take("puback");
    expect([puback.reasonCode, puback.properties?.reasonString]).toEqual([0x87, undefined]);
    client.send({ type: "publish", topicName: "denied/topic" });
    const [disconnect] = await client.ended();
    expect(disconnect?.type === "disconnect" && disconnect.properties?.reasonString).toContain("denied/topic");
  });

  test("it may not raise an expiry of 0, and may end a session", async () => {
    const none = await broker.connect(5);
    none.send({ type: "disconnect", properties: { sessionExpiryInterval: 10 } });
    expect(await none.ended()).toMatchObject([{ type: "disconnect", reasonCode: 0x82 }]);
    const ending = await broker.connect(5, kept);
    await ending.disconnect(0, 0);
    expect((await broker.connect(5, kept, ending.clientIdentifier)).connack?.sessionPresent).toBe(false);
  });
});

describe("what passes with time", () => {
  test.concurrent("MQTT-3.1.2-22, MQTT-3.1.2-20: silence for one and a half keep alives ends the connection, and the will is published", async () => {
    const topic = broker.name();
    const watcher = await broker.subscriber(5, [topic]);
    const will = { topicName: topic, payload: Buffer.from("silent") };
    const client = await broker.connect(5, { keepAlive: 1, will });
    const openedMs = performance.now();
    expect(await client.ended()).toMatchObject([{ type: "disconnect", reasonCode: 0x8d }]);
    expect(performance.now() - openedMs).toBeGreaterThan(1400);
    expect(await watcher.message()).toMatchObject({ topicName: topic });
  });

  test.concurrent("MQTT-3.1.2-8: a will comes when its delay has passed, and not before", async () => {
    const topic = broker.name();
    const watcher = await broker.subscriber(5, [topic]);
    const will = { topicName: topic, payload: Buffer.from("late"), properties: { willDelayInterval: 1 } };
    const client = await broker.connect(5, { ...kept, will });
    const cutMs = performance.now();
    await client.cut();
    expect(await watcher.message()).toMatchObject({ topicName: topic });
    expect(performance.now() - cutMs).toBeGreaterThan(990);
  });

  test.concurrent("MQTT-3.1.2-8: and with the end of the session, where that is earlier", async () => {
    const topic = broker.name();
    const watcher = await broker.subscriber(5, [topic]);
    const will = { topicName: topic, payload: Buffer.from("at its end"), properties: { willDelayInterval: 1000 } };
    const client = await broker.connect(5, { cleanStart: false, properties: { sessionExpiryInterval: 1 }, will });
    await client.cut();
    expect(await watcher.message()).toMatchObject({ topicName: topic });
    // The session has ended with it.
    const back = await broker.connect(5, kept, client.clientIdentifier);
    expect(back.connack?.sessionPresent).toBe(false);
  });

  test.concurrent("MQTT-3.3.2-5, MQTT-3.3.2-6: what waits counts down, and what has expired is not delivered", async () => {
    const topic = broker.name();
    const away = await broker.subscriber(5, [topic], kept);
    await away.disconnect();
    const publisher = await broker.connect(5);
    const expiring = (messageExpiryInterval: number) => ({ qos: 1, properties: { messageExpiryInterval } }) as const;
    await publisher.publish(topic, "short", expiring(1));
    await publisher.publish(topic, "long", expiring(100));
    await publisher.publish(`${topic}/retained`, "short", { ...expiring(1), retain: true });
    // A clock of the broker's: a message to a subscriber that waits as long as the short ones last.
    const will = { topicName: `${topic}/clock`, payload: Buffer.from("x"), properties: { willDelayInterval: 2 } };
    const clock = await broker.subscriber(5, [`${topic}/clock`]);
    const dying = await broker.connect(5, { ...kept, will });
    await dying.cut();
    await clock.message();
    const back = await broker.connect(5, kept, away.clientIdentifier);
    const [found, ...more] = (await back.drain()).filter((one) => one.type === "publish");
    expect([Buffer.from(found?.payload ?? []).toString(), more]).toEqual(["long", []]);
    const left = found?.properties?.messageExpiryInterval ?? 0;
    expect(left).toBeLessThan(100);
    expect(left).toBeGreaterThan(60);
    const late = await broker.subscriber(5, [`${topic}/retained`]);
    expect(await late.drain()).toEqual([]);
  });

  test.concurrent("MQTT-4.3.3-7, MQTT-4.3.3-13: an exchange of QoS 2 that was begun goes on although the message expired", async () => {
    const topic = broker.name();
    const subscriber = await broker.subscriber(5, [topic], kept);
    const publisher = await broker.connect(5);
    await publisher.publish(topic, "x", { qos: 2, properties: { messageExpiryInterval: 1 } });
    const { packetIdentifier } = await subscriber.take("publish");
    await subscriber.cut();
    const will = { topicName: `${topic}/clock`, payload: Buffer.from("x"), properties: { willDelayInterval: 2 } };
    const clock = await broker.subscriber(5, [`${topic}/clock`]);
    const dying = await broker.connect(5, { ...kept, will });
    await dying.cut();
    await clock.message();
    const back = await broker.connect(5, kept, subscriber.clientIdentifier);
    expect(await back.next()).toMatchObject({ type: "publish", packetIdentifier, dup: true });
    back.send({ type: "pubrec", packetIdentifier });
    expect(await back.next()).toMatchObject({ type: "pubrel", packetIdentifier });
    back.send({ type: "pubcomp", packetIdentifier });
    expect(await back.drain()).toEqual([]);
  });
});

describe("AUTH", () => {
  /** Asks for "one", "two" and "three", then "again"; anything else is refused. */
  const ask = (wanted: readonly string[], data: Uint8Array | undefined): AuthenticationStep<string> => {
    const [first, ...rest] = wanted;
    if (Buffer.from(data ?? []).toString() !== first) return { ok: false, reason: "wrong", reasonString: "wrong" };
    if (rest.length === 0) return { ok: true, principal: "peer", authenticationData: Buffer.from("welcome") };
    return { ok: "continue", authenticationData: Buffer.from("go on"), next: (next) => ask(rest, next) };
  };
  const authenticator: Authenticator<string, string> = {
    authenticationMethods: new Set(["COUNT"]),
    authenticate: (peer, { authenticationMethod, authenticationData }) =>
      authenticationMethod === undefined
        ? { ok: true, principal: peer }
        : ask(["one", "two", "three"], authenticationData),
    reauthenticate: (_, data) => ask(["again", "and again"], data),
  };
  let listener: CoreListener;
  beforeAll(async () => {
    listener = await CoreListener.start({ authenticator });
  });
  afterAll(() => listener[Symbol.asyncDispose]());

  const list = (data: string, authenticationMethod = "COUNT") => ({
    authenticationMethod,
    authenticationData: Buffer.from(data),
  });
  const auth = (reasonCode: number, data: string, method?: string) =>
    ({ type: "auth", reasonCode, properties: list(data, method) }) as const;
  const begun = async (maximumPacketSize?: number) => {
    const client = await listener.open(5);
    const properties = { ...list("one"), maximumPacketSize };
    client.send({ type: "connect", clientIdentifier: listener.name(), properties });
    return client;
  };
  const connected = async () => {
    const client = await begun();
    await client.take("auth");
    client.send(auth(0x18, "two"));
    await client.take("auth");
    client.send(auth(0x18, "three"));
    return client;
  };

  test("MQTT-4.12.0-2, MQTT-4.12.0-3, MQTT-4.12.0-5, MQTT-3.15.2-1, MQTT-3.15.2-2, MQTT-3.15.2-3: each AUTH has 0x18 and the method, no reason string and no user property; CONNACK has the method", async () => {
    const client = await begun();
    for (const answer of ["two", "three"]) {
      const { reasonCode, properties } = await client.take("auth");
      const expected = { authenticationMethod: "COUNT", reasonString: undefined, userProperties: [] };
      expect([reasonCode, properties]).toMatchObject([0x18, expected]);
      client.send(auth(0x18, answer));
    }
    expect(await client.take("connack")).toMatchObject({
      reasonCode: 0,
      properties: { authenticationMethod: "COUNT" },
    });
  });

  test("MQTT-4.12.0-1: an unknown method is refused with 0x8C", async () => {
    const client = await listener.open(5);
    expect(await client.connect("a", { properties: list("one", "OTHER") })).toMatchObject({ reasonCode: 0x8c });
    expect(await client.ended()).toEqual([]);
  });

  test("MQTT-4.12.0-4, MQTT-3.1.4-2: a refusal in the exchange is CONNACK 0x87 and the end", async () => {
    const client = await begun();
    await client.take("auth");
    client.send(auth(0x18, "wrong"));
    expect(await client.ended()).toMatchObject([{ type: "connack", reasonCode: 0x87 }]);
  });

  test("MQTT-3.1.2-30: until CONNACK the client sends only AUTH and DISCONNECT", async () => {
    const client = await begun();
    await client.take("auth");
    client.send({ type: "publish", topicName: "a" });
    expect(await client.ended()).toEqual([]);
    const leaving = await begun();
    await leaving.take("auth");
    await leaving.disconnect();
  });

  test("MQTT-4.12.0-6, MQTT-4.12.0-7: without a method there is no AUTH and none in CONNACK; one from the client is a protocol error", async () => {
    const client = await listener.connect(5);
    expect(client.connack?.properties?.authenticationMethod).toBeUndefined();
    client.send(auth(0x19, "again"));
    expect(await client.ended()).toMatchObject([{ type: "disconnect", reasonCode: 0x82 }]);
  });

  test("MQTT-4.12.1-1, MQTT-4.12.1-2: authentication once more with the same method, or the end", async () => {
    const client = await connected();
    await client.take("connack");
    client.send(auth(0x19, "again"));
    expect(await client.take("auth")).toMatchObject({
      reasonCode: 0x18,
      properties: { authenticationMethod: "COUNT" },
    });
    // Other packets go on meanwhile.
    expect(await client.drain()).toEqual([]);
    client.send(auth(0x18, "and again"));
    expect(await client.take("auth")).toMatchObject({ reasonCode: 0, properties: { authenticationMethod: "COUNT" } });
    client.send(auth(0x19, "again"));
    await client.take("auth");
    client.send(auth(0x18, "wrong"));
    expect(await client.ended()).toMatchObject([{ type: "disconnect", reasonCode: 0x87 }]);
    const other = await connected();
    await other.take("connack");
    other.send(auth(0x19, "again", "OTHER"));
    expect(await other.ended()).toMatchObject([{ type: "disconnect", reasonCode: 0x82 }]);
  });
});
