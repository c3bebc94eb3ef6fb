/** The vitest settings that every workspace shares. */

import { defaultServerConditions } from "vite";
import type { ViteUserConfig } from "vitest/config";

/**
 * Workspaces resolve each other's sources through the `@latchkey/source` condition, in the test process and in the
 * workers and child processes that it starts, so tests need no build.
 */
export const shared: ViteUserConfig = {
  ssr: { resolve: { conditions: ["@latchkey/source", ...defaultServerConditions] } },
  test: {
    include: ["test/**/*.test.ts"],
    execArgv: ["--conditions=@latchkey/source"],
    reporters: ["default", ["json", { outputFile: "node_modules/.cache/test-results.json" }]],
  },
};
