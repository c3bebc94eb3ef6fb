/** The log for a person at a terminal: the time, how grave, what happened, then the fields. A pipe gets JSON lines. */

import type { DestinationStream } from "pino";
import { isObject } from "../http/json-body.ts";

const levels: Readonly<Record<number, readonly [name: string, colour: number]>> = {
  20: ["debug", 90],
  30: ["info", 32],
  40: ["warn", 33],
  50: ["error", 31],
  60: ["fatal", 31],
};

/** A destination for pino that writes lines for people to `write`. */
export function terminalLog(write: (text: string) => void): DestinationStream {
  return { write: (line) => write(terminalLine(line)) };
}

/** One line of JSON as a line for people. What is no JSON object stays as it is. */
export function terminalLine(line: string): string {
  let entry: unknown;
  try {
    entry = JSON.parse(line);
  } catch {
    return line;
  }
  if (!isObject(entry)) return line;
  const { level, time, msg, ...fields } = entry;
  const [name, colour] = levels[Number(level)] ?? [String(level), 0];
  const clock = new Date(Number(time)).toTimeString().slice(0, 8);
  const parts = Object.entries(fields).map(([key, value]) => `\u001B[90m${key}=\u001B[0m${valueText(value)}`);
  return `${clock} \u001B[${colour}m${name.padEnd(5)}\u001B[0m ${String(msg)}${parts.map((part) => ` ${part}`).join("")}\n`;
}

/** Texts without spaces as they are, everything else as JSON, which has no control characters. */
function valueText(value: unknown): string {
  if (typeof value === "string" && /^[^\s"\p{C}]+$/u.test(value)) return value;
  // JSON leaves the control characters behind ASCII as they are.
  // oxlint-disable-next-line no-control-regex -- control characters are what is replaced
  return JSON.stringify(value).replaceAll(/[\u007F-\u009F]/g, "\uFFFD");
}
