/** The long run of hostile bytes: `npm run test:corpora`. */

import { describeHostileBytes } from "./hostile-bytes.ts";

describeHostileBytes([0, 1, 2, 3, 4, 5, 6, 7], 400);
