/** The log for a person at a terminal: the time, how grave, what happened, then the fields. A pipe gets JSON lines. */

import type { Terminal, Tone } from "@latchkey/command-line";
import type { DestinationStream } from "pino";
import { isObject } from "../http/json-body.ts";

const levels: Readonly<Record<number, readonly [name: string, tone: Tone]>> = {
  20: ["debug", "quiet"],
  30: ["info", "good"],
  40: ["warn", "warn"],
  50: ["error", "bad"],
  60: ["fatal", "bad"],
};

/** Text in the colour of its tone, where there are colours. */
type Paint = Terminal["paint"];

/** A destination for pino that writes lines for people to `write`. */
export function terminalLog(paint: Paint, write: (text: string) => void): DestinationStream {
  return { write: (line) => write(terminalLine(paint, line)) };
}

/** One line of JSON as a line for people. What is no JSON object stays as it is. */
export function terminalLine(paint: Paint, line: string): string {
  let entry: unknown;
  try {
    entry = JSON.parse(line);
  } catch {
    return line;
  }
  if (!isObject(entry)) return line;
  const { level, time, msg, ...fields } = entry;
  const [name, tone] = levels[Number(level)] ?? [String(level), "strong" as const];
  const clock = new Date(Number(time)).toTimeString().slice(0, 8);
  const parts = Object.entries(fields).map(([key, value]) => `${paint("quiet", `${key}=`)}${valueText(value)}`);
  return `${clock} ${paint(tone, name.padEnd(5))} ${String(msg)}${parts.map((part) => ` ${part}`).join("")}\n`;
}

/** Texts without spaces as they are, everything else as JSON, which has no control characters. */
function valueText(value: unknown): string {
  if (typeof value === "string" && /^[^\s"\p{C}]+$/u.test(value)) return value;
  // JSON leaves the control characters behind ASCII as they are.
  // oxlint-disable-next-line no-control-regex -- control characters are what is replaced
  return JSON.stringify(value).replaceAll(/[\u007F-\u009F]/g, "\uFFFD");
}
