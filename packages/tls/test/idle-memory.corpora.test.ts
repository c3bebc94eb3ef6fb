/** More connections, so that what else the process does counts less: `npm run test:corpora`. */

import { describeIdleMemory } from "./idle-memory.ts";

describeIdleMemory(250);
