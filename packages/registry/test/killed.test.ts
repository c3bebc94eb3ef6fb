/** One round; `killed.corpora.test.ts` has many. */

import { testKilledWriter } from "./killed.ts";

testKilledWriter(1);
