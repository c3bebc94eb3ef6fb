import fc from "fast-check";
import { expect, test } from "vitest";
import { createMemoryStorage } from "../src/index.ts";
import { SortedKeys } from "../src/memory/sorted-keys.ts";
import { describeStorage } from "./storage-conformance.ts";

describeStorage("memory", createMemoryStorage);

test("sorted keys are those that were added and not deleted, in order, beyond one chunk", () => {
  fc.assert(
    fc.property(fc.array(fc.nat(5000), { minLength: 1200, maxLength: 2000 }), fc.nat(5000), (numbers, start) => {
      const keys = new SortedKeys();
      const model = new Set<string>();
      for (const [index, number] of numbers.entries()) {
        const key = String(number).padStart(4, "0");
        if (index % 3 === 2) {
          keys.delete(key);
          model.delete(key);
        } else {
          keys.add(key);
          model.add(key);
        }
      }
      const from = String(start).padStart(4, "0");
      expect([...keys.from(from)]).toEqual([...model].filter((key) => key >= from).sort());
    }),
    { numRuns: 20 },
  );
});

test("a reader that is far behind the feed is sent to read everything again", async () => {
  await using storage = createMemoryStorage();
  await storage.write((writer) => {
    for (let i = 0; i < 250_000; i++) writer.announce("thing", []);
  });
  expect(storage.changesAfter(0, 10)).toEqual({ isComplete: false, sequence: 250_000 });
  expect(storage.changesAfter(249_999, 10)).toMatchObject({ isComplete: true, changes: [{ sequence: 250_000 }] });
});
