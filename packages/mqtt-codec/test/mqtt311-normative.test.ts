/** One test for each statement of MQTT 3.1.1 that a codec decides, named by its number. */

import { describe, expect, test } from "vitest";
import {
  encode,
  type EncodablePacket,
  matchesTopicFilter,
  type MqttCodecErrorCode,
  type MqttEncodeErrorCode,
  PacketDecoder,
  validateTopicFilter,
  validateTopicName,
} from "../src/index.ts";
import {
  decodeAll,
  decodeOne,
  drain,
  faultOf,
  fresh,
  fromClient4,
  fromServer4,
  octets,
  packet,
  type Part,
  rawString,
  refusalOf,
} from "./wire.ts";

const payload = new Uint8Array(0);

/** CONNECT with these flags and payload. */
function connect(flags: number, ...fields: readonly Part[]): Uint8Array {
  return packet(0x10, "MQTT", 4, flags, [0, 60], ...fields);
}

/** The statement's code, its clause and the reason code where it is worth a look. */
function refused(bytes: Uint8Array, code: MqttCodecErrorCode, clause: string, options = fromClient4): void {
  const fault = faultOf(bytes, options);
  expect([fault.code, fault.clause]).toEqual([code, clause]);
}

function notEncoded(value: EncodablePacket, code: MqttEncodeErrorCode): void {
  expect(refusalOf(() => encode(value, 4))).toBe(code);
}

describe("1.5 data representation", () => {
  const illFormed: Record<string, number[]> = {
    "overlong two octets": [0xc0, 0xaf],
    "overlong three octets": [0xe0, 0x9f, 0xbf],
    "overlong four octets": [0xf0, 0x8f, 0xbf, 0xbf],
    "lowest surrogate": [0xed, 0xa0, 0x80],
    "highest surrogate": [0xed, 0xbf, 0xbf],
    "surrogate pair": [0xed, 0xa0, 0xb4, 0xed, 0xb4, 0x9e],
    "above U+10FFFF": [0xf4, 0x90, 0x80, 0x80],
    "lead F5": [0xf5, 0x80, 0x80, 0x80],
    "lone continuation": [0x80],
    "cut off": [0xe2, 0x82],
    "second octet missing": [0xc3, 0x28],
    "third octet wrong": [0xe2, 0x82, 0x28],
    FE: [0xfe],
  };
  for (const [name, raw] of Object.entries(illFormed)) {
    test(`MQTT-1.5.3-1 ill-formed UTF-8 is refused: ${name}`, () => {
      const bytes = packet(0x30, rawString(0x61, ...raw));
      refused(bytes, "ERR_MQTT_CODEC_UTF8", "MQTT-1.5.3-1");
      expect(faultOf(bytes, fromClient4).offset).toBeGreaterThanOrEqual(5);
      refused(packet(0x82, [0, 1], rawString(...raw), 0), "ERR_MQTT_CODEC_UTF8", "MQTT-1.5.3-1");
    });
  }

  test("MQTT-1.5.3-1 the borders of well-formed UTF-8 pass", () => {
    for (const topicName of [
      "\u007f",
      "\u0080",
      "\u07ff",
      "\u0800",
      "\ud7ff",
      "\ue000",
      "\uffff",
      "\u{10000}",
      "\u{10ffff}",
    ]) {
      expect(decodeOne(packet(0x30, topicName), fromClient4)).toMatchObject({ topicName });
      expect(encode({ type: "publish", topicName }, 4)).toEqual(packet(0x30, topicName));
    }
  });

  test("MQTT-1.5.3-1 a lone surrogate is not encoded", () => {
    for (const topicName of ["\ud800", "a\udfff", "\ud834a"]) {
      notEncoded({ type: "publish", topicName }, "ERR_MQTT_CODEC_UTF8");
    }
  });

  test("MQTT-1.5.3-2 U+0000 is refused", () => {
    refused(packet(0x30, rawString(0x61, 0, 0x62)), "ERR_MQTT_CODEC_NULL_CHARACTER", "MQTT-1.5.3-2");
    refused(connect(2, rawString(0)), "ERR_MQTT_CODEC_NULL_CHARACTER", "MQTT-1.5.3-2", fresh);
    notEncoded({ type: "publish", topicName: "a\u0000" }, "ERR_MQTT_CODEC_UTF8");
  });

  test("MQTT-1.5.3-3 U+FEFF is kept, at the beginning too", () => {
    const bytes = packet(0x30, rawString(0xef, 0xbb, 0xbf, 0x61));
    expect(decodeOne(bytes, fromClient4)).toMatchObject({ topicName: "\ufeffa" });
    expect(encode({ type: "publish", topicName: "\ufeffa" }, 4)).toEqual(bytes);
  });
});

describe("2 packet format", () => {
  test("MQTT-2.2.2-1 MQTT-2.2.2-2 reserved flags have their one value", () => {
    const right = new Map([
      [1, 0],
      [2, 0],
      [4, 0],
      [5, 0],
      [6, 2],
      [7, 0],
      [8, 2],
      [9, 0],
      [10, 2],
      [11, 0],
      [12, 0],
      [13, 0],
      [14, 0],
    ]);
    for (const [type, flags] of right) {
      const isServer = [2, 9, 11, 13].includes(type);
      const options = type === 1 ? fresh : isServer ? fromServer4 : fromClient4;
      for (let wrong = 0; wrong < 16; wrong++) {
        if (wrong === flags) continue;
        refused(octets((type << 4) | wrong, 0), "ERR_MQTT_CODEC_FLAGS", "MQTT-2.2.2-2", options);
      }
    }
  });

  test("MQTT-2.3.1-1 packet identifiers are there and not 0", () => {
    const code = "ERR_MQTT_CODEC_PACKET_IDENTIFIER";
    refused(packet(0x32, "a", [0, 0]), code, "MQTT-2.3.1-1");
    refused(packet(0x34, "a", [0, 0]), code, "MQTT-2.3.1-1");
    refused(packet(0x82, [0, 0], "a", 0), code, "MQTT-2.3.1-1");
    refused(packet(0xa2, [0, 0], "a"), code, "MQTT-2.3.1-1");
    refused(packet(0x32, "a"), "ERR_MQTT_CODEC_TRUNCATED", "MQTT 3.1.1 §2.2.3");
    for (const packetIdentifier of [0, 65_536, 1.5, -1, Number.NaN]) {
      notEncoded({ type: "publish", topicName: "a", qos: 1, packetIdentifier }, code);
      notEncoded({ type: "subscribe", packetIdentifier, subscriptions: [{ topicFilter: "a" }] }, code);
      notEncoded({ type: "unsubscribe", packetIdentifier, topicFilters: ["a"] }, code);
    }
  });

  test("MQTT-2.3.1-5 a QoS 0 PUBLISH has no packet identifier", () => {
    expect(decodeOne(packet(0x30, "a", [0, 7]), fromClient4)).toMatchObject({
      packetIdentifier: 0,
      payload: Uint8Array.of(0, 7),
    });
    notEncoded({ type: "publish", topicName: "a", qos: 0, packetIdentifier: 7 }, "ERR_MQTT_CODEC_PACKET_IDENTIFIER");
  });

  test("MQTT-2.3.1-6 acknowledgements carry a packet identifier", () => {
    for (const [type, first] of [
      ["puback", 0x40],
      ["pubrec", 0x50],
      ["pubrel", 0x62],
      ["pubcomp", 0x70],
    ] as const) {
      expect(decodeOne(packet(first, [0x12, 0x34]), fromClient4)).toMatchObject({ type, packetIdentifier: 0x1234 });
      expect(encode({ type, packetIdentifier: 0x1234 }, 4)).toEqual(packet(first, [0x12, 0x34]));
      refused(packet(first, [0, 0]), "ERR_MQTT_CODEC_PACKET_IDENTIFIER", "MQTT-2.3.1-6");
      notEncoded({ type, packetIdentifier: 0 }, "ERR_MQTT_CODEC_PACKET_IDENTIFIER");
    }
  });
});

describe("3.1 CONNECT", () => {
  test("MQTT-3.1.0-1 the first packet is CONNECT, judged on its first octet", () => {
    for (const first of [0x30, 0x40, 0x82, 0xc0, 0xe0]) {
      refused(octets(first), "ERR_MQTT_CODEC_FIRST_PACKET", "MQTT-3.1.0-1", fresh);
    }
  });

  test("MQTT-3.1.0-2 a second CONNECT is refused", () => {
    const bytes = octets(connect(2, "a"), connect(2, "a"));
    refused(bytes, "ERR_MQTT_CODEC_SECOND_CONNECT", "MQTT-3.1.0-2", fresh);
    expect(faultOf(bytes, fresh).packetOffset).toBe(connect(2, "a").length);
  });

  test("MQTT-3.1.2-1 another protocol name is refused without a CONNACK", () => {
    for (const name of ["mqtt", "MQTt", "", "MQTT2", "HTTP"]) {
      const fault = faultOf(packet(0x10, name, 4, 2, [0, 0], "a"), fresh);
      expect(fault).toMatchObject({
        code: "ERR_MQTT_CODEC_PROTOCOL_NAME",
        clause: "MQTT-3.1.2-1",
        reasonCode: 0x84,
        connackReturnCode: undefined,
      });
    }
  });

  test("MQTT-3.1.2-2 another level is refused with return code 0x01, MQIsdp of 3.1 included", () => {
    for (const [name, level] of [
      ["MQTT", 3],
      ["MQTT", 6],
      ["MQTT", 0],
      ["MQTT", 0x84],
      ["MQIsdp", 3],
      ["MQIsdp", 4],
    ] as const) {
      const fault = faultOf(packet(0x10, name, level, 2, [0, 0], "a"), fresh);
      expect(fault).toMatchObject({
        code: "ERR_MQTT_CODEC_PROTOCOL_VERSION",
        clause: "MQTT-3.1.2-2",
        reasonCode: 0x84,
        connackReturnCode: 0x01,
        protocolVersion: level,
      });
    }
  });

  const flags = "ERR_MQTT_CODEC_CONNECT_FLAGS";
  test("MQTT-3.1.2-3 the reserved connect flag is 0", () => refused(connect(3, "a"), flags, "MQTT-3.1.2-3", fresh));
  test("MQTT-3.1.2-9 Will Flag 1: topic and message are there", () => {
    const truncated = "ERR_MQTT_CODEC_TRUNCATED";
    refused(connect(0x06, "a"), truncated, "MQTT 3.1.1 §2.2.3", fresh);
    refused(connect(0x06, "a", "will"), truncated, "MQTT 3.1.1 §2.2.3", fresh);
    expect(decodeOne(connect(0x2e, "a", "will", "gone"), fresh)).toMatchObject({
      will: { topicName: "will", payload: new TextEncoder().encode("gone"), qos: 1, retain: true },
    });
  });
  test("MQTT-3.1.2-11 Will Flag 0: no will fields follow", () => {
    refused(connect(0x02, "a", "will", "gone"), "ERR_MQTT_CODEC_TRAILING_BYTES", "MQTT 3.1.1 §2.2.3", fresh);
  });
  test("MQTT-3.1.2-13 Will Flag 0: Will QoS is 0", () => {
    for (const qos of [0x08, 0x10, 0x18]) refused(connect(2 | qos, "a"), flags, "MQTT-3.1.2-13", fresh);
  });
  test("MQTT-3.1.2-14 Will QoS is never 3", () => {
    refused(connect(0x1e, "a", "will", ""), "ERR_MQTT_CODEC_QOS", "MQTT-3.1.2-14", fresh);
    const will = { topicName: "w", payload, qos: 3 as 2 };
    notEncoded({ type: "connect", clientIdentifier: "a", will }, "ERR_MQTT_CODEC_QOS");
  });
  test("MQTT-3.1.2-15 Will Flag 0: Will Retain is 0", () => refused(connect(0x22, "a"), flags, "MQTT-3.1.2-15", fresh));
  test("MQTT-3.1.2-18 MQTT-3.1.2-20 no user name or password without its flag", () => {
    refused(connect(2, "a", "user"), "ERR_MQTT_CODEC_TRAILING_BYTES", "MQTT 3.1.1 §2.2.3", fresh);
    refused(connect(0x82, "a", "user", "pw"), "ERR_MQTT_CODEC_TRAILING_BYTES", "MQTT 3.1.1 §2.2.3", fresh);
  });
  test("MQTT-3.1.2-19 MQTT-3.1.2-21 with its flag each is there", () => {
    refused(connect(0x82, "a"), "ERR_MQTT_CODEC_TRUNCATED", "MQTT 3.1.1 §2.2.3", fresh);
    refused(connect(0xc2, "a", "user"), "ERR_MQTT_CODEC_TRUNCATED", "MQTT 3.1.1 §2.2.3", fresh);
    expect(decodeOne(connect(0xc2, "a", "user", "pw"), fresh)).toMatchObject({
      userName: "user",
      password: new TextEncoder().encode("pw"),
    });
  });
  test("MQTT-3.1.2-22 no password without a user name", () => {
    refused(connect(0x42, "a", "pw"), flags, "MQTT-3.1.2-22", fresh);
    notEncoded({ type: "connect", clientIdentifier: "a", password: payload }, flags);
  });
  test("MQTT-3.1.3-1 MQTT-3.1.3-3 client id first, then will topic, will message, user name, password", () => {
    expect(decodeOne(connect(0xc6, "id", "topic", "message", "user", "pw"), fresh)).toMatchObject({
      clientIdentifier: "id",
      will: { topicName: "topic", payload: new TextEncoder().encode("message") },
      userName: "user",
      password: new TextEncoder().encode("pw"),
    });
    refused(connect(2), "ERR_MQTT_CODEC_TRUNCATED", "MQTT 3.1.1 §2.2.3", fresh);
  });
  test("MQTT-3.1.3-4 MQTT-3.1.3-10 MQTT-3.1.3-11 client id, will topic and user name are UTF-8", () => {
    const code = "ERR_MQTT_CODEC_UTF8";
    refused(connect(2, rawString(0xff)), code, "MQTT-1.5.3-1", fresh);
    refused(connect(6, "a", rawString(0xff), ""), code, "MQTT-1.5.3-1", fresh);
    refused(connect(0x82, "a", rawString(0xff)), code, "MQTT-1.5.3-1", fresh);
  });
  test("MQTT-3.1.3-10 the will topic is a topic name", () => {
    for (const topicName of ["", "a/+", "#"]) {
      const clause = topicName === "" ? "MQTT-4.7.3-1" : "MQTT-4.7.1-1";
      refused(connect(6, "a", topicName, ""), "ERR_MQTT_CODEC_TOPIC_NAME", clause, fresh);
      const will = { topicName, payload };
      notEncoded({ type: "connect", clientIdentifier: "a", will }, "ERR_MQTT_CODEC_TOPIC_NAME");
    }
  });
  test("MQTT-3.1.3-7 MQTT-3.1.3-8 an empty client id needs a clean session, else return code 0x02", () => {
    const fault = faultOf(connect(0, ""), fresh);
    expect(fault).toMatchObject({
      code: "ERR_MQTT_CODEC_CLIENT_IDENTIFIER",
      clause: "MQTT-3.1.3-8",
      connackReturnCode: 0x02,
    });
    notEncoded({ type: "connect", clientIdentifier: "", cleanStart: false }, "ERR_MQTT_CODEC_CLIENT_IDENTIFIER");
    expect(decodeOne(connect(2, ""), fresh)).toMatchObject({ clientIdentifier: "", cleanStart: true });
  });
  test("MQTT-3.1.4-1 a CONNECT of another form is refused without a CONNACK", () => {
    for (let cut = 2; cut < connect(2, "abc").length; cut++) {
      const body = connect(2, "abc").subarray(2, cut);
      expect(faultOf(packet(0x10, body), fresh)).toMatchObject({
        code: "ERR_MQTT_CODEC_TRUNCATED",
        reasonCode: 0x81,
        connackReturnCode: undefined,
      });
    }
  });
});

describe("3.2 to 3.14", () => {
  test("MQTT-3.2.2-4 a refusal has Session Present 0", () => {
    refused(packet(0x20, 1, 5), "ERR_MQTT_CODEC_SESSION_PRESENT", "MQTT-3.2.2-4", fromServer4);
    notEncoded({ type: "connack", sessionPresent: true, reasonCode: 5 }, "ERR_MQTT_CODEC_SESSION_PRESENT");
    expect(decodeOne(packet(0x20, 1, 0), fromServer4)).toMatchObject({ sessionPresent: true, reasonCode: 0 });
  });
  test("CONNACK has return codes 0 to 5 and no other flag", () => {
    for (let code = 0; code <= 5; code++) {
      expect(decodeOne(packet(0x20, 0, code), fromServer4)).toMatchObject({ reasonCode: code });
    }
    refused(packet(0x20, 0, 6), "ERR_MQTT_CODEC_REASON_CODE", "MQTT 3.1.1 §3.2.2.3", fromServer4);
    refused(packet(0x20, 2, 0), "ERR_MQTT_CODEC_CONNACK_FLAGS", "MQTT 3.1.1 §3.2.2.1", fromServer4);
  });
  test("MQTT-3.3.1-2 MQTT-4.3.1-1 DUP is 0 with QoS 0", () => {
    refused(packet(0x38, "a"), "ERR_MQTT_CODEC_DUP", "MQTT-3.3.1-2");
    notEncoded({ type: "publish", topicName: "a", dup: true }, "ERR_MQTT_CODEC_DUP");
  });
  test("MQTT-3.3.1-4 QoS 3 is refused", () => {
    for (const first of [0x36, 0x37, 0x3e, 0x3f])
      refused(packet(first, "a", [0, 1]), "ERR_MQTT_CODEC_QOS", "MQTT-3.3.1-4");
    notEncoded({ type: "publish", topicName: "a", qos: 3 as 2, packetIdentifier: 1 }, "ERR_MQTT_CODEC_QOS");
  });
  test("MQTT-3.3.2-1 the topic name comes first", () => {
    expect(decodeOne(packet(0x32, "a/b", [0, 1], 9), fromClient4)).toMatchObject({
      topicName: "a/b",
      packetIdentifier: 1,
      payload: Uint8Array.of(9),
    });
    refused(packet(0x30), "ERR_MQTT_CODEC_TRUNCATED", "MQTT 3.1.1 §2.2.3");
  });
  test("MQTT-3.3.2-2 MQTT-4.7.1-1 no wildcards in a topic name", () => {
    for (const topicName of ["#", "+", "a/#", "a+", "abcd#", "abcdefg+hijk", "é/+"]) {
      refused(packet(0x30, topicName), "ERR_MQTT_CODEC_TOPIC_NAME", "MQTT-3.3.2-2");
      notEncoded({ type: "publish", topicName }, "ERR_MQTT_CODEC_TOPIC_NAME");
      expect(validateTopicName(topicName)).toMatchObject({ ok: false, fault: "wildcard-in-name" });
    }
    expect(faultOf(packet(0x30, "abcdefg+hijk"), fromClient4).offset).toBe(4 + 7);
  });
  test("MQTT-3.6.1-1 MQTT-3.8.1-1 MQTT-3.10.1-1 PUBREL, SUBSCRIBE and UNSUBSCRIBE have flags 0010", () => {
    for (const first of [0x60, 0x80, 0xa0]) refused(octets(first), "ERR_MQTT_CODEC_FLAGS", "MQTT-2.2.2-2");
  });
  test("MQTT-3.14.1-1 DISCONNECT has flags 0", () => refused(octets(0xe1), "ERR_MQTT_CODEC_FLAGS", "MQTT-2.2.2-2"));
  test("MQTT-3.8.3-1 MQTT-3.10.3-1 topic filters are UTF-8", () => {
    refused(packet(0x82, [0, 1], rawString(0xff), 0), "ERR_MQTT_CODEC_UTF8", "MQTT-1.5.3-1");
    refused(packet(0xa2, [0, 1], rawString(0xff)), "ERR_MQTT_CODEC_UTF8", "MQTT-1.5.3-1");
  });
  test("MQTT-3.8.3-3 SUBSCRIBE has a topic filter", () => {
    refused(packet(0x82, [0, 1]), "ERR_MQTT_CODEC_NO_TOPIC_FILTER", "MQTT-3.8.3-3");
    refused(packet(0x82, [0, 1], "a"), "ERR_MQTT_CODEC_TRUNCATED", "MQTT 3.1.1 §2.2.3");
    notEncoded({ type: "subscribe", packetIdentifier: 1, subscriptions: [] }, "ERR_MQTT_CODEC_NO_TOPIC_FILTER");
  });
  test("MQTT-3-8.3-4 the QoS octet is 0, 1 or 2", () => {
    for (let octet = 3; octet < 256; octet++) {
      const code = octet === 3 ? "ERR_MQTT_CODEC_QOS" : "ERR_MQTT_CODEC_SUBSCRIPTION_OPTIONS";
      const fault = faultOf(packet(0x82, [0, 1], "a", octet), fromClient4);
      expect([fault.code, fault.clause]).toEqual([code, "MQTT-3-8.3-4"]);
    }
    const subscriptions = [{ topicFilter: "a", qos: 3 as 2 }];
    notEncoded({ type: "subscribe", packetIdentifier: 1, subscriptions }, "ERR_MQTT_CODEC_QOS");
    const options5 = [{ topicFilter: "a", noLocal: true }];
    notEncoded({ type: "subscribe", packetIdentifier: 1, subscriptions: options5 }, "ERR_MQTT_CODEC_VERSION_FIELD");
  });
  test("MQTT-3.9.3-2 SUBACK has return codes 0x00, 0x01, 0x02 and 0x80 alone", () => {
    const all = Array.from({ length: 256 }, (_, code) => code);
    const accepted = all.filter((code) => {
      try {
        return decodeAll(packet(0x90, [0, 1], code), fromServer4).length === 1;
      } catch {
        expect(faultOf(packet(0x90, [0, 1], code), fromServer4).clause).toBe("MQTT-3.9.3-2");
        return false;
      }
    });
    expect(accepted).toEqual([0x00, 0x01, 0x02, 0x80]);
    notEncoded({ type: "suback", packetIdentifier: 1, reasonCodes: [0x87] }, "ERR_MQTT_CODEC_REASON_CODE");
  });
  test("MQTT-3.10.3-2 UNSUBSCRIBE has a topic filter", () => {
    refused(packet(0xa2, [0, 1]), "ERR_MQTT_CODEC_NO_TOPIC_FILTER", "MQTT-3.10.3-2");
    notEncoded({ type: "unsubscribe", packetIdentifier: 1, topicFilters: [] }, "ERR_MQTT_CODEC_NO_TOPIC_FILTER");
  });
});

describe("4.7 topics", () => {
  const filters = (topicFilter: string): Uint8Array => packet(0x82, [0, 1], topicFilter, 0);
  test("MQTT-4.7.1-2 # stands alone in its level and last", () => {
    for (const wrong of ["a#", "#/a", "a/#/b", "##", "a/b#"]) {
      refused(filters(wrong), "ERR_MQTT_CODEC_TOPIC_FILTER", "MQTT-4.7.1-2");
      refused(packet(0xa2, [0, 1], wrong), "ERR_MQTT_CODEC_TOPIC_FILTER", "MQTT-4.7.1-2");
    }
    for (const right of ["#", "a/#", "/#", "+/#", "a//#"])
      expect(decodeAll(filters(right), fromClient4)).toHaveLength(1);
  });
  test("MQTT-4.7.1-3 + fills its level", () => {
    for (const wrong of ["a+", "+a", "a/+b", "a+/b", "++", "a/b+/c"]) {
      refused(filters(wrong), "ERR_MQTT_CODEC_TOPIC_FILTER", "MQTT-4.7.1-3");
      const subscriptions = [{ topicFilter: wrong }];
      notEncoded({ type: "subscribe", packetIdentifier: 1, subscriptions }, "ERR_MQTT_CODEC_TOPIC_FILTER");
    }
    for (const right of ["+", "+/+", "a/+/b", "/+", "+/"])
      expect(decodeAll(filters(right), fromClient4)).toHaveLength(1);
  });
  test("MQTT-4.7.2-1 a wildcard at the beginning matches no topic that begins with $", () => {
    expect(matchesTopicFilter("#", "$SYS/a")).toBe(false);
    expect(matchesTopicFilter("+/a", "$SYS/a")).toBe(false);
    expect(matchesTopicFilter("$SYS/#", "$SYS/a")).toBe(true);
  });
  test("MQTT-4.7.3-1 names and filters have at least one character", () => {
    refused(packet(0x30, ""), "ERR_MQTT_CODEC_TOPIC_NAME", "MQTT-4.7.3-1");
    refused(filters(""), "ERR_MQTT_CODEC_TOPIC_FILTER", "MQTT-4.7.3-1");
    refused(packet(0xa2, [0, 1], ""), "ERR_MQTT_CODEC_TOPIC_FILTER", "MQTT-4.7.3-1");
    notEncoded({ type: "publish", topicName: "" }, "ERR_MQTT_CODEC_TOPIC_NAME");
    notEncoded({ type: "unsubscribe", packetIdentifier: 1, topicFilters: [""] }, "ERR_MQTT_CODEC_TOPIC_FILTER");
  });
  test("MQTT-4.7.3-2 and no U+0000", () => {
    refused(packet(0x82, [0, 1], rawString(0x61, 0), 0), "ERR_MQTT_CODEC_NULL_CHARACTER", "MQTT-1.5.3-2");
    expect(validateTopicName("a\u0000")).toMatchObject({ ok: false, clause: "MQTT-4.7.3-2", index: 1 });
    expect(validateTopicFilter("a\u0000")).toMatchObject({ ok: false, clause: "MQTT-4.7.3-2", index: 1 });
  });
  test("MQTT-4.7.3-3 and at most 65,535 octets", () => {
    expect(encode({ type: "publish", topicName: "é".repeat(32_767) }, 4)).toHaveLength(4 + 2 + 65_534);
    notEncoded({ type: "publish", topicName: "é".repeat(32_768) }, "ERR_MQTT_CODEC_FIELD");
    notEncoded({ type: "publish", topicName: "a".repeat(65_536) }, "ERR_MQTT_CODEC_FIELD");
    expect(validateTopicName("é".repeat(32_768))).toMatchObject({ ok: false, fault: "too-long" });
  });
  test("MQTT-4.7.3-4 matching compares as is", () => {
    expect(matchesTopicFilter("a/É", "a/E\u0301")).toBe(false);
    expect(matchesTopicFilter("ACCOUNTS", "Accounts")).toBe(false);
  });
  test("MQTT-6.0.0-2 frames and packets need not be aligned", () => {
    const bytes = octets(connect(2, "a"), packet(0x30, "a", 1), packet(0xc0));
    for (let cut = 0; cut <= bytes.length; cut++) {
      const decoder = new PacketDecoder(fresh);
      decoder.push(bytes.subarray(0, cut));
      const packets = drain(decoder);
      decoder.push(bytes.subarray(cut));
      expect([...packets, ...drain(decoder)].map(({ type }) => type)).toEqual(["connect", "publish", "pingreq"]);
    }
  });
});
