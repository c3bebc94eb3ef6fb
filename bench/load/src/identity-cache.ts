/**
 * Where certificates are kept between runs, bounded, for several benches at a time.
 *
 * A folder each maker and key type. A bench that uses a folder has a file `used-by-PID-...` in it until it ends; a file of a
 * process that is gone counts for nothing, so a bench that was killed holds nothing back. Folders that are in use are never removed.
 * Of the others the latest few stay while all together are small enough. There is no lock: a folder is taken out of the way by
 * renaming it, then looked at once more, and put back where a bench has come to it meanwhile.
 */

import { randomUUID } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { LoadError } from "./errors.ts";
import { isProcess } from "./target/process.ts";

/** How much is kept beside what is in use. */
export interface CacheLimits {
  readonly folders: number;
  readonly octets: number;
}

/** The two key types of two revisions; 100,000 devices take 110 MB. */
export const cacheLimits: CacheLimits = { folders: 4, octets: 300_000_000 };

const marks = new Set<string>();
process.on("exit", () => {
  for (const mark of marks) rmSync(mark, { force: true });
});

/** How often a folder that is taken away at the same moment is made again. */
const mostAttempts = 10;

/** Opens folder `name` below `parent`, marks it as used until this process ends, and removes what is too much. Gives its path. */
export function openCacheFolder(parent: string, name: string, limits: CacheLimits = cacheLimits): string {
  const folder = join(parent, name);
  for (let attempt = 0; attempt < mostAttempts; attempt++) {
    const mark = join(folder, `used-by-${process.pid}-${randomUUID()}`);
    try {
      mkdirSync(folder, { recursive: true, mode: 0o700 });
      writeFileSync(mark, "");
      utimesSync(folder, new Date(), new Date());
    } catch (error) {
      if (!(error instanceof Error && "code" in error && error.code === "ENOENT")) throw error;
      continue;
    }
    if (!existsSync(mark)) continue;
    marks.add(mark);
    removeDrafts(folder);
    prune(parent, limits);
    return folder;
  }
  throw new LoadError(
    "ERR_LOAD_MACHINE",
    `${folder} is removed by something else again and again: stop it, or run again`,
  );
}

/** The name of a file that is being written: its end says by which process. */
export function draftOf(file: string): string {
  return `${file}.${process.pid}-${randomUUID()}.draft`;
}

const uuid = "[0-9a-f-]{36}";
const markPattern = new RegExp(`^used-by-(\\d+)-${uuid}$`);
const draftPattern = new RegExp(`\\.(\\d+)-${uuid}\\.draft$`);

/** Removes what a bench that was killed had begun to write, and its mark. */
function removeDrafts(folder: string): void {
  for (const name of readdirSync(folder)) {
    const owner = (draftPattern.exec(name) ?? markPattern.exec(name))?.[1];
    if (owner !== undefined && !isProcess(Number(owner))) rmSync(join(folder, name), { force: true });
  }
}

function isUsed(folder: string): boolean {
  return readdirSync(folder).some((name) => {
    const owner = markPattern.exec(name)?.[1];
    return owner !== undefined && isProcess(Number(owner));
  });
}

const removedSuffix = ".removed-";

function prune(parent: string, limits: CacheLimits): void {
  const folders = readdirSync(parent, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .flatMap(({ name }) => describe(join(parent, name)) ?? [])
    .toSorted((a, b) => b.usedMs - a.usedMs);
  let count = 0;
  let octets = 0;
  for (const folder of folders) {
    count++;
    octets += folder.octets;
    const isTooMuch = count > limits.folders || octets > limits.octets || folder.path.includes(removedSuffix);
    if (isTooMuch && remove(folder.path)) {
      count--;
      octets -= folder.octets;
    }
  }
}

/** Undefined where another bench has just removed it. */
function describe(path: string): { path: string; usedMs: number; octets: number } | undefined {
  try {
    const octets = readdirSync(path).reduce((sum, name) => sum + statSync(join(path, name)).size, 0);
    return { path, usedMs: statSync(path).mtimeMs, octets };
  } catch {
    return undefined;
  }
}

function remove(path: string): boolean {
  const away = `${path}${removedSuffix}${randomUUID()}`;
  try {
    if (isUsed(path)) return false;
    renameSync(path, away);
    if (isUsed(away)) {
      renameSync(away, path);
      return false;
    }
    rmSync(away, { recursive: true, force: true });
    return true;
  } catch {
    // Another bench was faster, with this folder or with its place.
    return false;
  }
}
