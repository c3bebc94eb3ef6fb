/** `latchkey certificate import|export`: many certificates at once, as JSON lines, on a data directory whose broker may run. */

import { closeSync, existsSync, fstatSync, openSync, readSync } from "node:fs";
import { open, rename, rm } from "node:fs/promises";
import { setImmediate } from "node:timers/promises";
import { StringDecoder } from "node:string_decoder";
import { defineCommand } from "citty";
import { messageOf, UsageError } from "@latchkey/command-line";
import type { BulkResult } from "@latchkey/registry";
import { jsonOption } from "./api-options.ts";
import { dataDirectoryOf, print, remark, withDataDirectory } from "./data-option.ts";
import { withProgress, type Report } from "./long-work.ts";
import { printJson } from "./table.ts";

const data = { type: "string", description: "The data directory; default latchkey-data" } as const;
/** Octets that are read, and characters that are written, at once. */
const blockSize = 64 * 1024;
/** A line has one certificate, its things and its policies. */
const maximumLineLength = 1024 * 1024;

/** `certificate import`. Exit code 1 where a certificate was refused. */
export const importCommand = defineCommand({
  meta: { name: "import", description: "Register many certificates with their things and policies, from JSON lines" },
  args: {
    data,
    file: { type: "string", required: true, description: "The file: one object a line, as export writes them" },
    json: jsonOption,
  },
  async run({ args }) {
    const isQuiet = args.json === true;
    const { result, lineOf } = await withDataDirectory(dataDirectoryOf(args), ({ registry, scope }) =>
      withProgress(`importing ${args.file}`, isQuiet, async (report) => {
        const lines = new LinesOfFile(args.file, report);
        const imported = await registry.importLines(scope, lines, () => setImmediate());
        return { result: imported, lineOf: (index: number) => lines.numberOf(index) };
      }),
    );
    printResult(result, lineOf, isQuiet);
    if (result.refusedCount > 0) process.exitCode = 1;
  },
});

/** `certificate export`. */
export const exportCommand = defineCommand({
  meta: { name: "export", description: "Write all certificates with their things and policies, as JSON lines" },
  args: { data, out: { type: "string", description: "The file to write; standard output without it" } },
  async run({ args }) {
    const { out } = args;
    // Progress and lines in one terminal would be a mess.
    const isQuiet = out === undefined && process.stdout.isTTY;
    const count = await withDataDirectory(dataDirectoryOf(args), ({ registry, scope }) =>
      withProgress(`exporting to ${out ?? "standard output"}`, isQuiet, (report) =>
        writeLines(out, registry.exportLines(scope), report),
      ),
    );
    if (count !== undefined) remark(`${count} certificates written`);
  },
});

function printResult(result: BulkResult, lineOf: (index: number) => number, isJson: boolean): void {
  const { registered, skipped, refusedCount } = result;
  const refused = result.refused.map(({ index, code, message }) => ({ line: lineOf(index), code, message }));
  if (isJson) {
    printJson({ registered, skipped, refusedCount, refused });
    return;
  }
  for (const { line, code, message } of refused) remark(`line ${line}: ${code}: ${message}`);
  if (refusedCount > refused.length) remark(`and ${refusedCount - refused.length} more`);
  print(`${registered} registered, ${skipped} were registered already, ${refusedCount} refused`);
}

/** The lines of a file that are not empty, read as they are asked for: a file may be larger than memory. */
class LinesOfFile implements Iterable<string> {
  readonly #file: string;
  readonly #report: Report;
  /** Numbers of empty lines, ascending. */
  readonly #empty: number[] = [];

  constructor(file: string, report: Report) {
    this.#file = file;
    this.#report = report;
  }

  /** The number in the file, from 1, of the line that was given as the `index`th, from 0. */
  numberOf(index: number): number {
    let number = index + 1;
    for (const empty of this.#empty) {
      if (empty > number) break;
      number++;
    }
    return number;
  }

  *[Symbol.iterator](): Generator<string> {
    const descriptor = readable(() => openSync(this.#file, "r"));
    try {
      yield* this.#lines(descriptor);
    } finally {
      closeSync(descriptor);
    }
  }

  *#lines(descriptor: number): Generator<string> {
    const { size } = fstatSync(descriptor);
    const block = Buffer.alloc(blockSize);
    const decoder = new StringDecoder("utf8");
    let [number, octets, rest] = [0, 0, ""];
    for (;;) {
      const count = readable(() => readSync(descriptor, block));
      octets += count;
      const lines = (rest + (count === 0 ? decoder.end() : decoder.write(block.subarray(0, count)))).split("\n");
      rest = count === 0 ? "" : (lines.pop() ?? "");
      for (const line of lines) {
        number++;
        if (line.trim() === "") this.#empty.push(number);
        else yield line;
        this.#report(`line ${number}, ${size === 0 ? 100 : Math.floor((octets / size) * 100)} %`);
      }
      if (count === 0) return;
      if (rest.length > maximumLineLength) {
        throw new UsageError(`--file ${this.#file}: line ${number + 1} is longer than ${maximumLineLength} characters`);
      }
    }
  }
}

/** What reading the file gives. A directory can be opened, and fails here. */
function readable<T>(read: () => T): T {
  try {
    return read();
  } catch (cause) {
    throw new UsageError(`--file cannot be read: ${messageOf(cause)}`, { cause });
  }
}

/**
 * Writes lines and gives their number; undefined where standard output fails, which is reported already. A file that exists is refused, and
 * a file has its name when it is whole.
 */
async function writeLines(
  out: string | undefined,
  lines: Iterable<string>,
  report: Report,
): Promise<number | undefined> {
  if (out === undefined) return writeTo(writeToStandardOutput, lines, report);
  if (existsSync(out)) throw new UsageError(`--out cannot be written: ${out} exists already`);
  const partial = `${out}.partial`;
  try {
    const file = await open(partial, "w", 0o600);
    try {
      const count = await writeTo((text) => file.writeFile(text).then(() => true), lines, report);
      await rename(partial, out);
      return count;
    } catch (cause) {
      await rm(partial, { force: true });
      throw cause;
    } finally {
      await file.close();
    }
  } catch (cause) {
    if (!isSystemError(cause)) throw cause;
    throw new UsageError(`--out cannot be written: ${messageOf(cause)}`, { cause });
  }
}

async function writeTo(
  write: (text: string) => Promise<boolean>,
  lines: Iterable<string>,
  report: Report,
): Promise<number | undefined> {
  let [count, block] = [0, ""];
  for (const line of lines) {
    block += `${line}\n`;
    count++;
    report(`${count} certificates`);
    if (block.length < blockSize) continue;
    if (!(await write(block))) return undefined;
    block = "";
  }
  return (await write(block)) ? count : undefined;
}

/** False where it fails: the command line reports that, and ends with exit code 1. */
function writeToStandardOutput(text: string): Promise<boolean> {
  return new Promise((resolve) => {
    process.stdout.write(text, (error) => resolve(!error));
  });
}

function isSystemError(cause: unknown): boolean {
  return cause instanceof Error && "syscall" in cause;
}
