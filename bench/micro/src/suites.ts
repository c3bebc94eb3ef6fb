/** The micro suites: every file in `suites/`, one a package, each exporting its `suite` under the file's name. */

import { readdirSync } from "node:fs";

const suitesFolder = new URL("./suites/", import.meta.url);

/** A suite's name and the address of its module. */
export interface SuiteFile {
  readonly name: string;
  readonly module: string;
}

/** The suites that may have scenarios whose name contains `filter`; none of them is loaded. */
export function suiteFiles(filter: string): SuiteFile[] {
  const files = readdirSync(suitesFolder)
    .filter((file) => file.endsWith(".ts"))
    .sort()
    .map((file) => ({ name: file.slice(0, -".ts".length), module: new URL(file, suitesFolder).href }));
  // A filter that begins with a suite's name needs no other suite's peers.
  const named = files.filter(({ name }) => filter.startsWith(`${name}/`));
  return named.length > 0 ? named : files;
}
