/** `latchkey decisions`: what policies refuse, while it happens. */

import { setTimeout as wait } from "node:timers/promises";
import { defineCommand } from "citty";
import { isObject } from "../http/json-body.ts";
import { shortLength, textIn } from "./answers.ts";
import type { ApiAnswer } from "./api-client.ts";
import { apiOptions, withLiveApi } from "./api-options.ts";
import { print, whenUnwanted } from "./data-option.ts";
import { printable } from "./table.ts";

const pollMs = 500;

/** The command. With `--follow` it runs until it is interrupted or nobody reads what it prints. */
export const decisionsCommand = defineCommand({
  meta: { name: "decisions", description: "Print what policies have refused, with the reason" },
  args: {
    ...apiOptions,
    follow: { type: "boolean", description: "Go on with what is refused from now on" },
    json: { type: "boolean", description: "A JSON object a line" },
  },
  run: ({ args }) =>
    withLiveApi(args, async (api) => {
      const interrupted = new AbortController();
      whenUnwanted(() => interrupted.abort());
      for (let after = 0; !interrupted.signal.aborted;) {
        const { decisions, lastSequence } = await api.call("ListDecisions", { after });
        const found = Array.isArray(decisions) ? decisions.filter((one: unknown) => isObject(one)) : [];
        for (const one of found) {
          print(args.json === true ? JSON.stringify(one) : lineOf(one));
          after = Number(one["sequence"]);
        }
        if (found.length > 0) continue;
        if (args.follow !== true) return;
        // A broker that was started again counts from 1.
        if (Number(lastSequence) < after) after = 0;
        await wait(pollMs, undefined, { signal: interrupted.signal }).catch(() => {});
      }
    }),
});

function lineOf(one: ApiAnswer): string {
  const time = new Date(Number(one["timeMs"])).toISOString().slice(11, 19);
  const who = `${textIn(one, "clientId")} (${textIn(one, "certificateId").slice(0, shortLength)})`;
  const times = Number(one["times"]) > 1 ? ` (${Number(one["times"])} times)` : "";
  return printable(`${time} ${who} ${textIn(one, "action")} ${textIn(one, "name")}${times}: ${textIn(one, "reason")}`);
}
