/** What a client of MQTT 3.1.1 may not send, statement by statement: the broker closes the connection, and others are served on. */

import { octets, packet, rawString, type Part } from "@latchkey/tooling-vitest/mqtt-octets";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ConformanceBroker } from "./conformance-broker.ts";
import { illFormed } from "./ill-formed-text.ts";

let broker: ConformanceBroker;
beforeAll(async () => {
  broker = await ConformanceBroker.start();
});
afterAll(() => broker[Symbol.asyncDispose]());

/** CONNECT with these flags and this payload. */
const connect = (flags: number, ...payload: readonly Part[]): Uint8Array =>
  packet(0x10, "MQTT", 4, flags, [0, 0], ...payload);

const cleanSession = 0x02;
const will = 0x06;

type Row = readonly [string, Uint8Array];

/** The same for each kind of text that is not well-formed. */
const forEach = (numbers: string, made: (text: readonly number[]) => Uint8Array): Row[] =>
  illFormed.map(([kind, text]) => [`${numbers}: ${kind}`, made(text)]);

describe("a CONNECT that is not of the form of the standard closes without CONNACK", () => {
  const rows: readonly Row[] = [
    ...forEach("MQTT-1.5.3-1, MQTT-3.1.3-4, client identifier", (text) => connect(cleanSession, text)),
    ...forEach("MQTT-3.1.3-10, will topic", (text) => connect(will, "a", text, "payload")),
    ...forEach("MQTT-3.1.3-11, user name", (text) => connect(0x82, "a", text)),
    ["MQTT-1.5.3-2: U+0000 in the client identifier", connect(cleanSession, "a\0b")],
    ["MQTT-2.2.2-2: flags of CONNECT", octets(0x11, connect(cleanSession, "a").subarray(1))],
    ["MQTT-3.1.2-1: another protocol name", packet(0x10, "MQTX", 4, cleanSession, [0, 0], "a")],
    ["MQTT-3.1.2-3: the reserved flag", connect(0x03, "a")],
    ["MQTT-3.1.2-9: a will flag and no will", connect(will, "a")],
    ["MQTT-3.1.2-9: a will topic and no will message", connect(will, "a", "topic")],
    ["MQTT-3.1.2-11: a will without the will flag", connect(cleanSession, "a", "topic", "payload")],
    ["MQTT-3.1.2-11, MQTT-3.1.2-13: will QoS 1 without the will flag", connect(0x0a, "a")],
    ["MQTT-3.1.2-11, MQTT-3.1.2-13: will QoS 2 without the will flag", connect(0x12, "a")],
    ["MQTT-3.1.2-11, MQTT-3.1.2-15: will retain without the will flag", connect(0x22, "a")],
    ["MQTT-3.1.2-14: will QoS 3", connect(0x1e, "a", "topic", "payload")],
    ["MQTT-3.1.2-18: a user name without its flag", connect(cleanSession, "a", "user")],
    ["MQTT-3.1.2-19: a user name flag and no user name", connect(0x82, "a")],
    ["MQTT-3.1.2-20: a password without its flag", connect(0x82, "a", "user", "password")],
    ["MQTT-3.1.2-21: a password flag and no password", connect(0xc2, "a", "user")],
    ["MQTT-3.1.2-22: a password flag without a user name flag", connect(0x42, "a", "password")],
    ["MQTT-3.1.3-3: no client identifier", connect(cleanSession)],
    ["MQTT-3.1.4-1, MQTT-3.2.2-6: octets behind the last field", connect(cleanSession, "a", 0)],
    ["MQTT-3.1.4-1: a keep alive that is cut off", packet(0x10, "MQTT", 4, cleanSession, 0)],
    ["MQTT-4.7.1-1: a wildcard in the will topic", connect(will, "a", "b/#", "payload")],
    ["MQTT-4.7.3-1: an empty will topic", connect(will, "a", "", "payload")],
  ];
  test.each(rows)("%s", async (_, bytes) => {
    const client = await broker.open(4);
    client.sendOctets(bytes);
    expect(await client.ended()).toEqual([]);
  });

  test.each([
    ["PUBLISH", packet(0x30, "a", [1])],
    ["SUBSCRIBE", packet(0x82, [0, 1], "a", 0)],
    ["PINGREQ", packet(0xc0)],
    ["DISCONNECT", packet(0xe0)],
    ["PUBREL", packet(0x62, [0, 1])],
    ["HTTP", Buffer.from("GET / HTTP/1.1\r\n\r\n")],
  ])("MQTT-3.1.0-1: %s before CONNECT", async (_, bytes) => {
    const client = await broker.open(4);
    client.sendOctets(bytes);
    expect(await client.ended()).toEqual([]);
  });
});

describe("a malformed packet closes the connection (MQTT-4.8.0-1)", () => {
  const rows: readonly Row[] = [
    ...forEach("MQTT-1.5.3-1, MQTT-3.3.2-1, topic name", (text) => packet(0x30, text, [1])),
    ...forEach("MQTT-1.5.3-1, MQTT-3.8.3-1, topic filter", (text) => packet(0x82, [0, 1], text, 0)),
    ...forEach("MQTT-1.5.3-1, MQTT-3.10.3-1, topic filter to leave", (text) => packet(0xa2, [0, 1], text)),
    ["MQTT-1.5.3-2, MQTT-4.7.3-2: U+0000 in a topic name", packet(0x30, "a\0b")],
    ["MQTT-1.5.3-2, MQTT-4.7.3-2: U+0000 in a topic filter", packet(0x82, [0, 1], "a\0b", 0)],
    ["MQTT-2.2.2-1, MQTT-2.2.2-2: flags of PUBACK", packet(0x41, [0, 1])],
    ["MQTT-2.2.2-1, MQTT-2.2.2-2: flags of PUBREC", packet(0x52, [0, 1])],
    ["MQTT-2.2.2-1, MQTT-2.2.2-2: flags of PUBCOMP", packet(0x72, [0, 1])],
    ["MQTT-2.2.2-1, MQTT-2.2.2-2: flags of PINGREQ", packet(0xc1)],
    ["MQTT-3.6.1-1: flags 0 of PUBREL", packet(0x60, [0, 1])],
    ["MQTT-3.8.1-1: flags 0 of SUBSCRIBE", packet(0x80, [0, 1], "a", 0)],
    ["MQTT-3.10.1-1: flags 0 of UNSUBSCRIBE", packet(0xa0, [0, 1], "a")],
    ["MQTT-3.14.1-1: flags of DISCONNECT", packet(0xe1)],
    ["MQTT-2.3.1-1: identifier 0 of PUBLISH with QoS 1", packet(0x32, "a", [0, 0])],
    ["MQTT-2.3.1-1: identifier 0 of PUBLISH with QoS 2", packet(0x34, "a", [0, 0])],
    ["MQTT-2.3.1-1: identifier 0 of SUBSCRIBE", packet(0x82, [0, 0], "a", 0)],
    ["MQTT-2.3.1-1: identifier 0 of UNSUBSCRIBE", packet(0xa2, [0, 0], "a")],
    ["MQTT-2.3.1-6: identifier 0 of PUBACK", packet(0x40, [0, 0])],
    ["MQTT-3.1.0-2: a second CONNECT", connect(cleanSession, "a")],
    ["MQTT-3.3.1-2: DUP with QoS 0", packet(0x38, "a")],
    ["MQTT-3.3.1-4: QoS 3", packet(0x36, "a", [0, 1])],
    ["MQTT-3.3.2-1: a topic name that runs past its packet", packet(0x30, [0, 9], [0x61])],
    ["MQTT-3.3.2-2, MQTT-4.7.1-1: + in a topic name", packet(0x30, "a/+")],
    ["MQTT-3.3.2-2, MQTT-4.7.1-1: # in a topic name", packet(0x30, "a/#")],
    ["MQTT-3.8.3-3: SUBSCRIBE without a filter", packet(0x82, [0, 1])],
    ["MQTT-3-8.3-4: QoS 3 in SUBSCRIBE", packet(0x82, [0, 1], "a", 3)],
    ["MQTT-3-8.3-4: a reserved bit of the QoS in SUBSCRIBE", packet(0x82, [0, 1], "a", 4)],
    ["MQTT-3-8.3-4: the highest reserved bit", packet(0x82, [0, 1], "a", 0x81)],
    ["MQTT-3.10.3-2: UNSUBSCRIBE without a filter", packet(0xa2, [0, 1])],
    ["MQTT-4.7.1-2: # that is not last", packet(0x82, [0, 1], "a/#/b", 0)],
    ["MQTT-4.7.1-2: # beside other characters", packet(0x82, [0, 1], "a#", 0)],
    ["MQTT-4.7.1-3: + beside other characters", packet(0x82, [0, 1], "a+/b", 0)],
    ["MQTT-4.7.3-1: an empty topic name", packet(0x30, rawString())],
    ["MQTT-4.7.3-1: an empty topic filter", packet(0x82, [0, 1], "", 0)],
    ["MQTT-4.8.0-1: a packet that only a broker sends", packet(0xd0)],
    ["MQTT-4.8.0-1: a packet type that is reserved", packet(0xf0)],
    ["MQTT-4.8.0-1: a remaining length of five octets", octets(0x30, [0xff, 0xff, 0xff, 0xff, 1])],
  ];
  test.each(rows)("%s", async (_, bytes) => {
    const topic = broker.name();
    const watcher = await broker.subscriber(4, [topic]);
    const bystander = await broker.connect(4);
    const client = await broker.connect(4, { will: { topicName: topic, payload: Buffer.from("gone") } });
    client.sendOctets(bytes);
    expect(await client.ended()).toEqual([]);
    // It was no DISCONNECT, so the will tells that the broker has seen the end.
    expect(await watcher.message()).toMatchObject({ topicName: topic });
    expect(await bystander.drain()).toEqual([]);
  });
});

test.each([
  ["MQTT-3.1.2-2: the next protocol level", packet(0x10, "MQTT", 6, cleanSession, [0, 0], "a")],
  ["MQTT-3.1.2-1, MQTT-3.1.2-2: MQTT 3.1", packet(0x10, "MQIsdp", 3, cleanSession, [0, 0], "a")],
  ["MQTT-3.1.2-2: the level of a bridge", packet(0x10, "MQTT", 0x84, cleanSession, [0, 0], "a")],
])("%s is refused with return code 1, and the connection is closed", async (_, bytes) => {
  const client = await broker.open(4);
  client.sendOctets(bytes);
  expect(await client.ended()).toMatchObject([{ type: "connack", reasonCode: 1, sessionPresent: false }]);
});

test("MQTT-3.1.3-7, MQTT-3.1.3-8, MQTT-3.1.3-9: an empty client identifier needs a clean session", async () => {
  const client = await broker.open(4);
  client.sendOctets(connect(0x00, ""));
  expect(await client.ended()).toMatchObject([{ type: "connack", reasonCode: 2, sessionPresent: false }]);
});
