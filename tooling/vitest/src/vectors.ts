/**
 * Test corpora made by others. They lie beside a checkout, in `../shared/vectors` seen from the repository's root, and
 * are never part of it. Only tests in files named `*.corpora.test.ts` read them; `npm run test:corpora` runs those.
 */

import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { corpora, type Corpus } from "./corpora.ts";

/** Where the corpora are looked for. */
export const vectorsFolder: URL = new URL("../../../../shared/vectors/", import.meta.url);

/** Whether a corpus is here, by one of its files or folders. */
export function hasVectors(name: string): boolean {
  return existsSync(new URL(name, vectorsFolder));
}

/** The corpora that are not here. */
export function missingCorpora(): Corpus[] {
  return corpora.filter(({ place }) => !hasVectors(place));
}

/** One JSON corpus file, parsed. Its name is relative to the corpora's folder. */
export function readVectors(name: string): unknown {
  return JSON.parse(readFileSync(fileURLToPath(new URL(name, vectorsFolder)), "utf8"));
}
