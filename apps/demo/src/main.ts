/** `npm run demo`: the article about the pizza button as one run, with real processes, sockets and certificates. */

import { runCommandLine, terminalOf } from "@latchkey/command-line";
import { defineCommand } from "citty";
import { keepRunning } from "./keep-running.ts";
import { StoryError } from "./play.ts";
import { tellStory } from "./story.ts";

const main = defineCommand({
  meta: { name: "demo", description: "Tell the article about the pizza button, and do all that it says" },
  args: {
    slow: { type: "boolean", description: "Pause after each line, for an audience" },
    keep: { type: "boolean", description: "Leave the broker and the identities running, and say how to go on" },
  },
  async run({ args }) {
    const terminal = terminalOf(process.stdout, process.env);
    const isGood = await tellStory({
      terminal,
      write,
      isSlow: args.slow === true,
      ...(args.keep === true && { onEnd: (kept) => keepRunning(kept, terminal, write) }),
    });
    if (!isGood) process.exitCode = 1;
  },
});

function write(text: string): void {
  process.stdout.write(text);
}

await runCommandLine(main, {
  words: process.argv.slice(2),
  packageFile: new URL("../package.json", import.meta.url),
  usageCode: "ERR_DEMO_USAGE",
  isRefusal: (error) => error instanceof StoryError,
});
