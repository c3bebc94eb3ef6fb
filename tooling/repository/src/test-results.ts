/** The result files that the workspaces' test runs leave, read together. */

import { existsSync, globSync, readFileSync, rmSync } from "node:fs";
import { join, relative } from "node:path";
import { missingCorpora } from "@latchkey/tooling-vitest/vectors";

/** The tasks that run tests. */
export type TestTask = "test" | "test:corpora";

/** What the tests of all workspaces came to. */
export interface TestResults {
  readonly passed: number;
  /** What failed: the name and the first lines of what the test said. A file without tests is here as well. */
  readonly failures: readonly string[];
  /** What passed only when it was tried again, with the first lines of what it said before. */
  readonly unsteady: readonly string[];
  /** Workspaces that left no results: their tests did not run to the end, or were not asked for. */
  readonly workspacesWithoutResults: readonly string[];
  /** How many tests were skipped for each reason. The reason stands in the name of the test or its suite. */
  readonly skips: ReadonlyMap<string, number>;
}

/** The part of vitest's JSON report that is read here. */
interface Report {
  readonly testResults: readonly {
    readonly name: string;
    readonly assertionResults: readonly {
      readonly status: string;
      readonly title: string;
      readonly fullName: string;
      readonly ancestorTitles: readonly string[];
      readonly failureMessages?: readonly string[];
    }[];
  }[];
}

const resultFiles: Readonly<Record<TestTask, string>> = {
  test: "test-results.json",
  "test:corpora": "corpora-results.json",
};

/**
 * Removes what earlier runs left. It must not be counted for a workspace whose tests do not come to an end now; turbo
 * writes the results of what did not change again.
 */
export function forgetTestResults(root: string): void {
  for (const file of Object.values(resultFiles)) {
    for (const path of globSync(`*/*/node_modules/.cache/${file}`, { cwd: root })) rmSync(join(root, path));
  }
}

/** Reads what the last run of `task` left in each workspace that has this task. */
export function readTestResults(root: string, task: TestTask): TestResults {
  let passed = 0;
  const failures: string[] = [];
  const unsteady: string[] = [];
  const workspacesWithoutResults: string[] = [];
  const skips = new Map<string, number>();
  const isForCorpora = task === "test:corpora" && missingCorpora().length > 0;
  for (const folder of workspacesWith(root, task)) {
    const file = join(root, folder, "node_modules/.cache", resultFiles[task]);
    if (!existsSync(file)) {
      workspacesWithoutResults.push(folder);
      continue;
    }
    const report: Report = JSON.parse(readFileSync(file, "utf8"));
    for (const { name, assertionResults } of report.testResults) {
      if (assertionResults.length === 0) failures.push(`${relative(root, name)}: no tests`);
      for (const { status, title, fullName, ancestorTitles, failureMessages = [] } of assertionResults) {
        if (status === "passed") {
          passed++;
          if (failureMessages.length > 0) unsteady.push(`${folder}: ${fullName}${firstLines(failureMessages)}`);
        } else if (status === "failed") failures.push(`${folder}: ${fullName}${firstLines(failureMessages)}`);
        else {
          const reason = isForCorpora ? missingCorporaReason : `${folder}: ${ancestorTitles[0] ?? title}`;
          skips.set(reason, (skips.get(reason) ?? 0) + 1);
        }
      }
    }
  }
  return { passed, failures, unsteady, workspacesWithoutResults, skips };
}

/** The beginning of a failure's messages, indented below the test's name: what was expected, and where. */
function firstLines(messages: readonly string[]): string {
  const lines = messages.flatMap((message) => message.split("\n")).filter((line) => !line.includes("node_modules"));
  return lines
    .slice(0, 12)
    .map((line) => `\n    ${line.slice(0, 300)}`)
    .join("");
}

/** What the tests wait for whose corpora are not here. `run-tests.ts` says which corpora those are. */
const missingCorporaReason = "tests of corpora that are not here";

function workspacesWith(root: string, task: TestTask): string[] {
  const manifests = globSync("{packages,apps,bench,tests,tooling}/*/package.json", { cwd: root }).sort();
  return manifests
    .filter((path) => JSON.parse(readFileSync(join(root, path), "utf8")).scripts?.[task] !== undefined)
    .map((path) => path.slice(0, -"/package.json".length));
}
