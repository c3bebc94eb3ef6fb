import { expect, test } from "vitest";
import { ClickRecognizer, type ClickType } from "../src/click.ts";

/** Plays events in order; deadlines that pass between them are told. Gives every click and its time. */
function play(events: readonly (readonly ["typed" | "pressed" | "released", number])[]): [ClickType, number][] {
  const recognizer = new ClickRecognizer();
  const clicks: [ClickType, number][] = [];
  const note = (click: ClickType | undefined | void, atMs: number): void => {
    if (click !== undefined) clicks.push([click, atMs]);
  };
  const pass = (untilMs: number): void => {
    for (let at = recognizer.deadlineMs; at !== undefined && at <= untilMs; at = recognizer.deadlineMs) {
      note(recognizer.passed(), at);
    }
  };
  for (const [event, atMs] of events) {
    pass(atMs);
    note(recognizer[event](atMs), atMs);
  }
  pass(Number.POSITIVE_INFINITY);
  return clicks;
}

/** The characters of a key that is held: the first, after a delay the second, then one each 33 ms. */
function held(fromMs: number, durationMs: number, delayMs: number): (readonly ["typed", number])[] {
  const events: (readonly ["typed", number])[] = [["typed", fromMs]];
  for (let at = delayMs; at <= durationMs; at += 33) events.push(["typed", fromMs + at]);
  return events;
}

test("one character is a single click", () => {
  expect(play([["typed", 0]])).toEqual([["SINGLE", 700]]);
});

test.each([120, 250, 600])("two characters %i ms apart are a double click", (gap) => {
  expect(
    play([
      ["typed", 0],
      ["typed", gap],
    ]).map(([click]) => click),
  ).toEqual(["DOUBLE"]);
});

test.each([250, 500, 660])("a key held for 2 s is one long click, whatever the delay (%i ms)", (delay) => {
  const clicks = play(held(0, 2000, delay));
  expect(clicks.map(([click]) => click)).toEqual(["LONG"]);
  expect(clicks[0]?.[1]).toBeGreaterThan(1500);
});

test.each([250, 500])("a key held for 1.2 s is a single click (delay %i ms)", (delay) => {
  expect(play(held(0, 1200, delay)).map(([click]) => click)).toEqual(["SINGLE"]);
});

test("clicks that are apart are clicks of their own", () => {
  expect(
    play([...held(0, 2000, 500), ["typed", 4000], ["typed", 6000], ["typed", 6200]]).map(([click]) => click),
  ).toEqual(["LONG", "SINGLE", "DOUBLE"]);
});

test.each([
  [
    "a short press",
    [
      ["pressed", 0],
      ["released", 100],
    ],
    ["SINGLE"],
  ],
  [
    "1.5 s exactly",
    [
      ["pressed", 0],
      ["released", 1500],
    ],
    ["SINGLE"],
  ],
  [
    "more than 1.5 s",
    [
      ["pressed", 0],
      ["released", 1501],
    ],
    ["LONG"],
  ],
  [
    "two short presses",
    [
      ["pressed", 0],
      ["released", 100],
      ["pressed", 300],
      ["released", 380],
    ],
    ["DOUBLE"],
  ],
  [
    "two presses apart",
    [
      ["pressed", 0],
      ["released", 100],
      ["pressed", 600],
      ["released", 700],
    ],
    ["SINGLE", "SINGLE"],
  ],
  ["a release without a press", [["released", 5]], []],
] as const)("with releases: %s", (_, events, clicks) => {
  expect(play(events).map(([click]) => click)).toEqual(clicks);
});
