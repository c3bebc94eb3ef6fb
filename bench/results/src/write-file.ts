/** Result files and pages that are whole at any moment. */

import { accessSync, constants, existsSync, realpathSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";

/** A file that cannot be written. The message names it, says why, what to do, and what the file has now. */
export class WriteError extends Error {
  override readonly name = "WriteError";
  readonly code = "ERR_BENCH_WRITE";
}

/**
 * Throws a `WriteError` where `path` cannot be written. To be asked before a run, so that nobody waits for figures that have no
 * place.
 */
export function checkResultFile(path: string): void {
  if (path === "") throw new WriteError("the name of the result file is empty: name a file, for instance result.json");
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory() === true) {
    throw new WriteError(`${path} is a folder: name a file in it, for instance ${path}/result.json`);
  }
  const folder = dirname(path);
  try {
    accessSync(folder, constants.W_OK | constants.X_OK);
  } catch (cause) {
    const reason = `the folder ${folder} is missing or read-only (${codeOf(cause) ?? String(cause)})`;
    throw new WriteError(`${path} cannot be written: ${reason}`, { cause });
  }
}

/** Writes JSON as `writeWholeFile` writes text. */
export function writeResultFile(path: string, content: unknown): void {
  writeWholeFile(path, `${JSON.stringify(content, undefined, 2)}\n`);
}

/**
 * Writes a text beside `path` and puts it in its place: a full disk, or the end of the process meanwhile, leaves the old file. A
 * link stays a link. What is no file, such as /dev/stdout, is written to as it is. Throws `WriteError`.
 */
export function writeWholeFile(path: string, text: string): void {
  const found = statSync(path, { throwIfNoEntry: false });
  try {
    if (found !== undefined && !found.isFile()) writeFileSync(path, text);
    else replaceFile(found === undefined ? path : realpathSync(path), text);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    const advice = writeAdvice.get(codeOf(cause) ?? "");
    const left = found?.isFile() === true && existsSync(path) ? "; it still has what it had before" : "";
    const words = `${path} cannot be written: ${reason}${advice === undefined ? "" : `: ${advice}`}${left}`;
    throw new WriteError(words, { cause });
  }
}

function replaceFile(path: string, text: string): void {
  const draft = `${path}.${process.pid}.tmp`;
  try {
    writeFileSync(draft, text);
    renameSync(draft, path);
  } finally {
    rmSync(draft, { force: true });
  }
}

const writeAdvice: ReadonlyMap<string, string> = new Map([
  ["ENOSPC", "the disk is full: free some space, or name a file on another one"],
  ["EDQUOT", "the quota of this user is used up: free some space, or name a file elsewhere"],
  ["EFBIG", "the limit of a file's size is too low: raise it with ulimit -f"],
  ["EROFS", "the disk is read-only: name a file elsewhere"],
  ["EMFILE", 'the process has no file descriptors left: raise the limit with "ulimit -n"'],
  ["ENFILE", "the machine has no file descriptors left"],
]);

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && "code" in error ? String(error.code) : undefined;
}
