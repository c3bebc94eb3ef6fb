/** A short run of hostile bytes; `hostile-bytes.corpora.test.ts` has the long one. */

import { describeHostileBytes } from "./hostile-bytes.ts";

describeHostileBytes([0], 50);
