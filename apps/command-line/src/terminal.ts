/** Text for a terminal: colours where there is one, and lines that break at words. */

import { stripVTControlCharacters, styleText } from "node:util";

/** What a piece of text says; each has one colour. */
export type Tone = "good" | "bad" | "warn" | "quiet" | "strong" | "name";

const formats = {
  good: "green",
  bad: "red",
  warn: "yellow",
  quiet: "gray",
  strong: "bold",
  name: "cyan",
} as const satisfies Record<Tone, string>;

/** Where text goes. */
export interface Terminal {
  /** Columns that a line may have; undefined where lines are not broken: a pipe or a file. */
  readonly columns: number | undefined;
  /** The text in the colour of its tone, or as it is where there are no colours. */
  readonly paint: (tone: Tone, text: string) => string;
}

/** What `terminalOf` needs to know of a stream. */
export interface OutputStream {
  readonly isTTY?: boolean;
  readonly columns?: number;
}

/** Lines longer than this are hard to read, however wide the terminal is. */
const widestColumns = 100;
const narrowestColumns = 40;
const usualColumns = 80;

/** The terminal behind a stream. NO_COLOR (no-color.org) and TERM=dumb mean: no colours. */
export function terminalOf(stream: OutputStream, environment: Readonly<Record<string, string | undefined>>): Terminal {
  if (stream.isTTY !== true) return { columns: undefined, paint: (_, text) => text };
  const isPlain = (environment["NO_COLOR"] ?? "") !== "" || environment["TERM"] === "dumb";
  // 0 where the terminal does not know its size.
  const { columns: known = 0 } = stream;
  const columns = known === 0 ? usualColumns : Math.max(narrowestColumns, Math.min(known, widestColumns));
  return {
    columns,
    paint: (tone, text) => (isPlain ? text : styleText(formats[tone], text, { validateStream: false })),
  };
}

/** Columns that a text takes in a terminal, colours not counted. */
export function widthOf(text: string): number {
  return Array.from(stripVTControlCharacters(text)).length;
}

/**
 * Breaks a text at its spaces into lines of at most `columns`. Lines behind the first begin with `indent` spaces, which count. A
 * word that is longer than a line stands alone on one.
 */
export function wrapText(text: string, columns: number | undefined, indent = 0): string[] {
  if (columns === undefined) return [text];
  const lines: string[] = [];
  let line = "";
  let isEmpty = true;
  for (const word of text.split(" ")) {
    if (line.trim() !== "" && widthOf(line) + 1 + widthOf(word) > columns) {
      lines.push(line);
      line = " ".repeat(indent) + word;
    } else {
      line += isEmpty ? word : ` ${word}`;
    }
    isEmpty = false;
  }
  lines.push(line);
  return lines;
}
