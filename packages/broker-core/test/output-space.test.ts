import { describe, expect, test } from "vitest";
import { encode } from "@latchkey/mqtt-codec";
import { OutputSpace } from "../src/connection/output-space.ts";

const publish = (octets: number) =>
  ({
    type: "publish",
    topicName: "a",
    qos: 1,
    packetIdentifier: 7,
    payload: new Uint8Array(octets).fill(octets),
  }) as const;

describe("output space", () => {
  test("gives the octets that encode gives, and never the same room twice", () => {
    const space = new OutputSpace();
    const made: { bytes: Uint8Array; expected: Uint8Array }[] = [];
    for (let round = 0; round < 400; round++) {
      const packet = publish(round);
      made.push({ bytes: space.encode(packet, 5, round + 20), expected: encode(packet, 5) });
      const identifier = round + 1;
      made.push({
        bytes: space.acknowledgement("puback", identifier, 4),
        expected: encode({ type: "puback", packetIdentifier: identifier }, 4),
      });
      const taken = space.take(round);
      expect(taken).toEqual(new Uint8Array(round));
      taken.fill(0xff);
    }
    for (const { bytes, expected } of made) expect(bytes).toEqual(expected);
  });

  test("puts packets behind each other, which go out as one piece", () => {
    const space = new OutputSpace();
    const first = space.acknowledgement("pubrec", 1, 5);
    const second = space.acknowledgement("pubcomp", 1, 5, 0x92);
    expect(second.buffer).toBe(first.buffer);
    expect(second.byteOffset).toBe(first.byteOffset + first.length);
    expect(second).toEqual(Uint8Array.of(0x70, 3, 0, 1, 0x92));
  });

  test("gives a large packet a buffer of its own, so that it holds nothing else", () => {
    const space = new OutputSpace();
    const large = space.encode(publish(5000), 4, 5020);
    expect(large.buffer.byteLength).toBe(large.length);
    expect(space.take(5000).buffer.byteLength).toBe(5000);
  });

  test("goes on after a packet that may not be written", () => {
    const space = new OutputSpace();
    const before = space.acknowledgement("puback", 1, 4);
    expect(() => space.acknowledgement("puback", 0, 4)).toThrow();
    const after = space.acknowledgement("puback", 2, 4);
    expect([...before, ...after]).toEqual([0x40, 2, 0, 1, 0x40, 2, 0, 2]);
  });
});
