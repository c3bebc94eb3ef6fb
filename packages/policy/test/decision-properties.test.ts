/** A short run of the properties; `decision-properties.corpora.test.ts` has the long one. */

import { describeDecisions } from "./decision-properties.ts";

describeDecisions(300);
