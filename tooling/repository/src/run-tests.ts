/**
 * `npm test` and `npm run test:corpora`: runs the task in every workspace through turbo, which replays the result of what
 * did not change, and closes with what was skipped and why, and with `N passed, N failed, N skipped`. Where corpora are
 * missing, test:corpora says how many cases they have.
 *
 *     run-tests.ts test|test:corpora [TURBO OPTION]...
 */

import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { missingCorpora } from "@latchkey/tooling-vitest/vectors";
import { machineEnvironment } from "./machine.ts";
import { forgetTestResults, readTestResults, type TestTask } from "./test-results.ts";

const root = fileURLToPath(new URL("../../../", import.meta.url));
const [task, ...options] = process.argv.slice(2);

if (task === "test" || task === "test:corpora") run(task);
else {
  console.error("Usage: run-tests.ts test|test:corpora [TURBO OPTION]...");
  process.exitCode = 2;
}

function run(task: TestTask): void {
  forgetTestResults(root);
  const { status } = spawnSync("turbo", ["run", task, "--continue", "--concurrency=1", ...options], {
    cwd: root,
    stdio: "inherit",
    env: { ...process.env, ...machineEnvironment() },
  });
  const { passed, failures, unsteady, workspacesWithoutResults, skips } = readTestResults(root, task);
  const isWhole = !options.some((option) => option.startsWith("--filter"));
  const absent = isWhole ? workspacesWithoutResults.map((folder) => `${folder}: no test results`) : [];
  const failed = [...failures, ...absent];
  let skipped = 0;
  for (const [reason, count] of skips) {
    skipped += count;
    console.log(`skipped ${count}: ${reason}`);
  }
  if (task === "test:corpora") sayWhatIsMissing();
  for (const name of unsteady) console.log(`unsteady: ${name}`);
  for (const failure of failed) console.log(`failed: ${failure}`);
  console.log(`${passed} passed, ${failed.length} failed, ${skipped} skipped`);
  process.exitCode = failed.length > 0 ? 1 : (status ?? 1);
}

function sayWhatIsMissing(): void {
  for (const { name, cases, files } of missingCorpora()) {
    const remedy = files.length === 0 ? "CONTRIBUTING.md says why" : "npm run vectors -- --into ../shared/vectors";
    console.log(`not run: ${cases} cases of ${name}, which is not in ../shared/vectors: ${remedy}`);
  }
}
