/** Few devices; `remembered-memory.corpora.test.ts` has more. */

import { testRememberedMemory } from "./remembered-memory.ts";

testRememberedMemory(60);
