/** The list of micro suites, one a package. */

import type { Suite } from "./scenario.ts";

/** Loads every suite's module; scenarios and peers are only made when a suite is run. */
export async function loadSuites(): Promise<readonly Suite[]> {
  const modules = await Promise.all([]);
  return modules.map((module) => module.suite);
}
