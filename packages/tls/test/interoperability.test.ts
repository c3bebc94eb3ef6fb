/** A sample of the matrix with other implementations; `npm run test:corpora` runs all of it. */

import { interoperability } from "./interoperability.ts";

interoperability(true);
