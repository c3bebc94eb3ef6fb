/**
 * Programs of the machine that tests drive (openssl, mosquitto, ...).
 *
 * A missing program skips its tests and says how to install it; with LATCHKEY_REQUIRE_PROGRAMS set (as `.ci/run`
 * does) a missing program is an error instead, so that a skip cannot hide there.
 */

import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";

/** A program that was looked for on PATH (and in the sbin folders, where Debian puts servers). */
export interface Program {
  /** Absolute path, or undefined where the machine lacks it. */
  readonly path: string | undefined;
  /** What a skipped test says: the command that installs the program. */
  readonly skipReason: string;
}

/** Finds `name`; `debianPackage` is what installs it. Throws where programs are required and it is missing. */
export function findProgram(name: string, debianPackage: string): Program {
  const skipReason = `${name} is not installed: apt-get install ${debianPackage}`;
  const folders = [...(process.env["PATH"] ?? "").split(delimiter), "/usr/sbin", "/usr/local/sbin"];
  for (const folder of folders) {
    const path = join(folder, name);
    try {
      accessSync(path, constants.X_OK);
      return { path, skipReason };
    } catch {
      continue;
    }
  }
  if (process.env["LATCHKEY_REQUIRE_PROGRAMS"] !== undefined) throw new Error(skipReason);
  return { path: undefined, skipReason };
}
