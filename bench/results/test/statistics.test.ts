import fc from "fast-check";
import { expect, test } from "vitest";
import { intervalOfMedian, median, quantile } from "../src/index.ts";

const oneTo = (count: number): number[] => Array.from({ length: count }, (_, index) => index + 1);

test("a quantile is linear between the two nearest ranks", () => {
  expect(quantile([4, 1, 3, 2], 0)).toBe(1);
  expect(quantile([4, 1, 3, 2], 1)).toBe(4);
  expect(quantile([4, 1, 3, 2], 0.25)).toBe(1.75);
  expect(median([3, 1, 2])).toBe(2);
  expect(median([])).toBeNaN();
});

// The ranks of the sign test's table for 95 %, two-sided.
test.each([
  [6, 1, 6],
  [9, 2, 8],
  [15, 4, 12],
  [25, 8, 18],
  [50, 18, 33],
])("of %i values the interval runs from rank %i to rank %i", (count, low, high) => {
  expect(intervalOfMedian(oneTo(count))).toEqual([low, high]);
});

test.each([0, 1, 5])("%i values are too few for 95 %%", (count) => {
  expect(intervalOfMedian(oneTo(count))).toBeNull();
});

test("the interval holds the median and does not depend on the order", () => {
  const values = fc.array(fc.double({ min: 1e-3, max: 1e3, noNaN: true }), { minLength: 6, maxLength: 60 });
  fc.assert(
    fc.property(values, (sample) => {
      const [low, high] = intervalOfMedian(sample) ?? [Number.NaN, Number.NaN];
      expect(low).toBeLessThanOrEqual(median(sample));
      expect(high).toBeGreaterThanOrEqual(median(sample));
      expect(intervalOfMedian(sample.toReversed())).toEqual([low, high]);
    }),
  );
});

test("it covers the true median about as often as it says", () => {
  // A linear congruential generator with a fixed seed: the same samples in every run.
  let state = 42;
  const random = (): number => (state = (state * 1_103_515_245 + 12_345) % 2_147_483_648) / 2_147_483_648;
  let covered = 0;
  for (let trial = 0; trial < 2000; trial++) {
    const [low, high] = intervalOfMedian(Array.from({ length: 25 }, random)) ?? [1, 0];
    if (low <= 0.5 && high >= 0.5) covered++;
  }
  expect(covered / 2000).toBeGreaterThan(0.94);
  expect(covered / 2000).toBeLessThan(0.98);
});
