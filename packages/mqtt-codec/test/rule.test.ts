/**
 * Every fault that the decoder finds, by packet and field: error code, field, statement of the version, and reason code,
 * each held against the text of the standard. The last tests make sure that no rule of `rule.ts` and no field is left out.
 */

import { describe, expect, test } from "vitest";
import { type MqttCodecErrorCode, type PacketDecoderOptions } from "../src/index.ts";
import { rules } from "../src/rule.ts";
import {
  faultOf,
  fresh,
  fromClient4,
  fromClient5,
  fromServer4,
  fromServer5,
  octets,
  packet,
  type Part,
  properties,
  rawString,
} from "./wire.ts";

const none = properties();
const connect4 = (flags: number, ...fields: Part[]): Uint8Array => packet(0x10, "MQTT", 4, flags, [0, 9], ...fields);
const connect5 = (flags: number, list: number[], ...fields: Part[]): Uint8Array =>
  packet(0x10, "MQTT", 5, flags, [0, 9], list, ...fields);

type Row = readonly [
  fault: string,
  bytes: Uint8Array,
  options: PacketDecoderOptions,
  code: string,
  field: string,
  clause: string,
  reasonCode: number,
];

const malformed = 0x81;
const protocolError = 0x82;

const rows: readonly Row[] = [
  // Fixed header: MQTT 3.1.1 §2.2, MQTT 5.0 §2.1.
  ["type 0", octets(0x00), fromClient4, "PACKET_TYPE", "packetType", "MQTT 3.1.1 §2.2.1", malformed],
  ["type 0", octets(0x00), fromClient5, "PACKET_TYPE", "packetType", "MQTT 5.0 §2.1.2", malformed],
  ["AUTH in 3.1.1", octets(0xf0), fromServer4, "PACKET_TYPE", "packetType", "MQTT 3.1.1 §2.2.1", malformed],
  ["PUBLISH before CONNECT", octets(0x30), fresh, "FIRST_PACKET", "packetType", "MQTT-3.1.0-1", protocolError],
  ["a second CONNECT", octets(0x10), fromClient5, "SECOND_CONNECT", "packetType", "MQTT-3.1.0-2", protocolError],
  ["CONNACK from a client", octets(0x20), fromClient5, "DIRECTION", "packetType", "MQTT 5.0 §2.1.2", protocolError],
  ["PUBREL 0000", octets(0x60), fromClient4, "FLAGS", "flags", "MQTT-2.2.2-2", malformed],
  ["PUBREL 0000", octets(0x60), fromClient5, "FLAGS", "flags", "MQTT-2.1.3-1", malformed],
  ["PINGREQ of 1", octets(0xc0, 1), fromClient5, "REMAINING_LENGTH", "remainingLength", "MQTT 5.0 §2.1.4", malformed],
  ["PUBACK of 3", octets(0x40, 3), fromClient4, "REMAINING_LENGTH", "remainingLength", "MQTT 3.1.1 §2.2.3", malformed],
  [
    "an overlong length",
    octets(0xc0, [0x80, 0]),
    fromClient5,
    "REMAINING_LENGTH",
    "remainingLength",
    "MQTT-1.5.5-1",
    malformed,
  ],
  [
    "too large for the server",
    octets(0x30, 9),
    { ...fromClient5, maximumPacketSize: 10 },
    "PACKET_TOO_LARGE",
    "remainingLength",
    "MQTT-3.2.2-15",
    0x95,
  ],
  [
    "too large for the client",
    octets(0x30, 9),
    { ...fromServer5, maximumPacketSize: 10 },
    "PACKET_TOO_LARGE",
    "remainingLength",
    "MQTT-3.1.2-24",
    0x95,
  ],

  // CONNECT.
  ["protocol name", packet(0x10, "MQTX", 4), fresh, "PROTOCOL_NAME", "protocolName", "MQTT-3.1.2-1", 0x84],
  ["version 6", packet(0x10, "MQTT", 6), fresh, "PROTOCOL_VERSION", "protocolVersion", "MQTT-3.1.2-2", 0x84],
  ["MQTT 3.1", packet(0x10, "MQIsdp", 3), fresh, "PROTOCOL_VERSION", "protocolVersion", "MQTT-3.1.2-2", 0x84],
  ["reserved flag", connect4(0x03, "a"), fresh, "CONNECT_FLAGS", "connectFlags", "MQTT-3.1.2-3", malformed],
  ["will QoS alone", connect4(0x0a, "a"), fresh, "CONNECT_FLAGS", "connectFlags", "MQTT-3.1.2-13", malformed],
  ["will QoS alone", connect5(0x0a, none, "a"), fresh, "CONNECT_FLAGS", "connectFlags", "MQTT-3.1.2-11", malformed],
  ["will retain alone", connect4(0x22, "a"), fresh, "CONNECT_FLAGS", "connectFlags", "MQTT-3.1.2-15", malformed],
  ["will retain alone", connect5(0x22, none, "a"), fresh, "CONNECT_FLAGS", "connectFlags", "MQTT-3.1.2-13", malformed],
  ["will QoS 3", connect4(0x1e, "a", "w", ""), fresh, "QOS", "will.qos", "MQTT-3.1.2-14", malformed],
  ["will QoS 3", connect5(0x1e, none, "a", none, "w", ""), fresh, "QOS", "will.qos", "MQTT-3.1.2-12", malformed],
  ["password alone", connect4(0x42, "a", "p"), fresh, "CONNECT_FLAGS", "connectFlags", "MQTT-3.1.2-22", malformed],
  ["no client identifier", connect4(0, ""), fresh, "CLIENT_IDENTIFIER", "clientIdentifier", "MQTT-3.1.3-8", 0x85],
  ["empty will topic", connect4(6, "a", "", ""), fresh, "TOPIC_NAME", "will.topicName", "MQTT-4.7.3-1", malformed],
  ["wildcard in it", connect4(6, "a", "#", ""), fresh, "TOPIC_NAME", "will.topicName", "MQTT-4.7.1-1", malformed],
  [
    "wildcard in it",
    connect5(6, none, "a", none, "w/+", ""),
    fresh,
    "TOPIC_NAME",
    "will.topicName",
    "MQTT-4.7.0-1",
    malformed,
  ],
  [
    "wildcard in the will's response topic",
    connect5(6, none, "a", properties(0x08, "r/#"), "w", ""),
    fresh,
    "TOPIC_NAME",
    "will.properties.responseTopic",
    "MQTT-3.3.2-14",
    malformed,
  ],
  [
    "a property of CONNECT in the will",
    connect5(6, none, "a", properties(0x21, [0, 1]), "w", ""),
    fresh,
    "PROPERTY_NOT_ALLOWED",
    "will.properties.receiveMaximum",
    "MQTT 5.0 §2.2.2.2",
    malformed,
  ],
  [
    "authentication data alone",
    connect5(2, properties(0x16, "d"), "a"),
    fresh,
    "PROPERTY_MISSING",
    "properties.authenticationMethod",
    "MQTT 5.0 §3.1.2.11.10",
    protocolError,
  ],
  ["trailing octets", connect4(2, "a", "b"), fresh, "TRAILING_BYTES", "end", "MQTT 3.1.1 §2.2.3", malformed],

  // CONNACK.
  [
    "reserved flags",
    packet(0x20, 2, 0),
    fromServer4,
    "CONNACK_FLAGS",
    "connectAcknowledgeFlags",
    "MQTT 3.1.1 §3.2.2.1",
    malformed,
  ],
  [
    "reserved flags",
    packet(0x20, 2, 0, 0),
    fromServer5,
    "CONNACK_FLAGS",
    "connectAcknowledgeFlags",
    "MQTT-3.2.2-1",
    malformed,
  ],
  ["return code 6", packet(0x20, 0, 6), fromServer4, "REASON_CODE", "reasonCode", "MQTT 3.1.1 §3.2.2.3", malformed],
  ["reason code 1", packet(0x20, 0, 1, 0), fromServer5, "REASON_CODE", "reasonCode", "MQTT-3.2.2-8", malformed],
  [
    "refusal with session",
    packet(0x20, 1, 5),
    fromServer4,
    "SESSION_PRESENT",
    "sessionPresent",
    "MQTT-3.2.2-4",
    protocolError,
  ],
  [
    "refusal with session",
    packet(0x20, 1, 0x87, 0),
    fromServer5,
    "SESSION_PRESENT",
    "sessionPresent",
    "MQTT-3.2.2-6",
    protocolError,
  ],
  [
    "authentication data alone",
    packet(0x20, 0, 0, properties(0x16, "d")),
    fromServer5,
    "PROPERTY_MISSING",
    "properties.authenticationMethod",
    "MQTT 5.0 §3.2.2.3.18",
    protocolError,
  ],

  // PUBLISH.
  ["QoS 3", packet(0x36, "a", [0, 1]), fromClient4, "QOS", "qos", "MQTT-3.3.1-4", malformed],
  ["DUP with QoS 0", packet(0x38, "a", none), fromClient5, "DUP", "flags", "MQTT-3.3.1-2", malformed],
  ["wildcard", packet(0x30, "a/+", none), fromClient5, "TOPIC_NAME", "topicName", "MQTT-3.3.2-2", malformed],
  ["wildcard", packet(0x30, "#"), fromServer4, "TOPIC_NAME", "topicName", "MQTT-3.3.2-2", malformed],
  ["no topic", packet(0x30, ""), fromClient4, "TOPIC_NAME", "topicName", "MQTT-4.7.3-1", protocolError],
  ["no topic or alias", packet(0x30, "", none), fromClient5, "TOPIC_NAME", "topicName", "MQTT-4.7.3-1", protocolError],
  ["UTF-8", packet(0x30, rawString(0xc0)), fromClient4, "UTF8", "topicName", "MQTT-1.5.3-1", malformed],
  ["UTF-8", packet(0x30, rawString(0xc0), none), fromClient5, "UTF8", "topicName", "MQTT-1.5.4-1", malformed],
  ["U+0000", packet(0x30, rawString(0)), fromClient4, "NULL_CHARACTER", "topicName", "MQTT-1.5.3-2", malformed],
  ["U+0000", packet(0x30, rawString(0), none), fromClient5, "NULL_CHARACTER", "topicName", "MQTT-1.5.4-2", malformed],
  [
    "control character",
    packet(0x30, rawString(7)),
    { ...fromClient4, refuseControlCharacters: true },
    "CONTROL_CHARACTER",
    "topicName",
    "MQTT 3.1.1 §1.5.3",
    malformed,
  ],
  [
    "control character",
    packet(0x30, rawString(7), none),
    { ...fromClient5, refuseControlCharacters: true },
    "CONTROL_CHARACTER",
    "topicName",
    "MQTT 5.0 §1.5.4",
    malformed,
  ],
  [
    "wildcard in the response topic",
    packet(0x30, "a", properties(0x08, "+")),
    fromClient5,
    "TOPIC_NAME",
    "properties.responseTopic",
    "MQTT-3.3.2-14",
    malformed,
  ],
  [
    "empty response topic",
    packet(0x30, "a", properties(0x08, "")),
    fromClient5,
    "TOPIC_NAME",
    "properties.responseTopic",
    "MQTT-4.7.3-1",
    malformed,
  ],
  [
    "subscription identifier from a client",
    packet(0x30, "a", properties(0x0b, 1)),
    fromClient5,
    "PROPERTY_NOT_ALLOWED",
    "properties.subscriptionIdentifiers",
    "MQTT-3.3.4-6",
    protocolError,
  ],
  [
    "subscription identifier 0",
    packet(0x30, "a", properties(0x0b, 0)),
    fromServer5,
    "PROPERTY_VALUE",
    "properties.subscriptionIdentifiers",
    "MQTT 5.0 §3.3.2.3.8",
    protocolError,
  ],
  [
    "topic alias 0",
    packet(0x30, "a", properties(0x23, [0, 0])),
    fromClient5,
    "TOPIC_ALIAS",
    "properties.topicAlias",
    "MQTT-3.3.2-8",
    0x94,
  ],
  [
    "topic alias twice",
    packet(0x30, "a", properties(0x23, [0, 1], 0x23, [0, 1])),
    fromClient5,
    "PROPERTY_REPEATED",
    "properties.topicAlias",
    "MQTT 5.0 §3.3.2.3.4",
    protocolError,
  ],
  [
    "payload format 2",
    packet(0x30, "a", properties(0x01, 2)),
    fromClient5,
    "PROPERTY_VALUE",
    "properties.payloadFormatIndicator",
    "MQTT 5.0 §3.3.2.3.2",
    protocolError,
  ],
  [
    "a property that does not exist",
    packet(0x30, "a", properties(0x7e, 1)),
    fromClient5,
    "PROPERTY_IDENTIFIER",
    "propertyIdentifier",
    "MQTT 5.0 §2.2.2.2",
    malformed,
  ],
  [
    "a property of CONNACK",
    packet(0x30, "a", properties(0x24, 1)),
    fromClient5,
    "PROPERTY_NOT_ALLOWED",
    "properties.maximumQoS",
    "MQTT 5.0 §2.2.2.2",
    malformed,
  ],
  [
    "a list that runs past the packet",
    packet(0x30, "a", [9]),
    fromClient5,
    "PROPERTY_LENGTH",
    "propertyLength",
    "MQTT 5.0 §2.2.2.1",
    malformed,
  ],
  [
    "an overlong property length",
    packet(0x30, "a", [0x80, 0]),
    fromClient5,
    "VARIABLE_BYTE_INTEGER",
    "propertyLength",
    "MQTT-1.5.5-1",
    malformed,
  ],
  [
    "a property length of five octets",
    packet(0x30, "a", [0x80, 0x80, 0x80, 0x80, 1]),
    fromClient5,
    "VARIABLE_BYTE_INTEGER",
    "propertyLength",
    "MQTT 5.0 §1.5.5",
    malformed,
  ],
  [
    "too many user properties",
    packet(0x30, "a", properties(0x26, "a", "b", 0x26, "a", "b")),
    { ...fromClient5, maximumUserProperties: 1 },
    "TOO_MANY_USER_PROPERTIES",
    "properties.userProperties",
    "MQTT 5.0 §4.13.2",
    0x97,
  ],

  // Packet identifiers: MQTT 3.1.1 §2.3.1, MQTT 5.0 §2.2.1; each packet has its statement.
  ...(
    [
      ["PUBLISH", packet(0x32, "a", [0, 0], none), fromClient4, "MQTT-2.3.1-1"],
      ["PUBLISH", packet(0x32, "a", [0, 0], none), fromClient5, "MQTT-2.2.1-3"],
      ["PUBLISH of a server", packet(0x32, "a", [0, 0], none), fromServer4, "MQTT-2.3.1-4"],
      ["PUBLISH of a server", packet(0x32, "a", [0, 0], none), fromServer5, "MQTT-2.2.1-4"],
      ["PUBACK", packet(0x40, [0, 0]), fromClient4, "MQTT-2.3.1-6"],
      ["PUBREC", packet(0x50, [0, 0]), fromServer5, "MQTT-2.2.1-5"],
      ["PUBREL", packet(0x62, [0, 0]), fromClient5, "MQTT-2.2.1-5"],
      ["PUBCOMP", packet(0x70, [0, 0]), fromServer4, "MQTT-2.3.1-6"],
      ["SUBSCRIBE", packet(0x82, [0, 0], none, "a", 0), fromClient5, "MQTT-2.2.1-3"],
      ["UNSUBSCRIBE", packet(0xa2, [0, 0], "a"), fromClient4, "MQTT-2.3.1-1"],
      ["SUBACK", packet(0x90, [0, 0], 0), fromServer4, "MQTT-2.3.1-7"],
      ["UNSUBACK", packet(0xb0, [0, 0], none, 0), fromServer5, "MQTT-2.2.1-6"],
    ] as const
  ).map(([name, bytes, options, clause]): Row => [
    `packet identifier 0 in ${name}`,
    bytes,
    options,
    "PACKET_IDENTIFIER",
    "packetIdentifier",
    clause,
    protocolError,
  ]),

  // Reason codes: every packet has its table and its statement.
  ...(
    [
      ["PUBACK", packet(0x40, [0, 1], 0x92), fromClient5, "MQTT-3.4.2-1"],
      ["PUBREC", packet(0x50, [0, 1], 0x92), fromClient5, "MQTT-3.5.2-1"],
      ["PUBREL", packet(0x62, [0, 1], 0x10), fromClient5, "MQTT-3.6.2-1"],
      ["PUBCOMP", packet(0x70, [0, 1], 0x10), fromClient5, "MQTT-3.7.2-1"],
      ["SUBACK", packet(0x90, [0, 1], 3), fromServer4, "MQTT-3.9.3-2"],
      ["SUBACK", packet(0x90, [0, 1], none, 3), fromServer5, "MQTT-3.9.3-2"],
      ["UNSUBACK", packet(0xb0, [0, 1], none, 1), fromServer5, "MQTT-3.11.3-2"],
      ["DISCONNECT of a client", packet(0xe0, 0x8b), fromClient5, "MQTT-3.14.2-1"],
      ["DISCONNECT of a server", packet(0xe0, 0x04), fromServer5, "MQTT-3.14.2-1"],
      ["AUTH of a client", packet(0xf0, 0, properties(0x15, "m")), fromClient5, "MQTT-3.15.2-1"],
      ["AUTH of a client, left out", packet(0xf0), fromClient5, "MQTT-3.15.2-1"],
      ["AUTH of a server", packet(0xf0, 0x19, properties(0x15, "m")), fromServer5, "MQTT-3.15.2-1"],
    ] as const
  ).map(([name, bytes, options, clause]): Row => [
    `reason code of ${name}`,
    bytes,
    options,
    "REASON_CODE",
    "reasonCode",
    clause,
    malformed,
  ]),

  // SUBSCRIBE, UNSUBSCRIBE and their answers.
  ["nothing", packet(0x82, [0, 1]), fromClient4, "NO_TOPIC_FILTER", "subscriptions", "MQTT-3.8.3-3", protocolError],
  [
    "nothing",
    packet(0x82, [0, 1], none),
    fromClient5,
    "NO_TOPIC_FILTER",
    "subscriptions",
    "MQTT-3.8.3-2",
    protocolError,
  ],
  ["nothing", packet(0xa2, [0, 1]), fromClient4, "NO_TOPIC_FILTER", "topicFilters", "MQTT-3.10.3-2", protocolError],
  ["nothing", packet(0x90, [0, 1]), fromServer4, "NO_TOPIC_FILTER", "reasonCodes", "MQTT-3.8.4-5", protocolError],
  ["nothing", packet(0x90, [0, 1], none), fromServer5, "NO_TOPIC_FILTER", "reasonCodes", "MQTT-3.8.4-6", protocolError],
  [
    "nothing in UNSUBACK",
    packet(0xb0, [0, 1], none),
    fromServer5,
    "NO_TOPIC_FILTER",
    "reasonCodes",
    "MQTT-3.11.3-2",
    protocolError,
  ],
  [
    "too many",
    packet(0xa2, [0, 1], "a", "b"),
    { ...fromClient4, maximumTopicFilters: 1 },
    "TOO_MANY_TOPIC_FILTERS",
    "topicFilters",
    "MQTT 3.1.1 §3.8.3",
    0x97,
  ],
  ...(
    [
      ["", "MQTT-4.7.3-1", "MQTT-4.7.3-1"],
      ["a#", "MQTT-4.7.1-2", "MQTT-4.7.1-1"],
      ["#/a", "MQTT-4.7.1-2", "MQTT-4.7.1-1"],
      ["a+", "MQTT-4.7.1-3", "MQTT-4.7.1-2"],
    ] as const
  ).flatMap(([filter, clause4, clause5]): Row[] => [
    [
      `filter ${filter}`,
      packet(0x82, [0, 1], filter, 0),
      fromClient4,
      "TOPIC_FILTER",
      "subscriptions.topicFilter",
      clause4,
      malformed,
    ],
    [`filter ${filter}`, packet(0xa2, [0, 1], filter), fromClient4, "TOPIC_FILTER", "topicFilters", clause4, malformed],
    [
      `filter ${filter}`,
      packet(0xa2, [0, 1], none, filter),
      fromClient5,
      "TOPIC_FILTER",
      "topicFilters",
      clause5,
      malformed,
    ],
  ]),
  ...(
    [
      ["$share//a", "MQTT-4.8.2-1"],
      ["$share/+/a", "MQTT-4.8.2-2"],
      ["$share/g", "MQTT-4.8.2-2"],
      ["$share/g/", "MQTT-4.8.2-2"],
    ] as const
  ).map(([filter, clause]): Row => [
    `filter ${filter}`,
    packet(0xa2, [0, 1], none, filter),
    fromClient5,
    "TOPIC_FILTER",
    "topicFilters",
    clause,
    malformed,
  ]),
  [
    "reserved bits",
    packet(0x82, [0, 1], "a", 0x04),
    fromClient4,
    "SUBSCRIPTION_OPTIONS",
    "subscriptions.options",
    "MQTT-3-8.3-4",
    malformed,
  ],
  [
    "reserved bits",
    packet(0x82, [0, 1], none, "a", 0x40),
    fromClient5,
    "SUBSCRIPTION_OPTIONS",
    "subscriptions.options",
    "MQTT-3.8.3-5",
    malformed,
  ],
  [
    "QoS 3",
    packet(0x82, [0, 1], none, "a", 3),
    fromClient5,
    "QOS",
    "subscriptions.qos",
    "MQTT 5.0 §3.8.3.1",
    protocolError,
  ],
  [
    "retain handling 3",
    packet(0x82, [0, 1], none, "a", 0x30),
    fromClient5,
    "RETAIN_HANDLING",
    "subscriptions.retainHandling",
    "MQTT 5.0 §3.8.3.1",
    protocolError,
  ],
  [
    "No Local on a shared subscription",
    packet(0x82, [0, 1], none, "$share/g/a", 4),
    fromClient5,
    "NO_LOCAL_SHARED",
    "subscriptions.noLocal",
    "MQTT-3.8.3-4",
    protocolError,
  ],

  // DISCONNECT and AUTH.
  [
    "session expiry interval from a server",
    packet(0xe0, 0, properties(0x11, [0, 0, 0, 1])),
    fromServer5,
    "PROPERTY_NOT_ALLOWED",
    "properties.sessionExpiryInterval",
    "MQTT-3.14.2-2",
    protocolError,
  ],
  [
    "server reference from a client",
    packet(0xe0, 0, properties(0x1c, "s")),
    fromClient5,
    "PROPERTY_NOT_ALLOWED",
    "properties.serverReference",
    "MQTT 5.0 §3.14.2.2.5",
    protocolError,
  ],
  [
    "no authentication method",
    packet(0xf0, 0x18, none),
    fromClient5,
    "PROPERTY_MISSING",
    "properties.authenticationMethod",
    "MQTT 5.0 §3.15.2.2.2",
    protocolError,
  ],
];

describe("fault, code, field, statement, reason code", () => {
  test.each(rows)("%s %j", (_fault, bytes, options, code, field, clause, reasonCode) => {
    const fault = faultOf(bytes, options);
    expect([fault.code, fault.field, fault.clause, fault.reasonCode]).toEqual([
      `ERR_MQTT_CODEC_${code}`,
      field,
      clause,
      reasonCode,
    ]);
    expect(fault.message).toContain(`${fault.requirement} (${clause}, octet ${fault.offset})`);
  });

  test("each rule is reached by one of the rows", () => {
    const seen = new Set(rows.map(([, bytes, options]) => faultOf(bytes, options).requirement));
    // Cut fields have a test of their own.
    seen.add(rules.truncated[4]);
    expect(Object.values(rules).filter((rule) => !seen.has(rule[4]))).toEqual([]);
  });
});

/** A packet with every field, and its fields in order, as its error names each where the packet is cut inside it. */
const cuts: readonly (readonly [name: string, first: number, parts: Part[], PacketDecoderOptions, fields: string[]])[] =
  [
    [
      "CONNECT",
      0x10,
      [
        "MQTT",
        5,
        0xc6,
        [0, 9],
        properties(0x11, [0, 0, 0, 1]),
        "id",
        properties(0x02, [0, 0, 0, 1]),
        "w",
        "p",
        "u",
        "s",
      ],
      fresh,
      [
        "protocolName",
        "protocolVersion",
        "connectFlags",
        "keepAlive",
        "propertyLength",
        "clientIdentifier",
        "propertyLength",
        "will.topicName",
        "will.payload",
        "userName",
        "password",
      ],
    ],
    ["CONNACK", 0x20, [0, 0, none], fromServer5, ["connectAcknowledgeFlags", "reasonCode", "propertyLength"]],
    ["PUBLISH", 0x32, ["ab", [0, 1], none], fromClient5, ["topicName", "packetIdentifier", "propertyLength"]],
    ["PUBACK", 0x40, [[0, 1], 0, properties(0x1f, "a")], fromClient5, ["packetIdentifier", "propertyLength"]],
    [
      "SUBSCRIBE",
      0x82,
      [[0, 1], none, "ab", 1],
      fromClient5,
      ["packetIdentifier", "propertyLength", "subscriptions", "subscriptions.topicFilter", "subscriptions.options"],
    ],
    ["UNSUBSCRIBE", 0xa2, [[0, 1], none, "ab"], fromClient5, ["packetIdentifier", "propertyLength", "topicFilters"]],
    ["SUBACK", 0x90, [[0, 1], none, 0], fromServer5, ["packetIdentifier", "propertyLength", "reasonCodes"]],
    ["DISCONNECT", 0xe0, [0, properties(0x1f, "a")], fromClient5, ["propertyLength"]],
    ["AUTH", 0xf0, [0x18, properties(0x15, "m")], fromServer5, ["propertyLength"]],
  ];

test.each(cuts)("%s cut inside a field names that field", (_name, first, parts, options, fields) => {
  const body = octets(...parts);
  const named: string[] = [];
  for (let length = 0; length < body.length; length++) {
    const bytes = packet(first, body.subarray(0, length));
    let field: string;
    try {
      ({ field } = faultOf(bytes, options));
    } catch {
      continue; // Shorter forms that are packets, too.
    }
    if (named.at(-1) !== field) named.push(field);
  }
  expect(named).toEqual(fields);
});

test("a property cut short names the property", () => {
  for (const [identifier, value, field] of [
    [0x02, [0, 0, 0, 1], "properties.messageExpiryInterval"],
    [0x03, octets("text"), "properties.contentType"],
    [0x09, octets("data"), "properties.correlationData"],
    [0x26, octets("n", "v"), "properties.userProperties"],
  ] as const) {
    for (let length = 0; length < value.length; length++) {
      const fault = faultOf(packet(0x30, "a", properties(identifier, value.slice(0, length))), fromClient5);
      expect([fault.code, fault.field]).toEqual(["ERR_MQTT_CODEC_TRUNCATED" satisfies MqttCodecErrorCode, field]);
    }
  }
});

test("evidence narrows by code", () => {
  const fault = faultOf(octets(0x60), fromClient5);
  if (fault.code !== "ERR_MQTT_CODEC_FLAGS") throw new Error(fault.code);
  expect([fault.evidence.found, fault.evidence.wanted]).toEqual([0, 2]);
  expect(faultOf(packet(0x39, "a", none), fromClient5).evidence).toEqual({ found: 0x09 });
  const limit = faultOf(octets(0x30, 9), { ...fromClient5, maximumPacketSize: 10 });
  if (limit.code !== "ERR_MQTT_CODEC_PACKET_TOO_LARGE") throw new Error(limit.code);
  expect([limit.evidence.length, limit.evidence.limit]).toEqual([11, 10]);
});

test("the text of a refusal mends it: field, octets found and wanted, statement in words, and the answer", () => {
  const texts = (
    [
      [octets(0x60), fromClient5],
      [packet(0x30, "a/+", none), fromClient5],
      [packet(0x30, rawString(0x61, 0xff)), fromClient4],
      [packet(0x30, "a", properties(0x21, [0, 1])), fromClient5],
      [packet(0x30, "a", properties(0x23, [0, 0])), fromClient5],
      [octets(0xc0, 1), fromClient5],
      [packet(0x10, "MQTT", 6), fresh],
      [connect4(0x42, "a", "p"), fresh],
      [packet(0x62, [0, 1], 0x10), fromClient5],
      [packet(0xa2, [0, 1], none, "a#"), fromClient5],
      [packet(0x30, [0, 9], [0x61]), fromClient4],
    ] as const
  ).map(([bytes, options]) => faultOf(bytes, options).message);
  expect(texts).toMatchInlineSnapshot(`
    [
      "PUBREL, flags: found 0000, wanted 0010; the reserved flags of this packet have one value (MQTT-2.1.3-1, octet 0). Close the connection; the answer of MQTT 5.0 is 0x81 (malformed packet).",
      "PUBLISH, topic name: text "a/+", fault wildcard-in-name; a topic name has at least one character and holds no + and no # (MQTT-3.3.2-2, octet 6). Close the connection; the answer of MQTT 5.0 is 0x81 (malformed packet).",
      "PUBLISH, topic name: found 0xFF; text is well-formed UTF-8 (MQTT-1.5.3-1, octet 5). Close the connection; MQTT 3.1.1 has no answer to this.",
      "PUBLISH, property receive maximum: identifier 0x21, property receiveMaximum, allowed payloadFormatIndicator messageExpiryInterval contentType responseTopic correlationData topicAlias userProperties; a property is one that its packet may carry (MQTT 5.0 §2.2.2.2, octet 6). Close the connection; the answer of MQTT 5.0 is 0x81 (malformed packet).",
      "PUBLISH, property topic alias: identifier 0x23, property topicAlias, found 0x00, wanted 1 to 65,535; a topic alias is 1 to 65,535 (MQTT-3.3.2-8, octet 7). Close the connection; the answer of MQTT 5.0 is 0x94 (topic alias invalid).",
      "PINGREQ, remaining length: length 1, wanted length 0; the remaining length has one to four octets, and the value that this packet has (MQTT 5.0 §2.1.4, octet 1). Close the connection; the answer of MQTT 5.0 is 0x81 (malformed packet).",
      "CONNECT, protocol version: found 0x06; the protocol version is 4 (MQTT 3.1.1) or 5 (MQTT 5.0) (MQTT-3.1.2-2, octet 8). Answer CONNACK 0x01 (unacceptable protocol version), then close.",
      "CONNECT, connect flags: found 01000010; MQTT 3.1.1 has no password without a user name (MQTT-3.1.2-22, octet 9). Close the connection; MQTT 3.1.1 has no answer to this.",
      "PUBREL, reason code: found 0x10, allowed 0x00 0x92; a packet carries only the reason codes of its table that its sender may use (MQTT-3.6.2-1, octet 4). Close the connection; the answer of MQTT 5.0 is 0x81 (malformed packet).",
      "UNSUBSCRIBE, topic filters: text "a#", fault multi-level-wildcard-not-alone; in a topic filter + fills its level, # the last one, and $share/ has a group and a filter behind it (MQTT-4.7.1-1, octet 5). Close the connection; the answer of MQTT 5.0 is 0x81 (malformed packet).",
      "PUBLISH, topic name: needed 9, available 1; a field ends inside its packet or property list (MQTT 3.1.1 §2.2.3, octet 4). Close the connection; MQTT 3.1.1 has no answer to this.",
    ]
  `);
});
