/** Each act by one of the two processes; `missed-changes.corpora.test.ts` has the long runs. */

import { describeMissedChanges } from "./missed-changes.ts";

describeMissedChanges((act) => [act % 2 === 0 ? "other" : "registry"], 2);
