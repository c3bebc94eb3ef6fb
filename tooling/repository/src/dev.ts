/**
 * `npm run dev`: watches the repository and reruns the build and the tests of what an edit touches, and of nothing
 * else. A red test ends nothing: each round closes with one line and waits for the next edit. `npm run dev -- NAME` runs
 * the app NAME instead and restarts it on an edit of it or of a package under it.
 */

import { spawn } from "node:child_process";
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { runRound, type Round } from "./round.ts";
import { forgetTestResults, readTestResults } from "./test-results.ts";
import { watchFiles } from "./watch-files.ts";

const root = fileURLToPath(new URL("../../../", import.meta.url));
const [app, ...rest] = process.argv.slice(2);

if (app === undefined) await runRounds();
else runApp(app);

/** Builds and tests after each edit, until a signal ends it. An edit during a round starts it again. */
async function runRounds(): Promise<void> {
  const stopping = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => stopping.abort());
  const files = watchFiles(root);
  try {
    await runRoundsOn(files, stopping.signal);
  } finally {
    await files[Symbol.asyncDispose]();
  }
}

async function runRoundsOn(files: ReturnType<typeof watchFiles>, stopping: AbortSignal): Promise<void> {
  for (;;) {
    const ending = new AbortController();
    let wasEdited = false;
    forgetTestResults(root);
    const round = runRound(root, AbortSignal.any([stopping, ending.signal]), (task) => console.log(task));
    const finished = new AbortController();
    const edit = files.change(AbortSignal.any([stopping, finished.signal])).then((isEdited) => {
      wasEdited = isEdited;
      if (isEdited) ending.abort();
    });
    const result = await round.finally(() => finished.abort());
    await edit;
    if (stopping.aborted) return;
    if (wasEdited) {
      console.log("edited during the round, which starts again");
      continue;
    }
    console.log(`${resultLine(result)}; waiting for changes`);
    if (!(await files.change(stopping))) return;
  }
}

/** Prints what failed, and gives the round's result in one line. */
function resultLine({ started, failed, complaint }: Round): string {
  if (complaint !== undefined) console.log(complaint);
  for (const { output } of failed) console.log(output);
  const { passed, failures, skips } = readTestResults(root, "test");
  for (const failure of failures) console.log(`failed: ${failure}`);
  let skipped = 0;
  for (const count of skips.values()) skipped += count;
  const tests = `${passed} tests passed, ${failures.length} failed, ${skipped} skipped`;
  // A build that failed, or tests that did not run to their end, leave no failed test.
  const tasks =
    failed.length === 0 ? `tasks run: ${started}` : `failed tasks: ${failed.map(({ name }) => name).join(", ")}`;
  return complaint === undefined ? `${tests}; ${tasks}` : "turbo failed";
}

function runApp(name: string): void {
  const runnable = appsToRun();
  if (!runnable.includes(name)) {
    console.error(
      `apps/${name} is not an app that keeps running. npm run dev -- APP runs one and restarts it: ${runnable.join(", ")}. ` +
        "Without APP, npm run dev builds and tests what an edit touches.",
    );
    process.exitCode = 2;
    return;
  }
  const watch = spawn("turbo", ["watch", "dev", `--filter=./apps/${name}`, ...rest], { cwd: root, stdio: "inherit" });
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => watch.kill("SIGTERM"));
  watch.on("exit", (code) => {
    process.exitCode = code ?? 1;
  });
}

/** The apps with a script `dev`. */
function appsToRun(): string[] {
  return globSync("apps/*/package.json", { cwd: root })
    .filter((path) => JSON.parse(readFileSync(join(root, path), "utf8")).scripts?.dev !== undefined)
    .map((path) => path.split("/")[1] ?? "")
    .sort();
}
