/** A program of two commands, for the tests. */

import { defineCommand } from "citty";
import { runCommandLine } from "../src/index.ts";

class BluntError extends Error {
  readonly code = "ERR_TOOL_BLUNT";
}

const cut = defineCommand({
  meta: { name: "cut", description: "Cut it" },
  args: {
    deep: { type: "boolean", description: "All the way" },
    fast: { type: "boolean", description: "In no time" },
  },
  run({ args }) {
    if (args.deep) throw new Error("not sharp");
    if (args.fast) throw new BluntError("the knife slips");
    throw new BluntError("the knife is blunt");
  },
});

const bake = defineCommand({
  meta: { name: "bake", description: "Bake it" },
  args: {
    out: { type: "string", required: true, description: "Where it goes" },
    heat: { type: "enum", options: ["low", "high"], description: "How hot" },
    slow: { type: "boolean", description: "Take time" },
  },
  run({ args: { out, heat, slow } }) {
    process.stdout.write(`${JSON.stringify({ out, heat, slow })}\n`);
  },
});

const main = defineCommand({ meta: { name: "tool", description: "A tool" }, subCommands: { cut, bake } });

await runCommandLine(main, {
  words: process.argv.slice(2),
  packageFile: new URL("../package.json", import.meta.url),
  usageCode: "ERR_TOOL_USAGE",
  isRefusal: (error) => error instanceof BluntError,
  nextStep: (error) => (error instanceof BluntError && error.message.endsWith("slips") ? "hold it" : undefined),
});
