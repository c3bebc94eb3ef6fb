/** The log of `latchkey start`: pino on a writer that never waits, for people at a terminal or as JSON lines. */

import { stackOf, terminalOf } from "@latchkey/command-line";
import { pino, type Level, type Logger } from "pino";
import { terminalLog, terminalLine } from "./terminal-log.ts";
import { LineWriter } from "./line-writer.ts";

/** How much is logged. */
export type LogLevel = Extract<Level, "fatal" | "error" | "warn" | "info" | "debug"> | "silent";

/** All of them, the quietest first but for `silent`. */
export const logLevels: readonly LogLevel[] = ["fatal", "error", "warn", "info", "debug", "silent"];

/** A log, and where its lines go. */
export interface OpenedLog {
  readonly log: Logger;
  readonly level: LogLevel;
  readonly writer: Pick<LineWriter, "dropped" | "reopen" | "flushSync">;
}

/** Characters of log that may wait for its reader. */
const maximumWaitingCharacters = 8 * 1024 * 1024;

/**
 * Opens the log. What waits is written when the process ends, also where it crashes: then the last line says why.
 * Throws the system's error where `file` cannot be opened.
 */
export function openLog({ level, file }: { readonly level: LogLevel; readonly file?: string | undefined }): OpenedLog {
  const isTerminal = file === undefined && process.stderr.isTTY;
  const { paint } = terminalOf(process.stderr, process.env);
  const shown = (line: string): string => (isTerminal ? terminalLine(paint, line) : line);
  const writer = new LineWriter({
    destination: file ?? 2,
    maximumCharacters: maximumWaitingCharacters,
    droppedLine: (count) => shown(`${JSON.stringify({ level: 40, time: Date.now(), count, msg: droppedText })}\n`),
  });
  const log = pino({ level, base: null }, isTerminal ? terminalLog(paint, (text) => writer.write(text)) : writer);
  process.on("uncaughtExceptionMonitor", (error: unknown) => {
    log.fatal({ reason: stackOf(error) }, "crashed");
    writer.flushSync();
  });
  process.on("exit", () => writer.flushSync());
  return { log, level, writer };
}

const droppedText = "lines are missing here: the reader of the log was too slow";
