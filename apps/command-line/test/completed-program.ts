/** A program of commands within commands, whose words a shell completes. */

import { defineCommand, type CommandDef } from "citty";
import { completionCommand, runCommandLine } from "../src/index.ts";

const bake = defineCommand({
  args: {
    out: { type: "string" },
    heat: { type: "enum", options: ["low", "high"] },
    slow: { type: "boolean" },
    light: { type: "boolean", default: true },
  },
});
const look = defineCommand({ args: { cake: { type: "positional" }, deep: { type: "boolean" } } });
const list = defineCommand({ args: { json: { type: "boolean" } } });
const shelf = defineCommand({ subCommands: { list, "list-all": list } });
const pantry = defineCommand({ subCommands: { shelf, list, lock: list } });

const main: CommandDef = defineCommand({
  subCommands: { bake, look, pantry, completion: completionCommand("my-tool", () => main) },
});

await runCommandLine(main, {
  words: process.argv.slice(2),
  packageFile: new URL("../package.json", import.meta.url),
  usageCode: "ERR_TOOL_USAGE",
  isRefusal: (_error): _error is never => false,
});
