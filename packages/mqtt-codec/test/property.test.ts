/** MQTT 5.0 table 2-4, written down a second time here: every property in every packet, its type and its values. */

import { describe, expect, test } from "vitest";
import { encode, PacketDecoder, type PacketDecoderOptions } from "../src/index.ts";
import {
  decodeOne,
  faultOf,
  fresh,
  fromClient5,
  fromServer5,
  octets,
  packet,
  type Part,
  properties,
  variableByteInteger,
} from "./wire.ts";

/** A packet of each kind around a property list, and who may send it. */
const carriers: Record<string, { options: PacketDecoderOptions; around: (list: number[]) => Uint8Array }> = {
  connect: { options: fresh, around: (list) => packet(0x10, "MQTT", 5, 2, [0, 0], list, "a") },
  will: { options: fresh, around: (list) => packet(0x10, "MQTT", 5, 6, [0, 0], 0, "a", list, "w", "") },
  connack: { options: fromServer5, around: (list) => packet(0x20, 0, 0, list) },
  publish: { options: fromServer5, around: (list) => packet(0x30, "a", list) },
  puback: { options: fromClient5, around: (list) => packet(0x40, [0, 1], 0, list) },
  pubrec: { options: fromClient5, around: (list) => packet(0x50, [0, 1], 0, list) },
  pubrel: { options: fromClient5, around: (list) => packet(0x62, [0, 1], 0, list) },
  pubcomp: { options: fromClient5, around: (list) => packet(0x70, [0, 1], 0, list) },
  subscribe: { options: fromClient5, around: (list) => packet(0x82, [0, 1], list, "a", 0) },
  suback: { options: fromServer5, around: (list) => packet(0x90, [0, 1], list, 0) },
  unsubscribe: { options: fromClient5, around: (list) => packet(0xa2, [0, 1], list, "a") },
  unsuback: { options: fromServer5, around: (list) => packet(0xb0, [0, 1], list, 0) },
  "disconnect from a client": { options: fromClient5, around: (list) => packet(0xe0, 0, list) },
  "disconnect from a server": { options: fromServer5, around: (list) => packet(0xe0, 0, list) },
  auth: { options: fromClient5, around: (list) => packet(0xf0, 0x18, list) },
};

/** Identifiers, MQTT 5.0 table 2-4. */
const identifiers = {
  payloadFormatIndicator: 0x01,
  messageExpiryInterval: 0x02,
  contentType: 0x03,
  responseTopic: 0x08,
  correlationData: 0x09,
  subscriptionIdentifier: 0x0b,
  sessionExpiryInterval: 0x11,
  assignedClientIdentifier: 0x12,
  serverKeepAlive: 0x13,
  authenticationMethod: 0x15,
  authenticationData: 0x16,
  requestProblemInformation: 0x17,
  willDelayInterval: 0x18,
  requestResponseInformation: 0x19,
  responseInformation: 0x1a,
  serverReference: 0x1c,
  reasonString: 0x1f,
  receiveMaximum: 0x21,
  topicAliasMaximum: 0x22,
  topicAlias: 0x23,
  maximumQoS: 0x24,
  retainAvailable: 0x25,
  userProperty: 0x26,
  maximumPacketSize: 0x27,
  wildcardSubscriptionAvailable: 0x28,
  subscriptionIdentifierAvailable: 0x29,
  sharedSubscriptionAvailable: 0x2a,
} as const;

const reasons = ["connack", "puback", "pubrec", "pubrel", "pubcomp", "suback", "unsuback", "auth"];
const disconnects = ["disconnect from a client", "disconnect from a server"];
const string: readonly Part[] = ["text"];

/** Name, a right value, wrong values, the packets that may carry it. */
const table: [keyof typeof identifiers, readonly Part[], readonly (readonly Part[])[], readonly string[]][] = [
  ["payloadFormatIndicator", [1], [[2], [255]], ["publish", "will"]],
  ["messageExpiryInterval", [[255, 255, 255, 255]], [], ["publish", "will"]],
  ["contentType", string, [], ["publish", "will"]],
  ["responseTopic", string, [], ["publish", "will"]],
  ["correlationData", string, [], ["publish", "will"]],
  ["subscriptionIdentifier", [[0x80, 0x01]], [[0]], ["publish", "subscribe"]],
  ["sessionExpiryInterval", [[255, 255, 255, 255]], [], ["connect", "connack", "disconnect from a client"]],
  ["assignedClientIdentifier", string, [], ["connack"]],
  ["serverKeepAlive", [[0, 0]], [], ["connack"]],
  ["authenticationMethod", string, [], ["connect", "connack", "auth"]],
  ["authenticationData", string, [], ["connect", "connack", "auth"]],
  ["requestProblemInformation", [0], [[2]], ["connect"]],
  ["willDelayInterval", [[0, 0, 0, 0]], [], ["will"]],
  ["requestResponseInformation", [1], [[2]], ["connect"]],
  ["responseInformation", string, [], ["connack"]],
  ["serverReference", string, [], ["connack", "disconnect from a server"]],
  ["reasonString", string, [], [...reasons, ...disconnects]],
  ["receiveMaximum", [[255, 255]], [[[0, 0]]], ["connect", "connack"]],
  ["topicAliasMaximum", [[0, 0]], [], ["connect", "connack"]],
  ["topicAlias", [[255, 255]], [], ["publish"]],
  ["maximumQoS", [0], [[2]], ["connack"]],
  ["retainAvailable", [0], [[2]], ["connack"]],
  ["userProperty", ["name", "value"], [], Object.keys(carriers)],
  ["maximumPacketSize", [[0, 0, 0, 1]], [[[0, 0, 0, 0]]], ["connect", "connack"]],
  ["wildcardSubscriptionAvailable", [0], [[2]], ["connack"]],
  ["subscriptionIdentifierAvailable", [0], [[2]], ["connack"]],
  ["sharedSubscriptionAvailable", [0], [[2]], ["connack"]],
];

/** What else a packet needs so that the property alone decides: a method beside data, and in AUTH. */
function company(carrier: string, name: string): Part[] {
  const needsMethod = carrier === "auth" || name === "authenticationData";
  return needsMethod && name !== "authenticationMethod" ? [0x15, "method"] : [];
}

test("the table has all properties", () => {
  expect(table.map(([name]) => name).sort()).toEqual(Object.keys(identifiers).sort());
});

for (const [name, right, wrong, allowed] of table) {
  const identifier = identifiers[name];
  describe(`0x${identifier.toString(16).padStart(2, "0")} ${name}`, () => {
    for (const [carrier, { options, around }] of Object.entries(carriers)) {
      const withValue = (value: readonly Part[]): Uint8Array =>
        around(properties(...(allowed.includes(carrier) ? company(carrier, name) : []), identifier, ...value));
      if (!allowed.includes(carrier)) {
        test(`is not allowed in ${carrier}`, () => {
          const fault = faultOf(withValue(right), options);
          // A packet that may carry it from the other side: the identifier is valid, so it is a protocol error.
          const isOtherSides = carrier.startsWith("disconnect") && allowed.some((one) => one.startsWith("disconnect"));
          const answer = isOtherSides ? 0x82 : 0x81;
          expect([fault.code, fault.reasonCode]).toEqual(["ERR_MQTT_CODEC_PROPERTY_NOT_ALLOWED", answer]);
          if (!isOtherSides) expect(fault.clause).toBe("MQTT 5.0 §2.2.2.2");
          expect(fault.evidence).toEqual({
            identifier,
            property: name === "userProperty" ? "userProperties" : name,
            allowed: expect.not.arrayContaining([name]),
          });
        });
        continue;
      }
      test(`passes in ${carrier} and is encoded again as it was`, () => {
        const decoded = decodeOne(withValue(right), options);
        const bytes = encode(decoded, 5);
        expect(encode(decodeOne(bytes, options), 5)).toEqual(bytes);
        expect(JSON.stringify(decoded)).toContain(name === "userProperty" ? "userProperties" : name);
        expect(bytes.toSorted()).toEqual(withValue(right).toSorted());
      });
      test(`is refused in ${carrier} where it stands twice, is cut short or has a wrong value`, () => {
        const one = octets(identifier, ...right);
        const twice = around(properties(...company(carrier, name), one, one));
        if (name === "userProperty" || (name === "subscriptionIdentifier" && carrier === "publish")) {
          expect(decodeOne(twice, options).type).toBeDefined();
        } else {
          const fault = faultOf(twice, options);
          expect([fault.code, fault.reasonCode]).toEqual(["ERR_MQTT_CODEC_PROPERTY_REPEATED", 0x82]);
        }
        for (let cut = 1; cut < one.length; cut++) {
          const fault = faultOf(around(properties(...company(carrier, name), one.subarray(0, cut))), options);
          expect([fault.code, fault.reasonCode]).toEqual(["ERR_MQTT_CODEC_TRUNCATED", 0x81]);
        }
        for (const value of wrong) {
          const fault = faultOf(withValue(value), options);
          expect([fault.code, fault.reasonCode]).toEqual(["ERR_MQTT_CODEC_PROPERTY_VALUE", 0x82]);
        }
      });
    }
  });
}

test("identifiers that do not exist are malformed", () => {
  const known = new Set<number>(Object.values(identifiers));
  for (const identifier of [...Array(256).keys(), 16_383, 268_435_455]) {
    if (known.has(identifier)) continue;
    const fault = faultOf(packet(0x30, "a", properties(variableByteInteger(identifier), 1, 1)), fromClient5);
    expect([fault.code, fault.reasonCode]).toEqual(["ERR_MQTT_CODEC_PROPERTY_IDENTIFIER", 0x81]);
  }
});

test("a property length that runs past the packet is malformed, whatever is in it", () => {
  for (const { options, around } of Object.values(carriers)) {
    const bytes = around([0x7f]);
    expect(["ERR_MQTT_CODEC_PROPERTY_LENGTH"]).toContain(faultOf(bytes, options).code);
  }
});

test("a property may not borrow from what follows the list", () => {
  // The list is two octets long, the message expiry interval would need five.
  const fault = faultOf(packet(0x30, "a", [2, 0x02, 0], [0, 0, 0, 0, 0]), fromClient5);
  expect([fault.code, fault.offset]).toEqual(["ERR_MQTT_CODEC_TRUNCATED", 7]);
});

test("the number of repeatable properties has a limit", () => {
  const list = (count: number): Uint8Array =>
    packet(0x30, "a", properties(...Array.from({ length: count }, () => octets(0x26, "", ""))));
  const options = { ...fromClient5, maximumUserProperties: 3 };
  expect(decodeOne(list(3), options).type).toBe("publish");
  const fault = faultOf(list(4), options);
  expect([fault.code, fault.reasonCode]).toEqual(["ERR_MQTT_CODEC_TOO_MANY_USER_PROPERTIES", 0x97]);
  expect(decodeOne(list(1024), fromClient5).type).toBe("publish");
  const decoder = new PacketDecoder(fromClient5);
  decoder.push(list(1025));
  expect(() => decoder.next()).toThrow("maximumUserProperties");
});
