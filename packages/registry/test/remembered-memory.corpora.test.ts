/** More devices, so that what else the process does counts less: `npm run test:corpora`. */

import { testRememberedMemory } from "./remembered-memory.ts";

testRememberedMemory(1000);
