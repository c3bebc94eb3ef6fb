/**
 * What takes long: all short UTF-8 sequences and random ones, and of a sample of every packet each prefix, each cut into two chunks, each change of
 * one octet to each value. `npm run test:corpora` runs it, `npm test` does not.
 */

import fc from "fast-check";
import { expect, test } from "vitest";
import { encode, type EncodablePacket, type PacketDecoderOptions } from "../src/index.ts";
import { utf8Length } from "../src/utf8.ts";
import { checkUtf8 } from "./utf8-reference.ts";
import { fresh, fromClient4, fromClient5, fromServer4, fromServer5, outcome } from "./wire.ts";

test("every sequence of one and two octets, and every beginning of three with border values behind it", () => {
  const borders = [0x00, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xff];
  let checked = 0;
  for (let first = 0; first < 256; first++) {
    checkUtf8(Uint8Array.of(first));
    for (let second = 0; second < 256; second++) {
      checkUtf8(Uint8Array.of(first, second));
      checked++;
    }
    if (first < 0xdf) continue;
    for (const second of borders) {
      for (const third of borders) {
        checkUtf8(Uint8Array.of(first, second, third));
        for (const fourth of borders) checkUtf8(Uint8Array.of(first, second, third, fourth));
      }
    }
  }
  expect(checked).toBe(65_536);
});

const octets = Uint8Array.of(1, 2, 3);
const user = [["n", "v"]] as const;
const reason = { reasonString: "é", userProperties: user };

/** A packet of each type with all its fields. */
const clientSamples: readonly EncodablePacket[] = [
  { type: "publish", topicName: "ab/cd/ef", payload: octets, qos: 1, packetIdentifier: 258 },
  {
    type: "publish",
    topicName: "é",
    payload: octets,
    properties: {
      topicAlias: 5,
      responseTopic: "r/s",
      contentType: "text",
      correlationData: octets,
      userProperties: user,
    },
  },
  { type: "puback", packetIdentifier: 7 },
  { type: "pubrec", packetIdentifier: 7, properties: reason },
  { type: "pubrel", packetIdentifier: 7 },
  { type: "pubcomp", packetIdentifier: 7, properties: reason },
  {
    type: "subscribe",
    packetIdentifier: 7,
    subscriptions: [
      { topicFilter: "a/+/#", qos: 1 },
      { topicFilter: "$share/g/a", qos: 2 },
    ],
    properties: { subscriptionIdentifier: 200, userProperties: user },
  },
  { type: "unsubscribe", packetIdentifier: 7, topicFilters: ["a/+/#", "b"], properties: { userProperties: user } },
  { type: "pingreq" },
  { type: "disconnect", properties: { sessionExpiryInterval: 9, reasonString: "bye" } },
];
const serverSamples: readonly EncodablePacket[] = [
  {
    type: "connack",
    properties: { maximumQoS: 1, receiveMaximum: 9, assignedClientIdentifier: "a", retainAvailable: true, ...reason },
  },
  { type: "suback", packetIdentifier: 7, reasonCodes: [0, 1, 2, 0x80], properties: reason },
  { type: "unsuback", packetIdentifier: 7, reasonCodes: [0, 0], properties: reason },
  { type: "publish", topicName: "a", properties: { subscriptionIdentifiers: [1, 300] } },
  { type: "pingresp" },
];
const connect: EncodablePacket = {
  type: "connect",
  clientIdentifier: "id",
  will: { topicName: "w", payload: octets, qos: 1, properties: { willDelayInterval: 1, responseTopic: "r" } },
  userName: "u",
  password: octets,
  properties: { receiveMaximum: 9, authenticationMethod: "m", authenticationData: octets },
};
const auth: EncodablePacket = { type: "auth", reasonCode: 0x18, properties: { authenticationMethod: "m", ...reason } };

const samples: readonly (readonly [name: string, bytes: Uint8Array, options: PacketDecoderOptions, version: 4 | 5])[] =
  [
    ...([4, 5] as const).flatMap((version) => [
      ...clientSamples.map((packet) => sample(packet, version === 4 ? fromClient4 : fromClient5, version)),
      ...serverSamples.map((packet) => sample(packet, version === 4 ? fromServer4 : fromServer5, version)),
      sample(connect, fresh, version),
    ]),
    sample(auth, fromClient5, 5),
  ];

function sample(packet: EncodablePacket, options: PacketDecoderOptions, version: 4 | 5): (typeof samples)[number] {
  return [`${packet.type} ${version}`, encode(packet, version), options, version];
}

test.each(samples)("%s: every prefix waits, every cut decodes alike", (_name, bytes, options) => {
  const whole = outcome([bytes], options);
  expect(whole).toHaveLength(1);
  for (let cut = 0; cut < bytes.length; cut++) {
    expect(outcome([bytes.subarray(0, cut)], options)).toEqual([]);
    expect(outcome([bytes.subarray(0, cut), bytes.subarray(cut)], options)).toEqual(whole);
  }
});

test.each(samples)(
  "%s: every octet changed to every value decodes or is refused, cut anywhere",
  (_n, bytes, options, version) => {
    for (let at = 0; at < bytes.length; at++) {
      for (let value = 0; value < 256; value++) {
        const changed = bytes.slice();
        changed[at] = value;
        const whole = outcome([changed], options);
        const cut = outcome([changed.subarray(0, at), changed.subarray(at)], options);
        if (JSON.stringify(cut) !== JSON.stringify(whole)) expect(cut).toEqual(whole);
        for (const one of whole) {
          // What was decoded can be written, and is then read as the same packet.
          if (Array.isArray(one)) continue;
          const packet = one as EncodablePacket;
          const spoken = packet.type === "connect" ? (packet.protocolVersion ?? version) : version;
          const again = outcome([encode(packet, spoken)], options);
          if (JSON.stringify(again) !== JSON.stringify([one])) expect(again).toEqual([one]);
        }
      }
    }
  },
);

test("random octets and random text", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 12 }), checkUtf8), { numRuns: 500 });
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (text) => {
      const bytes = new TextEncoder().encode(text);
      checkUtf8(bytes);
      expect(utf8Length(text)).toBe(text.includes("\u0000") ? -1 : bytes.length);
    }),
    { numRuns: 300 },
  );
});
