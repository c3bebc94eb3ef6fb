/**
 * Test corpora made by others. They lie beside a checkout, in `../shared/vectors` seen from the repository's root, and
 * are never part of it; a checkout without them runs on the project's own fixtures.
 */

import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const folder = new URL("../../../../shared/vectors/", import.meta.url);

/** Whether the corpora are here. */
export const hasVectors: boolean = existsSync(folder);

/** The absolute path of one corpus file, named relative to the corpora's folder. */
export function vectorPath(name: string): string {
  return fileURLToPath(new URL(name, folder));
}

/** One JSON corpus file, parsed. */
export function readVectors(name: string): unknown {
  return JSON.parse(readFileSync(vectorPath(name), "utf8"));
}
