/** curl and mosquitto with every suite and mode of client authentication: `npm run test:corpora`. */

import { programInteroperability } from "./interoperability-programs.ts";

programInteroperability(false);
