import { expect, test } from "vitest";
import { Latencies } from "../src/fleet/latencies.ts";
import { poissonTimes } from "../src/fleet/schedule.ts";

/** A small generator with a seed, so that the test is the same each time (Park and Miller). */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647;
  };
}

test("presses are a Poisson stream: the rate holds, and the gaps spread as much as they are long", () => {
  const times = poissonTimes(20_000, 50, seeded(7));
  const gaps = Array.from(times, (atMs, index) => atMs - (times[index - 1] ?? 0));
  expect(Math.min(...gaps)).toBeGreaterThanOrEqual(0);
  const mean = gaps.reduce((sum, gap) => sum + gap, 0) / gaps.length;
  const variance = gaps.reduce((sum, gap) => sum + (gap - mean) ** 2, 0) / gaps.length;
  expect(mean).toBeCloseTo(20, 0);
  // An even stream has 0, bursts have more than 1.
  expect(Math.sqrt(variance) / mean).toBeCloseTo(1, 1);
});

test("percentiles are right within 2 %, whatever the order", () => {
  const latencies = new Latencies();
  const random = seeded(11);
  const values = Array.from({ length: 5000 }, () => 1 + random() * 999);
  for (const value of values) latencies.add(value);
  const sorted = values.toSorted((one, other) => one - other);
  for (const share of [0.5, 0.9, 0.99, 0.999]) {
    const exact = sorted[Math.ceil(share * sorted.length) - 1] ?? 0;
    expect(Math.abs(latencies.percentile(share) / exact - 1)).toBeLessThan(0.02);
  }
  expect(latencies.percentile(1)).toBe(latencies.maximumMs);
  expect(latencies.maximumMs).toBe(sorted.at(-1));
});

test("none, one and absurd durations do no harm", () => {
  const latencies = new Latencies();
  expect(latencies.percentile(0.5)).toBe(0);
  latencies.add(3);
  expect(Math.abs(latencies.percentile(0.5) / 3 - 1)).toBeLessThan(0.02);
  for (const value of [0, -1, 1e12]) latencies.add(value);
  expect(latencies.count).toBe(4);
  expect(latencies.percentile(1)).toBeGreaterThan(1e6);
});
