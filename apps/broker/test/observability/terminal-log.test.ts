import { stripVTControlCharacters } from "node:util";
import { expect, test } from "vitest";
import { terminalOf } from "@latchkey/command-line";
import { terminalLine as lineIn } from "../../src/observability/terminal-log.ts";

const { paint } = terminalOf({ isTTY: true, columns: 80 }, {});
const terminalLine = (line: string): string => lineIn(paint, line);

const timeMs = new Date(2026, 0, 2, 3, 4, 5).getTime();

test("a line for people has time, level, message and fields", () => {
  const entry = {
    level: 40,
    time: timeMs,
    remote: "127.0.0.1:1",
    why: "no statement",
    count: 3,
    left: undefined,
    msg: "denied",
  };
  expect(stripVTControlCharacters(terminalLine(JSON.stringify(entry)))).toBe(
    '03:04:05 warn  denied remote=127.0.0.1:1 why="no statement" count=3\n',
  );
});

test("the level and the names of fields have colours, and with NO_COLOR nothing has", () => {
  const line = JSON.stringify({ level: 40, time: timeMs, count: 3, msg: "denied" });
  expect(terminalLine(line)).toBe("03:04:05 \u001B[33mwarn \u001B[39m denied \u001B[90mcount=\u001B[39m3\n");
  const plain = terminalOf({ isTTY: true, columns: 80 }, { NO_COLOR: "1" });
  expect(lineIn(plain.paint, line)).toBe("03:04:05 warn  denied count=3\n");
});

test("what a client calls itself cannot command the terminal", () => {
  const entry = { level: 30, time: timeMs, clientIdentifier: "\u001B[2J\u0007\u009B", msg: "connected" };
  const line = terminalLine(JSON.stringify(entry));
  expect(line).not.toContain("\u001B[2J");
  expect(line).not.toContain("\u0007");
  expect(line).not.toContain("\u009B");
});

test("what is no JSON stays as it is", () => {
  expect(terminalLine("plain\n")).toBe("plain\n");
});
