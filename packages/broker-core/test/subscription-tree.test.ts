import { matchesTopicFilter } from "@latchkey/mqtt-codec";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { SubscriptionTree } from "../src/routing/subscription-tree.ts";

function matching(filters: readonly string[], topicName: string): string[] {
  const tree = new SubscriptionTree<string>();
  for (const filter of filters) tree.at(filter, () => filter);
  return tree.match(topicName).sort();
}

describe("the examples of MQTT 3.1.1 §4.7.1", () => {
  const player = "sport/tennis/player1";
  test.each([
    ["sport/tennis/player1/#", [player, `${player}/ranking`, `${player}/score/wimbledon`], ["sport/tennis", "sport"]],
    ["sport/#", ["sport", "sport/tennis"], ["sports"]],
    ["#", ["a", "/a", "a/b/c"], ["$SYS/a"]],
    ["sport/tennis/+", [player, "sport/tennis/"], [`${player}/ranking`, "sport/tennis"]],
    ["sport/+", ["sport/"], ["sport"]],
    ["+/+", ["/finance"], ["finance", "$SYS/a"]],
    ["/+", ["/finance"], ["finance"]],
    ["+", ["finance"], ["/finance", "$SYS"]],
    ["$SYS/#", ["$SYS/a", "$SYS"], ["SYS/a"]],
    ["$SYS/monitor/+", ["$SYS/monitor/Clients"], ["$SYS/monitor"]],
  ])("%s", (filter, matched, unmatched) => {
    for (const topicName of matched) expect(matching([filter], topicName), topicName).toEqual([filter]);
    for (const topicName of unmatched) expect(matching([filter], topicName), topicName).toEqual([]);
  });
});

test("in AWS IoT Core a filter that ends with # does not match its parent level", () => {
  const tree = new SubscriptionTree<string>(false);
  for (const filter of ["a/#", "#", "a/+/#"]) tree.at(filter, () => filter);
  expect(tree.match("a").sort()).toEqual(["#"]);
  expect(tree.match("a/").sort()).toEqual(["#", "a/#"]);
  expect(tree.match("a/b").sort()).toEqual(["#", "a/#"]);
  expect(tree.match("a/b/c").sort()).toEqual(["#", "a/#", "a/+/#"]);
});

const level = fc.constantFrom("", "a", "b", "$x");
const topicName = fc.array(level, { minLength: 1, maxLength: 4 }).map((levels) => levels.join("/"));
const topicFilter = fc
  .tuple(fc.array(fc.oneof(level, fc.constant("+")), { minLength: 1, maxLength: 4 }), fc.boolean())
  .map(([levels, open]) => (open ? [...levels, "#"] : levels).join("/"));

test("the tree agrees with matching filter by filter", () => {
  fc.assert(
    fc.property(fc.uniqueArray(topicFilter), topicName, (filters, topic) => {
      const expected = filters.filter((filter) => matchesTopicFilter(filter, topic)).sort();
      expect(matching(filters, topic)).toEqual(expected);
    }),
  );
});

test("what is removed leaves nothing behind", () => {
  fc.assert(
    fc.property(fc.uniqueArray(topicFilter), (filters) => {
      const tree = new SubscriptionTree<string>();
      for (const filter of filters) tree.at(filter, () => "one");
      for (const filter of filters) expect(tree.remove(filter)).toBe(true);
      for (const filter of filters) expect(tree.remove(filter)).toBe(false);
      expect(tree.isEmpty).toBe(true);
    }),
  );
});
