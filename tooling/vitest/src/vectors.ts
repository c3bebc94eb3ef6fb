/**
 * Test corpora made by others. They lie beside a checkout, in `../shared/vectors` seen from the repository's root, and
 * are never part of it. Only tests in files named `*.corpora.test.ts` read them; `npm run test:corpora` runs those.
 */

import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** Where the corpora are looked for. */
export const vectorsFolder: URL = new URL("../../../../shared/vectors/", import.meta.url);

/** Whether the corpora are here. */
export const hasVectors: boolean = existsSync(vectorsFolder);

/** The line that tells why the tests on corpora were skipped. */
export const missingVectors = "the corpora are not in ../shared/vectors, beside this checkout";

/** The absolute path of one corpus file, named relative to the corpora's folder. */
export function vectorPath(name: string): string {
  return fileURLToPath(new URL(name, vectorsFolder));
}

/** One JSON corpus file, parsed. */
export function readVectors(name: string): unknown {
  return JSON.parse(readFileSync(vectorPath(name), "utf8"));
}
