/** Work that goes on until a file exists: `long-worker.ts stays|passes FILE [fails]`. */

import { existsSync } from "node:fs";
import { setTimeout } from "node:timers/promises";
import { withPassingProgress, withProgress, type Report } from "../../src/commands/long-work.ts";

const [kind, file = "", end] = process.argv.slice(2);
const work = async (report: Report): Promise<string> => {
  for (let step = 1; !existsSync(file); step++) {
    report(`step ${step}`);
    await setTimeout(10);
  }
  if (end === "fails") throw new RangeError("it did not work");
  return "the result";
};
const run = kind === "stays" ? withProgress : withPassingProgress;
try {
  process.stdout.write(`${await run("working", false, work)}\n`);
} catch (error) {
  process.stdout.write(`${String(error)}\n`);
}
