import { describe, expect, onTestFinished, test, vi } from "vitest";
import { EqualEvents } from "../../src/observability/equal-events.ts";

function counting(limits: { maximumNames?: number; maximumKinds?: number } = {}): {
  events: EqualEvents<number>;
  reports: unknown[][];
  endInterval: () => void;
} {
  vi.useFakeTimers();
  onTestFinished(() => void vi.useRealTimers());
  const reports: unknown[][] = [];
  const events = new EqualEvents<number>({
    intervalMs: 1000,
    maximumNames: limits.maximumNames ?? 10,
    maximumKinds: limits.maximumKinds ?? 10,
    report: (...report) => reports.push(report),
  });
  onTestFinished(() => events[Symbol.dispose]());
  return { events, reports, endInterval: () => vi.advanceTimersByTime(1000) };
}

describe("equal events", () => {
  test("the first of a kind at once, the rest in one report at the end of the interval", () => {
    const { events, reports, endInterval } = counting();
    for (let n = 1; n <= 5000; n++) events.add("a client", "a topic", n);
    expect(reports).toEqual([["first", 1, 1]]);
    endInterval();
    expect(reports.slice(1)).toEqual([["again", 5000, 4999]]);
  });

  test("a kind that was silent for an interval is new again", () => {
    const { events, reports, endInterval } = counting();
    events.add("a client", "a topic", 1);
    endInterval();
    events.add("a client", "a topic", 2);
    expect(reports).toEqual([
      ["first", 1, 1],
      ["first", 2, 1],
    ]);
  });

  test("a kind that goes on is reported once an interval", () => {
    const { events, reports, endInterval } = counting();
    for (let interval = 0; interval < 3; interval++) {
      for (let n = 0; n < 10; n++) events.add("a client", "a topic", n);
      endInterval();
    }
    expect(reports.map(([what, , times]) => [what, times])).toEqual([
      ["first", 1],
      ["again", 9],
      ["again", 10],
      ["again", 10],
    ]);
  });

  test("names beyond the limit of a group are one report, and leave other groups alone", () => {
    const { events, reports, endInterval } = counting({ maximumNames: 2 });
    for (let n = 0; n < 100; n++) events.add("a client", `topic ${n}`, n);
    events.add("another client", "a topic", 1000);
    endInterval();
    expect(reports).toEqual([
      ["first", 0, 1],
      ["first", 1, 1],
      ["first", 1000, 1],
      ["others", 99, 98],
    ]);
  });

  test("groups beyond the limit of all are one report", () => {
    const { events, reports, endInterval } = counting({ maximumKinds: 3 });
    for (let n = 0; n < 100; n++) events.add(`client ${n}`, "a topic", n);
    endInterval();
    expect(reports.filter(([what]) => what === "first")).toHaveLength(3);
    expect(reports.at(-1)).toEqual(["others", 99, 97]);
  });

  test("what was counted is reported at the end", () => {
    const { events, reports } = counting();
    events.add("a client", "a topic", 1);
    events.add("a client", "a topic", 2);
    events[Symbol.dispose]();
    expect(reports.at(-1)).toEqual(["again", 2, 1]);
  });
});
