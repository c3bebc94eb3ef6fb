/** The package's own matcher of topic filters, held to the examples of MQTT 5.0 §4.7.1. */

import { expect, test } from "vitest";
import { topicFilterMatches } from "../src/topic-filter.ts";

const rows: readonly (readonly [filter: string, topic: string, matches: boolean])[] = [
  ["sport/tennis/player1/#", "sport/tennis/player1", true],
  ["sport/tennis/player1/#", "sport/tennis/player1/ranking", true],
  ["sport/tennis/player1/#", "sport/tennis/player1/score/wimbledon", true],
  ["sport/#", "sport", true],
  ["sport/tennis/#", "sport/golf/player1", false],
  ["#", "sport/tennis", true],
  ["sport/tennis/+", "sport/tennis/player1", true],
  ["sport/tennis/+", "sport/tennis/player1/ranking", false],
  ["sport/+", "sport", false],
  ["sport/+", "sport/", true],
  ["+/+", "/finance", true],
  ["/+", "/finance", true],
  ["+", "/finance", false],
  ["sport", "Sport", false],
];

for (const [filter, topic, matches] of rows) {
  test(`${filter} ${matches ? "matches" : "does not match"} ${topic}`, () => {
    expect(topicFilterMatches(filter, topic)).toBe(matches);
  });
}
