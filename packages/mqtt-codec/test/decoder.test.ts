/** What the streaming decoder promises: views, one copy, limits before memory, one error. */

import { Buffer } from "node:buffer";
import { growthOf } from "@latchkey/tooling-vitest/cpu-time";
import { describe, expect, test } from "vitest";
import { encode, MAXIMUM_CONNECT_SIZE, MqttCodecError, PacketDecoder } from "../src/index.ts";
import {
  decodeOne,
  drain,
  faultOf,
  fresh,
  fromClient4,
  fromClient5,
  fromServer5,
  octets,
  packet,
  properties,
  rawString,
  variableByteInteger,
} from "./wire.ts";

describe("views and copies", () => {
  test("a payload that lies in one chunk is a view of it, a Buffer's too", () => {
    for (const chunk of [packet(0x30, "a/b", [1, 2, 3]), Buffer.from(packet(0x30, "a/b", [1, 2, 3]))]) {
      const publish = decodeOne(chunk, fromClient4);
      if (publish.type !== "publish") throw new Error("not a PUBLISH");
      expect(publish.payload.buffer).toBe(chunk.buffer);
      chunk[chunk.length - 1] = 9;
      expect([...publish.payload]).toEqual([1, 2, 9]);
      expect(publish.payload.constructor).toBe(Uint8Array);
    }
  });

  test("one that spans chunks lies in a buffer of the packet's exact size, and the chunks are free again", () => {
    const bytes = encode({ type: "publish", topicName: "a/b", payload: new Uint8Array(300_000).fill(7) }, 4);
    const decoder = new PacketDecoder(fromClient4);
    const chunk = new Uint8Array(1000);
    const packets = [];
    for (let at = 0; at < bytes.length; at += chunk.length) {
      const part = bytes.subarray(at, at + chunk.length);
      chunk.set(part);
      decoder.push(chunk.subarray(0, part.length));
      packets.push(...drain(decoder));
      chunk.fill(0xff);
    }
    const [publish] = packets;
    if (publish?.type !== "publish") throw new Error("not a PUBLISH");
    expect(publish.payload.buffer.byteLength).toBe(bytes.length);
    expect(publish.payload.every((octet) => octet === 7)).toBe(true);
    expect(publish.topicName).toBe("a/b");
  });

  test("one that comes in small pieces is not copied again with each of them", () => {
    const inPieces = (octets: number): (() => void) => {
      const bytes = encode({ type: "publish", topicName: "a", payload: new Uint8Array(octets) }, 4);
      return () => {
        const decoder = new PacketDecoder(fromClient4);
        for (let at = 0; at < bytes.length; at += 64) {
          decoder.push(bytes.subarray(at, at + 64));
          decoder.next();
        }
      };
    };
    expect(growthOf(inPieces(128_000), inPieces(1_024_000), 24)).toBeLessThan(24);
  });

  test("a PUBLISH is a plain object: its topic survives a spread, structuredClone, JSON and the chunk's next use", () => {
    for (const topicName of ["a/b", "sensors/1/temperature", "é/é"]) {
      const chunk = packet(0x30, topicName);
      const publish = decodeOne(chunk, fromClient4);
      chunk.fill(0x78);
      const plain = {
        type: "publish",
        topicName,
        payload: new Uint8Array(0),
        qos: 0,
        retain: false,
        dup: false,
        packetIdentifier: 0,
        properties: undefined,
      };
      expect(publish).toStrictEqual(plain);
      expect({ ...publish }).toStrictEqual(plain);
      expect(structuredClone(publish)).toStrictEqual(plain);
      expect(JSON.parse(JSON.stringify(publish))).toMatchObject({ topicName });
    }
  });

  test("topics that come again and topics that do not are told apart", () => {
    const names = [
      "a/b",
      "abcd",
      "abce",
      "sensors/1/temperature",
      "sensors/2/temperature",
      "x".repeat(64),
      "x".repeat(65),
      "é/é",
    ];
    const decoder = new PacketDecoder(fromClient4);
    for (let round = 0; round < 200; round++) {
      const topicName = names[(round * 7 + (round >> 3)) % names.length] ?? "";
      decoder.push(packet(0x30, topicName, round & 0xff));
      const [publish] = drain(decoder);
      expect(publish).toMatchObject({ topicName, payload: Uint8Array.of(round & 0xff) });
    }
    decoder.push(packet(0x30, "sensors/1/temper+ture"));
    expect(() => decoder.next()).toThrow(MqttCodecError);
  });

  test("a property text with a wildcard that came before is no topic name", () => {
    const decoder = new PacketDecoder(fromClient5);
    for (let times = 0; times < 9; times++) decoder.push(packet(0x30, "t", properties(0x03, "abcd/+fgh")));
    expect(drain(decoder)).toHaveLength(9);
    decoder.push(packet(0x30, "abcd/+fgh", 0));
    expect(() => decoder.next()).toThrow("topic name");
  });

  test("and so are property texts", () => {
    const texts = ["text/plain", "text/plaim", "application/json", "application/jsom", "é", "abcd", "abc"];
    const decoder = new PacketDecoder(fromClient5);
    for (let round = 0; round < 100; round++) {
      const [contentType = "", name = "", value = ""] = [0, 1, 2].map(
        (step) => texts[(round * step + (round >> 2)) % texts.length],
      );
      decoder.push(packet(0x30, "t", properties(0x03, contentType, 0x26, name, value)));
      expect(drain(decoder)).toMatchObject([{ properties: { contentType, userProperties: [[name, value]] } }]);
    }
  });

  test("the beginning of a text that came before is not taken for it", () => {
    for (const beginning of [rawString(0x61, 0x62, 0x63, 0x64, 0xc3), rawString(0x61, 0x62, 0x63, 0x64)]) {
      const decoder = new PacketDecoder(fromClient5);
      for (let times = 0; times < 3; times++) decoder.push(packet(0x30, "t", properties(0x03, "abcdé")));
      drain(decoder);
      decoder.push(packet(0x30, "t", properties(0x03, beginning)));
      if (beginning.length === 6) {
        expect(decoder.next()).toMatchObject({ properties: { contentType: "abcd" } });
      } else {
        expect(() => decoder.next()).toThrow("well-formed UTF-8");
      }
    }
  });
});

describe("chunks", () => {
  test("several chunks may wait", () => {
    const decoder = new PacketDecoder(fresh);
    const bytes = octets(packet(0x10, "MQTT", 4, 2, [0, 0], "a"), packet(0x30, "t", 1), packet(0x30, "t", 2));
    for (const octet of bytes) decoder.push(Uint8Array.of(octet));
    decoder.push(new Uint8Array(0));
    expect(drain(decoder).map(({ type }) => type)).toEqual(["connect", "publish", "publish"]);
    expect(decoder.next()).toBeUndefined();
  });

  test("the version is CONNECT's", () => {
    const decoder = new PacketDecoder(fresh);
    expect(decoder.protocolVersion).toBeUndefined();
    decoder.push(packet(0x10, "MQTT", 5, 2, [0, 0], 0, "a"));
    expect(decoder.protocolVersion).toBeUndefined();
    decoder.next();
    expect(decoder.protocolVersion).toBe(5);
    decoder.push(packet(0x30, "t", 0, 9));
    expect(decoder.next()).toMatchObject({ payload: Uint8Array.of(9) });
  });
});

test("memory of a packet that has come in part is told, and is 0 between packets", () => {
  const decoder = new PacketDecoder({ receives: "client-packets", protocolVersion: 4 });
  const packet = encode({ type: "publish", topicName: "a", payload: new Uint8Array(1000) }, 4);
  const held: number[] = [];
  for (const chunk of [packet.subarray(0, 500), packet.subarray(500), packet, packet.subarray(0, 1)]) {
    decoder.push(chunk);
    while (decoder.next() !== undefined);
    held.push(decoder.heldOctets);
  }
  expect(held).toEqual([packet.length, 0, 0, 5]);
});

describe("limits", () => {
  test("before CONNECT a packet has at most 64 KiB, judged on its fixed header", () => {
    const largest = MAXIMUM_CONNECT_SIZE - 4;
    const decoder = new PacketDecoder(fresh);
    decoder.push(octets(0x10, variableByteInteger(largest)));
    expect(decoder.next()).toBeUndefined();
    const fault = faultOf(octets(0x10, variableByteInteger(largest + 1)), fresh);
    expect([fault.code, fault.reasonCode]).toEqual(["ERR_MQTT_CODEC_PACKET_TOO_LARGE", 0x95]);
    const small = { ...fresh, maximumPacketSize: 100 };
    expect(faultOf(octets(0x10, 99), small).code).toBe("ERR_MQTT_CODEC_PACKET_TOO_LARGE");
  });

  test("after it maximumPacketSize holds, fixed header included, by default 2 MiB", () => {
    for (const [size, options] of [
      [2_097_152, fromClient5],
      [200, { ...fromClient5, maximumPacketSize: 200 }],
    ] as const) {
      const header = (total: number): Uint8Array => octets(0x30, variableByteInteger(total - (total > 200 ? 4 : 3)));
      const decoder = new PacketDecoder(options);
      decoder.push(header(size));
      expect(decoder.next()).toBeUndefined();
      const fault = faultOf(header(size + (size > 200 ? 1 : 2)), options);
      expect([fault.code, fault.clause, fault.offset]).toEqual(["ERR_MQTT_CODEC_PACKET_TOO_LARGE", "MQTT-3.2.2-15", 1]);
    }
  });

  test("a length that is only announced costs at most 64 KiB", () => {
    const options = { ...fromClient4, maximumPacketSize: 268_435_460 };
    const before = process.memoryUsage().arrayBuffers;
    const decoders = Array.from({ length: 50 }, () => {
      const decoder = new PacketDecoder(options);
      decoder.push(octets(0x30, [0xff, 0xff, 0xff, 0x7f], 0));
      expect(decoder.next()).toBeUndefined();
      return decoder;
    });
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(50 * 70_000);
    expect(decoders).toHaveLength(50);
  });

  test("topic filters and reason codes of one packet have a limit", () => {
    const filters = (count: number): Uint8Array => packet(0xa2, [0, 1], ...Array.from({ length: count }, () => "a"));
    expect(decodeOne(filters(1024), fromClient4)).toMatchObject({ type: "unsubscribe" });
    expect(faultOf(filters(1025), fromClient4)).toMatchObject({
      code: "ERR_MQTT_CODEC_TOO_MANY_TOPIC_FILTERS",
      reasonCode: 0x97,
    });
    const subscriptions = packet(0x82, [0, 1], "a", 0, "b", 0, "c", 0);
    const few = { maximumTopicFilters: 2 };
    expect(faultOf(subscriptions, { ...fromClient4, ...few }).code).toBe("ERR_MQTT_CODEC_TOO_MANY_TOPIC_FILTERS");
    const suback = packet(0x90, [0, 1], 0, [0, 0, 0]);
    expect(faultOf(suback, { ...fromServer5, ...few }).code).toBe("ERR_MQTT_CODEC_TOO_MANY_TOPIC_FILTERS");
  });
});

describe("errors", () => {
  test("after one the decoder gives the same error ever after and takes nothing more", () => {
    const decoder = new PacketDecoder(fromClient4);
    decoder.push(octets(packet(0x30, "a"), packet(0x38, "a"), packet(0x30, "b")));
    expect(decoder.next()).toMatchObject({ topicName: "a" });
    let first: unknown;
    try {
      decoder.next();
    } catch (error) {
      first = error;
    }
    expect(first).toBeInstanceOf(MqttCodecError);
    decoder.push(packet(0x30, "c"));
    for (let again = 0; again < 3; again++) {
      let error: unknown;
      try {
        decoder.next();
      } catch (thrown) {
        error = thrown;
      }
      expect(error).toBe(first);
    }
  });

  test("an error says where, in which packet, and by which clause", () => {
    const decoder = new PacketDecoder(fromClient5);
    const before = packet(0x30, "a", 0);
    const wrong = packet(0x32, "abc", [0, 5], [5, 0x02, 0, 0, 0, 1], [7]);
    decoder.push(before);
    expect(drain(decoder)).toHaveLength(1);
    const bad = wrong.slice();
    bad[9] = 6;
    bad[10] = 0x7e;
    decoder.push(bad.subarray(0, 3));
    expect(decoder.next()).toBeUndefined();
    decoder.push(bad.subarray(3));
    expect(() => decoder.next()).toThrow(
      expect.objectContaining({
        name: "MqttCodecError",
        code: "ERR_MQTT_CODEC_PROPERTY_IDENTIFIER",
        packetOffset: before.length,
        offset: before.length + 10,
        packetType: "publish",
        clause: "MQTT 5.0 §2.2.2.2",
        reasonCode: 0x81,
        protocolVersion: 5,
        field: "propertyIdentifier",
        evidence: { identifier: 0x7e },
        message:
          "PUBLISH, property identifier: identifier 0x7E; a property has an identifier of table 2-4 " +
          `(MQTT 5.0 §2.2.2.2, octet ${before.length + 10}). ` +
          "Close the connection; the answer of MQTT 5.0 is 0x81 (malformed packet).",
      }),
    );
  });
});
