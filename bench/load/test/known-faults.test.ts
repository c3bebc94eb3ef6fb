import { afterAll, expect, test, vi } from "vitest";
import { bench, endBenches, measure, startTestBroker } from "./run-bench.ts";

afterAll(endBenches);

vi.setConfig({ testTimeout: 130_000 });

/** 200 messages a second of two publishers for 2 s: 400 messages, 5 ms apart. */
const load = ["--scenario", "fan-in", "--publishers", "2", "--rate", "200", "--duration", "2", "--warm-up", "0"];
const measureFaults = async (faults: Parameters<typeof startTestBroker>[0], ...words: string[]) =>
  measure(...load, "--url", await startTestBroker(faults), ...words);

/** The latency at one of the percentiles that are kept for plots. */
function at({ latencyMs }: Awaited<ReturnType<typeof measure>>, percentile: number): number {
  const pair = latencyMs?.percentiles.find(([one]) => one === percentile);
  if (pair === undefined) throw new Error(`no ${percentile} %`);
  return pair[1];
}

test("a known delay is reported on top of what the same load takes without it", async () => {
  const without = await measureFaults({});
  const delayed = await measureFaults({ delayMs: 300 });
  // Timers fire up to 1 ms early. A busy machine adds to both, and does not double a median of 300 ms.
  expect(at(delayed, 0)).toBeGreaterThanOrEqual(299);
  expect(at(delayed, 50)).toBeGreaterThanOrEqual(299);
  expect(at(delayed, 50)).toBeLessThan(600 + at(without, 50));
  expect(at(without, 50)).toBeLessThan(at(delayed, 50));
  expect(delayed).toMatchObject({ sent: 400, received: 400, lost: 0 });
});

test("a stall of 200 ms in 2 s is charged to all 40 messages that were due in it, the first most", async () => {
  const result = await measureFaults({ stall: { atMessage: 100, forMs: 200 } });
  expect(result).toMatchObject({ sent: 400, received: 400 });
  // Message n of the stall is due 5n ms after its begin and waits for at least 200 - 5n ms. 1 % are 4 messages.
  expect(at(result, 100)).toBeGreaterThanOrEqual(199);
  expect(at(result, 99)).toBeGreaterThanOrEqual(175);
  expect(at(result, 97.5)).toBeGreaterThanOrEqual(145);
  expect(at(result, 95)).toBeGreaterThanOrEqual(95);
});

test("what the target itself held back is charged from when it was due, not from when it was sent", async () => {
  // One message of each publisher may wait for its PUBACK: 38 of the 40 that are due in the stall are sent after it.
  const faults = { receiveMaximum: 1, stall: { atMessage: 100, forMs: 200 } };
  const messages = await measureFaults(faults, "--qos", "1", "--mqtt", "5");
  expect(messages).toMatchObject({ sent: 400, received: 400 });
  expect(at(messages, 97.5)).toBeGreaterThanOrEqual(145);
  expect(at(messages, 95)).toBeGreaterThanOrEqual(95);
  // One press at a time, 100 presses 20 ms apart: 40 are due in a stall of 800 ms, press n waits for 800 - 20n ms.
  const url = await startTestBroker({ stall: { atMessage: 30, forMs: 800 } });
  const press = ["--scenario", "press", "--clients", "1", "--concurrency", "1", "--rate", "50", "--duration", "2"];
  const presses = await measure(...press, "--warm-up", "0", "--url", url);
  expect(presses).toMatchObject({ sent: 100, received: 100 });
  expect(at(presses, 90)).toBeGreaterThanOrEqual(580);
  expect(at(presses, 75)).toBeGreaterThanOrEqual(280);
});

test("in a closed loop the same stall hides behind what was not sent meanwhile", async () => {
  const result = await measureFaults({ stall: { atMessage: 100, forMs: 200 } }, "--closed", "--window", "1");
  expect(at(result, 100)).toBeGreaterThanOrEqual(195);
  // Two messages were under way. The open loop has 95 ms here at the least.
  expect(at(result, 95)).toBeLessThan(95);
  expect(result.sent).toBeGreaterThan(100);
  expect(result.scenario).toBe("fan-in/qos0/plain/closed");
});

test.concurrent("as many messages repeated as lost are told apart, one by one", async () => {
  // Of the numbers 0 to 199 of each publisher, 20 end in 3 and 20 in 4.
  const result = await measureFaults({ drop: { every: 10, rest: 3 }, repeat: { every: 10, rest: 4 } });
  expect(result).toMatchObject({ sent: 400, received: 360, lost: 40, duplicates: 40, operations: 400 });
  expect(result.ledger).toEqual({
    ...{ notSent: 0, missing: 40, failed: 0, unfinished: 0 },
    ...{ outsideWindow: 0, unexpected: 0 },
  });
  // A repetition has no latency and no part in the rate.
  expect(result.timeline.reduce((sum, { ratePerSecond }) => sum + ratePerSecond, 0)).toBe(360);
});

test.concurrent("each of several receivers is owed each message, over several workers", async () => {
  const words = ["--scenario", "fan-out", "--publishers", "2", "--subscribers", "5", "--workers", "3"];
  const result = await measureFaults({ drop: { every: 10, rest: 3 }, repeat: { every: 20, rest: 4 } }, ...words);
  expect(result).toMatchObject({ operations: 400, sent: 2000, received: 1800, lost: 200, duplicates: 100 });
});

test.concurrent("a member of a shared subscription that gets what another member has got gets a repetition", async () => {
  const words = ["--scenario", "shared", "--subscribers", "4", "--qos", "1", "--workers", "2"];
  const result = await measureFaults({ repeat: { every: 10, rest: 4 }, drop: { every: 10, rest: 5 } }, ...words);
  expect(result).toMatchObject({ sent: 400, received: 360, lost: 40, duplicates: 40, notSupported: null });
});

test.concurrent("what was due in the warm-up is in no count but its own", async () => {
  const result = await measureFaults({ drop: { every: 10, rest: 3 } }, "--warm-up", "1", "--duration", "1");
  // Numbers 100 to 199 of each publisher are measured, 90 of the 100 before them arrive.
  expect(result).toMatchObject({ sent: 200, received: 180, lost: 20, ledger: { outsideWindow: 180, missing: 20 } });
});

test.concurrent("a message that nobody published is not taken for one that somebody did", async () => {
  const result = await measureFaults({ addsForeign: true });
  expect(result).toMatchObject({ sent: 400, received: 400, lost: 0, duplicates: 0, ledger: { unexpected: 400 } });
});

test.concurrent("a failure before the measured time is reported apart from those in it", async () => {
  const result = await measureFaults({ refusesConnects: 1 });
  expect(result.errorsBeforeWindow).toEqual({ "CONNACK 3": 1 });
  expect(result.errors).toEqual({});
});

test.concurrent("where nothing was due the rate is null, and a person reads why", async () => {
  const url = await startTestBroker({ refusesConnects: 1000 });
  const result = await measure(...load, "--url", url);
  expect(result).toMatchObject({ ratePerSecond: null, latencyMs: null, sent: 0, received: 0, lost: 0 });
  expect(result.errorsBeforeWindow).toEqual({ "CONNACK 3": 3 });
  const { stdout } = await bench(...load, "--url", await startTestBroker({ refusesConnects: 1000 }), "--no-pin");
  expect(stdout).toContain("nothing was due in the measured time");
  expect(stdout).toContain("errors before the measured time: CONNACK 3: 3");
});

test("a generator that is slowed on purpose is named as the bottleneck", async () => {
  // Alone, and much later than a busy machine makes anything: otherwise the target's own delay could be the greater one.
  const { generator } = await measureFaults({}, "--burden", "300");
  expect(generator?.bottleneck).toContain("The generator was the bottleneck");
});

test.concurrent("a target that dies in the run leaves what was measured and what was lost", async () => {
  const result = await measureFaults({ diesAtMessage: 100 });
  // Nothing of what came after it, and not all of what had come before it.
  expect(result.received).toBeGreaterThan(0);
  expect(result.received).toBeLessThanOrEqual(100);
  expect(result.sent).toBe(400);
  expect(Object.values(result.errors).reduce((sum, count) => sum + count, 0)).toBeGreaterThanOrEqual(3);
});

test.concurrent("a target that closes each connection at once is an error and no result", async () => {
  const { code, stdout, stderr } = await bench(...load, "--url", await startTestBroker({ closes: true }), "--no-pin");
  expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
  expect(stderr).toMatch(/^ERR_LOAD_TARGET: mqtt:\/\/127\.0\.0\.1:\d+ refuses the bench's client .*\(.*\)$/m);
});

test.concurrent("a smoke run against a target that loses, or that delivers nothing, fails", async () => {
  const smoke = async (faults: Parameters<typeof startTestBroker>[0]) =>
    bench("--smoke", "--scenario", "fan-in", "--url", await startTestBroker(faults));
  const [whole, losing, silent] = await Promise.all([
    smoke({}),
    smoke({ drop: { every: 10, rest: 3 } }),
    smoke({ drop: { every: 1, rest: 0 } }),
  ]);
  expect(whole).toMatchObject({ code: 0 });
  expect(losing).toMatchObject({ code: 1, stderr: expect.stringMatching(/smoke: fan-in\/qos0\/plain .*: \d+ lost/) });
  expect(silent).toMatchObject({ code: 1, stderr: expect.stringContaining("nothing arrived") });
});
