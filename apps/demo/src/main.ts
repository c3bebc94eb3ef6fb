/** `npm run demo`: the article about the pizza button as one run, with real processes, sockets and certificates. */

import { tellStory } from "./story.ts";

process.exitCode = (await tellStory((line) => process.stdout.write(`${line}\n`))) ? 0 : 1;
