/** The long run of the properties: `npm run test:corpora`. */

import { describeDecisions } from "./decision-properties.ts";

describeDecisions(4000);
