import { expect, test } from "vitest";
import { combineFigures, compareRounds } from "../src/combine-rounds.ts";
import { resultText } from "../src/result-text.ts";
import type { Figures, LoadResult } from "../src/result.ts";

const figures = (cost: number, lost = 0): Figures => ({
  cpuMicrosecondsPerMessage: cost,
  cpuMicrosecondsPerHandshake: null,
  kilobytesPerConnection: null,
  ratePerSecond: 100,
  latencyMs: null,
  durationSeconds: 1,
  operations: 100,
  sent: 100,
  received: 100 - lost,
  lost,
  duplicates: 0,
  ledger: { notSent: 0, missing: lost, failed: 0, unfinished: 0, outsideWindow: 0, unexpected: 0 },
  errors: {},
  errorsBeforeWindow: {},
  generator: null,
  timeline: [],
  phases: [],
  memory: [],
  processes: [],
});

function result(ours: [Figures, ...Figures[]], peers: [Figures, ...Figures[]]): LoadResult {
  return {
    ...combineFigures(ours),
    ...{ scenario: "pairs/qos0/tls", target: "latchkey", targetVersion: "1", peer: "peer", peerVersion: "2" },
    ...{ rounds: ours.length, workers: 1, scalingEfficiency: null, notSupported: null, notes: [] },
    peerFigures: combineFigures(peers),
    ...compareRounds(ours, peers, "cpuMicrosecondsPerMessage"),
    ratioOf: "cpuMicrosecondsPerMessage",
  };
}

test("a ratio is the median of the rounds' own ratios, not the ratio of medians, and its spread is theirs", () => {
  // The machine is three times as slow in the second round, for both.
  const { ratio, ratioSpread, cpuMicrosecondsPerMessage } = result(
    [figures(10), figures(30), figures(12)],
    [figures(10), figures(20), figures(10)],
  );
  expect(ratio).toBeCloseTo(1.2);
  expect(ratioSpread).toEqual([1, 1.5]);
  expect(cpuMicrosecondsPerMessage).toBe(12);
});

test("counts of the rounds are added up, so that what was sent is still received or lost", () => {
  const { sent, received, lost, ledger } = result([figures(1, 3), figures(1), figures(1, 2)], [figures(1)]);
  expect({ sent, received, lost, missing: ledger.missing }).toEqual({ sent: 300, received: 295, lost: 5, missing: 5 });
});

test("one round has no spread, a wide spread and losses are warned of", () => {
  expect(resultText(result([figures(3)], [figures(2)]))).toContain(
    "ratio of cpuMicrosecondsPerMessage: 1.50 (one round, so its noise is not known); below 1 latchkey is cheaper",
  );
  const narrow = resultText(result([figures(10), figures(11)], [figures(10), figures(10)]));
  expect(narrow).toContain("1.05 (1.00 to 1.10)");
  expect(narrow).not.toContain("warning");
  const wide = resultText(result([figures(10), figures(20), figures(10)], [figures(10), figures(10), figures(10)]));
  expect(wide).toContain("warning: the ratios of the rounds lie far apart: measure again on a quieter machine");
  const lossy = resultText(result([figures(10)], [figures(10, 4)]));
  expect(lossy).toContain("warning: peer lost some; the cost is that of what arrived");
});

test("what the generator itself was late by stands beside the latencies; without a schedule there is none", () => {
  const text = (scheduleLagMs: number): string => {
    const cpu = { cpuShare: 0.5, cpuMicrosecondsPerOperation: 9, worstEventLoopDelayMs: 9 };
    const generator = { ...cpu, scheduleLagMs, bottleneck: null };
    return resultText(result([{ ...figures(1), generator }], [figures(1)]));
  };
  expect(text(2.04)).toMatch(/generator 50 % of a core, p99 of its own lag 2\.04 ms$/m);
  expect(text(0)).toMatch(/generator 50 % of a core$/m);
});

test("percentiles that leave out more than they could hide are said to", () => {
  const latencyMs = { p50: 1, p90: 1, p99: 1, p999: 1, max: 1, mean: 1, percentiles: [] };
  const text = (lost: number): string => resultText(result([{ ...figures(1, lost), latencyMs }], [figures(1)]));
  expect(text(0)).not.toContain("the percentiles");
  expect(text(1)).toContain("the percentiles are of what arrived: 1.0 % did not");
  expect(text(56)).toContain("the percentiles are of what arrived: 56 % did not");
});
