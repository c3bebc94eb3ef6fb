/** Few changes; `second-process.corpora.test.ts` has more. */

import { testSecondProcess } from "./second-process.ts";

testSecondProcess(3);
