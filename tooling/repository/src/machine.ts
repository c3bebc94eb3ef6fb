/**
 * What lies outside the repository and changes what its tests do: the programs that they drive and the corpora that they
 * read. A fingerprint of them goes into the key under which turbo keeps a result, so a run that skipped tests is never
 * replayed on a machine where they would run.
 */

import { createHash } from "node:crypto";
import { globSync, statSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { lookForProgram, programNames } from "@latchkey/tooling-vitest/programs";
import { vectorsFolder } from "@latchkey/tooling-vitest/vectors";

/** The environment that turbo.json names for the tasks `test` and `test:corpora`. */
export function machineEnvironment(): Record<string, string> {
  const programs = programNames.map((name) => lookForProgram(name).path ?? "");
  const corpora = globSync("**/*.json", { cwd: fileURLToPath(vectorsFolder) }).map((name) =>
    fileURLToPath(new URL(name, vectorsFolder)),
  );
  return { LATCHKEY_PROGRAMS: fingerprint(programs), LATCHKEY_CORPORA: fingerprint(corpora.sort()) };
}

/** Paths with size and time of change; a file that is missing counts as well. */
function fingerprint(paths: readonly string[]): string {
  const hash = createHash("sha256");
  for (const path of paths) {
    const stat = path === "" ? undefined : statSync(path);
    hash.update(`${path} ${stat?.size} ${stat?.mtimeMs}\n`);
  }
  return hash.digest("hex").slice(0, 16);
}
