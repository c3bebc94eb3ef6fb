import fc from "fast-check";
import { expect, test } from "vitest";
import { createMemoryStorage } from "../src/index.ts";
import { maximumChunk, SortedMap } from "../src/memory/sorted-map.ts";
import { describeStorage } from "./storage-conformance.ts";

const keyOf = (number: number): string => String(number).padStart(5, "0");

describeStorage("memory", createMemoryStorage);

test("a sorted map has what was set and not deleted, in order, beyond one chunk", () => {
  fc.assert(
    fc.property(fc.array(fc.nat(5000), { minLength: 1200, maxLength: 2000 }), fc.nat(5000), (numbers, start) => {
      const map = new SortedMap();
      const model = new Map<string, string>();
      for (const [index, number] of numbers.entries()) {
        const key = keyOf(number);
        if (index % 3 === 2) {
          map.delete(key);
          model.delete(key);
        } else {
          map.set(key, `value ${index}`);
          model.set(key, `value ${index}`);
        }
      }
      const from = keyOf(start);
      const sorted = [...model].sort(([a], [b]) => (a < b ? -1 : 1));
      expect([...map.from(from)]).toEqual(sorted.filter(([key]) => key >= from));
      expect([...map.before(from)]).toEqual(sorted.filter(([key]) => key < from).reverse());
      for (const number of [...numbers, start]) expect(map.get(keyOf(number))).toBe(model.get(keyOf(number)));
    }),
    { numRuns: 20 },
  );
});

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
