import { growthOf } from "@latchkey/tooling-vitest/cpu-time";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { matchesTopicFilter, parseTopicFilter, validateTopicFilter, validateTopicName } from "../src/index.ts";

describe("matchesTopicFilter", () => {
  // MQTT 3.1.1 and 5.0 §4.7.1 and §4.7.2, the standard's examples among them.
  const matching = [
    ["sport/tennis/player1/#", "sport/tennis/player1"],
    ["sport/tennis/player1/#", "sport/tennis/player1/ranking"],
    ["sport/tennis/player1/#", "sport/tennis/player1/score/wimbledon"],
    ["sport/#", "sport"],
    ["#", "anything/at/all"],
    ["#", "/"],
    ["sport/tennis/+", "sport/tennis/player1"],
    ["sport/+", "sport/"],
    ["+", "sport"],
    ["+", ""],
    ["+/+", "/finance"],
    ["/+", "/finance"],
    ["+/tennis/#", "sport/tennis"],
    ["+/#", "a"],
    ["a//b", "a//b"],
    ["a/+/b", "a//b"],
    ["$SYS/#", "$SYS/broker"],
    ["$SYS/#", "$SYS"],
    ["$SYS/monitor/+", "$SYS/monitor/Clients"],
    ["a/$b/#", "a/$b/c"],
    ["+/$b", "a/$b"],
    ["é/+", "é/𝄞"],
  ] as const;
  const different = [
    ["sport/tennis/+", "sport/tennis/player1/ranking"],
    ["sport/+", "sport"],
    ["+", "/finance"],
    ["+/monitor/Clients", "$SYS/monitor/Clients"],
    ["#", "$SYS"],
    ["+", "$SYS"],
    ["sport", "sport/"],
    ["sport/", "sport"],
    ["sport/#", "sports"],
    ["a/b", "a/bc"],
    ["a/bc", "a/b"],
    ["a/+/c", "a/b"],
    ["a/+/#", "a"],
    ["/a", "a"],
    ["Sport", "sport"],
  ] as const;
  test.each(matching)("%s matches %s", (filter, topic) => expect(matchesTopicFilter(filter, topic)).toBe(true));
  test.each(different)("%s does not match %s", (filter, topic) =>
    expect(matchesTopicFilter(filter, topic)).toBe(false),
  );

  test("in AWS IoT Core # does not match its parent level", () => {
    const aws = { multiLevelMatchesParent: false };
    expect(matchesTopicFilter("sensor/#", "sensor", aws)).toBe(false);
    expect(matchesTopicFilter("sensor/#", "sensor/", aws)).toBe(true);
    expect(matchesTopicFilter("sensor/#", "sensor/a", aws)).toBe(true);
    expect(matchesTopicFilter("sensor/#", "sensor/a/b", aws)).toBe(true);
    expect(matchesTopicFilter("#", "sensor", aws)).toBe(true);
  });

  test("agrees with comparing level by level", () => {
    const level = fc.constantFrom("", "a", "b", "$x", "ab");
    const topic = fc.array(level, { minLength: 1, maxLength: 5 });
    const filter = fc.tuple(
      fc.array(fc.oneof(level, fc.constant("+")), { maxLength: 5 }),
      fc.constantFrom<string[]>([], ["#"]),
    );
    fc.assert(
      fc.property(topic, filter, fc.boolean(), (levels, [head, tail], multiLevelMatchesParent) => {
        const filterLevels = [...head, ...tail];
        fc.pre(filterLevels.length > 0);
        const expected = byLevels(filterLevels, levels, multiLevelMatchesParent);
        const options = { multiLevelMatchesParent };
        expect(matchesTopicFilter(filterLevels.join("/"), levels.join("/"), options)).toBe(expected);
      }),
      { numRuns: 2000 },
    );
  });

  test("takes time in proportion to the topic, however the filter is made", () => {
    const matchOf = (levels: number): (() => void) => {
      const topic = "a/".repeat(levels);
      const [matching, other] = ["+/".repeat(levels), `${"+/".repeat(levels - 1)}b/`];
      return () => {
        expect(matchesTopicFilter(matching, topic)).toBe(true);
        expect(matchesTopicFilter(other, topic)).toBe(false);
      };
    };
    // Sixteen times the topic: 16 is linear, 256 quadratic.
    expect(growthOf(matchOf(10_000), matchOf(160_000), 64)).toBeLessThan(64);
  });
});

function byLevels(filter: readonly string[], topic: readonly string[], hashMatchesParent: boolean): boolean {
  if (topic[0]?.startsWith("$") && (filter[0] === "+" || filter[0] === "#")) return false;
  for (const [index, level] of filter.entries()) {
    if (level === "#") return topic.length > index || (topic.length === index && hashMatchesParent);
    const actual = topic[index];
    if (actual === undefined || (level !== "+" && level !== actual)) return false;
  }
  return filter.length === topic.length;
}

describe("validation", () => {
  test("a filter is taken apart", () => {
    expect(parseTopicFilter("$share/group/a/+//#")).toEqual({
      ok: true,
      topicFilter: "a/+//#",
      shareName: "group",
      levels: ["a", "+", "", "#"],
      hasWildcards: true,
    });
    expect(parseTopicFilter("/a")).toMatchObject({ shareName: undefined, levels: ["", "a"], hasWildcards: false });
    expect(parseTopicFilter("$shared/a/b")).toMatchObject({ shareName: undefined, topicFilter: "$shared/a/b" });
  });

  test("in 3.1.1 $share is a level like others", () => {
    const options = { sharedSubscriptions: false };
    expect(parseTopicFilter("$share/g", options)).toMatchObject({ topicFilter: "$share/g", shareName: undefined });
    expect(validateTopicFilter("$share//a", options)).toEqual({ ok: true });
    expect(validateTopicFilter("$share/+/a", options)).toEqual({ ok: true });
  });

  const faults = [
    ["", "empty", 0],
    ["a\u0000", "null-character", 1],
    ["ab\ud800", "lone-surrogate", 2],
    ["a".repeat(65_536), "too-long", 65_535],
    ["a/b#", "multi-level-wildcard-not-alone", 3],
    ["a/#/b", "multi-level-wildcard-not-last", 2],
    ["a/b+", "single-level-wildcard-not-alone", 3],
    ["$share/", "share-name-empty", 7],
    ["$share/a+/b", "share-name-wildcard", 8],
    ["$share/a", "share-without-filter", 8],
  ] as const;
  test.each(faults)("%s: %s", (text, fault, index) => {
    expect(parseTopicFilter(text)).toMatchObject({ ok: false, fault, index });
    expect(validateTopicFilter(text)).toMatchObject({ ok: false, fault, index });
  });

  test("whether a filter has wildcards", () => {
    for (const filter of ["+", "#", "a/+", "a/#", "+/a", "$share/g/a/+"]) {
      expect(parseTopicFilter(filter)).toMatchObject({ ok: true, hasWildcards: true });
    }
    for (const filter of ["a", "/", "a/b", "$share/g/a"]) {
      expect(parseTopicFilter(filter)).toMatchObject({ ok: true, hasWildcards: false });
    }
  });

  test("a topic name has no wildcard but may begin with $ or /", () => {
    expect(validateTopicName("$aws/things/a")).toEqual({ ok: true, topicName: "$aws/things/a" });
    expect(validateTopicName("/")).toMatchObject({ ok: true });
    expect(validateTopicName("a/+")).toMatchObject({ ok: false, fault: "wildcard-in-name", index: 2 });
  });
});
