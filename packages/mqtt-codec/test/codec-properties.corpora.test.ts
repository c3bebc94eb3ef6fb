/** The long run of the properties: `npm run test:corpora`. */

import { describeCodec } from "./codec-properties.ts";

describeCodec(400);
