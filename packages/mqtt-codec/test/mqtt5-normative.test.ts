/** One test for each statement of MQTT 5.0 that a codec decides, named by its number. */

import { describe, expect, test } from "vitest";
import {
  encode,
  type EncodablePacket,
  type MqttCodecErrorCode,
  type MqttEncodeErrorCode,
  PacketDecoder,
  type PacketDecoderOptions,
  parseTopicFilter,
  preparePublish,
  ReasonCode,
  validateTopicFilter,
} from "../src/index.ts";
import {
  decodeAll,
  decodeOne,
  drain,
  faultOf,
  fresh,
  fromClient5,
  fromServer5,
  octets,
  packet,
  type Part,
  properties,
  rawString,
  refusalOf,
} from "./wire.ts";

const payload = new Uint8Array(0);
const none = properties();

/** CONNECT with these flags, properties and payload. */
function connect(flags: number, list: readonly number[], ...fields: readonly Part[]): Uint8Array {
  return packet(0x10, "MQTT", 5, flags, [0, 60], list, ...fields);
}

function refused(
  bytes: Uint8Array,
  code: MqttCodecErrorCode,
  clause: string,
  reasonCode: number,
  options: PacketDecoderOptions = fromClient5,
): void {
  const fault = faultOf(bytes, options);
  expect([fault.code, fault.clause, fault.reasonCode]).toEqual([code, clause, reasonCode]);
}

function notEncoded(value: EncodablePacket, code: MqttEncodeErrorCode): void {
  expect(refusalOf(() => encode(value, 5))).toBe(code);
}

/** The codes that a packet is decoded with. */
function acceptedCodes(bytes: (code: number) => Uint8Array, options: PacketDecoderOptions, clause: string): number[] {
  const accepted: number[] = [];
  for (let code = 0; code < 256; code++) {
    try {
      decodeOne(bytes(code), options);
      accepted.push(code);
    } catch {
      refused(bytes(code), "ERR_MQTT_CODEC_REASON_CODE", clause, 0x81, options);
    }
  }
  return accepted;
}

describe("1.5 data representation", () => {
  test("MQTT-1.5.4-1 ill-formed UTF-8 and surrogates are malformed", () => {
    for (const raw of [[0xc0, 0xaf], [0xed, 0xa0, 0x80], [0xf4, 0x90, 0x80, 0x80], [0x80], [0xe2, 0x82]]) {
      const [code, clause] = ["ERR_MQTT_CODEC_UTF8", "MQTT-1.5.4-1"] as const;
      refused(packet(0x30, rawString(...raw), none), code, clause, 0x81);
      refused(packet(0x30, "a", properties(0x03, rawString(...raw))), code, clause, 0x81);
      refused(connect(2, none, rawString(...raw)), code, clause, 0x81, fresh);
    }
    notEncoded({ type: "publish", topicName: "a", properties: { contentType: "\ud800" } }, "ERR_MQTT_CODEC_UTF8");
  });
  test("MQTT-1.5.4-2 U+0000 is malformed", () => {
    refused(packet(0x30, rawString(0x61, 0), none), "ERR_MQTT_CODEC_NULL_CHARACTER", "MQTT-1.5.4-2", 0x81);
    const bytes = packet(0x30, "a", properties(0x03, rawString(0)));
    refused(bytes, "ERR_MQTT_CODEC_NULL_CHARACTER", "MQTT-1.5.4-2", 0x81);
  });
  test("MQTT-1.5.4-3 U+FEFF is kept", () => {
    const bytes = packet(0x30, "\ufefft", properties(0x03, "\ufeffc"));
    expect(decodeOne(bytes, fromClient5)).toMatchObject({
      topicName: "\ufefft",
      properties: { contentType: "\ufeffc" },
    });
    expect(encode(decodeOne(bytes, fromClient5), 5)).toEqual(bytes);
  });
  test("MQTT-1.5.5-1 a variable byte integer takes the fewest octets", () => {
    const clause = "MQTT-1.5.5-1";
    refused(octets(0x30, [0x84, 0x00], "a", 0), "ERR_MQTT_CODEC_REMAINING_LENGTH", clause, 0x81);
    refused(octets(0xc0, [0x80, 0x80, 0x00]), "ERR_MQTT_CODEC_REMAINING_LENGTH", clause, 0x81);
    refused(packet(0x30, "a", [0x80, 0x00]), "ERR_MQTT_CODEC_VARIABLE_BYTE_INTEGER", clause, 0x81);
    refused(packet(0x30, "a", properties([0x81, 0x00], 1)), "ERR_MQTT_CODEC_VARIABLE_BYTE_INTEGER", clause, 0x81);
    const subscription = packet(0x82, [0, 1], properties(0x0b, [0x81, 0x00]), "a", 0);
    refused(subscription, "ERR_MQTT_CODEC_VARIABLE_BYTE_INTEGER", clause, 0x81);
    refused(
      octets(0x10, [0x8e, 0x00], "MQTT", 5, 2, [0, 0], 0, "a"),
      "ERR_MQTT_CODEC_REMAINING_LENGTH",
      clause,
      0x81,
      fresh,
    );
    const largest = packet(0x82, [0, 1], properties(0x0b, [0xff, 0xff, 0xff, 0x7f]), "a", 0);
    expect(decodeOne(largest, fromClient5)).toMatchObject({ properties: { subscriptionIdentifier: 268_435_455 } });
    const tooLong = packet(0x82, [0, 1], properties(0x0b, [0xff, 0xff, 0xff, 0xff, 0x01]), "a", 0);
    refused(tooLong, "ERR_MQTT_CODEC_VARIABLE_BYTE_INTEGER", "MQTT 5.0 §1.5.5", 0x81);
  });
  test("MQTT-1.5.7-1 both strings of a pair follow the string rules", () => {
    refused(packet(0x30, "a", properties(0x26, rawString(0xff), "v")), "ERR_MQTT_CODEC_UTF8", "MQTT-1.5.4-1", 0x81);
    refused(packet(0x30, "a", properties(0x26, "n", rawString(0xff))), "ERR_MQTT_CODEC_UTF8", "MQTT-1.5.4-1", 0x81);
    for (const pair of [
      ["\ud800", "v"],
      ["n", "\u0000"],
    ] as const) {
      notEncoded({ type: "publish", topicName: "a", properties: { userProperties: [pair] } }, "ERR_MQTT_CODEC_UTF8");
    }
  });
});

describe("2 packet format", () => {
  test("MQTT-2.1.3-1 reserved flags have their one value", () => {
    for (let type = 1; type < 16; type++) {
      if (type === 3) continue;
      const options = type === 1 ? fresh : [2, 9, 11, 13].includes(type) ? fromServer5 : fromClient5;
      const right = [6, 8, 10].includes(type) ? 2 : 0;
      for (let flags = 0; flags < 16; flags++) {
        if (flags === right) continue;
        // Before CONNECT the version is not known; the number is that of 3.1.1.
        const clause = type === 1 ? "MQTT-2.2.2-2" : "MQTT-2.1.3-1";
        refused(octets((type << 4) | flags), "ERR_MQTT_CODEC_FLAGS", clause, 0x81, options);
      }
    }
  });
  test("MQTT-2.2.1-2 a QoS 0 PUBLISH has no packet identifier", () => {
    expect(decodeOne(packet(0x30, "a", none, [0, 7]), fromClient5)).toMatchObject({ packetIdentifier: 0 });
    notEncoded({ type: "publish", topicName: "a", packetIdentifier: 7 }, "ERR_MQTT_CODEC_PACKET_IDENTIFIER");
  });
  test("MQTT-2.2.1-3 MQTT-2.2.1-4 packet identifiers are not 0, whoever sends", () => {
    const [code, clause] = ["ERR_MQTT_CODEC_PACKET_IDENTIFIER", "MQTT-2.2.1-3"] as const;
    refused(packet(0x32, "a", [0, 0], none), code, clause, 0x82);
    refused(packet(0x32, "a", [0, 0], none), code, "MQTT-2.2.1-4", 0x82, fromServer5);
    refused(packet(0x82, [0, 0], none, "a", 0), code, clause, 0x82);
    refused(packet(0xa2, [0, 0], none, "a"), code, clause, 0x82);
  });
  test("MQTT-2.2.2-1 without properties a length of 0 is written", () => {
    expect(encode({ type: "publish", topicName: "a" }, 5)).toEqual(packet(0x30, "a", 0));
    expect(encode({ type: "connack" }, 5)).toEqual(packet(0x20, 0, 0, 0));
    expect(encode({ type: "unsuback", packetIdentifier: 1, reasonCodes: [0] }, 5)).toEqual(packet(0xb0, [0, 1], 0, 0));
    refused(packet(0x30, "a"), "ERR_MQTT_CODEC_TRUNCATED", "MQTT 5.0 §2.1.4", 0x81);
  });
});

describe("3.1 CONNECT", () => {
  const flags = "ERR_MQTT_CODEC_CONNECT_FLAGS";
  const truncated = "ERR_MQTT_CODEC_TRUNCATED";
  const where = "MQTT 5.0 §2.1.4";
  test("MQTT-3.1.2-1 MQTT-3.1.2-2 another protocol name or version is owed 0x84", () => {
    const fault = faultOf(packet(0x10, "MQTTX", 5, 2, [0, 0], 0, "a"), fresh);
    expect([fault.code, fault.clause, fault.reasonCode]).toEqual([
      "ERR_MQTT_CODEC_PROTOCOL_NAME",
      "MQTT-3.1.2-1",
      0x84,
    ]);
    expect(faultOf(packet(0x10, "MQTT", 6, 2, [0, 0], 0, "a"), fresh)).toMatchObject({
      reasonCode: 0x84,
      protocolVersion: 6,
    });
  });
  test("MQTT-3.1.2-3 the reserved connect flag is 0", () =>
    refused(connect(3, none, "a"), flags, "MQTT-3.1.2-3", 0x81, fresh));
  test("MQTT-3.1.2-9 Will Flag 1: will properties, topic and payload are there", () => {
    refused(connect(6, none, "a"), truncated, where, 0x81, fresh);
    refused(connect(6, none, "a", none), truncated, where, 0x81, fresh);
    refused(connect(6, none, "a", none, "w"), truncated, where, 0x81, fresh);
    const will = properties(0x18, [0, 0, 0, 9], 0x01, 1, 0x26, "n", "v");
    expect(decodeOne(connect(0x36, none, "a", will, "w", "gone"), fresh)).toMatchObject({
      will: {
        topicName: "w",
        payload: new TextEncoder().encode("gone"),
        qos: 2,
        retain: true,
        properties: { willDelayInterval: 9, payloadFormatIndicator: 1, userProperties: [["n", "v"]] },
      },
    });
  });
  test("MQTT-3.1.2-11 Will Flag 0: Will QoS is 0", () => {
    for (const qos of [0x08, 0x10, 0x18]) refused(connect(qos, none, "a"), flags, "MQTT-3.1.2-11", 0x81, fresh);
  });
  test("MQTT-3.1.2-12 Will QoS is never 3", () => {
    refused(connect(0x1c, none, "a", none, "w", ""), "ERR_MQTT_CODEC_QOS", "MQTT-3.1.2-12", 0x81, fresh);
  });
  test("MQTT-3.1.2-13 Will Flag 0: Will Retain is 0", () => {
    refused(connect(0x20, none, "a"), flags, "MQTT-3.1.2-13", 0x81, fresh);
  });
  test("MQTT-3.1.2-16 MQTT-3.1.2-18 no user name or password without its flag", () => {
    refused(connect(2, none, "a", "user"), "ERR_MQTT_CODEC_TRAILING_BYTES", where, 0x81, fresh);
  });
  test("MQTT-3.1.2-17 MQTT-3.1.2-19 with its flag each is there; a password may come alone", () => {
    refused(connect(0x80, none, "a"), truncated, where, 0x81, fresh);
    refused(connect(0x40, none, "a"), truncated, where, 0x81, fresh);
    const alone = connect(0x42, none, "a", "pw");
    expect(decodeOne(alone, fresh)).toMatchObject({ userName: undefined, password: new TextEncoder().encode("pw") });
    expect(encode(decodeOne(alone, fresh), 5)).toEqual(alone);
  });
  test("MQTT-3.1.2-24 the receiver's maximum packet size is the decoder's to hold", () => {
    const options = { ...fromServer5, maximumPacketSize: 10 };
    expect(decodeAll(packet(0x30, "abcd", none, 0), options)).toHaveLength(1);
    refused(octets(0x30, 9), "ERR_MQTT_CODEC_PACKET_TOO_LARGE", "MQTT-3.1.2-24", 0x95, options);
  });
  test("MQTT-3.1.3-1 MQTT-3.1.3-3 the order of the payload", () => {
    const bytes = connect(0xc6, none, "id", none, "topic", "message", "user", "pw");
    expect(decodeOne(bytes, fresh)).toMatchObject({
      clientIdentifier: "id",
      will: { topicName: "topic" },
      userName: "user",
      password: new TextEncoder().encode("pw"),
    });
    expect(encode(decodeOne(bytes, fresh), 5)).toEqual(bytes);
    refused(connect(2, none), truncated, where, 0x81, fresh);
  });
  test("MQTT-3.1.3-4 MQTT-3.1.3-11 MQTT-3.1.3-12 client id, will topic and user name are UTF-8", () => {
    const [code, clause] = ["ERR_MQTT_CODEC_UTF8", "MQTT-1.5.4-1"] as const;
    refused(connect(2, none, rawString(0xff)), code, clause, 0x81, fresh);
    refused(connect(6, none, "a", none, rawString(0xff), ""), code, clause, 0x81, fresh);
    refused(connect(0x82, none, "a", rawString(0xff)), code, clause, 0x81, fresh);
    refused(connect(6, none, "a", none, "w/#", ""), "ERR_MQTT_CODEC_TOPIC_NAME", "MQTT-4.7.0-1", 0x81, fresh);
  });
  test("MQTT-3.1.3-6 an empty client id is the server's to judge, also without a clean start", () => {
    expect(decodeOne(connect(0, none, ""), fresh)).toMatchObject({ clientIdentifier: "", cleanStart: false });
  });
  test("MQTT-3.1.4-1 every cut of a CONNECT is malformed", () => {
    const body = connect(2, properties(0x11, [0, 0, 0, 1]), "abc").subarray(2);
    for (let cut = 7; cut < body.length; cut++) {
      expect(faultOf(packet(0x10, body.subarray(0, cut)), fresh)).toMatchObject({ reasonCode: 0x81 });
    }
  });
});

describe("3.2 CONNACK", () => {
  test("MQTT-3.2.2-1 flags 7 to 1 are 0", () => {
    for (let flags = 2; flags < 256; flags++) {
      refused(packet(0x20, flags, 0, 0), "ERR_MQTT_CODEC_CONNACK_FLAGS", "MQTT-3.2.2-1", 0x81, fromServer5);
    }
  });
  test("MQTT-3.2.2-6 a refusal has Session Present 0", () => {
    refused(packet(0x20, 1, 0x87, 0), "ERR_MQTT_CODEC_SESSION_PRESENT", "MQTT-3.2.2-6", 0x82, fromServer5);
    notEncoded({ type: "connack", sessionPresent: true, reasonCode: 0x87 }, "ERR_MQTT_CODEC_SESSION_PRESENT");
  });
  test("MQTT-3.2.2-8 only its reason codes", () => {
    expect(acceptedCodes((code) => packet(0x20, 0, code, 0), fromServer5, "MQTT-3.2.2-8")).toEqual([
      0x00, 0x80, 0x81, 0x82, 0x83, 0x84, 0x85, 0x86, 0x87, 0x88, 0x89, 0x8a, 0x8c, 0x90, 0x95, 0x97, 0x99, 0x9a, 0x9b,
      0x9c, 0x9d, 0x9f,
    ]);
    notEncoded({ type: "connack", reasonCode: 0x8e }, "ERR_MQTT_CODEC_REASON_CODE");
  });
  test("MQTT-3.2.2-9 Maximum QoS is 0 or 1", () => {
    refused(
      packet(0x20, 0, 0, properties(0x24, 2)),
      "ERR_MQTT_CODEC_PROPERTY_VALUE",
      "MQTT-3.2.2-9",
      0x82,
      fromServer5,
    );
    notEncoded({ type: "connack", properties: { maximumQoS: 2 as 1 } }, "ERR_MQTT_CODEC_PROPERTY_VALUE");
  });
});

describe("3.3 PUBLISH", () => {
  test("MQTT-3.3.1-2 MQTT-4.3.1-1 DUP is 0 with QoS 0", () => {
    refused(packet(0x38, "a", none), "ERR_MQTT_CODEC_DUP", "MQTT-3.3.1-2", 0x81);
    notEncoded({ type: "publish", topicName: "a", dup: true }, "ERR_MQTT_CODEC_DUP");
    expect(
      refusalOf(() => preparePublish({ topicName: "a" }).encodeInto(5, { qos: 0, dup: true }, new Uint8Array(99), 0)),
    ).toBe("ERR_MQTT_CODEC_DUP");
  });
  test("MQTT-3.3.1-4 QoS 3 is malformed", () =>
    refused(packet(0x36, "a", [0, 1], none), "ERR_MQTT_CODEC_QOS", "MQTT-3.3.1-4", 0x81));
  test("MQTT-3.3.2-1 the topic name is first", () => {
    expect(decodeOne(packet(0x32, "a", [0, 1], none, 9), fromClient5)).toMatchObject({
      topicName: "a",
      packetIdentifier: 1,
      payload: Uint8Array.of(9),
    });
  });
  test("MQTT-3.3.2-2 MQTT-4.7.0-1 no wildcards in it", () => {
    for (const topicName of ["#", "a/+/b"]) {
      refused(packet(0x30, topicName, none), "ERR_MQTT_CODEC_TOPIC_NAME", "MQTT-3.3.2-2", 0x81);
      notEncoded({ type: "publish", topicName, properties: { contentType: "t" } }, "ERR_MQTT_CODEC_TOPIC_NAME");
    }
  });
  test("MQTT-3.3.2-8 topic alias 0 is owed 0x94", () => {
    refused(packet(0x30, "a", properties(0x23, [0, 0])), "ERR_MQTT_CODEC_TOPIC_ALIAS", "MQTT-3.3.2-8", 0x94);
    notEncoded({ type: "publish", topicName: "a", properties: { topicAlias: 0 } }, "ERR_MQTT_CODEC_TOPIC_ALIAS");
  });
  test("MQTT-3.3.2-13 MQTT-3.3.2-14 the response topic is a topic name", () => {
    refused(packet(0x30, "a", properties(0x08, rawString(0xff))), "ERR_MQTT_CODEC_UTF8", "MQTT-1.5.4-1", 0x81);
    for (const responseTopic of ["r/#", "+", ""]) {
      const clause = responseTopic === "" ? "MQTT-4.7.3-1" : "MQTT-3.3.2-14";
      refused(packet(0x30, "a", properties(0x08, responseTopic)), "ERR_MQTT_CODEC_TOPIC_NAME", clause, 0x81);
      notEncoded({ type: "publish", topicName: "a", properties: { responseTopic } }, "ERR_MQTT_CODEC_TOPIC_NAME");
    }
  });
  test("MQTT-3.3.2-18 user properties keep their order and their repetitions", () => {
    const userProperties = [
      ["b", "1"],
      ["a", "2"],
      ["b", "3"],
      ["", ""],
    ] as const;
    const bytes = encode({ type: "publish", topicName: "t", properties: { userProperties } }, 5);
    expect(decodeOne(bytes, fromClient5)).toMatchObject({ properties: { userProperties } });
  });
  test("MQTT-3.3.2-19 the content type is UTF-8", () => {
    refused(packet(0x30, "a", properties(0x03, rawString(0xc3))), "ERR_MQTT_CODEC_UTF8", "MQTT-1.5.4-1", 0x81);
  });
  test("MQTT-3.3.4-6 a client's PUBLISH has no subscription identifier", () => {
    const bytes = packet(0x30, "a", properties(0x0b, 1, 0x0b, 2));
    refused(bytes, "ERR_MQTT_CODEC_PROPERTY_NOT_ALLOWED", "MQTT-3.3.4-6", 0x82);
    expect(decodeOne(bytes, fromServer5)).toMatchObject({ properties: { subscriptionIdentifiers: [1, 2] } });
    const zero = packet(0x30, "a", properties(0x0b, 0));
    refused(zero, "ERR_MQTT_CODEC_PROPERTY_VALUE", "MQTT 5.0 §3.3.2.3.8", 0x82, fromServer5);
  });
  test("MQTT-4.7.3-1 an empty topic name needs a topic alias", () => {
    refused(packet(0x30, "", none), "ERR_MQTT_CODEC_TOPIC_NAME", "MQTT-4.7.3-1", 0x82);
    const bytes = packet(0x30, "", properties(0x23, [0, 5]), 1);
    expect(decodeOne(bytes, fromClient5)).toMatchObject({ topicName: "", properties: { topicAlias: 5 } });
    expect(encode(decodeOne(bytes, fromClient5), 5)).toEqual(bytes);
    notEncoded({ type: "publish", topicName: "" }, "ERR_MQTT_CODEC_TOPIC_NAME");
  });
});

describe("3.4 to 3.7 acknowledgements", () => {
  const puback = [0x00, 0x10, 0x80, 0x83, 0x87, 0x90, 0x91, 0x97, 0x99];
  for (const [type, first, statement, codes] of [
    ["puback", 0x40, "MQTT-3.4.2-1", puback],
    ["pubrec", 0x50, "MQTT-3.5.2-1", puback],
    ["pubrel", 0x62, "MQTT-3.6.2-1", [0x00, 0x92]],
    ["pubcomp", 0x70, "MQTT-3.7.2-1", [0x00, 0x92]],
  ] as const) {
    test(`${statement} ${type} has its reason codes alone`, () => {
      expect(acceptedCodes((code) => packet(first, [0, 1], code), fromClient5, statement)).toEqual(codes);
      notEncoded({ type, packetIdentifier: 1, reasonCode: 0x8e }, "ERR_MQTT_CODEC_REASON_CODE");
    });
    test(`§3.4.2.1 ${type} of 2, 3 and more octets`, () => {
      const [two, three] = [packet(first, [0, 1]), packet(first, [0, 1], 0x00)];
      const four = packet(first, [0, 1], 0x00, 0);
      for (const bytes of [two, three, four]) {
        expect(decodeOne(bytes, fromClient5)).toEqual({
          type,
          packetIdentifier: 1,
          reasonCode: 0,
          properties: undefined,
        });
      }
      const full = packet(first, [0, 1], codes[1], properties(0x1f, "why", 0x26, "n", "v"));
      expect(decodeOne(full, fromClient5)).toEqual({
        type,
        packetIdentifier: 1,
        reasonCode: codes[1],
        properties: { reasonString: "why", userProperties: [["n", "v"]] },
      });
      expect(encode({ type, packetIdentifier: 1 }, 5)).toEqual(two);
      expect(encode({ type, packetIdentifier: 1, reasonCode: codes[1] }, 5)).toEqual(packet(first, [0, 1], codes[1]));
      expect(encode(decodeOne(full, fromClient5), 5)).toEqual(full);
      refused(packet(first, [0, 1], 0, 0, 0), "ERR_MQTT_CODEC_TRAILING_BYTES", "MQTT 5.0 §2.1.4", 0x81);
      refused(packet(first, [0]), "ERR_MQTT_CODEC_TRUNCATED", "MQTT 5.0 §2.1.4", 0x81);
    });
  }
  test("MQTT-3.6.1-1 MQTT-3.8.1-1 MQTT-3.10.1-1 PUBREL, SUBSCRIBE and UNSUBSCRIBE have flags 0010", () => {
    for (const first of [0x60, 0x80, 0xa0]) refused(octets(first), "ERR_MQTT_CODEC_FLAGS", "MQTT-2.1.3-1", 0x81);
  });
});

describe("3.8 to 3.11 subscriptions", () => {
  const subscribe = (topicFilter: string, options: number): Uint8Array =>
    packet(0x82, [0, 1], none, topicFilter, options);
  test("MQTT-3.8.3-1 MQTT-3.10.3-1 topic filters are UTF-8", () => {
    refused(packet(0x82, [0, 1], none, rawString(0xff), 0), "ERR_MQTT_CODEC_UTF8", "MQTT-1.5.4-1", 0x81);
    refused(packet(0xa2, [0, 1], none, rawString(0xff)), "ERR_MQTT_CODEC_UTF8", "MQTT-1.5.4-1", 0x81);
  });
  test("MQTT-3.8.3-2 MQTT-3.10.3-2 at least one topic filter, else a protocol error", () => {
    refused(packet(0x82, [0, 1], none), "ERR_MQTT_CODEC_NO_TOPIC_FILTER", "MQTT-3.8.3-2", 0x82);
    refused(packet(0xa2, [0, 1], none), "ERR_MQTT_CODEC_NO_TOPIC_FILTER", "MQTT-3.10.3-2", 0x82);
  });
  test("MQTT-3.8.3-4 No Local on a shared subscription is a protocol error", () => {
    refused(subscribe("$share/g/a", 0x04), "ERR_MQTT_CODEC_NO_LOCAL_SHARED", "MQTT-3.8.3-4", 0x82);
    const subscriptions = [{ topicFilter: "$share/g/a", noLocal: true }];
    notEncoded({ type: "subscribe", packetIdentifier: 1, subscriptions }, "ERR_MQTT_CODEC_NO_LOCAL_SHARED");
  });
  test("MQTT-3.8.3-5 option bits 6 and 7 are 0; QoS 3 and retain handling 3 are protocol errors", () => {
    for (const bit of [0x40, 0x80, 0xc0]) {
      refused(subscribe("a", bit), "ERR_MQTT_CODEC_SUBSCRIPTION_OPTIONS", "MQTT-3.8.3-5", 0x81);
    }
    refused(subscribe("a", 0x03), "ERR_MQTT_CODEC_QOS", "MQTT 5.0 §3.8.3.1", 0x82);
    refused(subscribe("a", 0x30), "ERR_MQTT_CODEC_RETAIN_HANDLING", "MQTT 5.0 §3.8.3.1", 0x82);
    expect(decodeOne(subscribe("a", 0x2e), fromClient5)).toMatchObject({
      subscriptions: [{ topicFilter: "a", qos: 2, noLocal: true, retainAsPublished: true, retainHandling: 2 }],
    });
    expect(encode(decodeOne(subscribe("a", 0x2e), fromClient5), 5)).toEqual(subscribe("a", 0x2e));
    const subscriptions = [{ topicFilter: "a", retainHandling: 3 as 2 }];
    notEncoded({ type: "subscribe", packetIdentifier: 1, subscriptions }, "ERR_MQTT_CODEC_RETAIN_HANDLING");
  });
  test("MQTT-3.9.3-2 SUBACK has its reason codes alone", () => {
    expect(acceptedCodes((code) => packet(0x90, [0, 1], none, code), fromServer5, "MQTT-3.9.3-2")).toEqual([
      0x00, 0x01, 0x02, 0x80, 0x83, 0x87, 0x8f, 0x91, 0x97, 0x9e, 0xa1, 0xa2,
    ]);
  });
  test("MQTT-3.11.3-2 UNSUBACK has its reason codes alone", () => {
    expect(acceptedCodes((code) => packet(0xb0, [0, 1], none, code), fromServer5, "MQTT-3.11.3-2")).toEqual([
      0x00, 0x11, 0x80, 0x83, 0x87, 0x8f, 0x91,
    ]);
    refused(packet(0xb0, [0, 1], none), "ERR_MQTT_CODEC_NO_TOPIC_FILTER", "MQTT-3.11.3-2", 0x82, fromServer5);
  });
  test("MQTT-4.7.1-1 MQTT-4.7.1-2 wildcards fill their level, # is last", () => {
    for (const wrong of ["a#", "#/a"])
      refused(subscribe(wrong, 0), "ERR_MQTT_CODEC_TOPIC_FILTER", "MQTT-4.7.1-1", 0x81);
    for (const wrong of ["a+", "+a"]) refused(subscribe(wrong, 0), "ERR_MQTT_CODEC_TOPIC_FILTER", "MQTT-4.7.1-2", 0x81);
  });
  test("MQTT-4.7.3-1 MQTT-4.7.3-2 MQTT-4.7.3-3 the text of a filter", () => {
    refused(subscribe("", 0), "ERR_MQTT_CODEC_TOPIC_FILTER", "MQTT-4.7.3-1", 0x81);
    expect(validateTopicFilter("a\u0000")).toMatchObject({ ok: false, clause: "MQTT-4.7.3-2" });
    expect(validateTopicFilter("a".repeat(65_536))).toMatchObject({ ok: false, clause: "MQTT-4.7.3-3" });
    expect(validateTopicFilter("a".repeat(65_535))).toEqual({ ok: true });
  });
  test("MQTT-4.8.2-1 a share name has a character", () => {
    refused(subscribe("$share//a", 0), "ERR_MQTT_CODEC_TOPIC_FILTER", "MQTT-4.8.2-1", 0x81);
    refused(subscribe("$share/", 0), "ERR_MQTT_CODEC_TOPIC_FILTER", "MQTT-4.8.2-1", 0x81);
    expect(parseTopicFilter("$share/g/a/+")).toMatchObject({ shareName: "g", topicFilter: "a/+" });
  });
  test("MQTT-4.8.2-2 a share name has no wildcard and a filter follows", () => {
    for (const wrong of ["$share/+/a", "$share/g#/a", "$share/g", "$share/g/"]) {
      refused(subscribe(wrong, 0), "ERR_MQTT_CODEC_TOPIC_FILTER", "MQTT-4.8.2-2", 0x81);
    }
    refused(subscribe("$share/g/a#", 0), "ERR_MQTT_CODEC_TOPIC_FILTER", "MQTT-4.7.1-1", 0x81);
    expect(decodeAll(subscribe("$share/g//", 0), fromClient5)).toHaveLength(1);
  });
});

describe("3.14 DISCONNECT, 3.15 AUTH", () => {
  const both = [0x00, 0x80, 0x81, 0x82, 0x83, 0x90, 0x93, 0x94, 0x95, 0x96, 0x97, 0x98, 0x99];
  test("MQTT-3.14.1-1 DISCONNECT has flags 0", () =>
    refused(octets(0xe8), "ERR_MQTT_CODEC_FLAGS", "MQTT-2.1.3-1", 0x81));
  test("MQTT-3.14.2-1 DISCONNECT has the reason codes of its side", () => {
    const client = [...both, 0x04].sort((a, b) => a - b);
    const server = [...both, 0x87, 0x89, 0x8b, 0x8d, 0x8e, 0x8f, 0x9a, 0x9b, 0x9c, 0x9d, 0x9e, 0x9f, 0xa0, 0xa1, 0xa2];
    expect(acceptedCodes((code) => packet(0xe0, code), fromClient5, "MQTT-3.14.2-1")).toEqual(client);
    expect(acceptedCodes((code) => packet(0xe0, code), fromServer5, "MQTT-3.14.2-1")).toEqual(
      server.sort((a, b) => a - b),
    );
    notEncoded({ type: "disconnect", reasonCode: 0x01 }, "ERR_MQTT_CODEC_REASON_CODE");
  });
  test("MQTT-3.14.2-2 a server sends no session expiry interval, a client no server reference", () => {
    const code = "ERR_MQTT_CODEC_PROPERTY_NOT_ALLOWED";
    const expiry = packet(0xe0, 0, properties(0x11, [0, 0, 0, 1]));
    const reference = packet(0xe0, 0x9d, properties(0x1c, "other"));
    refused(expiry, code, "MQTT-3.14.2-2", 0x82, fromServer5);
    expect(decodeOne(expiry, fromClient5)).toMatchObject({ properties: { sessionExpiryInterval: 1 } });
    expect(decodeOne(reference, fromServer5)).toMatchObject({ properties: { serverReference: "other" } });
    refused(packet(0xe0, 0, properties(0x1c, "other")), code, "MQTT 5.0 §3.14.2.2.5", 0x82);
  });
  test("§3.14.2.1 DISCONNECT of 0, 1 and 2 octets", () => {
    const plain = { type: "disconnect", reasonCode: 0, properties: undefined };
    for (const bytes of [packet(0xe0), packet(0xe0, 0), packet(0xe0, 0, 0)])
      expect(decodeOne(bytes, fromClient5)).toEqual(plain);
    expect(encode({ type: "disconnect" }, 5)).toEqual(packet(0xe0));
    expect(encode({ type: "disconnect", reasonCode: ReasonCode.disconnectWithWillMessage }, 5)).toEqual(
      packet(0xe0, 4),
    );
  });
  test("MQTT-3.15.1-1 AUTH has flags 0", () => refused(octets(0xf1), "ERR_MQTT_CODEC_FLAGS", "MQTT-2.1.3-1", 0x81));
  test("MQTT-3.15.2-1 AUTH has the reason codes of its side", () => {
    const auth = (code: number): Uint8Array => packet(0xf0, code, properties(0x15, "m"));
    expect(acceptedCodes(auth, fromClient5, "MQTT-3.15.2-1")).toEqual([0x18, 0x19]);
    expect(acceptedCodes(auth, fromServer5, "MQTT-3.15.2-1")).toEqual([0x00, 0x18]);
    expect(decodeOne(packet(0xf0), fromServer5)).toEqual({ type: "auth", reasonCode: 0, properties: undefined });
    refused(packet(0xf0), "ERR_MQTT_CODEC_REASON_CODE", "MQTT-3.15.2-1", 0x81);
  });
  test("MQTT-4.12.0-5 AUTH carries the authentication method", () => {
    const [code, clause] = ["ERR_MQTT_CODEC_PROPERTY_MISSING", "MQTT 5.0 §3.15.2.2.2"] as const;
    refused(packet(0xf0, 0x18, none), code, clause, 0x82);
    refused(packet(0xf0, 0x18, properties(0x16, "data")), code, clause, 0x82);
    notEncoded({ type: "auth", reasonCode: 0x18 }, code);
  });
  test("authentication data needs a method in CONNECT and CONNACK too", () => {
    const data = properties(0x16, "data");
    refused(connect(2, data, "a"), "ERR_MQTT_CODEC_PROPERTY_MISSING", "MQTT 5.0 §3.1.2.11.10", 0x82, fresh);
    refused(packet(0x20, 0, 0, data), "ERR_MQTT_CODEC_PROPERTY_MISSING", "MQTT 5.0 §3.2.2.3.18", 0x82, fromServer5);
  });
  test("MQTT-6.0.0-2 frames and packets need not be aligned", () => {
    const bytes = octets(
      connect(2, properties(0x21, [0, 9]), "a"),
      packet(0x30, "a", none, 1),
      packet(0xc0),
      packet(0xe0, 4),
    );
    for (let cut = 0; cut <= bytes.length; cut++) {
      const decoder = new PacketDecoder(fresh);
      decoder.push(bytes.subarray(0, cut));
      const packets = drain(decoder);
      decoder.push(bytes.subarray(cut));
      packets.push(...drain(decoder));
      expect(packets.map(({ type }) => type)).toEqual(["connect", "publish", "pingreq", "disconnect"]);
    }
  });
  test("an empty payload stays an empty view", () => {
    expect(decodeOne(packet(0x30, "a", none), fromClient5)).toMatchObject({ payload });
  });
});
