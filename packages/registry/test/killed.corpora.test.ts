/** Many rounds: `npm run test:corpora`. */

import { testKilledWriter } from "./killed.ts";

testKilledWriter(40);
