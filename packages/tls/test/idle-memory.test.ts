/** Few connections; `idle-memory.corpora.test.ts` has more. */

import { describeIdleMemory } from "./idle-memory.ts";

describeIdleMemory(60);
