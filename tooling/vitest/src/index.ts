/** The vitest settings that every workspace shares. */

import { fileURLToPath } from "node:url";
import { defaultServerConditions } from "vite";
import type { ViteUserConfigFnObject } from "vitest/config";

/** Node's own conditions: bundlers' `module` may name files that Node cannot load. */
const nodeConditions = defaultServerConditions.filter((condition) => condition !== "module");
const corporaTests = "test/**/*.corpora.test.ts";
const compileCache = fileURLToPath(new URL("../../../node_modules/.cache/compile", import.meta.url));

/**
 * `vitest run` runs the tests that need nothing from outside the repository. `vitest run --mode corpora` runs the files
 * named `*.corpora.test.ts`: those that read the corpora of other projects (see `vectors.ts`).
 *
 * Workspaces resolve each other's sources through the `@latchkey/source` condition, in the test process and in the
 * workers and child processes that it starts, so tests need no build.
 */
export const shared: ViteUserConfigFnObject = ({ mode }) => {
  const isCorporaRun = mode === "corpora";
  // turbo sets the first for every task, `npm test` and `npm run dev` the second.
  if (process.env["TURBO_HASH"] !== undefined && process.env["LATCHKEY_PROGRAMS"] === undefined) {
    throw new Error(
      "turbo would keep this result whichever programs are installed, and replay a skipped test as a passed one. " +
        "Run it as: npm test -- --filter=PACKAGE",
    );
  }
  return {
    ssr: { resolve: { conditions: ["@latchkey/source", ...nodeConditions] } },
    test: {
      include: [isCorporaRun ? corporaTests : "test/**/*.test.ts"],
      exclude: isCorporaRun ? [] : [corporaTests],
      execArgv: ["--conditions=@latchkey/source"],
      // Programs that tests start: most of a short one's time would go into reading the same sources.
      env: { NODE_COMPILE_CACHE: process.env["NODE_COMPILE_CACHE"] ?? compileCache },
      // One process for all files of a workspace: to load the sources anew for each took more time than the tests. No test
      // may depend on what another file has left.
      isolate: false,
      // A machine that does other things besides is many times slower; many tests start processes.
      testTimeout: 120_000,
      hookTimeout: 120_000,
      // `.ci/run` tries a failed test once more and names those that pass then; nowhere else is a failure tried again.
      retry: Number(process.env["LATCHKEY_TEST_RETRIES"] ?? 0),
      reporters: [
        "default",
        ["json", { outputFile: `node_modules/.cache/${isCorporaRun ? "corpora" : "test"}-results.json` }],
      ],
    },
  };
};
