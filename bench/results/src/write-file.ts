/** Result files that are whole at any moment. */

import { accessSync, constants, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";

/**
 * Throws an Error that says what to change where `path` cannot be written. To be asked before a run, so that nobody waits for
 * figures that have no place.
 */
export function checkResultFile(path: string): void {
  if (path === "") throw new Error("the name of the result file is empty: name a file, for instance result.json");
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory() === true) {
    throw new Error(`${path} is a folder: name a file in it, for instance ${path}/result.json`);
  }
  const folder = dirname(path);
  try {
    accessSync(folder, constants.W_OK | constants.X_OK);
  } catch (cause) {
    const reason = cause instanceof Error && "code" in cause ? String(cause.code) : String(cause);
    throw new Error(`${path} cannot be written: the folder ${folder} is missing or read-only (${reason})`, { cause });
  }
}

/** Writes JSON beside `path` and puts it in its place: a process that is killed meanwhile leaves the old file. */
export function writeResultFile(path: string, content: unknown): void {
  const draft = `${path}.${process.pid}.tmp`;
  try {
    writeFileSync(draft, `${JSON.stringify(content, undefined, 2)}\n`);
    renameSync(draft, path);
  } finally {
    rmSync(draft, { force: true });
  }
}
