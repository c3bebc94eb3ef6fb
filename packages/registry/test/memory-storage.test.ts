import { expect, test } from "vitest";
import { createMemoryStorage } from "../src/index.ts";
import { maximumChunk, SortedMap } from "../src/memory/sorted-map.ts";
import { testSortedMap } from "./sorted-map.ts";
import { describeStorage, testAsSortedMap } from "./storage-conformance.ts";

const keyOf = (number: number): string => String(number).padStart(5, "0");

describeStorage("memory", createMemoryStorage);

// `storage.corpora.test.ts` has more runs.
testAsSortedMap("memory", createMemoryStorage, 30);
testSortedMap(3);

test.each([
  ["ascending", (index: number) => index],
  ["descending", (index: number) => 99_999 - index],
  ["scattered", (index: number) => (index * 61_681) % 100_000],
])("no write among 100,000 entries moves more than a chunk: %s", (_, numberOf) => {
  const map = new SortedMap();
  for (let index = 0; index < 100_000; index++) map.set(keyOf(numberOf(index)), "");
  const sizes = map.chunkSizes();
  expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(100_000);
  expect(Math.max(...sizes)).toBeLessThanOrEqual(maximumChunk);
  expect(sizes.length).toBeLessThanOrEqual(1000);
});

test("a reader that is far behind the feed is sent to read everything again", async () => {
  await using storage = createMemoryStorage();
  await storage.write((writer) => {
    for (let i = 0; i < 250_000; i++) writer.announce("thing", []);
  });
  expect(storage.changesAfter(0, 10)).toEqual({ isComplete: false, sequence: 250_000 });
  expect(storage.changesAfter(249_999, 10)).toMatchObject({ isComplete: true, changes: [{ sequence: 250_000 }] });
});
