/** Tables for people, JSON for programs. */

import { print } from "./data-option.ts";

/** A column: its heading and its text of a row. */
export type Column<T> = readonly [heading: string, text: (row: T) => string];

/** Prints rows under headings, in columns as wide as their longest text. No rows are said in words on standard error. */
export function printTable<T>(rows: readonly T[], columns: readonly Column<T>[], nothing: string): void {
  if (rows.length === 0) {
    process.stderr.write(`${nothing}\n`);
    return;
  }
  const lines = [
    columns.map(([heading]) => heading),
    ...rows.map((row) => columns.map(([, text]) => printable(text(row)))),
  ];
  const widths = columns.map((_, column) => longest(lines.map((line) => line[column] ?? "")));
  for (const line of lines) {
    print(
      line
        .map((text, column) => text.padEnd(widths[column] ?? 0))
        .join("  ")
        .trimEnd(),
    );
  }
}

/** Prints pairs of a name and a text, those that have one. */
export function printFields(fields: readonly (readonly [name: string, text: string | undefined])[]): void {
  const shown = fields.filter((field): field is readonly [string, string] => field[1] !== undefined && field[1] !== "");
  const width = longest(shown.map(([name]) => name));
  for (const [name, text] of shown) print(`${name.padEnd(width)}  ${printable(text)}`);
}

/** Characters of the longest text. The texts may be a million rows, more than a call takes as arguments. */
function longest(texts: readonly string[]): number {
  return texts.reduce((length, text) => Math.max(length, text.length), 0);
}

/** Prints what a command has done: a sentence for people, or the names and identifiers of it as JSON. */
export function printDone(isJson: boolean | undefined, sentence: string, result: object): void {
  if (isJson === true) printJson(result);
  else print(sentence);
}

/** Prints a value as JSON. */
export function printJson(value: unknown): void {
  print(JSON.stringify(value, undefined, 2));
}

/** A date of seconds since 1970, to the minute, in UTC. */
export function dateOf(seconds: unknown): string {
  if (typeof seconds !== "number" || !Number.isFinite(seconds)) return "";
  return `${new Date(seconds * 1000).toISOString().slice(0, 16).replace("T", " ")}Z`;
}

/** The text without what a terminal would take for a command: names come from certificates. */
export function printable(text: string): string {
  // oxlint-disable-next-line no-control-regex -- control characters are what is replaced
  return text.replaceAll(/[\u0000-\u001F\u007F-\u009F]/g, "\uFFFD");
}
