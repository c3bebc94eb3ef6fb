#!/usr/bin/env node
/** `latchkey-button`: a faithful AWS IoT Button on the command line. */

import { runCommandLine } from "@latchkey/command-line";
import { defineCommand } from "citty";
import { pressArguments, runPress } from "./commands/press.ts";
import { ButtonError } from "./errors.ts";

const main = defineCommand({
  meta: { name: "latchkey-button", description: "Press the button once" },
  args: pressArguments,
  run: ({ args }) => runPress(args),
});

await runCommandLine(main, {
  words: process.argv.slice(2),
  packageFile: new URL("../package.json", import.meta.url),
  usageCode: "ERR_BUTTON_USAGE",
  isRefusal: (error) => error instanceof ButtonError,
});
