/**
 * The same random packets through this codec and through mqtt-packet, both ways: what we encode it has to read as we
 * meant it, what it generates we have to read as it was meant. Where the two differ, the difference is listed with the
 * clause that decides it; one that is not listed fails, and so does a listed one that no longer occurs.
 */

import { Buffer } from "node:buffer";
import fc from "fast-check";
import mqttPacket from "mqtt-packet";
import { describe, expect, test } from "vitest";
import { encode, type EncodablePacket, type Packet, type ProtocolVersion } from "../src/index.ts";
import { clientPacket, connectPacket, serverPacket } from "./arbitraries.ts";
import { decodeOne, fresh, fromClient5 } from "./wire.ts";

type Fields = Record<string, unknown>;

/** What mqtt-packet calls a packet's fields; undefined ones are left out. */
function peerForm(packet: Packet, version: ProtocolVersion): Fields {
  const properties = "properties" in packet ? peerProperties(packet.properties) : undefined;
  switch (packet.type) {
    case "connect": {
      const { will } = packet;
      return defined({
        cmd: "connect",
        protocolId: "MQTT",
        protocolVersion: version,
        clean: packet.cleanStart,
        keepalive: packet.keepAlive,
        clientId: packet.clientIdentifier,
        will:
          will &&
          defined({
            topic: will.topicName,
            payload: Buffer.from(will.payload),
            qos: will.qos,
            retain: will.retain,
            properties: peerProperties(will.properties),
          }),
        username: packet.userName,
        password: packet.password && Buffer.from(packet.password),
        properties,
      });
    }
    case "connack": {
      const code = version === 5 ? { reasonCode: packet.reasonCode } : { returnCode: packet.reasonCode };
      return defined({ cmd: "connack", sessionPresent: packet.sessionPresent, ...code, properties });
    }
    case "publish":
      return defined({
        cmd: "publish",
        topic: packet.topicName,
        payload: Buffer.from(packet.payload),
        qos: packet.qos,
        retain: packet.retain,
        dup: packet.dup,
        messageId: packet.qos === 0 ? undefined : packet.packetIdentifier,
        properties,
      });
    case "subscribe":
      return defined({
        cmd: "subscribe",
        messageId: packet.packetIdentifier,
        subscriptions: packet.subscriptions.map((subscription) => ({
          topic: subscription.topicFilter,
          qos: subscription.qos,
          ...(version === 5 && {
            nl: subscription.noLocal,
            rap: subscription.retainAsPublished,
            rh: subscription.retainHandling,
          }),
        })),
        properties,
      });
    case "unsubscribe":
      return defined({
        cmd: "unsubscribe",
        messageId: packet.packetIdentifier,
        unsubscriptions: [...packet.topicFilters],
        properties,
      });
    case "suback":
    case "unsuback": {
      const granted = packet.reasonCodes.length === 0 ? undefined : [...packet.reasonCodes];
      return defined({ cmd: packet.type, messageId: packet.packetIdentifier, granted, properties });
    }
    case "pingreq":
    case "pingresp":
      return { cmd: packet.type };
    case "disconnect":
    case "auth":
      return defined({ cmd: packet.type, reasonCode: version === 5 ? packet.reasonCode : undefined, properties });
    default: {
      const reasonCode = version === 5 ? packet.reasonCode : undefined;
      return defined({ cmd: packet.type, messageId: packet.packetIdentifier, reasonCode, properties });
    }
  }
}

function peerProperties(properties: object | undefined): Fields | undefined {
  if (properties === undefined) return undefined;
  const result: Fields = {};
  for (const [name, value] of Object.entries(properties) as [string, unknown][]) {
    if (value === undefined || (Array.isArray(value) && value.length === 0)) continue;
    if (name === "userProperties") {
      result[name] = grouped(value as [string, string][]);
    } else if (name === "subscriptionIdentifiers") {
      const list = value as number[];
      result["subscriptionIdentifier"] = list.length === 1 ? list[0] : list;
    } else if (name === "subscriptionIdentifierAvailable") {
      result["subscriptionIdentifiersAvailable"] = value;
    } else if (name === "payloadFormatIndicator") {
      result[name] = value === 1;
    } else {
      result[name] = value instanceof Uint8Array ? Buffer.from(value) : value;
    }
  }
  return result;
}

/** mqtt-packet keeps user properties by name: one value, or a list of them. */
function grouped(pairs: readonly (readonly [string, string])[]): Fields {
  const result: Fields = Object.create(null) as Fields;
  for (const [name, value] of pairs) {
    const before = result[name] as string | string[] | undefined;
    result[name] = before === undefined ? value : [...(Array.isArray(before) ? before : [before]), value];
  }
  return { ...result };
}

function defined(fields: Fields): Fields {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}

/** What mqtt-packet reads, with our names' selection of its fields. */
function peerReads(bytes: Uint8Array, version: ProtocolVersion, like: Fields): Fields | string {
  const parser = mqttPacket.parser({ protocolVersion: version });
  const packets: Fields[] = [];
  let failure: string | undefined;
  parser.on("packet", (packet) => packets.push(packet as unknown as Fields));
  parser.on("error", (error: Error) => (failure = error.message));
  try {
    parser.parse(Buffer.from(bytes));
  } catch (error) {
    failure = String(error);
  }
  const [packet] = packets;
  if (failure !== undefined || packet === undefined) return failure ?? "no packet";
  return selected(packet, like);
}

function selected(actual: Fields, like: Fields): Fields {
  const result: Fields = {};
  for (const key of Object.keys(like)) {
    const [value, model] = [actual[key], like[key]];
    const isRecord = typeof value === "object" && value !== null && !Buffer.isBuffer(value) && !Array.isArray(value);
    result[key] = isRecord ? selected({ ...value }, (model ?? {}) as Fields) : value;
  }
  if (actual["properties"] !== undefined && like["properties"] === undefined)
    result["properties"] = actual["properties"];
  return result;
}

interface Difference {
  readonly name: string;
  /** Who is right by which statement. */
  readonly decidedBy: string;
  readonly applies: (packet: Packet, version: ProtocolVersion, peer: string) => boolean;
  /** A 5.0 packet that shows it. */
  readonly sample: EncodablePacket;
}

function isListed(list: readonly Difference[], packet: Packet, version: ProtocolVersion, peer: string): boolean {
  return list.some(({ applies }) => applies(packet, version, peer));
}

const weReadDifferently: readonly Difference[] = [
  {
    name: "it does not generate a 5.0 CONNECT with an empty client id and Clean Start 0",
    decidedBy: "MQTT-3.1.3-6: a server may assign one; 5.0 asks for no clean start",
    applies: (packet, version, peer) =>
      version === 5 && packet.type === "connect" && peer.includes("clientId must be given"),
    sample: { type: "connect", clientIdentifier: "", cleanStart: false },
  },
  {
    name: "it does not generate a 5.0 CONNECT with a password and no user name",
    decidedBy: "MQTT 5.0 §3.1.2.9: allowed, unlike in 3.1.1",
    applies: (packet, version, peer) =>
      version === 5 && packet.type === "connect" && peer.includes("Username is required"),
    sample: { type: "connect", clientIdentifier: "a", password: new Uint8Array(1) },
  },
];

const itReadsDifferently: readonly Difference[] = [
  {
    name: "it loses a user property of the name __proto__",
    decidedBy: "MQTT-3.3.2-17, MQTT-3.1.3-10: all user properties; a name is any string",
    applies: (packet) => userPropertyLists(packet).some((list) => list.some(([name]) => name === "__proto__")),
    sample: { type: "publish", topicName: "a", properties: { userProperties: [["__proto__", "1"]] } },
  },
  {
    name: "it forgets a user property with an empty value when its name comes again",
    decidedBy: "MQTT-3.3.2-18, MQTT-3.1.3-10: all user properties, in order",
    applies: (packet) => userPropertyLists(packet).some(hasRepeatedNameAfterEmptyValue),
    sample: {
      type: "publish",
      topicName: "a",
      properties: {
        userProperties: [
          ["name", ""],
          ["name", "2"],
        ],
      },
    },
  },
];

function userPropertyLists(packet: Packet): (readonly (readonly [string, string])[])[] {
  const lists = [];
  if ("properties" in packet && packet.properties !== undefined) lists.push(packet.properties.userProperties);
  if (packet.type === "connect" && packet.will?.properties !== undefined) {
    lists.push(packet.will.properties.userProperties);
  }
  return lists;
}

function hasRepeatedNameAfterEmptyValue(list: readonly (readonly [string, string])[]): boolean {
  return list.some(([name, value], index) => value === "" && list.slice(index + 1).some(([later]) => later === name));
}

const versions = [4, 5] as const;
const kinds = versions.flatMap(
  (version) =>
    [
      [version, "connect", connectPacket(version), fresh],
      [version, "client packets", clientPacket(version), { receives: "client-packets", protocolVersion: version }],
      [version, "server packets", serverPacket(version), { receives: "server-packets", protocolVersion: version }],
    ] as const,
);

describe.each(kinds)("protocol version %i, %s", (version, _kind, arbitrary, options) => {
  test("mqtt-packet reads what we encode", () => {
    fc.assert(
      fc.property(arbitrary, (packet) => {
        const expected = peerForm(packet, version);
        const actual = peerReads(encode(packet, version), version, expected);
        try {
          expect(actual).toEqual(expected);
        } catch (error) {
          if (!isListed(itReadsDifferently, packet, version, JSON.stringify(actual))) throw error;
        }
      }),
      { numRuns: 250 },
    );
  });

  test("we read what mqtt-packet generates", () => {
    fc.assert(
      fc.property(arbitrary, (packet) => {
        const form = peerForm(packet, version);
        let bytes: Uint8Array;
        try {
          bytes = mqttPacket.generate(form as unknown as mqttPacket.Packet, { protocolVersion: version });
        } catch (error) {
          if (!isListed(weReadDifferently, packet, version, String(error))) throw error;
          return;
        }
        try {
          const decoded = decodeOne(bytes, options);
          expect(peerForm(decoded, version)).toEqual(form);
        } catch (error) {
          if (!isListed(weReadDifferently, packet, version, String(error))) throw error;
        }
      }),
      { numRuns: 250 },
    );
  });
});

describe("the listed differences are still there", () => {
  test.each(weReadDifferently)("$name ($decidedBy)", ({ sample, applies }) => {
    const packet = decodeOne(encode(sample, 5), sample.type === "connect" ? fresh : fromClient5);
    let peer = "generated";
    try {
      mqttPacket.generate(peerForm(packet, 5) as unknown as mqttPacket.Packet, { protocolVersion: 5 });
    } catch (error) {
      peer = String(error);
    }
    expect(applies(packet, 5, peer)).toBe(true);
    expect(peer).not.toBe("generated");
  });

  test.each(itReadsDifferently)("$name ($decidedBy)", ({ sample, applies }) => {
    const bytes = encode(sample, 5);
    const packet = decodeOne(bytes, fromClient5);
    const expected = peerForm(packet, 5);
    expect(applies(packet, 5, "")).toBe(true);
    expect(peerReads(bytes, 5, expected)).not.toEqual(expected);
  });
});
