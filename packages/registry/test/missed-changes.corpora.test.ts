/** Each act by both processes, and many runs of any acts: `npm run test:corpora`. */

import { describeMissedChanges } from "./missed-changes.ts";

describeMissedChanges(() => ["registry", "other"], 150);
