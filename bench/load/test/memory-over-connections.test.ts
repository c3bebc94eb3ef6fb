import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { MemoryOverConnections } from "../src/memory-over-connections.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** What is said of a target whose memory is `kilobytes` with so many connections, when 1,000 of them are opened, ten at once. */
function slopeOf(kilobytes: (connections: number) => number | null): number | null {
  let connections = 0;
  const memory = new MemoryOverConnections(
    () => kilobytes(connections),
    () => connections,
    true,
  );
  memory.start();
  for (let opened = 0; opened < 100; opened++) {
    connections += 10;
    vi.advanceTimersByTime(50);
  }
  memory.stop();
  return memory.kilobytesPerConnection();
}

test("memory a connection is the slope over connections, whatever the target had before", () => {
  expect(slopeOf((connections) => 100_000 + 16 * connections)).toBeCloseTo(16);
});

test("what a target allocates once, with its first connections, is not told as theirs", () => {
  expect(slopeOf((connections) => 16 * connections + Math.min(40_000, 1000 * connections))).toBeCloseTo(16);
});

test("memory that grows in steps gives the line through them", () => {
  expect(slopeOf((connections) => 1600 * Math.floor(connections / 100))).toBeCloseTo(16, 0);
});

test("where memory is not known, nothing is said", () => {
  expect(slopeOf(() => null)).toBeNull();
});
