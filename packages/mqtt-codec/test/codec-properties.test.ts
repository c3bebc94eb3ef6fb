/** A short run of the properties; `codec-properties.corpora.test.ts` has the long one. */

import { describeCodec } from "./codec-properties.ts";

describeCodec(50);
