import { expect, test } from "vitest";
import { type Effort, fullEffort, isSteady, measureScenario } from "../src/measure.ts";
import type { Contender, Scenario } from "../src/scenario.ts";

/** A clock that only the contenders move, so that every figure below is exact. */
class FakeClock {
  ms = 0;
  /** How many times slower the machine has become. */
  slowness = 1;
  readonly now = (): number => this.ms;

  /** A contender of so many operations a batch. `order` is given its name at each batch. */
  contender(name: string, millisecondsPerOperation: number | (() => number), order: string[] = []): Contender {
    return {
      name,
      run: () => {
        order.push(name);
        const each =
          typeof millisecondsPerOperation === "number" ? millisecondsPerOperation : millisecondsPerOperation();
        this.ms += 50 * each * this.slowness;
        return 50;
      },
    };
  }
}

const long = { longestWarmUpMs: 1e9, longestMs: 1e9 };
const effort: Effort = { rounds: 9, sampleMs: 10, leastWarmUpRounds: 0, mostWarmUpRounds: 0, ...long };

function scenario(subject: Contender, ...peers: Contender[]): Scenario {
  return { unit: "slice", bytesPerOperation: 7, subject, peers };
}

test("rates, ratio, interval and percentiles are those of the operations that the sides did", async () => {
  const clock = new FakeClock();
  const sides = scenario(clock.contender("ours", 0.01), clock.contender("theirs", 0.04));
  const versionOf = ({ name }: Contender): string => `${name} 1.2.3`;
  const [row, ...more] = await measureScenario("pizza/slice", sides, { effort, now: clock.now, versionOf });
  expect(more).toEqual([]);
  expect(row).toMatchObject({ scenario: "pizza/slice", subject: "ours", peer: "theirs", unit: "slice", rounds: 9 });
  expect(row).toMatchObject({ bytesPerOperation: 7, subjectVersion: "ours 1.2.3", peerVersion: "theirs 1.2.3" });
  expect(row?.opsPerSecond).toBeCloseTo(100_000, 3);
  expect(row?.peerOpsPerSecond).toBeCloseTo(25_000, 3);
  expect(row?.ratio).toBeCloseTo(4, 6);
  expect(row?.ratioInterval?.map((end) => end.toFixed(6))).toEqual(["4.000000", "4.000000"]);
  expect(row?.spread).toBeCloseTo(0, 6);
  expect(row?.samples.count).toBe(9 * 20);
  expect(row?.samples.nanosecondsPerOperation.p50).toBeCloseTo(10_000, 3);
  expect(row?.peerSamples?.nanosecondsPerOperation.p99).toBeCloseTo(40_000, 3);
  expect(row?.warnings).toEqual([]);
});

test("a batch that times itself counts with its own time, and one of no time is refused", async () => {
  const clock = new FakeClock();
  const ours = clock.contender("ours", 0.01);
  const timed: Contender = {
    name: "ours",
    // Nine tenths of what it does belong to the peer as well.
    run: async () => ({ operations: Number(await ours.run()), milliseconds: 0.05 }),
  };
  const [row] = await measureScenario("part", scenario(timed, clock.contender("theirs", 0.01)), {
    effort,
    now: clock.now,
  });
  expect(row?.opsPerSecond).toBeCloseTo(1_000_000, 3);
  expect(row?.ratio).toBeCloseTo(10, 6);
  const none: Contender = { name: "none", run: () => ({ operations: 1, milliseconds: 0 }) };
  await expect(measureScenario("none", scenario(none), { effort, now: clock.now })).rejects.toThrow(
    "none says that its batch took 0 ms, and more than 0 is needed",
  );
});

test("a machine that gets slower and slower moves the rates and not the ratio", async () => {
  const clock = new FakeClock();
  const order: string[] = [];
  const ours = clock.contender("ours", 0.2, order);
  const theirs = clock.contender("theirs", () => {
    clock.slowness *= 1.001;
    return 0.4;
  });
  const [row] = await measureScenario("drift", scenario(ours, theirs), { effort, now: clock.now });
  expect(row?.spread).toBeGreaterThan(0.003);
  expect(row?.ratio).toBeCloseTo(2, 1);
  expect(row?.ratioInterval?.[0]).toBeGreaterThan(1.98);
  expect(row?.ratioInterval?.[1]).toBeLessThan(2.02);
});

test("the sides take turns, and each round begins with another one", async () => {
  const clock = new FakeClock();
  const order: string[] = [];
  const sides = ["a", "b", "c"].map((name) => clock.contender(name, 1, order));
  const [subject = clock.contender("none", 1), ...peers] = sides;
  await measureScenario("turns", scenario(subject, ...peers), { effort: { ...effort, rounds: 3 }, now: clock.now });
  // The first three are the trial of each contender; a batch is longer than a sample.
  expect(order.join("")).toBe("abc" + "abc" + "bca" + "cab");
});

test("warm-up goes on until no side gets faster, and is not in the figures", async () => {
  const clock = new FakeClock();
  let batches = 0;
  const ours = clock.contender("ours", () => (batches++ < 20 ? 10 - batches * 0.4 : 1));
  const warm = { ...effort, leastWarmUpRounds: 10, mostWarmUpRounds: 50 };
  const [row] = await measureScenario("warm", scenario(ours, clock.contender("theirs", 1)), {
    effort: warm,
    now: clock.now,
  });
  expect(row?.ratio).toBeCloseTo(1, 6);
  expect(row?.warnings).toEqual([]);
  expect(batches).toBeGreaterThan(20 + 9 + 5);
  expect(batches).toBeLessThan(50);
});

test("where a batch takes seconds, warm-up and rounds end by time, with rounds enough for an interval", async () => {
  const clock = new FakeClock();
  const order: string[] = [];
  const sides = scenario(clock.contender("ours", 20, order), clock.contender("theirs", 200, order));
  const [row] = await measureScenario("slow", sides, { effort: fullEffort, now: clock.now });
  expect(row?.rounds).toBe(6);
  expect(row?.ratioInterval?.[0]).toBeCloseTo(10, 6);
  // A trial, two rounds of 11 s in the 20 s of warm-up, and six rounds.
  expect(order.filter((name) => name === "theirs")).toHaveLength(1 + 2 + 6);
});

test("warm-up is bounded, and a side that never gets steady is warned of", async () => {
  const clock = new FakeClock();
  let speed = 1;
  const ours = clock.contender("ours", () => 10 / (speed *= 1.05));
  const warm = { ...effort, leastWarmUpRounds: 10, mostWarmUpRounds: 30 };
  const [row] = await measureScenario("moving", scenario(ours), { effort: warm, now: clock.now });
  expect(row?.warnings).toEqual(["the rate of ours was not steady after the longest warm-up"]);
});

test.each([
  [[1, 1, 1, 1, 1, 1, 1, 1, 1], false],
  [[1, 1, 1, 1, 1, 1, 1, 1, 1, 1], true],
  [[9, 9, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1], true],
  [[1, 1, 1, 1, 1, 1.02, 1.02, 1.02, 1.02, 1.02], true],
  [[1, 1, 1, 1, 1, 1.1, 1.1, 1.1, 1.1, 1.1], false],
  [[1, 1, 1, 1, 1, 0.9, 0.9, 0.9, 0.9, 0.9], false],
  // One outlier in each window, as a busy machine has.
  [[1, 1, 0.2, 1, 1, 1, 0.3, 1, 1, 1], true],
])("%j is steady: %s", (rates, expected) => {
  expect(isSteady(rates)).toBe(expected);
});

test("a wide interval and a batch too short for the clock are warned of", async () => {
  const clock = new FakeClock();
  let round = 0;
  const noisy = clock.contender("ours", () => (round++ % 2 === 0 ? 1 : 1.5));
  const [row] = await measureScenario("noisy", scenario(noisy, clock.contender("theirs", 1)), {
    effort,
    now: clock.now,
  });
  expect(row?.warnings).toEqual([expect.stringContaining("interval of the ratio is 50 % wide")]);
  const short = clock.contender("short", 1e-5);
  const [other] = await measureScenario("short", scenario(short), {
    effort: { ...effort, sampleMs: 0.01 },
    now: clock.now,
  });
  expect(other?.warnings).toEqual([expect.stringContaining("a batch of short lasts 500 ns")]);
});

test("there is one result a peer, one without a peer where there is none, and no interval of one round", async () => {
  const clock = new FakeClock();
  const sides = scenario(clock.contender("ours", 1), clock.contender("a", 1), clock.contender("b", 2));
  const rows = await measureScenario("peers", sides, { effort: { ...effort, rounds: 1 }, now: clock.now });
  expect(rows.map(({ peer, ratio, ratioInterval }) => [peer, ratio?.toFixed(3), ratioInterval])).toEqual([
    ["a", "1.000", null],
    ["b", "2.000", null],
  ]);
  const alone = await measureScenario("alone", scenario(clock.contender("ours", 1)), { effort, now: clock.now });
  expect(alone).toMatchObject([{ peer: null, ratio: null, ratioInterval: null, peerSamples: null }]);
});

test("contenders that return promises are awaited", async () => {
  const clock = new FakeClock();
  const slow: Contender = {
    name: "async",
    run: async () => {
      await Promise.resolve();
      clock.ms += 20;
      return 2;
    },
  };
  const [row] = await measureScenario("async", scenario(slow), { effort, now: clock.now });
  expect(row?.opsPerSecond).toBeCloseTo(100, 6);
});

test.each([0, -1, Number.NaN, Infinity])("a batch of %d operations is refused", async (done) => {
  const idle = scenario({ name: "idle", run: () => done });
  await expect(measureScenario("idle", idle, { effort })).rejects.toThrow("idle did no operation");
});

test("a batch of none is refused in the middle, too", async () => {
  const clock = new FakeClock();
  let calls = 0;
  const tired: Contender = {
    name: "tired",
    run: () => {
      clock.ms += 20;
      return ++calls > 4 ? 0 : 1;
    },
  };
  await expect(measureScenario("tired", scenario(tired), { effort, now: clock.now })).rejects.toThrow("tired did no");
});

test("setup comes before the first run, teardown after the last, and also where a run throws", async () => {
  const clock = new FakeClock();
  const log: string[] = [];
  const logged = (name: string, run: () => number): Contender => ({
    name,
    setup: () => void log.push(`setup ${name}`),
    run,
    teardown: async () => {
      await Promise.resolve();
      log.push(`teardown ${name}`);
    },
  });
  const fine = logged("fine", () => (log.push("run"), (clock.ms += 20), 1));
  await measureScenario("fine", scenario(fine), { effort, now: clock.now });
  expect([log[0], log.at(-1), log.length]).toEqual(["setup fine", "teardown fine", 1 + 1 + 9 + 1]);
  log.length = 0;
  const failing = logged("failing", () => {
    throw new Error("broken");
  });
  const both = scenario(fine, failing);
  await expect(measureScenario("both", both, { effort, now: clock.now })).rejects.toThrow("broken");
  expect(log.filter((line) => line !== "run")).toEqual([
    "setup fine",
    "setup failing",
    "teardown fine",
    "teardown failing",
  ]);
});
