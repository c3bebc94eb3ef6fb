/** A sample; `interoperability-programs.corpora.test.ts` has all of it. */

import { programInteroperability } from "./interoperability-programs.ts";

programInteroperability(true);
