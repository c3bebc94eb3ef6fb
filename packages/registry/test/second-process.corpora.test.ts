/** More changes: `npm run test:corpora`. */

import { testSecondProcess } from "./second-process.ts";

testSecondProcess(41);
