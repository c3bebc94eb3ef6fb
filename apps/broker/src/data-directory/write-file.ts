/** Folders and files that are there whole or not at all, and stay after a power cut. */

import { randomUUID } from "node:crypto";
import { mkdir, open, rename, rm, stat } from "node:fs/promises";
import { dirname } from "node:path";

/**
 * Makes a directory and those above it, for their owner only. True where it was not there before.
 *
 * Node's own recursive mkdir never returns where the system refuses with ENOENT, for instance under /proc.
 */
export async function makeDirectory(directory: string): Promise<boolean> {
  try {
    await mkdir(directory, { mode: 0o700 });
  } catch (error) {
    const above = dirname(directory);
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    if (code === "EEXIST" && (await stat(directory)).isDirectory()) return false;
    if (code !== "ENOENT" || above === directory) throw error;
    await makeDirectory(above);
    await mkdir(directory, { mode: 0o700 });
  }
  return true;
}

/**
 * Writes a file so that it is there whole or not at all. Nothing that is there already is opened: the new file has a name
 * that cannot be guessed and its mode from the start, and is then renamed.
 */
export async function writeFileWhole(file: string, content: string, mode: number): Promise<void> {
  const unfinished = `${file}.${randomUUID()}.new`;
  try {
    const handle = await open(unfinished, "wx", mode);
    try {
      await handle.writeFile(content);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(unfinished, file);
  } catch (error) {
    await rm(unfinished, { force: true });
    throw error;
  }
  const folder = await open(dirname(file));
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
