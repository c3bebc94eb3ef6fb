#!/usr/bin/env node
/** `latchkey-button`: a faithful AWS IoT Button on the command line. What is more than a press is loaded when it is asked for. */

import { runCommandLine } from "@latchkey/command-line";
import { defineCommand } from "citty";
import { pressArguments, runPress } from "./commands/press.ts";

const main = defineCommand({
  meta: { name: "latchkey-button", description: "Press the button once" },
  args: pressArguments,
  subCommands: {
    provision: async () => (await import("./commands/provision.ts")).provisionCommand,
    attack: async () => (await import("./commands/attack.ts")).attackCommand,
    fleet: async () => (await import("./commands/fleet.ts")).fleetCommand,
  },
  run: ({ args }) => runPress(args),
});

await runCommandLine(main, {
  words: process.argv.slice(2),
  packageFile: new URL("../package.json", import.meta.url),
  usageCode: "ERR_BUTTON_USAGE",
  isRefusal: isOurs,
});

/** What a person can mend: an error of the button, or of the registry behind `--data`. */
function isOurs(error: unknown): error is Error & { readonly code: string } {
  return (
    error instanceof Error &&
    "code" in error &&
    typeof error.code === "string" &&
    /^ERR_(BUTTON|REGISTRY)_/.test(error.code)
  );
}
