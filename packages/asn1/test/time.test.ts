import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Asn1Error, DerReader, encodeDer, Tag } from "../src/index.ts";
import { readTime } from "./read-time.ts";

describe("times of RFC 5280 §4.1.2.5", () => {
  it("agrees with Date on every kind of day", () => {
    const day = fc.date({
      min: new Date("0000-01-01T00:00:00Z"),
      max: new Date("9999-12-31T23:59:59Z"),
      noInvalidDate: true,
    });
    fc.assert(
      fc.property(day, (date) => {
        const seconds = Math.floor(date.getTime() / 1000);
        const text = `${date.toISOString().slice(0, 19).replaceAll(/[-:T]/g, "")}Z`;
        expect(readTime(Tag.generalizedTime, text)).toBe(seconds);
        expect(new DerReader(encodeDer((writer) => writer.generalizedTime(seconds))).time()).toBe(seconds);
        expect(new DerReader(encodeDer((writer) => writer.time(seconds))).time()).toBe(seconds);
      }),
    );
  });

  it("agrees with Date on each day from 1890 to 2110", () => {
    const first = Date.UTC(1890, 0, 1) / 1000;
    for (let day = 0; day < 220 * 365; day++) {
      const seconds = first + day * 86_400;
      const text = `${new Date(seconds * 1000).toISOString().slice(0, 10).replaceAll("-", "")}000000Z`;
      if (readTime(Tag.generalizedTime, text) !== seconds) expect.fail(text);
      const written = encodeDer((writer) => writer.generalizedTime(seconds));
      if (String.fromCharCode(...written.subarray(2)) !== text) expect.fail(text);
    }
  });

  it("puts UTCTime's years 50 to 99 into the 20th century", () => {
    expect(readTime(Tag.utcTime, "500101000000Z")).toBe(Date.UTC(1950, 0, 1) / 1000);
    expect(readTime(Tag.utcTime, "491231235959Z")).toBe(Date.UTC(2049, 11, 31, 23, 59, 59) / 1000);
  });

  it("writes UTCTime up to 2049 and GeneralizedTime from 2050", () => {
    const tagOf = (iso: string): number | undefined => encodeDer((writer) => writer.time(Date.parse(iso) / 1000))[0];
    expect(tagOf("1949-12-31T23:59:59Z")).toBe(Tag.generalizedTime);
    expect(tagOf("1950-01-01T00:00:00Z")).toBe(Tag.utcTime);
    expect(tagOf("2049-12-31T23:59:59Z")).toBe(Tag.utcTime);
    expect(tagOf("2050-01-01T00:00:00Z")).toBe(Tag.generalizedTime);
    expect(() => encodeDer((writer) => writer.time(253_402_300_800))).toThrow(Asn1Error);
    expect(() => encodeDer((writer) => writer.time(0.5))).toThrow(Asn1Error);
  });

  it.each([
    ["no seconds", Tag.utcTime, "1402181612Z"],
    ["no Z", Tag.utcTime, "140218161200"],
    ["an offset", Tag.utcTime, "140218161200+0100"],
    ["a fraction", Tag.generalizedTime, "20140218161200.5Z"],
    ["an offset", Tag.generalizedTime, "20140218161200+0000"],
    ["29 February of a common year", Tag.generalizedTime, "20150229000000Z"],
    ["29 February 1900", Tag.generalizedTime, "19000229000000Z"],
    ["month 13", Tag.generalizedTime, "20151301000000Z"],
    ["month 0", Tag.generalizedTime, "20150001000000Z"],
    ["hour 24", Tag.generalizedTime, "20150101240000Z"],
    ["minute 60", Tag.generalizedTime, "20150101006000Z"],
    ["second 61", Tag.generalizedTime, "20150101000061Z"],
    ["a lower-case z", Tag.utcTime, "140218161200z"],
    ["a space for a digit", Tag.utcTime, " 40218161200Z"],
  ])("refuses %s", (_, tag, text) => {
    expect(readTime(tag, text)).toBe("ERR_ASN1_TIME");
  });

  it("takes second 60 as the next minute's first", () => {
    expect(readTime(Tag.generalizedTime, "20161231235960Z")).toBe(Date.UTC(2017, 0, 1) / 1000);
  });
});
