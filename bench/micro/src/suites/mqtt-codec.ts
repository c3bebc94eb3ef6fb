/**
 * The MQTT codec beside mqtt-packet. Both sides do the whole job with their checks on: a decoded PUBLISH has its topic
 * as text and its payload as a view, an encoded packet stands complete in a buffer.
 */

import {
  encode,
  type EncodablePacket,
  encodeInto,
  PacketDecoder,
  preparePublish,
  type ProtocolVersion,
} from "@latchkey/mqtt-codec";
import mqttPacket from "mqtt-packet";
import type { Contender, Scenario, Suite } from "../scenario.ts";

const OURS = "@latchkey/mqtt-codec";
const PEER = "mqtt-packet";
const CHUNK = 65_536;
const BATCH = 1000;

/**
 * Buttons of a fleet. A connection is one button's, so its packets have one topic; rows named so mix 64 (a gateway) or
 * 4,096 (a bridge, more than any memory of texts holds) on one connection.
 */
const SERIALS = Array.from({ length: 4096 }, (_, index) => `G030JF05536${String(index).padStart(5, "0")}`);
const TOPICS = SERIALS.map((serial) => `iotbutton/${serial}`);
/** What an AWS IoT button says: 84 octets. */
const PAYLOAD = Buffer.from('{"serialNumber":"G030JF0553600000", "batteryVoltage":"1566mV", "clickType":"SINGLE"}');

export const suite: Suite = {
  name: "mqtt-codec",
  scenarios: {
    "mqtt-codec/decode/publish/qos0/84B": () =>
      decodeScenario(
        4,
        cycle((index) => publish(index, 0)),
      ),
    "mqtt-codec/decode/publish/qos1/84B": () =>
      decodeScenario(
        4,
        cycle((index) => publish(index, 1)),
      ),
    "mqtt-codec/decode/publish/qos0/84B/64-topics": () =>
      decodeScenario(
        4,
        cycle((index) => publish(index, 0, 64)),
      ),
    "mqtt-codec/decode/publish/qos1/84B/64-topics": () =>
      decodeScenario(
        4,
        cycle((index) => publish(index, 1, 64)),
      ),
    "mqtt-codec/decode/publish/qos0/84B/4096-topics": () =>
      decodeScenario(
        4,
        cycle((index) => publish(index, 0, 4096), 4096),
      ),
    "mqtt-codec/decode/publish/qos0/84B/4096-clients": decodeClients,
    "mqtt-codec/decode/puback": () =>
      decodeScenario(
        4,
        cycle((index) => ({ type: "puback", packetIdentifier: index + 1 })),
      ),
    "mqtt-codec/decode/publish5/4-properties": () => decodeScenario(5, cycle(publish5)),
    "mqtt-codec/decode/subscribe/8": () => decodeScenario(4, cycle(subscribe8)),
    "mqtt-codec/decode/connect": decodeConnect,
    "mqtt-codec/decode/mixed/64KiB": () => decodeScenario(4, cycle(mixed)),
    "mqtt-codec/decode/publish/1MiB/64-chunks": decodeLargePublish,
    "mqtt-codec/encode/publish/qos0/84B": () =>
      encodeScenario(
        4,
        cycle((index) => publish(index, 0)),
      ),
    "mqtt-codec/encode/publish/qos1/84B": () =>
      encodeScenario(
        4,
        cycle((index) => publish(index, 1)),
      ),
    "mqtt-codec/encode/publish/qos0/84B/64-topics": () =>
      encodeScenario(
        4,
        cycle((index) => publish(index, 0, 64)),
      ),
    "mqtt-codec/encode/publish/qos1/84B/64-topics": () =>
      encodeScenario(
        4,
        cycle((index) => publish(index, 1, 64)),
      ),
    "mqtt-codec/encode/publish/qos0/84B/4096-topics": () =>
      encodeScenario(
        4,
        cycle((index) => publish(index, 0, 4096), 4096),
      ),
    "mqtt-codec/encode/publish5/4-properties": () => encodeScenario(5, cycle(publish5)),
    "mqtt-codec/fanout/publish/1000-receivers": fanOut,
  },
};

function publish(index: number, qos: 0 | 1, topics = 1): EncodablePacket {
  const topicName = TOPICS[index % topics] ?? "";
  return {
    type: "publish",
    topicName,
    payload: PAYLOAD,
    qos,
    retain: false,
    dup: false,
    packetIdentifier: qos * (index + 1),
  };
}

function publish5(index: number): EncodablePacket {
  return {
    type: "publish",
    topicName: TOPICS[0] ?? "",
    payload: PAYLOAD,
    qos: 1,
    retain: false,
    dup: false,
    packetIdentifier: index + 1,
    properties: {
      payloadFormatIndicator: 1,
      messageExpiryInterval: 3600,
      contentType: "application/json",
      userProperties: [["clickType", "SINGLE"]],
    },
  };
}

function subscribe8(index: number): EncodablePacket {
  const subscriptions = Array.from({ length: 8 }, (_, level) => ({
    topicFilter: `iotbutton/${SERIALS[level] ?? ""}/+`,
    qos: 1 as const,
  }));
  return { type: "subscribe", packetIdentifier: index + 1, subscriptions };
}

/** What a broker reads from a mixed crowd after CONNECT. */
function mixed(index: number): EncodablePacket {
  switch (index % 8) {
    case 0:
      return subscribe8(index);
    case 1:
    case 2:
      return { type: "puback", packetIdentifier: index + 1 };
    case 3:
      return { type: "pingreq" };
    case 4:
    case 5:
      return publish(index, 1);
    default:
      return publish(index, 0);
  }
}

/** Packets that are all made before the clock runs. */
function cycle(packet: (index: number) => EncodablePacket, count = 1024): readonly EncodablePacket[] {
  return Array.from({ length: count }, (_, index) => packet(index));
}

/** As many whole packets, over and over, as fill about `size` octets, cut into 64 KiB chunks. */
function chunksOf(packets: readonly EncodablePacket[], version: ProtocolVersion, size = 8 * CHUNK): Buffer[] {
  const encoded = packets.map((packet) => encode(packet, version));
  const parts: Uint8Array[] = [];
  for (let length = 0, index = 0; length < size; index++) {
    const part = encoded[index % encoded.length] ?? new Uint8Array(0);
    parts.push(part);
    length += part.length;
  }
  const stream = Buffer.concat(parts);
  const chunks: Buffer[] = [];
  // Each chunk has memory of its own, as those of a socket have.
  for (let at = 0; at < stream.length; at += CHUNK) chunks.push(Buffer.from(stream.subarray(at, at + CHUNK)));
  return chunks;
}

function averageLength(packets: readonly EncodablePacket[], version: ProtocolVersion): number {
  const total = packets.reduce((sum, packet) => sum + encode(packet, version).length, 0);
  return Math.round(total / packets.length);
}

function decodeScenario(version: ProtocolVersion, packets: readonly EncodablePacket[]): Scenario {
  const chunks = chunksOf(packets, version);
  return {
    unit: "packet",
    bytesPerOperation: averageLength(packets, version),
    subject: { name: OURS, run: () => decodeOurs(chunks, version) },
    peers: [peerDecoder(chunks, version)],
  };
}

/** Reads the topic of every PUBLISH as text, which makes it. */
function decodeOurs(chunks: readonly Uint8Array[], version: ProtocolVersion): number {
  const decoder = new PacketDecoder({ receives: "client-packets", protocolVersion: version });
  let packets = 0;
  let seen = 0;
  for (const chunk of chunks) {
    decoder.push(chunk);
    for (let packet = decoder.next(); packet !== undefined; packet = decoder.next()) {
      packets += 1;
      if (packet.type === "publish") seen += packet.topicName.length + packet.payload.length;
    }
  }
  if (seen < 0) throw new Error("unreachable: keeps what was read alive");
  return packets;
}

function peerDecoder(chunks: readonly Buffer[], version: ProtocolVersion): Contender {
  return {
    name: PEER,
    run: () => {
      const parser = mqttPacket.parser({ protocolVersion: version });
      let packets = 0;
      let seen = 0;
      parser.on("packet", (packet) => {
        packets += 1;
        if (packet.cmd === "publish") seen += packet.topic.length + packet.payload.length;
      });
      parser.on("error", (error: Error) => {
        throw error;
      });
      for (const chunk of chunks) parser.parse(chunk);
      if (seen < 0) throw new Error("unreachable: keeps what was read alive");
      return packets;
    },
  };
}

/** Every connection has a decoder of its own, so making one is part of the work. */
function decodeConnect(): Scenario {
  const bytes = Buffer.from(
    encode(
      {
        type: "connect",
        clientIdentifier: SERIALS[0] ?? "",
        cleanStart: true,
        keepAlive: 1200,
        userName: "?SDK=latchkey&Version=1.0.0",
        will: { topicName: TOPICS[0] ?? "", payload: Buffer.from("gone"), qos: 1, retain: false },
      },
      4,
    ),
  );
  return {
    unit: "packet",
    bytesPerOperation: bytes.length,
    subject: {
      name: OURS,
      run: () => {
        let packets = 0;
        for (let round = 0; round < BATCH; round++) {
          const decoder = new PacketDecoder({ receives: "client-packets" });
          decoder.push(bytes);
          if (decoder.next()?.type === "connect") packets += 1;
        }
        return packets;
      },
    },
    peers: [
      {
        name: PEER,
        run: () => {
          let packets = 0;
          for (let round = 0; round < BATCH; round++) {
            const parser = mqttPacket.parser();
            parser.on("packet", (packet) => {
              if (packet.cmd === "connect") packets += 1;
            });
            parser.parse(bytes);
          }
          return packets;
        },
      },
    ],
  };
}

/**
 * What a broker reads from a fleet: 4,096 connections with a decoder each, every client with its own topic, and a chunk
 * of one packet from each in turn.
 */
function decodeClients(): Scenario {
  const packets = cycle((index) => publish(index, 0, 4096), 4096);
  const chunks = packets.map((packet) => Buffer.from(encode(packet, 4)));
  const decoders = chunks.map(() => new PacketDecoder({ receives: "client-packets", protocolVersion: 4 }));
  let theirPackets = 0;
  let seen = 0;
  const parsers = chunks.map(() => {
    const parser = mqttPacket.parser({ protocolVersion: 4 });
    parser.on("packet", (packet) => {
      theirPackets += 1;
      if (packet.cmd === "publish") seen += packet.topic.length + packet.payload.length;
    });
    return parser;
  });
  return {
    unit: "packet",
    bytesPerOperation: averageLength(packets, 4),
    subject: {
      name: OURS,
      run: () => {
        let decoded = 0;
        for (const [index, decoder] of decoders.entries()) {
          decoder.push(chunks[index] ?? new Uint8Array(0));
          for (let packet = decoder.next(); packet !== undefined; packet = decoder.next()) {
            decoded += 1;
            if (packet.type === "publish") seen += packet.topicName.length + packet.payload.length;
          }
        }
        if (seen < 0) throw new Error("unreachable: keeps what was read alive");
        return decoded;
      },
    },
    peers: [
      {
        name: PEER,
        run: () => {
          const before = theirPackets;
          for (const [index, parser] of parsers.entries()) parser.parse(chunks[index] ?? Buffer.alloc(0));
          return theirPackets - before;
        },
      },
    ],
  };
}

function decodeLargePublish(): Scenario {
  const payload = new Uint8Array(1_048_576).fill(0x61);
  const packet = encode({ type: "publish", topicName: TOPICS[0] ?? "", payload }, 4);
  const size = Math.ceil(packet.length / 64);
  const chunks: Buffer[] = [];
  for (let at = 0; at < packet.length; at += size) chunks.push(Buffer.from(packet.subarray(at, at + size)));
  return {
    unit: "packet",
    bytesPerOperation: packet.length,
    subject: { name: OURS, run: () => decodeOurs(chunks, 4) },
    peers: [peerDecoder(chunks, 4)],
  };
}

function encodeScenario(version: ProtocolVersion, packets: readonly EncodablePacket[]): Scenario {
  const pool = new Uint8Array(CHUNK);
  const theirs = packets.map((packet) => peerPacket(packet));
  return {
    unit: "packet",
    bytesPerOperation: averageLength(packets, version),
    subject: {
      name: OURS,
      run: () => {
        let offset = 0;
        for (const packet of packets) {
          if (offset > CHUNK - 512) offset = 0;
          offset = encodeInto(packet, version, pool, offset);
        }
        return packets.length;
      },
    },
    peers: [
      {
        name: PEER,
        run: () => {
          let octets = 0;
          for (const packet of theirs) octets += mqttPacket.generate(packet, { protocolVersion: version }).length;
          return octets > 0 ? theirs.length : 0;
        },
      },
    ],
  };
}

/** The same PUBLISH as mqtt-packet wants it. */
function peerPacket(packet: EncodablePacket): mqttPacket.IPublishPacket {
  if (packet.type !== "publish") throw new Error("only PUBLISH is compared");
  const { topicName, payload = new Uint8Array(0), qos = 0, packetIdentifier = 0, properties } = packet;
  const common = {
    cmd: "publish",
    topic: topicName,
    payload: Buffer.from(payload),
    qos,
    retain: false,
    dup: false,
  } as const;
  return {
    ...common,
    ...(packetIdentifier === 0 ? {} : { messageId: packetIdentifier }),
    ...(properties === undefined
      ? {}
      : {
          properties: {
            payloadFormatIndicator: properties.payloadFormatIndicator === 1,
            messageExpiryInterval: properties.messageExpiryInterval ?? 0,
            contentType: properties.contentType ?? "",
            userProperties: Object.fromEntries(properties.userProperties ?? []),
          },
        }),
  };
}

/** One PUBLISH to 1,000 receivers, QoS 1 with an identifier each, into pooled buffers; the peer encodes each. */
function fanOut(): Scenario {
  const pool = new Uint8Array(CHUNK);
  const topicName = TOPICS[0] ?? "";
  const common = { cmd: "publish", topic: topicName, payload: PAYLOAD, qos: 1, retain: false, dup: false } as const;
  return {
    unit: "packet",
    bytesPerOperation: encode({ type: "publish", topicName, payload: PAYLOAD, qos: 1, packetIdentifier: 1 }, 4).length,
    subject: {
      name: OURS,
      run: () => {
        const prepared = preparePublish({ topicName, payload: PAYLOAD });
        let offset = 0;
        let packets = 0;
        for (let receiver = 1; receiver <= 1000; receiver++) {
          if (offset > CHUNK - 512) offset = 0;
          offset = prepared.encodeInto(4, { qos: 1, packetIdentifier: receiver }, pool, offset);
          packets += 1;
        }
        return packets;
      },
    },
    peers: [
      {
        name: PEER,
        run: () => {
          let packets = 0;
          for (let receiver = 1; receiver <= 1000; receiver++) {
            if (mqttPacket.generate({ ...common, messageId: receiver }).length > 0) packets += 1;
          }
          return packets;
        },
      },
    ],
  };
}
