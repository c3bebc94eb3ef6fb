/**
 * What may not be written is refused by every way of writing: each field of each packet with a value of another type, out
 * of its range, missing, or of another version, through `encode`, `encodedLength`, `encodeInto` and, for PUBLISH, all
 * methods of `PreparedPublish`.
 */

import { Buffer } from "node:buffer";
import { describe, expect, test } from "vitest";
import {
  encode,
  type EncodablePacket,
  type EncodablePublish,
  encodedLength,
  encodeInto,
  MqttEncodeError,
  type MqttEncodeErrorCode,
  preparePublish,
  type ProtocolVersion,
  type QoS,
} from "../src/index.ts";

const octets = Uint8Array.of(1, 2, 3);

/** A packet of each type that is right in both versions, AUTH and UNSUBACK's codes apart. */
const right: { readonly [Type in EncodablePacket["type"]]: Extract<EncodablePacket, { type: Type }> } = {
  connect: {
    type: "connect",
    clientIdentifier: "a",
    will: { topicName: "w", payload: octets },
    userName: "u",
    password: octets,
  },
  connack: { type: "connack" },
  publish: { type: "publish", topicName: "a/b", payload: octets },
  puback: { type: "puback", packetIdentifier: 1 },
  pubrec: { type: "pubrec", packetIdentifier: 1 },
  pubrel: { type: "pubrel", packetIdentifier: 1 },
  pubcomp: { type: "pubcomp", packetIdentifier: 1 },
  subscribe: { type: "subscribe", packetIdentifier: 1, subscriptions: [{ topicFilter: "a/+" }] },
  suback: { type: "suback", packetIdentifier: 1, reasonCodes: [0] },
  unsubscribe: { type: "unsubscribe", packetIdentifier: 1, topicFilters: ["a/+"] },
  unsuback: { type: "unsuback", packetIdentifier: 1, reasonCodes: [0] },
  pingreq: { type: "pingreq" },
  pingresp: { type: "pingresp" },
  disconnect: { type: "disconnect" },
  auth: { type: "auth", reasonCode: 0x18, properties: { authenticationMethod: "m" } },
};

/** Values by what they are not; undefined is "missing" where a field has no default. */
const notBoolean = [null, 0, 1, "true", {}, []];
const notText = [null, 0, true, octets, ["a"], {}, Symbol("a"), 5n];
const notOctets = [null, "text", [1, 2], 5, {}, new ArrayBuffer(2), new DataView(new ArrayBuffer(2))];
const notUint16 = [null, -1, 65_536, 1.5, Number.NaN, Number.POSITIVE_INFINITY, "1", true, [1], 5n, Symbol("1")];
const notUint32 = [null, -1, 4_294_967_296, 0.5, Number.NaN, "1", true, 5n];
const notQoS = [null, -1, 3, 0.5, Number.NaN, "1", true, 5n];
const notList = [null, "a", 5, true, {}, octets];
const notObject = [null, "text", 5, true, [["a", "b"]], Symbol("a")];
const notCode = [null, -1, 256, 1.5, "0", true, 5n];
const notTopic = ["", "a/+", "#", "a\u0000b", "a\ud800", "a".repeat(65_536), "é".repeat(32_768)];
const notFilter = ["", "a+", "#/a", "a\u0000", "\udc00", "a".repeat(65_536)];
const notUtf8 = ["\u0000", "a\ud800", "\udc00a", "a".repeat(65_536), "é".repeat(32_768)];

type Row = readonly [type: EncodablePacket["type"], field: string, values: readonly unknown[], versions?: string];

const identified = ["puback", "pubrec", "pubrel", "pubcomp", "subscribe", "suback", "unsubscribe", "unsuback"] as const;
const reasoned = ["puback", "pubrec", "pubrel", "pubcomp"] as const;

const rows: readonly Row[] = [
  ["connect", "clientIdentifier", [undefined, ...notText, ...notUtf8]],
  ["connect", "cleanStart", notBoolean],
  ["connect", "keepAlive", notUint16],
  ["connect", "protocolVersion", [3, 6, "5"]],
  ["connect", "will", [null, "w", 5, {}]],
  ["connect", "will.topicName", [undefined, ...notText, ...notTopic]],
  ["connect", "will.payload", [undefined, ...notOctets, new Uint8Array(65_536)]],
  ["connect", "will.qos", notQoS],
  ["connect", "will.retain", notBoolean],
  ["connect", "userName", [...notText, ...notUtf8]],
  ["connect", "password", [...notOctets, new Uint8Array(65_536)]],
  ["connack", "sessionPresent", notBoolean],
  ["connack", "reasonCode", [...notCode, 0x06, 0x10, 0x8e]],
  ["publish", "topicName", [undefined, ...notText, ...notTopic]],
  ["publish", "payload", notOctets],
  ["publish", "qos", notQoS],
  ["publish", "retain", notBoolean],
  ["publish", "dup", [...notBoolean, true]],
  ["publish", "packetIdentifier", [...notUint16, 1]],
  ...identified.map((type): Row => [type, "packetIdentifier", [undefined, 0, ...notUint16]]),
  ...reasoned.map((type): Row => [type, "reasonCode", [...notCode, 0xff]]),
  ...reasoned.map((type): Row => [type, "reasonCode", [0x80, 0x92], "4"]),
  ["puback", "reasonCode", [0x01, 0x92], "5"],
  ["pubrel", "reasonCode", [0x10], "5"],
  ["subscribe", "subscriptions", [undefined, [], ...notList, [null], ["a"], [{}], [undefined]]],
  ["subscribe", "subscriptions.0.topicFilter", [undefined, ...notText, ...notFilter]],
  ["subscribe", "subscriptions.0.qos", notQoS],
  ["subscribe", "subscriptions.0.noLocal", notBoolean],
  ["subscribe", "subscriptions.0.retainAsPublished", notBoolean],
  ["subscribe", "subscriptions.0.retainHandling", notQoS],
  ["subscribe", "subscriptions.0.noLocal", [true], "4"],
  ["subscribe", "subscriptions.0.retainAsPublished", [true], "4"],
  ["subscribe", "subscriptions.0.retainHandling", [1, 2], "4"],
  ["subscribe", "subscriptions", [[{ topicFilter: "$share/g/a", noLocal: true }], [{ topicFilter: "$share/g" }]], "5"],
  ["suback", "reasonCodes", [undefined, [], ...notList, [undefined], ...notCode.map((code) => [code]), [0, 0x7f]]],
  ["unsuback", "reasonCodes", [undefined, []], "5"],
  ["unsuback", "reasonCodes", [...notList, [undefined], ...notCode.map((code) => [code]), [0, 0x80], [0x87]], "4"],
  ["unsuback", "reasonCodes", [...notList, [undefined], ...notCode.map((code) => [code]), [0, 0x92]], "5"],
  ["unsubscribe", "topicFilters", [undefined, [], ...notList, ...notText.map((one) => [one])]],
  ["unsubscribe", "topicFilters", notFilter.map((filter) => ["a", filter])],
  // The DISCONNECT of 3.1.1 is a normal one, which deletes the will.
  ["disconnect", "reasonCode", [...notCode, 0x04, 0x80, 0x81, 0x8b], "4"],
  ["disconnect", "reasonCode", [...notCode, 0x01, 0x10, 0x8c], "5"],
  ["auth", "reasonCode", [undefined, ...notCode, 0x01, 0x80], "5"],
  ["auth", "type", ["auth"], "4"],
  ["pingreq", "type", [undefined, ...notText, "PINGREQ", "toString", "constructor"]],
];

/** Properties: name, wrong values, and the packets that carry it. */
const properties: readonly (readonly [name: string, values: readonly unknown[], types: readonly string[]])[] = [
  ["payloadFormatIndicator", [null, 2, -1, true, "1"], ["publish", "connect.will"]],
  ["messageExpiryInterval", notUint32, ["publish", "connect.will"]],
  ["contentType", [...notText, ...notUtf8], ["publish", "connect.will"]],
  ["responseTopic", [...notText, ...notTopic], ["publish", "connect.will"]],
  ["correlationData", notOctets, ["publish", "connect.will"]],
  ["subscriptionIdentifiers", [...notList, [0], [-1], [268_435_456], ["1"], [null]], ["publish"]],
  ["subscriptionIdentifier", [null, 0, -1, 268_435_456, "1", [1]], ["subscribe"]],
  ["sessionExpiryInterval", notUint32, ["connect", "connack", "disconnect"]],
  ["assignedClientIdentifier", [...notText, ...notUtf8], ["connack"]],
  ["serverKeepAlive", notUint16, ["connack"]],
  ["authenticationMethod", [...notText, ...notUtf8], ["connect", "connack", "auth"]],
  ["authenticationData", notOctets, ["connect", "connack", "auth"]],
  ["requestProblemInformation", notBoolean, ["connect"]],
  ["willDelayInterval", notUint32, ["connect.will"]],
  ["requestResponseInformation", notBoolean, ["connect"]],
  ["responseInformation", [...notText, ...notUtf8], ["connack"]],
  ["serverReference", [...notText, ...notUtf8], ["connack", "disconnect"]],
  [
    "reasonString",
    [...notText, ...notUtf8],
    ["connack", "puback", "pubrec", "pubrel", "pubcomp", "suback", "unsuback", "disconnect", "auth"],
  ],
  ["receiveMaximum", [0, ...notUint16], ["connect", "connack"]],
  ["topicAliasMaximum", notUint16, ["connect", "connack"]],
  ["topicAlias", [0, ...notUint16], ["publish"]],
  ["maximumQoS", [null, 2, -1, true, "1"], ["connack"]],
  ["retainAvailable", notBoolean, ["connack"]],
  ["maximumPacketSize", [0, ...notUint32], ["connect", "connack"]],
  ["wildcardSubscriptionAvailable", notBoolean, ["connack"]],
  ["subscriptionIdentifierAvailable", notBoolean, ["connack"]],
  ["sharedSubscriptionAvailable", notBoolean, ["connack"]],
  [
    "userProperties",
    [
      ...notList,
      ["ab"],
      [["a"]],
      [["a", "b", "c"]],
      [[]],
      [["a", 1]],
      [[1, "a"]],
      [["a", undefined]],
      [null],
      [{ name: "a", value: "b" }],
      [["\u0000", "b"]],
      [["a", "\ud800"]],
      [["a", "b".repeat(65_536)]],
    ],
    Object.keys(right)
      .filter((type) => !type.startsWith("ping"))
      .concat("connect.will"),
  ],
];

/** A copy with one field set; the path may go through objects and lists. */
function withField(value: unknown, path: readonly string[], field: unknown): unknown {
  const [first, ...rest] = path;
  if (first === undefined) return field;
  if (Array.isArray(value)) {
    return value.map((one: unknown, index) => (String(index) === first ? withField(one, rest, field) : one));
  }
  const object = (value ?? {}) as Readonly<Record<string, unknown>>;
  return { ...object, [first]: withField(object[first], rest, field) };
}

/** The ways to write a packet; each fits its buffer. */
function waysOf(packet: EncodablePacket, version: ProtocolVersion): (() => unknown)[] {
  const buffer = new Uint8Array(200_000);
  const ways: (() => unknown)[] = [
    () => encode(packet, version),
    () => encodedLength(packet, version),
    () => encodeInto(packet, version, buffer, 0),
    () => encodeInto(packet, version, buffer, 7),
    () => encodeInto(packet, version, Buffer.from(buffer.buffer), 0),
  ];
  return packet?.type === "publish" ? [...ways, ...preparedWays(packet, version)] : ways;
}

function preparedWays(packet: EncodablePublish, version: ProtocolVersion): (() => unknown)[] {
  const { qos = 0, retain, dup, packetIdentifier } = packet;
  const receiver = { qos, retain, dup, packetIdentifier };
  const buffer = new Uint8Array(200_000);
  const fresh = (): ReturnType<typeof preparePublish> => preparePublish(packet);
  const warm = (): ReturnType<typeof preparePublish> => {
    // Encodings that are there already must not answer for a receiver that is wrong.
    const prepared = preparePublish({ topicName: "a", payload: octets });
    for (const one of [0, 1, 2] as const) prepared.encodedLength(version, one);
    return prepared;
  };
  const isOfReceiver = isRight({ ...packet, ...receiver, topicName: "a", payload: octets, properties: undefined });
  return [
    () => fresh().encodeInto(version, receiver, buffer, 0),
    ...(isOfReceiver ? [] : [() => warm().encodeInto(version, receiver, buffer, 0)]),
  ];
}

function isRight(packet: EncodablePacket): boolean {
  try {
    encode(packet, 5);
    return true;
  } catch {
    return false;
  }
}

/** The code with which every way refuses; it is the same for all. */
function refusal(packet: unknown, version: ProtocolVersion): MqttEncodeErrorCode {
  const codes = waysOf(packet as EncodablePacket, version).map((way) => {
    try {
      way();
    } catch (error) {
      if (error instanceof MqttEncodeError) return error.code;
      throw error;
    }
    throw new Error(`written by ${String(way)}`);
  });
  expect(new Set(codes).size).toBe(1);
  return codes[0] ?? "ERR_MQTT_CODEC_FIELD";
}

test("the packets of the table are right by themselves", () => {
  for (const packet of Object.values(right)) {
    if (packet.type !== "auth") for (const way of waysOf(packet, 4)) expect(way).not.toThrow();
    for (const way of waysOf(packet, 5)) expect(way).not.toThrow();
  }
});

describe.each([4, 5] as const)("protocol version %i", (version) => {
  for (const [type, field, values, versions = "45"] of rows) {
    if (!versions.includes(String(version)) || (type === "auth" && version === 4 && field !== "type")) continue;
    test(`${type}: ${field}`, () => {
      for (const value of values) refusal(withField(right[type], field.split("."), value), version);
    });
  }
});

describe("properties", () => {
  for (const [name, values, types] of properties) {
    for (const type of types) {
      const [packetType, ...inside] = type.split(".");
      const packet = right[packetType as EncodablePacket["type"]];
      const path = [...inside, "properties"];
      const base = name === "authenticationData" ? withField(packet, [...path, "authenticationMethod"], "m") : packet;
      test(`${type}: ${name}`, () => {
        for (const value of values) refusal(withField(base, [...path, name], value), 5);
      });
    }
    // Left out, a property of another packet would be lost without a word.
    const others = Object.keys(right).filter((type) => !types.includes(type) && !type.startsWith("ping"));
    const some = { userProperties: [["a", "b"]], subscriptionIdentifiers: [1], correlationData: octets };
    test(`${name} is refused in ${others.join(", ")}`, () => {
      for (const type of others) {
        const value = name in some ? some[name as keyof typeof some] : 1;
        const packet = withField(right[type as EncodablePacket["type"]], ["properties", name], value);
        expect(refusal(packet, 5)).toBe("ERR_MQTT_CODEC_PROPERTY_NOT_ALLOWED");
      }
    });
  }
  test("the list itself", () => {
    for (const packet of Object.values(right)) {
      if (packet.type.startsWith("ping")) continue;
      for (const value of notObject) refusal(withField(packet, ["properties"], value), 5);
      refusal(withField(packet, ["properties", "topicAlas"], 1), 5);
    }
    for (const value of notObject) refusal(withField(right.connect, ["will", "properties"], value), 5);
  });
});

describe("packets that contradict themselves", () => {
  const contradictions: readonly (readonly [object, ProtocolVersion, MqttEncodeErrorCode])[] = [
    [{ type: "publish", topicName: "a", qos: 1 }, 4, "ERR_MQTT_CODEC_PACKET_IDENTIFIER"],
    [{ type: "publish", topicName: "a", qos: 2, packetIdentifier: 0 }, 5, "ERR_MQTT_CODEC_PACKET_IDENTIFIER"],
    [{ type: "publish", topicName: "", properties: { topicAlias: 1 } }, 4, "ERR_MQTT_CODEC_TOPIC_NAME"],
    [{ type: "publish", topicName: "", properties: {} }, 5, "ERR_MQTT_CODEC_TOPIC_NAME"],
    [{ type: "connack", sessionPresent: true, reasonCode: 5 }, 4, "ERR_MQTT_CODEC_SESSION_PRESENT"],
    [{ type: "connack", sessionPresent: true, reasonCode: 0x87 }, 5, "ERR_MQTT_CODEC_SESSION_PRESENT"],
    [{ type: "connect", clientIdentifier: "", cleanStart: false }, 4, "ERR_MQTT_CODEC_CLIENT_IDENTIFIER"],
    [{ type: "connect", clientIdentifier: "a", password: octets }, 4, "ERR_MQTT_CODEC_CONNECT_FLAGS"],
    [{ type: "connect", clientIdentifier: "a", protocolVersion: 4 }, 5, "ERR_MQTT_CODEC_VERSION_FIELD"],
    [
      { type: "connect", clientIdentifier: "a", properties: { authenticationData: octets } },
      5,
      "ERR_MQTT_CODEC_PROPERTY_MISSING",
    ],
    [{ type: "connack", properties: { authenticationData: octets } }, 5, "ERR_MQTT_CODEC_PROPERTY_MISSING"],
    [{ type: "auth", reasonCode: 0x18 }, 5, "ERR_MQTT_CODEC_PROPERTY_MISSING"],
    [{ type: "auth", reasonCode: 0, properties: { reasonString: "a" } }, 5, "ERR_MQTT_CODEC_PROPERTY_MISSING"],
    // A DISCONNECT that neither side may send.
    [
      { type: "disconnect", reasonCode: 4, properties: { serverReference: "b" } },
      5,
      "ERR_MQTT_CODEC_PROPERTY_NOT_ALLOWED",
    ],
    [
      { type: "disconnect", reasonCode: 0x8b, properties: { sessionExpiryInterval: 1 } },
      5,
      "ERR_MQTT_CODEC_PROPERTY_NOT_ALLOWED",
    ],
    [
      { type: "disconnect", reasonCode: 0, properties: { sessionExpiryInterval: 1, serverReference: "b" } },
      5,
      "ERR_MQTT_CODEC_PROPERTY_NOT_ALLOWED",
    ],
  ];
  test.each(contradictions)("%j in version %i: %s", (packet, version, code) =>
    expect(refusal(packet, version)).toBe(code),
  );
  test("a DISCONNECT of one side passes", () => {
    for (const packet of [
      { type: "disconnect", reasonCode: 4, properties: { sessionExpiryInterval: 1 } },
      { type: "disconnect", reasonCode: 0x9d, properties: { serverReference: "b" } },
      { type: "disconnect", reasonCode: 0x81, properties: { serverReference: "b" } },
      { type: "disconnect", reasonCode: 0x80, properties: { sessionExpiryInterval: 1 } },
    ] as const) {
      expect(encode(packet, 5).length).toBeGreaterThan(4);
    }
  });
});

describe("arguments beside the packet", () => {
  const publish = { type: "publish", topicName: "a/b" } as const;
  test("packet, version, buffer and offset of another type", () => {
    for (const packet of [undefined, null, "publish", 5]) refusal(packet, 5);
    for (const version of [undefined, null, 0, 3, 6, "5", 4.5]) {
      refusal(publish, version as ProtocolVersion);
      const prepared = preparePublish(publish);
      const buffer = new Uint8Array(99);
      for (const way of [
        () => prepared.shared(version as ProtocolVersion),
        () => prepared.encodedLength(version as ProtocolVersion, 0),
        () => prepared.encodeInto(version as ProtocolVersion, { qos: 0 }, buffer, 0),
      ]) {
        expect(way).toThrow(MqttEncodeError);
      }
    }
    for (const buffer of [undefined, null, [], "text", new ArrayBuffer(99)] as unknown as Uint8Array[]) {
      expect(() => encodeInto(publish, 4, buffer, 0)).toThrow(MqttEncodeError);
      expect(() => encodeInto({ type: "pingreq" }, 4, buffer, 0)).toThrow(MqttEncodeError);
      expect(() => preparePublish(publish).encodeInto(4, { qos: 0 }, buffer, 0)).toThrow(MqttEncodeError);
    }
    for (const offset of [undefined, null, -1, 0.5, Number.NaN, "0", 2 ** 32, 5n] as unknown as number[]) {
      const buffer = new Uint8Array(99);
      expect(() => encodeInto(publish, 4, buffer, offset)).toThrow(MqttEncodeError);
      expect(() => encodeInto({ type: "pingreq" }, 4, buffer, offset)).toThrow(MqttEncodeError);
      expect(() => preparePublish(publish).encodeInto(4, { qos: 0 }, buffer, offset)).toThrow(MqttEncodeError);
      expect(buffer.every((octet) => octet === 0)).toBe(true);
    }
  });

  test("QoS and RETAIN of a prepared PUBLISH", () => {
    for (const qos of notQoS as QoS[]) {
      const prepared = preparePublish(publish);
      expect(() => prepared.encodedLength(5, qos)).toThrow(MqttEncodeError);
      expect(() => prepared.encodeInto(5, { qos, packetIdentifier: 1 }, new Uint8Array(99), 0)).toThrow(
        expect.objectContaining({ code: "ERR_MQTT_CODEC_QOS", field: "qos" }),
      );
    }
    for (const retain of notBoolean as unknown as boolean[]) {
      const prepared = preparePublish(publish);
      prepared.shared(4);
      prepared.shared(4, true);
      expect(() => prepared.shared(4, retain)).toThrow(MqttEncodeError);
    }
    for (const receiver of [undefined, null, "text", {}] as never[]) {
      expect(() => preparePublish(publish).encodeInto(4, receiver, new Uint8Array(99), 0)).toThrow(MqttEncodeError);
    }
    for (const template of [undefined, null, "text", {}] as never[]) {
      expect(() => preparePublish(template).shared(4)).toThrow(MqttEncodeError);
    }
  });

  test("a buffer that is too small, with and without properties, prepared and not", () => {
    for (const properties of [undefined, { contentType: "t" }]) {
      const packet = { ...publish, properties };
      const bytes = encode(packet, 5);
      const tooSmall = expect.objectContaining({ code: "ERR_MQTT_CODEC_BUFFER_TOO_SMALL", field: "buffer" });
      for (let size = 0; size < bytes.length; size++) {
        const buffer = new Uint8Array(size);
        expect(() => encodeInto(packet, 5, buffer, 0)).toThrow(tooSmall);
        expect(() => preparePublish(packet).encodeInto(5, { qos: 0 }, buffer, 0)).toThrow(tooSmall);
      }
      expect(encodeInto(packet, 5, new Uint8Array(bytes.length), 0)).toBe(bytes.length);
    }
  });
});

test("an error names the field, what was found and what is wanted, and never the text of a secret", () => {
  const caught = (packet: object): MqttEncodeError => {
    try {
      encode(packet as EncodablePacket, 4);
    } catch (error) {
      if (error instanceof MqttEncodeError) return error;
    }
    throw new Error("not refused");
  };
  expect(caught({ type: "publish", topicName: "a", qos: 3 }).message).toBe(
    "PUBLISH cannot be encoded: qos is 3, wanted 0, 1 or 2",
  );
  expect(caught({ type: "publish" }).message).toBe(
    "PUBLISH cannot be encoded: topicName is missing, wanted a topic name",
  );
  expect(caught({ type: "publish", topicName: "a/+" }).message).toBe(
    'PUBLISH cannot be encoded: topicName is "a/+", wanted a topic name without + and #',
  );
  expect(caught({ type: "disconnect", reasonCode: 0x80 })).toMatchObject({
    code: "ERR_MQTT_CODEC_VERSION_FIELD",
    field: "reasonCode",
    found: "0x80",
  });
  const secret = caught({ type: "connect", clientIdentifier: "a", userName: "u", password: "hunter2" });
  expect(secret).toMatchObject({ code: "ERR_MQTT_CODEC_FIELD", field: "password", found: "text of 7 characters" });
  expect(secret.message).not.toContain("hunter2");
});
