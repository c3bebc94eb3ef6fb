/** The micro suites: every file in `suites/`, one a package, each exporting its `suite`. */

import { readdirSync } from "node:fs";
import type { Suite } from "./scenario.ts";

/** Loads the modules of all suites; scenarios and peers are only made when a suite is run. */
export async function loadSuites(): Promise<readonly Suite[]> {
  const folder = new URL("./suites/", import.meta.url);
  const files = readdirSync(folder).filter((file) => file.endsWith(".ts"));
  const modules = files.sort().map((file) => import(new URL(file, folder).href) as Promise<{ suite: Suite }>);
  return (await Promise.all(modules)).map((module) => module.suite);
}
