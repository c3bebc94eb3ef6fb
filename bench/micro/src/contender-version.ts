/** The version of what a contender measures. */

import { installedVersion } from "@latchkey/bench-results";
import type { Contender } from "./scenario.ts";

/**
 * Looks a contender's package up as a suite imports it. `bare` and names that begin with `node:` have Node's version; a
 * name that is no installed package has none.
 */
export function contenderVersion({ name }: Contender, from: string | URL): string {
  const [first = name] = name.split(" ");
  if (first === "bare" || first.startsWith("node:")) return `Node ${process.versions.node}`;
  return installedVersion(first, from) ?? "";
}
