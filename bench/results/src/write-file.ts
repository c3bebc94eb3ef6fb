/** Result files that are whole at any moment. */

import { renameSync, rmSync, writeFileSync } from "node:fs";

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
