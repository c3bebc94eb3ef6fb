/**
 * Malformed packets that mqtt-packet 9 accepts (all but two of the first list), each by name, and further ones that no
 * numbered statement names.
 */

import { Buffer } from "node:buffer";
import mqttPacket from "mqtt-packet";
import { describe, expect, test } from "vitest";
import type { MqttCodecErrorCode, PacketDecoderOptions } from "../src/index.ts";
import {
  decodeAll,
  faultOf,
  fresh,
  fromClient4,
  fromClient5,
  fromServer4,
  fromServer5,
  octets,
  packet,
  properties,
  rawString,
} from "./wire.ts";

type Probe = [name: string, bytes: Uint8Array, options: PacketDecoderOptions, code: MqttCodecErrorCode];

const connect = (flags: number, ...fields: (string | number[])[]): Uint8Array =>
  packet(0x10, "MQTT", 4, flags, [0, 0], ...fields);

const probes: Probe[] = [
  ["ill-formed UTF-8 in a topic name", packet(0x30, rawString(0x61, 0xff)), fromClient4, "ERR_MQTT_CODEC_UTF8"],
  ["an overlong form in a topic name", packet(0x30, rawString(0xc0, 0xaf)), fromClient4, "ERR_MQTT_CODEC_UTF8"],
  ["a surrogate in a topic name", packet(0x30, rawString(0xed, 0xa0, 0x80)), fromClient4, "ERR_MQTT_CODEC_UTF8"],
  ["U+0000 in a topic name", packet(0x30, rawString(0x61, 0)), fromClient4, "ERR_MQTT_CODEC_NULL_CHARACTER"],
  ["a wildcard in a topic name", packet(0x30, "a/+"), fromClient4, "ERR_MQTT_CODEC_TOPIC_NAME"],
  ["packet identifier 0", packet(0x32, "a", [0, 0]), fromClient4, "ERR_MQTT_CODEC_PACKET_IDENTIFIER"],
  [
    "a packet identifier that would be read from the next packet",
    octets(packet(0x32, "a"), packet(0xc0)),
    fromClient4,
    "ERR_MQTT_CODEC_TRUNCATED",
  ],
  ["an overlong remaining length in 5.0", octets(0xc0, [0x80, 0x00]), fromClient5, "ERR_MQTT_CODEC_REMAINING_LENGTH"],
  ["DUP with QoS 0", packet(0x38, "a"), fromClient4, "ERR_MQTT_CODEC_DUP"],
  [
    "a repeated property",
    packet(0x30, "a", properties(0x01, 1, 0x01, 1)),
    fromClient5,
    "ERR_MQTT_CODEC_PROPERTY_REPEATED",
  ],
  [
    "a property of another packet",
    packet(0x30, "a", properties(0x21, [0, 1])),
    fromClient5,
    "ERR_MQTT_CODEC_PROPERTY_NOT_ALLOWED",
  ],
  ["will QoS 3", connect(0x1e, "a", "w", "m"), fresh, "ERR_MQTT_CODEC_QOS"],
  ["a password without a user name in 3.1.1", connect(0x42, "a", "pw"), fresh, "ERR_MQTT_CODEC_CONNECT_FLAGS"],
  ["octets behind the last field of CONNECT", connect(2, "a", [1, 2, 3]), fresh, "ERR_MQTT_CODEC_TRAILING_BYTES"],
  ["octets behind a PUBACK", packet(0x40, [0, 1], [9]), fromClient4, "ERR_MQTT_CODEC_REMAINING_LENGTH"],
  ["PINGREQ with a body", packet(0xc0, 1), fromClient4, "ERR_MQTT_CODEC_REMAINING_LENGTH"],
  ["SUBSCRIBE without a topic filter", packet(0x82, [0, 1]), fromClient4, "ERR_MQTT_CODEC_NO_TOPIC_FILTER"],
  ["UNSUBSCRIBE without a topic filter", packet(0xa2, [0, 1]), fromClient4, "ERR_MQTT_CODEC_NO_TOPIC_FILTER"],
  ["payload format indicator 2", packet(0x30, "a", properties(0x01, 2)), fromClient5, "ERR_MQTT_CODEC_PROPERTY_VALUE"],
  [
    "subscription identifier 0",
    packet(0x82, [0, 1], properties(0x0b, 0), "a", 0),
    fromClient5,
    "ERR_MQTT_CODEC_PROPERTY_VALUE",
  ],
  [
    "receive maximum 0",
    packet(0x10, "MQTT", 5, 2, [0, 0], properties(0x21, [0, 0]), "a"),
    fresh,
    "ERR_MQTT_CODEC_PROPERTY_VALUE",
  ],
  ["QoS 3", packet(0x36, "a", [0, 1]), fromClient4, "ERR_MQTT_CODEC_QOS"],
  ["the reserved connect flag", connect(3, "a"), fresh, "ERR_MQTT_CODEC_CONNECT_FLAGS"],
];

/** Whether mqtt-packet makes a packet of it without a word. */
function peerAccepts(bytes: Uint8Array, protocolVersion: number): boolean {
  const parser = mqttPacket.parser({ protocolVersion });
  let packets = 0;
  let errors = 0;
  parser.on("packet", () => packets++);
  parser.on("error", () => errors++);
  try {
    parser.parse(Buffer.from(bytes));
  } catch {
    errors++;
  }
  return packets > 0 && errors === 0;
}

describe("what mqtt-packet lets through", () => {
  for (const [name, bytes, options, code] of probes) {
    test(name, () => expect(faultOf(bytes, options).code).toBe(code));
  }
  test("mqtt-packet accepts 21 of these 23", () => {
    const accepted = probes.filter(([, bytes, options]) => peerAccepts(bytes, options.protocolVersion ?? 4));
    expect(accepted).toHaveLength(21);
    expect(probes).toHaveLength(23);
  });
});

describe("not numbered, malformed all the same", () => {
  const more: Probe[] = [
    ["packet type 0", octets(0x00), fromClient4, "ERR_MQTT_CODEC_PACKET_TYPE"],
    ["packet type 0 before CONNECT", octets(0x00), fresh, "ERR_MQTT_CODEC_PACKET_TYPE"],
    ["AUTH in 3.1.1", octets(0xf0), fromClient4, "ERR_MQTT_CODEC_PACKET_TYPE"],
    ["CONNACK from a client", octets(0x20), fromClient5, "ERR_MQTT_CODEC_DIRECTION"],
    ["SUBACK from a client", octets(0x90), fromClient5, "ERR_MQTT_CODEC_DIRECTION"],
    ["UNSUBACK from a client", octets(0xb0), fromClient4, "ERR_MQTT_CODEC_DIRECTION"],
    ["PINGRESP from a client", octets(0xd0), fromClient4, "ERR_MQTT_CODEC_DIRECTION"],
    ["CONNECT from a server", octets(0x10), fromServer4, "ERR_MQTT_CODEC_DIRECTION"],
    ["SUBSCRIBE from a server", octets(0x82), fromServer4, "ERR_MQTT_CODEC_DIRECTION"],
    ["PINGREQ from a server", octets(0xc0), fromServer5, "ERR_MQTT_CODEC_DIRECTION"],
    ["DISCONNECT from a 3.1.1 server", octets(0xe0), fromServer4, "ERR_MQTT_CODEC_DIRECTION"],
    [
      "a fifth octet of remaining length",
      octets(0x30, [0xff, 0xff, 0xff, 0xff, 0x01]),
      { ...fromClient4, maximumPacketSize: 1e9 },
      "ERR_MQTT_CODEC_REMAINING_LENGTH",
    ],
    ["PUBACK of one octet", packet(0x40, 1), fromClient4, "ERR_MQTT_CODEC_REMAINING_LENGTH"],
    ["UNSUBACK of three octets", packet(0xb0, [0, 1], 0), fromServer4, "ERR_MQTT_CODEC_REMAINING_LENGTH"],
    ["octets behind a CONNACK", packet(0x20, 0, 0, 0, 9), fromServer5, "ERR_MQTT_CODEC_TRAILING_BYTES"],
    ["octets behind a PUBACK", packet(0x40, [0, 1], 0, 0, 9), fromClient5, "ERR_MQTT_CODEC_TRAILING_BYTES"],
    ["octets behind a DISCONNECT", packet(0xe0, 0, 0, 9), fromClient5, "ERR_MQTT_CODEC_TRAILING_BYTES"],
    ["CONNACK of three octets", packet(0x20, 0, 0, 0), fromServer4, "ERR_MQTT_CODEC_REMAINING_LENGTH"],
    ["3.1.1 DISCONNECT with a body", packet(0xe0, 0), fromClient4, "ERR_MQTT_CODEC_REMAINING_LENGTH"],
    ["AUTH of one octet", packet(0xf0, 0x18), fromClient5, "ERR_MQTT_CODEC_TRUNCATED"],
    ["a topic length that runs past the packet", packet(0x30, [0, 9], [0x61]), fromClient4, "ERR_MQTT_CODEC_TRUNCATED"],
    ["3.1.1 SUBSCRIBE without a QoS octet", packet(0x82, [0, 1], "a"), fromClient4, "ERR_MQTT_CODEC_TRUNCATED"],
  ];
  for (const [name, bytes, options, code] of more) {
    test(name, () => expect(faultOf(bytes, options).code).toBe(code));
  }

  test("3.1.1 does not forbid an overlong remaining length", () => {
    expect(decodeAll(octets(0xc0, [0x80, 0x00]), fromClient4)).toEqual([{ type: "pingreq" }]);
    const overlong = octets(0x10, [0x8d, 0x00], "MQTT", 4, 2, [0, 0], "a");
    expect(decodeAll(overlong, fresh)).toMatchObject([{ type: "connect", protocolVersion: 4 }]);
  });

  test("control characters and non-characters pass unless they are to be refused", () => {
    const strict = { ...fromClient4, refuseControlCharacters: true };
    for (const character of [
      "\u0001",
      "\u001f",
      "\u007f",
      "\u0080",
      "\u009f",
      "\ufdd0",
      "\ufdef",
      "\ufffe",
      "\uffff",
      "\u{1fffe}",
      "\u{10ffff}",
    ]) {
      const bytes = packet(0x30, `a${character}b`);
      expect(decodeAll(bytes, fromClient4)).toHaveLength(1);
      const fault = faultOf(bytes, strict);
      expect([fault.code, fault.offset]).toEqual(["ERR_MQTT_CODEC_CONTROL_CHARACTER", 5]);
    }
    for (const character of [
      "\u0020",
      "\u007e",
      "\u00a0",
      "\ufdcf",
      "\ufdf0",
      "\ufffd",
      "\ufeff",
      "\u{10000}",
      "\u{1fffd}",
    ]) {
      expect(decodeAll(packet(0x30, `a${character}b`), strict)).toHaveLength(1);
    }
  });
});
