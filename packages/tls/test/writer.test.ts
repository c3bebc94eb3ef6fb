import { describe, expect, it } from "vitest";
import { Reader } from "../src/reader.ts";
import { written } from "../src/writer.ts";

describe("what is written", () => {
  it("belongs to the caller: the next message does not change it", () => {
    const first = written((writer) => writer.ascii("one").uint32(0x01020304));
    const second = written((writer) => writer.ascii("two").uint32(0x05060708));
    expect([...first]).toEqual([0x6f, 0x6e, 0x65, 1, 2, 3, 4]);
    expect([...second]).toEqual([0x74, 0x77, 0x6f, 5, 6, 7, 8]);
  });

  it("may be written within another message, and may be long", () => {
    const long = new Uint8Array(5000).fill(7);
    const outer = written((writer) => {
      writer.uint8(1).vector16(written((inner) => inner.vector16(long).uint8(2)));
      writer.vector24((list) => list.octets(long));
    });
    const reader = new Reader(outer, "The message");
    expect(reader.uint8()).toBe(1);
    const inner = new Reader(reader.vector16(), "The inner message");
    expect(inner.vector16()).toEqual(long);
    expect(inner.uint8()).toBe(2);
    expect(reader.vector24()).toEqual(long);
    reader.end();
    expect([...written((writer) => writer.uint16(3))]).toEqual([0, 3]);
  });

  it("is whole after a message that could not be written", () => {
    expect(() => written((writer) => writer.ascii("lost").vector8(new Uint8Array(256)))).toThrow(RangeError);
    expect([...written((writer) => writer.uint24(0x0a0b0c))]).toEqual([10, 11, 12]);
  });
});

describe("what is read", () => {
  it("has numbers of up to four octets, and is refused where one is cut off", () => {
    const reader = new Reader(Uint8Array.of(0xff, 0xff, 0xff, 0xff, 1, 2), "The message");
    expect(reader.uint32()).toBe(0xffff_ffff);
    expect(reader.offset).toBe(4);
    expect(() => reader.uint24()).toThrow("The message is cut off: 3 octets are needed and 2 are left");
    expect(reader.uint16()).toBe(0x0102);
    expect(reader.remaining).toBe(0);
  });
});
