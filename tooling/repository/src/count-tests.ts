/**
 * Prints `PASSED FAILED` over the result files that the workspaces' test runs leave. A skipped test, a workspace
 * without results and a file without tests count as failed: they would otherwise look like success. Names go to
 * standard error.
 */

import { existsSync, globSync, readFileSync } from "node:fs";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";

/** The part of vitest's JSON report that is read here. */
interface Report {
  readonly testResults: readonly {
    readonly name: string;
    readonly assertionResults: readonly { readonly status: string; readonly fullName: string }[];
  }[];
}

process.chdir(fileURLToPath(new URL("../../../", import.meta.url)));
let passed = 0;
const failures: string[] = [];
for (const config of globSync([
  "packages/*/vitest.config.ts",
  "apps/*/vitest.config.ts",
  "bench/*/vitest.config.ts",
  "tests/*/vitest.config.ts",
  "tooling/*/vitest.config.ts",
])) {
  const file = `${dirname(config)}/node_modules/.cache/test-results.json`;
  if (!existsSync(file)) {
    failures.push(`${dirname(config)}: no test results`);
    continue;
  }
  const report: Report = JSON.parse(readFileSync(file, "utf8"));
  for (const { name, assertionResults } of report.testResults) {
    if (assertionResults.length === 0) failures.push(`${name}: no tests`);
    for (const { status, fullName } of assertionResults) {
      if (status === "passed") passed++;
      else failures.push(`${status}: ${fullName}`);
    }
  }
}
for (const failure of failures) console.error(failure);
console.log(passed, failures.length);
