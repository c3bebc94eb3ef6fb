/** What a client of MQTT 5.0 may not send, statement by statement: the broker says with which reason code it closes. */

import { none, octets, packet, properties, rawString, type Part } from "@latchkey/tooling-vitest/mqtt-octets";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ConformanceBroker } from "./conformance-broker.ts";
import { illFormed } from "./ill-formed-text.ts";
import type { WireClient } from "./wire-client.ts";

let broker: ConformanceBroker;
let bystander: WireClient;
beforeAll(async () => {
  broker = await ConformanceBroker.start();
  bystander = await broker.connect(5);
});
afterAll(() => broker[Symbol.asyncDispose]());

const malformed = 0x81;
const protocolError = 0x82;
const cleanStart = 0x02;
const will = 0x06;

/** CONNECT with these flags, properties and payload. */
const connect = (flags: number, list: readonly number[], ...payload: readonly Part[]): Uint8Array =>
  packet(0x10, "MQTT", 5, flags, [0, 0], list, ...payload);

type Row = readonly [string, number, Uint8Array];

/** The same for each kind of text that is not well-formed. */
const forEach = (numbers: string, made: (text: readonly number[]) => Uint8Array): Row[] =>
  illFormed.map(([kind, text]) => [`${numbers}: ${kind}`, malformed, made(text)]);

describe("MQTT-3.1.4-1, MQTT-4.13.2-1: a CONNECT that is not of the form of the standard gets CONNACK, and no more", () => {
  const rows: readonly Row[] = [
    ...forEach("MQTT-1.5.4-1, MQTT-3.1.3-4, client identifier", (text) => connect(cleanStart, none, text)),
    ...forEach("MQTT-3.1.3-11, will topic", (text) => connect(will, none, "a", none, text, "payload")),
    ...forEach("MQTT-3.1.3-12, user name", (text) => connect(0x82, none, "a", text)),
    ...forEach("MQTT-1.5.7-1, name of a pair", (text) => connect(cleanStart, properties(0x26, text, "value"), "a")),
    ...forEach("MQTT-1.5.7-1, value of a pair", (text) => connect(cleanStart, properties(0x26, "name", text), "a")),
    ["MQTT-1.5.4-2: U+0000 in the client identifier", malformed, connect(cleanStart, none, "a\0b")],
    ["MQTT-1.5.5-1: an overlong property length", malformed, connect(cleanStart, [0x80, 0], "a")],
    ["MQTT-3.1.2-3: the reserved flag", malformed, connect(0x03, none, "a")],
    ["MQTT-3.1.2-9: a will flag and no will", malformed, connect(will, none, "a")],
    ["MQTT-3.1.2-9: will properties and no topic", malformed, connect(will, none, "a", none)],
    ["MQTT-3.1.2-9: a will topic and no payload", malformed, connect(will, none, "a", none, "topic")],
    ["MQTT-3.1.2-11: will QoS 1 without the will flag", malformed, connect(0x0a, none, "a")],
    ["MQTT-3.1.2-12: will QoS 3", malformed, connect(0x1e, none, "a", none, "topic", "payload")],
    ["MQTT-3.1.2-13: will retain without the will flag", malformed, connect(0x22, none, "a")],
    ["MQTT-3.1.2-16: a user name without its flag", malformed, connect(cleanStart, none, "a", "user")],
    ["MQTT-3.1.2-17: a user name flag and no user name", malformed, connect(0x82, none, "a")],
    ["MQTT-3.1.2-18: a password without its flag", malformed, connect(0x82, none, "a", "user", "password")],
    ["MQTT-3.1.2-19: a password flag and no password", malformed, connect(0x42, none, "a")],
    ["MQTT-3.1.3-3: no client identifier", malformed, connect(cleanStart, none)],
    ["MQTT-3.1.4-1: octets behind the last field", malformed, connect(cleanStart, none, "a", 0)],
    ["MQTT-4.7.0-1: a wildcard in the will topic", malformed, connect(will, none, "a", none, "b/#", "payload")],
    ["MQTT-4.7.3-1: an empty will topic", malformed, connect(will, none, "a", none, "", "payload")],
    [
      "MQTT-3.3.2-14: a wildcard in the will's response topic",
      malformed,
      connect(will, none, "a", properties(8, "b/+"), "topic", "payload"),
    ],
    ["Receive Maximum 0", protocolError, connect(cleanStart, properties(0x21, 0, 0), "a")],
    ["Maximum Packet Size 0", protocolError, connect(cleanStart, properties(0x27, 0, 0, 0, 0), "a")],
    ["Request Problem Information 2", protocolError, connect(cleanStart, properties(0x17, 2), "a")],
    ["a property that is repeated", protocolError, connect(cleanStart, properties(0x17, 1, 0x17, 1), "a")],
    ["Authentication Data without a method", protocolError, connect(cleanStart, properties(0x16, "data"), "a")],
  ];
  test.each(rows)("%s", async (_, reasonCode, bytes) => {
    const client = await broker.open(5);
    client.sendOctets(bytes);
    expect(await client.ended()).toMatchObject([{ type: "connack", reasonCode, sessionPresent: false }]);
  });

  test.each([
    ["MQTT-3.1.2-2: the next version", packet(0x10, "MQTT", 6, cleanStart, [0, 0], none, "a"), 4],
    ["MQTT-3.1.2-1: another protocol name", packet(0x10, "MQTX", 5, cleanStart, [0, 0], none, "a"), undefined],
    ["MQTT-2.1.3-1: flags of CONNECT", octets(0x12, connect(cleanStart, none, "a").subarray(1)), undefined],
  ] as const)(
    "%s closes: nothing that was read says that the client knows CONNACK of 5.0",
    async (_, bytes, version) => {
      const client = await broker.open(version ?? 5);
      client.sendOctets(bytes);
      const answers = await client.ended();
      expect(answers).toMatchObject(version === undefined ? [] : [{ type: "connack", reasonCode: 1 }]);
    },
  );

  test.each([
    ["PUBLISH", packet(0x30, "a", none)],
    ["AUTH", packet(0xf0, 0x18, properties(0x15, "method"))],
    ["DISCONNECT", packet(0xe0)],
    ["PINGREQ", packet(0xc0)],
  ])("MQTT-3.1.0-1, MQTT-3.14.0-1: %s before CONNECT closes without DISCONNECT", async (_, bytes) => {
    const client = await broker.open(5);
    client.sendOctets(bytes);
    expect(await client.ended()).toEqual([]);
  });
});

describe("MQTT-4.13.1-1: a malformed packet gets DISCONNECT with its reason code", () => {
  const publish = (list: readonly number[], ...rest: readonly Part[]): Uint8Array => packet(0x30, "a", list, ...rest);
  const rows: readonly Row[] = [
    ...forEach("MQTT-1.5.4-1, MQTT-3.3.2-1, topic name", (text) => packet(0x30, text, none)),
    ...forEach("MQTT-3.3.2-13, response topic", (text) => publish(properties(8, text))),
    ...forEach("MQTT-3.3.2-19, content type", (text) => publish(properties(3, text))),
    ...forEach("MQTT-3.8.3-1, topic filter", (text) => packet(0x82, [0, 1], none, text, 0)),
    ...forEach("MQTT-3.10.3-1, topic filter to leave", (text) => packet(0xa2, [0, 1], none, text)),
    ["MQTT-1.5.4-2, MQTT-4.7.3-2: U+0000 in a topic name", malformed, packet(0x30, "a\0b", none)],
    ["MQTT-1.5.4-2, MQTT-4.7.3-2: U+0000 in a filter", malformed, packet(0x82, [0, 1], none, "a\0b", 0)],
    ["MQTT-1.5.5-1: an overlong remaining length", malformed, octets(0x30, [0x84, 0], "a", none)],
    ["MQTT-1.5.5-1: an overlong property length", malformed, publish([0x80, 0])],
    ["MQTT-2.1.3-1: flags of PUBACK", malformed, packet(0x41, [0, 1])],
    ["MQTT-2.1.3-1: flags of PUBREC", malformed, packet(0x52, [0, 1])],
    ["MQTT-2.1.3-1: flags of PUBCOMP", malformed, packet(0x72, [0, 1])],
    ["MQTT-2.1.3-1: flags of PINGREQ", malformed, packet(0xc1)],
    ["MQTT-3.6.1-1: flags of PUBREL", malformed, packet(0x60, [0, 1])],
    ["MQTT-3.8.1-1: flags of SUBSCRIBE", malformed, packet(0x80, [0, 1], none, "a", 0)],
    ["MQTT-3.10.1-1: flags of UNSUBSCRIBE", malformed, packet(0xa0, [0, 1], none, "a")],
    ["MQTT-3.14.1-1: flags of DISCONNECT", malformed, packet(0xe1)],
    ["MQTT-3.15.1-1: flags of AUTH", malformed, packet(0xf1, 0x18, properties(0x15, "method"))],
    ["MQTT-2.2.1-3: identifier 0 of PUBLISH", protocolError, packet(0x32, "a", [0, 0], none)],
    ["MQTT-2.2.1-3: identifier 0 of SUBSCRIBE", protocolError, packet(0x82, [0, 0], none, "a", 0)],
    ["MQTT-2.2.1-3: identifier 0 of UNSUBSCRIBE", protocolError, packet(0xa2, [0, 0], none, "a")],
    ["MQTT-3.1.0-2: a second CONNECT", protocolError, connect(cleanStart, none, "a")],
    ["MQTT-3.3.1-2: DUP with QoS 0", malformed, packet(0x38, "a", none)],
    ["MQTT-3.3.1-4: QoS 3", malformed, packet(0x36, "a", [0, 1], none)],
    ["MQTT-3.3.2-2, MQTT-4.7.0-1: + in a topic name", malformed, packet(0x30, "a/+", none)],
    ["MQTT-3.3.2-2, MQTT-4.7.0-1: # in a topic name", malformed, packet(0x30, "a/#", none)],
    ["MQTT-3.3.2-8: topic alias 0", 0x94, publish(properties(0x23, 0, 0))],
    ["MQTT-3.3.2-14: a wildcard in the response topic", malformed, publish(properties(8, "a/#"))],
    ["MQTT-3.3.4-6: a subscription identifier", protocolError, publish(properties(11, 1))],
    ["MQTT-3.4.2-1: a reason code that PUBACK has not", malformed, packet(0x40, [0, 1], 0x92, none)],
    ["MQTT-3.5.2-1: a reason code that PUBREC has not", malformed, packet(0x50, [0, 1], 0x92, none)],
    ["MQTT-3.6.2-1: a reason code that PUBREL has not", malformed, packet(0x62, [0, 1], 0x80, none)],
    ["MQTT-3.7.2-1: a reason code that PUBCOMP has not", malformed, packet(0x70, [0, 1], 0x80, none)],
    ["MQTT-3.8.3-2: SUBSCRIBE without a filter", protocolError, packet(0x82, [0, 1], none)],
    ["MQTT-3.8.3-4: No Local on a shared subscription", protocolError, packet(0x82, [0, 1], none, "$share/g/a", 4)],
    ["MQTT-3.8.3-5: the first reserved option", malformed, packet(0x82, [0, 1], none, "a", 0x40)],
    ["MQTT-3.8.3-5: the second reserved option", malformed, packet(0x82, [0, 1], none, "a", 0x80)],
    ["QoS 3 in SUBSCRIBE", protocolError, packet(0x82, [0, 1], none, "a", 3)],
    ["Retain Handling 3", protocolError, packet(0x82, [0, 1], none, "a", 0x30)],
    ["Subscription Identifier 0", protocolError, packet(0x82, [0, 1], properties(11, 0), "a", 0)],
    ["MQTT-3.10.3-2: UNSUBSCRIBE without a filter", protocolError, packet(0xa2, [0, 1], none)],
    ["MQTT-3.14.2-1: a reason code of the broker's DISCONNECT", malformed, packet(0xe0, 0x8b, none)],
    ["MQTT-3.14.2-1: a reason code that DISCONNECT has not", malformed, packet(0xe0, 0x10, none)],
    ["MQTT-3.15.2-1: a reason code that AUTH has not", malformed, packet(0xf0, 0x80, properties(0x15, "method"))],
    ["MQTT-3.15.2-1: a reason code of the broker's AUTH", malformed, packet(0xf0, 0, properties(0x15, "method"))],
    ["MQTT-4.7.1-1: # that is not last", malformed, packet(0x82, [0, 1], none, "a/#/b", 0)],
    ["MQTT-4.7.1-1: # beside other characters", malformed, packet(0x82, [0, 1], none, "a#", 0)],
    ["MQTT-4.7.1-2: + beside other characters", malformed, packet(0x82, [0, 1], none, "a+/b", 0)],
    ["MQTT-4.7.3-1: an empty topic filter", malformed, packet(0x82, [0, 1], none, "", 0)],
    ["MQTT-4.7.3-1: an empty topic name without an alias", protocolError, packet(0x30, rawString(), none)],
    ["MQTT-4.8.2-1: $share and no share name", malformed, packet(0x82, [0, 1], none, "$share//a", 0)],
    ["MQTT-4.8.2-2: a share name with a wildcard", malformed, packet(0x82, [0, 1], none, "$share/g+/a", 0)],
    ["MQTT-4.8.2-2: a share name and no filter", malformed, packet(0x82, [0, 1], none, "$share/g", 0)],
    ["MQTT-4.8.2-2: a share name and an empty filter", malformed, packet(0x82, [0, 1], none, "$share/g/", 0)],
    ["a packet that only a broker sends", protocolError, packet(0xd0)],
    ["a property that the packet may not carry", malformed, publish(properties(0x21, 0, 1))],
    ["a property that nobody has", malformed, publish(properties(0x7f, 0))],
    ["a property list that runs past the packet", malformed, publish([9], 1, 0)],
    ["Payload Format Indicator 2", protocolError, publish(properties(1, 2))],
  ];
  test.each(rows)("%s", async (_, reasonCode, bytes) => {
    const client = await broker.connect(5);
    client.sendOctets(bytes);
    expect(await client.ended()).toMatchObject([{ type: "disconnect", reasonCode }]);
    expect(await bystander.drain()).toEqual([]);
  });
});
