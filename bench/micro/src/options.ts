/** The command line of the micro bench. */

import { parseArgs } from "node:util";

/** What `--help` prints. */
export const usage = `npm run bench -- [--filter TEXT] [--json FILE] [--compare REVISION] [--limit SECONDS] [--list] [--smoke]

  --filter TEXT       only scenarios whose name contains TEXT
  --json FILE         write the results to FILE, after each scenario
  --compare REVISION  measure against another revision of this repository in place of the peers
  --limit SECONDS     kill a scenario that takes longer; default 180
  --list              print the names of the scenarios and end
  --smoke             run each scenario once; the figures mean nothing`;

/** The options in effect. */
export interface BenchOptions {
  readonly filter: string;
  readonly json: string | undefined;
  readonly compare: string | undefined;
  readonly limitMs: number;
  readonly list: boolean;
  readonly smoke: boolean;
  readonly help: boolean;
}

/** Reads the command line; throws an Error that says what is wrong and what would be accepted. */
export function readOptions(words: readonly string[]): BenchOptions {
  const { values } = parseArgs({
    args: [...words],
    options: {
      filter: { type: "string", default: "" },
      json: { type: "string" },
      compare: { type: "string" },
      limit: { type: "string", default: "180" },
      list: { type: "boolean", default: false },
      smoke: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  const { filter, json, compare, limit, list, smoke, help } = values;
  const seconds = Number(limit);
  if (!(seconds > 0 && seconds <= 86_400)) {
    throw new Error(`--limit ${limit}: a number of seconds above 0 and up to 86400 is accepted`);
  }
  return { filter, json, compare, limitMs: seconds * 1000, list, smoke, help };
}
